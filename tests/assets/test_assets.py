"""The bundled example notes: enough of them, of many families, sound, small, licensed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scripts.example_notes import EXAMPLES, build_examples
from synth_explorer import audio
from synth_explorer.assets import NOTES_FOLDER, ExampleNote, example_notes, find_note, meant_note
from synth_explorer.errors import DataError
from tests.data.hearing import cents, heard_hz, to_hz

SOUNDFONTS = tuple(Path("/usr/share/sounds/sf2") / f"{name}.sf2" for name in ("FluidR3_GM", "MuseScore_General_Full"))


def test_there_are_enough_for_everyone() -> None:
    notes = example_notes()
    assert len(notes) >= 32
    assert len({note.name for note in notes}) == len(notes) == len(EXAMPLES)
    families = {note.family for note in notes}
    assert families >= {"string", "brass", "reed", "flute", "vocal", "guitar", "bass", "keyboard", "mallet", "organ"}
    assert {"synth_lead", "synth_pad"} & families
    assert sum(note.pitch == 60 for note in notes) > len(notes) / 2, "most are ready to morph"
    on_disk = {path.name for path in NOTES_FOLDER.glob("*.flac")}
    assert on_disk == {note.path.name for note in notes}
    assert sum(path.stat().st_size for path in NOTES_FOLDER.iterdir()) < 4.5e6


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("Celo", "Cello"), ("grand_pianno", "Grand Piano"), ("trumpt", "Trumpet"), ("xyz", ""), ("", "")],
)
def test_a_name_that_none_has_is_near_to_what_was_meant(typed: str, meant: str) -> None:
    assert find_note(typed) is None and meant_note(typed) == meant


def test_every_note_has_its_licence() -> None:
    text = (NOTES_FOLDER / "LICENCE.md").read_text(encoding="utf-8")
    assert "Frank Wen" in text and "S. Christian Collins" in text and "Permission is hereby granted" in text
    for note in example_notes():
        assert note.licence == "MIT" and f"## {note.source}" in text


@pytest.mark.parametrize("note", example_notes(), ids=lambda note: note.path.stem)
def test_notes_sound_as_labelled(note: ExampleNote) -> None:
    sound = audio.load(note.path, sample_rate_hz=48_000)
    assert 3.0 < len(sound) / 48_000 < 4.5
    assert 20 * np.log10(np.max(np.abs(sound))) == pytest.approx(-6, abs=0.1)
    assert audio.find_onset(sound, sample_rate_hz=48_000) < 48_000 // 4
    low = audio.load(note.path, sample_rate_hz=16_000)  # `heard_hz` hears at it
    assert abs(cents(heard_hz(low[2000:24_000], to_hz(note.pitch)), to_hz(note.pitch))) < 35


def test_examples_need_both_soundfonts(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"MuseScore_General_Full\.sf2"):
        build_examples([tmp_path / "FluidR3_GM.sf2"], tmp_path / "out")


@pytest.mark.long
def test_examples_can_be_rebuilt(tmp_path: Path) -> None:
    pytest.importorskip("fluidsynth", exc_type=ImportError)
    if not all(path.is_file() for path in SOUNDFONTS):
        pytest.skip("the two SoundFonts are not installed")
    out = build_examples(SOUNDFONTS, tmp_path / "notes")
    assert (out / "index.csv").read_text() == (NOTES_FOLDER / "index.csv").read_text()
    for note in example_notes():
        rebuilt = audio.load(out / note.path.name, sample_rate_hz=48_000)
        np.testing.assert_allclose(rebuilt, audio.load(note.path, sample_rate_hz=48_000), atol=1e-3)
