"""Mel scale and triangular filters (HTK), as numpy arrays.

Shapes: M bands, N bins (`n_fft // 2 + 1`).
"""

from __future__ import annotations

import numpy as np

LOWEST_HEARD_HZ = 20.0
"""What lies below it is no sound to a listener."""


def hz_to_mel(frequency_hz: np.ndarray | float) -> np.ndarray:
    """HTK mel of a frequency in Hz: 2595 log10(1 + f / 700)."""
    return 2595.0 * np.log10(1.0 + np.asarray(frequency_hz, dtype=np.float64) / 700.0)


def mel_to_hz(mel: np.ndarray | float) -> np.ndarray:
    """Inverse of `hz_to_mel`."""
    return 700.0 * (10.0 ** (np.asarray(mel, dtype=np.float64) / 2595.0) - 1.0)


def mel_centres_hz(bands: int, *, low_hz: float, high_hz: float) -> np.ndarray:
    """[M] centres in Hz, evenly spaced in mel from `low_hz` to `high_hz`, both included."""
    return mel_to_hz(np.linspace(hz_to_mel(low_hz), hz_to_mel(high_hz), bands))


def mel_filters(bands: int, *, n_fft: int, sample_rate_hz: int, low_hz: float, high_hz: float) -> np.ndarray:
    """[N, M] triangular filters of height 1, their feet at the neighbours' centres (HTK)."""
    edges = mel_centres_hz(bands + 2, low_hz=low_hz, high_hz=high_hz)
    mels = hz_to_mel(edges)
    bins = hz_to_mel(np.arange(n_fft // 2 + 1) * (sample_rate_hz / n_fft))[:, None]
    rising = (bins - mels[:-2]) / (mels[1:-1] - mels[:-2])
    falling = (mels[2:] - bins) / (mels[2:] - mels[1:-1])
    return np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)


def interpolation_matrix(frequency_hz: np.ndarray, centres_hz: np.ndarray) -> np.ndarray:
    """[M, N] weights that interpolate values at `centres_hz` [M] linearly in mel at `frequency_hz` [N].

    Outside the centres the nearest one is held. `values @ matrix` gives the values at the frequencies.
    """
    position = np.interp(hz_to_mel(frequency_hz), hz_to_mel(centres_hz), np.arange(len(centres_hz)))
    low = np.minimum(position.astype(int), len(centres_hz) - 2)
    matrix = np.zeros((len(centres_hz), len(frequency_hz)))
    columns = np.arange(len(frequency_hz))
    matrix[low, columns] = 1.0 - (position - low)
    matrix[low + 1, columns] += position - low
    return matrix.astype(np.float32)


def k_weighting_power(frequency_hz: np.ndarray) -> np.ndarray:
    """Power gain of the K-weighting of ITU-R BS.1770-4 at `frequency_hz`.

    The two analogue prototypes (a high shelf of 4 dB at 1.68 kHz and a second-order high-pass at 38 Hz) are evaluated
    directly, so that the gain does not depend on the sample rate. Below 20 Hz the gain is held at its value at 20 Hz.
    """
    s = 1j * np.maximum(np.asarray(frequency_hz, dtype=np.float64), 20.0)
    f0, q, gain = 1681.974450955533, 0.7071752369554196, 10.0 ** (3.999843853973347 / 20.0)
    vb = gain**0.4996667741545416
    x = s / f0
    shelf = (gain * x**2 + vb / q * x + 1.0) / (x**2 + x / q + 1.0)
    x = s / 38.13547087602444
    high_pass = x**2 / (x**2 + x / 0.5003270373238773 + 1.0)
    return (np.abs(shelf * high_pass) ** 2).astype(np.float32)
