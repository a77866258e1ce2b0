"""Mel filters and K-weighting against definitions written out."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer import mel


def test_mel_round_trip() -> None:
    hz = np.array([0.0, 30.0, 440.0, 1000.0, 8000.0])
    np.testing.assert_allclose(mel.mel_to_hz(mel.hz_to_mel(hz)), hz, atol=1e-9)
    assert mel.hz_to_mel(1000.0) == pytest.approx(999.99, abs=0.01)


def test_mel_filters_match_a_loop() -> None:
    bands, n_fft, rate, low, high = 12, 256, 16000, 30.0, 8000.0
    top = mel.hz_to_mel(high)
    edges = [mel.hz_to_mel(low) + i * (top - mel.hz_to_mel(low)) / (bands + 1) for i in range(bands + 2)]
    expected = np.zeros((n_fft // 2 + 1, bands))
    for n in range(n_fft // 2 + 1):
        at = mel.hz_to_mel(n * rate / n_fft)
        for m in range(bands):
            left, centre, right = edges[m : m + 3]
            if left < at <= centre:
                expected[n, m] = (at - left) / (centre - left)
            elif centre < at < right:
                expected[n, m] = (right - at) / (right - centre)
    got = mel.mel_filters(bands, n_fft=n_fft, sample_rate_hz=rate, low_hz=low, high_hz=high)
    np.testing.assert_allclose(got, expected, atol=1e-6)


def test_interpolation_matrix_is_linear_between_centres() -> None:
    centres = mel.mel_centres_hz(9, low_hz=20.0, high_hz=8000.0)
    values = np.random.default_rng(0).random(9)
    wanted_hz = np.array([5.0, 20.0, 300.0, 4000.0, 8000.0])
    got = values @ mel.interpolation_matrix(wanted_hz, centres)
    expected = np.interp(mel.hz_to_mel(wanted_hz), mel.hz_to_mel(centres), values)
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_k_weighting_matches_the_standard_filters() -> None:
    """The two biquads of BS.1770-4 are given for 48 kHz; below 10 kHz they and their prototypes are one."""
    from scipy.signal import freqz

    shelf = ([1.53512485958697, -2.69169618940638, 1.19839281085285], [1.0, -1.69065929318241, 0.73248077421585])
    high_pass = ([1.0, -2.0, 1.0], [1.0, -1.99004745483398, 0.99007225036621])
    hz = np.array([25.0, 40.0, 100.0, 500.0, 997.0, 2000.0, 5000.0, 8000.0])
    expected = np.ones(len(hz))
    for numerator, denominator in (shelf, high_pass):
        expected = expected * np.abs(freqz(numerator, denominator, worN=hz, fs=48000)[1]) ** 2
    np.testing.assert_allclose(10 * np.log10(mel.k_weighting_power(hz)), 10 * np.log10(expected), atol=0.15)
