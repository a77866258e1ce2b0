"""The fast decoder's network: `model.fast_decoder.FastDecoder.network` in numpy.

Shapes: F frames, J = subframes * F, C channels, M bands of the noise, N numbers of a subframe.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from synth_explorer.model.config import ModelConfig
from synth_explorer.plain.layers import Dense, Norm, Residual, Weights, pitch_features

TWO = np.float32(2.0)


class DecoderNetwork:
    """Learned channels of z [F, C] and pitch [F] in Hz -> what `controls` is told: [F, M + 1] and [J, N]."""

    def __init__(self, config: ModelConfig, weights: Weights) -> None:
        self.config = config
        self._entry, self._expand, self._frame_head, self._fine_head = (
            Dense(weights, f"fast_decoder/{name}") for name in ("entry", "expand", "frame_head", "fine_head")
        )
        self._blocks = [
            Residual(weights, f"fast_decoder/block_{i}", dilation=2 ** (i % 4)) for i in range(config.decoder_blocks)
        ]
        self._fine_blocks = [Residual(weights, f"fast_decoder/fine_block_{i}") for i in range(config.fine_blocks)]
        self._norm, self._fine_norm = Norm(weights, "fast_decoder/norm"), Norm(weights, "fast_decoder/fine_norm")

    def __call__(self, z: np.ndarray, pitch_hz: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x = self._entry(np.concatenate([z[:, 2:], pitch_features(pitch_hz)], axis=1))
        for block in self._blocks:
            x = block(x)
        fine = self._expand(x).reshape(-1, self.config.fine_width)
        for block in self._fine_blocks:
            fine = block(fine)
        return self._frame_head(self._norm(x)), self._fine_head(self._fine_norm(fine)) * TWO

    def traced(
        self, z: np.ndarray, pitch_hz: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, Callable[[np.ndarray, np.ndarray], np.ndarray]]:
        """Both outputs, and the way from slopes by them to the slope by the learned channels [F, C - 2]."""
        learned = z.shape[1] - 2
        x, backs, fine_backs = self._entry(np.concatenate([z[:, 2:], pitch_features(pitch_hz)], axis=1)), [], []
        for block in self._blocks:
            x, back = block.traced(x)
            backs.append(back)
        fine = self._expand(x).reshape(-1, self.config.fine_width)
        for block in self._fine_blocks:
            fine, back = block.traced(fine)
            fine_backs.append(back)
        normed, norm_back = self._norm.traced(x)
        fine_normed, fine_norm_back = self._fine_norm.traced(fine)

        def to_z(of_frame: np.ndarray, of_fine: np.ndarray) -> np.ndarray:
            slope = fine_norm_back(self._fine_head.back(of_fine * TWO))
            for back in reversed(fine_backs):
                slope = back(slope)
            slope = self._expand.back(slope.reshape(len(x), -1)) + norm_back(self._frame_head.back(of_frame))
            for back in reversed(backs):
                slope = back(slope)
            return self._entry.back(slope)[:, :learned]

        return self._frame_head(normed), self._fine_head(fine_normed) * TWO, to_z
