"""Rumble and octaves."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer.data.cleaning import octave_shift, remove_rumble
from tests.data.hearing import to_hz

TIME_S = np.arange(32_000) / 16_000


def tone(midi: float, ratios: tuple[float, ...]) -> np.ndarray:
    return sum(np.sin(2 * np.pi * to_hz(midi) * ratio * TIME_S) for ratio in ratios)


def test_rumble_goes_and_tones_stay() -> None:
    low_a = tone(21, (1, 2, 3))
    cleaned = remove_rumble(low_a + 2.0 + np.sin(2 * np.pi * 2.0 * TIME_S), sample_rate_hz=16_000)[8000:]
    assert abs(cleaned.mean()) < 0.01
    assert 20 * np.log10(cleaned.std() / low_a[8000:].std()) == pytest.approx(0, abs=0.5)
    silent = remove_rumble(np.concatenate([np.zeros(100), low_a]), sample_rate_hz=16_000)
    assert not silent[:100].any(), "it looks back only"


@pytest.mark.parametrize(
    ("ratios", "shift"),
    [
        ((1, 2, 3, 4, 5), 0),
        ((1,), 0),
        ((1, 3, 5), 0),
        ((0.5, 1, 1.5, 2), -12),
        ((0.25, 0.5, 1, 1.5, 2), -24),
        ((2, 4, 6), 12),
        ((4,), 24),
        ((1, 2.76, 5.4), 0),
        ((1, 1.19, 1.56, 2.14, 2.9), 0),
    ],
)
def test_octave_that_is_heard(ratios: tuple[float, ...], shift: int) -> None:
    pitches = [48.2, 60.0, 66.9]
    assert octave_shift([tone(p, ratios) for p in pitches], pitches, sample_rate_hz=16_000) == shift
