"""What a sound is taken away as: a file of each kind, written while `progress` is told how far it is."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, get_args

import numpy as np

from synth_explorer.errors import SpecError
from synth_explorer.instruments import Plan, make
from synth_explorer.instruments import write as write_instrument
from synth_explorer.instruments.writing import FORMATS
from synth_explorer.rendering import Mix, Patch, Renderer, pack

Progress = Callable[[int, int], None]
"""Told what is done, of how much; whatever it raises ends the export."""

Kind = Literal["wav", "flac", "latents", "patch", "grid", "instrument"]
KINDS: tuple[str, ...] = get_args(Kind)
LONG = ("grid", "instrument")
"""Kinds that are of many sounds."""

SUFFIXES = {"latents": ".npz", "patch": ".zip", "grid": ".zip", "instrument": ".zip"}
ACROSS, IN_A_ROW = 5, 9  # sounds of a grid: so many each way over the pad; on the way between two notes


def export(renderer: Renderer, patch: Patch, kind: str, folder: Path, progress: Progress) -> Path:
    """Write a patch as one file into a folder, and return it.

    wav (32-bit floats), flac (24 bits), latents (.npz) or patch (packed with its notes); grid: sounds from all over the
    pad; instrument: over keys and velocities for samplers, in every format. Raises SynthExplorerError: what cannot be.
    """
    if kind not in KINDS:
        raise SpecError(f"{kind!r} must be one of {', '.join(KINDS)}.")
    if kind in LONG:
        path = folder / f"{renderer.begin(patch, sounded=False).file_stem}-{kind}{SUFFIXES[kind]}"
        (_grid if kind == "grid" else _instrument)(renderer, patch, path, progress)
        return path
    progress(0, 1)
    done = renderer.render(patch)
    path = folder / f"{done.file_stem}{SUFFIXES.get(kind, f'.{kind}')}"
    if kind == "patch":
        pack(patch, path)
    else:
        (done.after.save if kind == "latents" else done.save)(path)
    progress(1, 1)
    return path


def places(count: int) -> dict[str, Mix]:
    """The sounds of a grid of so many notes, by the names of their files. Raises SpecError: of one note."""
    if count == 1:
        raise SpecError("A grid needs two to four notes; this sound has one.")
    across = np.linspace(0.0, 1.0, IN_A_ROW if count == 2 else ACROSS).tolist()
    if count == 2:
        return {f"{x:.3f}": Mix.at(x, 0.5) for x in across}
    return {f"x{x:.2f}_y{y:.2f}": Mix.at(x, y) for y in across for x in across}


def _grid(renderer: Renderer, patch: Patch, path: Path, progress: Progress) -> None:
    found = places(len(patch.sources))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file, TemporaryDirectory() as folder:
        for number, (name, mix) in enumerate(found.items()):
            progress(number, len(found))
            sound = renderer.render(patch.but(mix=mix)).save(Path(folder) / "sound.wav")
            file.write(sound, f"{name}.wav")
        file.write(pack(patch, Path(folder) / "patch.zip"), "patch.zip")
    progress(len(found), len(found))


def _instrument(renderer: Renderer, patch: Patch, path: Path, progress: Progress) -> None:
    made = make(renderer, patch, Plan(), name=path.stem, progress=progress)
    with TemporaryDirectory() as folder:
        root = Path(folder) / path.stem
        write_instrument(made, root, formats=FORMATS)  # pyright: ignore[reportArgumentType] - all that there are
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file:
            for one in sorted(root.rglob("*")):
                file.write(one, f"{path.stem}/{one.relative_to(root)}")
