"""What all edits share: checked fields, a kind for JSON, and arithmetic on channels and pitch.

Shapes: F frames, C channels.
"""

from __future__ import annotations

import math
import reprlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any, ClassVar, Literal, cast

import numpy as np

from synth_explorer.edits.controls import Controls
from synth_explorer.edits.facts import UNHEARD, Figure, Number, Option, Untold
from synth_explorer.edits.waves import SHAPES
from synth_explorer.errors import EditError
from synth_explorer.latents import Latents

Points = tuple[tuple[float, float], ...]
"""Breakpoints of a curve: (time in s, value), in the order of time."""

LARGEST_WHOLE = 2**53
"""JSON's numbers are whole up to here."""


KINDS: dict[str, type[Edit]] = {}
"""Every edit by its kind, as each is defined."""


@dataclass(frozen=True)
class Edit(ABC):
    """A frozen value that changes latents. Subclasses are final: fields, facts, `kind` and `apply`.

    Fields annotated float, int, str, bool, tuple[int, ...], tuple[float, ...] or Points are checked and converted when
    an edit is made, so that an edit that exists is one that can be applied (to latents that have what it needs).
    Fields made by `facts.ranged` say what they may be. A list may be empty where it is unless it is given.

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
        for item in fields(self):
            value: Any = getattr(self, item.name)
            fact = item.metadata.get("number")
            if not (isinstance(item.default, tuple) and _is_nothing(value)):
                value = _converted(self.kind, item.name, str(item.type), value)
            low, high = fact.range if fact else (-math.inf, math.inf)
            if fact and not low <= value <= high:
                raise EditError(f"{self.kind}: {item.name}={value:g} must lie in {low:g}..{high:g}.")
            object.__setattr__(self, item.name, tuple(cast("list[Any]", value)) if isinstance(value, list) else value)

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


def _is_nothing(value: Any) -> bool:
    """Whether it is an empty list."""
    return isinstance(value, (list, tuple)) and len(cast("Sequence[Any]", value)) == 0


def _items(value: Any) -> list[Any] | None:
    """What is in a list, a tuple or an array; None where it is none of them."""
    if isinstance(value, (str, bytes)) or not isinstance(value, (Sequence, np.ndarray)):
        return None
    return list(cast("Sequence[Any]", value))


def _converted(kind: str, name: str, annotation: str, value: Any) -> Any:
    """`value` as its annotation says, or an EditError."""
    if annotation == "float":
        return _number(kind, name, value)
    if annotation == "int":
        return _whole(kind, name, _number(kind, name, value))
    if annotation == "Points":
        return _points(kind, name, value)
    if annotation.startswith("tuple"):
        items = _items(value)
        if not items:
            raise EditError(f"{kind}: {name} must be a list of numbers, not empty; received {value!r}.")
        numbers = tuple(_number(kind, name, item) for item in items)
        return tuple(_whole(kind, name, item) for item in numbers) if "int" in annotation else numbers
    if annotation == "bool" and not isinstance(value, bool):
        raise EditError(f"{kind}: {name}={value!r} must be true or false.")
    if annotation in ("str", "Shape") and not isinstance(value, str):
        raise EditError(f"{kind}: {name}={value!r} must be text.")
    if annotation == "Shape" and value not in SHAPES:
        raise EditError(f"{kind}: {name}={value!r} must be one of {', '.join(SHAPES)}.")
    return value


def _number(kind: str, name: str, value: Any) -> float:
    given: Any = value  # without what `isinstance` would make of it
    real = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    try:
        number = float(given) if real else math.nan
    except OverflowError:  # an int may be too large for a float
        number = math.inf
    if not math.isfinite(number):
        raise EditError(f"{kind}: {name}={reprlib.repr(given)} must be a finite number.")
    return number


def _points(kind: str, name: str, value: Any) -> Points:
    """Breakpoints (time in s, value), their times rising."""
    items = _items(value)
    if not items:
        raise EditError(f"{kind}: {name} must be a list of [time_s, value], not empty; received {value!r}.")
    pairs = [pair for pair in map(_items, items) if pair is not None and len(pair) == 2]
    if len(pairs) != len(items):
        raise EditError(f"{kind}: {name} must be a list of [time_s, value] pairs; received {value!r}.")
    points = tuple((_number(kind, name, time_s), _number(kind, name, height)) for time_s, height in pairs)
    if points[0][0] < 0 or any(b[0] <= a[0] for a, b in pairwise(points)):
        raise EditError(f"{kind}: {name} must have rising times from 0 s on; received {[p[0] for p in points]}.")
    return points


def _whole(kind: str, name: str, value: float) -> int:
    if value != int(value) or not 0 <= value <= LARGEST_WHOLE:
        raise EditError(f"{kind}: {name} must be a whole number from 0 to 2^53; received {value:g}.")
    return int(value)


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
