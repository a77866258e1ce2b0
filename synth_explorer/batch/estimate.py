"""What a plan takes, before it is carried out: sounds, seconds of them, bytes, and time, by the pace of a few here."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

from synth_explorer import audio, checkpoints
from synth_explorer.batch.executors import Executor
from synth_explorer.batch.manifest import Manifest
from synth_explorer.batch.notes import Listening, Notes, listenings
from synth_explorer.batch.origins import sizes
from synth_explorer.batch.plan import Job, Plan, address, decoder_of, lots_of
from synth_explorer.batch.run import NOTES, executor_for, workers_for
from synth_explorer.batch.worker import Failed, Heard, Listen, Made, Make, Setup
from synth_explorer.edits import Controls, EditChain, Trim
from synth_explorer.errors import EditError, SpecError
from synth_explorer.latents import Latents, LatentsMeta
from synth_explorer.rendering import Patch, Source

TIMED_EACH = 4  # sounds a worker
TIMED_NOTES = 6  # at most, which are listened to for them
SHORT_S = 0.1
"""As much of a sound is timed where a decoder does not answer at once."""


@dataclass(frozen=True)
class Estimate:
    """What a plan takes. Of what is not there yet: `missing`, `notes`, `seconds`."""

    sounds: int
    missing: int
    notes: int  # that are to be listened to
    audio_s: float  # of all sounds together
    bytes: int  # of all sounds together, about
    seconds: float  # that it will take, about
    workers: int
    sounds_per_s: float  # of all workers together, as measured; NaN where nothing is missing
    note_s: float  # that listening to a note takes


def estimate(
    plan: Plan,
    folder: Path,
    *,
    workers: int | None = None,
    executor: Callable[[Setup, int], Executor] = executor_for,
) -> Estimate:
    """Make some of the missing sounds and throw them away, to see how long all take. Writes nothing into the folder.

    Raises SynthExplorerError: none of them can be made.
    """
    manifest = Manifest(folder)
    missing = [job for job in plan.jobs if not manifest.has(job)]
    count = workers or workers_for(plan, len(missing))
    lengths_s = [duration_s(job.patch) for job in plan.jobs]
    if not missing:
        known = sum(manifest.entries[job.file].size for job in plan.jobs)
        return Estimate(len(plan.jobs), 0, 0, sum(lengths_s), known, 0.0, count, float("nan"), 0.0)
    timed = [_Timed.of(job, plan) for job in _few(missing, TIMED_EACH * count)]
    with TemporaryDirectory() as scratch, executor(Setup(Path(scratch), plan.output, plan.engine), count) as at_work:
        notes_s = _listen(plan.listenings(one.job for one in timed), Notes(Path(scratch)), at_work)
        made = _make(timed, at_work, plan.engine)
        count = at_work.workers
    heard_s = sum(answer.record["duration_s"] for _, answer in made)
    audio_s = sum(lengths_s) * heard_s / sum(one.told_s for one, _ in made)
    sound_s = statistics.median(answer.took_s * one.whole_s / one.told_s for one, answer in made)
    kept = Notes(folder / NOTES)
    unheard = sum(not kept.has(note.key) for note in plan.listenings(missing))
    note_s = statistics.median(notes_s)
    return Estimate(
        len(plan.jobs),
        len(missing),
        unheard,
        audio_s,
        round(audio_s * sum(len(answer.content) for _, answer in made) / heard_s),
        (unheard * note_s + len(missing) * sound_s) / count,
        count,
        count / sound_s,
        note_s,
    )


class _Timed(NamedTuple):
    """A sound that is timed: all of it, or its beginning where its decoder does not answer at once."""

    job: Job
    told_s: float  # how long it lasts as far as is known before
    whole_s: float  # how long all of it would

    @classmethod
    def of(cls, job: Job, plan: Plan) -> _Timed:
        whole_s = duration_s(job.patch)
        if decoder_of(job.patch).answers_at_once or whole_s <= SHORT_S:
            return cls(job, whole_s, whole_s)
        patch = job.patch.but(edits=job.patch.edits + Trim(0.0, SHORT_S))
        return cls(replace(job, patch=patch, address=address(patch, plan.output, plan.engine)), SHORT_S, whole_s)


def _few(jobs: Sequence[Job], count: int) -> list[Job]:
    """Some of the jobs from all over, which need few notes."""
    chosen: list[Job] = []
    notes: set[str] = set()
    for i in np.unique(np.linspace(0, len(jobs) - 1, count).astype(int)):
        needed = {note.key for note in listenings(jobs[i].patch)}
        if not chosen or len(notes | needed) <= TIMED_NOTES:
            chosen.append(jobs[i])
            notes |= needed
    return chosen


def _listen(notes: Iterable[Listening], store: Notes, executor: Executor) -> list[float]:
    """Listen to some notes; how many seconds each took."""
    took_s: list[float] = []
    for _, answer in executor.run(Listen(note) for note in notes):
        if isinstance(answer, Failed):
            raise SpecError(f"None of it can be made: {answer.reason}")
        assert isinstance(answer, Heard)
        store.keep(answer.key, answer.content)
        took_s.append(answer.took_s)
    return took_s


def _make(timed: Sequence[_Timed], executor: Executor, engine: str) -> list[tuple[_Timed, Made]]:
    """Make some sounds, those of a slow decoder together."""
    by_address = {one.job.address: one for one in timed}
    jobs = tuple(one.job for one in by_address.values())
    lots = lots_of(jobs, engine)
    made: list[tuple[_Timed, Made]] = []
    failed: list[str] = []
    for _, answer in executor.run(Make(lot, frozenset(job.address for job in lot)) for lot in lots):
        assert not isinstance(answer, Heard)
        for one in [answer] if isinstance(answer, Failed) else answer:
            if isinstance(one, Made):
                made.append((by_address[one.address], one))
            else:
                failed.append(one.reason)
    if not made:
        raise SpecError(f"None of {len(jobs)} sounds that were tried can be made: {failed[0]}")
    return made


def duration_s(patch: Patch) -> float:
    """How long a patch's sound lasts, as far as its notes' headers and its edits of time say."""
    taking_part = [True] * len(patch.sources)
    if patch.mix.stands(len(patch.sources)) and not patch.mix.by_pitch:
        taking_part = [weight != 0 for weight in patch.mix.standing(len(patch.sources))]
    info = _info(patch.checkpoint)
    size = sizes(info)
    pairs = zip(patch.sources, taking_part, strict=True)
    longest_s = min(max(_length_s(source) for source, takes_part in pairs if takes_part), size.max_s)
    timed = EditChain(tuple(edit for edit in patch.edits if edit.timed))
    if not len(timed):
        return longest_s
    samples = round(longest_s * size.sample_rate_hz)
    meta = LatentsMeta(info.name, info.hash, size.sample_rate_hz, size.hop, duration_samples=samples)
    frames = -(-samples // size.hop)
    silent = Latents(np.zeros((frames, 2), np.float32), np.full(frames, 220.0, np.float32), meta)
    with suppress(EditError):  # which is said when the sound is to be made
        return timed.apply(silent, Controls()).duration_s
    return longest_s


@cache
def _info(checkpoint: str) -> checkpoints.CheckpointInfo:
    return checkpoints.read_info(checkpoints.find(checkpoint))


_known_s: dict[str, float] = {}  # by the notes' content


def _length_s(source: Source) -> float:
    if source.sha256 not in _known_s:
        _known_s[source.sha256] = _file_s(source.locate())
    return _known_s[source.sha256]


def _file_s(path: Path) -> float:
    return Latents.load(path).duration_s if path.suffix.lower() == ".npz" else audio.length_s(path)
