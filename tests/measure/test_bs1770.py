"""Loudness is what pyloudnorm measures."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer.measure.bs1770 import integrated_loudness


@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 48_000])
@pytest.mark.parametrize("length_s", [0.4, 0.5, 1.234, 4.0])
def test_it_agrees_with_pyloudnorm(rate_hz: int, length_s: float, rng) -> None:
    pyloudnorm = pytest.importorskip("pyloudnorm")
    time_s = np.arange(round(length_s * rate_hz)) / rate_hz
    sound = 0.1 * rng.standard_normal(time_s.size) * np.exp(-3.0 * time_s) + 0.05 * np.sin(200.0 * np.pi * time_s)
    expected = pyloudnorm.Meter(rate_hz).integrated_loudness(sound)
    assert integrated_loudness(sound, sample_rate_hz=rate_hz) == pytest.approx(expected, abs=1e-9)


def test_what_lies_below_the_gate_has_none() -> None:
    assert integrated_loudness(np.zeros(16_000), sample_rate_hz=16_000) == -np.inf
