"""The library that the map shows: bundled notes are in it once, and are heard again by other ears."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from synth_explorer.library.library import Library
from synth_explorer.ui.session.sound_map import SoundMap
from tests.fake_family import fake_notes


def test_bundled_notes_are_there_once_whatever_ears_heard_them(tmp_path: Path) -> None:
    notes, folder = fake_notes(tmp_path)[:2], tmp_path / "library"
    before = SoundMap(notes, folder=folder).facts()
    with Library(folder) as library:
        assert len(library) == 2 and {tag for tag, *_ in library.tags(library.entry("Bass 40"))} >= {"example", "bass"}
        with library.writing() as index:
            index.execute("UPDATE points SET ears = 'earlier'")
    opened = SoundMap(notes, folder=folder)
    assert opened.facts() == before and len(before["sounds"]) == 2
    sound = np.sin(np.arange(16_000) / 20.0).astype(np.float32)
    assert all(0.0 <= part <= 1.0 for part in opened.place(sound, sample_rate_hz=16_000))
