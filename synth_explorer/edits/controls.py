"""How a checkpoint's latents answer in a musician's units: its `controls.json`.

A control is a channel that was tied to what it is called, or a direction across all channels whose response was
measured through the decoder (`synth-explorer calibrate`).
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, cast

import numpy as np

from synth_explorer.edits.axes import NamedAxis, PrincipalAxis
from synth_explorer.errors import CheckpointError, EditError
from synth_explorer.files import UNREADABLE
from synth_explorer.latents import Latents, time_mean

FORMAT_VERSION = 1


@dataclass(frozen=True)
class LoudnessControl:
    """z[:, channel] = (loudness_db - offset_db) * units_per_db."""

    channel: int
    units_per_db: float
    offset_db: float = 0.0


@dataclass(frozen=True)
class BrightnessControl:
    """z[:, channel] = log2(centroid_hz / reference_hz) * units_per_octave.

    `transpose_octaves_per_octave` is how much the brightness of real instruments rises with each octave of pitch.
    """

    channel: int
    units_per_octave: float
    reference_hz: float = 1000.0
    transpose_octaves_per_octave: float = 0.0


_KINDS = {"loudness": LoudnessControl, "brightness": BrightnessControl}


@dataclass(frozen=True)
class Controls:
    """The calibrated controls of a checkpoint.

    Attributes:
        loudness, brightness: channels that are tied to them; None where there is none.
        axes: directions that answer, by the name of what is heard.
        unanswered: why others do not answer, by name.
        principal: the principal directions of the latent space.
        measured: how well each control answered when it was measured, as `calibrate` reports it.
    """

    loudness: LoudnessControl | None = None
    brightness: BrightnessControl | None = None
    axes: Mapping[str, NamedAxis] = field(default_factory=dict[str, NamedAxis])
    unanswered: Mapping[str, str] = field(default_factory=dict[str, str])
    principal: tuple[PrincipalAxis, ...] = ()
    measured: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def answers(self, name: str) -> bool:
        """Whether there is a control of this name, a tied channel or a direction."""
        return name in self.axes or (name in _KINDS and getattr(self, name) is not None)

    def axis(self, name: str) -> NamedAxis:
        """The direction of this name, or an EditError that says why there is none."""
        if name not in self.axes:
            raise EditError(self.missing(name))
        return self.axes[name]

    def missing(self, name: str) -> str:
        """Why there is no control of this name, and what to do."""
        instead = "Use another checkpoint, or the raw edits of single channels."
        if name in self.unanswered:
            return f"This checkpoint was calibrated, and its {name} does not answer: {self.unanswered[name]}. {instead}"
        return (
            f"This checkpoint is not calibrated for {name}: its controls.json has no {name!r}. "
            f"Calibrate it (synth-explorer calibrate), or: {instead[0].lower()}{instead[1:]}"
        )

    def principal_axis(self, number: int) -> PrincipalAxis:
        """A principal direction by its number from 1, or an EditError that says which there are."""
        if not 1 <= number <= len(self.principal):
            known = f"has 1..{len(self.principal)}" if self.principal else "has none (synth-explorer calibrate)"
            raise EditError(f"direction: there is no direction {number}; this checkpoint {known}.")
        return self.principal[number - 1]

    def time_mean(self, latents: Latents) -> np.ndarray:
        """`latents.time_mean` by this loudness, or of all frames alike where there is none, float64 [C]."""
        if self.loudness is None:
            return time_mean(latents, loudness_channel=None)
        units_per_db = abs(self.loudness.units_per_db)
        return time_mean(latents, loudness_channel=self.loudness.channel, units_per_db=units_per_db)

    def mean_sound(self, latents: Latents) -> np.ndarray:
        """What another note may be moved toward: its `time_mean`, and the mean of its detail behind it, [C + D]."""
        return np.concatenate([self.time_mean(latents), latents.detail.mean(axis=0, dtype=np.float64)])

    def require_loudness(self) -> LoudnessControl:
        """The loudness channel, or an EditError that says that this checkpoint has none."""
        if self.loudness is None:
            raise EditError(self._no_channel("loudness"))
        return self.loudness

    def require_brightness(self) -> BrightnessControl:
        """The brightness channel, or an EditError that says that this checkpoint has none."""
        if self.brightness is None:
            raise EditError(self._no_channel("brightness"))
        return self.brightness

    def _no_channel(self, name: str) -> str:
        if name in self.axes:
            return (
                f"This checkpoint has no channel that is its {name}, only a direction that moves it; this edit has to "
                f"read the {name} of each frame and can't be made here."
            )
        return self.missing(name)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Controls:
        """Read what `to_dict` wrote. Controls that this version does not know are left out.

        Raises:
            CheckpointError: an unknown format version, or a control with a field missing, unknown or not a number.
        """
        given: Any = content
        if not isinstance(given, Mapping):
            raise CheckpointError(f"controls must be a JSON object; received {type(given).__name__}.")
        version = content.get("format_version")
        if version != FORMAT_VERSION:
            raise CheckpointError(f"controls have format_version={version!r}; this version reads {FORMAT_VERSION}.")
        axes, texts, measured = (content.get(name, {}) for name in ("axes", "unanswered", "measured"))
        principal = content.get("principal", [])
        shapes = ((axes, Mapping), (principal, list), (texts, Mapping), (measured, Mapping))
        if any(not isinstance(value, kind) for value, kind in shapes):
            raise CheckpointError("controls must hold axes, unanswered and measured as objects, principal as a list.")
        tied: dict[str, Any] = {name: _control(name, content[name]) for name in _KINDS if content.get(name) is not None}
        return cls(
            **tied,
            axes={str(name): NamedAxis.from_dict(name, item) for name, item in axes.items()},
            unanswered={str(name): str(why) for name, why in texts.items()},
            principal=tuple(PrincipalAxis.from_dict(n, item) for n, item in enumerate(principal, start=1)),
            measured=dict(measured),
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        known = {name: getattr(self, name) for name in _KINDS}
        content = {"format_version": FORMAT_VERSION} | {name: asdict(item) for name, item in known.items() if item}
        found = {
            "axes": {name: item.to_dict() for name, item in self.axes.items()},
            "unanswered": dict(self.unanswered),
            "principal": [item.to_dict() for item in self.principal],
            "measured": dict(self.measured),
        }
        return content | {name: item for name, item in found.items() if item}

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Controls:
        """Read a `controls.json`.

        Raises:
            CheckpointError: there is none, or it is not what `to_dict` writes.
        """
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
        except UNREADABLE as error:
            raise CheckpointError(f"{path} cannot be read as controls: {error}.") from error
        return cls.from_dict(content)


def _control(name: str, content: Any) -> LoudnessControl | BrightnessControl:
    kind = _KINDS[name]
    known = [item.name for item in fields(kind)]
    values = cast("Mapping[str, Any]", content) if isinstance(content, Mapping) else None
    if values is None or not set(values) <= set(known):
        raise CheckpointError(f"controls {name!r} must be an object with {', '.join(known)}; received {content!r}.")
    for key, value in values.items():
        number = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
        whole = key != "channel" or (isinstance(value, int) and value >= 0)
        if not number or not whole or (key.startswith("units_per") and value == 0):
            raise CheckpointError(f"controls {name!r}: {key}={value!r} is not a number that can be used there.")
    try:
        return kind(**values)
    except TypeError as error:
        raise CheckpointError(f"controls {name!r} must have {', '.join(known)}; received {sorted(values)}.") from error
