"""Two reports of `bench` beside each other: what became slower beyond the noise.

What is compared is the fastest of the repeats, which other programs disturb least. How far a step's median lies above
its fastest says how noisy it was, in either report; a step that became slower by more than that, and by more than
`LEAST`, is told.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from synth_explorer.errors import DataError
from synth_explorer.files import read_bytes
from synth_explorer.schema import LENIENT, Field, Schema

LEAST = 0.10
LEAST_ALONE = 0.25  # for what was timed once

_Time = Annotated[float, Field(gt=0.0, le=1e9)]


class _Step(Schema):
    model_config = LENIENT

    median_ms: _Time
    min_ms: _Time


class _Command(Schema):
    model_config = LENIENT

    median_s: _Time
    min_s: _Time


class _Encoding(Schema):
    model_config = LENIENT

    median_ms: _Time


class _Row(Schema):
    model_config = LENIENT

    network: str
    batch: int
    engine: str
    precision: str
    step_us: _Time


class _Machine(Schema):
    model_config = LENIENT

    processor: str
    cores: int


class _Report(Schema):
    """What is read of a report; parts that were not timed are empty."""

    model_config = LENIENT

    machine: _Machine
    checkpoint: str | None = None
    note_s: float | None = None
    steps: dict[str, _Step] = Field(default_factory=dict)
    startup: dict[str, _Command] = Field(default_factory=dict)
    decoding: Annotated[tuple[_Row, ...], Field(strict=False)] = ()
    nsynth_encoding: _Encoding | None = None

    def times(self) -> dict[str, tuple[float, float, str]]:
        """Fastest, median and unit of everything by name; a median of 0: one figure is known."""
        found = {name: (one.min_ms, one.median_ms, "ms") for name, one in self.steps.items()}
        found |= {name: (one.min_s, one.median_s, "s") for name, one in self.startup.items()}
        if self.nsynth_encoding is not None:
            found["NSynth encodes"] = (self.nsynth_encoding.median_ms, 0.0, "ms")
        rows = {f"{one.network}, {one.batch} notes, {one.engine} {one.precision}": one for one in self.decoding}
        return found | {name: (row.step_us, 0.0, "us") for name, row in rows.items()}


@dataclass(frozen=True)
class Change:
    """A step in both reports."""

    name: str
    old: float  # fastest, in `unit`
    new: float
    unit: str
    noise: float  # share by which it may differ without having changed

    @property
    def ratio(self) -> float:
        """New against old; above 1: slower."""
        return self.new / self.old

    @property
    def verdict(self) -> str:
        """What it comes to."""
        if self.ratio > 1.0 + self.noise:
            return "slower"
        return "faster" if self.ratio < 1.0 / (1.0 + self.noise) else ""


@dataclass(frozen=True)
class Comparison:
    """What became of everything that both reports time; `missing` is what the older one times alone."""

    changes: tuple[Change, ...]
    missing: tuple[str, ...]
    differences: tuple[str, ...]  # between what was timed, in words: another machine, checkpoint or length of the note

    @property
    def slower(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.verdict == "slower")


def read(path: str | os.PathLike[str]) -> _Report:
    """A report of `bench`. Raises DataError: it is none."""
    try:
        text = read_bytes(path)
    except OSError as error:
        raise DataError(f"{path} cannot be read as a report of bench: {error.strerror or error}.") from None
    return _Report.parse(text, what=f"{Path(path)}", error=DataError)


def compare(old: _Report, report: Mapping[str, Any]) -> Comparison:
    """A report against an older one. Raises DataError: nothing is timed in both."""
    new = _Report.model_validate(dict(report))
    before, after = old.times(), new.times()
    changes = tuple(_change(name, before[name], after[name]) for name in after if name in before)
    if not changes:
        raise DataError("The older report times nothing that was timed now; time the same parts (--network).")
    return Comparison(changes, tuple(name for name in before if name not in after), tuple(_differences(old, new)))


def _differences(old: _Report, new: _Report) -> Iterator[str]:
    """What was timed otherwise than now; what a report does not tell is taken for the same."""
    if (old.machine.processor, old.machine.cores) != (new.machine.processor, new.machine.cores):
        yield "another machine"
    if old.checkpoint and new.checkpoint and old.checkpoint != new.checkpoint:
        yield f"another checkpoint ({old.checkpoint}, now {new.checkpoint})"
    if old.note_s and new.note_s and old.note_s != new.note_s:
        yield f"a note of another length ({old.note_s:g} s, now {new.note_s:g} s)"


def _change(name: str, old: tuple[float, float, str], new: tuple[float, float, str]) -> Change:
    if not (old[1] and new[1]):
        return Change(name, old[0], new[0], new[2], LEAST_ALONE)
    noise = max(LEAST, *(median / fastest - 1.0 for fastest, median, _ in (old, new)))
    return Change(name, old[0], new[0], new[2], noise)
