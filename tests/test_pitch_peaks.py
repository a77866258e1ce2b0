"""Spectral peaks near harmonics, beside a naive search."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer.pitch_peaks import SEARCH_CENTS, find_peaks

FRAMES, BINS = 7, 120


def spectra(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Under a window and under its derivative."""
    parts = np.random.default_rng(seed).normal(size=(2, FRAMES, BINS, 2)).astype(np.float32)
    return tuple(np.ascontiguousarray(part[..., 0] + 1j * part[..., 1]) for part in parts)


def naive(hann, slope, f0_bins: float, harmonics, stiffness: float) -> np.ndarray:
    """[4, K, F], a peak and a frame at a time, in float64."""
    found = np.zeros((4, len(harmonics), len(hann)))
    for row, k in enumerate(harmonics):
        centre = k * f0_bins * (1 + stiffness * k**2 / 2)
        reach = min(0.45 * f0_bins, max(1.6, centre * (2 ** (SEARCH_CENTS / 1200) - 1)))
        low, high = max(1, round(centre - reach)), min(hann.shape[1] - 2, round(centre + reach))
        around = max(3.5, 0.5 * f0_bins)
        for n, bins in enumerate(hann.astype(np.complex128)):
            if high <= low:
                continue
            power = np.abs(bins) ** 2
            at = max(range(low, high + 1), key=lambda r: power[r])
            floor = np.median(power[max(0, int(centre - around)) : int(centre + around) + 1])
            ratio = complex(slope[n, at]) / bins[at]
            place = max(at - np.clip(ratio.imag, -1, 1), 0.25)
            is_peak = power[at] >= max(power[at - 1], power[at + 1])
            tonality = np.clip((10 * np.log10(power[at] / floor) - 6) / 12, 0, 1) * is_peak
            found[:, row, n] = 1200 * np.log2(place / (k * f0_bins)), abs(bins[at]), tonality, abs(ratio.real)
    return found


@pytest.mark.parametrize("stiffness", [0.0, 1e-3])
@pytest.mark.parametrize("f0_bins", [2.3, 6.1, 9.97, 31.4])
def test_peaks_are_those_of_a_naive_search(f0_bins: float, stiffness: float) -> None:
    harmonics = np.arange(1, 13)  # the last ones lie beyond the bins of high notes
    for seed in range(3):
        hann, slope = spectra(seed)
        found = find_peaks(hann, slope, f0_bins, harmonics, stiffness)
        expected = naive(hann, slope, f0_bins, harmonics, stiffness)
        np.testing.assert_allclose(np.stack(found), expected, rtol=2e-5, atol=1e-3)
    assert np.any(expected[1]) and (f0_bins < 10 or not expected[:, -1].any())
