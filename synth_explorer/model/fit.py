"""Analysis by synthesis: latents of a note, bettered by listening to what the fast decoder makes of them.

The encoder guesses the latents in one pass; what it misses (the amortisation gap, Cremer et al. 2018, arXiv 1801.03558)
is found by gradient descent through the decoder on the distance of the spectra. Nothing is trained: the weights stay.

With the latents one more thing is found: the note's detail, steady offsets on the decoder's spectra, which the latents'
few channels have no room for and the network cannot guess. It is to one note what the biases of its last layer are to
a network that is adapted by them alone (BitFit, Ben Zaken et al. 2022, arXiv 2106.10199), and is mixed as latents are.

Shapes: B notes, T = F * hop samples, F frames, C channels, D numbers of detail.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from keras import ops

from synth_explorer import runtime
from synth_explorer.model import synthesis
from synth_explorer.model.autoencoder import Autoencoder
from synth_explorer.model.spectral import SpectralLoss

RATE = 0.15  # of the first step, in units of the learned channels
DETAIL_RATE = 0.16  # of the first step, in nepers
DETAIL_PULL = 0.03  # gradient toward zero per neper: what is not heard stays zero, since other pitches may sound it
ATTRIBUTE_RATES = 0.1, 0.3  # of loudness and brightness, relative to it: they were measured, so they are nearly right
FINAL = 0.1  # share of the rate at the last step
DECAYS = 0.8, 0.95  # of Adam's two averages
LOG_MEL_WEIGHT = 5.0
SEED_STREAM = 7  # the noise of the fit is not the noise of any decoding


class Fit:
    """Betters the latents of one model. Safe to call from several threads."""

    def __init__(self, model: Autoencoder) -> None:
        self.config = model.config
        spectral = SpectralLoss(model.config, mel=LOG_MEL_WEIGHT)
        scale = np.ones(model.config.channels, np.float32)
        scale[:2] = ATTRIBUTE_RATES
        self._scale = scale

        def loss(moved, detail, z, pitch_hz, audio, noise_phase, short_phase):
            z = z + moved * scale
            controls = model.decoder(z, pitch_hz, detail + ops.zeros_like(z[..., :1]))
            return spectral(audio, synthesis.render(controls, pitch_hz, noise_phase, short_phase, model.decoder))

        self._gradient = runtime.gradient(loss, ranks=(3, 3, 3, 2, 2, 3, 3), by=2)

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

        Returns z [B, F, C] and detail [B, D], float32.
        """
        config, (batch, frames, _) = self.config, z.shape
        rng = np.random.default_rng(SEED_STREAM)
        found = [np.zeros_like(z, np.float32), np.zeros((batch, 1, config.details), np.float32)]
        means, squares = [np.zeros_like(one) for one in found], [np.zeros_like(one) for one in found]
        for step in range(1, steps + 1):
            long = rng.random((batch, frames, config.hop + 1), dtype=np.float32)
            short = rng.random((batch, frames * config.subframes, config.subframe + 1), dtype=np.float32)
            _, *slopes = self._gradient(*found, z, pitch_hz, audio, long, short)
            slopes = [np.nan_to_num(slope) for slope in slopes]
            slopes[1] = slopes[1] + DETAIL_PULL * found[1]
            part = 1.0 - (1.0 - FINAL) * (step - 1) / max(steps - 1, 1)
            for index, (rate, slope) in enumerate(zip((RATE, DETAIL_RATE), slopes, strict=True)):
                means[index] = DECAYS[0] * means[index] + (1.0 - DECAYS[0]) * slope
                squares[index] = DECAYS[1] * squares[index] + (1.0 - DECAYS[1]) * slope**2
                size = np.sqrt(squares[index] / (1.0 - DECAYS[1] ** step)) + 1e-8
                towards = means[index] / (1.0 - DECAYS[0] ** step) / size
                found[index] = (found[index] - rate * part * towards).astype(np.float32)
            if progress is not None:
                progress(step, steps)
        return z + found[0] * self._scale, found[1][:, 0]
