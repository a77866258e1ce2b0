"""Analysis by synthesis: latents of a note, bettered by listening to what the fast decoder makes of them.

The encoder guesses the latents in one pass; what it misses (the amortisation gap, Cremer et al. 2018, arXiv 1801.03558)
is found by gradient descent through the decoder on the distance of the spectra. Nothing is trained: the weights stay.

With the latents one more thing is found: the note's detail, offsets on the decoder's spectra that stand still or move
slowly (`model.descent.courses`), which the latents' few channels have no room for and the network cannot guess. It is
to one note what the biases of its last layer are to a network that is adapted by them alone (BitFit, Ben Zaken et al.
2022, arXiv 2106.10199), and is mixed as latents are.

The slopes are by hand instead of by a framework. Shapes: T = F * hop samples, F frames, C channels, D numbers of
detail, K courses.
"""

from __future__ import annotations

from itertools import cycle

import numpy as np

from synth_explorer.model.descent import LOG_MEL_WEIGHT, Progress, courses, descend, scale_of
from synth_explorer.plain.autoencoder import Autoencoder
from synth_explorer.plain.loss import PARTS, SpectralLoss
from synth_explorer.plain.synthesis import Synthesis


class Fit:
    """Betters the latents of a note so that the fast decoder's sound of them comes nearer to it."""

    def __init__(
        self,
        networks: Autoencoder,
        z: np.ndarray,
        pitch_hz: np.ndarray,
        audio: np.ndarray,
        *,
        bandwidth_hz: float = 0.0,
    ) -> None:
        """A note: z [F, C] as the encoder said it, pitch [F] in Hz, its sound [T], and where its recording ends."""
        config = networks.config
        self._bandwidth_hz = bandwidth_hz
        self._networks, self._z, self._pitch_hz = networks, np.asarray(z, np.float32), np.asarray(pitch_hz, np.float32)
        self._scale, self._courses = scale_of(config), courses(len(self._z), config)
        weights = {"linear": 1.0, "log": 0.5, "mel": LOG_MEL_WEIGHT}
        self._distance = SpectralLoss(config, audio, bandwidth_hz=bandwidth_hz, **weights)
        self._synthesis = Synthesis(config, self._pitch_hz, networks.controls)

    def slopes(
        self, moved: np.ndarray, detail: np.ndarray, phase: np.ndarray, short_phase: np.ndarray, *, part: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """The slopes of the distance at a part of the frames by what latents are moved by [F, C], and by a detail
        [K, D], so much of each course."""
        z, networks = self._z + moved * self._scale, self._networks
        frame, fine, to_learned = networks.network.traced(z, self._pitch_hz)
        over_time = self._courses @ detail
        controls, to_told = networks.controls.traced(frame, fine, z, self._pitch_hz, over_time, self._bandwidth_hz)
        sound, to_controls = self._synthesis.traced(controls, phase, short_phase)
        told = to_told(to_controls(self._distance.slope(sound, part=part)))
        by_z = np.concatenate([told.attributes, to_learned(told.frame, told.fine)], axis=1)
        return by_z * self._scale, self._courses.T @ told.detail

    def __call__(self, *, steps: int, progress: Progress | None = None) -> tuple[np.ndarray, np.ndarray]:
        """z [F, C] after so many steps of the descent, and its detail [F, D], float32."""
        part = cycle(range(PARTS))

        def slopes_of(*given: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return self.slopes(*given, part=next(part))

        z, detail = descend(slopes_of, self._z, config=self._networks.config, steps=steps, progress=progress)
        return z, self._courses @ detail
