"""The names of a batch's files: a pattern with fields, filled in for each sound."""

from __future__ import annotations

import re
import string
from collections.abc import Collection, Mapping
from pathlib import PurePosixPath
from typing import Any

LONGEST_BYTES = 200  # of one part of a path
_BAD = re.compile(r'[\x00-\x1f/\\:*?"<>|\x7f]+')
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")

FIELDS = {
    "source": "names of its notes, joined by +",
    "mix": "where it lies between them: 0.25, x0.5_y0.25, 0.2-0.3-0.5, path1",
    "x": "place on the pad, or between two notes",
    "y": "place on the pad",
    "pitch": "name of its pitch, C4; own where none is asked for",
    "midi": "MIDI number of its pitch",
    "velocity": "its velocity",
    "edits": "those values of edits that vary",
    "decoder": "its decoder",
    "seed": "its seed",
    "number": "its place in the spec, from 1",
    "id": "the id of its patch, twelve digits",
}
"""What a pattern may name, beside the edits of the spec: {gain}, {oscillate_rate_hz}."""


def check(pattern: str, known: Collection[str]) -> None:
    """Raises ValueError: a field that there is not, or a path that leaves the folder."""
    try:
        parts = list(string.Formatter().parse(pattern))
    except ValueError as error:
        raise ValueError(f"the braces of {pattern!r} do not match ({error}); write {{pitch}}") from None
    for _, name, _, conversion in parts:
        if name is None:
            continue
        if name not in known or conversion:
            raise ValueError(f"there is no field {{{name}}}; the fields are {', '.join(known)}")
    if pattern.startswith("/") or ".." in PurePosixPath(pattern).parts or "\\" in pattern or ":" in _text(parts):
        raise ValueError(f"{pattern!r} must stay in the folder: no / at its start, no .., \\ or :")
    if not pattern.strip("/ ."):
        raise ValueError("it names nothing; give at least one field, such as {number:04d}")


def _text(parts: list[Any]) -> str:
    return "".join(part[0] for part in parts)


def fill(pattern: str, values: Mapping[str, Any], *, suffix: str) -> str:
    """A file's name. Raises ValueError: a field that this sound has no value for, or a format that does not fit."""
    told: list[str] = []
    for text, name, form, _ in string.Formatter().parse(pattern):
        told.append(_BAD.sub(lambda found: "/" if found[0] == "/" else "-", text))
        if name is None:
            continue
        value = values[name]
        if value is None:
            raise ValueError(f"{{{name}}} has no value for sound {values['number']} ({values['source']})")
        try:
            filled = format(value, form or "") if form or not isinstance(value, float) else f"{value:g}"
        except ValueError as error:
            raise ValueError(f"{{{name}:{form}}} does not fit {value!r}: {error}") from None
        told.append(_BAD.sub("-", filled))
    parts = [_sane(part) for part in "".join(told).split("/") if part]
    return "/".join(parts) + suffix


def _sane(part: str) -> str:
    """A part of a path that every system takes."""
    part = part.strip(" .") or "_"
    part = f"_{part}" if _RESERVED.fullmatch(part) else part
    return part.encode()[:LONGEST_BYTES].decode(errors="ignore")
