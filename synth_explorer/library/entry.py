"""An entry of a library: a file, what it is of, and what is known of it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from synth_explorer.library.qualities import NAMES
from synth_explorer.rendering import Patch

KINDS = ("note", "upload", "render", "latents")
PERSON, DATASET, EARS, MEASURED = "person", "dataset", "ears", "measured"
"""Who says a tag: a person, who is sure; the data set that it came with; the ears; a measure."""

LABELS = (PERSON, DATASET)
"""Who says tags that are labels: somebody has put them there, and may have been wrong."""

ID_DIGITS = 12


@dataclass(frozen=True)
class Entry:
    """A row of the index with its file."""

    number: int
    sha256: str
    kind: str
    name: str
    origin: str  # the path that it came from, or what made it
    path: Path  # of its file in the library
    size: int  # bytes
    added_s: float  # since 1970
    duration_s: float | None
    sample_rate_hz: int | None
    is_favourite: bool
    note: str
    patch_json: str | None
    instrument: str  # that plays it, as its data set says; "": not said
    qualities: dict[str, float | None]  # by `qualities.NAMES`

    @property
    def id(self) -> str:
        """How people name it: the first digits of its content's SHA-256."""
        return self.sha256[:ID_DIGITS]

    @property
    def patch(self) -> Patch | None:
        """What it was rendered from. Raises SpecError: a patch of a newer version."""
        return None if self.patch_json is None else Patch.from_json(self.patch_json)

    @classmethod
    def of(cls, row: sqlite3.Row, path: Path) -> Entry:
        """From all columns of `entries`."""
        return cls(
            number=row["id"],
            sha256=row["sha256"],
            kind=row["kind"],
            name=row["name"],
            origin=row["origin"],
            path=path,
            size=row["bytes"],
            added_s=row["added_s"],
            duration_s=row["duration_s"],
            sample_rate_hz=row["sample_rate_hz"],
            is_favourite=bool(row["favourite"]),
            note=row["note"],
            patch_json=row["patch"],
            instrument=row["instrument"],
            qualities={name: row[name] for name in NAMES},
        )


@dataclass(frozen=True)
class Parent:
    """A sound that another was made from."""

    sha256: str
    name: str
    entry: Entry | None  # None where it is not in the library
