"""The fast decoder as Keras computes it: the engine `keras`, which all others are compared with.

Shapes: F frames, T = F * hop samples, C channels, D numbers of detail, P points
of the level in a frame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from synth_explorer.model.autoencoder import Autoencoder

Note = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float]
"""z [F, C], pitch [F] in Hz, detail [F, D], fine level [F, P], and where the band ends in Hz, 0 where it does
not."""


class KerasReference:
    """Latents to sound, by the Keras model alone: on a GPU where Keras has one."""

    def __init__(self, model: Autoencoder) -> None:
        from synth_explorer import runtime
        from synth_explorer.model import synthesis

        def render(z: Any, pitch_hz: Any, detail: Any, fine: Any, end_hz: Any, gain: Any, *phases: Any) -> Any:
            long, short = phases
            controls: Mapping[str, Any] = model.decoder.controls(z, pitch_hz, detail, end_hz, fine_level=fine)
            loud = {name: controls[name] * gain[:, None, None] for name in ("noise", "short_noise")}
            return synthesis.render({**controls, **loud}, pitch_hz, long, short, model.decoder)

        self._config = model.config
        self._render = runtime.compiled(render, ranks=(3, 2, 3, 3, 1, 1, 3, 3), last=(model.config.channels,))

    def __call__(self, *note: Any, noise: float, seed: int) -> np.ndarray:
        """A `Note`, and what the noise's level is multiplied by -> audio [T]."""
        return self.together([note], noise=[noise], seeds=[seed])[0]

    def together(self, notes: Sequence[Note], *, noise: Sequence[float], seeds: Sequence[int]) -> list[np.ndarray]:
        """As `__call__` of each, in the batches that a device likes: notes of one length at once."""
        by_frames: dict[int, list[int]] = {}
        for i, note in enumerate(notes):
            by_frames.setdefault(len(note[0]), []).append(i)
        sounds: dict[int, np.ndarray] = {}
        for group in by_frames.values():
            rows = [self._row(notes[i], noise[i], seeds[i]) for i in group]
            rows += rows[-1:] * ((1 << (len(rows) - 1).bit_length()) - len(rows))  # few sizes, for each is compiled
            heard = self._render(*(np.stack(column) for column in zip(*rows, strict=True)))
            sounds |= dict(zip(group, heard, strict=False))
        return [sounds[i] for i in range(len(notes))]

    def _row(self, note: Note, noise: float, seed: int) -> tuple[np.ndarray, ...]:
        """What the model is given of one note."""
        from synth_explorer.decode.synthesis import noise_phases

        z, pitch_hz, *found, bandwidth_hz = note
        end_hz = np.asarray(bandwidth_hz or self._config.sample_rate_hz / 2, np.float32)
        phases = noise_phases(len(z), hop=self._config.hop, subframes=self._config.subframes, seed=seed)
        return z, np.asarray(pitch_hz, np.float32), *found, end_hz, np.asarray(noise, np.float32), *phases
