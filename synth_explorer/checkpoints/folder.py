"""The folder of a checkpoint: find, list, verify and write one, weights plus readable JSON.

A checkpoint is a folder:

    config.json            format, name, description, family, sizes and, for every other file, its SHA-256
    weights.npz            the model's weights by name, no pickles
    pitch.json, pitch.weights.h5   the pitch head, where the family has one
    controls.json          what the named controls mean for these latents
    card.md                data and licences, how it was trained, figures, limits

The checkpoint's hash is that of what gives latents their meaning: family, sizes and weights. Latents carry it, and stay
valid when the checkpoint gets another calibration or another pitch head.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np

from synth_explorer.errors import CheckpointError
from synth_explorer.files import UNREADABLE, data_folder, exchange, is_file, read_bytes
from synth_explorer.schema import LENIENT, AfterValidator, Schema

if TYPE_CHECKING:
    import keras

FORMAT_VERSION = 1
WEIGHTS, CONFIG, CARD, CONTROLS = "weights.npz", "config.json", "card.md", "controls.json"
FOLDER_VARIABLE = "SYNTH_EXPLORER_CHECKPOINTS"
PACKAGE = Path(__file__).resolve().parents[1]


def _plain(name: str) -> str:
    if name != Path(name).name or name in {"", ".", ".."}:
        raise ValueError("must be a file inside the checkpoint's folder")
    return name


def _with_weights(files: dict[str, str]) -> dict[str, str]:
    if WEIGHTS not in files:
        raise ValueError(f"must hold {WEIGHTS}")
    return files


class _Written(Schema):
    """What config.json says, and what others write beside it."""

    model_config = LENIENT

    format_version: Literal[1]
    family: Literal["default", "nsynth", "wavenet"] = "default"
    description: str = ""
    config: dict[str, Any]
    files: Annotated[dict[Annotated[str, AfterValidator(_plain)], str], AfterValidator(_with_weights)]


@dataclass(frozen=True)
class CheckpointInfo:
    """What a checkpoint says of itself."""

    name: str  # its name in listings, messages and latents
    path: Path  # its folder
    family: str  # what kind of model it is
    description: str  # one line
    hash: str  # SHA-256 of what gives latents their meaning (see `latents_hash`), in hexadecimal
    size_bytes: int  # of all its files
    config: dict[str, Any]  # the model's sizes
    files: dict[str, str]  # SHA-256 of each file by name


def folders() -> list[Path]:
    """Where named checkpoints are looked for: $SYNTH_EXPLORER_CHECKPOINTS, then where this program has its own.

    That is `checkpoints/` in a clone. Where a wheel was installed it is the user's folder, since the program's may be
    read-only and goes with an upgrade, and then the one that came in the wheel (see setup.py).
    """
    named = [Path(path) for path in os.environ.get(FOLDER_VARIABLE, "").split(os.pathsep) if path]
    bundled = PACKAGE / "bundled"
    own = [data_folder() / "checkpoints", bundled] if bundled.is_dir() else [PACKAGE.parent / "checkpoints"]
    return named + own


def find(name: str | os.PathLike[str]) -> Path:
    """The folder of a checkpoint given by name or by path. Raises CheckpointError naming those that exist."""
    text = os.fspath(name)
    plain = text and text == Path(text).name and text not in {".", ".."}
    if plain:
        for folder in folders():
            if is_file(folder / text / CONFIG):
                return folder / text
    elif is_file(Path(text, CONFIG)):
        return Path(text)
    if is_file(Path(text, CONFIG)):
        return Path(text)
    known = ", ".join(info.name for info in list_checkpoints()) or "none"
    raise CheckpointError(f"There is no checkpoint {text!r}; known are: {known}. Give one of them or a folder.")


def list_checkpoints() -> list[CheckpointInfo]:
    """Every readable checkpoint in `folders()`, the first of each name."""
    return [info for info in _all_checkpoints() if isinstance(info, CheckpointInfo)]


def damaged_checkpoints() -> list[str]:
    """What is wrong with each folder in `folders()` that is a checkpoint but cannot be read."""
    return [why for why in _all_checkpoints() if isinstance(why, str)]


def _all_checkpoints() -> list[CheckpointInfo | str]:
    """The first checkpoint of each name, or why it cannot be read."""
    found: dict[str, CheckpointInfo | str] = {}
    for folder in folders():
        for config in sorted(folder.glob(f"*/{CONFIG}")):
            if config.parent.name in found:
                continue
            try:
                found[config.parent.name] = read_info(config.parent)
            except CheckpointError as error:
                found[config.parent.name] = str(error)
    return list(found.values())


def read_info(folder: Path) -> CheckpointInfo:
    """Read config.json. Raises CheckpointError when it is missing, damaged or of another format."""
    path = folder / CONFIG
    try:
        text = read_bytes(path)
    except OSError as error:
        raise CheckpointError(f"{path} can't be read as a checkpoint's configuration: {error}.") from None
    read = _Written.parse(text, what=str(path), error=CheckpointError)
    size = sum(p.stat().st_size for p in folder.iterdir() if p.is_file())
    digest = latents_hash(read.family, read.config, read.files[WEIGHTS])
    name = folder.resolve().name
    return CheckpointInfo(name, folder, read.family, read.description, digest, size, read.config, read.files)


def latents_hash(family: str, config: Mapping[str, Any], weights_hash: str) -> str:
    """SHA-256 over a checkpoint's family, sizes and weights: latents of one hash mean one thing."""
    text = json.dumps([FORMAT_VERSION, family, dict(config), weights_hash], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def verify(name: str | os.PathLike[str]) -> CheckpointInfo:
    """Check every file of a checkpoint against its hash. Raises CheckpointError naming what is wrong."""
    info = read_info(find(name))
    for file, wanted in info.files.items():
        path = info.path / file
        if not is_file(path):
            raise CheckpointError(f"The checkpoint {info.name} lacks {file}; copy it again.")
        if sha256(path) != wanted:
            raise CheckpointError(f"{file} of the checkpoint {info.name} is damaged or was changed; copy it again.")
    return info


def show(name: str | os.PathLike[str]) -> str:
    """The checkpoint's card."""
    info = read_info(find(name))
    card = info.path / CARD
    if not card.is_file():
        raise CheckpointError(f"The checkpoint {info.name} has no {CARD}.")
    return card.read_text(encoding="utf-8")


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_weights(info: CheckpointInfo, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """A checkpoint's weights by name, float32. Raises CheckpointError when names or shapes are not those given."""
    path = info.path / WEIGHTS
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: np.asarray(file[name]) for name in file.files}
    except UNREADABLE as error:
        raise CheckpointError(f"{path} can't be read as weights: {error}.") from None
    different = sorted(set(shapes) ^ set(arrays))
    if different:
        raise CheckpointError(f"{path} does not fit the model: {len(different)} names differ, first {different[0]!r}.")
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise CheckpointError(f"{path}: {name} has shape {arrays[name].shape}, the model {shape}.")
        if not np.isfinite(arrays[name]).all():
            raise CheckpointError(f"{path}: {name} has values that are not finite.")
    return {name: arrays[name].astype(np.float32) for name in shapes}


def load_weights(model: keras.Model, info: CheckpointInfo) -> None:
    """Give a built model its weights. Raises CheckpointError when a name or a shape does not fit."""
    wanted = {variable.path: variable for variable in model.weights}
    arrays = read_weights(info, {name: tuple(variable.shape) for name, variable in wanted.items()})
    for name, variable in wanted.items():
        variable.assign(arrays[name])


def write(
    model: keras.Model,
    folder: str | os.PathLike[str],
    *,
    family: str,
    description: str,
    config: Mapping[str, Any],
    controls: Mapping[str, Any],
    card: str,
    dtype: str,
    add: Callable[[Path], tuple[str, ...]] = lambda new: (),
    **about: Any,
) -> CheckpointInfo:
    """Write a whole checkpoint beside `folder`, then put it in its place.

    Args:
        folder: its last part is the checkpoint's name.
        add: puts more files into the new folder and returns their names.
        about: more entries of config.json.
    """
    target = Path(folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as temporary:
        new = Path(temporary) / target.name
        new.mkdir()
        arrays = {v.path: np.asarray(v.numpy() if hasattr(v, "numpy") else v, np.float32) for v in model.weights}
        stored: dict[str, Any] = {name: array.astype(dtype, copy=False) for name, array in arrays.items()}
        np.savez(new / WEIGHTS, **stored)
        (new / CONTROLS).write_text(json.dumps(dict(controls), indent=2) + "\n", encoding="utf-8")
        (new / CARD).write_text(card, encoding="utf-8")
        hashed = (WEIGHTS, CONTROLS, *add(new))
        content = {
            "format_version": FORMAT_VERSION,
            "family": family,
            "description": description,
            **about,
            "config": dict(config),
            "files": {name: sha256(new / name) for name in hashed},
        }
        (new / CONFIG).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        _put(new, target, Path(temporary) / "old")
    return read_info(target)


def amend(info: CheckpointInfo, files: Mapping[str, bytes]) -> CheckpointInfo:
    """Give a checkpoint new or other files, with their hashes; all at once, or not at all.

    `files`: contents by name; the card is not hashed. Raises CheckpointError: the folder can't be written.
    """
    folder = info.path.resolve()
    try:
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as temporary:
            new = Path(temporary) / folder.name
            shutil.copytree(folder, new)
            content = json.loads((new / CONFIG).read_text(encoding="utf-8"))
            for name, data in files.items():
                (new / name).write_bytes(data)
                if name != CARD:
                    content["files"][name] = sha256(new / name)
            (new / CONFIG).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
            _put(new, folder, Path(temporary) / "old")
    except OSError as error:
        raise CheckpointError(f"{folder} cannot be written: {error.strerror or error}.") from error
    return verify(folder)


def _put(new: Path, target: Path, old: Path) -> None:
    """Move `new` to `target`; what was there comes to `new`, at once where the system can exchange folders.

    Elsewhere it goes to `old`, and comes back if the second step fails; who is killed between them finds it beside.
    """
    if target.exists():
        if exchange(new, target):
            return
        target.rename(old)
    try:
        new.rename(target)
    except BaseException:
        if old.exists():
            old.rename(target)
        raise
