"""A second-order Butterworth high-pass, without `scipy.signal`, whose import takes longer than reading a note.

Shapes: T samples, N samples of the impulse response.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from scipy.fft import irfft, rfft

DECAY = 36.0  # nepers that the response has died away by when it is cut: 2e-16


def high_pass(audio: np.ndarray, *, cutoff_hz: float, sample_rate_hz: int) -> np.ndarray:
    """[T] -> [T] float64, -3 dB at the cutoff; equal to `scipy.signal.sosfilt` of `butter(2, .., "high")`.

    By blocks that stay in the cache (overlap-save).
    """
    spectrum, before, size = _blocks(cutoff_hz, sample_rate_hz)
    step = size - before
    count = max(1, -(-len(audio) // step))
    padded = np.zeros(before + count * step)
    padded[before : before + len(audio)] = audio
    blocks = np.lib.stride_tricks.sliding_window_view(padded, size)[::step]
    return irfft(rfft(blocks) * spectrum, size)[:, before:].reshape(-1)[: len(audio)]


@lru_cache(8)
def _blocks(cutoff_hz: float, sample_rate_hz: int) -> tuple[np.ndarray, int, int]:
    """The response's transform, how many samples a block repeats of the one before, and the size of a block."""
    response = _response(cutoff_hz, sample_rate_hz)
    size = 4 << (len(response) - 1).bit_length()
    return rfft(response, size), len(response) - 1, size


def _response(cutoff_hz: float, sample_rate_hz: int) -> np.ndarray:
    """Impulse response [N] by the bilinear transform, the cutoff prewarped."""
    warped = math.tan(math.pi * cutoff_hz / sample_rate_hz)
    gain = 1.0 / (1.0 + math.sqrt(2.0) * warped + warped**2)
    first, second = 2.0 * gain * (warped**2 - 1.0), gain * (1.0 - math.sqrt(2.0) * warped + warped**2)
    count = math.ceil(-2.0 * DECAY / math.log(second)) + 3  # the poles' radius is the root of `second`
    given, out = [gain, -2.0 * gain, gain] + [0.0] * count, [0.0, 0.0]
    for x in given[:count]:
        out.append(x - first * out[-1] - second * out[-2])
    return np.asarray(out[2:])
