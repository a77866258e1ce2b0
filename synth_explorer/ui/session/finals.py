"""Final renders: one is made at a time, the others wait in a line, and each can be heard while it is made.

What is made does not wait for those who hear it: a slow connection keeps nobody waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import closing
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from typing import Any

import numpy as np

from synth_explorer.ui.session.line import Line, Place

LOOK_S = 0.2

Begun = tuple[int, int, Generator[np.ndarray]]
"""Samples in all, their rate in Hz, and the stream of them."""


class FinalRender:
    """One of them, in a thread of its own."""

    def __init__(self, make: Callable[[], Begun], place: Place, ended: Callable[[FinalRender], None]) -> None:
        """`make`: begins it, once it is its turn. `ended`: called when it is over, whole or not."""
        self.place = place
        self.begun: Future[tuple[int, int]] = Future()  # samples in all, and their rate in Hz
        self._pieces: SimpleQueue[np.ndarray | BaseException | None] = SimpleQueue()
        self._stop, self._ended = Event(), ended
        Thread(target=self._run, args=(make,), name="final", daemon=True).start()

    def stop(self) -> None:
        """End it soon, wherever it is."""
        self._stop.set()

    def piece(self, seconds: float) -> np.ndarray | None:
        """The next samples [n], none where there are none yet after so long; None: it was the last piece.

        Raises what making it raised.
        """
        try:
            piece = self._pieces.get(timeout=seconds)
        except Empty:
            return np.zeros(0, np.float32)
        if isinstance(piece, BaseException):
            raise piece
        return piece

    def _run(self, make: Callable[[], Begun]) -> None:
        try:
            with self.place:
                while not self.place.wait(LOOK_S):
                    if self._stop.is_set():
                        break
                if not self._stop.is_set():
                    self._make(make)
        except BaseException as error:  # handed to whoever hears it
            self._pieces.put(error) if self.begun.done() else self.begun.set_exception(error)
        finally:
            self.begun.cancel()
            self._pieces.put(None)
            self._ended(self)

    def _make(self, make: Callable[[], Begun]) -> None:
        samples, rate_hz, chunks = make()
        with closing(chunks):
            self.begun.set_result((samples, rate_hz))
            for chunk in chunks:
                if self._stop.is_set():
                    return
                self._pieces.put(chunk)


class Finals:
    """Final renders of all pages, in one line."""

    def __init__(self) -> None:
        self._line, self._lock = Line(), Lock()
        self._of: dict[str, FinalRender] = {}

    def begin(self, make: Callable[[], Begun], *, page: str) -> FinalRender:
        """Begin one as soon as it is its turn. `page`: who wants it, by any name. Raises Full: too many wait."""
        with self._lock:
            render = self._of[page] = FinalRender(make, self._line.join(page), self._forget)
        return render

    def told(self, page: str) -> dict[str, Any] | None:
        """How many renders come before the newest of a page, and about how many seconds they take, where that is known;
        None where it has none."""
        with self._lock:
            render = self._of.get(page)
        return None if render is None else {"ahead": render.place.ahead, "seconds": render.place.left_s}

    def _forget(self, render: FinalRender) -> None:
        with self._lock:
            if self._of.get(render.place.visitor) is render:
                del self._of[render.place.visitor]
