"""The contact sheet: one page of HTML that needs no server and no network, only the sounds where it says they lie."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from jinja2 import Environment, StrictUndefined

from synth_explorer.sheet.heard import Heard
from synth_explorer.sheet.space import SPECTRUM_TOLERANCE_DB, TOLERANCES

HERE = Path(__file__).parent
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Cell:
    """A figure of a sound: what is read, and what is sorted by; None where there is none."""

    text: str
    value: float | None

    @classmethod
    def of(cls, value: float | None, form: str) -> Cell:
        return cls("", None) if value is None else cls(format(value, form).replace("-", MINUS), value)


@dataclass(frozen=True)
class Row:
    """A sound."""

    file: str
    address: str  # of its file, from the page
    about: str
    picture: str  # a PNG in base64
    twin: str  # the file that it is as good as; "" for none
    is_kept: bool
    cells: tuple[Cell, ...]


def html(
    records: Sequence[Mapping[str, Any]],
    sounds: Sequence[Heard],
    *,
    folder: Path,
    page: Path,
    order: Sequence[int],
    rank: Sequence[int],
    twins: Mapping[int, int],
    kept: Sequence[int] = (),
    likeness: np.ndarray | None = None,
    like: str = "",
) -> str:
    """The sheet of N sounds as text.

    Args:
        records, sounds: lines of the manifest, and what is heard of each.
        folder, page: where the sounds lie, and where the page will.
        order: in which they are shown [N].
        rank: their order by diversity [N].
        twins: near-duplicates, and of what.
        kept: those that are marked.
        likeness: distance of each to a sound [N], `like` its name.
    """
    place = {index: number for number, index in enumerate(rank, 1)}
    chosen = frozenset(kept)
    columns = (["Distance"] if likeness is not None else []) + [
        *("Order", "Pitch", "Loudness, LUFS", "Centroid, Hz", "Noise, dB", "Attack, ms", "Length, s")
    ]
    rows = [
        Row(
            records[i]["file"],
            _address(folder / records[i]["file"], page.absolute().parent),
            _about(records[i]),
            base64.b64encode(sounds[i].picture).decode(),
            records[twins[i]]["file"] if i in twins else "",
            i in chosen,
            (*([Cell.of(float(likeness[i]), ".2f")] if likeness is not None else []), *_cells(records[i], place[i])),
        )
        for i in order
    ]
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(_read("sheet.html"))
    return template.render(
        title=folder.absolute().name,
        style=_read("sheet.css"),
        script=_read("sheet.js"),
        columns=columns,
        rows=rows,
        twins=len(twins),
        like=like,
        tolerances=_tolerances(),
    )


def _cells(record: Mapping[str, Any], place: int) -> tuple[Cell, ...]:
    heard = record["descriptors"]
    octaves, attack_s = heard["brightness_octaves"], heard["attack_s"]
    return (
        Cell.of(place, "d"),
        Cell.of(heard["pitch_midi"], ".2f"),
        Cell.of(heard["loudness_db"], ".1f"),
        Cell.of(None if octaves is None else 2.0**octaves, ".0f"),
        Cell.of(heard["noisiness_db"], ".1f"),
        Cell.of(None if attack_s is None else 1000.0 * attack_s, ".0f"),
        Cell.of(record["duration_s"], ".2f"),
    )


def _about(record: Mapping[str, Any]) -> str:
    """A sound's notes, and what was asked of it."""
    patch = record["patch"]
    notes = " + ".join(source["name"] for source in patch["sources"])
    edits = ", ".join(edit["kind"].replace("_", " ") for edit in patch["edits"])
    return f"{notes}; {edits}" if edits else notes


def _address(sound: Path, page_folder: Path) -> str:
    return quote(Path(os.path.relpath(sound.absolute(), page_folder)).as_posix())


def _tolerances() -> str:
    """When sounds are near-duplicates, in words."""
    level, bright, noise, attack, pitch = TOLERANCES.values()
    return (
        f"within {level:g} dB of loudness, {bright:g} octaves of brightness, {noise:g} dB of noisiness, "
        f"{attack:g} octaves of attack time and {100 * pitch:g} cents of pitch, and within "
        f"{SPECTRUM_TOLERANCE_DB:g} dB (root mean square over the bands) of mean spectrum"
    )


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")
