"""The encoder: `model.encoder` in numpy.

Shapes: T samples, F frames, W width, C channels.
"""

from __future__ import annotations

import numpy as np

from synth_explorer.model.config import ModelConfig
from synth_explorer.plain.frontend import FrontEnd
from synth_explorer.plain.gelu import gelu
from synth_explorer.plain.layers import Dense, Down, Norm, Residual, Weights, pitch_features


class Encoder:
    """Audio [T], pitch [F] in Hz -> z [F, C], in two halves."""

    def __init__(self, config: ModelConfig, weights: Weights) -> None:
        self.config, self.front_end = config, FrontEnd(config)
        blocks = range(config.encoder_blocks)
        self._entry = Dense(weights, "encoder/entry")
        self._fine_blocks = [Residual(weights, f"encoder/fine_block_{i}") for i in blocks]
        self._down = Down(weights, "encoder/down", step=config.subframes)
        self._harmonic_entry, self._pitch_entry, self._join, self._exit = (
            Dense(weights, f"encoder/{name}") for name in ("harmonic_entry", "pitch_entry", "join", "exit")
        )
        self._blocks = [
            Residual(weights, f"encoder/block_{i}", dilation=2**i) for i in range(config.encoder_blocks + 1)
        ]
        self._norm = Norm(weights, "encoder/norm")

    def listen(self, audio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The half that needs no pitch, so that it can run while the pitch is sought: x [F, W], attributes [F, 2]."""
        mel, attributes = self.front_end.without_pitch(audio)
        x = gelu(self._entry(mel))
        for block in self._fine_blocks:
            x = block(x)
        return self._down(x), attributes

    def finish(self, x: np.ndarray, attributes: np.ndarray, audio: np.ndarray, pitch_hz: np.ndarray) -> np.ndarray:
        """What `listen` gave, the sound again and its pitch -> z [F, C]."""
        harmonic = gelu(self._harmonic_entry(self.front_end.harmonic_levels(audio, pitch_hz)))
        pitch = self._pitch_entry(pitch_features(pitch_hz))
        x = self._join(np.concatenate([x, harmonic, pitch], axis=1))
        for block in self._blocks:
            x = block(x)
        return np.concatenate([attributes, self._exit(self._norm(x))], axis=1)
