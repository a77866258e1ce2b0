"""A plan carried out in a folder: what is there is kept, what is missing is made, and after a stop it goes on."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout

from synth_explorer.batch.executors import Executor, Here, Processes
from synth_explorer.batch.manifest import MANIFEST, PRIVATE, TABLE, Manifest
from synth_explorer.batch.notes import Notes, listenings
from synth_explorer.batch.plan import Job, Plan, decoder_of
from synth_explorer.batch.worker import Failed, Heard, Listen, Made, Make, Setup
from synth_explorer.errors import SpecError
from synth_explorer.runtime import cores

NOTES, NEW = f"{PRIVATE}/notes", f"{PRIVATE}/new"
LEAST_EACH = 12
"""Sounds a worker, for which another process is not worth its start."""

Progress = Callable[[str, int, int], None]
"""Called with what is done, how many of them, and of how many."""


@dataclass
class Summary:
    """What became of a plan."""

    made: int = 0
    kept: int = 0  # that were there, or lay there under another name
    others: int = 0  # files of earlier plans that lie there too
    too_loud: int = 0  # made, with a peak above full scale
    replaced: int = 0  # files that this program knows nothing of
    failures: list[tuple[str, str]] = field(default_factory=list)  # file, reason
    manifest: Path = Path()
    table: Path = Path()


def workers_for(plan: Plan, sounds: int) -> int:
    """How many processes are worth their start. Keras, and a decoder that draws samples, use all by themselves."""
    if plan.engine == "keras" or not all(decoder_of(lot[0].patch).answers_at_once for lot in plan.lots):
        return 1
    return max(1, min(cores(), sounds // LEAST_EACH))


def executor_for(setup: Setup, workers: int) -> Executor:
    """This process, or several."""
    return Here(setup) if workers == 1 else Processes(setup, workers)


def run(
    plan: Plan,
    folder: Path,
    *,
    workers: int | None = None,
    executor: Callable[[Setup, int], Executor] = executor_for,
    progress: Progress | None = None,
) -> Summary:
    """Make every sound of a plan that is not in the folder yet.

    A sound never replaces a note that it is made of; it does replace an older file of its name.

    `workers`: processes; None: as many as are worth it. `executor`: makes what does the work. Raises SpecError: another
    run is at work in the folder, or a note lies where a sound belongs; OSError: it cannot be written.
    """
    _spare_notes(plan, folder)
    (folder / PRIVATE).mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / PRIVATE / "lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise SpecError(f"Another run is at work in {folder}; wait until it ends, or choose another folder.") from None
    try:
        with Manifest(folder) as manifest:
            tell = progress or (lambda what, done, total: None)
            return _Run(plan, folder, manifest, tell).carry_out(workers, executor)
    finally:
        lock.release()


def _spare_notes(plan: Plan, folder: Path) -> None:
    """Raises SpecError: a note lies where a sound is to be written."""
    paths = {source.path for job in plan.jobs for source in job.patch.sources if source.path}
    notes = {Path(path).resolve(): path for path in paths}
    here = folder.resolve()
    for job in plan.jobs:
        if (note := notes.get(here / job.file)) is not None:
            raise SpecError(
                f"{note} is a note of the spec and would be replaced; choose another folder or other names."
            )


class _Run:
    def __init__(self, plan: Plan, folder: Path, manifest: Manifest, progress: Progress) -> None:
        self.plan, self.folder, self.manifest, self.progress = plan, folder, manifest, progress
        self.notes = Notes(folder / NOTES)
        self.new = folder / NEW
        self.summary = Summary(manifest=folder / MANIFEST, table=folder / TABLE)
        self.unheard: dict[str, str] = {}  # notes that cannot be used, and why

    def carry_out(self, workers: int | None, executor: Callable[[Setup, int], Executor]) -> Summary:
        shutil.rmtree(self.new, ignore_errors=True)  # what a stop left
        self.new.mkdir(parents=True)
        self.notes.sweep()
        self._move()
        missing = [job for job in self.plan.jobs if not self.manifest.has(job)]
        self.summary.kept = len(self.plan.jobs) - len(missing)
        try:
            if missing:
                setup = Setup(self.notes.folder, self.plan.output, self.plan.engine)
                count = workers_for(self.plan, len(missing)) if workers is None else workers
                with executor(setup, count) as at_work:
                    self._listen(missing, at_work)
                    self._make(missing, at_work)
        finally:
            self.summary.others = self.manifest.finish(self.plan.jobs, scratch=self.new)
            shutil.rmtree(self.new, ignore_errors=True)
        order = {job.file: i for i, job in enumerate(self.plan.jobs)}
        self.summary.failures.sort(key=lambda failure: order[failure[0]])
        return self.summary

    def _move(self) -> None:
        """Copy what lies there under another name: first all of it aside, since names may have been exchanged."""
        missing = [job for job in self.plan.jobs if not self.manifest.has(job)]
        elsewhere = self.manifest.elsewhere() if missing else {}
        found = [(job, elsewhere[job.address]) for job in missing if job.address in elsewhere]
        records = [self.manifest.record(entry) for _, entry in found]
        for i, (_, entry) in enumerate(found):
            shutil.copyfile(self.folder / entry.file, self.new / str(i))
        for i, (job, _) in enumerate(found):
            self.manifest.put(job.file, self.new / str(i), records[i] | {"file": job.file})

    def _listen(self, jobs: list[Job], executor: Executor) -> None:
        """Listen to every note that was not listened to yet, once."""
        waiting = [note for note in self.plan.listenings(jobs) if not self.notes.has(note.key)]
        for done, (task, answer) in enumerate(executor.run(Listen(note) for note in waiting), 1):
            assert isinstance(task, Listen)
            if isinstance(answer, Heard):
                self.notes.keep(answer.key, answer.content)
            elif isinstance(answer, Failed):
                self.unheard[task.note.key] = f"{task.note.source.name}: {answer.reason}"
            self.progress("notes", done, len(waiting))

    def _make(self, jobs: list[Job], executor: Executor) -> None:
        """Make what is missing; files of one address are made once."""
        files: dict[str, list[Job]] = {}
        for job in jobs:
            if reason := self._unusable(job):
                self.summary.failures.append((job.file, reason))
            else:
                files.setdefault(job.address, []).append(job)
        total, done = sum(map(len, files.values())), 0
        for task, answer in executor.run(self._tasks(files)):
            assert isinstance(task, Make)
            answers = answer
            if isinstance(answer, Failed):
                answers = [Failed(answer.reason, job.address) for job in task.jobs]
            assert isinstance(answers, list)
            for each in answers:
                done += self._take(each, files.pop(each.address, []))
                self.progress("sounds", done, total)

    def _unusable(self, job: Job) -> str:
        """Why one of a sound's notes cannot be used; "" where all can."""
        return next((self.unheard[note.key] for note in listenings(job.patch) if note.key in self.unheard), "")

    def _tasks(self, files: dict[str, list[Job]]) -> Iterator[Make]:
        begun: set[str] = set()
        for lot in self.plan.lots:
            wanted = frozenset(job.address for job in lot if job.address in files) - begun
            begun |= wanted
            if wanted:
                usable = tuple(job for job in lot if not self._unusable(job))
                yield Make(usable, wanted)

    def _take(self, answer: Made | Failed, jobs: list[Job]) -> int:
        """Write a sound to its files, or note why there is none."""
        for job in jobs:
            if isinstance(answer, Failed):
                self.summary.failures.append((job.file, answer.reason))
                continue
            content = self.new / "sound"
            content.write_bytes(answer.content)
            self.summary.replaced += self.manifest.put(job.file, content, answer.record)
            self.summary.made += 1
            self.summary.too_loud += (answer.record["peak_db"] or 0.0) > 0.0
        return len(jobs)
