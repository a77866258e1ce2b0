"""Heat maps of numbers around nothing: above in one colour, below in another, transparent at 0, so that they lie well
on a light and on a dark page.

Shapes: F frames, C channels.
"""

from __future__ import annotations

import numpy as np

from synth_explorer.plots.colours import rgb
from synth_explorer.plots.spectrogram import indexed_png

ABOVE, BELOW = "#e08a00", "#3b7fd9"
STEPS = 127


def heat_map_png(values: np.ndarray, *, limit: float) -> bytes:
    """Values as a PNG of one pixel a frame and channel.

    `values`: [F, C]; the first channel is the top row. NaN is transparent. `limit`: where a colour is full; above 0.
    """
    if not limit > 0:
        raise ValueError(f"limit={limit} must be positive.")
    part = np.nan_to_num(np.clip(np.asarray(values, dtype=np.float64) / limit, -1.0, 1.0))
    index = (np.rint(part * STEPS) + STEPS).astype(np.uint8).T
    size = 2 * STEPS + 1
    colours = np.where(np.arange(size)[:, None] < STEPS, rgb(BELOW), rgb(ABOVE)).astype(np.uint8)
    alpha = np.rint(255.0 * np.abs(np.arange(size) - STEPS) / STEPS).astype(np.uint8)
    return indexed_png(index, colours, alpha=alpha, compress_level=9)
