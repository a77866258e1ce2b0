"""The closed loop: the parameters of named edits are corrected until the decoded sound measures as was asked.

Every knob answers nearly for itself (the decoder is factorised), so each is corrected by its own secant, all in one
decode: level, brightness, and the depth of each oscillation of loudness or brightness. What was not asked for, level
and brightness included, has the goal 0. Pitch is exact by construction and is only verified.

Shapes: T samples, F frames.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from synth_explorer.closed_loop.hearing import Reference
from synth_explorer.closed_loop.outcome import Outcome
from synth_explorer.edits import Brightness, Edit, EditChain, Gain, Noisiness, Oscillate, SetPitch, Transpose
from synth_explorer.latents import Latents, midi_to_hz

if TYPE_CHECKING:
    from synth_explorer.explorer import Explorer

SOLVED = (Gain, Brightness, Oscillate, Noisiness)
"""Edits that are solved, the last of them by holding level and brightness while the noise moves."""

PASSED_OVER = (Transpose, SetPitch)
"""Edits that may stand behind a solved one: the order of the two makes no difference."""

TOLERANCE = {"gain": 0.5, "loudness": 1.0, "brightness": 0.1, "pitch": 5.0, "depth": 0.15, "rate": 0.01}
"""Within which an outcome is reached: dB, dB, octaves, cents, and proportions."""

AIM = {"level": 0.1, "brightness": 0.03, "depth": 0.04}
"""How near the loop tries to come: dB, octaves, a proportion."""

ANSWER = {"level": 1.0, "brightness": 0.97, "depth": 1.0}
"""What is heard of a step of 1, as first guess."""

MOST_DECODES = 3
KEPT_REFERENCES = 8
UNITS = {"loudness": "dB", "brightness": "octaves", "pitch": "cents"}


@dataclass(frozen=True, eq=False)
class Solution:
    """Edited latents whose sound was measured.

    Attributes:
        latents: to decode.
        audio: [T], decoded from them.
        reference: what they were compared with: the sound without the solved edits.
        chain: the edits as they were applied, corrections included.
        outcomes: what was asked or should have stayed, and what was heard.
        decodes: how many sounds were made, the reference not counted.
    """

    latents: Latents
    audio: np.ndarray
    reference: Reference
    chain: EditChain
    outcomes: tuple[Outcome, ...]
    decodes: int

    @property
    def reached(self) -> bool:
        """Whether every outcome is."""
        return all(outcome.reached for outcome in self.outcomes)


@dataclass
class _Knob:
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


class ClosedLoop:
    """Solves edits for one explorer. Safe to call from several threads.

    Args:
        explorer: of a checkpoint that has the fast decoder and calibrated loudness and brightness.
    """

    def __init__(self, explorer: Explorer) -> None:
        self.explorer = explorer
        self._references: OrderedDict[Any, Reference] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def available(self) -> bool:
        """Whether this checkpoint's edits can be solved; otherwise they are applied as they are."""
        controls = self.explorer.controls
        return "fast" in self.explorer.decoders and None not in (controls.loudness, controls.brightness)

    def solve(
        self,
        latents: Latents,
        chain: EditChain,
        *,
        seed: int = 0,
        temperature: float = 1.0,
        engine: str = "auto",
        verify: bool = False,
        most_decodes: int = MOST_DECODES,
    ) -> Solution:
        """Apply a chain so that its gain, brightness and oscillations are heard as they were asked.

        The edits of these kinds at the end of the chain are solved; those before another kind are applied as they are,
        since it may depend on them. Their reference is the sound of the chain without them.

        Args:
            latents: a note of this checkpoint.
            chain: what is asked.
            seed: of the decoder, as are temperature and engine.
            verify: measure pitch and the rates of oscillations too, which takes longer than a decode.
            most_decodes: sounds to make at most.

        Raises:
            EditError, LatentsError: as `Explorer.edit` and `Explorer.decode`.
        """
        decoding = {"decoder": "fast", "seed": seed, "temperature": temperature, "engine": engine}
        rest, asked = split(chain)
        base = self.explorer.edit(latents, rest)
        reference = self._reference(base, decoding)
        request = _Request.of(asked, reference)
        best: tuple[float, EditChain, Latents, np.ndarray, list[float]] | None = None
        for step in range(most_decodes):
            solved = request.chain()
            edited = self.explorer.edit(base, solved)
            audio = self.explorer.decode(edited, **decoding)
            request.hear(reference, audio)
            worst = max(abs(knob.error) for knob in request.knobs)
            if best is None or worst < best[0]:
                best = worst, rest + solved, edited, audio, [knob.heard for knob in request.knobs]
            if worst <= 1.0 or step == most_decodes - 1:
                break
            for knob in request.knobs:
                knob.turn()
        _, applied, edited, audio, heard = best
        for knob, value in zip(request.knobs, heard, strict=True):
            knob.heard = value
        outcomes = request.outcomes()
        if verify:
            outcomes += self._verified(latents, base, asked, reference, audio, decoding)
        return Solution(edited, audio, reference, applied, tuple(outcomes), step + 1)

    def _reference(self, base: Latents, decoding: dict[str, Any]) -> Reference:
        """The base's sound, decoded once."""
        key = (base.z.tobytes(), base.pitch_hz.tobytes(), base.meta, tuple(decoding.items()))
        with self._lock:
            if key in self._references:
                self._references.move_to_end(key)
                return self._references[key]
        audio = self.explorer.decode(base, **decoding)
        found = Reference(audio, self.explorer.sample_rate_hz, midi_to_hz(base.pitch_midi))
        with self._lock:
            self._references[key] = found
            while len(self._references) > KEPT_REFERENCES:
                self._references.popitem(last=False)
        return found

    def _verified(
        self,
        latents: Latents,
        base: Latents,
        asked: tuple[Edit, ...],
        reference: Reference,
        audio: np.ndarray,
        decoding: dict[str, Any],
    ) -> list[Outcome]:
        """Outcomes of pitch and of oscillations' rates."""
        cents = 100.0 * (base.pitch_midi - latents.pitch_midi)
        unedited = reference if abs(cents) < 0.1 else self._reference(latents, decoding)
        heard = unedited.pitch_cents(audio, expected_cents=cents)
        outcomes = [Outcome("pitch", "cents", cents, _known(heard), TOLERANCE["pitch"])]
        pitches = [edit for edit in asked if isinstance(edit, Oscillate) and edit.target == "pitch"]
        depths = reference.depths(audio, pitches, target="pitch") if pitches else []
        outcomes += [_depth_outcome(edit, depth) for edit, depth in zip(pitches, depths, strict=True)]
        for target in UNITS:
            swings = [edit for edit in asked if isinstance(edit, Oscillate) and edit.target == target]
            if len(swings) == 1 and swings[0].shape != "walk" and swings[0].depth > 0:
                rate_hz = reference.rate_hz(audio, target=target)
                wanted = swings[0].rate_hz
                name = f"oscillation of {target}, rate"
                outcomes.append(Outcome(name, "Hz", wanted, _known(rate_hz), TOLERANCE["rate"] * wanted))
        return outcomes


@dataclass
class _Request:
    """The knobs of a chain's solved edits."""

    level: _Knob
    brightness: _Knob
    oscillations: list[Oscillate]
    depths: list[_Knob]
    noise: tuple[Noisiness, ...]
    by_loudness: bool
    asks_gain: bool
    asked_octaves: float

    @classmethod
    def of(cls, asked: tuple[Edit, ...], reference: Reference) -> _Request:
        gain = sum(edit.db for edit in asked if isinstance(edit, Gain))
        octaves = sum(edit.octaves for edit in asked if isinstance(edit, Brightness))
        swings = [edit for edit in asked if isinstance(edit, Oscillate)]
        goal = max(octaves, reference.room_below_octaves()) if octaves < 0 else octaves
        low, high = Gain.LIMITS["db"]
        darkest, brightest = Brightness.LIMITS["octaves"]
        return cls(
            _Knob(gain, gain, ANSWER["level"], AIM["level"], low, high),
            _Knob(goal, goal / ANSWER["brightness"], ANSWER["brightness"], AIM["brightness"], darkest, brightest),
            swings,
            [
                _Knob(
                    edit.depth,
                    edit.depth,
                    ANSWER["depth"],
                    max(AIM["depth"] * edit.depth, 1e-6),
                    0.5 * edit.depth,
                    min(2.0 * edit.depth, Oscillate.MAX_DEPTH[edit.target]),
                )
                for edit in swings
            ],
            noise=tuple(edit for edit in asked if isinstance(edit, Noisiness)),
            by_loudness=octaves != 0
            or any(isinstance(edit, Noisiness) or (edit in swings and edit.target == "brightness") for edit in asked),
            asks_gain=any(isinstance(edit, Gain) for edit in asked),
            asked_octaves=octaves,
        )

    @property
    def knobs(self) -> list[_Knob]:
        return [self.level, self.brightness, *self.depths]

    def chain(self) -> EditChain:
        """The edits with the knobs as they stand."""
        swings = (replace(edit, depth=knob.value) for edit, knob in zip(self.oscillations, self.depths, strict=True))
        return EditChain((*self.noise, Brightness(self.brightness.value), Gain(self.level.value), *swings))

    def hear(self, reference: Reference, audio: np.ndarray) -> None:
        """Tell every knob what is heard of it."""
        self.level.hear(reference.loudness_db(audio) if self.by_loudness else reference.level_db(audio))
        self.brightness.hear(reference.brightness_octaves(audio))
        for target in ("loudness", "brightness"):
            chosen = [i for i, edit in enumerate(self.oscillations) if edit.target == target]
            edits = [self.oscillations[i] for i in chosen]
            for i, depth in zip(chosen, reference.depths(audio, edits, target=target) if edits else [], strict=True):
                self.depths[i].hear(depth)

    def outcomes(self) -> list[Outcome]:
        """Level, brightness, and the depths that were heard."""
        name = "gain" if self.asks_gain else "loudness"
        level = Outcome(name, "dB", self.level.goal, _known(self.level.heard), TOLERANCE[name])
        found = [level, self._brightness_outcome()]
        return found + [
            _depth_outcome(edit, knob.heard)
            for edit, knob in zip(self.oscillations, self.depths, strict=True)
            if edit.target != "pitch"
        ]

    def _brightness_outcome(self) -> Outcome:
        asked, heard = self.asked_octaves, self.brightness.heard
        plain = Outcome("brightness", "octaves", asked, _known(heard), TOLERANCE["brightness"])
        if plain.measured is None or plain.reached or asked == 0:
            return plain
        if self.brightness.goal != asked:
            why = "darker than that, it would be darker than its own pitch"
        else:
            why = "the decoder cannot tilt its spectrum further"
        return replace(plain, limit=heard, reason=why)


def _depth_outcome(edit: Oscillate, depth: float) -> Outcome:
    why = ""
    if np.isnan(depth):
        why = "a random walk has no single rate" if edit.shape == "walk" else "too few turns, or two of nearly one rate"
    return Outcome(
        f"oscillation of {edit.target}",
        UNITS[edit.target],
        edit.depth,
        _known(depth),
        TOLERANCE["depth"] * edit.depth,
        limit=None if np.isnan(depth) or abs(depth - edit.depth) <= TOLERANCE["depth"] * edit.depth else depth,
        reason=why,
    )


def _known(value: float) -> float | None:
    """A finite number, or None."""
    return float(value) if np.isfinite(value) else None


def split(chain: EditChain) -> tuple[EditChain, tuple[Edit, ...]]:
    """A chain as (what is applied first, as it is; what is solved): together they do what the chain does."""
    edits = list(chain)
    start = len(edits)
    while start and isinstance(edits[start - 1], SOLVED + PASSED_OVER):
        start -= 1
    first = edits[:start] + [edit for edit in edits[start:] if isinstance(edit, PASSED_OVER)]
    return EditChain(tuple(first)), tuple(edit for edit in edits[start:] if isinstance(edit, SOLVED))
