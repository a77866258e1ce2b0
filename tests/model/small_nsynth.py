"""A tiny NSynth network for tests, and a checkpoint of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from synth_explorer.checkpoints import CheckpointInfo, save_nsynth
from synth_explorer.model.nsynth import NSynth
from synth_explorer.model.nsynth_config import NSynthConfig

TINY = NSynthConfig(
    hop=64, channels=4, pre_roll_samples=64, max_s=4.0, encoder_stages=3, encoder_layers=4, encoder_width=8,
    stages=3, layers=5, width=12, skip_width=10,
)  # fmt: skip
"""Every part, in a thousandth of the size."""


def small_nsynth(seed: int = 0) -> NSynth:
    """The tiny preset with random weights, and biases that are not zero."""
    model = NSynth(TINY, name="nsynth")
    model.build()
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        inputs = np.prod(weight.shape[:-1]) if len(weight.shape) > 1 else 25.0
        weight.assign((rng.standard_normal(weight.shape) / np.sqrt(inputs)).astype(np.float32))
    return model


def small_checkpoint(folder: Path, seed: int = 0) -> CheckpointInfo:
    """Save it."""
    return save_nsynth(small_nsynth(seed), folder, description="tiny", card="# Tiny\n")
