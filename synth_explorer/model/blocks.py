"""Building blocks shared by encoder and decoder.

Shapes: B notes, F frames, C channels.
"""

from __future__ import annotations

import keras
import numpy as np
from keras import layers, ops


class ResidualBlock(layers.Layer):
    """x + Dense(gelu(Conv(LayerNorm(x)))): [B, F, C] -> [B, F, C], not causal."""

    def __init__(self, width: int, *, kernel_size: int = 3, dilation: int = 1, **kwargs) -> None:
        super().__init__(**kwargs)
        self.width, self.kernel_size, self.dilation = width, kernel_size, dilation
        self.norm = layers.LayerNormalization(epsilon=1e-5, name="norm")
        self.conv = layers.Conv1D(
            width, kernel_size, dilation_rate=dilation, padding="same", activation="gelu", name="conv"
        )
        self.dense = layers.Dense(
            width, kernel_initializer=keras.initializers.VarianceScaling(0.2, seed=0), name="dense"
        )

    def build(self, input_shape) -> None:
        self.norm.build(input_shape)
        self.conv.build(input_shape)
        self.dense.build((*input_shape[:-1], self.width))

    def call(self, x):
        return x + self.dense(self.conv(self.norm(x)))

    def get_config(self) -> dict:
        return {**super().get_config(), "width": self.width, "kernel_size": self.kernel_size, "dilation": self.dilation}


def pitch_features(pitch_hz, *, count: int = 12):
    """[B, F] Hz -> [B, F, 2 * count + 1]: MIDI note over 64 and sines and cosines at octave-spaced periods.

    The periods go from 128 semitones down to 128 / 2^(count - 5): smooth in pitch, with no semitone grid.
    """
    midi = 69.0 + 12.0 * ops.log2(ops.maximum(pitch_hz, 8.0) / 440.0)
    periods = 192.0 / 2.0 ** (np.arange(count) * 0.5)
    angle = midi[..., None] * (2.0 * np.pi / periods).astype(np.float32)
    return ops.concatenate([midi[..., None] / 64.0 - 1.0, ops.sin(angle), ops.cos(angle)], axis=-1)
