"""What all edits share: checked fields, a kind for JSON, and arithmetic on channels and pitch.

Shapes: F frames, C channels.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import cache
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, cast

import numpy as np

from synth_explorer.edits.controls import Controls
from synth_explorer.edits.facts import UNHEARD, Figure, Number, Option, Untold
from synth_explorer.edits.waves import Shape
from synth_explorer.errors import EditError
from synth_explorer.latents import Latents
from synth_explorer.schema import AfterValidator, BeforeValidator, Field, Floats, Schema, Strict, record

Points = tuple[tuple[float, float], ...]
"""Breakpoints of a curve: (time in s, value), in the order of time."""

LARGEST_WHOLE = 2**53
"""JSON's numbers are whole up to here."""


KINDS: dict[str, type[Edit]] = {}
"""Every edit by its kind, as each is defined."""


@dataclass(frozen=True)
class Edit(ABC):
    """A frozen value that changes latents. Subclasses are final: fields, facts, `kind` and `apply`.

    Fields are annotated as `_DECLARED` has it and checked when an edit is made, so that an edit that exists is one that
    can be applied (to latents that have what it needs). Fields made by `facts.ranged` say what they may be.

    Facts, which shell, page, closed loop, verdicts and evaluation read:
        order: its place in a chain that they make.
        figure: what is heard of it; `UNHEARD` where it is no one number.
        untold: how reports name it, where it has no figure that is measured.
        option: of the shell, where it is asked for in other words than one number.
        needs: what the checkpoint must have: "loudness", "brightness", "noise"; "" for nothing.
        solved: whether the closed loop solves it at the end of a chain; solved_apart: by itself, wherever it stands.
        transposes: whether it moves the pitch, by as much as it says; then it may stand behind what is solved.
        leaves_pitch: whether it leaves the pitch, or moves it by as much as it says.
        adds: "alike" to every frame, "over time", or "" where it does more than add: what adds may change places.
        reads: whether what it does depends on the mean sound or on the values of channels.
        timed: whether it moves the note in time.
        moves: of `facts.HELD`, what it may move without having been asked to: none of it is a promise. `may_move` is
            what this one may.
    """

    kind: ClassVar[str] = ""
    order: ClassVar[int] = 0
    figure: ClassVar[Figure] = UNHEARD
    untold: ClassVar[Untold | None] = None
    option: ClassVar[Option | None] = None
    needs: ClassVar[str] = ""
    solved: ClassVar[bool] = False
    solved_apart: ClassVar[bool] = False
    transposes: ClassVar[bool] = False
    leaves_pitch: ClassVar[bool] = True
    adds: ClassVar[Literal["", "alike", "over time"]] = ""
    reads: ClassVar[bool] = False
    timed: ClassVar[bool] = False
    moves: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls) -> None:
        if cls.kind:
            KINDS[cls.kind] = cls

    def __post_init__(self) -> None:
        given = {item.name: _plain(getattr(self, item.name)) for item in fields(self)}
        made = _declaration(type(self)).make(what=self.kind, error=EditError, **given)
        for name, value in made:
            object.__setattr__(self, name, value)
        for name, fact in self.numbers().items():
            low, high = fact.range
            value = getattr(self, name)
            if not low <= value <= high:
                raise EditError(f"{self.kind}: {name}={value:g} must lie in {low:g}..{high:g}.")

    @classmethod
    def of(cls, *values: Any, **named: Any) -> Edit:
        """An edit of this kind from its fields, for who does not know which ones there are."""
        make: Callable[..., Edit] = cls
        return make(*values, **named)

    @classmethod
    def numbers(cls) -> dict[str, Number]:
        """The facts of its fields, by their names."""
        return {item.name: item.metadata["number"] for item in fields(cls) if "number" in item.metadata}

    @classmethod
    def knobs(cls) -> dict[str, Number]:
        """Its numbers by the names of the page's knobs that turn them."""
        return {fact.knob.name: fact for fact in cls.numbers().values() if fact.knob}

    @classmethod
    def figures(cls) -> tuple[Figure, ...]:
        """Everything that is heard of it as a number."""
        return (cls.figure,) if cls.figure else ()

    @property
    def wanted(self) -> float:
        """How much of its figure it asks for."""
        return getattr(self, fields(self)[0].name)

    @property
    def rests(self) -> bool:
        """Whether it asks for nothing, so that a chain does the same without it."""
        return bool(self.figure and self.adds) and self.wanted == 0

    @property
    def promise(self) -> tuple[str, str, float]:
        """What it promises: the control, the unit and how much, as outcomes have them."""
        return self.kind, self.figure.unit, self.wanted

    @property
    def may_move(self) -> frozenset[str]:
        """Of what such edits may move, what this one may."""
        return self.moves

    def ask(self, asked: dict[str, Any]) -> None:
        """Add to what a report says was asked: figures add up over a chain, of what is untold the last one counts."""
        if self.figure:
            asked[self.figure.key] = asked.get(self.figure.key, 0.0) + self.wanted
        elif self.untold:
            asked[self.untold.key] = self.plain

    @property
    def plain(self) -> dict[str, Any]:
        """Its fields as JSON has them."""
        return {item.name: _listed(getattr(self, item.name)) for item in fields(self)}

    def check(self, latents: Latents) -> None:  # noqa: B027 - most fit any latents
        """Raises EditError where it was made for latents of other channels."""

    @abstractmethod
    def apply(self, latents: Latents, controls: Controls) -> Latents:
        """New latents with this edit; the given ones stay as they are.

        Raises EditError: these latents or this checkpoint cannot have this edit.
        """

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it: the kind and every field."""
        return {"kind": self.kind} | self.plain


def in_order() -> list[type[Edit]]:
    """Every edit, in the order of a chain that page and shell make."""
    return sorted(KINDS.values(), key=lambda edit: edit.order)


def commute(one: type[Edit], other: type[Edit]) -> bool:
    """Whether two edits do the same in either order."""
    return bool(one.adds and other.adds) or ("alike" in (one.adds, other.adds) and not (one.reads or other.reads))


def _listed(value: Any) -> Any:
    """Tuples as JSON has them."""
    return [_listed(item) for item in cast("tuple[Any, ...]", value)] if isinstance(value, tuple) else value


def _plain(value: Any) -> Any:
    """What numpy has, as Python has it."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return [_plain(item) for item in cast("Sequence[Any]", value)] if isinstance(value, (list, tuple)) else value


def _rising(points: Points) -> Points:
    if points[0][0] < 0 or any(b[0] <= a[0] for a, b in pairwise(points)):
        raise ValueError(f"must have rising times from 0 s on, received {[time_s for time_s, _ in points]}")
    return points


def _whole(value: Any) -> Any:
    """Sliders and options have whole numbers as floats."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


_Whole = Annotated[int, BeforeValidator(_whole), Field(ge=0, le=LARGEST_WHOLE)]
_Point = Annotated[tuple[float, float], Strict(False)]
_DECLARED: dict[str, Any] = {
    "int": _Whole,
    "tuple[int, ...]": Annotated[tuple[_Whole, ...], Strict(False)],
    "tuple[float, ...]": Floats,
    "Points": Annotated[tuple[_Point, ...], Strict(False), Field(min_length=1), AfterValidator(_rising)],
    "Shape": Shape,
    **{kind.__name__: kind for kind in (float, bool, str)},
}
"""What a field may be, by its annotation."""


@cache
def _declaration(edit: type[Edit]) -> type[Schema]:
    """The fields of an edit; a list may be empty where it is unless it is given."""
    types: dict[str, Any] = {}
    for item in fields(edit):
        kind = _DECLARED[str(item.type)]
        is_needed = str(item.type).startswith("tuple") and not isinstance(item.default, tuple)
        types[item.name] = Annotated[kind, Field(min_length=1)] if is_needed else kind
    return record(edit.kind, types)


def add_to_channel(latents: Latents, channel: int, amount: float | np.ndarray, *, kind: str) -> Latents:
    """Add a number or a track [F] to one channel."""
    return latents.replace(z=added(latents, (channel,), amount, kind=kind))


def added(latents: Latents, channels: tuple[int, ...], amount: float | np.ndarray, *, kind: str) -> np.ndarray:
    z = latents.z.astype(np.float64)
    z[:, check_channels(latents, channels, kind=kind)] += np.reshape(amount, (-1, 1))
    return z


def check_channels(latents: Latents, channels: tuple[int, ...], *, kind: str) -> list[int]:
    """The channels, once each, which these latents must have."""
    missing = [channel for channel in channels if channel >= latents.channels]
    if missing:
        raise EditError(f"{kind}: these latents have channels 0..{latents.channels - 1}; received {missing[0]}.")
    return sorted(set(channels))


def scale_pitch(latents: Latents, ratio: float | np.ndarray, *, kind: str) -> Latents:
    """Multiply the pitch track by a number or a track [F]; the result's median must be a MIDI note in 0..127."""
    if not latents.has_pitch:
        raise EditError(f"{kind}: checkpoint {latents.meta.checkpoint!r} keeps pitch inside z; it cannot be moved.")
    moved = latents.at_pitch(latents.pitch_hz.astype(np.float64) * ratio)
    if not -0.5 <= moved.pitch_midi <= 127.5:
        raise EditError(
            f"{kind}: this would move the pitch from MIDI {latents.pitch_midi:.1f} to {moved.pitch_midi:.1f}; "
            f"it must stay in 0..127, so by {-latents.pitch_midi:+.1f} to {127 - latents.pitch_midi:+.1f} semitones."
        )
    return moved


def check_rate(latents: Latents, rate_hz: float, *, kind: str) -> None:
    """Refuse what frames cannot carry."""
    highest_hz = latents.frame_rate_hz / 2
    if not 0.0 < rate_hz <= highest_hz:
        raise EditError(
            f"{kind}: rate_hz={rate_hz:g} must lie above 0 and up to {highest_hz:g} Hz: these latents have "
            f"{latents.frame_rate_hz:g} frames a second, and a faster oscillation cannot exist in them."
        )
