"""Calibration from the first note to the finished controls, in steps that a stop does not lose.

Shapes: C channels.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from synth_explorer.calibration import answers, directions
from synth_explorer.calibration.answers import Answer
from synth_explorer.calibration.hearing import NAMES, SPAN
from synth_explorer.calibration.journal import Journal
from synth_explorer.calibration.response import Probe, Swept, along, built_in, hear, make_probe
from synth_explorer.calibration.views import Note, Views, look
from synth_explorer.edits import UNITS, Controls, NamedAxis, PrincipalAxis
from synth_explorer.errors import AudioError, DataError, EditError, LatentsError

if TYPE_CHECKING:
    from synth_explorer.explorer import Explorer

Progress = Callable[[int, int], None]
FORMAT_VERSION = 1
FEWEST_NOTES = 2
SPANS = (-3.0, -2.0, -1.5, -1.0, -0.5, 0.5, 1.0, 1.5, 2.0, 3.0)
FEW_SPANS = (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0)
STEPS, FEW_STEPS = (-2.0, -1.5, -1.0, -0.5, 0.5, 1.0, 1.5, 2.0), (-2.0, -1.0, 1.0, 2.0)


@dataclass(frozen=True)
class Settings:
    """How much is listened to."""

    notes: int = 400  # paired views of so many notes at most
    probes: int = 24  # so many of them are moved and decoded; every second one makes the curves, the others check them
    stretch_s: float = 2.0  # so much of each of those
    directions: int = 4  # so many principal directions at most
    few: bool = False  # fewer settings, for a decoder that takes its time
    engine: str = "auto"  # that decodes

    @classmethod
    def suited(cls, explorer: Explorer, **given: Any) -> Settings:
        """Those that suit a checkpoint's decoder, but for what is given (None: not given)."""
        slow = {"probes": 6, "stretch_s": 0.5, "directions": 3, "few": True}
        slow = {} if explorer.decoders[0].answers_at_once else slow
        return cls(**slow | {name: value for name, value in given.items() if value is not None})


@dataclass(frozen=True)
class Calibration:
    """What was found: the new controls, and the report as JSON has it."""

    controls: Controls
    report: dict[str, Any]


def calibrate(
    explorer: Explorer,
    notes: Sequence[Note],
    *,
    journal_path: str | os.PathLike[str],
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Calibration:
    """Find what moves what is heard in a checkpoint's latents, and measure how it answers.

    Channels that were tied in training, a pitch track and a decoder's own noise stay what they are; only their answers
    are measured. For whatever has no such control a direction is sought, and kept where it answers.

    Args:
        notes: many, of many instruments and pitches.
        journal_path: finished work is kept here until all is done, and taken up again.
        settings: None: those that suit the decoder.

    Raises DataError: fewer than two notes can be used, or the journal can't be written.
    """
    settings = Settings.suited(explorer) if settings is None else settings
    chosen = _spread(notes, settings.notes)
    run = _Run(explorer, chosen, settings, Journal(journal_path, _work(explorer, chosen, settings)), progress)
    found = run.calibration()
    run.journal.remove()
    return found


def _work(explorer: Explorer, notes: Sequence[Note], settings: Settings) -> dict[str, Any]:
    """What the work depends on."""
    names = hashlib.sha256("\n".join(f"{note.path.resolve()} {note.pitch}" for note in notes).encode()).hexdigest()
    own = {"format_version": FORMAT_VERSION, "checkpoint": explorer.checkpoint_hash, "notes": names}
    return own | {"settings": asdict(settings)}


def _spread(items: Sequence[Any], count: int) -> list[Any]:
    """At most so many, evenly spread."""
    if len(items) <= count:
        return list(items)
    return [items[i] for i in np.linspace(0, len(items) - 1, count).round().astype(int)]


class _Run:
    """One calibration on its way."""

    def __init__(
        self, explorer: Explorer, notes: list[Note], settings: Settings, journal: Journal, progress: Progress | None
    ) -> None:
        self.explorer, self.notes, self.settings, self.journal = explorer, notes, settings, journal
        self.decoding = {"engine": settings.engine, "seed": 0}
        self.left_out: dict[str, str] = {}
        self._progress, self._done = progress, 0
        self.own = built_in(explorer)
        self.sought = [name for name in NAMES if name not in {swept.name for swept in self.own}]
        tied = [item.channel for item in (explorer.controls.loudness, explorer.controls.brightness) if item is not None]
        self.channels = [channel for channel in range(explorer.config.channels) if channel not in tied]
        self._probes: dict[str, Probe] = {}

    def calibration(self) -> Calibration:
        views = Views.of(self._views())
        probed = _spread(self._usable, self.settings.probes)
        made, checked = (probed[::2], probed[1::2]) if len(probed) >= 2 * answers.FEWEST_PROBES else (probed, probed)
        found = [self._answer(swept, made, checked) for swept in self.own]
        axes, unanswered = {}, {}
        for swept, vector in self._axes(views, made):
            answer = self._answer(swept, made, checked)
            found.append(answer)
            if answer.reason:
                unanswered[answer.name] = answer.reason
            else:
                steps, heard = zip(*answer.curve, strict=True)
                axes[answer.name] = NamedAxis(unit=UNITS[answer.name], vector=tuple(vector), steps=steps, heard=heard)
        for name in self.sought:
            if name not in axes and name not in unanswered:
                unanswered[name] = f"too little data: fewer than {directions.FEWEST_NOTES} notes have it"
        principal = self._principal(views, probed)
        return self._finished(views, made, checked, found, axes, unanswered, principal)

    def _finished(self, views, made, checked, found: list[Answer], axes, unanswered, principal) -> Calibration:
        own = self.explorer.controls
        facts = {
            "notes": len(self._usable),
            "made_from": len(made),
            "checked_on": len(checked),
            "other_notes": made is not checked and made != checked,
            "stretch_s": self.settings.stretch_s,
            "decoder": self.explorer.decoders[0].name,
            "engine": self.settings.engine,
        }
        measured = facts | {
            "readable_r2": directions.readable(views),
            "controls": {answer.name: answer.to_dict() for answer in found},
        }
        controls = Controls(
            loudness=own.loudness,
            brightness=own.brightness,
            axes=axes,
            unanswered=unanswered,
            principal=tuple(principal),
            measured=measured,
        )
        report = {
            "checkpoint": self.explorer.checkpoint_name,
            "checkpoint_hash": self.explorer.checkpoint_hash,
            **measured,
            "unanswered": unanswered,
            "principal": [{"name": axis.name, "share": axis.share, "moves": dict(axis.moves)} for axis in principal],
            "steps": [list(axis.steps) for axis in principal],
            "left_out": self.left_out,
        }
        return Calibration(controls, report)

    def _views(self) -> list[dict[str, Any]]:
        """The views of every note that can be used; the others are told in `left_out`."""
        self._usable: list[Note] = []
        found = []
        for note in self.notes:
            view = self.journal.item(f"view {note.path}", lambda note=note: self._look(note))
            if "error" in view:
                self.left_out[note.path.name] = view["error"]
            else:
                self._usable.append(note)
                found.append(view)
            self._advance()
        if len(found) < FEWEST_NOTES:
            why = "; ".join(f"{name}: {error}" for name, error in list(self.left_out.items())[:3])
            few = f"A calibration needs at least {FEWEST_NOTES} notes; {len(found)} can be used."
            raise DataError(f"{few} {why}".strip())
        return found

    def _look(self, note: Note) -> dict[str, Any]:
        try:
            return look(self.explorer, note)
        except (AudioError, LatentsError) as error:
            return {"error": str(error)}

    def _axes(self, views: Views, made: list[Note]) -> list[tuple[Swept, np.ndarray]]:
        """The directions that are sought, told apart by what they move when they are decoded."""
        by = "a direction across all channels"
        multiples = FEW_SPANS if self.settings.few else SPANS
        vectors = directions.named(views, self.sought, self.channels)
        moved: dict[str, dict[str, float]] = {}
        for name, vector in vectors.items():
            pair = along(name, by, vector, (-SPAN[name], SPAN[name]))
            sweeps = [self._sweep("first", pair, note) for note in made]
            moved[name] = answers.medians([answers.slopes(sweep[0], sweep[1], SPAN[name]) for sweep in sweeps])
        mixed = directions.apart_by_answer(vectors, moved)
        asks = {name: tuple(m * SPAN[name] for m in multiples) for name in mixed}
        return [(along(name, by, vector, asks[name]), vector) for name, vector in mixed.items()]

    def _answer(self, swept: Swept, made: list[Note], checked: list[Note]) -> Answer:
        sweeps = {note: self._sweep("sweep", swept, note) for note in dict.fromkeys([*made, *checked])}
        both = ([sweeps[note] for note in part] for part in (made, checked))
        return answers.judge(swept.name, swept.by, swept.asks, *both)

    def _principal(self, views: Views, probed: list[Note]) -> list[PrincipalAxis]:
        steps = FEW_STEPS if self.settings.few else STEPS
        found = []
        axes = directions.principal(views.means, self.settings.directions, self.channels)
        for number, (vector, share) in enumerate(axes, start=1):
            swept = along(f"direction {number}", "a principal direction", vector, steps)
            sweeps = [self._sweep("principal", swept, note) for note in probed]
            curves = {}
            for name in NAMES:
                rows = [answers.medians([sweep[i] for sweep in sweeps]).get(name) for i in range(len(steps))]
                known = [row for row in rows if row is not None]
                if len(known) == len(rows):
                    curves[name] = tuple(float(row) for row in np.insert(known, np.searchsorted(steps, 0.0), 0.0))
            at = [steps.index(step) for step in (-1.0, 1.0)]
            name = answers.description(number, [answers.slopes(sweep[at[0]], sweep[at[1]], 1.0) for sweep in sweeps])
            places = tuple(sorted((*steps, 0.0)))
            found.append(PrincipalAxis(name=name, share=share, vector=tuple(vector), steps=places, moves=curves))
        return found

    def _sweep(self, stage: str, swept: Swept, note: Note) -> list[dict[str, float | None]]:
        """What is heard at every setting on one note."""
        found = []
        for ask in swept.asks:
            key = f"{stage} {swept.name} {ask:g} {note.path}"
            found.append(self.journal.item(key, lambda ask=ask: self._heard(swept, note, ask)))
            self._advance()
        return found

    def _heard(self, swept: Swept, note: Note, ask: float) -> dict[str, float | None]:
        probe = self._probe(note)
        try:
            moved = swept.apply(probe, ask)
        except (EditError, LatentsError):  # refused, with the reason, to whoever asks for it: not heard
            return dict.fromkeys(NAMES)
        found = hear(self.explorer, probe, moved, decoding=self.decoding)
        heard = found.get(swept.name)
        if swept.zero is not None and heard is not None:
            found[swept.name] = heard + (probe.own[swept.name] - swept.zero)
        return found

    def _probe(self, note: Note) -> Probe:
        """A probe, decoded once in this run."""
        name = str(note.path)
        if name not in self._probes:
            self._probes[name] = make_probe(
                self.explorer, note, stretch_s=self.settings.stretch_s, decoding=self.decoding
            )
        return self._probes[name]

    def _advance(self) -> None:
        self._done += 1
        if self._progress:
            self._progress(min(self._done, self._total), self._total)

    @property
    def _total(self) -> int:
        """Steps in all, as far as they are known before the directions are."""
        probes = min(self.settings.probes, len(self.notes))
        multiples, steps = (FEW_SPANS, FEW_STEPS) if self.settings.few else (SPANS, STEPS)
        own = sum(len(swept.asks) for swept in self.own)
        sought = len(self.sought) * (len(multiples) + 1)
        return len(self.notes) + probes * (own + sought + self.settings.directions * len(steps))
