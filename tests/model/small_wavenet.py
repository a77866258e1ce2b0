"""A tiny WaveNet autoencoder for tests."""

from __future__ import annotations

from functools import cache

import numpy as np

from synth_explorer.model.wavenet import WaveNet
from synth_explorer.model.wavenet_config import WaveNetConfig
from tests.model import small

SIZES = small.SIZES | {
    "order": 6, "told_bands": 6, "told_width": 12, "context": 8, "around": 4, "turns": 2, "width": 12, "gates": 16,
    "head_width": 12, "dilations": [1, 2, 4],
}  # fmt: skip


@cache
def _built() -> tuple[WaveNet, list[np.ndarray]]:
    """One, for Keras takes seconds to build it, and the weights that it began with."""
    model = WaveNet(WaveNetConfig(**SIZES), name="wavenet")
    model.build_weights()
    return model, model.get_weights()


def small_wavenet(seed: int = 0) -> WaveNet:
    """With steps that leave nothing at zero; one model, whose weights are set anew."""
    model, first = _built()
    model.set_weights(first)
    rng = np.random.default_rng(seed)
    for weight in model.steps.weights:
        inputs = np.prod(weight.shape[:-1]) if len(weight.shape) > 1 else 25.0
        quiet = 0.1 if "straight" in weight.path else 1.0  # what it makes would grow, sample by sample
        weight.assign((quiet * rng.standard_normal(weight.shape) / np.sqrt(inputs)).astype(np.float32))
    return model
