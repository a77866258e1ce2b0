"""NOTE and LATENTS arguments of commands that take many: folders opened, what cannot be used told before any work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from synth_explorer.cli.common import LATENTS_SUFFIXES, PATCH_SUFFIXES, SOUND_SUFFIXES, Failures, missing
from synth_explorer.errors import SynthExplorerError


def note(path: Path | None) -> Path | None:
    """Callback of a NOTE argument: a bundled note by its name, unless a file or a folder is called so."""
    if path is None or path.name != str(path) or path.exists():
        return path
    from synth_explorer.assets import find_note

    found = find_note(path.name)
    return path if found is None else found.path


def notes(paths: list[Path]) -> list[Path]:
    """As `note`, of arguments that take many."""
    return [note(path) or path for path in paths]


Note = Annotated[
    Path,
    typer.Argument(
        metavar="NOTE|LATENTS", callback=note, help="A sound file, latents, or a bundled note by name, such as Cello."
    ),
]


@dataclass
class Inputs:
    """Files that can be tried, in their order, and why the others cannot."""

    files: list[Path] = field(default_factory=list)
    problems: dict[Path, str] = field(default_factory=dict)
    _seen: set[Path] = field(default_factory=set)

    def add(self, path: Path, why: str | None) -> None:
        """Put a path where it belongs; the same file twice is one."""
        if why is not None:
            self.problems[path] = why
        elif path.resolve() not in self._seen:
            self._seen.add(path.resolve())
            self.files.append(path)

    def say(self, failures: Failures) -> None:
        """Say what cannot be used; leave where nothing is left."""
        for path, why in self.problems.items():
            failures.add(SynthExplorerError(why), of=path)
        if not self.files:
            failures.end()


def sounds(notes: Sequence[Path]) -> Inputs:
    """Sound files, those of folders among them: sorted by name, neither hidden ones nor those of folders inside."""
    found = Inputs()
    for note in notes:
        inside = _inside(note) if note.is_dir() else [note]
        if not inside:
            found.problems[note] = f"{note} is a folder without sound files: give notes, or a folder that has some."
        for path in inside:
            found.add(path, _sound_problem(path))
    return found


def latents(paths: Sequence[Path]) -> Inputs:
    """Latents files."""
    return _files(paths, LATENTS_SUFFIXES, what="latents", otherwise="encode a sound first")


def patches(paths: Sequence[Path]) -> Inputs:
    """Patches, alone or packed with their notes."""
    return _files(paths, PATCH_SUFFIXES, what="a patch", otherwise="save one with --save-patch")


def _files(paths: Sequence[Path], suffixes: tuple[str, ...], *, what: str, otherwise: str) -> Inputs:
    """Files of these suffixes."""
    found, named = Inputs(), f"{what}, {' or '.join(suffixes)}"
    for path in paths:
        why = _problem(path)
        if why is None and path.suffix.lower() not in suffixes:
            why = f"{path} is not {named}: {otherwise}."
        if path.is_dir():
            why = f"{path} is a folder; give {named}."
        found.add(path, why)
    return found


def in_folder(found: Inputs, folder: Path, suffix: str) -> list[Path]:
    """The file of a folder that each file's result goes to; of two that would be one, the second is a problem."""
    by_stem: dict[str, Path] = {}
    for file in list(found.files):
        other = by_stem.setdefault(file.stem, file)
        if other is not file:
            found.files.remove(file)
            same = f"{folder / file.stem}{suffix}"
            found.problems[file] = f"{file} would become {same}, as {other} does: give one of them another name."
    return [folder / f"{stem}{suffix}" for stem in by_stem]


def _inside(folder: Path) -> list[Path]:
    """The sound files of a folder by their suffixes."""
    within = sorted(folder.iterdir())
    return [p for p in within if p.suffix.lower() in SOUND_SUFFIXES and not p.name.startswith(".") and p.is_file()]


def _sound_problem(path: Path) -> str | None:
    if path.suffix.lower() in LATENTS_SUFFIXES:
        return f"{path} is latents by its name; give a sound file."
    return _problem(path)


def _problem(path: Path) -> str | None:
    """Why a file cannot be used, as far as that is seen without opening it."""
    if not path.exists():
        return missing(path)
    if path.is_file() and path.stat().st_size == 0:
        return f"{path} is an empty file (0 bytes); give another."
    return None
