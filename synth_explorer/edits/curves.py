"""Edits that are drawn over time: a curve of loudness, brightness or pitch, and an envelope.

Shapes: F frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from synth_explorer.edits.base import Edit, Points, add_to_channel
from synth_explorer.edits.controls import Controls, LoudnessControl
from synth_explorer.edits.facts import TARGETS, UNITS, Knob, Number, Option, Untold, ranged
from synth_explorer.edits.moves import move
from synth_explorer.errors import EditError
from synth_explorer.latents import Latents

SILENCE_DB = -60.0
"""What an envelope takes away where it is closed; the front end's own floor lies at -100 dB of loudness."""

HEARD_RANGE_DB = 40.0


@dataclass(frozen=True)
class Curve(Edit):
    """Change loudness (dB), brightness (octaves) or pitch (cents) by a curve over time.

    `points` are (time in s, value) from the beginning of the latents on; straight between them, held before the first
    and after the last. Frames stand 32 ms apart in the default model: what is drawn finer is rounded.
    """

    target: str
    points: Points

    kind = "curve"
    order = 130
    option = Option("curve", "Drawn over time: loudness:0=0,1.5=-12 (dB, octaves, cents).", "TARGET:T=V,...", many=True)
    untold = Untold("curves", "curves over time", "see the tracks")
    adds = "over time"
    moves = frozenset(TARGETS)
    VALUES: ClassVar[dict[str, Number]] = {
        target: Number((-most, most), UNITS[target], knob=Knob(f"curve_{target}", target, *drawn, 0.0))
        for target, most, drawn in (
            ("loudness", 96.0, (-48.0, 12.0)),
            ("brightness", 4.0, (-2.0, 2.0)),
            ("pitch", 4800.0, (-1200.0, 1200.0)),
        )
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.target not in TARGETS:
            raise EditError(f"{self.kind}: target={self.target!r} must be one of {', '.join(TARGETS)}.")
        low, high = self.VALUES[self.target].range
        if not all(low <= value <= high for _, value in self.points):
            raise EditError(f"{self.kind}: values of {self.target} must lie in {low:g}..{high:g}.")

    @property
    def may_move(self) -> frozenset[str]:
        return frozenset({self.target})

    def ask(self, asked: dict[str, Any]) -> None:
        asked.setdefault("curves", []).append(self.plain)

    def apply(self, latents: Latents, controls: Controls) -> Latents:
        times_s, values = [time_s for time_s, _ in self.points], [value for _, value in self.points]
        track = np.interp(np.arange(latents.frames) / latents.frame_rate_hz, times_s, values)
        return move(latents, controls, self.target, track, kind=self.kind)


@dataclass(frozen=True)
class Envelope(Edit):
    """Attack, decay, sustain, release upon the note's own loudness.

    From where the note is first heard (within 40 dB of its loudest frame) its amplitude rises linearly for `attack_s`,
    then falls by dB to `sustain_db` in `decay_s`; in the last `release_s` of the note its amplitude falls linearly to
    nothing (-60 dB). With attack, decay and release 0 and sustain 0 dB nothing changes.
    """

    attack_s: float = ranged(
        (0.0, 3600.0), "s", default=0.0, knob=Knob("env_attack_s", "Attack", 0.0, 2.0, 0.01, group="time")
    )
    decay_s: float = ranged(
        (0.0, 3600.0), "s", default=0.0, knob=Knob("env_decay_s", "Decay", 0.0, 2.0, 0.01, group="time")
    )
    sustain_db: float = ranged(
        (-96.0, 24.0), "dB", default=0.0, knob=Knob("env_sustain_db", "Sustain", -48.0, 0.0, 0.5, group="time")
    )
    release_s: float = ranged(
        (0.0, 3600.0), "s", default=0.0, knob=Knob("env_release_s", "Release", 0.0, 3.0, 0.01, group="time")
    )

    kind = "envelope"
    order = 120
    option = Option("adsr", "Attack, decay and release in s, sustain in dB: 0.1,0.2,-6,0.5.", "A,D,S,R")
    untold = Untold("envelope", "envelope", "see the loudness")
    needs = "loudness"
    moves = frozenset({"loudness", "brightness"})

    def apply(self, latents: Latents, controls: Controls) -> Latents:
        control = controls.require_loudness()
        time_s = np.arange(latents.frames) / latents.frame_rate_hz
        since_s = time_s - onset_frame(latents, control) / latents.frame_rate_hz
        gain_db = rise_db(since_s, self.attack_s)
        fallen = (since_s - self.attack_s) / self.decay_s if self.decay_s > 0 else (since_s >= self.attack_s) * 1.0
        gain_db = gain_db + self.sustain_db * np.clip(fallen, 0.0, 1.0)
        gain_db = gain_db + rise_db(latents.duration_s - time_s, self.release_s)
        return add_to_channel(latents, control.channel, gain_db * control.units_per_db, kind=self.kind)


def onset_frame(latents: Latents, control: LoudnessControl) -> int:
    """The first frame that is heard: within 40 dB of the loudest."""
    loudness_db = latents.z[:, control.channel].astype(np.float64) / control.units_per_db
    return int(np.argmax(loudness_db >= loudness_db.max() - HEARD_RANGE_DB))


def rise_db(since_s: np.ndarray, rise_s: float) -> np.ndarray:
    """An amplitude that rises linearly from nothing in `rise_s`, in dB, -60 at least; 0 throughout for no rise."""
    if rise_s <= 0:
        return np.zeros(since_s.shape)
    part = np.clip(since_s / rise_s, 10.0 ** (SILENCE_DB / 20.0), 1.0)
    return 20.0 * np.log10(part)
