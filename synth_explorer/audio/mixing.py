"""From the channels of a recording to the one that is heard, with a sentence where something would be lost.

Shapes: T samples, N channels.
"""

from __future__ import annotations

import numpy as np

from synth_explorer.audio.hearing import audible

NAMES = {
    1: ("mono",),
    2: ("left", "right"),
    4: ("front left", "front right", "rear left", "rear right"),
    6: ("front left", "front right", "centre", "bass", "rear left", "rear right"),
}
DEAD_DB = 40.0
"""A channel so far under the loudest is no part of the recording: it is left out of the mean."""

SAID_DB = 1.5
"""What a mean may lose without a word."""

CANCELS_DB = 5.0
"""A mean that loses more than this is not taken: the loudest channel is."""


def to_mono(samples: np.ndarray, *, rate_hz: int) -> tuple[np.ndarray, str]:
    """One channel of the many in `samples` [T, N]: the mean of those that are live, or the loudest alone.

    What a mean loses is told by powers: uncorrelated channels lose 3 dB, channels against each other all.

    Returns float32 [T], and a sentence about what was left out or lost, "" where nothing was.
    """
    samples = np.asarray(samples, np.float32)
    if samples.shape[1] == 1:
        return np.ascontiguousarray(samples[:, 0]), ""
    heard = np.stack([audible(channel, sample_rate_hz=rate_hz) for channel in samples.T], axis=1)
    power = np.mean(np.square(heard, dtype=np.float64), axis=0)
    loudest = int(np.argmax(power))
    live = power > power[loudest] * 10 ** (-DEAD_DB / 10)
    if not power[loudest] > 0.0:
        return samples.mean(axis=1, dtype=np.float64).astype(np.float32), ""
    count = samples.shape[1]
    if live.sum() == 1:
        return np.ascontiguousarray(
            samples[:, loudest]
        ), f"has sound in one of its {count} channels, the {_name(loudest, count)} one, which is used alone"
    mean = samples[:, live].mean(axis=1, dtype=np.float64)
    kept = float(np.mean(np.square(heard[:, live].mean(axis=1, dtype=np.float64))))
    lost_db = 10.0 * np.log10(power[live].mean() / max(kept, 1e-30))
    if lost_db > CANCELS_DB:
        lost = f"{_db(lost_db)} in their mean"
        said = f"has channels that cancel each other ({lost}): the {_name(loudest, count)} one is used alone"
        return np.ascontiguousarray(samples[:, loudest]), said
    dead = f"; {count - int(live.sum())} of {count} are silent and left out" if not live.all() else ""
    said = f"loses {_db(lost_db)} in the mean of its {int(live.sum())} channels{dead}" if lost_db > SAID_DB else ""
    return mean.astype(np.float32), said


def _db(lost_db: float) -> str:
    return f"{lost_db:.1f} dB" if lost_db < 90.0 else "all"


def _name(channel: int, count: int) -> str:
    """A channel in words."""
    if count in NAMES:
        return NAMES[count][channel]
    return ("first", "second", "third")[channel] if channel < 3 else f"{channel + 1}th"
