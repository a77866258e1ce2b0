"""What the engine of the WaveNet that is trained here makes a note from; `plain.wavenet` finds it.

Shapes: S points, T samples, P order, W numbers that are told.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

PRE_EMPHASIS = 0.9  # before linear prediction


class Prediction(NamedTuple):
    """y_t = sum_j a_j y_{t-j} + level * e_t, y the emphasised sound: coefficients [S, P] and level [S]."""

    coefficients: np.ndarray
    level: np.ndarray


class Given(NamedTuple):
    """What a note is made from: what is told [S, W], the prediction, source and cycles of the pitch [T]."""

    told: np.ndarray
    prediction: Prediction
    source: np.ndarray
    cycles: np.ndarray
