"""What a chain asks of the closed loop: knobs that are turned until what is heard of each meets its goal.

Shapes: T samples.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from synth_explorer.closed_loop.hearing import APART_HZ, Reference
from synth_explorer.closed_loop.outcome import Outcome
from synth_explorer.closed_loop.together import Together, measured_answers
from synth_explorer.edits import (
    HELD,
    Brightness,
    Controls,
    Edit,
    EditChain,
    Figure,
    Gain,
    Hollowness,
    Noisiness,
    Oscillate,
    Spread,
    wave,
)

SWING_AIM = 0.25
"""In dB, for the level of a sound whose loudness swings."""

ANSWER = {
    "level": 1.0,
    "brightness": 0.97,
    "noise": 1.0,
    "shape": 1.0,
    "loudness depth": 1.0,
    "brightness depth": 0.96,
    "pitch depth": 1.0,
}
"""What is heard of a step of 1, as first guess."""

MOST_DECODES, MOST_DECODES_TOGETHER = 3, 8
FARTHEST_AIMS = 20.0  # that a knob is turned at once by what others do
SHAPES: tuple[type[Edit], ...] = (Spread, Hollowness)
"""Edits of the shape of the spectrum, each by a direction that was calibrated."""

Heard = tuple[list[float], list[float]]


@dataclass
class Knob:
    """A number that is turned until what is heard of it meets the goal."""

    goal: float
    value: float
    answer: float
    aim: float
    low: float
    high: float
    heard: float = float("nan")
    tried: list[tuple[float, float]] = field(default_factory=list)

    @property
    def error(self) -> float:
        """What is missing, in multiples of the aim; 0 where nothing can be heard."""
        return 0.0 if np.isnan(self.heard) else (self.goal - self.heard) / self.aim

    def hear(self, heard: float) -> None:
        self.heard = heard
        self.tried.append((self.value, heard))

    def turn(self) -> None:
        """Correct the value along the line through the last two trials, or through the first and the guess."""
        if abs(self.error) <= 1.0:
            return
        slope = self.answer
        if len(self.tried) > 1:
            (x0, y0), (x1, y1) = self.tried[-2:]
            if abs(x1 - x0) > 1e-6:
                slope = float(np.clip((y1 - y0) / (x1 - x0), 0.3 * self.answer, 1.5 * self.answer))
        self.value = float(np.clip(self.value + (self.goal - self.heard) / slope, self.low, self.high))


@dataclass
class Request:
    """The knobs of a chain's solved edits.

    Attributes:
        level, brightness: of the whole sound, asked for or held.
        stills: for each oscillation of brightness a knob for the RMS level that swings with it, in dB; None for others,
            and where it is not told apart. The decoder holds a loudness that weighs the treble more than RMS does.
        swung_db: how far the level swings with each oscillation in whatever phase, NaN where that is not told.
    """

    level: Knob
    level_from: Reference  # what the level is compared with: the sound without the edits that promise to leave it, too
    has_goals: bool  # whether there is anything to turn a knob for; otherwise the sound is its own reference
    brightness: Knob
    oscillations: list[Oscillate]  # that are asked for
    depths: list[Knob]  # a knob for each of them
    stills: list[Knob | None]
    noise: Knob | None  # where noisiness is asked for
    shapes: dict[type[Edit], Knob]  # of those of `SHAPES` that are asked for
    together: Together | None  # turns these with brightness and noise, which they move
    by_loudness: bool  # whether the level is that of BS.1770, not RMS
    asks_gain: bool  # whether the level was asked to move
    asked_octaves: float  # of brightness; its knob's goal is what the note has room for
    swung_db: list[float] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        asked: tuple[Edit, ...],
        reference: Reference,
        controls: Controls,
        *,
        level_from: Reference | None = None,
    ) -> Request:
        """The knobs that solve `asked` upon the sound of `reference`. Raises EditError: a direction is not there."""
        lost = [edit.kind for edit in asked if not isinstance(edit, (Brightness, Gain, Noisiness, Oscillate, *SHAPES))]
        assert not lost, f"{', '.join(lost)}: an edit that is `solved` needs a knob here"
        level_from = level_from or reference
        moved_db = 0.0 if level_from is reference else known(level_from.loudness_db(reference.audio)) or 0.0
        gain = sum(edit.db for edit in asked if isinstance(edit, Gain))
        octaves = sum(edit.octaves for edit in asked if isinstance(edit, Brightness))
        swings = [edit for edit in asked if isinstance(edit, Oscillate)]
        noise = _noise_knob([edit.db for edit in asked if isinstance(edit, Noisiness)])
        shapes = _shape_knobs(asked, controls)
        swells_db = sum(_swell_db(edit) for edit in swings if edit.target == "loudness")
        request = cls(
            _level_knob(gain, gain - swells_db - (moved_db if abs(moved_db) > Gain.figure.aim else 0.0), swells_db),
            level_from,
            bool(asked) or level_from is not reference,
            _brightness_knob(octaves, reference),
            swings,
            [_depth_knob(edit) for edit in swings],
            [_still_knob(edit, swings) for edit in swings],
            noise=noise,
            shapes=shapes,
            together=None,
            by_loudness=octaves != 0
            or level_from is not reference
            or any(isinstance(edit, (Noisiness, *SHAPES)) for edit in asked)
            or any(edit.target == "brightness" for edit in swings),
            asks_gain=any(isinstance(edit, Gain) for edit in asked),
            asked_octaves=octaves,
        )
        if shapes:
            names = ["brightness", *(kind.kind for kind in shapes), *(["noisiness"] if noise else [])]
            aims = np.array([knob.aim for knob in request._moving])
            request.together = Together(measured_answers(names, controls.measured) * aims / aims[:, None])
            request.turn()
        return request

    @property
    def most_decodes(self) -> int:
        """How many trials are worth their time."""
        return MOST_DECODES_TOGETHER if self.together else MOST_DECODES

    @property
    def _moving(self) -> list[Knob]:
        """Those that are turned together."""
        return [self.brightness, *self.shapes.values(), *([self.noise] if self.noise else [])]

    def turn(self) -> None:
        """Correct every knob by what was heard of it, or, before anything was, by what is known of how they answer."""
        if self.together is None:
            for knob in self.knobs:
                knob.turn()
            return
        moving = self._moving
        values, heard, goals = (
            np.array([getattr(knob, name) / knob.aim for knob in moving]) for name in ("value", "heard", "goal")
        )
        if not moving[0].tried:
            values, steps = np.zeros(len(moving)), self.together.step(goals)
        else:
            self.together.learn(values, heard)
            steps = np.clip(self.together.step(goals - heard), -FARTHEST_AIMS, FARTHEST_AIMS)
        for knob, value in zip(moving, values + steps, strict=True):
            knob.value = float(np.clip(value * knob.aim, knob.low, knob.high))
        for knob in (self.level, *self.depths, *filter(None, self.stills)):
            if knob.tried:
                knob.turn()

    @property
    def knobs(self) -> list[Knob]:
        more = *self.stills, self.noise
        return [self.level, self.brightness, *self.depths, *self.shapes.values(), *filter(None, more)]

    @property
    def heard(self) -> Heard:
        """What was heard of each knob in the last trial, and `swung_db`; set it to go back to an earlier one."""
        return [knob.heard for knob in self.knobs], self.swung_db

    @heard.setter
    def heard(self, earlier: Heard) -> None:
        for knob, value in zip(self.knobs, earlier[0], strict=True):
            knob.heard = value
        self.swung_db = earlier[1]

    def chain(self) -> EditChain:
        """The edits with the knobs as they stand."""
        swings = (replace(edit, depth=knob.value) for edit, knob in zip(self.oscillations, self.depths, strict=True))
        noise = [Noisiness(self.noise.value)] if self.noise else []
        shapes = (kind.of(knob.value) for kind, knob in self.shapes.items())
        against = [
            _swing_against(edit, knob.value)
            for edit, knob in zip(self.oscillations, self.stills, strict=True)
            if knob and knob.value
        ]
        return EditChain(
            (*noise, *shapes, Brightness(self.brightness.value), Gain(self.level.value), *swings, *against)
        )

    def hear(self, reference: Reference, audio: np.ndarray, tones: np.ndarray | None) -> None:
        """Tell every knob what is heard of it; `tones` [T] is the sound without its noise, if noise was asked for."""
        if self.noise and tones is not None:
            self.noise.hear(reference.noise_db(audio, tones))
        for kind, knob in self.shapes.items():
            knob.hear(reference.shape_change(audio, kind.kind))
        level_db = self.level_from.loudness_db if self.by_loudness else self.level_from.level_db
        self.level.hear(level_db(audio))
        self.brightness.hear(reference.brightness_octaves(audio))
        for target in ("loudness", "brightness"):
            chosen = [i for i, edit in enumerate(self.oscillations) if edit.target == target]
            edits = [self.oscillations[i] for i in chosen]
            for i, depth in zip(chosen, reference.depths(audio, edits, target=target) if edits else [], strict=True):
                self.depths[i].hear(depth)
        self._hear_stills(reference, audio)

    def _hear_stills(self, reference: Reference, audio: np.ndarray) -> None:
        """Tell every still how far the level swings with its oscillation."""
        self.swung_db = [float("nan")] * len(self.oscillations)
        chosen = [(i, knob) for i, knob in enumerate(self.stills) if knob]
        if chosen:
            beside = [edit for edit in self.oscillations if edit.target == "loudness" and edit.shape != "walk"]
            edits = [self.oscillations[i] for i, _ in chosen]
            for (i, knob), value in zip(chosen, reference.level_swings_db(audio, edits, beside=beside), strict=True):
                knob.hear(float(value.real))
                self.swung_db[i] = abs(value)

    def outcomes(self) -> list[Outcome]:
        """Level, brightness, and the depths that were heard."""
        name, figure = (Gain.kind, Gain.figure) if self.asks_gain else ("loudness", HELD["loudness"])
        level = Outcome(name, figure.unit, self.level.goal, known(self.level.heard), figure.tolerance)
        found = [level, self._brightness_outcome()]
        if self.noise:
            why = "" if np.isfinite(self.noise.heard) else "this note has no noise to change"
            heard, figure = known(self.noise.heard), Noisiness.figure
            found.append(Outcome(figure.name, figure.unit, self.noise.goal, heard, figure.tolerance, reason=why))
        found += [_shape_outcome(kind.figure, knob) for kind, knob in self.shapes.items()]
        found += [
            depth_outcome(edit, knob.heard)
            for edit, knob in zip(self.oscillations, self.depths, strict=True)
            if edit.target != "pitch"
        ]
        still = Oscillate.beside
        heard = [swung for swung in self.swung_db if known(swung) is not None]
        swings = [Outcome(still.name, still.unit, 0.0, swung, still.tolerance) for swung in heard]
        return found + [item for item in swings if not item.reached]

    def _brightness_outcome(self) -> Outcome:
        asked, heard, figure = self.asked_octaves, self.brightness.heard, Brightness.figure
        plain = Outcome(figure.name, figure.unit, asked, known(heard), figure.tolerance)
        if plain.measured is None or plain.reached or asked == 0:
            return plain
        if self.brightness.goal != asked:
            why = "darker than that, it would be darker than its own pitch"
        elif abs(heard) > abs(asked) and heard * asked > 0:
            why = "it answers too unevenly to be set more closely"
        else:
            why = "the decoder cannot tilt its spectrum further"
        return replace(plain, limit=heard, reason=why)


def _level_knob(goal_db: float, guess_db: float, swells_db: float) -> Knob:
    low, high = Gain.numbers()["db"].range
    aim = SWING_AIM if swells_db else Gain.figure.aim
    return Knob(goal_db, float(np.clip(guess_db, low, high)), ANSWER["level"], aim, low, high)


def _brightness_knob(octaves: float, reference: Reference) -> Knob:
    """Brightness goes no darker than the note has room."""
    goal = max(octaves, reference.room_below_octaves()) if octaves < 0 else octaves
    low, high = Brightness.numbers()["octaves"].range
    guess = float(np.clip(goal / ANSWER["brightness"], low, high))
    return Knob(goal, guess, ANSWER["brightness"], Brightness.figure.aim, low, high)


def _noise_knob(asked_db: list[float]) -> Knob | None:
    """Noisiness, where it is asked for."""
    goal = float(sum(asked_db))
    range_ = Noisiness.numbers()["db"].range
    return Knob(goal, goal, ANSWER["noise"], Noisiness.figure.aim, *range_) if asked_db else None


def _shape_knobs(asked: tuple[Edit, ...], controls: Controls) -> dict[type[Edit], Knob]:
    """For each of `SHAPES` that is asked for, as far as its direction was measured."""
    knobs = {}
    for kind in SHAPES:
        wanted = [edit.wanted for edit in asked if isinstance(edit, kind)]
        if wanted:
            goal, heard = float(sum(wanted)), controls.axis(kind.kind).heard
            low, high = heard[0], heard[-1]
            knobs[kind] = Knob(goal, float(np.clip(goal, low, high)), ANSWER["shape"], kind.figure.aim, low, high)
    return knobs


def _shape_outcome(figure: Figure, knob: Knob) -> Outcome:
    plain = Outcome(figure.name, figure.unit, knob.goal, known(knob.heard), figure.tolerance)
    if plain.measured is None:
        return replace(plain, reason="it can't be told at this pitch")
    if plain.reached:
        return plain
    taken = next(value for value, heard in knob.tried if heard == knob.heard)
    if taken in (knob.low, knob.high):
        return replace(plain, limit=knob.heard, reason="further than that, the direction was not measured")
    return replace(plain, reason="it answers too unevenly to be set more closely")


def _depth_knob(edit: Oscillate) -> Knob:
    answer, fact = ANSWER[f"{edit.target} depth"], Oscillate.DEPTHS[edit.target]
    aim, most = max(edit.figure.near(edit.depth), fact.aim), fact.range[1]
    return Knob(edit.depth, min(edit.depth / answer, most), answer, aim, 0.5 * edit.depth, min(2.0 * edit.depth, most))


def _still_knob(edit: Oscillate, swings: list[Oscillate]) -> Knob | None:
    """For a periodic oscillation of brightness whose rate no other of brightness or loudness has."""
    near = [other for other in swings if other.target != "pitch" and abs(other.rate_hz - edit.rate_hz) < APART_HZ]
    if edit.target != "brightness" or edit.shape == "walk" or len(near) > 1:
        return None
    most = Oscillate.DEPTHS["loudness"].range[1]
    return Knob(0.0, 0.0, ANSWER["loudness depth"], Oscillate.beside.aim, -most, most)


def _swing_against(edit: Oscillate, depth_db: float) -> Oscillate:
    """An oscillation of loudness in step with another one, or against it where the depth is negative."""
    turned = edit.phase_turns + (0.5 if depth_db < 0 else 0.0)
    return replace(edit, target="loudness", depth=abs(depth_db), phase_turns=turned)


def _swell_db(edit: Oscillate) -> float:
    """By how much an oscillation of loudness raises the mean power of a steady sound."""
    shape = wave(400, frame_rate_hz=400.0, rate_hz=4.0, shape=edit.shape, kept=1.0)
    return float(10.0 * np.log10(np.mean(10.0 ** (edit.depth * shape / 10.0))))


def depth_outcome(edit: Oscillate, depth: float) -> Outcome:
    why, within = "", edit.figure.within(edit.depth)
    if np.isnan(depth):
        why = "a random walk has no single rate" if edit.shape == "walk" else "too few turns, or two of nearly one rate"
    elif edit.target == "brightness" and depth < edit.depth:
        why = "its spectrum has too little room to swing"
    return Outcome(
        *edit.promise,
        known(depth),
        within,
        limit=None if np.isnan(depth) or abs(depth - edit.depth) <= within else depth,
        reason=why,
    )


def known(value: float) -> float | None:
    """A finite number, or None."""
    return float(value) if np.isfinite(value) else None
