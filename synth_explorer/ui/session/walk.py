"""A walk over the map as a morph over time: the sounds that it passes nearest to, and when.

Shapes: P points of a walk, N sounds, W points that lie as far apart along the walk as each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from synth_explorer.errors import EditError
from synth_explorer.schema import Schema

MOST = 4  # sounds: as many as a morph has sources
CORNERS = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))  # of the pad, so that each way is along an edge
SLOTS = {2: (0, 1), 3: (0, 1, 2), 4: (0, 1, 3, 2)}  # of the sounds in the order in which the corners are passed
APART = 1 / 8  # of the walk's length, between sounds that are passed
STEPS = 256  # W
POINTS_MOST = 4096  # that are read of a walk
FARTHEST, ASPECT_MOST = 1e6, 100.0
DIGITS = 3
FULL = 0.9  # of the sound, within which a walk that took longer ends


class Stop(NamedTuple):
    """A sound that a walk passes."""

    number: int  # of the sounds
    time_s: float  # when the walk is nearest to it


class Walk(Schema):
    """What a page sends of one."""

    checkpoint: str
    points: list[tuple[float, float, float]]  # (time_s, x, y) on the map
    aspect: float = 1.0  # how many times as wide as high the map is seen

    def array(self) -> np.ndarray:
        """The points [P, 3]. Raises EditError: they are no way in time."""
        found = np.array(self.points[:POINTS_MOST])
        if len(found) < 2 or np.abs(found).max() > FARTHEST or (np.diff(found[:, 0]) < 0).any():
            raise EditError("The walk has no points that follow each other in time; draw it again.")
        if not 1 / ASPECT_MOST <= self.aspect <= ASPECT_MOST:
            raise EditError(f"The walk has an aspect of {self.aspect:g}; it lies within {ASPECT_MOST:g}.")
        return found


def stops(walk: np.ndarray, places: np.ndarray, *, aspect: float = 1.0) -> list[Stop]:
    """The sounds at places [N, 2] that a walk [P, 3] passes, in their order: where it begins and ends, and between
    these, of those that it comes nearest to, at most so many that there are four sounds, some way apart along it.

    One that it comes back to at its end is there twice. `aspect`: how many times as wide as high the map is seen.
    Raises EditError: it passes fewer than two.
    """
    seen = np.array([aspect, 1.0])
    steps = np.linalg.norm(np.diff(walk[:, 1:] * seen, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    at = np.linspace(0.0, along[-1], STEPS)
    times_s, x, y = (np.interp(at, along, column) for column in walk.T)  # [W]
    nearest, far = _nearest(np.stack([x, y], axis=1) * seen, places * seen)
    passed = dict[int, int]()  # a sound -> where along the walk it is nearest
    for step in np.argsort(far, kind="stable"):
        passed.setdefault(int(nearest[step]), int(step))
    chosen = {0: int(nearest[0]), STEPS - 1: int(nearest[-1])}
    for number, step in passed.items():  # the nearest first
        if len(set(chosen.values()) | {number}) > MOST:
            break
        if number not in chosen.values() and min(abs(step - other) for other in chosen) >= APART * STEPS:
            chosen[step] = number
    if len(set(chosen.values())) < 2:
        raise EditError("The walk passes one sound only; draw it further, or zoom in.")
    return [Stop(chosen[step], float(times_s[step] - times_s[0])) for step in sorted(chosen)]


def _nearest(points: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The place [N, 2] nearest to each point [W, 2], and how far it is."""
    found = [(int(np.argmin(far)), float(far.min())) for far in (np.hypot(*(places - point).T) for point in points)]
    nearest, far = zip(*found, strict=True)
    return np.array(nearest), np.array(far)


def slots(found: Sequence[Stop]) -> list[int]:
    """The sounds in the order of the page's slots, so that a walk from one to the next follows an edge of the pad."""
    order = list(dict.fromkeys(stop.number for stop in found))
    by_slot = dict(zip(SLOTS[len(order)], order, strict=True))
    return [by_slot[slot] for slot in sorted(by_slot)]


def curves(found: Sequence[Stop], *, sound_s: float) -> dict[str, list[list[float]]]:
    """The way over the pad as the page's curves, {"across": [[time_s, x], ...], "up": ...}: it is at a sound's corner
    when the walk passed there. A walk that took longer than the sound of `sound_s` is as much faster."""
    order = list(dict.fromkeys(stop.number for stop in found))
    faster = min(1.0, FULL * sound_s / max(found[-1].time_s, 1e-9))
    drawn: dict[float, tuple[float, float]] = {}
    for stop in found:
        time_s = round(stop.time_s * faster, DIGITS)
        while time_s in drawn:  # a walk that took no time
            time_s = round(time_s + 10.0**-DIGITS, DIGITS)
        drawn[time_s] = CORNERS[order.index(stop.number)]
    across = [[time_s, x] for time_s, (x, _) in drawn.items()]
    return {"across": across} | ({"up": [[time_s, y] for time_s, (_, y) in drawn.items()]} if len(order) > 2 else {})
