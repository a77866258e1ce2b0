"""Linear prediction from an envelope of bands, in keras.ops: the flat domain that the WaveNet works in.

A sound through `whiten` is as flat as its envelope is right, and of level one; `decode.wavenet.flat` has the way
back. Levinson's recursion as in Makhoul (1975); a fixed pre-emphasis goes before it, so that float32 suffices.

Shapes: B notes, J subframes, L samples of a subframe, T = J * L, M bands, P order.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from keras import ops

from synth_explorer.mel import interpolation_matrix, mel_centres_hz
from synth_explorer.model.wavenet_config import PRE_EMPHASIS

WHITE = 1e-5  # added to the autocorrelation at lag 0, over it
BINS = 1024
LOW_HZ = 20.0


@lru_cache(maxsize=8)
def band_shapes(bands: int, sample_rate_hz: int) -> tuple[np.ndarray, np.ndarray]:
    """Hz of `BINS` + 1 frequencies up to half the rate, and the bands' shares in each, [M, N]; they sum to one."""
    bins_hz = np.linspace(0.0, sample_rate_hz / 2, BINS + 1)
    return bins_hz, interpolation_matrix(bins_hz, envelope_hz(bands, sample_rate_hz))


def envelope_hz(bands: int, sample_rate_hz: int) -> np.ndarray:
    """Centres of the bands, [M]."""
    return mel_centres_hz(bands, low_hz=LOW_HZ, high_hz=sample_rate_hz / 2)


@lru_cache(maxsize=8)
def correlations(bands: int, order: int, sample_rate_hz: int) -> np.ndarray:
    """[M, P + 1]: what a band's power gives to the autocorrelation of the emphasised sound."""
    bins_hz, shapes = band_shapes(bands, sample_rate_hz)
    angle = 2.0 * np.pi * bins_hz / sample_rate_hz
    emphasis = np.abs(1.0 - PRE_EMPHASIS * np.exp(-1j * angle)) ** 2
    width = np.full(len(angle), 1.0 / BINS)
    width[[0, -1]] *= 0.5
    return ((shapes * emphasis * width) @ np.cos(np.outer(angle, np.arange(order + 1)))).astype(np.float32)


def predictor(power, *, order: int, sample_rate_hz: int):
    """Band powers [.., M] -> coefficients [.., P] and level [..] of the linear prediction.

    A power is the mean square that white noise of the band's density has. y_t = sum_j a_j y_{t-j} + level * e_t, with
    y the emphasised sound.
    """
    r = ops.matmul(power, correlations(power.shape[-1], order, sample_rate_hz))
    error = r[..., 0] * (1.0 + WHITE)
    a = ops.zeros_like(r[..., :0])
    for i in range(1, order + 1):
        reflection = (r[..., i] - ops.sum(a * ops.flip(r[..., 1:i], axis=-1), axis=-1)) / error
        a = ops.concatenate([a - reflection[..., None] * ops.flip(a, axis=-1), reflection[..., None]], axis=-1)
        error = error * (1.0 - reflection * reflection)
    return a, ops.sqrt(error)


def whiten(audio, coefficients, level):
    """Sound [B, T] -> its prediction's error over `level`, [B, T]; silence before it."""
    order, subframes = coefficients.shape[-1], ops.shape(level)[1]
    padded = ops.pad(audio, [[0, 0], [order + 1, 0]])
    emphasised = padded[:, 1:] - PRE_EMPHASIS * padded[:, :-1]
    samples = ops.shape(audio)[1]

    def rows(x):
        return ops.reshape(x, (-1, subframes, samples // subframes))

    error = rows(emphasised[:, order:])
    for j in range(1, order + 1):
        error = error - coefficients[..., j - 1, None] * rows(emphasised[:, order - j : order - j + samples])
    return ops.reshape(error / level[..., None], (-1, samples))
