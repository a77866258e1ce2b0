"""How far something has come, on stderr: a bar for a person at a terminal, else a line now and then."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

FIRST_S = 5.0  # nothing is said of what takes less
LONGEST_S = 30.0  # without a line, at first; then twice as long each time
SHARE = 0.1  # of the whole, after which there is a line


def interactive() -> bool:
    """Whether a person watches stderr."""
    return sys.stderr.isatty()


@contextmanager
def status(text: str) -> Iterator[None]:
    """A spinner on stderr while a person waits."""
    if not interactive():
        yield
        return
    from rich.console import Console

    own = os.fdopen(os.dup(2), "w", encoding="utf-8")  # a stream of its own, so that `quiet` does not stop it
    with own, Console(file=own, force_terminal=True).status(text):
        yield


@contextmanager
def progress(title: str, *, unit: str = "", rate: bool = False) -> Iterator[Callable[[int, int], None]]:
    """A progress bar with the time left, and the rate if asked for, or lines; yields a function to call with (done,
    total)."""
    if not interactive():
        yield Lines(title, unit=unit, rate=rate)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(unit))
    pace = (TextColumn("{task.fields[pace]}"),) if rate else ()
    left = (TimeRemainingColumn(), TextColumn("left"))
    start_s = time.monotonic()
    with Progress(*columns, *pace, *left, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=None, pace="")

        def update(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, pace=_pace(done, time.monotonic() - start_s))

        yield update


class Lines:
    """Says how far something has come where nobody sees a bar; to be called with (done, total).

    The first line comes after `FIRST_S`; the next ones after each tenth of the whole, not sooner than `FIRST_S` after
    one another, or after 30 s, then 60 s, 120 s ... in which less was done. What ends sooner says nothing.
    """

    def __init__(
        self,
        title: str,
        *,
        unit: str = "",
        rate: bool = False,
        clock: Callable[[], float] = time.monotonic,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self._title, self._unit, self._rate, self._clock = title, unit, rate, clock
        self._say = say or (lambda line: typer.echo(line, err=True))
        self._start = self._last = clock()
        self._share: float | None = None  # of the whole, at the last line
        self._patience = LONGEST_S

    def __call__(self, done: int, total: int) -> None:
        now, share = self._clock(), done / total if total > 0 else 0.0
        if done >= total or now - self._last < FIRST_S:
            return
        if self._share is not None and share - self._share < SHARE:
            if now - self._last < self._patience:
                return
            self._patience *= 2.0
        self._last, self._share = now, share
        unit = f" {self._unit}" if self._unit else ""
        elapsed = now - self._start
        left = f", about {_duration(elapsed * (1.0 - share) / share)} left" if done > 0 else ""
        pace = f", {_pace(done, elapsed)}" if self._rate and done > 0 else ""
        self._say(f"{self._title}: {int(100 * share)} %, {done:,} of {total:,}{unit}{pace}{left}")


def _pace(done: int, elapsed_s: float) -> str:
    return f"{done / max(elapsed_s, 1e-3):.3g} a second"


def _duration(seconds: float) -> str:
    """A time in words, no finer than it is known."""
    if seconds < 90.0:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60.0)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
