"""The bundled notes in a checkpoint's latent space: their mean sounds, each channel's spread, and a map of them.

They are encoded once for each checkpoint and kept in the user's cache folder under its hash; 46 notes take two seconds
with the default model, and minutes with NSynth's.

Shapes: N notes, C channels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from synth_explorer.assets import ExampleNote, example_notes
from synth_explorer.errors import LatentsError
from synth_explorer.files import UNREADABLE, atomic_path, cache_folder
from synth_explorer.inspection.channels import heard_frames
from synth_explorer.latents import Latents

if TYPE_CHECKING:
    from synth_explorer.edits import Controls
    from synth_explorer.explorer import Explorer


@dataclass(frozen=True, eq=False)
class Examples:
    """Many notes of one checkpoint."""

    names: np.ndarray  # str [N]
    families: np.ndarray  # str [N]
    means: np.ndarray  # float64 [N, C], their mean sounds (`latents.time_mean`)
    centre: np.ndarray  # float64 [C], mean over notes and over the frames of each that are heard
    spread: np.ndarray  # float64 [C], standard deviation over the same, each note counting alike

    def nearest(self, mean: np.ndarray, *, count: int = 3) -> list[tuple[str, float]]:
        """The notes nearest to a mean sound [C]: (name, distance over all channels), the nearest first."""
        distance = np.linalg.norm(self.means - mean, axis=1)
        return [(str(self.names[index]), float(distance[index])) for index in np.argsort(distance)[:count]]


@dataclass(frozen=True, eq=False)
class Plane:
    """Two principal axes of mean sounds."""

    centre: np.ndarray  # float64 [C]
    axes: np.ndarray  # float64 [2, C], orthonormal; a second axis of zeros where the notes lie on one line
    share: np.ndarray  # float64 [2], of the variance, 0..1

    def at(self, means: np.ndarray) -> np.ndarray:
        """Mean sounds [..., C] -> places [..., 2]."""
        return (np.asarray(means, dtype=np.float64) - self.centre) @ self.axes.T


def plane(means: np.ndarray) -> Plane:
    """The plane in which mean sounds [N, C] spread most (PCA). The largest part of each axis is positive."""
    means = np.asarray(means, dtype=np.float64)
    centre = means.mean(axis=0)
    _, sizes, axes = np.linalg.svd(means - centre, full_matrices=False)
    count = int(np.sum(sizes[:2] > 1e-9 * max(float(sizes[0]), 1e-30)))
    kept = np.zeros((2, means.shape[1]))
    kept[:count] = axes[:count]
    for axis in kept:
        axis *= np.sign(axis[np.argmax(np.abs(axis))]) or 1.0
    share = np.zeros(2)
    share[:count] = sizes[:count] ** 2 / max(float((sizes**2).sum()), 1e-30)
    return Plane(centre, kept, share)


def gather(notes: Sequence[Latents], names: Sequence[str], families: Sequence[str], controls: Controls) -> Examples:
    """Examples of encoded notes."""
    if not notes:
        raise LatentsError("There are no example notes; install the package with its assets.")
    heard = [note.z[heard_frames(note.z, controls)].astype(np.float64) for note in notes]
    centre = np.mean([frames.mean(axis=0) for frames in heard], axis=0)
    spread = np.sqrt(np.mean([((frames - centre) ** 2).mean(axis=0) for frames in heard], axis=0))
    means = np.stack([controls.time_mean(note) for note in notes])
    return Examples(np.array(names), np.array(families), means, centre, spread)


def examples(
    explorer: Explorer,
    *,
    folder: Path | None = None,
    notes: Sequence[ExampleNote] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Examples, str]:
    """The bundled notes for this checkpoint: read from the cache, or encoded at their known pitch and kept there.

    `folder`: the cache; None: `cache_folder`. `notes`: other notes; None: the bundled ones. Returns the examples, and
    why they could not be kept, "" where they are. A cache that is damaged is made again.
    """
    notes = example_notes() if notes is None else list(notes)
    path = (cache_folder() if folder is None else folder) / f"examples-{_key(explorer, notes)}.npz"
    kept = _read(path, channels=explorer.config.channels)
    if kept is not None:
        return kept, ""
    encoded = []
    for index, note in enumerate(notes):
        encoded.append(explorer.encode(note.path, pitch=note.pitch, source=note.name))
        if progress is not None:
            progress(index + 1, len(notes))
    made = gather(encoded, [note.name for note in notes], [note.family for note in notes], explorer.controls)
    try:
        with atomic_path(path) as temporary:
            np.savez(temporary, **{item.name: getattr(made, item.name) for item in fields(made)})
    except OSError as error:
        return made, f"{path} cannot be written ({error.strerror or error})"
    return made, ""


def _key(explorer: Explorer, notes: Sequence[ExampleNote]) -> str:
    """Names a checkpoint with its calibration, and these notes."""
    digest = hashlib.sha256(f"{explorer.checkpoint_hash} {explorer.controls}".encode())
    for note in notes:
        digest.update(f"{note.name} {note.family} {note.pitch} ".encode() + note.path.read_bytes())
    return f"{explorer.checkpoint_hash[:12]}-{digest.hexdigest()[:20]}"


def _read(path: Path, *, channels: int) -> Examples | None:
    """What was kept, or None where nothing whole was."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as content:
            kept = Examples(**{item.name: content[item.name] for item in fields(Examples)})
    except UNREADABLE:
        return None
    whole = kept.means.shape == (len(kept.names), channels) and kept.spread.shape == (channels,)
    return kept if whole else None
