"""The `sources` of a spec: found, named, and looked at before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from synth_explorer import audio, checkpoints
from synth_explorer.assets import find_note, meant_note
from synth_explorer.batch.spec import Note
from synth_explorer.edits import Controls, EditChain
from synth_explorer.errors import LatentsError, SynthExplorerError
from synth_explorer.files import LATENTS_SUFFIXES, exists, is_dir, is_file
from synth_explorer.latents import Latents, LatentsMeta
from synth_explorer.marked import Marked
from synth_explorer.model.config import ModelConfig
from synth_explorer.model.nsynth_config import NSynthConfig
from synth_explorer.rendering import Source

GLOB = frozenset("*?[")
MOST_SOURCES = 100_000


class Sizes(NamedTuple):
    """What a plan needs to know of a model."""

    sample_rate_hz: int
    hop: int
    max_s: float
    has_pitch: bool


def sizes(info: checkpoints.CheckpointInfo) -> Sizes:
    """Those of a checkpoint, which is not loaded."""
    is_default = info.family == "default"
    config = ModelConfig(**info.config) if is_default else NSynthConfig(**info.config)
    return Sizes(config.sample_rate_hz, config.hop, config.max_s, is_default)


class Origins:
    """Sources by their names, in the order of the spec. Raises SpecError: one that cannot be used, with its line."""

    def __init__(
        self, given: Sequence[str | Note], marked: Marked, folder: Path, info: checkpoints.CheckpointInfo
    ) -> None:
        self.sources: dict[str, Source] = {}
        self.lengths_s: dict[str, float] = {}
        self._marked, self._folder, self._info = marked, folder, info
        self.sizes = sizes(info)
        for i, one in enumerate(given):
            self._add(one if isinstance(one, Note) else Note(note=one), ("sources", i))

    def _add(self, given: Note, place: tuple[Any, ...]) -> None:
        paths = self._paths(given.note, place)
        if given.name is not None and len(paths) > 1:
            self._marked.refuse(f"{len(paths)} files cannot all be called {given.name!r}; leave name out", place)
        for path in paths:
            try:
                source = Source.of(path, pitch_midi=given.pitch)
                length_s = self._length_s(Path(path), source)
            except SynthExplorerError as error:
                self._marked.refuse(str(error), place)
            name = given.name or (source.name if source.origin == "bundled" else Path(source.name).stem)
            if name.casefold() in (known.casefold() for known in self.sources):
                self._marked.refuse(
                    f"two sources are called {name!r}; give one a name: {{note: ..., name: ...}}", place
                )
            self.sources[name], self.lengths_s[name] = source, length_s

    def goal(self, note: str, place: tuple[Any, ...]) -> Source:
        """A source by its name, or another note, to move toward. Raises SpecError: with its line."""
        if note in self.sources:
            return self.sources[note]
        paths = self._paths(note, place)
        if len(paths) > 1:
            self._marked.refuse(f"{len(paths)} files match {note!r}; give one, or a list of notes", place)
        try:
            source = Source.of(paths[0])
            self._length_s(Path(paths[0]), source)
        except SynthExplorerError as error:
            self._marked.refuse(str(error), place)
        return source

    def _paths(self, note: str, place: tuple[Any, ...]) -> list[str]:
        """A bundled note's name, or files from the spec's folder on."""
        if GLOB & set(note) and not exists(self._folder / note):
            try:
                found = sorted(path for path in self._folder.glob(note) if path.is_file())
            except (ValueError, NotImplementedError) as error:
                self._marked.refuse(f"{note!r} is no pattern of files from the spec's folder on: {error}", place)
            if not found:
                self._marked.refuse(f"no file matches {note!r} in {self._folder}", place)
            return [str(path) for path in found[:MOST_SOURCES]]
        path = self._folder / note
        if is_file(path):
            return [str(path)]
        if find_note(note) is not None:
            return [note]
        what = f"{path} is a folder; give files, such as {note}/*.wav" if is_dir(path) else ""
        meant = f" ({meant_note(note)} is one)" if meant_note(note) else ""
        self._marked.refuse(what or f"there is neither a file {path} nor a bundled note {note!r}{meant}", place)

    def _length_s(self, path: Path, source: Source) -> float:
        """How long a source lasts. Raises SynthExplorerError: it cannot be read, or is not of this checkpoint."""
        path = source.locate()
        if path.suffix.lower() not in LATENTS_SUFFIXES:
            return audio.length_s(path)
        if path.suffix.lower() == ".npz":
            return Latents.load(path, expect_checkpoint=(self._info.name, self._info.hash)).duration_s
        if source.pitch_midi is None and self.sizes.has_pitch:
            raise LatentsError(f"{path} has no pitch of its own; state it: {{note: ..., pitch: C4}}")
        meta = LatentsMeta(self._info.name, self._info.hash, self.sizes.sample_rate_hz, self.sizes.hop)
        return Latents.load(path, meta_for_npy=meta).duration_s

    def check_edits(self, chains: Sequence[EditChain]) -> None:
        """Refuse edits that need a control which the checkpoint has not. Raises SpecError."""
        needs = {edit.needs: edit.kind for chain in chains for edit in chain if edit.needs}
        if needs:
            controls = Controls.load(self._info.path / checkpoints.CONTROLS)
            for need, kind in needs.items():
                name = "noisiness" if need == "noise" else need
                if not controls.answers(name) and not (need == "noise" and self.sizes.has_pitch):
                    self._marked.refuse(f"{kind}: {controls.missing(name)}", ("edits",))
