"""Directions across the channels of latents whose response was measured through the decoder.

Shapes: F frames, C channels, S steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from synth_explorer.edits.facts import UNITS
from synth_explorer.errors import CheckpointError, EditError
from synth_explorer.latents import Latents
from synth_explorer.schema import LENIENT, Schema, Some


class NamedAxis(Schema):
    """A direction that does what its name says."""

    model_config = LENIENT

    unit: str = ""  # of what is heard
    vector: Some  # [C], one step along it
    steps: Some  # [S], positions that were decoded and measured, rising, 0 among them
    heard: Some  # [S], median change at each of them, rising, 0 at 0

    def model_post_init(self, context: Any, /) -> None:
        rising = all(len(x) == len(self.steps) > 1 and np.all(np.diff(x) > 0) for x in (self.steps, self.heard))
        if not rising or not self.heard[0] <= 0.0 <= self.heard[-1]:
            raise CheckpointError("steps and heard must be as long as each other, rising, around 0")

    def shifted(self, latents: Latents, amount: float | np.ndarray, *, kind: str) -> Latents:
        """Latents moved so that a change by `amount`, a number or a track [F], is heard.

        Raises EditError: other channels, or further than was measured; it says how far it goes.
        """
        low, high = self.heard[0], self.heard[-1]
        if np.min(amount) < low - 1e-9 or np.max(amount) > high + 1e-9:
            far = np.max(amount) if np.max(amount) > high else np.min(amount)
            raise EditError(
                f"{kind}: {far:+g} {self.unit} is beyond what this checkpoint answers: "
                f"{low:+.2f} to {high:+.2f} {self.unit}."
            )
        return moved(latents, self.vector, np.interp(amount, self.heard, self.steps), kind=kind)


class PrincipalAxis(Schema):
    """A principal direction of the latent space, with what it moves."""

    model_config = LENIENT

    name: str = "unnamed"  # what it moves per step, in words, from the measurement
    share: float  # of the variance of the mean sounds of notes, 0..1
    vector: Some  # [C], one step: a standard deviation of them along it
    steps: Some  # [S], positions that were decoded and measured, rising, 0 among them
    moves: dict[str, Some]  # [S] for each thing that is heard: its median change at each of them

    def shifted(self, latents: Latents, amount: float, unit: str, *, kind: str) -> Latents:
        """Latents moved by `amount` steps, or, where `unit` is something that is heard, until it changes by as much.

        Raises EditError: other channels, further than was measured, or something that this direction does not move.
        """
        if unit == "steps":
            low, high = self.steps[0], self.steps[-1]
            if not low <= amount <= high:
                raise EditError(f"{kind}: {amount:+g} steps is beyond what was measured: {low:+g} to {high:+g} steps.")
            return moved(latents, self.vector, amount, kind=kind)
        if unit not in self.moves:
            known = ", ".join(["steps", *self.moves])
            raise EditError(f"{kind}: unit={unit!r} must be one of {known}.")
        steps, heard = self._one_way(np.array(self.moves[unit]))
        if len(steps) < 3:
            raise EditError(f"{kind}: this direction does not move {unit} in one way ({self.name}).")
        if not heard[0] <= amount <= heard[-1]:
            raise EditError(
                f"{kind}: {amount:+g} {UNITS.get(unit, '')} of {unit} is beyond what this direction moves in one way: "
                f"{heard[0]:+.2f} to {heard[-1]:+.2f}."
            )
        return moved(latents, self.vector, float(np.interp(amount, heard, steps)), kind=kind)

    def _one_way(self, curve: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Steps and what is heard at them, rising, as far around 0 as the curve [S] goes one way."""
        zero = self.steps.index(0.0)
        rises = np.diff(curve)
        way = np.sign(curve[min(zero + 1, len(curve) - 1)] - curve[max(zero - 1, 0)])
        first = last = zero
        while first > 0 and rises[first - 1] * way > 0:
            first -= 1
        while last < len(rises) and rises[last] * way > 0:
            last += 1
        part = slice(first, last + 1)
        order = slice(None) if way > 0 else slice(None, None, -1)
        return np.array(self.steps)[part][order], curve[part][order]

    def model_post_init(self, context: Any, /) -> None:
        rising = len(self.steps) > 1 and np.all(np.diff(self.steps) > 0) and 0.0 in self.steps
        if not rising or any(len(curve) != len(self.steps) for curve in self.moves.values()):
            raise CheckpointError("steps must rise, 0 among them, and each of moves be as long")


def moved(latents: Latents, vector: Sequence[float], steps: float | np.ndarray, *, kind: str) -> Latents:
    """Latents moved by a number of steps, or a track [F] of them, along a vector [C]."""
    if len(vector) != latents.channels:
        raise EditError(f"{kind}: the direction has {len(vector)} channels, these latents {latents.channels}.")
    return latents.replace(z=latents.z.astype(np.float64) + np.reshape(steps, (-1, 1)) * np.array(vector))
