"""What data sets say of their sounds: the NSynth dataset's `examples.json`, and an `index.csv` that has tags."""

from __future__ import annotations

import csv
from pathlib import Path

from synth_explorer.errors import LibraryError
from synth_explorer.files import is_file, read_bytes
from synth_explorer.index import IndexRow, Inside
from synth_explorer.library.listening import Label
from synth_explorer.schema import LENIENT, Schema, Texts, parse

EXAMPLES, INDEX, COLUMN = "examples.json", "index.csv", "tags"
BETWEEN = ";"  # the tags of a line


class _Example(Schema):
    """What examples.json says of a note."""

    model_config = LENIENT

    instrument_str: str
    instrument_family_str: str
    instrument_source_str: str = ""
    qualities_str: Texts = ()


class _Tagged(IndexRow):
    """A line of an index that has tags."""

    tags: str = ""


def labels_of(folder: Path) -> dict[Path, Label]:
    """What a folder says of the sounds in it, by their paths: a split of NSynth as published (`examples.json` beside
    `audio/*.wav`; family, source and qualities are the tags), or an `index.csv` with a column `tags`, those of a line
    with semicolons between; nothing where it is neither.

    Raises LibraryError: what there is cannot be read.
    """
    if is_file(folder / EXAMPLES):
        path = folder / EXAMPLES
        found: dict[str, _Example]
        found = parse(dict[Inside, _Example], read_bytes(path), what=str(path), error=LibraryError)
        return {
            folder / "audio" / f"{key}.wav": Label(
                one.instrument_str,
                _tags(one.instrument_family_str, one.instrument_source_str, *one.qualities_str),
            )
            for key, one in found.items()
        }
    if is_file(folder / INDEX) and _has_tags(folder / INDEX):
        rows = _Tagged.read_rows(folder / INDEX, error=LibraryError, columns=("path",))
        return {folder / row.path: Label(row.instrument, _tags(*row.tags.split(BETWEEN))) for row in rows}
    return {}


def _tags(*words: str) -> tuple[str, ...]:
    return tuple(filter(None, map(_tag, words)))


def _tag(word: str) -> str:
    """A tag as the library writes it: fast_decay is "fast decay"; families of instruments are as ears say them."""
    word = word.strip().lower()
    return word if word.startswith("synth_") else " ".join(word.replace("_", " ").split())


def _has_tags(path: Path) -> bool:
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        try:
            return COLUMN in next(csv.reader(file), [])
        except csv.Error:
            return False
