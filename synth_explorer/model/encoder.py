"""Encoder: features of a note -> latents [B, F, C], two attribute channels and the learned ones.

Shapes: B notes, F frames, J = subframes * F, C channels.
"""

from __future__ import annotations

import keras
from keras import layers, ops

from synth_explorer.model.blocks import ResidualBlock, pitch_features
from synth_explorer.model.config import ModelConfig
from synth_explorer.model.frontend import FrontEnd


class Encoder(keras.Model):
    """Convolutional encoder: audio [B, T], pitch [B, F] in Hz -> z [B, F, C].

    Channels 0 and 1 are the measured loudness and brightness (`FrontEnd.attributes`); the learned channels are free to
    carry whatever else the decoder needs. They see the pitch, so that they need not carry it.
    """

    def __init__(self, config: ModelConfig, **kwargs) -> None:
        super().__init__(**kwargs)
        self.config = config
        width = config.encoder_width
        self.front_end = FrontEnd(config, name="front_end")
        self.entry = layers.Dense(width, activation="gelu", name="entry")
        self.fine_blocks = [
            ResidualBlock(width, kernel_size=5, name=f"fine_block_{i}") for i in range(config.encoder_blocks)
        ]
        self.down = layers.Conv1D(width, 2 * config.subframes, strides=config.subframes, padding="valid", name="down")
        self.harmonic_entry = layers.Dense(width, activation="gelu", name="harmonic_entry")
        self.pitch_entry = layers.Dense(width, name="pitch_entry")
        self.join = layers.Dense(width, name="join")
        self.blocks = [ResidualBlock(width, dilation=2**i, name=f"block_{i}") for i in range(config.encoder_blocks + 1)]
        self.norm = layers.LayerNormalization(epsilon=1e-5, name="norm")
        self.exit = layers.Dense(config.learned, name="exit")

    def call(self, audio, pitch_hz):
        return self.finish(*self.listen(audio), audio, pitch_hz)

    def listen(self, audio):
        """The half that needs no pitch, so that it can run while the pitch is sought: x [B, F, W], attributes."""
        features = self.front_end.without_pitch(audio)
        x = self.entry(features["mel"])
        for block in self.fine_blocks:
            x = block(x)
        ahead, frames = self.config.subframes, ops.shape(features["attributes"])[1]
        x = self.down(ops.pad(x, [[0, 0], [ahead - 1, ahead + 1], [0, 0]]))[:, :frames]
        return x, features["attributes"]

    def finish(self, x, attributes, audio, pitch_hz):
        """What `listen` gave, the sound again and its pitch -> z [B, F, C]."""
        harmonic = self.harmonic_entry(self.front_end.harmonic_levels(audio, pitch_hz))
        pitch = self.pitch_entry(pitch_features(pitch_hz))
        x = self.join(ops.concatenate([x, harmonic, pitch], axis=-1))
        for block in self.blocks:
            x = block(x)
        learned = self.exit(self.norm(x))
        return ops.concatenate([attributes, learned], axis=-1)
