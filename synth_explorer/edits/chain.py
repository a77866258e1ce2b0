"""A chain of edits: applied one after another, saved as JSON (a preset)."""

from __future__ import annotations

import json
import os
import reprlib
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, Literal, cast

from synth_explorer.edits.base import KINDS, Edit, in_order
from synth_explorer.edits.controls import Controls
from synth_explorer.edits.facts import HELD, Figure
from synth_explorer.edits.named import Gain
from synth_explorer.errors import EditError
from synth_explorer.files import read_text, write_text
from synth_explorer.latents import Latents
from synth_explorer.schema import Schema

FORMAT_VERSION = 1


@dataclass(frozen=True)
class EditChain:
    """Edits in the order in which they are applied."""

    edits: tuple[Edit, ...] = ()

    def __post_init__(self) -> None:
        edits: tuple[Any, ...] = tuple(self.edits)
        for edit in edits:
            if not isinstance(edit, Edit):
                raise EditError(f"A chain holds edits; received {edit!r}.")
        object.__setattr__(self, "edits", edits)

    def __iter__(self) -> Iterator[Edit]:
        return iter(self.edits)

    def __len__(self) -> int:
        return len(self.edits)

    def __add__(self, other: EditChain | Edit) -> EditChain:
        if isinstance(other, Edit):
            return EditChain((*self.edits, other))
        given: Any = other
        return EditChain(self.edits + other.edits) if isinstance(given, EditChain) else NotImplemented

    def at_work(self) -> EditChain:
        """The chain without edits that ask for nothing: it does the same."""
        return EditChain(tuple(edit for edit in self.edits if not edit.rests))

    def check(self, latents: Latents) -> None:
        """Raises EditError where an edit was made for latents of other channels, before anything is solved."""
        for edit in self.edits:
            edit.check(latents)

    def apply(self, latents: Latents, controls: Controls) -> Latents:
        """Apply every edit in turn; an empty chain returns the latents themselves.

        Raises EditError: as the first edit that cannot be applied says.
        """
        for edit in self.edits:
            latents = edit.apply(latents, controls)
        return latents

    def requested(self) -> dict[str, Any]:
        """What a listener should hear, for a report: keys are present where they were asked for.

        `gain_db`, `brightness_octaves`, `pitch_cents` and `noisiness_db` are sums over the chain (a brightness that
        goes with a transposition is not asked for), `duration_factor` is the product of the stretches. After a
        SetPitch the goal is `pitch_midi` instead. `attack_s` is the last one's. `osc_target`, `osc_rate_hz`,
        `osc_depth` and `osc_shape` are those of the first Oscillate. `curves`, `envelope`, `freeze`, `trim` and
        `reversed` tell what was drawn or cut, `directions` what was moved along principal directions. Raw edits promise
        nothing.
        """
        asked: dict[str, Any] = {}
        for edit in self.edits:
            edit.ask(asked)
        return asked

    def to_list(self) -> list[dict[str, Any]]:
        """The edits as JSON has them."""
        return [edit.to_dict() for edit in self.edits]

    @classmethod
    def from_list(cls, edits: Any) -> EditChain:
        """Read what `to_list` wrote. Raises EditError."""
        if not isinstance(edits, list):
            raise EditError("Edits must be a list of objects, each with its kind.")
        return cls(tuple(_edit(item, f"edits.{i}") for i, item in enumerate(cast("list[Any]", edits))))

    def to_json(self) -> str:
        """The preset as JSON text."""
        content = {"format_version": FORMAT_VERSION, "edits": self.to_list()}
        return json.dumps(content, indent=2, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> EditChain:
        """Read what `to_json` wrote.

        Raises EditError: not JSON, another format version, an unknown kind, an unknown or missing field, a bad value.
        """
        return cls.from_list(_Preset.parse(text, what="The preset", error=EditError).edits)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the preset, whole or not at all."""
        try:
            return write_text(path, self.to_json())
        except OSError as error:
            raise EditError(f"{path} cannot be written: {error.strerror or error}.") from error

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> EditChain:
        """Read a preset. Raises EditError: there is no such file, or as `from_json`; the message names the file."""
        try:
            return cls.from_json(read_text(path))
        except (OSError, UnicodeDecodeError) as error:
            raise EditError(f"{path} cannot be read as a preset: {error}.") from error
        except EditError as error:
            raise EditError(f"{path}: {error}") from error


def figures() -> dict[str, Figure]:
    """Everything that reports tell as one number, by its key: what is asked, and what should have stayed."""
    told = [figure for edit in KINDS.values() if not edit.untold for figure in edit.figures()]
    return {figure.key: figure for figure in (Gain.figure, *HELD.values(), *told)}


class _Preset(Schema):
    format_version: Literal[1]
    edits: list[Any]


def _edit(content: Any, place: str) -> Edit:
    """An edit; what is wrong is named with its place."""
    given: dict[str, Any] = dict(cast("Mapping[str, Any]", content)) if isinstance(content, Mapping) else {}
    name: Any = given.pop("kind", content)
    if not isinstance(content, Mapping) or not isinstance(name, str) or name not in KINDS:
        known = ", ".join(edit.kind for edit in in_order())
        raise EditError(f"{place}: Unknown edit kind {reprlib.repr(name)}; known are {known}.")
    kind = KINDS[name]
    known = {item.name: item.default is MISSING for item in fields(kind)}
    unknown, missing = sorted(set(given) - set(known)), [name for name in known if known[name] and name not in given]
    if unknown or missing:
        wrong = f"has no field {unknown[0]!r}" if unknown else f"needs {missing[0]!r}"
        raise EditError(f"{place}: {kind.kind} {wrong}; its fields are {', '.join(known)}.")
    try:
        return kind.of(**given)
    except EditError as error:
        raise EditError(f"{place}: {error}") from None
