"""The high-pass is the Butterworth filter that scipy makes."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer.audio.high_pass import high_pass


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 48_000])
def test_it_is_a_butterworth_filter(rate_hz: int, rng) -> None:
    from scipy.signal import butter, sosfilt

    sound = np.concatenate([np.zeros(rate_hz), rng.standard_normal(rate_hz)]).astype(np.float32)
    expected = sosfilt(butter(2, 120.0, "high", fs=rate_hz, output="sos"), sound)
    np.testing.assert_allclose(high_pass(sound, cutoff_hz=120.0, sample_rate_hz=rate_hz), expected, atol=1e-11)
