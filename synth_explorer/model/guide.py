"""What the fast decoder's sound tells a WaveNet: its tones and its noise, and how loud a correction may be.

The WaveNet works in units of the local level, so that a soft note and the tail of a loud one look alike to it, and
silence stays silent.

Shapes: B notes, T samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_explorer.model.wavenet_config import WaveNetConfig

GUIDES = 4  # channels of `Guide.inputs`


@dataclass(frozen=True)
class Guide:
    """The fast decoder's sound in two parts and the scale of the residual, each [B, T] float32."""

    tones: np.ndarray
    noise: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, tones: np.ndarray, noise: np.ndarray, config: WaveNetConfig) -> Guide:
        """From the two parts of the fast decoder's sound, [B, T] each."""
        return cls(tones, noise, scale_of(tones + noise, config))

    @property
    def sound(self) -> np.ndarray:
        """The fast decoder's sound [B, T]."""
        return self.tones + self.noise

    def inputs(self, config: WaveNetConfig) -> np.ndarray:
        """What the stack reads beside its past: [B, T, GUIDES], tones and noise now and `lookahead` samples ahead."""
        parts = [part / self.scale for part in (self.tones, self.noise)]
        ahead = [np.pad(part, ((0, 0), (0, config.lookahead)))[:, config.lookahead :] for part in parts]
        return np.stack([*parts, *ahead], axis=-1).astype(np.float32)


def scale_of(sound: np.ndarray, config: WaveNetConfig) -> np.ndarray:
    """Full scale of the residual, [B, T]: `range_rms` times the RMS under a centred window, never below the floor."""
    from scipy.ndimage import uniform_filter1d

    size = config.scale_window // 2
    power = np.asarray(sound, np.float64) ** 2
    for _ in range(2):  # twice a rectangle: a triangle
        power = uniform_filter1d(power, size, axis=1, mode="constant")
    return (config.range_rms * np.sqrt(np.maximum(power, 0.0)) + config.scale_floor).astype(np.float32)
