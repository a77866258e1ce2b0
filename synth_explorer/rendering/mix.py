"""Where a sound lies between its sources: weights, a place on the pad, or a way over it in time.

Shapes: F frames, S sources.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Self

import numpy as np
from pydantic import model_validator

from synth_explorer.errors import LatentsError, SpecError
from synth_explorer.latents import normalised, pad_weights, weights_by_pitch
from synth_explorer.schema import Field, Schema

Place = tuple[float, float, float]
ALIKE = 9  # decimals to which two weights are the same


class Mix(Schema):
    """Where a sound lies between its sources.

    `places`: (time_s, x, y) on the pad, see `latents.pad_weights`: one stands still, between several it goes in
    straight lines, before the first and after the last it stays. Two sources lie left and right: y plays no part.
    `by_pitch`: the sources are recordings of one instrument; a pitch lies between those next to it, and with
    `touch_db`, how far under the loudest of its pitch the note is struck, between those whose levels lie next to that:
    it has their timbre at the loudest one's level. None: recordings of one pitch share evenly.
    """

    weights: tuple[float, ...] = ()  # of each source; brought to a sum of 1. Empty where the pad says it.
    places: tuple[Place, ...] = ()
    by_pitch: bool = False
    touch_db: float | None = Field(default=None, le=0.0)

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.weights) + bool(self.places) + self.by_pitch != 1:
            raise ValueError("give either weights or places on the pad, or say by_pitch")
        if self.touch_db is not None and not self.by_pitch:
            raise ValueError("touch_db is of a mix by_pitch")
        times_s = [place[0] for place in self.places]
        if any(time_s < 0 for time_s in times_s) or any(b <= a for a, b in pairwise(times_s)):
            raise ValueError(f"places must have rising times from 0 s on; received {times_s}")
        return self

    @classmethod
    def of(cls, mix: Mix | float | Sequence[float]) -> Mix:
        """A mix from a place between two sources, 0 at the first and 1 at the second, or from weights.

        Raises SpecError: numbers that cannot be.
        """
        if isinstance(mix, Mix):
            return mix
        if isinstance(mix, Sequence):
            return cls.make(what="The mix", error=SpecError, weights=tuple(float(weight) for weight in mix))
        return cls.at(mix)

    @classmethod
    def at(cls, x: float, y: float = 0.0) -> Mix:
        """A place on the pad; with two sources x is 0 at the first and 1 at the second. Raises SpecError."""
        return cls.along([(0.0, x, y)])

    @classmethod
    def along(cls, places: Sequence[Place]) -> Mix:
        """A way over the pad through (time_s, x, y). Raises SpecError."""
        numbers = tuple((float(time_s), float(x), float(y)) for time_s, x, y in places)
        return cls.make(what="The mix", error=SpecError, places=numbers)

    def at_pitch(
        self, pitches_midi: Sequence[float], midi: float | None, *, under_db: Sequence[float] | None = None
    ) -> tuple[float, ...]:
        """Of a mix by pitch: the weights for a pitch of the sound, where the sources have these; None is in the middle.

        `under_db`: of each source, see `latents.weights_by_pitch`. Raises LatentsError: sources without a pitch.
        """
        if not np.isfinite(pitches_midi).all():
            raise LatentsError("These notes have no pitch of their own, so none lies between them.")
        middle = float(np.mean(pitches_midi)) if midi is None else midi
        return weights_by_pitch(pitches_midi, middle, under_db=under_db, touch_db=self.touch_db)

    def stands(self, count: int) -> bool:
        """Whether the weights of `count` sources stay the same over time; those by pitch do."""
        return len({(x, y if count > 2 else 0.0) for _, x, y in self.places}) <= 1

    def weights_at(self, times_s: np.ndarray, count: int) -> list[tuple[float, ...]]:
        """Weights of `count` sources at each of these times [F]; not of a mix by pitch, see `at_pitch`."""
        if self.weights:
            return [self.weights] * len(times_s)
        known = np.array(self.places)
        across, up = (np.interp(times_s, known[:, 0], known[:, axis]) for axis in (1, 2))
        return [pad_weights(count, float(a), float(b)) for a, b in zip(across, up, strict=True)]

    def standing(self, count: int) -> tuple[float, ...]:
        """Weights of `count` sources where it stands still, or begins."""
        return self.weights_at(np.zeros(1), count)[0]

    def check(self, count: int) -> None:
        """Raises LatentsError where it cannot be a mix of `count` sources."""
        if self.weights:
            normalised(self.weights, count=count)
        for _, x, y in self.places:
            pad_weights(count, x, y)

    def meaning(self, count: int) -> Any:
        """What is equal for mixes that mean the same."""
        if self.by_pitch:
            return "by pitch" if self.touch_db is None else f"by pitch, {round(self.touch_db, ALIKE)} dB"
        if not self.stands(count):
            return [[time_s, x, y if count > 2 else 0.0] for time_s, x, y in self.places]
        return [round(weight, ALIKE) + 0.0 for weight in normalised(self.standing(count), count=count)]
