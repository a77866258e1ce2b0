"""Small functions of numbers over time, with the way back through each.

Shapes: F frames, J = subframes * F, M bands, N bins.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from synth_explorer.mel import k_weighting_power


def upsample(x: np.ndarray, factor: int) -> np.ndarray:
    """[F, ..] -> [F * factor, ..], linear between frames, the last frame held."""
    following = np.concatenate([x[1:], x[-1:]])
    ramp = (np.arange(factor, dtype=np.float32) / factor).reshape(1, -1, *(1 for _ in x.shape[1:]))
    return (x[:, None] + (following - x)[:, None] * ramp).reshape(-1, *x.shape[1:])


def upsample_back(slope: np.ndarray, factor: int) -> np.ndarray:
    """Slope by what `upsample` gave [F * factor, ..] -> slope by [F, ..]."""
    slope = slope.reshape(-1, factor, *slope.shape[1:])
    ramp = np.arange(factor, dtype=np.float32) / factor
    there = np.tensordot(slope, ramp, axes=(1, 0))
    here = slope.sum(axis=1) - there
    here[1:] += there[:-1]
    here[-1] += there[-1]
    return here


def pool(x: np.ndarray, subframes: int) -> np.ndarray:
    """Mean of the subframes around each frame's centre: [J, ..] -> [F, ..]."""
    half = subframes // 2
    shifted = np.concatenate([np.repeat(x[:1], half, axis=0), x[:-half]])
    return shifted.reshape(-1, subframes, *x.shape[1:]).mean(axis=1)


def pool_back(slope: np.ndarray, subframes: int) -> np.ndarray:
    """Slope by what `pool` gave [F, ..] -> slope by [J, ..]."""
    half = subframes // 2
    spread = np.repeat(slope / np.float32(subframes), subframes, axis=0)
    out = np.concatenate([spread[half:], np.zeros_like(spread[:half])])
    out[0] += spread[:half].sum(axis=0)
    return out


def split(x: np.ndarray, sizes: tuple[int, ...]) -> list[np.ndarray]:
    """The last axis in parts of the given sizes."""
    return [x[..., a:b] for a, b in pairwise(np.cumsum((0, *sizes)).tolist())]


def power_form(matrix: np.ndarray, *, sample_rate_hz: int) -> np.ndarray:
    """Q [M, M], so that m Q m is the K-weighted mean square of noise with magnitudes m in bands.

    The matrix [M, N] takes bands to bins; see `model.fast_decoder.FastDecoder._noise_power`.
    """
    wide = matrix.astype(np.float64)
    weight = k_weighting_power(np.linspace(0.0, sample_rate_hz / 2, matrix.shape[1])) / (matrix.shape[1] - 1)
    return ((wide * weight) @ wide.T).astype(np.float32)


def k_weighting(frequency_hz: np.ndarray) -> np.ndarray:
    """K-weighting power gain at frequencies of any shape (see `mel.k_weighting_power`), in float32."""
    gain = 10.0 ** (3.999843853973347 / 20.0)
    vb, q = gain**0.4996667741545416 / 0.7071752369554196, 1.0 / 0.7071752369554196**2
    square = np.square(np.maximum(frequency_hz, np.float32(20.0)))
    x2 = square * np.float32(1.0 / 1681.974450955533**2)
    shelf = np.square(1.0 - np.float32(gain) * x2) + np.float32(vb**2) * x2
    shelf /= np.square(1.0 - x2) + np.float32(q) * x2
    y2 = square * np.float32(1.0 / 38.13547087602444**2)
    high_pass = np.square(y2)
    high_pass /= np.square(1.0 - y2) + np.float32(1.0 / 0.5003270373238773**2) * y2
    return shelf * high_pass
