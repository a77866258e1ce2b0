"""How many threads advance a group of notes: learnt on the way.

A team shares every layer's rows; see `kernel`.
"""

from __future__ import annotations

import time

TRY_AGAIN_S = 2.0  # how often the slower number of threads is tried again


class Crew:
    """Whether all threads or one alone advance a group: whichever was faster of late.

    Threads that share a layer wait for one another twice a layer. Where other programs keep a core busy, that costs
    more than it gains, so both ways are timed, and the slower one is tried again now and then. Samples stay the same.
    """

    def __init__(self, most: int) -> None:
        self.sizes = (most, 1) if most > 1 else (1,)
        self.size = most
        self.one_s: dict[int, float] = {}
        self._calls = 0
        self._tried = time.perf_counter()

    def samples(self, wanted: int) -> int:
        """Choose `size` for the next samples; returns for how many."""
        untimed = [size for size in self.sizes if size not in self.one_s]
        if untimed:
            self.size = untimed[0]
            return min(wanted, max(1, wanted // 2))
        best = min(self.sizes, key=lambda size: self.one_s[size])
        self.size = best
        if len(self.sizes) > 1 and time.perf_counter() - self._tried > TRY_AGAIN_S:
            self._tried = time.perf_counter()
            self.size = next(size for size in self.sizes if size != best)
            return max(1, wanted // 8)
        return wanted

    def took(self, seconds: float, done: int, wanted: int) -> None:
        """Note how long `done` of `wanted` samples took; the first call, which may compile, does not count."""
        self._calls += 1
        if self._calls == 1:
            return
        one_s = seconds / done
        before = self.one_s.get(self.size, one_s)
        self.one_s[self.size] = one_s if done < wanted else 0.7 * before + 0.3 * one_s
