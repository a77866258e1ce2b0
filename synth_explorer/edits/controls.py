"""How a checkpoint's latents answer in a musician's units: its `controls.json`."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from synth_explorer.errors import CheckpointError, EditError

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
    """The calibrated controls of a checkpoint; None where it has no such control."""

    loudness: LoudnessControl | None = None
    brightness: BrightnessControl | None = None

    def require_loudness(self) -> LoudnessControl:
        """The loudness control, or an EditError that says that this checkpoint has none."""
        if self.loudness is None:
            raise EditError(_missing("loudness"))
        return self.loudness

    def require_brightness(self) -> BrightnessControl:
        """The brightness control, or an EditError that says that this checkpoint has none."""
        if self.brightness is None:
            raise EditError(_missing("brightness"))
        return self.brightness

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Controls:
        """Read what `to_dict` wrote. Controls that this version does not know are left out.

        Raises:
            CheckpointError: an unknown format version, or a control with a field missing, unknown or not a number.
        """
        if not isinstance(content, Mapping):
            raise CheckpointError(f"controls must be a JSON object; received {type(content).__name__}.")
        version = content.get("format_version")
        if version != FORMAT_VERSION:
            raise CheckpointError(f"controls have format_version={version!r}; this version reads {FORMAT_VERSION}.")
        return cls(**{name: _control(name, content[name]) for name in _KINDS if content.get(name) is not None})

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        known = {name: getattr(self, name) for name in _KINDS}
        return {"format_version": FORMAT_VERSION} | {name: asdict(item) for name, item in known.items() if item}

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Controls:
        """Read a `controls.json`.

        Raises:
            CheckpointError: there is none, or it is not what `to_dict` writes.
        """
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{path} cannot be read as controls: {error}.") from error
        return cls.from_dict(content)


def _missing(name: str) -> str:
    return (
        f"This checkpoint is not calibrated for {name}: its controls.json has no {name!r}. "
        "Use another checkpoint, or the raw edits of single channels."
    )


def _control(name: str, content: Any) -> LoudnessControl | BrightnessControl:
    kind = _KINDS[name]
    known = [item.name for item in fields(kind)]
    if not isinstance(content, Mapping) or not set(content) <= set(known):
        raise CheckpointError(f"controls {name!r} must be an object with {', '.join(known)}; received {content!r}.")
    for key, value in content.items():
        number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        whole = key != "channel" or (isinstance(value, int) and value >= 0)
        if not number or not whole or (key.startswith("units_per") and value == 0):
            raise CheckpointError(f"controls {name!r}: {key}={value!r} is not a number that can be used there.")
    try:
        return kind(**content)
    except TypeError as error:
        raise CheckpointError(f"controls {name!r} must have {', '.join(known)}; received {sorted(content)}.") from error
