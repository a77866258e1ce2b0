"""Numbers of a spec: one, a list, or a range."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
from pydantic import BeforeValidator, Discriminator, Field, Strict, Tag, model_validator

from synth_explorer.pitch import check_midi, midi_of
from synth_explorer.schema import Schema

MOST = 100_000
DECIMALS = 9  # to which values of a range are rounded, so that 0.1 + 0.2 is called 0.3


def _pitch(given: Any) -> Any:
    """A pitch by its name or its MIDI number."""
    if isinstance(given, str):
        return midi_of(given)
    return check_midi(given) if isinstance(given, (int, float)) and not isinstance(given, bool) else given


Pitch = Annotated[float, BeforeValidator(_pitch)]


class Range(Schema):
    """From one number to another: so many `steps`, both ends among them, or each `step`; neither: all between them."""

    first: Annotated[float, Field(alias="from")]
    last: Annotated[float, Field(alias="to")]
    steps: Annotated[int, Field(ge=1, le=MOST)] | None = None
    step: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.steps is not None and self.step is not None:
            raise ValueError("give either steps (how many) or step (how far apart)")
        if self.step is not None and abs(self.last - self.first) / self.step > MOST:
            raise ValueError(f"these are more than {MOST:,} values")
        return self

    @property
    def is_open(self) -> bool:
        """Whether it holds all numbers between its ends, to draw from."""
        return self.steps is None and self.step is None

    @property
    def values(self) -> tuple[float, ...]:
        """Its numbers. Raises ValueError where it does not say how many."""
        if self.steps is not None:
            found = np.linspace(self.first, self.last, self.steps)
        elif self.step is not None:
            count = int(abs(self.last - self.first) / self.step + 1e-9) + 1
            found = self.first + np.sign(self.last - self.first) * self.step * np.arange(count)
        else:
            raise ValueError("say how many values: steps: 5 (both ends among them), or how far apart: step: 0.5")
        return tuple(round(float(value), DECIMALS) + 0.0 for value in found)

    def draw(self, rng: np.random.Generator) -> float:
        """One number of it."""
        drawn = rng.uniform(self.first, self.last) if self.is_open else rng.choice(self.values)
        return round(float(drawn), DECIMALS) + 0.0


class PitchRange(Range):
    """From one pitch to another; each semitone unless it says otherwise."""

    first: Annotated[Pitch, Field(alias="from")]
    last: Annotated[Pitch, Field(alias="to")]

    @property
    def values(self) -> tuple[float, ...]:
        return super().values if not self.is_open else self.model_copy(update={"step": 1.0}).values


def shape_of(given: Any) -> str:
    """Whether a value is one, a list or a range."""
    if isinstance(given, (dict, Range)):
        return "range"
    return "list" if isinstance(given, (list, tuple)) else "one"


def by_shape(**types: Any) -> Any:
    """A type for each of the shapes `one`, `list` and `range` (a mapping); what has another shape is refused."""
    union = reduce(or_, (Annotated[type_, Tag(shape)] for shape, type_ in types.items()))
    names = {"one": "a word or a number", "list": "a list", "range": "fields in braces"}
    wanted = " or ".join(names[shape] for shape in types)
    return Annotated[union, Discriminator(shape_of, custom_error_type="shape", custom_error_message=f"give {wanted}")]


def choice(one: Any, range_: Any) -> Any:
    """The type of: one of `one`, a list of them, or a range."""
    return by_shape(one=one, list=some(one), range=range_)


def some(one: Any) -> Any:
    """The type of a list that is not empty."""
    return Annotated[tuple[one, ...], Strict(False), Field(min_length=1)]


if TYPE_CHECKING:  # types made by a function are none to a type checker
    Numbers = Pitches = Any
else:
    Numbers, Pitches = choice(float, Range), choice(Pitch, PitchRange)


def listed(given: Any) -> tuple[Any, ...]:
    """The values of one, a list or a range."""
    if isinstance(given, Range):
        return given.values
    return tuple(given) if isinstance(given, Sequence) and not isinstance(given, str) else (given,)
