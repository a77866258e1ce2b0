"""Checkpoints that TensorFlow 1 wrote: find one under any name that people call it by, and read its variables.

A checkpoint has a prefix, such as `model.ckpt-200000`, and files `PREFIX.index`, `PREFIX.data-00000-of-00001` (one or
more shards) and `PREFIX.meta`, which is not needed. Trainers write many into one folder, with a text file `checkpoint`
that names the last.
"""

from __future__ import annotations

import glob
import math
import re
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from synth_explorer.errors import CheckpointError
from synth_explorer.files import is_file

INDEX, STATE = ".index", "checkpoint"
_SHARD = re.compile(r"\.data-(\d{5})-of-(\d{5})$")
_PARTS = re.compile(r"(\.index|\.meta|\.data-\d{5}-of-\d{5})$")
_STEP = re.compile(r"-(\d+)$")
_ADVICE = "give a prefix such as model.ckpt-200000, its .index, its folder or its tar"


@dataclass(frozen=True, eq=False)
class TensorFlowCheckpoint:
    """A checkpoint that can be read: shapes are known, the numbers are read when asked for."""

    name: str  # the last part of its prefix
    shapes: dict[str, tuple[int, ...]]  # of every variable by name
    step: int | None  # of training, None when it is not known
    _reader: Any

    def read(self, name: str) -> np.ndarray:
        """The numbers of a variable. Raises CheckpointError when they cannot be read whole."""
        with _errors_of(self.name):
            return np.asarray(self._reader.get_tensor(name))


@contextmanager
def opened(path: Path) -> Iterator[TensorFlowCheckpoint]:
    """Open a checkpoint given as prefix, `.index`, `.meta`, data shard, folder or tar; yields it while it can be read.

    Raises CheckpointError: there is none, it is no checkpoint, or it is not whole.
    """
    with tempfile.TemporaryDirectory(prefix="synth-explorer-") as temporary:
        prefix = _from_tar(path, Path(temporary)) if _is_tar(path) else _prefix(path)
        _check_shards(prefix)
        yield _open(prefix)


def _open(prefix: Path) -> TensorFlowCheckpoint:
    from synth_explorer.quiet import import_keras

    import_keras()
    import tensorflow as tf

    with _errors_of(prefix.name):
        reader = tf.train.load_checkpoint(str(prefix))
        shapes = {name: tuple(shape) for name, shape in reader.get_variable_to_shape_map().items()}
        _check_size(prefix, shapes, reader.get_variable_to_dtype_map())
        step = _STEP.search(prefix.name)
        if shapes.get("global_step") == ():
            return TensorFlowCheckpoint(prefix.name, shapes, int(reader.get_tensor("global_step")), reader)
        return TensorFlowCheckpoint(prefix.name, shapes, int(step[1]) if step else None, reader)


@contextmanager
def _errors_of(name: str) -> Iterator[None]:
    """What TensorFlow raises for damaged files, in a sentence: an OpError, or a bare IndexError or RuntimeError."""
    import tensorflow as tf

    try:
        yield
    except (tf.errors.OpError, IndexError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:160].rstrip(".")
        raise CheckpointError(f"{name} can't be read as a TensorFlow checkpoint; copy it again ({reason}).") from error


def _prefix(path: Path) -> Path:
    """The prefix that a path means."""
    if path.is_dir():
        return _in_folder(path)
    if is_file(path.with_name(path.name + INDEX)):
        return path
    if is_file(path) and path.name == STATE:
        return _in_folder(path.parent)
    if _PARTS.search(path.name):
        prefix = path.with_name(_PARTS.sub("", path.name))
        if not is_file(prefix.with_name(prefix.name + INDEX)):
            raise CheckpointError(f"{prefix} lacks its file {prefix.name}{INDEX}; copy the whole checkpoint.")
        return prefix
    if is_file(path):
        raise CheckpointError(f"{path} is no TensorFlow checkpoint; {_ADVICE}.")
    raise CheckpointError(f"There is no checkpoint {path}; {_ADVICE}.")


def _in_folder(folder: Path) -> Path:
    """The checkpoint of a folder, or of its only subfolder that holds any."""
    found = sorted(folder.glob(f"*{INDEX}")) or sorted(folder.glob(f"*/*{INDEX}"))
    if len({index.parent for index in found}) > 1:
        raise CheckpointError(f"{folder} holds checkpoints in several folders; give one of them.")
    if not found:
        raise CheckpointError(f"{folder} holds no TensorFlow checkpoint (no file that ends in {INDEX}).")
    state = found[0].parent / STATE
    text = state.read_text(encoding="utf-8", errors="replace") if state.is_file() else ""
    name = _chosen([index.name.removesuffix(INDEX) for index in found], text, what=str(folder))
    return found[0].parent / name


def _chosen(prefixes: Sequence[str], state: str, *, what: str) -> str:
    """The one that the `checkpoint` file names, or the one with the highest step."""
    last = re.search(r'^model_checkpoint_path:\s*"([^"]*)"', state, re.MULTILINE)
    named = re.split(r"[\\/]", last[1])[-1] if last else ""
    if named in prefixes:
        return named
    if len(prefixes) == 1:
        return prefixes[0]
    steps = {prefix: int(step[1]) for prefix in prefixes if (step := _STEP.search(prefix))}
    if len(steps) < len(prefixes):
        raise CheckpointError(f"{what} holds several checkpoints ({', '.join(sorted(prefixes))}); give one of them.")
    return max(steps, key=lambda prefix: steps[prefix])


def _check_shards(prefix: Path) -> None:
    """Refuse a checkpoint without all of its data."""
    names = [path.name.removeprefix(prefix.name) for path in prefix.parent.iterdir() if path.is_file()]
    shards = {match.groups() for name in names if (match := _SHARD.fullmatch(name))}
    if not shards:
        first = f"{prefix.name}.data-00000-of-00001"
        raise CheckpointError(f"{prefix} lacks its data, {first} or more of them; copy the whole checkpoint.")
    count = int(next(iter(shards))[1])
    for shard in range(count):
        if (f"{shard:05d}", f"{count:05d}") not in shards:
            raise CheckpointError(f"{prefix} lacks {prefix.name}.data-{shard:05d}-of-{count:05d}; copy it too.")


def _check_size(prefix: Path, shapes: dict[str, tuple[int, ...]], dtypes: dict[str, Any]) -> None:
    """Refuse data that is shorter than its variables, even if only the end of one that is not needed is missing."""
    wanted = sum(math.prod(shapes[name]) * dtype.size for name, dtype in dtypes.items())
    found = sum(path.stat().st_size for path in prefix.parent.glob(f"{glob.escape(prefix.name)}.data-*"))
    if found < wanted:
        raise CheckpointError(f"{prefix.name} is truncated: it has {found} of {wanted} bytes; copy it again.")


def _is_tar(path: Path) -> bool:
    if path.name.endswith((".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")) and is_file(path):
        return True
    return is_file(path) and not _PARTS.search(path.name) and tarfile.is_tarfile(path)


def _from_tar(path: Path, folder: Path) -> Path:
    """Copy the checkpoint's files out of a tar, and nothing else, flat into `folder`; its prefix there."""
    try:
        with tarfile.open(path) as tar:
            members = [member for member in tar if member.isfile()]
            for member in members:
                name = PurePosixPath(member.name)
                if name.is_absolute() or ".." in name.parts:
                    raise CheckpointError(f"{path} is refused: its member {member.name!r} points outside.")
            indices = [m.name.removesuffix(INDEX) for m in members if m.name.endswith(INDEX)]
            if not indices:
                raise CheckpointError(f"{path} holds no TensorFlow checkpoint (no file that ends in {INDEX}).")
            state = next((tar.extractfile(m) for m in members if PurePosixPath(m.name).name == STATE), None)
            text = state.read(65536).decode("utf-8", "replace") if state else ""
            by_name = {PurePosixPath(index).name: index for index in indices}
            if len(by_name) < len(indices):
                raise CheckpointError(f"{path} holds checkpoints of one name in several folders; unpack it, give one.")
            chosen = by_name[_chosen(list(by_name), text, what=str(path))]
            for member in members:
                if member.name.startswith(chosen + ".") and _PARTS.search(member.name):
                    if member.name.endswith(".meta"):
                        continue
                    content = tar.extractfile(member)
                    assert content is not None  # all members are files
                    with (folder / PurePosixPath(member.name).name).open("wb") as file:
                        shutil.copyfileobj(content, file)
            return folder / PurePosixPath(chosen).name
    except (tarfile.TarError, EOFError, OSError) as error:
        raise CheckpointError(f"{path} can't be read as a tar archive; fetch it again ({error}).") from error
