"""What other rooms let executors do: one function, called for each of many tasks, in whatever place.

Tasks and answers are any values that can be pickled. A cluster's nodes have neither the checkpoint nor the files that
tasks read: `Sender` and `Receiver` bring them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Generic, NamedTuple, TypeVar

from synth_explorer.batch.executors import Executor, Here, Processes
from synth_explorer.batch.parcels import Model, Reference, folder_of, model_of
from synth_explorer.batch.run import LEAST_EACH
from synth_explorer.batch.worker import Failed, reason_of
from synth_explorer.errors import SynthExplorerError
from synth_explorer.explorer import Explorer
from synth_explorer.files import atomic_path, cache_folder
from synth_explorer.runtime import cores

Task = TypeVar("Task")
Answer = TypeVar("Answer")
Progress = Callable[[int, int], None]
LARGE_BYTES = 4_000_000
"""From this size on a file is sent once to each node, which keeps it in its cache folder."""


@dataclass(frozen=True)
class Site:
    """Where a task is done."""

    explorer: Any = None  # the Explorer, where the errand needs one
    files: Mapping[Path, Path] = field(default_factory=dict)  # where files lie here, by where they lie at the sender's

    def path(self, path: Path) -> Path:
        """Where a file that a task names lies here."""
        return self.files.get(path, path)


def nothing(task: Any) -> tuple[Path, ...]:
    """The files that a task reads which reads none."""
    return ()


@dataclass(frozen=True)
class Errand(Generic[Task, Answer]):
    """A function that can be pickled, which files a task of it reads, and the checkpoint that it needs."""

    do: Callable[[Site, Task], Answer]
    reads: Callable[[Task], Sequence[Path]] = nothing
    explorer: Explorer | None = None


Numbered = tuple[int, Any]  # a task and its number


class Errands:
    """A worker. Every error for people becomes an answer."""

    def __init__(self, errand: Errand[Any, Any]) -> None:
        self._do, self.site = errand.do, Site(errand.explorer)

    def __call__(self, numbered: Numbered) -> Any:
        try:
            return self._do(self.site, numbered[1])
        except (SynthExplorerError, OSError) as error:
            reason = reason_of(error)
            for there, here in self.site.files.items():
                reason = reason.replace(str(here), str(there))
            return Failed(reason)


def executor_for(errand: Errand[Any, Any], workers: int) -> Executor:
    """This process, or several."""
    return Here(errand, worker=Errands) if workers == 1 else Processes(errand, workers, worker=Errands)


def workers_for(tasks: int, explorer: Explorer) -> int:
    """How many processes are worth their start. A decoder that draws samples uses all cores by itself."""
    return max(1, min(cores(), tasks // LEAST_EACH)) if explorer.decoders[0].answers_at_once else 1


def answers(
    at_work: Executor, tasks: Sequence[Any], progress: Progress | None = None
) -> Iterator[tuple[int, Any | Failed]]:
    """The answer to each task by its number, as they come. `progress`: told how many are done, of how many."""
    tell = progress or (lambda done, total: None)
    tell(0, len(tasks))
    for done, ((number, _), answer) in enumerate(at_work.run(enumerate(tasks)), 1):
        yield number, answer
        tell(done, len(tasks))


@dataclass(frozen=True)
class Sent:
    """A file on its way."""

    path: Path  # where it lies at the sender's
    content: bytes | None  # None: it is large
    sha256: str = ""  # of a large one
    reference: Reference = None  # to the content of a large one


class Parcel(NamedTuple):
    """A task with all that it needs."""

    task: Numbered
    model: Model | None
    files: tuple[Sent, ...]


class Sender:
    """Makes parcels."""

    def __init__(self, errand: Errand[Any, Any], put: Callable[[Any], Reference]) -> None:
        self.setup, self._reads, self._put = replace(errand, explorer=None), errand.reads, put
        self._model = None if errand.explorer is None else model_of(str(errand.explorer.info.path), put)
        self._large: dict[Path, Sent] = {}

    def parcel(self, task: Numbered) -> Parcel:
        """A task made ready to be sent; of a file that is not there the worker says so. Raises OSError."""
        return Parcel(task, self._model, tuple(self._sent(path) for path in self._reads(task[1]) if path.is_file()))

    def _sent(self, path: Path) -> Sent:
        if path not in self._large:
            content = path.read_bytes()
            if len(content) < LARGE_BYTES:
                return Sent(path, content)
            self._large[path] = Sent(path, None, hashlib.sha256(content).hexdigest(), self._put(content))
        return self._large[path]


class Receiver:
    """A worker that does what parcels hold."""

    def __init__(
        self, errand: Errand[Any, Any], get: Callable[[Reference], Any], worker: type[Errands] = Errands
    ) -> None:
        self._get, self._worker = get, worker(errand)

    def __call__(self, parcel: Parcel) -> Any:
        try:
            explorer = self._worker.site.explorer
            if parcel.model is not None and explorer is None:
                explorer = Explorer.load(folder_of(parcel.model, self._get))
            with TemporaryDirectory() as folder:
                files = {sent.path: self._unpacked(sent, Path(folder) / str(i)) for i, sent in enumerate(parcel.files)}
                self._worker.site = Site(explorer, files)
                return self._worker(parcel.task)
        except (SynthExplorerError, OSError) as error:
            return Failed(reason_of(error))

    def _unpacked(self, sent: Sent, folder: Path) -> Path:
        """Where a file lies here."""
        if sent.content is None:
            path = cache_folder() / "files" / sent.sha256 / sent.path.name
            if not path.is_file():
                with atomic_path(path) as temporary:
                    temporary.write_bytes(self._get(sent.reference))
            return path
        folder.mkdir()
        path = folder / sent.path.name
        path.write_bytes(sent.content)
        return path
