"""What a worker does, wherever it runs: listen to a note, or make a lot of sounds.

One a process, made from a `Setup`; it loads a checkpoint when it first meets it. Tasks and answers are plain values
that can be sent. Nothing here writes where the sounds belong: whoever sent the task does. A GPU has its place in
`Worker._sounds`: the sounds of one lot may be made together there.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from synth_explorer import rendering
from synth_explorer.batch.descriptors import describe
from synth_explorer.batch.notes import Listening, Notes
from synth_explorer.batch.output import Output
from synth_explorer.batch.plan import Job
from synth_explorer.errors import SynthExplorerError, sentence
from synth_explorer.latents import midi_to_hz
from synth_explorer.rendering import Patch, Rendered, Renderer


@dataclass(frozen=True)
class Setup:
    """What every worker knows."""

    notes: Path  # folder of the latents of notes, see `Notes`
    output: Output
    engine: str = "auto"


@dataclass(frozen=True)
class Listen:
    """A task: the latents of a note."""

    note: Listening


@dataclass(frozen=True)
class Make:
    """A task: the sounds of a lot, which are made together; the answer holds those that are `wanted`."""

    lot: tuple[Job, ...]
    wanted: frozenset[str]  # their addresses

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The jobs that are answered."""
        return tuple(job for job in self.lot if job.address in self.wanted)


@dataclass(frozen=True)
class Made:
    """A sound as its file's content, and its line of the manifest but for the file's name."""

    address: str
    content: bytes
    record: dict[str, Any]
    took_s: float = 0.0  # of the worker


@dataclass(frozen=True)
class Failed:
    """Why something could not be made."""

    reason: str
    address: str = ""  # of the sound; "" for all of the task


@dataclass(frozen=True)
class Heard:
    """The content of the file of a note's latents."""

    key: str
    content: bytes
    took_s: float


Task = Listen | Make
Answer = Heard | Failed | list[Made | Failed]


class Worker:
    """Does tasks, one after another. Every error becomes an answer with its reason."""

    def __init__(self, setup: Setup) -> None:
        self.setup, self._notes = setup, Notes(setup.notes)
        self.renderers: dict[str, Renderer] = {}

    def __call__(self, task: Task) -> Answer:
        if isinstance(task, Listen):
            return self._listen(task.note)
        started_s = time.perf_counter()
        try:
            sounds = self._sounds([job.patch for job in task.lot])
        except Exception as error:  # what befalls one sound must not end the others
            return [Failed(reason_of(error), job.address) for job in task.jobs]
        shared_s = (time.perf_counter() - started_s) / len(sounds)
        both = zip(task.lot, sounds, strict=True)
        return [self._made(job, sound, shared_s) for job, sound in both if job.address in task.wanted]

    def _renderer(self, checkpoint: str, patch: Patch) -> Renderer:
        if checkpoint not in self.renderers:
            self.renderers[checkpoint] = rendering.renderer_of(patch)
        return self.renderers[checkpoint]

    def _listen(self, note: Listening) -> Heard | Failed:
        try:
            alone = Patch.make(
                what="The patch",
                error=SynthExplorerError,
                checkpoint=note.checkpoint,
                checkpoint_hash=note.checkpoint_hash,
                sources=(note.source,),
            )
            started_s = time.perf_counter()
            renderer = self._renderer(note.checkpoint, alone)
            renderer.check(alone)
            latents = renderer.latents(note.source, fit_steps=note.fit_steps)
            with TemporaryDirectory() as folder:
                content = latents.save(Path(folder) / "note.npz").read_bytes()
            return Heard(note.key, content, time.perf_counter() - started_s)
        except Exception as error:  # what befalls one note must not end the others
            return Failed(reason_of(error))

    def _sounds(self, patches: list[Patch]) -> list[Rendered | Exception]:
        """Patches of one checkpoint and decoder -> their sounds, or why there is none."""
        renderer = self._renderer(patches[0].checkpoint, patches[0])
        for patch in patches:
            self._notes.tell(renderer, patch)
        return renderer.render_many(patches, engine=self.setup.engine)

    def _made(self, job: Job, sound: Rendered | Exception, shared_s: float) -> Made | Failed:
        if isinstance(sound, Exception):
            return Failed(reason_of(sound), job.address)
        started_s = time.perf_counter()
        try:
            made = _made(job, sound, self.setup.output)
            return replace(made, took_s=shared_s + time.perf_counter() - started_s)
        except Exception as error:  # what befalls one sound must not end the others
            return Failed(reason_of(error), job.address)


def _made(job: Job, sound: Rendered, output: Output) -> Made:
    encoded, rate_hz = output.encode(sound.audio, sample_rate_hz=sound.sample_rate_hz, sampler=sound.sampler)
    pitch_hz = midi_to_hz(sound.after.pitch_midi) if sound.after.has_pitch else None
    outcomes = [outcome.to_dict() for outcome in sound.outcomes]
    record = {
        "id": job.patch.id,
        "address": job.address,
        "duration_s": round(encoded.heard.size / rate_hz, 6),
        "sample_rate_hz": rate_hz,
        "bytes": len(encoded.content),
        "peak_db": round(encoded.peak_db, 4) if math.isfinite(encoded.peak_db) else None,
        "level_change_db": round(encoded.change_db, 4),
        "checkpoint_hash": job.patch.checkpoint_hash,
        "asked": job.patch.edits.requested(),
        "heard": outcomes,
        "reached": all(outcome["reached"] for outcome in outcomes),
        "descriptors": describe(encoded.heard, sample_rate_hz=rate_hz, pitch_hz=pitch_hz),
        "patch": job.patch.model_dump(mode="json"),
    }
    return Made(job.address, encoded.content, record)


def reason_of(error: Exception) -> str:
    """Why something failed, in one line."""
    return " ".join((sentence(error) or f"{type(error).__name__}: {error} (unexpected)").split())
