"""Latent channels: their names, how much each varies in a note, and how much of its spread over many notes that is.

Shapes: F frames, C channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from synth_explorer.edits import Controls
    from synth_explorer.latents import Latents

HEARD_RANGE_DB = 40.0
"""Frames whose loudness lies further under the loudest are not heard, as in `latents.time_mean`."""

STILL = 1e-9
"""A spread below this is none."""


@dataclass(frozen=True, eq=False)
class ChannelUse:
    """What the channels do in one note, over the frames that are heard; each float64 [C]."""

    mean: np.ndarray  # over time
    variance: np.ndarray  # over time
    use: np.ndarray  # standard deviation over time, over the channel's spread over many notes; NaN where that is 0
    place: np.ndarray  # mean less the mean over many notes, in spreads; NaN where that is 0


def channel_names(channels: int, controls: Controls) -> list[str]:
    """What each channel is called: the calibrated ones by what they are, the others by their number."""
    names = [str(index) for index in range(channels)]
    for name, control in (("loudness", controls.loudness), ("brightness", controls.brightness)):
        if control is not None and control.channel < channels:
            names[control.channel] = name
    return names


def heard_frames(z: np.ndarray, controls: Controls) -> np.ndarray:
    """Which frames [F] of z [F, C] are heard: within 40 dB of the loudest; all where no channel is loudness."""
    control = controls.loudness
    if control is None or control.channel >= z.shape[1]:
        return np.ones(len(z), dtype=bool)
    loudness_db = z[:, control.channel].astype(np.float64) / control.units_per_db
    return loudness_db >= loudness_db.max() - HEARD_RANGE_DB


def channel_use(latents: Latents, controls: Controls, *, centre: np.ndarray, spread: np.ndarray) -> ChannelUse:
    """Mean, variance and use of each channel.

    Args:
        controls: tell which channel is loudness.
        centre: [C], mean over many notes.
        spread: [C], standard deviation over many notes and their frames.
    """
    heard = latents.z[heard_frames(latents.z, controls)].astype(np.float64)
    mean, variance = heard.mean(axis=0), heard.var(axis=0)
    return ChannelUse(mean, variance, over(np.sqrt(variance), spread), over(mean - centre, spread))


def over(values: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Values in spreads, along the last axis; NaN where a spread is none."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(spread > STILL, np.asarray(values, dtype=np.float64) / spread, np.nan)
