"""The notes of a batch: each is listened to once, and its latents are kept beside the sounds."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from synth_explorer.errors import LatentsError
from synth_explorer.files import atomic_path
from synth_explorer.rendering import Patch, Renderer, Source


@dataclass(frozen=True)
class Listening:
    """A note that is to be encoded and fitted."""

    source: Source
    fit_steps: int
    checkpoint: str  # by its name here
    checkpoint_hash: str

    @property
    def key(self) -> str:
        """What its latents are kept by: all that they depend on."""
        source = self.source
        meaning = [source.sha256, source.pitch_midi, source.name, self.fit_steps, self.checkpoint_hash]
        return hashlib.sha256(json.dumps(meaning).encode()).hexdigest()[:32]


def listenings(patch: Patch) -> list[Listening]:
    """The notes of a patch."""
    model = patch.checkpoint, patch.checkpoint_hash
    return [Listening(source, patch.fit_steps, *model) for source in patch.sources]


class Notes:
    """A folder of latents. What is damaged in it counts as not there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, key: str) -> Path:
        """Where the latents of a note are kept."""
        return self.folder / f"{key}.npz"

    def has(self, key: str) -> bool:
        """Whether a note was listened to."""
        return self.path(key).is_file()

    def keep(self, key: str, content: bytes) -> None:
        """Keep a note's latents, given as the content of their file."""
        with atomic_path(self.path(key)) as temporary:
            temporary.write_bytes(content)

    def sweep(self) -> None:
        """Take away what a stop left half-written."""
        for path in self.folder.glob(".*.npz"):
            path.unlink()

    def tell(self, renderer: Renderer, patch: Patch) -> None:
        """Let a renderer know the latents of a patch's notes; it listens itself to those that are not here."""
        for note in listenings(patch):
            if renderer.known(note.source, fit_steps=note.fit_steps) is None and self.has(note.key):
                with suppress(LatentsError):  # damaged
                    latents = renderer.explorer.load_latents(self.path(note.key))
                    renderer.remember(note.source, latents, fit_steps=note.fit_steps)
