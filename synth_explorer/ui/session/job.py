"""A job: a sound that takes long, made in a thread of its own, that can be watched and stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from threading import Event, Thread
from typing import Any

import numpy as np

from synth_explorer.ui.session.line import Place

Chunks = Callable[[Event, Callable[[int, int], None]], Iterator[np.ndarray]]
TURN_S = 0.1


class Job:
    """Renders in the background. One job has its turn at a time; the others wait, and may be stopped while they do."""

    def __init__(
        self, chunks: Chunks, keep: Callable[[np.ndarray, float, bool], Any], *, total: int, place: Place
    ) -> None:
        """
        Args:
            chunks: (stop, progress) -> chunks of audio, float32 [n].
            keep: (audio [T], seconds it took, whether it is whole) -> what `result` is to be.
            place: in the line of those that wait for their turn.
        """
        self.total, self.done = total, 0
        self.result: Any = None
        self.error: BaseException | None = None
        self._stop, self._ended, self._place = Event(), Event(), place
        self._started_s: float | None = None
        self._thread = Thread(target=self._run, args=(chunks, keep), name="render", daemon=True)
        self._thread.start()

    @property
    def is_waiting(self) -> bool:
        """Whether another job has its turn."""
        return self._started_s is None

    @property
    def ahead(self) -> int:
        """How many jobs come before it."""
        return self._place.ahead

    @property
    def left_s(self) -> float | None:
        """Estimate of the seconds that it still takes; None before there is any."""
        if self._started_s is None or not self.done:
            return None
        return (time.perf_counter() - self._started_s) * (self.total - self.done) / self.done

    def stop(self) -> None:
        """End it soon; what was made until then is its result."""
        self._stop.set()

    def wait(self, seconds: float) -> bool:
        """Wait that long at most; whether it has ended."""
        return self._ended.wait(seconds)

    def _run(self, chunks: Chunks, keep: Callable[[np.ndarray, float, bool], Any]) -> None:
        try:
            with self._place:
                while not self._place.wait(TURN_S):
                    if self._stop.is_set():
                        return
                self._render(chunks, keep)
        except BaseException as error:  # handed to whoever watches
            self.error = error
        finally:
            self._ended.set()

    def _render(self, chunks: Chunks, keep: Callable[[np.ndarray, float, bool], Any]) -> None:
        self._started_s = started_s = time.perf_counter()
        made = list(chunks(self._stop, self._progress))
        audio = np.concatenate(made) if made else np.zeros(0, np.float32)
        if audio.size:
            self.result = keep(audio, time.perf_counter() - started_s, audio.size >= self.total)

    def _progress(self, done: int, _: int) -> None:
        self.done = done
