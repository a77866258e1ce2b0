"""The closed loop: the parameters of named edits are corrected until the decoded sound measures as was asked.

Every knob answers nearly for itself (the decoder is factorised), so each is corrected by its own secant, all in one
decode: level, brightness, and the depth of each oscillation of loudness or brightness. What was not asked for, level
and brightness included, has the goal 0. Moves toward another note and the attack are solved first (see `toward` and
`attack`), the others upon them. Pitch is exact by construction and is only verified.

Shapes: T samples, F frames.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from synth_explorer import measure, pitch
from synth_explorer.closed_loop import attack, toward
from synth_explorer.closed_loop.hearing import Reference
from synth_explorer.closed_loop.outcome import Outcome
from synth_explorer.closed_loop.request import Heard, Request, depth_outcome, known
from synth_explorer.edits import HELD, TARGETS, Attack, Curve, Edit, EditChain, Oscillate, Toward
from synth_explorer.latents import Latents, midi_to_hz
from synth_explorer.lru import LruCache

if TYPE_CHECKING:
    from synth_explorer.explorer import Explorer

SHORT_FRAMES = 2.0
"""What is asked to begin in fewer frames may be faster than it can."""

KEPT = 12  # of references, bases and paths


@dataclass(frozen=True, eq=False)
class Solution:
    """Edited latents and their sound. What is heard of it is measured when it is asked for.

    `asked_first`, `asked`: what was asked, in two parts, see `split`.
    """

    latents: Latents  # to decode
    audio: np.ndarray  # [T], decoded from them
    reference: Reference  # what they were compared with: the sound without the solved edits
    chain: EditChain  # the edits as they were applied, corrections included
    decodes: int  # how many trials were made, the reference not counted; 0 where there was nothing to solve
    note: Latents  # the latents that the edits were asked of
    asked_first: EditChain
    asked: tuple[Edit, ...]
    first: EditChain  # `asked_first` as it was applied
    request: Request  # the knobs of `asked`, as they stood in the trial that was taken
    decoding: dict[str, Any]  # how every sound was decoded
    judge: Callable[[Solution], tuple[Outcome, ...]]  # measures `outcomes`

    @cached_property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What was asked or should have stayed, and what is heard of it; takes longer than a decode, once."""
        return self.judge(self)

    @property
    def reached(self) -> bool:
        """Whether every outcome is."""
        return all(outcome.reached for outcome in self.outcomes)


class ClosedLoop:
    """Solves edits for one explorer. Safe to call from several threads.

    `explorer`: of a checkpoint whose decoder answers at once, with calibrated loudness and brightness.
    """

    def __init__(self, explorer: Explorer) -> None:
        self.explorer = explorer
        self._references: LruCache[Reference] = LruCache(KEPT)
        self._bases: LruCache[tuple[EditChain, Latents]] = LruCache(KEPT)
        self._paths: LruCache[toward.Path] = LruCache(KEPT)

    @property
    def available(self) -> bool:
        """Whether this checkpoint's edits can be solved; otherwise they are applied as they are."""
        controls = self.explorer.controls
        return self.explorer.decoders[0].answers_at_once and None not in (controls.loudness, controls.brightness)

    def solve(
        self, latents: Latents, chain: EditChain, *, seed: int = 0, temperature: float = 1.0, engine: str = "auto"
    ) -> Solution:
        """Apply a chain so that its attack, gain, brightness and oscillations are heard as they were asked.

        The edits of these kinds at the end of the chain are solved; those before another kind are applied as they are,
        since it may depend on them, and an outcome says so. Their reference is the sound of the chain without them.
        Moves toward other notes and the last attack are solved wherever they stand.

        `seed`: of the decoder, as are temperature and engine. Raises EditError, LatentsError: as `Explorer.edit` and
        `Explorer.decode`.
        """
        decoding = _listening(seed, temperature, engine)
        asked_first, asked = split(chain)
        first, base = self._base(latents, asked_first, decoding)
        reference = self._reference(base, decoding)
        silent: dict[str, Any] = decoding | {"temperature": 0.0}
        request = Request.of(
            asked,
            reference,
            self.explorer.controls,
            level_from=self._level_from(latents, first, reference, decoding),
        )
        known = {"note": latents, "asked_first": asked_first, "asked": asked, "first": first}
        known |= {"request": request, "decoding": decoding, "judge": self._judged}
        if not request.has_goals:
            return Solution(base, reference.audio, reference, first, 0, **known)
        if request.noise:
            reference = replace(reference, tones=self._reference(base, silent).audio)
        best: tuple[float, EditChain, Latents, np.ndarray, Heard] | None = None
        decodes = 0
        while decodes < request.most_decodes:
            decodes += 1
            solved = request.chain()
            edited = self.explorer.edit(base, solved)
            same = edited.fingerprint == base.fingerprint
            audio = reference.audio if same else self.explorer.decode(edited, **decoding)
            tones = self.explorer.decode(edited, **silent) if request.noise else None
            request.hear(reference, audio, tones)
            worst = max(abs(knob.error) for knob in request.knobs)
            if best is None or worst < best[0]:
                best = worst, first + solved, edited, audio, request.heard
            if worst <= 1.0 or decodes == request.most_decodes:
                break
            request.turn()
        assert best is not None
        _, applied, edited, audio, request.heard = best
        audio.flags.writeable = False  # it is remembered
        return Solution(edited, audio, reference, applied, decodes, **known)

    def _judged(self, solution: Solution) -> tuple[Outcome, ...]:
        """Outcomes of all that was asked or should have stayed, pitch and the rates of oscillations too."""
        asked, first, reference, audio = solution.asked, solution.asked_first, solution.reference, solution.audio
        outcomes = solution.request.outcomes() if solution.request.has_goals else []
        if not asked:
            outcomes = [item for item in outcomes if item.control == "loudness"]
        swells = any(isinstance(edit, Oscillate) and edit.target == "loudness" for edit in asked)
        outcomes += unheard(first)
        frame_s = 1.0 / solution.note.frame_rate_hz
        outcomes += _attacks(first, reference, reference.audio if swells else audio, frame_s=frame_s)
        outcomes += self._towards(solution)
        return (*outcomes, *self._verified(solution))

    def sound(self, latents: Latents, *, seed: int = 0, temperature: float = 1.0, engine: str = "auto") -> np.ndarray:
        """The sound [T] of latents as `solve` hears it, remembered: not to be written to."""
        return self._reference(latents, _listening(seed, temperature, engine)).audio

    def _base(self, latents: Latents, rest: EditChain, decoding: dict[str, Any]) -> tuple[EditChain, Latents]:
        """What is applied first, its moves toward other notes and its last attack solved, and the note with it."""
        if not any(isinstance(edit, (Attack, Toward)) for edit in rest):
            return rest, self.explorer.edit(latents, rest)

        def solved() -> tuple[EditChain, Latents]:
            edits = list(rest)
            for at, edit in enumerate(edits):
                if isinstance(edit, Toward):
                    before = self.explorer.edit(latents, EditChain(tuple(edits[:at])))
                    edits[at] = self._path(before, edit, decoding).applied(edit)
            attacks = [(at, edit) for at, edit in enumerate(edits) if isinstance(edit, Attack)]
            if not attacks:
                return EditChain(tuple(edits)), self.explorer.edit(latents, EditChain(tuple(edits)))
            at, asked = attacks[-1]
            first, after = edits[:at], edits[at + 1 :]
            before = self.explorer.edit(latents, EditChain(tuple(first)))

            def sound(edit: Attack) -> np.ndarray:
                return self._reference(self.explorer.edit(before, EditChain((edit, *after))), decoding).audio

            trial = attack.solve(asked, sound, sample_rate_hz=self.explorer.sample_rate_hz)
            return EditChain((*first, trial.edit, *after)), self.explorer.edit(before, EditChain((trial.edit, *after)))

        key = latents.fingerprint, rest, tuple(decoding.items())
        return self._bases.get(key) or self._bases.put(key, solved())

    def _path(self, before: Latents, asked: Toward, decoding: dict[str, Any]) -> toward.Path:
        """The way from a note to another one's mean sound."""

        def sound(one: Latents) -> np.ndarray:
            return self._reference(one, decoding).audio if one is before else self.explorer.decode(one, **decoding)

        def found() -> toward.Path:
            return toward.find(asked, before, self.explorer, sound)

        goal = asked.mean, asked.spectrum_db, asked.midi, asked.keep_loudness
        key = (before.fingerprint, goal, tuple(decoding.items()))
        return self._paths.get(key) or self._paths.put(key, found())

    def _towards(self, solution: Solution) -> list[Outcome]:
        """Outcomes of moves toward other notes, each heard before what stands behind it is applied."""
        found: list[Outcome] = []
        for at, edit in enumerate(solution.asked_first):
            if not isinstance(edit, Toward) or not 0.0 < edit.amount <= 1.0:
                continue
            before = self.explorer.edit(solution.note, EditChain(tuple(solution.first)[:at]))
            path = self._path(before, edit, solution.decoding)
            earlier = replace(edit, amount=max(edit.amount - toward.STEP_BACK_AFTER, 0.0))
            heard = [self._spectrum_db(before, path.applied(one), solution.decoding) for one in (edit, earlier)]
            found += toward.outcomes(path, edit, *heard)
        return found

    def _spectrum_db(self, before: Latents, edit: Edit, decoding: dict[str, Any]) -> np.ndarray:
        """The mean spectrum of a note with an edit, [M]."""
        sound = self._reference(self.explorer.edit(before, EditChain((edit,))), decoding).audio
        return measure.mean_spectrum_db(sound, sample_rate_hz=self.explorer.sample_rate_hz)

    def _level_from(
        self, latents: Latents, rest: EditChain, reference: Reference, decoding: dict[str, Any]
    ) -> Reference:
        """What the level is compared with: the reference, without edits that promise to leave it but do not quite."""
        others = _only(rest, lambda edit: not keeps_loudness(edit))
        return reference if len(others) == len(rest) else self._reference(self.explorer.edit(latents, others), decoding)

    def _reference(self, base: Latents, decoding: dict[str, Any]) -> Reference:
        """The base's sound, decoded once."""

        def heard() -> Reference:
            audio = self.explorer.decode(base, **decoding)
            audio.flags.writeable = False  # it is remembered
            return Reference(audio, self.explorer.sample_rate_hz, midi_to_hz(base.pitch_midi))

        key = base.fingerprint, tuple(decoding.items())
        return self._references.get(key) or self._references.put(key, heard())

    def _verified(self, solution: Solution) -> list[Outcome]:
        """Outcomes of pitch and of oscillations' rates.

        The pitch is compared with that of the note without the edits that leave it or say by how much it moves.
        """
        latents, first, asked = solution.note, solution.first, solution.asked
        reference, audio = solution.reference, solution.audio
        moved = [self.explorer.edit(latents, _only(first, keep)) for keep in (_moves_pitch, _sets_pitch)]
        cents = 100.0 * (moved[1].pitch_midi - moved[0].pitch_midi)
        unedited = self._reference(moved[0], solution.decoding)
        pitches = [edit for edit in asked if isinstance(edit, Oscillate) and edit.target == "pitch"]
        heard = unedited.pitch_cents(audio, expected_cents=cents, swings=bool(pitches))
        movement = measure.movement_words(pitch.hz_to_midi(moved[0].pitch_hz))
        movement = "" if movement.startswith("stays") else movement
        held = HELD["pitch"]
        outcomes = [Outcome(held.name, held.unit, cents, known(heard), held.tolerance, movement=movement)]
        depths = reference.depths(audio, pitches, target="pitch") if pitches else []
        outcomes += [depth_outcome(edit, depth) for edit, depth in zip(pitches, depths, strict=True)]
        for target in TARGETS:
            swings = [edit for edit in asked if isinstance(edit, Oscillate) and edit.target == target]
            if len(swings) == 1 and swings[0].shape != "walk" and swings[0].depth > 0:
                rate_hz = reference.rate_hz(audio, target=target)
                wanted, rate = swings[0].rate_hz, Oscillate.rate
                name = f"oscillation of {target}, rate"
                outcomes.append(Outcome(name, rate.unit, wanted, known(rate_hz), rate.within(wanted)))
        return outcomes


def _listening(seed: int, temperature: float, engine: str) -> dict[str, Any]:
    """How every sound is decoded that is listened to."""
    return {"seed": seed, "temperature": temperature, "engine": engine}


def _attacks(rest: EditChain, reference: Reference, audio: np.ndarray, *, frame_s: float) -> list[Outcome]:
    """The outcome of the last attack that was asked for, none where there is none."""
    edits = list(rest)
    attacks = [(at, edit) for at, edit in enumerate(edits) if isinstance(edit, Attack)]
    if not attacks:
        return []
    at, last = attacks[-1]
    asked_s, heard = last.seconds, reference.attack_s(audio)
    plain = Outcome(*last.promise, known(heard), Attack.figure.within(asked_s))
    if plain.reached:
        return [plain]
    if plain.measured is None:
        return [replace(plain, reason="it is silent")]
    shaped = any(not edit.transposes for edit in edits[at + 1 :])
    if shaped:
        return [replace(plain, limit=heard, reason="what is edited behind it shapes the beginning too")]
    if asked_s < min(heard, SHORT_FRAMES * frame_s):
        return [replace(plain, limit=heard, reason="its beginning becomes no faster")]
    return [replace(plain, reason="its loudness is too uneven, no rise comes nearer")]


def unheard(first: EditChain) -> list[Outcome]:
    """Of edits that would be solved at the end of a chain, but stand before one that may change what they did."""
    found, edits = [], list(first)
    for at, edit in enumerate(edits):
        if edit.solved:
            behind = next(other.kind for other in edits[at + 1 :] if not (other.solved or other.transposes))
            why = f"{behind} stands behind it in the chain, so it is applied by its formula"
            found.append(Outcome(*edit.promise, None, 0.0, reason=why))
    return found


def keeps_loudness(edit: Edit) -> bool:
    """Whether an edit promises a loudness that its formula alone does not hold."""
    return isinstance(edit, Toward) and edit.keep_loudness


def _moves_pitch(edit: Edit) -> bool:
    """Whether an edit may move the pitch and promises nothing of it."""
    return not edit.leaves_pitch or (isinstance(edit, (Curve, Oscillate)) and edit.target == "pitch")


def _sets_pitch(edit: Edit) -> bool:
    """Whether an edit moves the pitch at all."""
    return _moves_pitch(edit) or edit.transposes


def _only(chain: EditChain, keep: Callable[[Edit], bool]) -> EditChain:
    return EditChain(tuple(edit for edit in chain if keep(edit)))


def split(chain: EditChain) -> tuple[EditChain, tuple[Edit, ...]]:
    """A chain as (what is applied first, as it is; what is solved): together they do what the chain does."""
    edits = list(chain)
    start = len(edits)
    while start and (edits[start - 1].solved or edits[start - 1].transposes):
        start -= 1
    first = edits[:start] + [edit for edit in edits[start:] if edit.transposes]
    return EditChain(tuple(first)), tuple(edit for edit in edits[start:] if edit.solved)
