"""Analysis by synthesis: latents of a note, bettered by listening to what the fast decoder makes of them.

The encoder guesses the latents in one pass; what it misses (the amortisation gap, Cremer et al. 2018, arXiv 1801.03558)
is found by gradient descent through the decoder on the distance of the spectra. Nothing is trained: the weights stay.

With the latents one more thing is found: the note's detail, offsets on the decoder's spectra that stand still or move
slowly (`model.descent.courses`), which the latents' few channels have no room for and the network cannot guess. It is
to one note what the biases of its last layer are to a network that is adapted by them alone (BitFit, Ben Zaken et al.
2022, arXiv 2106.10199), and is mixed as latents are. And in its first moments its level moves within the frames too: an
attack is over in less than one.

The slopes are by hand instead of by a framework. Shapes: T = F * hop samples, F frames, C channels, D numbers of
detail, K courses, N frames of the onset, P points of the level in a frame.
"""

from __future__ import annotations

from itertools import cycle

import numpy as np

from synth_explorer.model.descent import LOG_MEL_WEIGHT, Progress, courses, descend, onset_frames, scale_of
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
        self._onset = onset_frames(len(self._z), config)
        weights = {"linear": 1.0, "log": 0.5, "mel": LOG_MEL_WEIGHT}
        self._distance = SpectralLoss(config, audio, bandwidth_hz=bandwidth_hz, **weights)
        self._synthesis = Synthesis(config, self._pitch_hz, networks.controls)

    def slopes(
        self,
        moved: np.ndarray,
        detail: np.ndarray,
        onset: np.ndarray,
        phase: np.ndarray,
        short_phase: np.ndarray,
        *,
        part: int,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The slopes of the distance at a part of the frames by what latents are moved by [F, C], by a detail [K, D],
        so much of each course, and by the fine level of the onset [N, P]."""
        z, networks = self._z + moved * self._scale, self._networks
        frame, fine, to_learned = networks.network.traced(z, self._pitch_hz)
        over_time = self._courses @ detail
        given = z, self._pitch_hz, over_time, self._held(onset), self._bandwidth_hz
        controls, to_told = networks.controls.traced(frame, fine, *given)
        sound, to_controls = self._synthesis.traced(controls, phase, short_phase)
        told = to_told(to_controls(self._distance.slope(sound, part=part)))
        by_z = np.concatenate([told.attributes, to_learned(told.frame, told.fine)], axis=1)
        return by_z * self._scale, self._courses.T @ told.detail, told.fine_level[: self._onset]

    def _held(self, onset: np.ndarray) -> np.ndarray:
        """The fine level of the onset [N, P] as that of all frames [F, P]."""
        return np.pad(onset, ((0, len(self._z) - self._onset), (0, 0)))

    def __call__(self, *, steps: int, progress: Progress | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """z [F, C] after so many steps of the descent, its detail [F, D] and its fine level [F, P], float32."""
        part = cycle(range(PARTS))

        def slopes_of(*given: np.ndarray) -> tuple[np.ndarray, ...]:
            return self.slopes(*given, part=next(part))

        config = self._networks.config
        z, detail, onset = descend(slopes_of, self._z, config=config, steps=steps, progress=progress)
        return z, self._courses @ detail, self._held(onset)
