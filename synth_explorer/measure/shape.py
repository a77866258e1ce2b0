"""The shape of a sound's spectrum: how wide it is, and its odd partials against its even ones.

Shapes: T samples, N bins.
"""

from __future__ import annotations

import numpy as np

from synth_explorer.measure.distance import RATE_HZ, at_band_rate, stft_magnitudes

HEARD_RANGE_DB = 35.0
N_FFT, HOP = 1024, 256  # at 16 kHz; as long in seconds at 48 kHz


def spread_octaves(audio: np.ndarray, *, sample_rate_hz: int) -> float:
    """log2 of the standard deviation of the spectrum of a sound [T] about its centroid, in Hz; NaN for silence."""
    magnitude, width_hz = _magnitudes(audio, sample_rate_hz=sample_rate_hz)
    hz, total = np.arange(magnitude.size) * width_hz, magnitude.sum()
    if total <= 1e-9:
        return float("nan")
    centroid = magnitude @ hz / total
    return float(0.5 * np.log2(max(magnitude @ (hz - centroid) ** 2 / total, 1.0)))


def hollowness_db(audio: np.ndarray, *, sample_rate_hz: int, pitch_hz: float) -> float:
    """Power of partials 3, 5, 7 of a sound [T] over that of 2, 4, 6 in dB; NaN where they can't be told: in silence,
    and where they lie nearer to each other than four bins or beyond the band."""
    magnitude, width_hz = _magnitudes(audio, sample_rate_hz=sample_rate_hz)
    if not 4.0 * width_hz <= pitch_hz <= 7800.0 / 7.0 or not magnitude.any():
        return float("nan")
    at = np.round(np.arange(2, 8) * pitch_hz / width_hz).astype(int)
    power = [np.sum(magnitude[max(place - 2, 0) : place + 3] ** 2) for place in at]
    return float(10.0 * np.log10(max(sum(power[1::2]), 1e-12) / max(sum(power[::2]), 1e-12)))


def _magnitudes(audio: np.ndarray, *, sample_rate_hz: int) -> tuple[np.ndarray, float]:
    """Mean power spectrum [N] of the frames that are heard, as magnitudes, and the width of its bins in Hz."""
    audio, widening = at_band_rate(audio, sample_rate_hz=sample_rate_hz)
    power = stft_magnitudes(audio, n_fft=widening * N_FFT, hop=widening * HOP).astype(np.float64) ** 2
    total = power.sum(axis=1)
    heard = power[total >= total.max() * 10.0 ** (-HEARD_RANGE_DB / 10.0)]
    return np.sqrt(heard.mean(axis=0)), RATE_HZ / N_FFT
