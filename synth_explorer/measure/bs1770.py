"""Integrated loudness of ITU-R BS.1770-4 of one channel, as `pyloudnorm` measures it, but without `scipy.signal`.

The import of that takes longer than a note takes to be edited. The filters are pyloudnorm's (Bristow-Johnson's
cookbook), and so is the gate; the tests compare.

Shapes: T samples, J blocks.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

BLOCK_S, STEPS = 0.4, 4  # of the gate; steps a block
LEAST_DB, LEAST_RELATIVE_DB = -70.0, -10.0
OFFSET_DB = -0.691
SHELF_DB, SHELF_HZ, SHELF_Q = 4.0, 1500.0, 1.0 / math.sqrt(2.0)
HIGH_PASS_HZ, HIGH_PASS_Q = 38.0, 0.5

Biquad = tuple[tuple[float, float, float], tuple[float, float, float]]


def integrated_loudness(audio: np.ndarray, *, sample_rate_hz: int) -> float:
    """Loudness in LUFS of a sound [T] of at least 0.4 s; -inf where all of it lies below -70 LUFS."""
    power = _block_power(_weighted(np.asarray(audio, np.float64), sample_rate_hz), sample_rate_hz)
    with np.errstate(divide="ignore"):
        block_db = OFFSET_DB + 10.0 * np.log10(power)
        loud = power[block_db >= LEAST_DB]
        if not loud.size:
            return -math.inf
        least_db = OFFSET_DB + 10.0 * np.log10(loud.mean()) + LEAST_RELATIVE_DB
        kept = power[(block_db > least_db) & (block_db > LEAST_DB)]
        return float(OFFSET_DB + 10.0 * np.log10(kept.mean())) if kept.size else -math.inf


def _block_power(audio: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """Mean square of each block of the gate, [J]."""
    length_s = len(audio) / sample_rate_hz
    count = int(np.round((length_s - BLOCK_S) / (BLOCK_S / STEPS))) + 1
    first = [int(BLOCK_S * (j / STEPS) * sample_rate_hz) for j in range(count)]
    last = [int(BLOCK_S * (j / STEPS + 1.0) * sample_rate_hz) for j in range(count)]
    sums = [np.sum(np.square(audio[a:b])) for a, b in zip(first, last, strict=True)]
    return np.array(sums) / (BLOCK_S * sample_rate_hz)


def _weighted(audio: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """K-weighted, [T] float64."""
    for b, a in (_high_shelf(sample_rate_hz), _high_pass(sample_rate_hz)):
        audio = _filtered(audio, np.array(b) / a[0], np.array(a) / a[0])
    return audio


@njit(nogil=True, cache=True)
def _filtered(audio: np.ndarray, b: np.ndarray, a: np.ndarray) -> np.ndarray:
    """By a biquad whose a[0] is 1."""
    out = np.empty_like(audio)
    x1 = x2 = y1 = y2 = 0.0
    for n in range(audio.size):
        y = b[0] * audio[n] + b[1] * x1 + b[2] * x2 - a[1] * y1 - a[2] * y2
        x1, x2, y1, y2 = audio[n], x1, y, y1
        out[n] = y
    return out


def _high_shelf(sample_rate_hz: int) -> Biquad:
    a, w = 10.0 ** (SHELF_DB / 40.0), 2.0 * math.pi * SHELF_HZ / sample_rate_hz
    cosine, alpha = math.cos(w), math.sin(w) / (2.0 * SHELF_Q)
    wide = 2.0 * math.sqrt(a) * alpha
    plus, minus = a + 1 + (a - 1) * cosine, a + 1 - (a - 1) * cosine
    given = a * (plus + wide), -2 * a * (a - 1 + (a + 1) * cosine), a * (plus - wide)
    return given, (minus + wide, 2 * (a - 1 - (a + 1) * cosine), minus - wide)


def _high_pass(sample_rate_hz: int) -> Biquad:
    w = 2.0 * math.pi * HIGH_PASS_HZ / sample_rate_hz
    cosine, alpha = math.cos(w), math.sin(w) / (2.0 * HIGH_PASS_Q)
    return ((1 + cosine) / 2, -(1 + cosine), (1 + cosine) / 2), (1 + alpha, -2 * cosine, 1 - alpha)
