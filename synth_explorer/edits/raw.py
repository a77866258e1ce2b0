"""Edits of bare channels, as in the demos of NSynth (Engel et al. 2017): scale, add, oscillate. No promises.

Shapes: F frames, C channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from synth_explorer.edits.base import Edit, added, check_channels, check_rate
from synth_explorer.edits.controls import Controls
from synth_explorer.edits.waves import Shape, wave
from synth_explorer.latents import Latents

RAW_LIMIT = 1000.0


@dataclass(frozen=True)
class Scale(Edit):
    """Multiply channels by `factor`: z = factor * z."""

    channels: tuple[int, ...]
    factor: float

    kind: ClassVar[str] = "scale"
    LIMITS: ClassVar[dict[str, tuple[float, float]]] = {"factor": (-RAW_LIMIT, RAW_LIMIT)}

    def apply(self, latents: Latents, controls: Controls) -> Latents:
        z = latents.z.astype(np.float64)
        z[:, check_channels(latents, self.channels, kind=self.kind)] *= self.factor
        return latents.replace(z=z)


@dataclass(frozen=True)
class Add(Edit):
    """Add `amount` to channels: z = z + amount."""

    channels: tuple[int, ...]
    amount: float

    kind: ClassVar[str] = "add"
    LIMITS: ClassVar[dict[str, tuple[float, float]]] = {"amount": (-RAW_LIMIT, RAW_LIMIT)}

    def apply(self, latents: Latents, controls: Controls) -> Latents:
        return latents.replace(z=added(latents, self.channels, self.amount, kind=self.kind))


@dataclass(frozen=True)
class OscillateChannels(Edit):
    """Let channels swing by +-depth in their own units: z = z + depth * wave(t)."""

    channels: tuple[int, ...]
    rate_hz: float
    depth: float
    shape: Shape = "sine"
    phase_turns: float = 0.0
    seed: int = 0

    kind: ClassVar[str] = "oscillate_channels"
    LIMITS: ClassVar[dict[str, tuple[float, float]]] = {"depth": (0.0, RAW_LIMIT), "rate_hz": (1e-3, 1e5)}

    def apply(self, latents: Latents, controls: Controls) -> Latents:
        check_rate(latents, self.rate_hz, kind=self.kind)
        swing = self.depth * wave(
            latents.frames,
            frame_rate_hz=latents.frame_rate_hz,
            rate_hz=self.rate_hz,
            shape=self.shape,
            phase_turns=self.phase_turns,
            seed=self.seed,
        )
        return latents.replace(z=added(latents, self.channels, swing, kind=self.kind))
