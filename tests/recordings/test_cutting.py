"""Recordings cut into notes: what each is, which are the same, which are proposed; and the command."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from synth_explorer.audio import save
from synth_explorer.cli import app
from synth_explorer.errors import AudioError
from synth_explorer.index import IndexRow, read_index
from synth_explorer.pitch import HeardPitch
from synth_explorer.recordings import RecordedNote, cut, cutting, sound_of
from synth_explorer.recordings.cutting import grouped, ranked
from synth_explorer.recordings.onsets import SAMPLE_RATE_HZ
from tests.recordings.test_onsets import melody

NAMES = ["Cello", "Trumpet", "Cello", "Marimba", "Cello"]


@pytest.fixture(scope="module")
def recorded() -> np.ndarray:
    """Five notes, three of them the same, then a burst of noise."""
    audio, _ = melody(NAMES)
    noise = np.random.default_rng(3).standard_normal(SAMPLE_RATE_HZ // 2) * np.exp(-np.arange(8000) / 1500)
    return np.concatenate([audio, 0.2 * noise.astype(np.float32), np.zeros(8000, np.float32)])


def test_notes_are_told_apart_and_the_same_ones_grouped(recorded, explorer) -> None:
    notes = cut(recorded, explorer, sample_rate_hz=SAMPLE_RATE_HZ)
    assert len(notes) == 6
    alone = [explorer.encode(melody([name])[0]).pitch_midi for name in NAMES]
    for note, pitch in zip(notes[:5], alone, strict=True):
        assert note.pitch_midi == pytest.approx(pitch, abs=0.3)
        assert 0.5 <= note.duration_s <= 0.81
    assert notes[5].pitch_midi is None and notes[5].name in ("unpitched", "chord")
    groups = [note.group for note in notes]
    assert groups[0] == groups[2] == groups[4] == 1 and len(set(groups)) == 4
    assert sorted(note.rank for note in notes) == [0, 0, 1, 2, 3, 4]
    assert next(note for note in notes if note.rank == 1).group == 1


def test_level_says_nothing(recorded, explorer) -> None:
    loud, soft = (cut(recorded * gain, explorer, sample_rate_hz=SAMPLE_RATE_HZ) for gain in (1.0, 0.03))
    assert [note.onset_s for note in loud] == [note.onset_s for note in soft]
    assert [note.group for note in loud] == [note.group for note in soft]


def note(midi: float, shape: float, *, duration_s: float = 1.0, kind: str = "note") -> RecordedNote:
    spectrum = np.full(80, -20.0) + shape
    return RecordedNote(0.0, duration_s, HeardPitch(midi, 1.0, kind), -20.0, 0.0, spectrum)


def test_groups_need_one_pitch_and_one_sound() -> None:
    notes = [note(60, 0), note(60.2, 1), note(61, 0), note(60, 9), note(60, 0, kind="chord"), note(72, 0, kind="chord")]
    assert [n.group for n in grouped(notes)] == [1, 1, 2, 3, 4, 4]


def test_the_typical_note_that_lasts_is_proposed() -> None:
    notes = [note(60, 0, duration_s=0.2), note(60, 0.5), note(60, 2), note(70, 0, duration_s=9.0)]
    assert [n.rank for n in ranked([replace(n, group=g) for n, g in zip(notes, (1, 1, 1, 2), strict=True)])] == [
        0,
        2,
        0,
        1,
    ]


def test_a_note_is_cut_with_fades(recorded) -> None:
    found = RecordedNote(1.0, 0.5, HeardPitch(60, 1.0), 0, 0, np.zeros(80))
    sound = sound_of(found, recorded, sample_rate_hz=SAMPLE_RATE_HZ)
    assert len(sound) == int(0.52 * SAMPLE_RATE_HZ) and sound[0] == 0.0 and sound[-1] == 0.0
    np.testing.assert_array_equal(sound[100:-100], recorded[int(0.98 * SAMPLE_RATE_HZ) :][: len(sound)][100:-100])


def test_a_recording_without_a_beginning_is_refused(recorded, explorer, monkeypatch) -> None:
    monkeypatch.setattr(cutting, "find_onsets", lambda audio: np.zeros(0, int))
    with pytest.raises(AudioError, match=r"take\.wav has no note"):
        cut(recorded, explorer, sample_rate_hz=SAMPLE_RATE_HZ, name="take.wav")


@pytest.mark.slow
def test_command_writes_notes_at_the_recordings_rate_and_their_index(recorded, tmp_path: Path) -> None:
    import soxr

    path, out = tmp_path / "take.wav", tmp_path / "notes"
    save(path, soxr.resample(recorded, SAMPLE_RATE_HZ, 44_100), sample_rate_hz=44_100)
    result = CliRunner().invoke(app, ["notes", str(path), "-o", str(out), "--format", "flac"])
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader((out / "index.csv").open()))
    assert len(rows) == 6 and [row["path"] for row in rows] == sorted(p.name for p in out.glob("*.flac"))
    assert rows[5]["pitch"] == "" and rows[5]["kind"] in ("unpitched", "chord")
    for row in rows:
        info = soundfile.info(out / row["path"])
        assert info.samplerate == 44_100 and info.duration == pytest.approx(float(row["duration_s"]) + 0.02, abs=0.002)
    assert [note.pitch is None for note in read_index(out, IndexRow)] == [False] * 5 + [True]
    again = CliRunner().invoke(app, ["notes", str(path), "-o", str(tmp_path / "few"), "--proposed", "2"])
    assert again.exit_code == 0 and len(list((tmp_path / "few").glob("*.wav"))) == 2


def test_command_says_what_is_wrong(tmp_path: Path) -> None:
    for words, message in (
        ([str(tmp_path / "none.wav"), "-o", str(tmp_path / "x")], "none.wav"),
        ([__file__, "-o", str(tmp_path / "x")], "test_cutting.py"),
    ):
        result = CliRunner().invoke(app, ["notes", *words])
        assert result.exit_code in (1, 2) and message in result.stderr.replace("\n", "")
        assert not (tmp_path / "x").exists()


@pytest.mark.slow
def test_one_note_too_loud_for_its_format_ends_no_other_and_the_recording_stays(recorded, tmp_path: Path) -> None:
    loud = recorded.copy()
    loud[:SAMPLE_RATE_HZ] *= 1.5 / np.abs(loud[:SAMPLE_RATE_HZ]).max()
    path, out = tmp_path / "loud.wav", tmp_path / "notes"
    save(path, loud, sample_rate_hz=SAMPLE_RATE_HZ)
    result = CliRunner().invoke(app, ["notes", str(path), "-o", str(out), "--format", "flac"])
    assert result.exit_code == 1 and "would clip" in result.stderr
    rows = list(csv.DictReader((out / "index.csv").open()))
    assert len(rows) >= 4 and [row["path"] for row in rows] == sorted(p.name for p in out.glob("*.flac"))
    first = next(out.glob("*.flac")).with_suffix(".wav")
    save(first, recorded, sample_rate_hz=SAMPLE_RATE_HZ)
    before = first.read_bytes()
    again = CliRunner().invoke(app, ["notes", str(first), "-o", str(out), "--proposed", "1"])
    assert first.read_bytes() == before and again.exit_code in (0, 2)
