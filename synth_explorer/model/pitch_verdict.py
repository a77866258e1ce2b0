"""What the networks of `pitch_doubt` say of one sound's cues, in numpy: a call of so small a network costs more.

Shapes: D cues, C channels of a layer.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

KINDS = ("note", "chord", "unpitched", "outside")
"""What a sound may be; "outside" is a note whose pitch the head has no class for."""

LEAST_SCALE = 1e-7  # Keras' epsilon, by which it standardises


class Part(NamedTuple):
    """One of the networks: what its cues [D] are standardised by, and the kernel and bias of each of its layers."""

    mean: np.ndarray
    variance: np.ndarray
    dense: list[tuple[np.ndarray, np.ndarray]]

    def logits(self, cues: np.ndarray) -> np.ndarray:
        """Of its cues [D]; earlier heads learned from the first of them alone."""
        scale = np.maximum(np.sqrt(self.variance), LEAST_SCALE)
        x = np.clip((cues[: len(self.mean)] - self.mean) / scale, -5.0, 5.0)
        for row, (kernel, bias) in enumerate(self.dense):
            x = x @ kernel + bias
            x = np.maximum(x, 0.0) if row < len(self.dense) - 1 else x
        return x


def verdict(kind: np.ndarray, right: np.ndarray, *, needed: float) -> tuple[str, np.ndarray, float]:
    """Logits of the kind and of the told pitch being right -> the kind ("note" unless another is at least `needed`
    likely), how likely each of KINDS is, and how likely the told pitch is right."""
    likely = np.exp(kind - kind.max())
    likely = likely / likely.sum()
    best = int(np.argmax(likely[1:])) + 1
    name = KINDS[best] if likely[best] >= needed else KINDS[0]
    return name, likely, float(1.0 / (1.0 + np.exp(-np.clip(right[0], -50.0, 50.0))))
