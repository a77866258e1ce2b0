"""What is done one after the other in a thread that keeps nobody from ending the program."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

Made = TypeVar("Made")


class Background(Executor):
    """As an executor of one thread, whose queue is let go of when the program ends."""

    def __init__(self, name: str) -> None:
        """`name`: of the thread."""
        self._asked: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()
        Thread(target=self._run, name=name, daemon=True).start()

    def submit(self, work: Callable[..., Made], /, *given: Any, **named: Any) -> Future[Made]:
        """As of its base."""
        done: Future[Made] = Future()
        self._asked.put((done, partial(work, *given, **named)))
        return done

    def _run(self) -> None:
        while True:
            done, work = self._asked.get()
            if done.set_running_or_notify_cancel():
                try:
                    done.set_result(work())
                except BaseException as error:
                    done.set_exception(error)
