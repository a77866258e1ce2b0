"""The fit by automatic differentiation in Keras: what `plain.fit` is compared with.

Shapes: B notes, T = F * hop samples, F frames, C channels, D numbers of detail, K courses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from synth_explorer.model import synthesis
from synth_explorer.model.autoencoder import Autoencoder
from synth_explorer.model.descent import LOG_MEL_WEIGHT, courses, descend, scale_of
from synth_explorer.model.spectral import SpectralLoss


class Fit:
    """Betters the latents of one model. Safe to call from several threads."""

    def __init__(self, model: Autoencoder) -> None:
        self.config = model.config
        spectral = SpectralLoss(model.config, mel=LOG_MEL_WEIGHT)
        scale = scale_of(model.config)

        def loss(moved, detail, over_time, z, pitch_hz, audio, noise_phase, short_phase):
            z = z + moved * scale
            controls = model.decoder(z, pitch_hz, ops.matmul(over_time, detail))
            return spectral(audio, synthesis.render(controls, pitch_hz, noise_phase, short_phase, model.decoder))

        self._gradient = gradient(loss, by=2)

    def __call__(
        self,
        z: np.ndarray,
        pitch_hz: np.ndarray,
        audio: np.ndarray,
        *,
        steps: int,
        progress: Callable[[int, int], None] | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Latents nearer to the sound.

        Adam with fresh noise at every step, so that no single draw of the noise is fitted. The same input gives the
        same latents.

        Args:
            z: [B, F, C], what the encoder said.
            audio: [B, T], what was encoded.
            steps: of the descent; 0 gives `z` back, and zeros.

        Returns z [B, F, C] and detail [B, F, D], float32.
        """

        over_time = courses(z.shape[1], self.config)

        def slopes_of(
            moved: np.ndarray, detail: np.ndarray, long: np.ndarray, short: np.ndarray
        ) -> tuple[np.ndarray, np.ndarray]:
            _, by_moved, by_detail = self._gradient(moved, detail, over_time, z, pitch_hz, audio, long, short)
            return by_moved, by_detail

        z, detail = descend(slopes_of, z, config=self.config, steps=steps, progress=progress)
        return z, over_time @ detail


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
