"""Edits of bare channels, as in the demos of NSynth (Engel et al. 2017): scale, add, oscillate. No promises.

Shapes: F frames, C channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_explorer.edits.base import Edit, added, check_channels, check_rate
from synth_explorer.edits.controls import Controls
from synth_explorer.edits.facts import EVERYTHING, Knob, Option, ranged
from synth_explorer.edits.waves import Shape, wave
from synth_explorer.latents import Latents

RAW_LIMIT = 1000.0


@dataclass(frozen=True)
class Raw(Edit):
    """What edits of any channels share: they promise nothing, and may move everything."""

    leaves_pitch = False
    moves = EVERYTHING


@dataclass(frozen=True)
class Scale(Raw):
    """Multiply channels by `factor`: z = factor * z."""

    channels: tuple[int, ...]
    factor: float = ranged((-RAW_LIMIT, RAW_LIMIT), knob=Knob("raw_scale", "Multiply (×)", -3.0, 3.0, 0.01, 1.0, "raw"))

    kind = "scale"
    order = 20
    option = Option("scale", "Multiply channels: 3=1.5, 0-7,9=0, all=1.2.", "CHANNELS=FACTOR", many=True)
    reads = True

    def apply(self, latents: Latents, controls: Controls) -> Latents:
        z = latents.z.astype(np.float64)
        z[:, check_channels(latents, self.channels, kind=self.kind)] *= self.factor
        return latents.replace(z=z)


@dataclass(frozen=True)
class Add(Raw):
    """Add `amount` to channels: z = z + amount."""

    channels: tuple[int, ...]
    amount: float = ranged((-RAW_LIMIT, RAW_LIMIT), knob=Knob("raw_add", "Shift (±)", -3.0, 3.0, 0.01, 0.0, "raw"))

    kind = "add"
    order = 30
    option = Option("add", "Add to channels, which moves their mean.", "CHANNELS=AMOUNT", many=True)
    adds = "alike"

    def apply(self, latents: Latents, controls: Controls) -> Latents:
        return latents.replace(z=added(latents, self.channels, self.amount, kind=self.kind))


@dataclass(frozen=True)
class OscillateChannels(Raw):
    """Let channels swing by +-depth in their own units: z = z + depth * wave(t)."""

    channels: tuple[int, ...]
    rate_hz: float = ranged((1e-3, 1e5), "Hz", knob=Knob("raw_rate_hz", "Rate ({unit})", 0.1, 15.6, 0.1, 5.0, "raw"))
    depth: float = ranged((0.0, RAW_LIMIT), usual=1.0, knob=Knob("raw_depth", "Swing (±)", 0.0, 3.0, 0.01, 0.0, "raw"))
    shape: Shape = "sine"
    phase_turns: float = 0.0
    seed: int = 0

    kind = "oscillate_channels"
    order = 40
    option = Option("osc_channels", "Channels that swing instead, in their own units.", "CHANNELS")
    adds = "over time"

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
