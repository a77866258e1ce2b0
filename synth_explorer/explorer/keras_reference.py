"""The fast decoder as Keras computes it: the engine `keras`, which all others are compared with.

Shapes: F frames, T = F * hop samples, C channels, D numbers of detail.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from synth_explorer.model.autoencoder import Autoencoder


class KerasReference:
    """Latents of one note to sound, by the Keras model alone."""

    def __init__(self, model: Autoencoder) -> None:
        from synth_explorer import runtime
        from synth_explorer.model import synthesis

        def render(z: Any, pitch_hz: Any, detail: Any, gain: Any, phase: Any, short_phase: Any) -> Any:
            controls: Mapping[str, Any] = model.decoder.controls(z, pitch_hz, detail)
            loud = {name: controls[name] * gain for name in ("noise", "short_noise")}
            return synthesis.render({**controls, **loud}, pitch_hz, phase, short_phase, model.decoder)

        self._config = model.config
        self._render = runtime.compiled(render, ranks=(3, 2, 3, 1, 3, 3), last=(model.config.channels,))

    def __call__(
        self, z: np.ndarray, pitch_hz: np.ndarray, detail: np.ndarray, *, noise: float, seed: int
    ) -> np.ndarray:
        """z [F, C], pitch [F] in Hz, detail [F, D], and what the noise's level is multiplied by -> audio [T]."""
        from synth_explorer.decode.synthesis import noise_phases

        config = self._config
        phases = noise_phases(len(z), hop=config.hop, subframes=config.subframes, seed=seed)
        given = z, np.asarray(pitch_hz, np.float32), detail, np.float32(noise), *phases
        return self._render(*(np.asarray(each)[None] for each in given))[0]
