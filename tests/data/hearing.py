"""Naive measures of rendered notes."""

from __future__ import annotations

import numpy as np


def heard_hz(sound: np.ndarray, near_hz: float, *, sample_rate_hz: int = 16_000, within_cents: float = 90.0) -> float:
    """Frequency of the strongest spectral peak near `near_hz`."""
    size = 1 << 19
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), size))
    low, high = (int(near_hz * 2 ** (sign * within_cents / 1200) * size / sample_rate_hz) for sign in (-1, 1))
    return (low + int(np.argmax(spectrum[low : high + 1]))) * sample_rate_hz / size


def cents(hz: float, reference_hz: float) -> float:
    """Interval from `reference_hz` up to `hz`."""
    return 1200 * float(np.log2(hz / reference_hz))


def to_hz(midi: float) -> float:
    """Frequency of a MIDI note."""
    return 440.0 * 2.0 ** ((midi - 69.0) / 12.0)
