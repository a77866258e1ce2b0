"""The `edits` of a spec, with every value that they are to have: combined, or drawn at random."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from functools import cache, reduce
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from pydantic import ValidationError

from synth_explorer.batch.morphs import Random
from synth_explorer.batch.values import Range, by_shape
from synth_explorer.edits import KINDS, Edit, EditChain, MeanSound, Toward, in_order
from synth_explorer.errors import EditError
from synth_explorer.marked import Marked
from synth_explorer.schema import LACKING, Schema, first_wrong

PRESET = "preset"
NOTE = "note"  # of a move toward another note: stands for all that is known of its sound
MOST = 1_000_000


class Drawn(Schema):
    """`combine: {random: 20}` or `{random: {count: 20, seed: 1}}`."""

    random: Random


if TYPE_CHECKING:  # types made by a function are none to a type checker
    Combine = Any
else:
    Combine = by_shape(one=Literal["product", "zip"], range=Drawn)


@dataclass(frozen=True)
class Variant:
    """A chain of edits with definite values, and what a file's name may say of it."""

    chain: EditChain
    label: str = ""  # of the values that vary; "" where none does
    values: Mapping[str, Any] = field(default_factory=dict)


class _Axis(NamedTuple):
    """A number, or a preset, that takes several values."""

    edit: int  # which of the edits
    field: str  # of it
    given: Any  # a Range or a tuple
    name: str  # for labels
    place: tuple[Any, ...]  # in the spec


Goal = Callable[[str, tuple[Any, ...]], MeanSound]
"""What another note may be moved toward of a note, by its name, and where the spec says it."""


def expand(
    edits: Sequence[Mapping[str, Any]], combine: Combine, *, marked: Marked, folder: Path, goal: Goal
) -> list[Variant]:
    """Every chain that the edits of a spec come to.

    `folder`: that presets' paths start from. `goal`: asked once for each note. Raises SpecError: with its line.
    """
    read = [_fields(item, place=("edits", i), marked=marked, folder=folder) for i, item in enumerate(edits)]
    axes = [_Axis(i, *axis) for i, (_, _, found) in enumerate(read) for axis in found]
    rows = _combined(axes, combine, marked)
    goals = cache(goal)
    return [_variant(read, axes, row, number, combine, marked, goals) for number, row in enumerate(rows, 1)]


def _fields(item: Any, *, place: tuple[Any, ...], marked: Marked, folder: Path) -> tuple[str, dict[str, Any], list]:
    """An edit of the spec: its kind, the fields that stand still, and (field, values, name, place) of the others."""
    if not isinstance(item, Mapping) or len(item) != 1:
        marked.refuse("an edit is one entry, such as `gain: -6` or `oscillate: {target: pitch, ...}`", place)
    kind, given = next(iter(item.items()))
    place = (*place, kind)
    if kind == PRESET:
        return kind, {}, [(PRESET, _presets(given, place, marked, folder), PRESET, place)]
    if kind not in KINDS:
        known = ", ".join([PRESET, *(edit.kind for edit in in_order())])
        marked.refuse(f"there is no edit {kind!r}; known are {known}", place)
    names = _names(kind)
    if kind == Toward.kind and not isinstance(given, Mapping):
        given = {NOTE: given}
    if not isinstance(given, Mapping) or "from" in given or "each" in given:
        if not names:
            if given is not None:
                marked.refuse(f"{kind} takes no values; write `{kind}:`", place)
            given = {}
        else:
            needed = [each.name for each in fields(KINDS[kind]) if each.default is MISSING and _is_needed(each)]
            if needed[1:]:
                marked.refuse(f"{kind} needs {' and '.join(needed)}; write `{kind}: {{{needed[0]}: ..., ...}}`", place)
            given = {names[0]: given}
    if NOTE in given and "mean" in given:
        marked.refuse(f"{kind}: give a note, or its mean, not both", place)
    still, varied = {}, []
    for name, value in given.items():
        at = (*place, name)
        if name not in names:
            marked.refuse(f"{kind} has no field {name!r}; its fields are {', '.join(names) or 'none'}", at)
        values = _values(KINDS[kind], name, value, at, marked)
        if values is None:
            still[name] = value
        else:
            varied.append((name, values, kind if name == names[0] else f"{kind}_{name}", at))
    return kind, still, varied


def _names(kind: str) -> list[str]:
    """The fields of an edit in a spec, the one first that is meant where one value is given."""
    return [NOTE] * (kind == Toward.kind) + [each.name for each in fields(KINDS[kind])]


def _is_needed(field: Any) -> bool:
    return field.default_factory is MISSING


def _values(kind: type[Edit], name: str, value: Any, place: tuple[Any, ...], marked: Marked) -> Any:
    """The Range or tuple of values of a field that varies; None where it has one."""
    type_ = next((str(each.type) for each in fields(kind) if each.name == name), "str")
    if isinstance(value, Mapping):
        if "each" in value and len(value) == 1 and isinstance(value["each"], list) and value["each"]:
            return tuple(value["each"])
        if type_ not in ("float", "int"):
            marked.refuse("give a value, or {each: [...]} for several", place)
        try:
            return Range.model_validate(value)
        except ValidationError as error:
            inside, why = first_wrong(error)
            marked.refuse(why, (*place, *inside), lacking=str(inside[-1]) if why == LACKING else "")
    if isinstance(value, list) and not (type_.startswith("tuple") or type_ == "Points"):
        if not value:
            marked.refuse("a list needs at least one value", place)
        return tuple(value)
    return None


def _presets(given: Any, place: tuple[Any, ...], marked: Marked, folder: Path) -> tuple[tuple[str, EditChain], ...]:
    names = given if isinstance(given, list) else [given]
    found = []
    for i, name in enumerate(names):
        at = (*place, i) if isinstance(given, list) else place
        if not isinstance(name, str) or not name:
            marked.refuse("give the path of a preset (JSON), or a list of them", at)
        try:
            found.append((Path(name).stem, EditChain.load(folder / name)))
        except EditError as error:
            marked.refuse(str(error), at)
    if not found:
        marked.refuse("a list needs at least one preset", place)
    return tuple(found)


def _combined(axes: Sequence[_Axis], combine: Combine, marked: Marked) -> list[tuple[Any, ...]]:
    """The values of all axes, a row for each variant."""
    if isinstance(combine, Drawn):
        if not any(len(axis.given) > 1 if isinstance(axis.given, tuple) else True for axis in axes):
            marked.refuse("no edit has a list or a range to draw from", ("combine",))
        rng = np.random.default_rng(combine.random.seed)
        return [tuple(_draw(axis.given, rng) for axis in axes) for _ in range(combine.random.count)]
    lists = []
    for axis in axes:
        try:
            lists.append(axis.given.values if isinstance(axis.given, Range) else axis.given)
        except ValueError as error:
            marked.refuse(f"{error}; or draw from it: combine: {{random: 20}}", axis.place)
    if combine == "product":
        if (count := reduce(lambda a, b: a * len(b), lists, 1)) > MOST:
            marked.refuse(f"the edits come to {count:,} combinations; the most are {MOST:,}", ("edits",))
        return list(product(*lists))
    lengths = {len(one) for one in lists if len(one) > 1}
    if len(lengths) > 1:
        counted = ", ".join(f"{axis.name} has {len(one)}" for axis, one in zip(axes, lists, strict=True))
        marked.refuse(f"zip takes lists of one length; {counted}", ("combine",))
    longest = max(lengths, default=1)
    return list(zip(*(one * longest if len(one) == 1 else one for one in lists), strict=True)) or [()]


def _draw(given: Any, rng: np.random.Generator) -> Any:
    return given.draw(rng) if isinstance(given, Range) else given[int(rng.integers(len(given)))]


def _variant(
    read: Sequence[tuple[str, dict[str, Any], list]],
    axes: Sequence[_Axis],
    row: Sequence[Any],
    number: int,
    combine: Combine,
    marked: Marked,
    goal: Goal,
) -> Variant:
    chain, values = EditChain(), {}
    for i, (kind, still, _) in enumerate(read):
        chosen = {axis.field: value for axis, value in zip(axes, row, strict=True) if axis.edit == i}
        if kind == PRESET:
            name, preset = chosen[PRESET]
            chain, values[PRESET] = chain + preset, name
            continue
        all_fields = still | chosen
        try:
            chain += EditChain((KINDS[kind].of(**_told(all_fields, ("edits", i, kind, NOTE), marked, goal)),))
        except EditError as error:
            told = str(error)
            wrong = next((n for n in all_fields if f"{n}=" in told or f" {n!r}" in told or f": {n}:" in told), None)
            marked.refuse(str(error), ("edits", i, kind, *([wrong] if wrong else [])))
        first = next(iter(_names(kind)), "")
        values |= {f"{kind}_{name}": value for name, value in all_fields.items()}
        values |= {kind: all_fields[first]} if first in all_fields else {}
    moving = [(axis, value) for axis, value in zip(axes, row, strict=True) if _moves(axis)]
    label = "_".join(_said(axis, value) for axis, value in moving)
    return Variant(chain, f"r{number:04d}" if isinstance(combine, Drawn) else label, values)


def _told(given: Mapping[str, Any], place: tuple[Any, ...], marked: Marked, goal: Goal) -> dict[str, Any]:
    """The fields of an edit, with what is known of the note that it names, if it does."""
    if NOTE not in given:
        return dict(given)
    if not isinstance(given[NOTE], str) or not given[NOTE]:
        marked.refuse("give the name of a source or of a bundled note, or a path; or a list of them", place)
    amount = Toward.numbers()["amount"].given(None)
    return goal(given[NOTE], place)._asdict() | {"amount": amount} | {k: v for k, v in given.items() if k != NOTE}


def _moves(axis: _Axis) -> bool:
    return isinstance(axis.given, Range) or len(axis.given) > 1


def _said(axis: _Axis, value: Any) -> str:
    if axis.field == PRESET:
        return value[0]
    if axis.field == NOTE:
        return f"{axis.name}-{Path(value).stem}"
    return f"{axis.name}{value:g}" if isinstance(value, float | int) else f"{axis.name}-{value}"
