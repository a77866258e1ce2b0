"""What all edits share: checked fields, a kind for JSON, and arithmetic on channels and pitch.

Shapes: F frames, C channels.
"""

from __future__ import annotations

import math
import reprlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any, ClassVar, cast

import numpy as np

from synth_explorer.edits.controls import Controls
from synth_explorer.edits.waves import SHAPES
from synth_explorer.errors import EditError
from synth_explorer.latents import Latents

Points = tuple[tuple[float, float], ...]
"""Breakpoints of a curve: (time in s, value), in the order of time."""

LARGEST_WHOLE = 2**53
"""JSON's numbers are whole up to here."""


@dataclass(frozen=True)
class Edit(ABC):
    """A frozen value that changes latents. Subclasses are final: fields, limits, `kind` and `apply`.

    Fields annotated float, int, str, bool, tuple[int, ...], tuple[float, ...] or Points are checked and converted when
    an edit is made, so that an edit that exists is one that can be applied (to latents that have what it needs).
    `LIMITS` bounds numbers by name. A list may be empty where it is unless it is given.
    """

    kind: ClassVar[str] = ""
    LIMITS: ClassVar[dict[str, tuple[float, float]]] = {}

    def __post_init__(self) -> None:
        for item in fields(self):
            value: Any = getattr(self, item.name)
            if not (isinstance(item.default, tuple) and _is_nothing(value)):
                value = _converted(self.kind, item.name, str(item.type), value)
            low, high = self.LIMITS.get(item.name, (-math.inf, math.inf))
            if item.name in self.LIMITS and not low <= value <= high:
                raise EditError(f"{self.kind}: {item.name}={value:g} must lie in {low:g}..{high:g}.")
            object.__setattr__(self, item.name, tuple(cast("list[Any]", value)) if isinstance(value, list) else value)

    @abstractmethod
    def apply(self, latents: Latents, controls: Controls) -> Latents:
        """New latents with this edit; the given ones stay as they are.

        Raises:
            EditError: these latents or this checkpoint cannot have this edit.
        """

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it: the kind and every field."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return {"kind": self.kind} | {name: _listed(value) for name, value in values.items()}


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
