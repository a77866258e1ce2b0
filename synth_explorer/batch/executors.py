"""Where the tasks of a batch are done: in this process, or in several on this machine.

Another place needs a class with `workers` and `run`, a context manager that has stopped all work when its block ends,
however it ends; it makes a worker of a setup wherever it works, and gives back what that answers. For a batch these are
a `Worker` of its `Setup`; other rooms bring their own, such as `errands`.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager
from multiprocessing import parent_process
from typing import Any, Protocol, Self, TypeVar

from synth_explorer.batch.worker import Failed, Worker
from synth_explorer.errors import SpecError
from synth_explorer.runtime import alone

AHEAD = 2
"""Tasks a worker that are handed out: one is done while the next one lies ready."""

TRIES = 3
"""How often a task is begun whose worker dies."""


Task = TypeVar("Task")
Kind = Callable[[Any], Callable[[Any], Any]]
"""Makes a worker of its setup: a function from tasks to answers."""


class Executor(AbstractContextManager["Executor"], Protocol):
    """Does tasks."""

    workers: int

    def run(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Any]]:
        """Every task with its answer, as they are done, in any order. No more tasks are taken than are worked on."""
        ...


class Here:
    """This process."""

    workers = 1

    def __init__(self, setup: Any, *, worker: Kind = Worker) -> None:
        self._worker = worker(setup)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def run(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Any]]:
        """One after another."""
        return ((task, self._worker(task)) for task in tasks)


class Processes:
    """Several processes of this machine. One that dies is replaced, and what it was doing is begun again."""

    def __init__(self, setup: Any, workers: int, *, worker: Kind = Worker) -> None:
        self.setup, self.workers, self._kind = setup, workers, worker
        self._pool = self._started()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._end()

    def _started(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self.workers, context, initializer=_begin, initargs=(self._kind, self.setup))

    def _end(self) -> None:
        """Stop at once: what is being made is of no use to anyone."""
        processes = list((self._pool._processes or {}).values())  # the library has no other way to them
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()
        for process in processes:
            process.join()

    def run(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Any]]:
        """As they are done."""
        waiting, again, begun = iter(tasks), deque[tuple[Task, int]](), dict[Future[Any], tuple[Task, int]]()
        does_anything, breaks = False, 0
        while True:
            one_by_one = again or any(tries > 1 for _, tries in begun.values())  # to know what kills a process
            while len(begun) < (1 if one_by_one else AHEAD * self.workers):
                following = again.popleft() if again else next(((task, 1) for task in waiting), None)
                if following is None:
                    break
                begun[self._submitted(following[0])] = following
            if not begun:
                return
            done, _ = wait(begun, return_when=FIRST_COMPLETED)
            is_broken = False
            for future in done:
                task, tries = begun.pop(future)
                try:
                    answer = future.result()
                    does_anything = True
                    yield task, answer
                except BrokenProcessPool:
                    is_broken = True
                    if tries >= TRIES:
                        yield task, Failed(f"the process that made it died {TRIES} times; is there enough memory?")
                    else:
                        again.append((task, tries + 1))
            if is_broken:
                breaks += 1
                if breaks == TRIES and not does_anything:
                    raise SpecError("The processes that should do the work end at once; try --workers 1.")
                again.extend((task, tries + 1) for task, tries in begun.values())
                begun.clear()
                self._end()
                self._pool = self._started()

    def _submitted(self, task: object) -> Future[Any]:
        try:
            return self._pool.submit(_do, task)
        except BrokenProcessPool as error:
            failed: Future[Any] = Future()
            failed.set_exception(error)
            return failed


_worker: Callable[[Any], Any] | None = None  # of a process of a pool


def _begin(kind: Kind, setup: Any) -> None:
    """Make a process of a pool a worker, of one core; it ends when who started it does, and leaves Ctrl-C to that."""
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    alone()
    _worker = kind(setup)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _do(task: object) -> Any:
    assert _worker is not None
    return _worker(task)
