"""NOTES folders: sound files and an index.csv that says what they are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeVar

from synth_explorer.errors import DataError
from synth_explorer.schema import LENIENT, AfterValidator, BeforeValidator, Midi, Schema, Velocity


def _inside(text: str) -> str:
    path = Path(text)
    if not path.name or path.is_absolute() or ".." in path.parts or "\0" in text:
        raise ValueError(f"{text!r} must name a file inside the folder")  # where a link leads is its maker's matter
    return text


Inside = Annotated[str, AfterValidator(_inside)]
Row = TypeVar("Row", bound="IndexRow")


class IndexRow(Schema):
    """One line of index.csv; columns of other names are left to those who wrote them."""

    model_config = LENIENT

    path: Annotated[Path, BeforeValidator(_inside)]
    pitch: Midi | None = None  # where it is known
    instrument: str = ""
    family: str = "unknown"
    velocity: Velocity = 100.0


class LabelledRow(IndexRow):
    """A line that has to tell the pitch."""

    pitch: Midi  # pyright: ignore[reportGeneralTypeIssues, reportIncompatibleVariableOverride] - needed here


def read_index(folder: Path, row: type[Row]) -> list[Row]:
    """The notes of a folder by its index.csv. Raises DataError: none, or with the line that is wrong."""
    rows = row.read_rows(folder / "index.csv", error=DataError, columns=("path", "pitch"))
    if not rows:
        raise DataError(f"{folder / 'index.csv'} must have at least one row below its header.")
    return [one.model_copy(update={"path": folder / one.path}) for one in rows]
