"""What comes from outside, declared once: what is unknown, of a wrong type or out of range is named with its place.

A `Schema` is a frozen value that is read from JSON or a line of CSV, and written to it. Other text raises an error for
people. A number that decides how much memory is taken is declared with its largest value.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, NoReturn, Self, TypeVar, cast, dataclass_transform

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    TypeAdapter,
    ValidationError,
    create_model,
)
from pydantic.dataclasses import dataclass

from synth_explorer.errors import SynthExplorerError
from synth_explorer.files import read_text

Value = TypeVar("Value")
Floats = Annotated[tuple[float, ...], Strict(False)]  # JSON's lists are tuples here
Pair = Annotated[tuple[int, int], Strict(False)]
Texts = Annotated[tuple[str, ...], Strict(False)]
Some = Annotated[tuple[float, ...], Field(min_length=1)]
NotZero = Annotated[float, AfterValidator(lambda value: value or _refuse("must not be 0"))]
Index = Annotated[int, Field(ge=0)]
RateHz = Annotated[int, Field(ge=1, le=768_000)]
Seconds = Annotated[float, Field(gt=0.0, le=600.0)]
Window = Annotated[int, Field(ge=1, le=65_536)]  # samples
Width = Annotated[int, Field(ge=1, le=2048)]  # numbers beside each other: channels, bands, partials
Depth = Annotated[int, Field(ge=1, le=64)]  # layers behind each other
Windows = Annotated[tuple[Window, ...], Strict(False), Field(min_length=1)]
Key = Annotated[int, Field(ge=0, le=127)]  # MIDI
Count = Annotated[int, Field(ge=0, le=2048)]
Samples = Annotated[int, Field(ge=0, le=2**31)]  # of a note
Share = Annotated[float, Field(ge=0.0)]
Proportion = Annotated[float, Field(ge=0.0, le=1.0)]
Midi = Annotated[float, Field(ge=0.0, le=127.0)]
Velocity = Annotated[float, Field(ge=1.0, le=127.0)]

_WORDS = {
    **{"Input ": "", "Tuple should": "should", " after validation": ""},
    **{"a valid tuple": "a list", "a valid array": "a list", "a valid number": "a finite number"},
}
CHECKED = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, arbitrary_types_allowed=True)

LACKING = "it is needed and is not there"
_UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")

LENIENT = ConfigDict(extra="ignore")
"""For what later versions may say more of."""


class Schema(BaseModel):
    """A frozen value with declared fields; numbers are finite, and nothing is converted from text."""

    model_config = CHECKED | ConfigDict(frozen=True)

    @classmethod
    def make(cls, *, what: str, error: type[SynthExplorerError], **values: Any) -> Self:
        """A value of these fields; `what` and `error` as of `parse`."""
        try:
            return cls(**values)
        except ValidationError as found:
            raise error(sentence(found, what=what)) from None

    @classmethod
    def parse(cls, text: str | bytes, *, what: str, error: type[SynthExplorerError]) -> Self:
        """Read JSON.

        `what`: what it is, for the message: "The patch". Raises SynthExplorerError: of the kind `error`, one sentence
        with the place of the first thing that is wrong.
        """
        return parse(cls, text, what=what, error=error)

    @classmethod
    def read_rows(cls, path: Path, *, error: type[SynthExplorerError], columns: Sequence[str] = ()) -> list[Self]:
        """Read a CSV file in UTF-8, a value a line; what is empty in a line counts as not given.

        `columns`: what its header must have beside the fields that have no default. Raises SynthExplorerError: of the
        kind `error`, with the line.
        """
        try:
            reader = csv.DictReader(io.StringIO(read_text(path), newline=""))
            names, lines = reader.fieldnames or (), list(reader)
        except (OSError, UnicodeDecodeError, csv.Error) as found:
            raise error(f"{path} can't be read as CSV in UTF-8: {found}.") from None
        needed = dict.fromkeys([name for name, item in cls.model_fields.items() if item.is_required()] + [*columns])
        if lacking := [name for name in needed if name not in names]:
            have = ", ".join(names) or "none"
            raise error(f"{path} lacks the columns {', '.join(lacking)} in its header; it has {have}.")
        made: list[Self] = []
        for number, line in enumerate(lines, start=2):
            given = {name: text for name, text in line.items() if isinstance(text, str) and text}
            try:
                made.append(cls.model_validate_strings(given))
            except ValidationError as found:
                raise error(sentence(found, what=f"{path}, line {number}")) from None
        return made


def record(name: str, types: Mapping[str, Any]) -> type[Schema]:
    """A `Schema` of fields of these types, all of which must be given."""
    declared: Any = {field: (kind, ...) for field, kind in types.items()}
    return create_model(name, __base__=Schema, **declared)


def parse(kind: Any, text: str | bytes, *, what: str, error: type[SynthExplorerError]) -> Any:
    """As `Schema.parse`, of any type: `dict[str, AnySchema]`."""
    try:
        return TypeAdapter(kind).validate_json(text)
    except ValidationError as found:
        raise error(sentence(found, what=what)) from None


def part(kind: type[Value]) -> BeforeValidator:
    """For a field that is a dataclass which was `declared`: it may be given as an object of its fields."""

    def make(given: Any) -> Any:
        return (
            kind(**{str(name): value for name, value in cast("dict[Any, Any]", given).items()})
            if isinstance(given, dict)
            else given
        )

    return BeforeValidator(make)


@dataclass_transform(frozen_default=True)
def declared(*, what: str, error: type[SynthExplorerError]) -> Callable[[type[Value]], type[Value]]:
    """A frozen dataclass that is checked as a `Schema` is whenever one is made; `what` and `error` as of `parse`."""

    def make(cls: type[Value]) -> type[Value]:
        made: Any = dataclass(cls, frozen=True, config=CHECKED)
        init = made.__init__

        @wraps(init)
        def checked(self: Value, *given: Any, **named: Any) -> None:
            try:
                init(self, *given, **named)
            except ValidationError as found:
                raise error(sentence(found, what=what)) from None

        made.__init__ = checked
        return made

    return make


def sentence(found: ValidationError, *, what: str) -> str:
    """The first thing that is wrong, with its place, what it must be and what was given."""
    first = found.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"] if part != "[key]")
    if first["type"] == "json_invalid":
        return f"{what} must be JSON: {first.get('ctx', {})['error']}."
    if first["type"] in _UNKNOWN:
        return f"{what} has an unknown field {place!r}; leave it out."
    if first["type"] == "missing":
        return f"{what} lacks the field {place!r}."
    return f"{what}: {place + ': ' if place else ''}{_why(first)}".rstrip(".") + "."


def first_wrong(found: ValidationError) -> tuple[tuple[int | str, ...], str]:
    """The place of the first thing that is wrong, and why; unknown fields first, for they are most likely misspelt."""
    first = min(found.errors(include_url=False), key=lambda error: error["type"] not in _UNKNOWN)
    if first["type"] in _UNKNOWN:
        return first["loc"], "there is no such field; leave it out"
    if first["type"] == "missing":
        return first["loc"], LACKING
    return first["loc"], _why(first)


def why(error: BaseException | None) -> str:
    """A sentence about the first thing that is wrong, where a value did not pass its check; else ""."""
    return first_wrong(error)[1].rstrip(".") + "." if isinstance(error, ValidationError) else ""


def _why(wrong: Mapping[str, Any]) -> str:
    """What is wrong, and what was given."""
    if wrong["type"] == "value_error":
        return str(wrong.get("ctx", {})["error"])
    return f"{_in_json(wrong['msg'])}; received {_short(wrong['input'])}"


def _in_json(message: str) -> str:
    """What pydantic says, in the words of JSON."""
    for theirs, ours in _WORDS.items():
        message = message.replace(theirs, ours)
    return message


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _refuse(why: str) -> NoReturn:
    raise ValueError(why)
