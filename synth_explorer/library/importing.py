"""Folders of sounds taken into a library: over all cores, gone on with after any stop."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from synth_explorer.batch import manifest
from synth_explorer.batch.errands import Errand, Site, answers, executor_for
from synth_explorer.batch.executors import Executor
from synth_explorer.batch.worker import Failed
from synth_explorer.errors import LibraryError
from synth_explorer.library.entry import Entry
from synth_explorer.library.labelled import labels_of
from synth_explorer.library.library import Library
from synth_explorer.library.listening import Label, Listened, Task, take_in
from synth_explorer.rendering import Patch
from synth_explorer.runtime import cores

AT_ONCE, AT_LEAST_S = 64, 1.0  # entries of one transaction, and seconds after which fewer are
LEAST_EACH = 8  # files a worker, for which another process is not worth its start
Progress = Callable[[int, int], None]


@dataclass
class Summary:
    """What became of files."""

    entries: list[Entry] = field(default_factory=list)  # that are new
    kept: int = 0  # that had been taken in, or whose content had
    failures: list[tuple[Path, str]] = field(default_factory=list)  # file, reason
    notices: list[tuple[Path, str]] = field(default_factory=list)  # file, what was lost of it


def tasks_of(paths: Sequence[Path], suffixes: Iterable[str], *, kind: str = "note") -> Iterator[Task]:
    """A task for each file, those of folders and the folders inside them with these suffixes among them, by name.

    A folder that a batch was rendered into brings the patches of its sounds, one of a data set what that says of them,
    see `labelled`. Raises LibraryError: a manifest or an index is damaged.
    """
    allowed = tuple(suffixes)
    for path in paths:
        if not path.is_dir():
            yield Task(path.absolute(), kind, path.stem)
            continue
        rendered, labels = dict[Path, Task](), dict[Path, Label]()
        for folder, folders, files in os.walk(path.absolute()):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            rendered |= _rendered(Path(folder))
            labels |= labels_of(Path(folder))
            for name in sorted(files):
                file = Path(folder) / name
                if file in rendered:
                    yield rendered[file]
                elif name.lower().endswith(allowed) and not name.startswith("."):
                    yield Task(file, kind, file.stem, label=labels.get(file))


def _rendered(folder: Path) -> dict[Path, Task]:
    """The sounds of a batch's folder, with what its manifest tells of them."""
    try:
        records = list(manifest.read(folder)) if (folder / manifest.MANIFEST).is_file() else []
        return {
            folder / record["file"]: Task(
                folder / record["file"],
                "render",
                Path(record["file"]).stem,
                Patch.from_json(json.dumps(record["patch"])),
                record["descriptors"],
            )
            for record in records
        }
    except (ValueError, KeyError, TypeError) as error:
        raise LibraryError(f"{folder / manifest.MANIFEST} is damaged; `render` again, which mends it.") from error


def import_all(
    library: Library,
    tasks: Iterable[Task],
    *,
    workers: int | None = None,
    executor: Callable[[Errand[Task, Listened], int], Executor] = executor_for,
    progress: Progress | None = None,
) -> Summary:
    """Take files in; those that were before, and have not changed since, only learn what is said of them.

    Entries are made some at a time, each with its file in place: what a kill loses is heard again by the next call.
    `workers`: processes; None: as many as are worth it. Raises LibraryError, OSError: the library cannot be written.
    """
    known, summary, todo = library.imported(), Summary(), list[Task]()
    told = list[Task]()
    for task in tasks:
        if known.get(str(task.path)) == _stamp(task.path):
            summary.kept += 1
            if task.label is not None or task.tags:
                told.append(task)
        else:
            todo.append(task)
    if told:
        library.learn(told)
    if not todo:
        return summary
    errand = Errand(partial(_take_in, library.folder))
    waiting, since = list[Listened](), time.monotonic()
    with executor(errand, workers or max(1, min(cores(), len(todo) // LEAST_EACH))) as at_work:
        for number, answer in answers(at_work, todo, progress):
            if isinstance(answer, Failed):
                summary.failures.append((todo[number].path, answer.reason))
                continue
            waiting.append(answer)
            if len(waiting) >= AT_ONCE or time.monotonic() - since >= AT_LEAST_S:
                _keep(library, waiting, summary)
                waiting, since = list[Listened](), time.monotonic()
    _keep(library, waiting, summary)
    return summary


def _take_in(folder: Path, _: Site, task: Task) -> Listened:
    return take_in(folder, task)


def _keep(library: Library, heard: Sequence[Listened], summary: Summary) -> None:
    for one, (entry, is_new) in zip(heard, library.keep(heard), strict=True):
        if is_new:
            summary.entries.append(entry)
        else:
            summary.kept += 1
        summary.notices += [(one.task.path, notice) for notice in one.notices]


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
