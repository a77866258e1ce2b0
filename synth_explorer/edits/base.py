"""What all edits share: checked fields, a kind for JSON, and the wave of an oscillation.

Shapes: F frames, C channels.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal

import numpy as np

from synth_explorer.edits.controls import Controls
from synth_explorer.errors import EditError
from synth_explorer.latents import Latents

Shape = Literal["sine", "triangle", "square", "ramp"]
SHAPES: tuple[str, ...] = ("sine", "triangle", "square", "ramp")

FUNDAMENTAL = {"sine": 1.0, "triangle": 8 / math.pi**2, "square": 4 / math.pi, "ramp": 2 / math.pi}
"""Amplitude of the fundamental of each shape of peak deviation 1."""

COMPENSATE_INTERPOLATION = True
"""Whether oscillations make up for what linear interpolation between frames takes from them (see `wave`)."""

HELD_WINDOW_FRAMES = 2.0
"""Length of the Hann window over which a decoder that holds the loudness of each frame reads it."""


@dataclass(frozen=True)
class Edit(ABC):
    """A frozen value that changes latents. Subclasses are final: fields, limits, `kind` and `apply`.

    Fields annotated float, int, str, bool, tuple[int, ...] or tuple[float, ...] are checked and converted when an
    edit is made, so that an edit that exists is one that can be applied (to latents that have what it needs).
    `LIMITS` bounds numbers by name.
    """

    kind: ClassVar[str] = ""
    LIMITS: ClassVar[dict[str, tuple[float, float]]] = {}

    def __post_init__(self) -> None:
        for item in fields(self):
            value = _converted(self.kind, item.name, str(item.type), getattr(self, item.name))
            low, high = self.LIMITS.get(item.name, (-math.inf, math.inf))
            if item.name in self.LIMITS and not low <= value <= high:
                raise EditError(f"{self.kind}: {item.name}={value:g} must lie in {low:g}..{high:g}.")
            object.__setattr__(self, item.name, value)

    @abstractmethod
    def apply(self, latents: Latents, controls: Controls) -> Latents:
        """New latents with this edit; the given ones stay as they are.

        Raises:
            EditError: these latents or this checkpoint cannot have this edit.
        """

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it: the kind and every field."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return {"kind": self.kind} | {
            name: list(value) if isinstance(value, tuple) else value for name, value in values.items()
        }


def _converted(kind: str, name: str, annotation: str, value: Any) -> Any:
    """`value` as its annotation says, or an EditError."""
    if annotation == "float":
        return _number(kind, name, value)
    if annotation.startswith("tuple"):
        if isinstance(value, (str, bytes)) or not isinstance(value, (Sequence, np.ndarray)) or len(value) == 0:
            raise EditError(f"{kind}: {name} must be a list of numbers, not empty; received {value!r}.")
        numbers = tuple(_number(kind, name, item) for item in value)
        return tuple(_whole(kind, name, item) for item in numbers) if "int" in annotation else numbers
    if annotation == "bool" and not isinstance(value, bool):
        raise EditError(f"{kind}: {name}={value!r} must be true or false.")
    if annotation in ("str", "Shape") and not isinstance(value, str):
        raise EditError(f"{kind}: {name}={value!r} must be text.")
    if annotation == "Shape" and value not in SHAPES:
        raise EditError(f"{kind}: {name}={value!r} must be one of {', '.join(SHAPES)}.")
    return value


def _number(kind: str, name: str, value: Any) -> float:
    real = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not real or not math.isfinite(value):
        raise EditError(f"{kind}: {name}={value!r} must be a finite number.")
    return float(value)


def _whole(kind: str, name: str, value: float) -> int:
    if value != int(value) or value < 0:
        raise EditError(f"{kind}: {name} must be whole numbers from 0; received {value:g}.")
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
    moved = latents.replace(pitch_hz=latents.pitch_hz.astype(np.float64) * ratio)
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


def interpolated(turns: float) -> float:
    """What linear interpolation between frames leaves of a sine of `turns` periods a frame, at its own rate."""
    return float(np.sinc(turns) ** 2)


def held(turns: float) -> float:
    """What is left of a loudness sine of `turns` periods a frame by a decoder that holds the loudness of each frame.

    The decoder interpolates linearly (S), reads the mean square of every frame through its squared Hann window (W),
    and adds, interpolated, what is missing: S (2 - sum_k W S at turns + k), the images at k = -1, 1 counting too.
    """
    time = (np.arange(400) + 0.5) / 400 * HELD_WINDOW_FRAMES - HELD_WINDOW_FRAMES / 2
    weight = np.cos(np.pi * time / HELD_WINDOW_FRAMES) ** 4
    read = [
        interpolated(turns + image) * np.average(np.cos(2 * np.pi * (turns + image) * time), weights=weight)
        for image in (-1, 0, 1)
    ]
    return float(interpolated(turns) * (2 - sum(read)))


def wave(
    frames: int,
    *,
    frame_rate_hz: float,
    rate_hz: float,
    shape: str = "sine",
    phase_turns: float = 0.0,
    fade_in_s: float = 0.0,
    kept: float | None = None,
) -> np.ndarray:
    """An oscillation of peak deviation 1, one value per frame, for a decoder that interpolates linearly.

    Frame f stands for time f / frame_rate_hz. Linear interpolation between samples of a sine gives back, at its own
    rate, only sinc(rate / frame_rate)^2 of its amplitude (the triangle kernel's spectrum): 0.92 at 5 Hz and 0.60 at
    12 Hz of 31.25 frames a second. So the fundamental is raised by as much, which is why values exceed 1; what is
    heard at `rate_hz` then has the depth asked for. At half the frame rate a sine is caught only at cosine phases.

    Args:
        frames: F.
        frame_rate_hz: of the latents.
        rate_hz: of the oscillation.
        shape: sine, triangle (both start at 0, rising), square (starts at +1) or ramp (rises from -1 to 1).
        phase_turns: where in its period it starts, in turns.
        fade_in_s: time over which it grows linearly from nothing.
        kept: proportion of the fundamental that the decoder gives back; None: `interpolated`, see above.

    Returns:
        float64 [F].
    """
    time_s = np.arange(frames) / frame_rate_hz
    turns = rate_hz * time_s + phase_turns
    sine = np.sin(2 * np.pi * turns)
    part = np.mod(turns, 1.0)
    if shape == "sine":
        values, fundamental = sine, sine
    elif shape == "triangle":
        values, fundamental = 1 - 4 * np.abs(np.mod(part + 0.25, 1.0) - 0.5), sine
    elif shape == "square":
        values, fundamental = np.where(part < 0.5, 1.0, -1.0), sine
    elif shape == "ramp":
        values, fundamental = 2 * part - 1, -sine
    else:
        raise EditError(f"shape={shape!r} must be one of {', '.join(SHAPES)}.")
    if COMPENSATE_INTERPOLATION:
        kept = interpolated(rate_hz / frame_rate_hz) if kept is None else kept
        values = values + (1 / kept - 1) * FUNDAMENTAL[shape] * fundamental
    if fade_in_s > 0:
        values = values * np.minimum(time_s / fade_in_s, 1.0)
    return values
