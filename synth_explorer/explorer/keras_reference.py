"""The fast decoder as Keras computes it: the engine `keras`, which all others are compared with.

Shapes: F frames, T = F * hop samples, C channels, D numbers of detail, P points
of the level in a frame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from synth_explorer.model.autoencoder import Autoencoder


class Note(NamedTuple):
    """What the fast decoder is given of a note."""

    z: np.ndarray  # [F, C]
    pitch_hz: np.ndarray  # [F]
    detail: np.ndarray  # [F, D]
    fine_level: np.ndarray  # [F, P]
    end_hz: float  # where its band ends, 0 where it has no end of its own


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

    def __call__(self, note: Note, *, noise: float, seed: int) -> np.ndarray:
        """A note, and what the noise's level is multiplied by -> audio [T]."""
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

        end_hz = np.asarray(note.end_hz or self._config.sample_rate_hz / 2, np.float32)
        phases = noise_phases(len(note.z), hop=self._config.hop, subframes=self._config.subframes, seed=seed)
        given = note.z, np.asarray(note.pitch_hz, np.float32), note.detail, note.fine_level
        return *given, end_hz, np.asarray(noise, np.float32), *phases
