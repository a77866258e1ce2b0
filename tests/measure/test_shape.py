"""Width of the spectrum and odd against even partials, by sounds whose figures are known."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer import measure

RATE_HZ = 16_000


def _sum(amplitudes: dict[float, float], seconds: float = 1.0, rate_hz: int = RATE_HZ) -> np.ndarray:
    t = np.arange(int(seconds * rate_hz)) / rate_hz
    return sum(a * np.sin(2 * np.pi * hz * t) for hz, a in amplitudes.items()).astype(np.float32)


@pytest.mark.parametrize("rate_hz", [16_000, 48_000])
def test_spread_is_half_the_distance_of_two_tones(rate_hz) -> None:
    wide, narrow = (_sum({2000.0 - d: 0.2, 2000.0 + d: 0.2}, rate_hz=rate_hz) for d in (1000.0, 500.0))
    figures = [measure.spread_octaves(sound, sample_rate_hz=rate_hz) for sound in (wide, narrow)]
    assert figures[0] == pytest.approx(np.log2(1000.0), abs=0.02)
    assert figures[0] - figures[1] == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("rate_hz", [16_000, 48_000])
def test_hollowness_is_odd_over_even(rate_hz) -> None:
    partials = {220.0 * k: 0.1 * (1.0 if k % 2 else 0.25) for k in range(1, 8)}
    heard = measure.hollowness_db(_sum(partials, rate_hz=rate_hz), sample_rate_hz=rate_hz, pitch_hz=220.0)
    assert heard == pytest.approx(20 * np.log10(4.0), abs=0.2)


def test_what_cannot_be_told_is_nan() -> None:
    tone, silence = _sum({1500.0: 0.2}), np.zeros(RATE_HZ, np.float32)
    assert np.isnan(measure.spread_octaves(silence, sample_rate_hz=RATE_HZ))
    assert np.isnan(measure.hollowness_db(silence, sample_rate_hz=RATE_HZ, pitch_hz=220.0))
    for pitch_hz in (40.0, 1500.0, float("nan")):
        assert np.isnan(measure.hollowness_db(tone, sample_rate_hz=RATE_HZ, pitch_hz=pitch_hz))
