"""Notes of known shape."""

from __future__ import annotations

import numpy as np

RATE_HZ = 16_000


def held_note(
    hz: float = 220.0,
    *,
    seconds: float = 2.5,
    rise_s: float = 0.03,
    fall_s: float = 0.4,
    vibrato_cents: float = 0.0,
    tremolo: float = 0.0,
    noise: float = 0.0,
    harmonics: int = 8,
    seed: int = 0,
) -> np.ndarray:
    """A note that rises, is held and dies away by 60 dB in `fall_s`, float32 [T]."""
    time_s = np.arange(round((seconds + fall_s) * RATE_HZ)) / RATE_HZ
    bent_hz = hz * 2 ** (vibrato_cents / 1200 * np.sin(2 * np.pi * 5.3 * time_s))
    phase = 2 * np.pi * np.cumsum(bent_hz) / RATE_HZ
    wave = sum(np.sin(k * phase + k) / k for k in range(1, harmonics + 1) if k * hz < 0.45 * RATE_HZ)
    wave = wave + noise * np.random.default_rng(seed).normal(size=time_s.size)
    level = np.minimum(time_s / rise_s, 1.0) * (1.0 + tremolo * np.sin(2 * np.pi * 4.1 * time_s))
    level *= 10.0 ** (-3.0 * np.maximum(time_s - seconds, 0.0) / fall_s)
    return (0.2 * wave * level).astype(np.float32)


def plucked_note(hz: float = 220.0, *, seconds: float = 2.0, fall_s: float = 1.0) -> np.ndarray:
    """A note that dies away by 60 dB in `fall_s` from its beginning, float32 [T]."""
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    wave = sum(np.sin(2 * np.pi * k * hz * time_s) / k for k in range(1, 9))
    return (0.2 * wave * np.minimum(time_s / 0.003, 1.0) * 10.0 ** (-3.0 * time_s / fall_s)).astype(np.float32)
