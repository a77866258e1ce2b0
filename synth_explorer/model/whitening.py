"""Linear prediction from the fast decoder's sound: what is drawn in the flat domain comes out under the envelope.

As in LPCNet (Valin & Skoglund 2019, arXiv 1810.11846), but nothing has to be sent: the fast decoder's sound, known
before a WaveNet begins, has nearly the spectral envelope of the note. The error of a draw, and of the quantiser, is
then shaped like the note instead of being white, which would be heard as hiss between and above its partials.

Shapes: B notes, T samples, J blocks of `hop` samples, P order.
"""

from __future__ import annotations

import numpy as np
from numba import njit

WINDOW_HOPS = 8
WHITE_CORRECTION = 1e-7  # power added to lag 0: the envelope spans 70 dB
LAG_HZ = 20.0  # widens peaks, so that filters of partials ring out


def predictors(sound: np.ndarray, *, order: int, hop: int, sample_rate_hz: int) -> np.ndarray:
    """Sound [B, T] -> prediction coefficients [B, J, P], J = ceil(T / hop): x(t) is about -sum_k a_k x(t - k).

    By the autocorrelation method under a Hann window around each block, so every filter is stable.
    """
    batch, samples = sound.shape
    blocks, size = -(-samples // hop), WINDOW_HOPS * hop
    half = (size - hop) // 2
    padded = np.pad(np.asarray(sound, np.float64), ((0, 0), (half, half + blocks * hop - samples + size)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size, axis=1)[:, : blocks * hop : hop]
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * (np.arange(size) + 0.5) / size)
    power = np.abs(np.fft.rfft(frames * window, 2 * size, axis=-1)) ** 2
    lags = np.fft.irfft(power, axis=-1)[..., : order + 1]
    taper = np.exp(-0.5 * (2.0 * np.pi * LAG_HZ * np.arange(order + 1) / sample_rate_hz) ** 2)
    lags = lags * taper
    lags[..., 0] = lags[..., 0] * (1.0 + WHITE_CORRECTION) + 1e-12
    return levinson(lags.reshape(batch * blocks, order + 1)).reshape(batch, blocks, order)


def levinson(lags: np.ndarray) -> np.ndarray:
    """Autocorrelations [N, P + 1] -> prediction coefficients [N, P] (Levinson-Durbin)."""
    count, order = len(lags), lags.shape[1] - 1
    found, error = np.zeros((count, order)), lags[:, 0].copy()
    for i in range(order):
        reflection = -(lags[:, i + 1] + np.sum(found[:, :i] * lags[:, i:0:-1], axis=1)) / error
        found[:, :i] += reflection[:, None] * found[:, :i][:, ::-1].copy()
        found[:, i] = reflection
        error = error * (1.0 - reflection**2)
    return found


def whiten(sound: np.ndarray, coefficients: np.ndarray, *, hop: int) -> np.ndarray:
    """x(t) + sum_k a_k x(t - k), the coefficients of each block held: [B, T], [B, J, P] -> [B, T] float32."""
    samples = sound.shape[1]
    held = np.repeat(coefficients.astype(np.float32), hop, axis=1)[:, :samples]
    out = sound.astype(np.float32)
    for k in range(1, coefficients.shape[2] + 1):
        out[:, k:] += held[:, k:, k - 1] * sound[:, :-k]
    return out


class Colouring:
    """The inverse of `whiten` for one note, a chunk at a time."""

    def __init__(self, coefficients: np.ndarray, *, hop: int) -> None:
        self.coefficients = np.ascontiguousarray(coefficients, np.float64)  # [J, P]
        self.hop, self.time = hop, 0
        self.past = np.zeros(coefficients.shape[1])

    def __call__(self, white: np.ndarray) -> np.ndarray:
        """The next samples: [n] -> [n] float32."""
        out = np.empty(len(white), np.float32)
        self.past = _colour(np.asarray(white, np.float64), self.coefficients, self.hop, self.time, self.past, out)
        self.time += len(white)
        return out


@njit(nogil=True, cache=True)
def _colour(white, coefficients, hop, time, past, out):
    """y(t) = white(t) - sum_k a_k y(t - k); `past` holds y(t - 1), y(t - 2), ...; returns the next past."""
    order = coefficients.shape[1]
    kept = past.copy()
    for n in range(len(white)):
        row = min((time + n) // hop, len(coefficients) - 1)
        value = white[n]
        for k in range(order):
            value -= coefficients[row, k] * kept[k]
        for k in range(order - 1, 0, -1):
            kept[k] = kept[k - 1]
        if order > 0:
            kept[0] = value
        out[n] = value
    return kept
