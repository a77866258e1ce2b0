"""Linear prediction from an envelope of bands, in keras.ops: the flat domain that the WaveNet works in.

A sound through `whiten` is as flat as its envelope is right, and of level one; `decode.wavenet.flat` has the way
back. Levinson's recursion as in Makhoul (1975); a fixed pre-emphasis goes before it, so that float32 suffices.

Shapes: B notes, J subframes, L samples of a subframe, T = J * L, M bands, P order.
"""

from __future__ import annotations

from keras import ops

from synth_explorer.model.bands import WHITE, correlations
from synth_explorer.model.wavenet_config import PRE_EMPHASIS


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
