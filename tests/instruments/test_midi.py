"""MIDI files: times, what holds a key, bends, and what cannot be read."""

from __future__ import annotations

from pathlib import Path

import mido
import numpy as np
import pytest

from synth_explorer.errors import SpecError
from synth_explorer.instruments import midi
from synth_explorer.instruments.midi import Note, Song
from tests.instruments.songs import bend, control, note, song, tempo


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "song.mid"


def times(found: Song) -> list[tuple[float, float]]:
    return [(pytest.approx(one.start_s), pytest.approx(one.end_s)) for one in found.notes]


def test_tempo_changes_in_the_middle_of_a_note(path: Path) -> None:
    song(path, [tempo(0, 120), tempo(3, 60)], [*note(2, 2), *note(4, 1, 62)])
    assert times(midi.read(path)) == [(1.0, 2.5), (2.5, 3.5)]


def test_times_do_not_drift(path: Path) -> None:
    """Ticks that are no round number of seconds add up to what the exact sum is."""
    song(path, [tempo(0, 97.3)], [event for beat in range(2000) for event in note(beat, 0.5)], ticks=96)
    seconds = mido.bpm2tempo(97.3) * 1e-6
    starts = np.array([one.start_s for one in midi.read(path).notes])
    assert np.abs(starts - seconds * np.arange(2000)).max() < 1e-8


def test_several_tracks_and_channels(path: Path) -> None:
    song(path, note(0, 1, 60), note(0, 2, 64, 80, channel=3), [*note(1, 1, 67, 1, channel=15)])
    found = midi.read(path)
    assert [(one.channel, one.key, one.velocity) for one in found.notes] == [(0, 60, 100), (3, 64, 80), (15, 67, 1)]
    assert found.said == ()


def test_type_0_and_running_status(path: Path) -> None:
    song(path, [*note(0, 1), *note(1, 1)], kind=0)
    assert times(midi.read(path)) == [(0.0, 0.5), (0.5, 1.0)]
    on = bytes([0, 0x90, 60, 100, 96, 60, 0, 0, 62, 90, 96, 62, 0])  # note_on of velocity 0 lets go
    track = on + bytes([0, 0xFF, 0x2F, 0])
    header = b"MThd" + bytes([0, 0, 0, 6, 0, 0, 0, 1, 0, 96])
    path.write_bytes(header + b"MTrk" + len(track).to_bytes(4, "big") + track)
    assert [(one.key, one.velocity) for one in midi.read(path).notes] == [(60, 100), (62, 90)]


@pytest.mark.parametrize(("frames", "rate"), [(24, 24.0), (25, 25.0), (29, 30 / 1.001), (30, 30.0)])
def test_smpte_times(path: Path, frames: int, rate: float) -> None:
    song(path, [tempo(0, 240), *note(0, 1)], ticks=100)
    content = bytearray(path.read_bytes())
    content[12:14] = bytes([256 - frames, 40])
    path.write_bytes(bytes(content))
    assert times(midi.read(path)) == [(0.0, 100 / (rate * 40))]


def test_the_pedal_holds(path: Path) -> None:
    song(path, [*note(0, 1, 60), *note(0, 3, 62), control(0.5, 64, 127), control(2, 64, 0), *note(4, 1, 64)])
    assert times(midi.read(path)) == [(0.0, 1.0), (0.0, 1.5), (2.0, 2.5)]


def test_a_pedal_that_comes_late_or_half_holds_nothing(path: Path) -> None:
    song(path, [*note(0, 1), control(1.5, 64, 127), control(3, 64, 0), control(3.5, 64, 63), *note(4, 1)])
    assert times(midi.read(path)) == [(0.0, 0.5), (2.0, 2.5)]


def test_the_pedal_is_of_its_channel(path: Path) -> None:
    song(path, [control(0, 64, 127, channel=1), *note(0, 1), *note(0, 1, channel=1), control(2, 64, 0, channel=1)])
    assert times(midi.read(path)) == [(0.0, 0.5), (0.0, 1.0)]


def test_a_key_struck_again_lets_its_former_note_go(path: Path) -> None:
    song(path, [control(0, 64, 127), *note(0, 1), *note(2, 1), control(4, 64, 0)])
    assert times(midi.read(path)) == [(0.0, 1.0), (1.0, 2.0)]


def test_all_notes_off_and_reset(path: Path) -> None:
    song(path, [*note(0, 8), control(1, 123, 0), *note(2, 8, 62), control(3, 120, 0)])
    assert times(midi.read(path)) == [(0.0, 0.5), (1.0, 1.5)]
    song(path, [control(0, 64, 127), control(0, 1, 90), bend(0, 4096), *note(0, 1), control(2, 121, 0), *note(3, 1)])
    found = midi.read(path)
    assert times(found) == [(0.0, 1.0), (1.5, 2.0)]
    assert found.wheel(0).at(np.array([0.5, 1.5])) == pytest.approx([90 / 127, 0.0])
    assert found.bend(0).at(np.array([0.5, 1.5])) == pytest.approx([1.0, 0.0])


def test_bends_and_their_range(path: Path) -> None:
    set_range = [control(1, 101, 0), control(1, 100, 0), control(1, 6, 12), control(1, 38, 50), control(1, 101, 127)]
    song(path, [*note(0, 8), bend(0, -8192), *set_range, bend(2, 4096), control(2.5, 6, 1), bend(3, 8191, channel=1)])
    at_s = np.array([0.0, 0.49, 0.5, 1.0, 1.3, 4.0])
    found = midi.read(path)
    assert found.bend(0).at(at_s) == pytest.approx([-2.0, -2.0, -12.5, 6.25, 6.25, 6.25])
    assert found.bend(1).at(at_s)[-1] == pytest.approx(2.0, abs=1e-3) and found.bend(2).at(at_s)[-1] == 0.0
    assert found.bend(0).moves(0.0, 1.0) and not found.bend(1).moves(0.0, 1.0) and found.bend(1).moves(1.0, 2.0)


def test_other_parameters_leave_the_range(path: Path) -> None:
    others = [control(0, 99, 0), control(0, 98, 0), control(0, 6, 24), control(0, 101, 0), control(0, 100, 1)]
    song(path, [*others, control(0, 6, 24), bend(0, 4096), *note(0, 1)])
    assert midi.read(path).bend(0).at(np.array([0.2])) == pytest.approx([1.0])


def test_what_is_not_played_is_said(path: Path) -> None:
    drums = [*note(0, 1, 36, channel=9), *note(1, 1, 38, channel=9)]
    program = (0.0, mido.Message("program_change", program=5))
    hanging = [(0.0, mido.Message("note_on", note=70, velocity=9)), (3.0, mido.MetaMessage("marker", text="end"))]
    song(path, [program, control(0, 7, 90), control(0, 91, 9), *note(0, 1)], drums, hanging)
    found = midi.read(path)
    assert found.said == (
        "2 notes of percussion (channel 10) are not played",
        "1 program changes are not followed: all is played with the patch",
        "controllers that are not followed: 7, 91",
        "1 notes are never let go; they end with the file",
    )
    assert found.notes[1] == Note(0, 70, 9, 0.0, 1.5)


def test_the_example_is_a_piece_of_music(repository: Path) -> None:
    found = midi.read(repository / "examples" / "bach_prelude_in_c.mid")
    assert len(found.notes) == 549 and found.said == ()
    assert [one.key for one in found.notes[:8]] == [60, 64, 67, 72, 76, 67, 72, 76]
    assert found.notes[-5:] == tuple(sorted(found.notes[-5:], key=lambda one: one.key))
    wheel = found.wheel(0).at(np.linspace(0, 130, 200))
    assert wheel.min() == 0.0 and wheel.max() == 1.0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "ends too soon"),
        (b"RIFF1234WAVE", "MThd not found"),
        (b"MThd\0\0\0\6\0\1\0\1\1\xe0", "ends too soon"),
        (b"MThd\0\0\0\6\0\1\0\1\1\xe0MTrk\0\0\0\5\0\x90\x3c", "ends too soon"),
        (b"MThd\0\0\0\6\0\1\0\1\1\xe0MTrx\0\0\0\4\0\xff\x2f\0", "MTrk"),
        (b"MThd\0\0\0\6\0\1\0\1\0\0MTrk\0\0\0\4\0\xff\x2f\0", "no ticks"),
        (b"MThd\0\0\0\6\0\1\0\1\x90\5MTrk\0\0\0\4\0\xff\x2f\0", "frames"),
        (b"MThd\0\0\0\6\0\2\0\1\1\xe0MTrk\0\0\0\4\0\xff\x2f\0", "type 2"),
        (b"MThd\0\0\0\6\0\1\0\1\1\xe0MTrk\0\0\0\4\0\xff\x2f\0", "no note"),
        (b"MThd\0\0\0\6\0\1\0\1\1\xe0MTrk\0\0\0\4\0\x3c\x40\0", "running status"),
    ],
)
def test_what_is_no_song_is_refused(path: Path, content: bytes, said: str) -> None:
    path.write_bytes(content)
    with pytest.raises(SpecError, match=said) as error:
        midi.read(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


def test_other_refusals(path: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="There is no file"):
        midi.read(path)
    with pytest.raises(SpecError, match="cannot be read"):
        midi.read(tmp_path)
    song(path, note(0, 1, channel=9))
    with pytest.raises(SpecError, match="no note to play; 1 notes of percussion"):
        midi.read(path)
    song(path, note(20_000, 1))
    with pytest.raises(SpecError, match="longer than 2 hours"):
        midi.read(path)


def test_300_damaged_files_are_read_or_refused_in_a_sentence(path: Path, rng: np.random.Generator) -> None:
    song(
        path,
        [tempo(0, 120), control(0, 1, 20), bend(0, 100), *note(0, 1), *note(1, 2, 64)],
        [*note(0, 4, 48, channel=2), (0.0, mido.MetaMessage("key_signature", key="C"))],
    )
    whole, refused = path.read_bytes(), 0
    for _ in range(300):
        content = bytearray(whole)
        for _ in range(rng.integers(1, 8)):
            content[rng.integers(0, len(content))] = rng.integers(0, 256)
        if rng.random() < 0.3:
            content = content[: rng.integers(0, len(content))]
        path.write_bytes(bytes(content))
        try:
            found = midi.read(path)
            assert all(one.end_s >= one.start_s >= 0 and 1 <= one.velocity <= 127 for one in found.notes)
        except SpecError as error:
            refused += 1
            assert str(error).startswith(str(path)) and "\n" not in str(error)
    assert 100 < refused < 300
