"""What the fast decoder's sound tells a WaveNet: its tones and its noise, and how loud a correction may be.

The WaveNet works on a signal whose spectrum is flat (`whitening`) and in units of the local level, so that a soft note
and the tail of a loud one look alike to it, silence stays silent, and its errors hide under the note.

Shapes: B notes, T samples, J blocks, P order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_explorer.model.config import ModelConfig
from synth_explorer.model.wavenet_config import WaveNetConfig
from synth_explorer.model.whitening import predictors, whiten

GUIDES = 4  # channels of `Guide.inputs`


@dataclass(frozen=True)
class Guide:
    """The fast decoder's sound [B, T]; whitened, its tones and its noise; the scale of the residual [B, T].

    `coefficients` [B, J, P] are those of the whitening (P may be 0: none).
    """

    sound: np.ndarray
    tones: np.ndarray
    noise: np.ndarray
    scale: np.ndarray
    coefficients: np.ndarray
    config: WaveNetConfig

    @classmethod
    def of(cls, tones: np.ndarray, noise: np.ndarray, config: WaveNetConfig, sizes: ModelConfig) -> Guide:
        """From the two parts of the fast decoder's sound, [B, T] each."""
        sound, hop = tones + noise, config.condition_hop
        coefficients = predictors(sound, order=config.whitening, hop=hop, sample_rate_hz=sizes.sample_rate_hz)
        flat = [whiten(part, coefficients, hop=hop) for part in (tones, noise)]
        return cls(sound, *flat, scale_of(flat[0] + flat[1], config), coefficients, config)

    def inputs(self) -> np.ndarray:
        """What the stack reads beside its past: [B, T, GUIDES], tones and noise now and `lookahead` samples ahead."""
        ahead = self.config.lookahead
        parts = [part / self.scale for part in (self.tones, self.noise)]
        later = [np.pad(part, ((0, 0), (0, ahead)))[:, ahead:] for part in parts]
        return np.stack([*parts, *later], axis=-1).astype(np.float32)

    def residual(self, target: np.ndarray) -> np.ndarray:
        """What the stack should give for `target` [B, T]: whitened, over the scale, cut to -1..1; float32."""
        missing = whiten(target - self.sound, self.coefficients, hop=self.config.condition_hop)
        return np.clip(missing / self.scale, -1.0, 1.0).astype(np.float32)


def scale_of(sound: np.ndarray, config: WaveNetConfig) -> np.ndarray:
    """Full scale of the residual, [B, T]: `range_rms` times the RMS under a centred window, never below the floor."""
    from scipy.ndimage import uniform_filter1d

    size = config.scale_window // 2
    power = np.asarray(sound, np.float64) ** 2
    for _ in range(2):  # twice a rectangle: a triangle
        power = uniform_filter1d(power, size, axis=1, mode="constant")
    return (config.range_rms * np.sqrt(np.maximum(power, 0.0)) + config.scale_floor).astype(np.float32)
