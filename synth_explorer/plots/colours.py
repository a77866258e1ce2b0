"""Colours of pictures: the paper, the ink, and palettes between them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

PAPER, INK, GRID = "#15171b", "#e9e4d8", "#34383f"


@lru_cache(maxsize=64)
def palette(colour: str) -> np.ndarray:
    """uint8 [256, 3]: from the page's paper over a deep shade and `colour` itself to a near white."""
    paper, middle = (np.array(rgb(value), dtype=np.float64) for value in (PAPER, colour))
    deep = paper * 0.55 + middle * 0.30
    pale = middle * 0.25 + 255.0 * 0.75
    stops = np.stack([paper, deep, middle, pale])
    at = np.linspace(0.0, 1.0, 256)
    return np.stack([np.interp(at, [0.0, 0.4, 0.75, 1.0], stops[:, part]) for part in range(3)], axis=1).astype(
        np.uint8
    )


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue 0..255 of "#rrggbb"."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def mix_colour(colours: list[str], weights: list[float]) -> str:
    """Colour "#rrggbb" of a mix; weights below zero count as zero."""
    parts = np.maximum(np.asarray(weights, dtype=np.float64), 0.0)
    mixed = (parts / parts.sum()) @ np.array([rgb(colour) for colour in colours], dtype=np.float64)
    return "#" + "".join(f"{round(value):02x}" for value in mixed)
