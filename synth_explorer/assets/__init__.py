"""Example notes that come with the program: one note each of some forty instruments, with their licences."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

NOTES_FOLDER = Path(__file__).parent / "notes"
_BETWEEN_WORDS = str.maketrans("", "", " _-")


@dataclass(frozen=True)
class ExampleNote:
    """One bundled note."""

    name: str  # instrument, as people say it ("Cello")
    family: str  # "string", "brass", "reed", ...
    path: Path  # FLAC file, mono, 48 kHz
    pitch: int  # MIDI note
    velocity: int  # MIDI velocity
    source: str  # SoundFont that it was rendered from
    licence: str  # short name; the full text is in LICENCE.md beside the files


def example_notes() -> list[ExampleNote]:
    """The bundled notes, in the order in which a person would look for them: family by family."""
    with (NOTES_FOLDER / "index.csv").open(newline="", encoding="utf-8") as file:
        return [
            ExampleNote(
                name=line["name"],
                family=line["family"],
                path=NOTES_FOLDER / line["path"],
                pitch=int(line["pitch"]),
                velocity=int(line["velocity"]),
                source=line["source"],
                licence=line["licence"],
            )
            for line in csv.DictReader(file)
        ]


def find_note(name: str) -> ExampleNote | None:
    """The bundled note of a name as people type it ("Grand Piano", "grand-piano"); None where there is none."""
    wanted = _folded(name)
    return next((note for note in example_notes() if wanted in (_folded(note.name), _folded(note.path.stem))), None)


def meant_note(name: str) -> str:
    """The bundled note that somebody most likely meant by a name that none has; "" where none is near."""
    from difflib import get_close_matches

    names = {_folded(note.name): note.name for note in example_notes()}
    near = get_close_matches(_folded(name), names, n=1, cutoff=0.7)
    return names[near[0]] if near else ""


def _folded(name: str) -> str:
    """A name without case and without what stands between its words."""
    return name.casefold().translate(_BETWEEN_WORDS)
