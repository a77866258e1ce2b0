"""What a fit goes by, in Keras and by automatic differentiation: what `plain.fit` is compared with.

Shapes: B notes, T = F * hop samples, F frames, C channels, D numbers of detail, K courses, N frames of the onset, P
points of the level in a frame.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from synth_explorer.model import synthesis
from synth_explorer.model.autoencoder import Autoencoder
from synth_explorer.model.descent import LOG_MEL_WEIGHT, scale_of
from synth_explorer.model.spectral import SpectralLoss


def slopes(model: Autoencoder) -> Callable[..., tuple[np.ndarray, ...]]:
    """A function of moved latents [B, F, C], detail [B, K, D], the onset's level [B, N, P], courses [F, K], z, pitch,
    audio [B, T] and the phases of both noises: the distance [B], and its slopes by the first three."""
    spectral, scale = SpectralLoss(model.config, mel=LOG_MEL_WEIGHT), scale_of(model.config)

    def loss(moved, detail, onset, over_time, z, pitch_hz, audio, *phases):
        level = ops.pad(onset, [[0, 0], [0, z.shape[1] - onset.shape[1]], [0, 0]])
        controls = model.decoder(z + moved * scale, pitch_hz, ops.matmul(over_time, detail), level)
        return spectral(audio, synthesis.render(controls, pitch_hz, *phases, model.decoder))

    return gradient(loss, by=3)


def gradient(call: Callable[..., Any], *, by: int = 1) -> Callable[..., tuple[np.ndarray, ...]]:
    """A function of float32 numpy arrays: value [...] of `call`, and the gradients of its sum by the first `by` arrays.

    Run as it is: building a graph of it takes longer than a few calls do.
    """
    import tensorflow as tf

    def all_of(*arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        given = [tf.constant(array) for array in arrays]
        with tf.GradientTape() as tape:
            tape.watch(given[:by])
            value = call(*given)
        return tuple(found.numpy() for found in (value, *tape.gradient(value, given[:by])))

    return all_of
