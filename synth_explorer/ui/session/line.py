"""A line of those who wait for what only one is given at a time, and the places in it.

Turns go round: who asks for a second one comes after everybody else's first.
"""

from __future__ import annotations

import statistics
import time
from collections import deque
from threading import Condition
from types import TracebackType
from typing import Self

from synth_explorer.errors import SynthExplorerError

MOST = 64
REMEMBERED = 8  # turns that say how long one takes


class Full(SynthExplorerError):
    """More wait than are served soon."""


class Line:
    """Places by their round, in the order in which they were taken. Threads may share it."""

    def __init__(self, *, most: int = MOST) -> None:
        """`most`: how many may wait."""
        self.most = most
        self.changed = Condition()
        self._places: list[Place] = []  # the one whose turn it is first, then those who wait, in their order
        self._round = 0  # of the newest turn
        self._took_s: deque[float] = deque(maxlen=REMEMBERED)

    def join(self, visitor: str = "") -> Place:
        """A place for somebody: after those of their own that wait. Raises Full."""
        with self.changed:
            if len(self._places) > self.most:
                raise Full(f"{self.most} renders are waiting already; try again in a while.")
            own = [place.round for place in self._places if place.visitor == visitor]
            place = Place(self, visitor, max([self._round, *(one + 1 for one in own)]))
            later = (at for at, one in enumerate(self._places) if at and one.round > place.round)
            self._places.insert(next(later, len(self._places)), place)
            return place

    def ahead(self, place: Place) -> int:
        """How many come before a place; 0 where it is its turn, or is in the line no more."""
        with self.changed:
            return self._places.index(place) if place in self._places else 0

    @property
    def turn_s(self) -> float | None:
        """How long a turn takes, as the last ones did; None before there were any."""
        with self.changed:
            return statistics.median(self._took_s) if self._took_s else None

    def is_turn(self, place: Place) -> bool:
        """Whether it is a place's turn. The one who asks holds `changed`."""
        is_first = bool(self._places) and self._places[0] is place
        if is_first and place.began_s is None:
            place.began_s, self._round = time.perf_counter(), max(self._round, place.round)
        return is_first

    def left(self, place: Place) -> None:
        """Somebody goes, whether it was their turn or not."""
        with self.changed:
            if place in self._places:
                self._places.remove(place)
                if place.began_s is not None:
                    self._took_s.append(time.perf_counter() - place.began_s)
                self.changed.notify_all()


class Place:
    """A place in a line, which is left at the end of a `with` block."""

    def __init__(self, line: Line, visitor: str, round: int) -> None:
        self.visitor, self.round = visitor, round
        self.began_s: float | None = None  # its turn
        self._line = line

    @property
    def ahead(self) -> int:
        """How many come before it."""
        return self._line.ahead(self)

    @property
    def left_s(self) -> float | None:
        """Estimate of how long it still waits; None where nothing is known."""
        turn_s = self._line.turn_s
        return None if turn_s is None else turn_s * self.ahead

    def wait(self, seconds: float) -> bool:
        """Wait that long at most; whether it is its turn."""
        with self._line.changed:
            return self._line.changed.wait_for(lambda: self._line.is_turn(self), seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._line.left(self)
