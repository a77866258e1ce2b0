"""How a checkpoint's latents answer in a musician's units: its `controls.json`.

A control is a channel that was tied to what it is called, or a direction across all channels whose response was
measured through the decoder (`synth-explorer calibrate`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from synth_explorer.edits.axes import NamedAxis, PrincipalAxis
from synth_explorer.errors import CheckpointError, EditError
from synth_explorer.files import read_text
from synth_explorer.latents import Latents, time_mean
from synth_explorer.schema import LENIENT, Field, Index, NotZero, Schema

FORMAT_VERSION = 1


class LoudnessControl(Schema):
    """z[:, channel] = (loudness_db - offset_db) * units_per_db."""

    channel: Index
    units_per_db: NotZero
    offset_db: float = 0.0


class BrightnessControl(Schema):
    """z[:, channel] = log2(centroid_hz / reference_hz) * units_per_octave.

    `transpose_octaves_per_octave` is how much the brightness of real instruments rises with each octave of pitch.
    """

    channel: Index
    units_per_octave: NotZero
    reference_hz: float = 1000.0
    transpose_octaves_per_octave: float = 0.0


class Controls(Schema):
    """The calibrated controls of a checkpoint.

    `loudness`, `brightness`: channels that are tied to them; None where there is none. `measured`: how well each
    control answered when it was measured, as `calibrate` reports it.
    """

    model_config = LENIENT

    loudness: LoudnessControl | None = None
    brightness: BrightnessControl | None = None
    axes: dict[str, NamedAxis] = Field(default={})  # directions that answer, by the name of what is heard
    unanswered: dict[str, str] = Field(default={})  # why others do not answer, by name
    principal: tuple[PrincipalAxis, ...] = ()  # the principal directions of the latent space
    measured: dict[str, Any] = Field(default={})

    def answers(self, name: str) -> bool:
        """Whether there is a control of this name, a tied channel or a direction."""
        return name in self.axes or getattr(self, name, None) is not None

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

    def _no_channel(self, name: str) -> str:
        if name in self.axes:
            return (
                f"This checkpoint has no channel that is its {name}, only a direction that moves it; this edit has to "
                f"read the {name} of each frame and can't be made here."
            )
        return self.missing(name)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Controls:
        """Read what `to_dict` wrote; controls that this version does not know are left out. Raises CheckpointError."""
        return cls.from_json(json.dumps(content))

    @classmethod
    def from_json(cls, text: str) -> Controls:
        """Read the text of a `controls.json`. Raises CheckpointError naming what is wrong."""
        read = _Written.parse(text, what="controls.json", error=CheckpointError)
        return cls(**{name: getattr(read, name) for name in cls.model_fields})

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        content = {name: item for name, item in self.model_dump(mode="json").items() if item}
        return {"format_version": FORMAT_VERSION} | content

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Controls:
        """Read a `controls.json`. Raises CheckpointError: there is none, or it is not what `to_dict` writes."""
        try:
            return cls.from_json(read_text(path))
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{path} cannot be read as controls: {error}") from error


class _Written(Controls):
    """What a file must say beside."""

    format_version: Literal[1]
