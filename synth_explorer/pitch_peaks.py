"""Spectral peaks near the harmonics of a note, as `pitch.refine` asks for them.

Shapes: F frames, R bins, K harmonics.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

SEARCH_CENTS = 45.0


class Peaks(NamedTuple):
    """The peak near each harmonic, all [K, F] float32."""

    cents: np.ndarray  # from k f0
    amplitude: np.ndarray
    tonality: np.ndarray  # 0..1
    change: np.ndarray  # of its level, in bins: 0.64 for a tone that begins in the middle of the window


def find_peaks(hann: np.ndarray, slope: np.ndarray, f0_bins: float, harmonics: np.ndarray, stiffness: float) -> Peaks:
    """The peak near each harmonic k, 0 where there is no bin to find it in.

    `hann`, `slope`: spectra under a Hann window and under its derivative, complex64 [F, R]. `harmonics`: [K], from 1.
    `stiffness`: B of a stiff string, whose partials lie at k f0 (1 + B k^2 / 2).
    """
    bins = hann.shape[1]
    centre = harmonics * f0_bins * (1.0 + 0.5 * stiffness * harmonics * harmonics)
    reach = np.minimum(0.45 * f0_bins, np.maximum(1.6, centre * (2.0 ** (SEARCH_CENTS / 1200.0) - 1.0)))
    around = max(3.5, 0.5 * f0_bins)
    low = np.maximum(1, np.round(centre - reach)).astype(np.int64)
    high = np.minimum(bins - 2, np.round(centre + reach)).astype(np.int64)
    first = np.maximum(0, (centre - around).astype(np.int64))
    last = np.minimum(bins - 1, (centre + around).astype(np.int64))
    found = np.zeros((4, len(harmonics), len(hann)), np.float32)
    _find(hann, slope, harmonics * f0_bins, low, high, first, last, found)
    return Peaks(*found)


@njit(nogil=True, cache=True)
def _find(hann, slope, expected, low, high, first, last, found):
    """Fills `found` [4, K, F]: peaks from low[k] to high[k], whose floor is the median from first[k] to last[k]."""
    power = np.empty(hann.shape[1], np.float32)
    for n in range(len(hann)):
        for r in range(power.size):
            power[r] = hann[n, r].real * hann[n, r].real + hann[n, r].imag * hann[n, r].imag
        for k in range(len(expected)):
            if high[k] <= low[k]:
                continue
            at = low[k]
            for r in range(low[k] + 1, high[k] + 1):
                if power[r] > power[at]:
                    at = r
            peak = power[at]
            floor = np.median(power[first[k] : last[k] + 1])
            ratio = slope[n, at] * np.conj(hann[n, at]) / (peak + np.float32(1e-20))
            cents = 1200.0 * np.log2(max(at - min(max(ratio.imag, -1.0), 1.0), 0.25) / expected[k])
            tonal = 10.0 * np.log10((peak + 1e-20) / (floor + 1e-20)) - 6.0
            is_peak = power[at - 1] <= peak and power[at + 1] <= peak
            found[0, k, n] = cents
            found[1, k, n] = np.sqrt(peak)
            found[2, k, n] = min(max(tonal / 12.0, 0.0), 1.0) if is_peak else 0.0
            found[3, k, n] = abs(ratio.real)
