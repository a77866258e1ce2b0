"""Tasks for workers that share no file system with whoever sends them: what a task needs travels with it, as bytes.

Large things (checkpoints, latents) are sent once: `Sender` gives each to `put`, which answers with something small that
stands for it wherever it goes, and `Receiver` turns that back by `get`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from synth_explorer import checkpoints
from synth_explorer.batch.notes import Listening, Notes, listenings
from synth_explorer.batch.worker import Answer, Failed, Listen, Make, Setup, Task, Worker, reason_of
from synth_explorer.errors import CheckpointError, LatentsError, SynthExplorerError
from synth_explorer.explorer import Explorer
from synth_explorer.files import atomic_path, cache_folder
from synth_explorer.latents import Latents
from synth_explorer.rendering import Renderer

NOWHERE = Path("no folder of notes")
Reference = Any
"""What `put` made of something large."""


@dataclass(frozen=True)
class Model:
    """A checkpoint, known by its name here; its files are sent to those who have none that is the same."""

    checkpoint: str  # as patches call it
    name: str  # of its folder
    config_sha256: str  # of its config.json, which holds the hashes of all other files
    files: Reference  # to their contents by their names


@dataclass(frozen=True)
class Sound:
    """The file of a note."""

    path: str  # where it lies at the sender's
    content: bytes


@dataclass(frozen=True)
class Parcel:
    """A task with all that it needs."""

    task: Task
    model: Model
    latents: Mapping[str, Reference]  # contents of the files of its notes' latents, by the notes' keys
    sounds: Mapping[str, Sound]  # notes that are still to be listened to, by their keys


class Sender:
    """Makes parcels."""

    def __init__(self, setup: Setup, put: Callable[[Any], Reference]) -> None:
        self.setup, self._notes, self._put = setup, Notes(setup.notes), put
        self._models: dict[str, Model] = {}
        self._latents: dict[str, Reference | None] = {}

    def parcel(self, task: Task) -> Parcel:
        """A task made ready to be sent. Raises SynthExplorerError, OSError: its checkpoint or its note is not there."""
        notes = [task.note] if isinstance(task, Listen) else notes_of(task)
        latents = {} if isinstance(task, Listen) else {note.key: self._latents_of(note) for note in notes}
        sounds = {note.key: _sound(note) for note in notes if latents.get(note.key) is None}
        known = {key: reference for key, reference in latents.items() if reference is not None}
        return Parcel(task, self._model(notes[0].checkpoint), known, sounds)

    def _model(self, checkpoint: str) -> Model:
        if checkpoint not in self._models:
            self._models[checkpoint] = model_of(checkpoint, self._put)
        return self._models[checkpoint]

    def _latents_of(self, note: Listening) -> Reference | None:
        """Stands for the latents of a note; None where there are none, or damaged ones."""
        if note.key not in self._latents:
            self._latents[note.key] = None
            path = self._notes.path(note.key)
            with suppress(LatentsError):
                Latents.load(path)
                self._latents[note.key] = self._put(path.read_bytes())
        return self._latents[note.key]


def model_of(checkpoint: str, put: Callable[[Any], Reference]) -> Model:
    """A checkpoint by its name or folder, to be sent. Raises CheckpointError, OSError: it is not there."""
    info = checkpoints.read_info(checkpoints.find(checkpoint))
    files = {name: (info.path / name).read_bytes() for name in (checkpoints.CONFIG, *info.files)}
    config_sha256 = hashlib.sha256(files[checkpoints.CONFIG]).hexdigest()
    return Model(checkpoint, info.name, config_sha256, put(files))


def notes_of(task: Make) -> list[Listening]:
    """The notes of a task's sounds, once each."""
    return list({note.key: note for job in task.lot for note in listenings(job.patch)}.values())


def _sound(note: Listening) -> Sound:
    path = note.source.locate()
    return Sound(str(path), path.read_bytes())


class Receiver:
    """A worker that does what parcels hold."""

    def __init__(self, setup: Setup, get: Callable[[Reference], Any], worker: type[Worker] = Worker) -> None:
        self._get, self._worker = get, worker(replace(setup, notes=NOWHERE))

    def __call__(self, parcel: Parcel) -> Answer:
        task = parcel.task
        try:
            renderer = self._renderer(parcel.model)
            if isinstance(task, Make):
                self._tell(renderer, task, parcel)
                return self._worker(task)
            with _unpacked(task.note, parcel.sounds[task.note.key]) as note:
                answer = self._worker(Listen(note))
            if isinstance(answer, Failed):  # says where the note lies at the sender's
                there = parcel.sounds[task.note.key].path
                return replace(answer, reason=answer.reason.replace(note.source.path, there))
            return answer
        except (SynthExplorerError, OSError) as error:
            return Failed(reason_of(error))

    def _renderer(self, model: Model) -> Renderer:
        known = self._worker.renderers
        if model.checkpoint not in known:
            known[model.checkpoint] = Renderer(Explorer.load(folder_of(model, self._get)))
        return known[model.checkpoint]

    def _tell(self, renderer: Renderer, task: Make, parcel: Parcel) -> None:
        """Let a renderer know the latents of a task's notes, or listen to them."""
        for note in notes_of(task):
            if renderer.known(note.source, fit_steps=note.fit_steps) is not None:
                continue
            if note.key in parcel.sounds:
                with _unpacked(note, parcel.sounds[note.key]) as here:
                    renderer.latents(here.source, fit_steps=note.fit_steps)
                continue
            with TemporaryDirectory() as folder:
                path = Notes(Path(folder)).path(note.key)
                path.write_bytes(self._get(parcel.latents[note.key]))
                latents = renderer.explorer.load_latents(path)
            renderer.remember(note.source, latents, fit_steps=note.fit_steps)


def folder_of(model: Model, get: Callable[[Reference], Any]) -> Path:
    """Where a checkpoint lies here: one of its name, if it is the same, or what was sent, kept in the cache."""
    for name in (model.checkpoint, model.name):
        with suppress(CheckpointError):
            found = checkpoints.find(name)
            if _is_whole(found, model):
                return found
    folder = cache_folder() / "checkpoints" / model.config_sha256[:16] / model.name
    if not _is_whole(folder, model):
        files = dict(get(model.files))
        config = files.pop(checkpoints.CONFIG)
        for name, content in [*files.items(), (checkpoints.CONFIG, config)]:  # the last one says that all are there
            with atomic_path(folder / name) as temporary:
                temporary.write_bytes(content)
    return folder


@contextmanager
def _unpacked(note: Listening, sound: Sound) -> Iterator[Listening]:
    """A note as a file that lies here."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / Path(sound.path).name
        path.write_bytes(sound.content)
        yield replace(note, source=note.source.model_copy(update={"path": str(path)}))


def _is_whole(folder: Path, model: Model) -> bool:
    """Whether a folder holds this checkpoint."""
    try:
        return hashlib.sha256((folder / checkpoints.CONFIG).read_bytes()).hexdigest() == model.config_sha256
    except OSError:
        return False
