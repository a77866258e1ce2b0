"""The waves of oscillations: their shapes, and what a decoder that interpolates between frames leaves of them.

Shapes: F frames.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from synth_explorer.errors import EditError

Shape = Literal["sine", "triangle", "square", "ramp", "walk"]
SHAPES: tuple[str, ...] = ("sine", "triangle", "square", "ramp", "walk")

FUNDAMENTAL = {"sine": 1.0, "triangle": 8 / math.pi**2, "square": 4 / math.pi, "ramp": 2 / math.pi}
"""Amplitude of the fundamental of each periodic shape of peak deviation 1."""

COMPENSATE_INTERPOLATION = True
"""Whether oscillations make up for what linear interpolation between frames takes from them (see `wave`)."""

HELD_WINDOW_FRAMES = 2.0
"""Length of the Hann window over which a decoder that holds the loudness of each frame reads it."""

WALK_PARTIALS = 64
WALK_SPREAD = 0.6563
"""A walk is tanh of this times a Gaussian of variance 1, which has an RMS of 0.5."""


def interpolated(turns: float) -> float:
    """What linear interpolation between frames leaves of a sine of `turns` periods a frame, at its own rate."""
    return float(np.sinc(turns) ** 2)


def held(turns: float) -> float:
    """What is left of a loudness sine of `turns` periods a frame by a decoder that holds the loudness of each frame.

    The decoder interpolates linearly (S), reads the mean square of every frame through its squared Hann window (W),
    and adds, interpolated, what is missing: S (2 - sum_k W S at turns + k), the images at k = -1, 1 counting too.
    """
    time = (np.arange(400) + 0.5) / 400 * HELD_WINDOW_FRAMES - HELD_WINDOW_FRAMES / 2
    weight = np.cos(np.pi * time / HELD_WINDOW_FRAMES) ** 4
    read = [
        interpolated(turns + image) * np.average(np.cos(2 * np.pi * (turns + image) * time), weights=weight)
        for image in (-1, 0, 1)
    ]
    return float(interpolated(turns) * (2 - sum(read)))


def wave(
    frames: int,
    *,
    frame_rate_hz: float,
    rate_hz: float,
    shape: str = "sine",
    phase_turns: float = 0.0,
    fade_in_s: float = 0.0,
    kept: float | None = None,
    seed: int = 0,
) -> np.ndarray:
    """An oscillation of peak deviation 1, one value per frame, for a decoder that interpolates linearly.

    Frame f stands for time f / frame_rate_hz. Linear interpolation between samples of a sine gives back, at its own
    rate, only sinc(rate / frame_rate)^2 of its amplitude (the triangle kernel's spectrum): 0.92 at 5 Hz and 0.60 at
    12 Hz of 31.25 frames a second. So the fundamental is raised by as much, which is why values exceed 1; what is
    heard at `rate_hz` then has the depth asked for. At half the frame rate a sine is caught only at cosine phases.

    Args:
        shape: sine, triangle (both start at 0, rising), square (starts at +1), ramp (rises from -1 to 1), or walk: a
            smooth random walk between -1 and 1 with an RMS of 0.5, whose power spectrum is flat up to `rate_hz` and
            falls as its fourth power above it (1 / (1 + (f / rate_hz)^4), up to half the frame rate).
        phase_turns: where in its period it starts, in turns.
        fade_in_s: time over which it grows linearly from nothing.
        seed: of a walk; the same seed gives the same walk, a longer one begins like a shorter one.
        kept: proportion of the fundamental that the decoder gives back; None: `interpolated`, see above.

    Returns float64 [F].
    """
    time_s = np.arange(frames) / frame_rate_hz
    turns = rate_hz * time_s + phase_turns
    sine = np.sin(2 * np.pi * turns)
    part = np.mod(turns, 1.0)
    if shape == "sine":
        values, fundamental = sine, sine
    elif shape == "triangle":
        values, fundamental = 1 - 4 * np.abs(np.mod(part + 0.25, 1.0) - 0.5), sine
    elif shape == "square":
        values, fundamental = np.where(part < 0.5, 1.0, -1.0), sine
    elif shape == "ramp":
        values, fundamental = 2 * part - 1, -sine
    elif shape == "walk":
        return _faded(_walk(turns / rate_hz, rate_hz, frame_rate_hz / 2, seed), time_s, fade_in_s)
    else:
        raise EditError(f"shape={shape!r} must be one of {', '.join(SHAPES)}.")
    if COMPENSATE_INTERPOLATION:
        kept = interpolated(rate_hz / frame_rate_hz) if kept is None else kept
        values = values + (1 / kept - 1) * FUNDAMENTAL[shape] * fundamental
    return _faded(values, time_s, fade_in_s)


def _faded(values: np.ndarray, time_s: np.ndarray, fade_in_s: float) -> np.ndarray:
    """Values that grow linearly from nothing."""
    return values * np.minimum(time_s / fade_in_s, 1.0) if fade_in_s > 0 else values


def _walk(time_s: np.ndarray, rate_hz: float, highest_hz: float, seed: int) -> np.ndarray:
    """A random walk of the spectrum that `wave` states: many cosines of random phase, each of equal power."""
    rng = np.random.default_rng(seed)
    grid_hz = np.linspace(0.0, highest_hz, 4096)
    power = np.cumsum(1.0 / (1.0 + (grid_hz / rate_hz) ** 4))
    parts = (np.arange(WALK_PARTIALS) + rng.random(WALK_PARTIALS)) / WALK_PARTIALS
    rates_hz = np.interp(parts, power / power[-1], grid_hz)
    phase = rng.random(WALK_PARTIALS)
    cosines = np.cos(2 * np.pi * (rates_hz * time_s[:, None] + phase))
    return np.tanh(WALK_SPREAD * math.sqrt(2.0 / WALK_PARTIALS) * cosines.sum(axis=1))
