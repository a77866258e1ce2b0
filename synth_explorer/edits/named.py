"""Edits that say what is heard: decibels, octaves, semitones, cents. They need the checkpoint's calibration.

Shapes: F frames, C channels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from synth_explorer.edits.base import Edit, add_to_channel, check_rate, scale_pitch
from synth_explorer.edits.controls import Controls
from synth_explorer.edits.facts import HELD, TARGETS, UNITS, Figure, Knob, Number, Option, Untold, ranged, unranged
from synth_explorer.edits.moves import move
from synth_explorer.edits.waves import Shape, held, wave
from synth_explorer.errors import EditError
from synth_explorer.latents import Latents
from synth_explorer.latents.morph import MAX_WEIGHT, MIN_WEIGHT


@dataclass(frozen=True)
class Gain(Edit):
    """Change loudness by `db` decibels in every frame."""

    db: float = ranged(
        (-96.0, 48.0),
        UNITS["loudness"],
        option=Option("gain_db", "Louder or softer, in {unit}."),
        knob=Knob("gain_db", "Gain ({unit})", -24.0, 12.0, 0.5),
    )

    kind = "gain"
    order = 160
    figure = Figure("gain_db", "level", UNITS["loudness"], 0.5, aim=0.1, title="Gain")
    needs = "loudness"
    solved = True
    adds = "alike"

    def apply(self, latents: Latents, controls: Controls) -> Latents:
        return move(latents, controls, "loudness", self.db, kind=self.kind)


@dataclass(frozen=True)
class Brightness(Edit):
    """Move the spectral centroid by `octaves` in every frame."""

    octaves: float = ranged(
        (-4.0, 4.0),
        UNITS["brightness"],
        option=Option("brightness_octaves", "Brighter or darker, in {unit} of the spectral centroid."),
        knob=Knob("brightness", "Brightness ({unit})", -1.0, 1.0, 0.01),
    )

    kind = "brightness"
    order = 150
    figure = HELD["brightness"]
    needs = "brightness"
    solved = True
    adds = "alike"

    def apply(self, latents: Latents, controls: Controls) -> Latents:
        return move(latents, controls, "brightness", self.octaves, kind=self.kind)


@dataclass(frozen=True)
class Transpose(Edit):
    """Move the pitch by `semitones`, and the brightness with it as far as it does in real instruments.

    Without a calibrated brightness only the pitch moves.
    """

    semitones: float = ranged(
        (-96.0, 96.0),
        "semitones",
        option=Option("transpose", "Higher or lower, in {unit}.", "SEMITONES"),
        knob=Knob("transpose", "Transpose ({unit})", -24.0, 24.0, 1.0, group="morph"),
    )

    kind = "transpose"
    order = 50
    figure = HELD["pitch"]
    transposes = True
    adds = "alike"
    moves = frozenset({"brightness"})

    @property
    def wanted(self) -> float:
        return 100.0 * self.semitones

    def ask(self, asked: dict[str, Any]) -> None:
        """After a pitch that was set, that pitch moves."""
        if "pitch_midi" in asked:
            asked["pitch_midi"] += self.semitones
        else:
            super().ask(asked)

    def apply(self, latents: Latents, controls: Controls) -> Latents:
        return _moved_pitch(latents, self.semitones, controls, kind=self.kind)


@dataclass(frozen=True)
class SetPitch(Edit):
    """Transpose so that the median pitch is the MIDI note `midi`; vibrato and glides stay, in cents."""

    midi: float = ranged((0.0, 127.0), "MIDI", option=Option("set_pitch", "To this pitch.", "C4|60"))

    kind = "set_pitch"
    order = 55
    transposes = True
    moves = frozenset({"brightness"})

    def ask(self, asked: dict[str, Any]) -> None:
        """The goal is a pitch, no change of it."""
        asked.pop("pitch_cents", None)
        asked["pitch_midi"] = self.midi

    def apply(self, latents: Latents, controls: Controls) -> Latents:
        if not latents.has_pitch:
            return scale_pitch(latents, 1.0, kind=self.kind)  # which says why not
        semitones = self.midi - latents.pitch_midi
        return _moved_pitch(latents, semitones, controls, kind=self.kind)


_DEPTH_KNOB = ("osc_{target}_depth", "Depth (± {unit})")


def _moved_pitch(latents: Latents, semitones: float, controls: Controls, *, kind: str) -> Latents:
    moved = move(latents, controls, "pitch", 100.0 * semitones, kind=kind)
    control = controls.brightness
    if control is None:
        return moved
    octaves = control.transpose_octaves_per_octave * semitones / 12.0
    return add_to_channel(moved, control.channel, octaves * control.units_per_octave, kind=kind)


@dataclass(frozen=True)
class Oscillate(Edit):
    """Let loudness (depth in dB), brightness (octaves) or pitch (cents) swing by +-depth, `rate_hz` times a second.

    Rates above half the frame rate are refused when the edit is applied. `phase_turns` is where in the period it
    starts, and `fade_in_s` how long it takes to reach its depth. `wave` tells how the depth is kept at high rates, and
    what a walk is, for which alone `seed` counts.
    """

    target: str
    rate_hz: float = ranged(
        (1e-3, 1e5),
        "Hz",
        usual=5.0,
        option=Option("osc_rate_hz", "Swings a second (default {usual:g})."),
        knob=Knob("osc_{target}_rate_hz", "Rate ({unit})", 0.1, 15.6, 0.1, 5.0, "oscillation"),
    )
    depth: float = unranged()
    shape: Shape = "sine"
    phase_turns: float = ranged(
        (-math.inf, math.inf),
        "turns",
        default=0.0,
        knob=Knob("osc_{target}_phase_turns", "Phase", 0.0, 1.0, 0.01, 0.0, "oscillation"),
    )
    fade_in_s: float = ranged(
        (0.0, 3600.0),
        "s",
        default=0.0,
        knob=Knob("osc_{target}_fade_in_s", "Fade ({unit})", 0.0, 4.0, 0.05, 0.0, "oscillation"),
    )
    seed: int = 0

    kind = "oscillate"
    order = 170
    option = Option(
        "swing",
        "One more oscillation, as often as you like: pitch:5:30, brightness:0.7:0.3:walk:0:0:7.",
        "TARGET:RATE:DEPTH[:SHAPE[:PHASE[:FADE[:SEED]]]]",
        many=True,
    )
    figure = Figure("osc_depth", "oscillation, depth", "", part=0.15, aim_part=0.05, signed=False)
    rate = Figure("osc_rate_hz", "oscillation, rate", "Hz", part=0.01, signed=False)
    SWINGS: ClassVar[dict[str, Figure]] = {
        target: Figure(f"{target}_swing_{unit}", f"swing of {target}", UNITS[target], most)
        for target, unit, most in (
            ("loudness", "db", 0.6),
            ("brightness", "octaves", HELD["brightness"].tolerance),
            ("pitch", "cents", HELD["pitch"].tolerance),
        )
    }
    beside = Figure("swing_db", "swing of loudness", UNITS["loudness"], 0.5, aim=0.1)
    solved = True
    adds = "over time"
    DEPTHS: ClassVar[dict[str, Number]] = {
        target: Number((0.0, most), UNITS[target], usual, knob=Knob(*_DEPTH_KNOB, *knob, "oscillation"), aim=aim)
        for target, most, usual, knob, aim in (
            ("loudness", 48.0, 3.0, (0.0, 12.0, 0.1, 4.0), 0.05),
            ("brightness", 4.0, 0.5, (0.0, 1.0, 0.01, 0.3), 0.01),
            ("pitch", 2400.0, 30.0, (0.0, 200.0, 1.0, 30.0), 0.5),
        )
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.target not in TARGETS:
            raise EditError(f"{self.kind}: target={self.target!r} must be one of {', '.join(TARGETS)}.")
        low, high = self.DEPTHS[self.target].range
        if not low <= self.depth <= high:
            wrong = f"depth={self.depth:g} of {self.target}"
            raise EditError(f"{self.kind}: {wrong} must lie in {low:g}..{high:g} {UNITS[self.target]}.")

    @classmethod
    def knobs(cls) -> dict[str, Number]:
        """Those of every target."""
        found = [
            fact.turned_by(target=target)
            for target in TARGETS
            for fact in (*cls.numbers().values(), cls.DEPTHS[target])
        ]
        return {fact.slider.name: fact for fact in found}

    @classmethod
    def figures(cls) -> tuple[Figure, ...]:
        return cls.rate, cls.figure

    @property
    def wanted(self) -> float:
        return self.depth

    @property
    def promise(self) -> tuple[str, str, float]:
        return f"oscillation of {self.target}", UNITS[self.target], self.depth

    def ask(self, asked: dict[str, Any]) -> None:
        """The first one is measured."""
        if "osc_target" not in asked:
            asked |= {f"osc_{name}": self.plain[name] for name in ("target", "rate_hz", "depth", "shape")}

    def apply(self, latents: Latents, controls: Controls) -> Latents:
        check_rate(latents, self.rate_hz, kind=self.kind)
        swing = self.depth * wave(
            latents.frames,
            frame_rate_hz=latents.frame_rate_hz,
            rate_hz=self.rate_hz,
            shape=self.shape,
            phase_turns=self.phase_turns,
            fade_in_s=self.fade_in_s,
            seed=self.seed,
            kept=held(self.rate_hz / latents.frame_rate_hz) if self.target == "loudness" else None,
        )
        return move(latents, controls, self.target, swing, kind=self.kind)


class MeanSound(NamedTuple):
    """What a note may be moved toward: fields of `Toward`."""

    mean: tuple[float, ...]
    spectrum_db: tuple[float, ...] = ()
    midi: float = 0.0


@dataclass(frozen=True)
class Toward(Edit):
    """Move the "mean sound" toward that of another note by the proportion `amount`.

    `mean` is the other note's `Controls.mean_sound`: its channels, and its detail behind them if it has any. All frames
    move alike, so that the note keeps its movement; at amount 1 its mean is the other's, and nothing of its own
    enhancement is left. Loudness stays as it is unless keep_loudness is false; pitch always does.

    `spectrum_db` is the other note's mean spectrum as it is heard at its pitch `midi` (`closed_loop.mean_sound`): the
    closed loop goes there. What it finds stands in `octaves`, by which the brightness moves too, and `offsets`, nepers
    upon the detail; both are nothing unless it has been solved.
    """

    mean: tuple[float, ...]
    amount: float = ranged(
        (MIN_WEIGHT, MAX_WEIGHT),
        "of the way",
        usual=0.5,
        option=Option("amount", "How far toward it: {low:g} to {high:g} (default {usual:g}; 1 is there)."),
        knob=Knob("amount", "How far", 0.0, 1.0, 0.01, 0.5, "toward"),
    )
    keep_loudness: bool = True
    spectrum_db: tuple[float, ...] = ()
    midi: float = 0.0
    octaves: float = 0.0
    offsets: tuple[float, ...] = ()

    kind = "toward"
    order = 10
    option = Option("toward", "A note whose mean timbre to move to.", "NOTE")
    figure = Figure("toward", "timbre toward", "of the way", 0.15)
    step_back = Figure("step_back_db", "step back of the timbre", "dB", 0.05)
    solved_apart = True
    untold = Untold("toward", "moved toward a note", "see the map")
    reads = True
    moves = frozenset({"brightness", "loudness"})

    @property
    def wanted(self) -> float:
        return self.amount

    @property
    def may_move(self) -> frozenset[str]:
        return self.moves - {"loudness"} if self.keep_loudness else self.moves

    def ask(self, asked: dict[str, Any]) -> None:
        """The last one counts."""
        asked["toward"] = self.amount

    def check(self, latents: Latents) -> None:
        """Raises EditError unless `mean` is of latents like these."""
        detail = len(self.mean) - latents.channels
        if detail < 0:
            raise EditError(f"{self.kind}: mean has {len(self.mean)} channels, these latents {latents.channels}.")
        if detail and latents.details not in (0, detail):
            raise EditError(f"{self.kind}: mean has a detail of {detail}, these latents of {latents.details}.")

    def apply(self, latents: Latents, controls: Controls) -> Latents:
        self.check(latents)
        mean, detail = np.array(self.mean[: latents.channels]), np.array(self.mean[latents.channels :])
        step = self.amount * (mean - controls.time_mean(latents))
        if self.keep_loudness and controls.loudness is not None:
            step[controls.loudness.channel] = 0.0
        left = max(0.0, 1.0 - abs(self.amount))  # of what the note alone has
        moved = latents.replace(z=latents.z.astype(np.float64) + step, enhancement=left * latents.enhancement)
        if self.octaves:
            moved = move(moved, controls, "brightness", self.octaves, kind=self.kind)
        own = latents.detail.astype(np.float64)
        if len(detail):
            own = own + self.amount * (detail - own.mean(axis=0)) if latents.details else self.amount * detail
        if self.offsets:
            if own.size and own.shape[-1] != len(self.offsets):
                raise EditError(f"{self.kind}: {len(self.offsets)} offsets for a detail of {latents.details}.")
            own = own + np.array(self.offsets) if own.size else np.array(self.offsets)
        return moved.replace(detail=own)
