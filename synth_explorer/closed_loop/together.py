"""Knobs that move each other's goals, turned together: Broyden's method (1965), from what a calibration measured.

Shapes: K knobs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

LEAST_STEP = 1e-9  # squared: less teaches nothing


class Together:
    """How what is heard of knobs answers them all, [K, K], corrected by every trial."""

    def __init__(self, answers: np.ndarray) -> None:
        self._answers = answers
        self._last: tuple[np.ndarray, np.ndarray] | None = None

    def learn(self, values: np.ndarray, heard: np.ndarray) -> None:
        """What was heard [K] at values [K]; NaN teaches nothing."""
        if self._last is not None:
            moved, change = values - self._last[0], heard - self._last[1]
            size = float(moved @ moved)
            if size > LEAST_STEP and np.isfinite(change).all():
                self._answers = self._answers + np.outer(change - self._answers @ moved, moved) / size
        self._last = values, heard

    def step(self, missing: np.ndarray) -> np.ndarray:
        """By how much to turn each knob, so that what is missing [K] is heard; NaN is nothing missing."""
        return np.linalg.lstsq(self._answers, np.nan_to_num(missing), rcond=1e-3)[0]


def measured_answers(names: Sequence[str], measured: Mapping[str, Any]) -> np.ndarray:
    """[K, K]: what is heard of each name per unit of each other, by `Controls.measured`; 1 of itself."""
    found = np.eye(len(names))
    controls = measured.get("controls", {})
    for column, name in enumerate(names):
        side = controls.get(name, {}).get("side", {})
        for row, other in enumerate(names):
            if other != name:
                found[row, column] = side.get(other, {}).get("median", 0.0)
    return found
