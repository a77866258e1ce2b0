"""A small model for tests: every part of the default one, in a hundredth of the size."""

from __future__ import annotations

from functools import cache

from synth_explorer.model.autoencoder import Autoencoder
from synth_explorer.model.config import ModelConfig

SIZES = {
    "channels": 6,
    "hop": 256,
    "pre_roll_samples": 256,
    "mel_bands": 24,
    "short_mel_bands": 8,
    "harmonic_features": 12,
    "encoder_width": 16,
    "encoder_blocks": 1,
    "decoder_width": 16,
    "decoder_blocks": 1,
    "fine_width": 16,
    "fine_blocks": 1,
    "harmonics": 40,
    "harmonic_offsets": 20,
    "half_partials": 6,
    "envelope_bands": 16,
    "noise_bands": 16,
    "short_noise_bands": 8,
}


def small_config() -> ModelConfig:
    """Sizes of the small model."""
    return ModelConfig(**SIZES)


@cache
def _built(seed: int) -> Autoencoder:
    """One for each seed: Keras takes seconds to build it."""
    model = Autoencoder(small_config(), name="autoencoder")
    model.build_weights()
    return model


def small_model(seed: int = 0) -> Autoencoder:
    """The small model with random weights that depend on the seed alone, whichever the backend; one for each seed."""
    import numpy as np

    model = _built(seed)
    rng = np.random.default_rng(seed)
    model.set_weights(
        [
            (rng.standard_normal(w.shape) / np.sqrt(max(w.shape[0], 1)) * 0.5 + ("gamma" in v.path)).astype(np.float32)
            for v, w in zip(model.weights, model.get_weights(), strict=True)
        ]
    )
    return model
