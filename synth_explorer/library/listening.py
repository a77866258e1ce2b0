"""A file as the library hears it: copied to its place, measured, and put where its like are.

Shapes: E numbers of an embedding.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from synth_explorer import audio
from synth_explorer.errors import LibraryError
from synth_explorer.files import LATENTS_SUFFIXES
from synth_explorer.latents import Latents
from synth_explorer.library import bundled
from synth_explorer.library.ears import Ears
from synth_explorer.library.qualities import qualities
from synth_explorer.library.store import Store
from synth_explorer.rendering import Patch
from synth_explorer.rendering.sources import content_hash

LONGEST_S = 20.0  # of a file that are measured
LARGEST_BYTES = 2**30


@dataclass(frozen=True)
class Label:
    """What a data set says of a sound."""

    instrument: str
    tags: tuple[str, ...]  # all that apply, of those that the data set has


@dataclass(frozen=True)
class Task:
    """A file to be taken in."""

    path: Path
    kind: str  # "note", "upload", "render" or "latents"
    name: str
    patch: Patch | None = None  # that it was rendered from
    known: dict[str, float | None] | None = None  # descriptors that were measured before
    label: Label | None = None  # what its data set says of it
    tags: tuple[str, ...] = ()  # that a person gives it
    origin: str = ""  # where it came from, in words, where its file does not stay; "": its path


@dataclass(frozen=True, eq=False)
class Listened:
    """What is known of a file that lies in its place."""

    task: Task
    sha256: str
    suffix: str
    size: int  # bytes
    changed_ns: int  # when the file that was copied had been written
    is_known: bool = False  # whether its content had an entry, and was not heard again
    duration_s: float | None = None
    sample_rate_hz: int | None = None
    qualities: dict[str, float | None] = field(default_factory=dict)
    embedding: np.ndarray | None = None  # float16 [E]
    families: dict[str, float] = field(default_factory=dict)
    notices: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """What it is, whatever it was called: latents are none else."""
        return "latents" if self.suffix in LATENTS_SUFFIXES else self.task.kind


def take_in(folder: Path, task: Task) -> Listened:
    """Listen to a file and copy it to its place in a library. What these ears have heard is not heard again.

    Raises AudioError, LatentsError: it cannot be read, or is silent; LibraryError: it is too large; OSError.
    """
    found, store = task.path.stat(), _store(folder)
    if found.st_size > LARGEST_BYTES:
        raise LibraryError(
            f"{task.path} has {found.st_size / 2**20:,.0f} MB, a file of a library at most "
            f"{LARGEST_BYTES / 2**20:,.0f}; cut it shorter."
        )
    known, told = store.known(task.path, ears=Ears.bundled().name), dict[str, Any]()
    if known is None:  # before it is copied: what cannot be read leaves nothing
        told = bundled.heard(content_hash(task.path)) or heard(task)
    digest, suffix = known or store.put(task.path)
    return Listened(task, digest, suffix, found.st_size, found.st_mtime_ns, is_known=known is not None, **told)


@cache
def _store(folder: Path) -> Store:
    return Store(folder)


def heard(task: Task) -> dict[str, Any]:
    """The further fields of `Listened`, from listening to the file. Raises AudioError, LatentsError."""
    if task.path.suffix.lower() in LATENTS_SUFFIXES:
        meta = Latents.load(task.path).meta
        return {"duration_s": meta.duration_samples / meta.sample_rate_hz, "sample_rate_hz": meta.sample_rate_hz}
    recording = audio.record(task.path, sample_rate_hz=None, max_s=LONGEST_S)
    rate: dict[str, Any] = {"sample_rate_hz": recording.sample_rate_hz}
    ears = Ears.bundled().hear(recording.audio, **rate)
    return rate | {
        "duration_s": recording.whole_s,
        "qualities": qualities(recording.audio, known=task.known, **rate),
        "embedding": ears.embedding.astype(np.float16),
        "families": ears.families,
        "notices": recording.notices,
    }
