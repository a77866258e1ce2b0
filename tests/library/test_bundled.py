"""What comes with the program of its notes is what listening to them says, and the first map is made of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synth_explorer.assets import example_notes
from synth_explorer.library import bundled, listening
from synth_explorer.library.library import Library
from synth_explorer.library.listening import Task, heard
from synth_explorer.library.places import Places, laid_out
from synth_explorer.rendering.sources import content_hash


@pytest.mark.parametrize("number", [0, 17, 40])
def test_it_is_what_listening_says(number: int) -> None:
    """If this fails, `python scripts/bundled_sounds.py` writes it anew."""
    note = example_notes()[number]
    known, anew = bundled.heard(content_hash(note.path)), heard(Task(note.path, "note", note.name))
    assert known is not None and known["qualities"] == pytest.approx(anew["qualities"], rel=1e-3, abs=1e-3)
    assert known["families"] == pytest.approx(anew["families"], abs=1e-3)
    np.testing.assert_allclose(known["embedding"].astype(float), anew["embedding"].astype(float), atol=2e-3)
    assert (known["duration_s"], known["sample_rate_hz"]) == (anew["duration_s"], anew["sample_rate_hz"])


def test_every_note_is_there_and_lies_where_it_is_laid_out() -> None:
    notes = [content_hash(note.path) for note in example_notes()]
    assert list(bundled.places()) == notes
    points = np.stack([(bundled.heard(sha256) or {})["embedding"] for sha256 in notes]).astype(np.float32)
    near = [
        np.argsort(np.hypot(*(places - places[:, None]).transpose(2, 0, 1)))[:, 1]
        for places in (laid_out(points), np.array(list(bundled.places().values())))
    ]
    assert np.mean(near[0] == near[1]) > 0.8  # processors differ in the last digits, and t-SNE goes on from these


def test_bundled_notes_are_not_listened_to_and_lie_as_they_were_laid_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "heard", lambda task: pytest.fail("it listens"))
    monkeypatch.setattr("synth_explorer.library.places.laid_out", lambda points: pytest.fail("it lays out"))
    first, second, *_ = example_notes()
    with Library(tmp_path / "library") as library:
        entries = [library.add(note.path, name=note.name) for note in (first, second)]
        assert entries[0].qualities["brightness_octaves"] and library.tags(entries[0])
        places = Places(library)
        places.lay(bundled.places())
        numbers, where = places.all()
        assert numbers.tolist() == [entry.number for entry in entries]
        np.testing.assert_allclose(where, [bundled.places()[entry.sha256] for entry in entries])
        places.lay({entries[0].sha256: (9.0, 9.0)})  # there are places
        np.testing.assert_allclose(places.all()[1], where)


def test_what_other_ears_heard_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bundled.npz"
    fields = bundled.heard(content_hash(example_notes()[0].path))
    bundled.write({"a" * 64: fields}, np.array([[0.25, 0.5]]), path=path)
    monkeypatch.setattr(bundled, "FILE", path)
    bundled._all.cache_clear()
    assert bundled.places() == {"a" * 64: (0.25, 0.5)} and bundled.heard("a" * 64)["qualities"] == fields["qualities"]
    bundled._all.cache_clear()
    monkeypatch.setattr(bundled.Ears, "bundled", lambda: type("Other", (), {"name": "other"}))
    assert bundled.places() == {} and bundled.heard("a" * 64) is None
    bundled._all.cache_clear()
