"""What recurs in a line of symbols, also where a few of them differ: the repeat that says most of the line at once.

A stretch and its repeats are found on the diagonals of the line's self-similarity (Foote, 1999; its diagonals as
repeats: Kinnaird, 2016, "Aligned hierarchies", ISMIR). All its occurrences are then found by the edit distance that may
begin anywhere (Sellers, 1980), as melodies are compared (Mongeau and Sankoff, 1990). Of all stretches that one counts
that makes the line shortest where each occurrence is written as one symbol (Nevill-Manning and Witten, 2000).

A symbol that differs from itself is a border: nothing goes over it, and what lies between two is no occurrence.

Shapes: N symbols of a line, S kinds of symbols, L symbols of a stretch.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

DIFFERS = 0.25  # of a stretch's symbols that an occurrence may have different, more or fewer, at most
SHORTEST = 2
CANDIDATES = 24  # stretches whose occurrences are sought, the longest repeats first
GROWN = 8  # symbols by which the best is tried longer to either side


class Occurrence(NamedTuple):
    """Where a stretch is found."""

    first: int
    end: int  # exclusive
    cost: float  # by how many symbols it differs


class Repeat(NamedTuple):
    """A stretch with its occurrences in their order, itself among them, and how many symbols they save."""

    gain: float
    first: int
    end: int  # exclusive
    found: list[Occurrence]


def best_repeat(line: np.ndarray, costs: np.ndarray) -> Repeat | None:
    """The repeat that saves most of a line [N] of symbols; None where nothing recurs that saves any.

    `costs`: [S, S], 0 to 1: how much two symbols differ.
    """
    tried = [_repeat(line, costs, first, end) for first, end in _candidates(line, costs)]
    best = max(tried, key=_worth, default=None)
    while best is not None:
        further = [_repeat(line, costs, first, end) for first, end in _around(best, len(line))]
        longer = max(further, key=_worth, default=best)
        if longer.gain <= best.gain:
            break
        best = longer
    return best if best is not None and best.gain > 0 else None


def _worth(repeat: Repeat) -> tuple[float, int, int]:
    """What saves most, of these the shortest, of these the first."""
    return repeat.gain, repeat.first - repeat.end, -repeat.first


def _candidates(line: np.ndarray, costs: np.ndarray) -> list[tuple[int, int]]:
    """Stretches that recur at some distance: of each diagonal that with the most alike and the fewest unlike."""
    found = list[tuple[float, int, int]]()
    for lag in range(SHORTEST, len(line) - 1):
        score = 1.0 - costs[line[:-lag], line[lag:]] / DIFFERS
        total = np.concatenate([[0.0], np.cumsum(score)])
        value = total - np.minimum.accumulate(total)
        end = int(np.argmax(value))
        first = int(np.flatnonzero(total[: end + 1] == total[: end + 1].min())[-1])
        end = min(end, first + lag)  # what overlaps itself is shorter
        if end - first >= SHORTEST:
            found.append((float(total[end] - total[first]), first, end))
    found.sort(key=lambda one: (-one[0], one[1]))
    return list(dict.fromkeys((first, end) for _, first, end in found))[:CANDIDATES]


def _around(best: Repeat, size: int) -> list[tuple[int, int]]:
    """Stretches that begin earlier or later, or end later or earlier."""
    moves = [move for step in range(1, GROWN + 1) for move in ((-step, 0), (0, step), (step, 0), (0, -step))]
    moved = [(best.first + before, best.end + after) for before, after in moves]
    return [(first, end) for first, end in moved if first >= 0 and end <= size and end - first >= SHORTEST]


def _repeat(line: np.ndarray, costs: np.ndarray, first: int, end: int) -> Repeat:
    """A stretch with its occurrences; each saves all its symbols but one, and costs twice what differs in it."""
    found = occurrences(line[first:end], line, costs)
    gain = sum(one.end - one.first - 1 - 2.0 * one.cost for one in found) - (end - first)
    return Repeat(gain if len(found) > 1 else 0.0, first, end, found)


def occurrences(stretch: np.ndarray, line: np.ndarray, costs: np.ndarray) -> list[Occurrence]:
    """Where a stretch [L] is in a line [N], the most alike first chosen, none over another; in their order."""
    cost, first = _distances(stretch, line, costs)
    ends = np.flatnonzero(cost <= DIFFERS * len(stretch))
    is_border = np.diag(costs)[line] > 0
    closed = np.concatenate([[False], is_border]), np.concatenate([is_border, [False]])  # before, after each place
    ends = ends[~(closed[0][first[ends]] & closed[1][ends])]
    sizes = np.abs(ends - first[ends] - len(stretch))
    chosen, is_free = list[Occurrence](), np.ones(len(line), bool)
    for place in np.lexsort((ends, sizes, cost[ends])):
        end = int(ends[place])
        begin = int(first[end])
        if end - begin >= SHORTEST and is_free[begin:end].all():
            is_free[begin:end] = False
            chosen.append(Occurrence(begin, end, float(cost[end])))
    return sorted(chosen)


def _distances(stretch: np.ndarray, line: np.ndarray, costs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """By how much [N + 1] a stretch differs from what ends before each symbol of a line, and where that begins."""
    places = np.arange(len(line) + 1)
    passed = np.concatenate([[0.0], np.cumsum(np.maximum(1.0, np.diag(costs)[line]))])  # what is more in the line
    cost, first = np.zeros(len(line) + 1), places.copy()
    for symbol in stretch:
        missed = cost + 1.0
        met = np.concatenate([[np.inf], cost[:-1] + costs[symbol, line]])
        best = np.minimum(met, missed)
        begun = np.where(met <= missed, np.roll(first, 1), first)
        level = best - passed
        lowest = np.minimum.accumulate(level)
        last = np.maximum.accumulate(np.where(level == lowest, places, 0))
        cost, first = lowest + passed, begun[last]
    return cost, first
