"""Movement of pitch: told in words, compared frame by frame, set against a source."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer import measure
from synth_explorer.pitch import midi_to_hz

RATE_HZ = 16_000


def tone(midi: np.ndarray) -> np.ndarray:
    """A saw-like tone [T] at a MIDI pitch for each sample."""
    hz = np.asarray(midi_to_hz(midi))
    turns = np.cumsum(hz) / RATE_HZ
    return (0.1 * sum(np.sin(2 * np.pi * k * turns) / k for k in range(1, 9))).astype(np.float32)


def glide(semitones: float = 12.0, *, start: float = 60.0, seconds: float = 2.0) -> np.ndarray:
    """MIDI [T], straight after a rest."""
    t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    return start + semitones * np.clip((t - 0.4) / (seconds - 0.8), 0.0, 1.0)


def test_words() -> None:
    t = np.arange(100) / 31.25
    words = measure.movement_words
    assert words(np.full(100, 60.1)) == "stays at C4"
    assert words(np.linspace(60, 72, 100)) == "moves from C4 to C5"
    assert words(np.where(t < 1.5, 69.0, 76.0)) == "moves from A4 to E5"
    assert words(60 + 7 * np.sin(np.pi * t / t[-1])) == "moves from C4 by G4 to C4"
    assert words(60 + 2 * np.sin(2 * np.pi * 5 * t)).startswith("swings by 2")
    assert words(np.full(9, np.nan)) == "is not heard"


def test_shift_of_a_moving_pitch() -> None:
    before = np.linspace(60.0, 72.0, 100)
    assert measure.shift_cents(before, before + 0.3) == pytest.approx(30.0)
    assert np.isnan(measure.shift_cents(before, np.full(100, 66.0)))
    assert np.isnan(measure.shift_cents(before, np.full(100, np.nan)))


def test_compare_is_right_or_silent_where_pitch_moves() -> None:
    plain = tone(glide())
    moved, flat = tone(glide() + 1.0), tone(np.full(plain.size, 66.0))
    hz = float(midi_to_hz(66.0))
    pair = hz, float(midi_to_hz(67.0))
    assert measure.compare(plain, moved, sample_rate_hz=RATE_HZ, pitch_hz=pair)["pitch_cents"] == pytest.approx(
        100, abs=2
    )
    assert measure.compare(plain, 0.5 * plain, sample_rate_hz=RATE_HZ, pitch_hz=hz)["pitch_cents"] == pytest.approx(
        0, abs=0.01
    )
    assert np.isnan(measure.compare(plain, flat, sample_rate_hz=RATE_HZ, pitch_hz=hz)["pitch_cents"])
    assert np.isnan(measure.compare(plain, moved[:20000], sample_rate_hz=RATE_HZ, pitch_hz=pair)["pitch_cents"])


def test_against_a_source() -> None:
    source = tone(glide())
    told = measure.against_source(source, 0.5 * source, sample_rate_hz=RATE_HZ, around_hz=300.0)
    assert told["movement"] == "moves from C4 to C5"
    assert told["pitch_within_30_cents"] == 1.0 and told["pitch_abs_cents"] < 1.0
    assert told["loudness_db"] == pytest.approx(-6.02, abs=0.1)
    flattened = tone(np.full(source.size, 66.0))
    told = measure.against_source(source, flattened, sample_rate_hz=RATE_HZ, around_hz=300.0)
    assert told["pitch_within_30_cents"] < 0.2 and told["pitch_abs_cents"] > 200.0


@pytest.mark.parametrize("around_hz", [None, float("nan"), 300.0])
def test_a_source_without_a_pitch(around_hz: float | None) -> None:
    noise = np.random.default_rng(0).normal(size=RATE_HZ).astype(np.float32)
    for source in (noise, 0.0 * noise):
        told = measure.against_source(source, noise, sample_rate_hz=RATE_HZ, around_hz=around_hz)
        assert told["movement"] is None and told["pitch_abs_cents"] is None


def test_report_has_a_source_only_where_there_is_one() -> None:
    source = tone(glide())
    rate = {"sample_rate_hz": RATE_HZ, "pitch_hz": 300.0}
    assert set(measure.report({}, source, source, **rate)) == {"requested", "measured"}
    told = measure.report({}, source, source, **rate, source=source)
    assert set(told) == {"requested", "measured", "source"}
