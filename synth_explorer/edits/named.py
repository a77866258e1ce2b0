"""Edits that say what is heard: decibels, octaves, semitones, cents. They need the checkpoint's calibration.

Shapes: F frames, C channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from synth_explorer.edits.base import Edit, add_to_channel, check_rate, scale_pitch
from synth_explorer.edits.controls import Controls
from synth_explorer.edits.moves import move
from synth_explorer.edits.waves import Shape, held, wave
from synth_explorer.errors import EditError
from synth_explorer.latents import Latents

TARGETS = ("loudness", "brightness", "pitch")


@dataclass(frozen=True)
class Gain(Edit):
    """Change loudness by `db` decibels in every frame."""

    db: float

    kind: ClassVar[str] = "gain"
    LIMITS: ClassVar[dict[str, tuple[float, float]]] = {"db": (-96.0, 48.0)}

    def apply(self, latents: Latents, controls: Controls) -> Latents:
        return move(latents, controls, "loudness", self.db, kind=self.kind)


@dataclass(frozen=True)
class Brightness(Edit):
    """Move the spectral centroid by `octaves` in every frame."""

    octaves: float

    kind: ClassVar[str] = "brightness"
    LIMITS: ClassVar[dict[str, tuple[float, float]]] = {"octaves": (-4.0, 4.0)}

    def apply(self, latents: Latents, controls: Controls) -> Latents:
        return move(latents, controls, "brightness", self.octaves, kind=self.kind)


@dataclass(frozen=True)
class Transpose(Edit):
    """Move the pitch by `semitones`, and the brightness with it as far as it does in real instruments.

    Without a calibrated brightness only the pitch moves.
    """

    semitones: float

    kind: ClassVar[str] = "transpose"
    LIMITS: ClassVar[dict[str, tuple[float, float]]] = {"semitones": (-96.0, 96.0)}

    def apply(self, latents: Latents, controls: Controls) -> Latents:
        return _moved_pitch(latents, self.semitones, controls, kind=self.kind)


@dataclass(frozen=True)
class SetPitch(Edit):
    """Transpose so that the median pitch is the MIDI note `midi`; vibrato and glides stay, in cents."""

    midi: float

    kind: ClassVar[str] = "set_pitch"
    LIMITS: ClassVar[dict[str, tuple[float, float]]] = {"midi": (0.0, 127.0)}

    def apply(self, latents: Latents, controls: Controls) -> Latents:
        if not latents.has_pitch:
            return scale_pitch(latents, 1.0, kind=self.kind)  # which says why not
        semitones = self.midi - latents.pitch_midi
        return _moved_pitch(latents, semitones, controls, kind=self.kind)


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
    rate_hz: float
    depth: float
    shape: Shape = "sine"
    phase_turns: float = 0.0
    fade_in_s: float = 0.0
    seed: int = 0

    kind: ClassVar[str] = "oscillate"
    LIMITS: ClassVar[dict[str, tuple[float, float]]] = {"fade_in_s": (0.0, 3600.0), "rate_hz": (1e-3, 1e5)}
    MAX_DEPTH: ClassVar[dict[str, float]] = {"loudness": 48.0, "brightness": 4.0, "pitch": 2400.0}

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.target not in TARGETS:
            raise EditError(f"{self.kind}: target={self.target!r} must be one of {', '.join(TARGETS)}.")
        limit = self.MAX_DEPTH[self.target]
        if not 0.0 <= self.depth <= limit:
            unit = {"loudness": "dB", "brightness": "octaves", "pitch": "cents"}[self.target]
            raise EditError(f"{self.kind}: depth={self.depth:g} of {self.target} must lie in 0..{limit:g} {unit}.")

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
    amount: float
    keep_loudness: bool = True
    spectrum_db: tuple[float, ...] = ()
    midi: float = 0.0
    octaves: float = 0.0
    offsets: tuple[float, ...] = ()

    kind: ClassVar[str] = "toward"
    LIMITS: ClassVar[dict[str, tuple[float, float]]] = {"amount": (-0.3, 1.3)}

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
