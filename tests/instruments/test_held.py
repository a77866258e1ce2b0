"""Notes for the hand: what is looped, what dies away, and that neither clicks."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer import measure
from synth_explorer.instruments import loops, sustain
from synth_explorer.instruments.held import held, stretch
from synth_explorer.latents import midi_to_hz
from tests.instruments.notes import RATE_HZ, held_note, plucked_note

RATE = {"sample_rate_hz": RATE_HZ}
A3 = {"midi": 57.0, "sample_rate_hz": RATE_HZ}  # 220 Hz


def level_db(audio: np.ndarray) -> np.ndarray:
    """Of every tenth of a second, naively."""
    parts = audio[: audio.size // 1600 * 1600].reshape(-1, 1600).astype(np.float64)
    return 10.0 * np.log10(np.mean(parts**2, axis=1) + 1e-12)


def test_a_held_note_goes_on_without_a_click() -> None:
    note = held_note(vibrato_cents=15.0, noise=0.02)
    made = held(note, **A3)
    assert made.loop is not None and made.loop.is_clean
    played = loops.unrolled(made.audio, made.loop, 10 * RATE_HZ)
    assert np.abs(np.diff(played)).max() <= np.abs(np.diff(note)).max() * 1.01
    assert np.ptp(level_db(played)[5:]) < 2.0
    assert measure.pitch_hz(played[4 * RATE_HZ :], around_hz=220.0, **RATE) == pytest.approx(220.0, rel=0.002)


def test_silence_before_the_onset_is_cut_and_told() -> None:
    made = held(np.concatenate([np.zeros(800, np.float32), held_note(rise_s=0.002)]), **A3)
    assert made.from_s == pytest.approx(800 / RATE_HZ, abs=0.003)
    assert np.abs(made.audio[: RATE_HZ // 100]).max() > 0.05 and abs(made.audio[0]) < 1e-4


@pytest.mark.parametrize("always", [False, True])
def test_what_dies_away_fast_is_looped_only_where_that_is_asked(always: bool) -> None:
    made = held(plucked_note(fall_s=1.0), always=always, **A3)
    assert (made.loop is not None) == always
    if made.loop is not None:
        played = level_db(loops.unrolled(made.audio, made.loop, 4 * RATE_HZ))
        assert np.ptp(played[10:]) < 1.0
    else:
        assert made.audio[-1] == 0.0 and np.abs(made.audio[-160:]).max() < 1e-3


def test_what_dies_away_slowly_goes_on_where_it_is() -> None:
    made = held(plucked_note(seconds=3.0, fall_s=12.0), **A3)  # 5 dB a second
    assert made.loop is not None
    played = level_db(loops.unrolled(made.audio, made.loop, 10 * RATE_HZ))
    assert np.ptp(played[20:]) < 1.0 and played[-1] > played[1] - 12.0


def test_the_release_is_the_notes_own() -> None:
    assert held(held_note(fall_s=0.5), **A3).release_s == pytest.approx(0.5, rel=0.15)


@pytest.mark.parametrize("audio", [np.zeros(9000, np.float32), np.ones(3, np.float32)])
def test_what_is_no_note_plays_and_ends(audio: np.ndarray) -> None:
    for always in (False, True):
        assert held(audio, always=always, **A3).loop is None


@pytest.mark.parametrize("midi", [30.0, 57.0, 90.0])
def test_a_stretch_loops_at_one_level(midi: float) -> None:
    hz = float(midi_to_hz(midi))
    part = plucked_note(hz, seconds=1.5, fall_s=3.0)[4000 : 4000 + round(0.8 * RATE_HZ)]
    made = stretch(part, midi=midi, from_s=0.25, sample_rate_hz=RATE_HZ)
    assert made.loop is not None and made.from_s == 0.25
    played = loops.unrolled(made.audio, made.loop, 3 * RATE_HZ)
    assert np.ptp(level_db(played)[1:]) < 1.5
    assert np.abs(np.diff(played)).max() <= np.abs(np.diff(part)).max() * 1.05


def test_levelling_is_the_line_of_least_squares() -> None:
    note = plucked_note(seconds=2.0, fall_s=4.0)
    first, last = 1600, 24_000
    even = sustain.levelled(note, (first, last), **RATE)
    np.testing.assert_array_equal(even[: first + 1], note[: first + 1])
    at_s = np.arange(last - first) / RATE_HZ
    np.testing.assert_allclose(even[first:last], note[first:last] * 10 ** (15.0 * at_s / 20), rtol=0.02, atol=1e-4)
