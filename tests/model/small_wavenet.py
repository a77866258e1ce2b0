"""A tiny WaveNet autoencoder for tests."""

from __future__ import annotations

import numpy as np

from synth_explorer.model.wavenet import WaveNet
from synth_explorer.model.wavenet_config import WaveNetConfig

SIZES = {
    "channels": 5, "long_window": 256, "long_bands": 12, "short_window": 64, "short_bands": 6, "encoder_width": 12,
    "encoder_blocks": 1, "frame_width": 12, "frame_blocks": 1, "fine_width": 12, "fine_blocks": 1, "bands": 12,
    "order": 6, "width": 12, "gates": 16, "head_width": 12, "dilations": [1, 2, 4],
}  # fmt: skip


def small_wavenet(seed: int = 0) -> WaveNet:
    """With steps that leave nothing at zero."""
    model = WaveNet(WaveNetConfig(**SIZES), name="wavenet")
    model.build_weights()
    rng = np.random.default_rng(seed)
    for weight in model.steps.weights:
        inputs = np.prod(weight.shape[:-1]) if len(weight.shape) > 1 else 25.0
        weight.assign((rng.standard_normal(weight.shape) / np.sqrt(inputs)).astype(np.float32))
    return model
