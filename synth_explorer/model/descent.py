"""The descent of a fit, whatever computes its slopes: Adam on latents, detail and the level of the onset, with fresh
noise at every step.

Shapes: F frames, C channels, D numbers of detail, K courses, N frames of the onset, P points of the level in a frame;
any axes may stand before them.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from synth_explorer.model.config import ModelConfig

RATE = 0.2  # of the first step, in units of the learned channels
DETAIL_RATE = 0.13  # of the first step, in nepers
LEVEL_RATE = 0.05  # of the first step, in nepers
DETAIL_PULL = 0.003  # gradient toward zero per neper: what is not heard stays zero, since other pitches may sound it
COURSES = 9  # of a detail over time: one stands still
ONSET_S = 0.25  # of a note in which its level moves within the frames
FIRST_S = 0.08  # how long a note's first moments are, in which a detail moves fastest
ATTRIBUTE_RATES = 0.1, 0.3  # of loudness and brightness, relative to it: they were measured, so they are nearly right
FINAL = 0.2  # share of the rate at the last step
DECAYS = 0.6, 0.9  # of Adam's two averages
LOG_MEL_WEIGHT = 5.0
SEED_STREAM = 7  # the noise of the fit is not the noise of any decoding

Progress = Callable[[int, int], None]
Slopes = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, ...]]
"""Moved latents, detail, level of the onset and the phases of both noises -> slopes by the first three."""


def scale_of(config: ModelConfig) -> np.ndarray:
    """By how much each channel moves for one unit of the descent, [C]."""
    scale = np.ones(config.channels, np.float32)
    scale[:2] = ATTRIBUTE_RATES
    return scale


def onset_frames(frames: int, config: ModelConfig) -> int:
    """How many frames of a note are its onset, N."""
    return min(frames, math.ceil(ONSET_S * config.frame_rate_hz))


def courses(frames: int, config: ModelConfig) -> np.ndarray:
    """How a detail may move over a note that begins after the pre-roll: float32 [F, K].

    The first course stands still. The others are triangles that add up to it, narrow at the note's beginning and ever
    wider after it, in equal parts of log(1 + t / `FIRST_S`).
    """
    since_s = np.maximum(np.arange(frames) * config.hop - config.pre_roll_samples, 0) / config.sample_rate_hz
    place = np.log1p(since_s / FIRST_S)
    place /= max(place[-1], 1e-6)
    knots = np.linspace(0.0, 1.0, COURSES - 1)
    triangles = [np.interp(place, knots, one) for one in np.eye(COURSES - 1)]
    return np.stack([np.ones(frames), *triangles], axis=1).astype(np.float32)


def descend(
    slopes_of: Slopes, z: np.ndarray, *, config: ModelConfig, steps: int, progress: Progress | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """z [.., F, C] as the encoder said it -> z that is nearer to the sound, its detail [.., K, D] and the fine level of
    its onset [.., N, P], float32.

    No single draw of the noise is fitted. The same input gives the same latents.
    """
    *before, frames, _ = z.shape
    rng = np.random.default_rng(SEED_STREAM)
    shapes = z.shape, (*before, COURSES, config.details), (*before, onset_frames(frames, config), config.level_points)
    found: list[np.ndarray]
    means: list[np.ndarray]
    squares: list[np.ndarray]
    found, means, squares = ([np.zeros(shape, np.float32) for shape in shapes] for _ in range(3))
    for step in range(1, steps + 1):
        long = rng.random((*before, frames, config.hop + 1), dtype=np.float32)
        short = rng.random((*before, frames * config.subframes, config.subframe + 1), dtype=np.float32)
        slopes = [np.nan_to_num(slope) for slope in slopes_of(found[0], found[1], found[2], long, short)]
        slopes[1] = slopes[1] + DETAIL_PULL * found[1]
        part = 1.0 - (1.0 - FINAL) * (step - 1) / max(steps - 1, 1)
        for index, (rate, slope) in enumerate(zip((RATE, DETAIL_RATE, LEVEL_RATE), slopes, strict=True)):
            means[index] = DECAYS[0] * means[index] + (1.0 - DECAYS[0]) * slope
            squares[index] = DECAYS[1] * squares[index] + (1.0 - DECAYS[1]) * slope**2
            size = np.sqrt(squares[index] / (1.0 - DECAYS[1] ** step)) + 1e-8
            towards = means[index] / (1.0 - DECAYS[0] ** step) / size
            found[index] = (found[index] - rate * part * towards).astype(np.float32)
        if progress is not None:
            progress(step, steps)
    return z + found[0] * scale_of(config), found[1], found[2]
