"""What kind of sound was listened to, and how likely its pitch is right: two small networks on the pitch head's cues.

Shapes: B sounds, D cues to the kind, E cues to the pitch, S classes, C features, G bins of the spectrum.
"""

from __future__ import annotations

import keras
import numpy as np
from keras import layers, ops

from synth_explorer.model.pitch_verdict import KINDS as KINDS
from synth_explorer.model.pitch_verdict import Part, verdict

_DROPPED = 0.3


class PitchDoubt(keras.Model):
    """Cues [B, D] and [B, E] -> logits of the kind and of the told pitch being right: [B, len(KINDS) + 1]."""

    def __init__(self, width: int, *, cues: tuple[int, int], **kwargs) -> None:
        super().__init__(**kwargs)
        self.cues = cues
        self.standard = [layers.Normalization(name=name) for name in ("standard_kind", "standard_pitch")]
        self.drop = layers.Dropout(_DROPPED)
        self.kind_hidden = [layers.Dense(width, activation="relu"), layers.Dense(width // 2, activation="relu")]
        self.kind = layers.Dense(len(KINDS))
        self.right_hidden = [layers.Dense(width // 2, activation="relu"), layers.Dense(width // 4, activation="relu")]
        self.right = layers.Dense(1)
        self._matrices: list[Part] | None = None

    def _parts(self) -> list[tuple]:
        """For the kind and for the pitch: standardisation, hidden layers, last layer."""
        hidden, last = (self.kind_hidden, self.right_hidden), (self.kind, self.right)
        return list(zip(self.standard, hidden, last, strict=True))

    def build(self, input_shape=None) -> None:
        for size, (standard, hidden, last) in zip(self.cues, self._parts(), strict=True):
            standard.build((None, size))
            for layer in (*hidden, last):
                layer.build((None, size))
                size = layer.units
        self.built = True

    def call(self, inputs, training=False):
        parts = []
        for cue, (standard, hidden, last) in zip(inputs, self._parts(), strict=True):
            x = ops.clip(standard(cue), -5.0, 5.0)
            for layer in hidden:
                x = layer(self.drop(x, training=training))
            parts.append(last(x))
        return ops.concatenate(parts, axis=-1)

    def calibrate(self, *, kind: float, right: tuple[float, float]) -> None:
        """Fold a temperature of the kinds, and a slope and an offset of the pitch's logit, into the last layers."""
        for layer, slope, offset in ((self.kind, 1.0 / kind, 0.0), (self.right, *right)):
            kernel, bias = (ops.convert_to_numpy(each) for each in (layer.kernel, layer.bias))
            layer.set_weights([kernel * slope, bias * slope + np.float32(offset)])
        self._matrices = None

    def judge(self, kind: np.ndarray, right: np.ndarray, *, needed: float) -> tuple[str, np.ndarray, float]:
        """Of one sound's cues [D], [E]: its kind ("note" unless another is at least `needed` likely), how likely each
        of KINDS is, and how likely the told pitch is right."""
        if self._matrices is None:
            self._matrices = [
                Part(
                    ops.convert_to_numpy(standard.mean).reshape(-1),
                    ops.convert_to_numpy(standard.variance).reshape(-1),
                    [tuple(ops.convert_to_numpy(each) for each in (row.kernel, row.bias)) for row in (*hidden, last)],
                )
                for standard, hidden, last in self._parts()
            ]
        logits = [part.logits(cue) for part, cue in zip(self._matrices, (kind, right), strict=True)]
        return verdict(*logits, needed=needed)
