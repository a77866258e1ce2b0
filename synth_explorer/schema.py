"""What comes from outside, declared once: what is unknown, of a wrong type or out of range is named with its place.

A `Schema` is a frozen value that is read from JSON and written to it. Other text raises an error for people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Annotated, Any, NoReturn, Self, TypeVar, dataclass_transform

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, ValidationError
from pydantic.dataclasses import dataclass

from synth_explorer.errors import SynthExplorerError

Value = TypeVar("Value")
Floats = Annotated[tuple[float, ...], Strict(False)]  # JSON's lists are tuples here
Ints = Annotated[tuple[int, ...], Strict(False)]
Pair = Annotated[tuple[int, int], Strict(False)]
Texts = Annotated[tuple[str, ...], Strict(False)]
Some = Annotated[tuple[float, ...], Field(min_length=1)]
NotZero = Annotated[float, AfterValidator(lambda value: value or _refuse("must not be 0"))]
Index = Annotated[int, Field(ge=0)]

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
        try:
            return cls.model_validate_json(text)
        except ValidationError as found:
            raise error(sentence(found, what=what)) from None


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
    place = ".".join(str(part) for part in first["loc"])
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


def _why(wrong: Mapping[str, Any]) -> str:
    """What is wrong, and what was given."""
    if wrong["type"] == "value_error":
        return str(wrong.get("ctx", {})["error"])
    return f"{wrong['msg'].removeprefix('Input ')}; received {_short(wrong['input'])}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _refuse(why: str) -> NoReturn:
    raise ValueError(why)
