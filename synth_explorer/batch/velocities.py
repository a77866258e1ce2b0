"""The `velocities` of a spec: how much softer and darker than its loudest each sound is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import BeforeValidator, Field

from synth_explorer.batch.values import Range, choice, listed, shape_of
from synth_explorer.edits import Brightness, EditChain, Gain
from synth_explorer.schema import Schema

LOUDEST = 127
LEVEL_DB = {1: -30.0, LOUDEST: 0.0}
BRIGHTNESS_OCTAVES = {1: -0.8, LOUDEST: 0.0}

Velocity = Annotated[int, Field(ge=1, le=LOUDEST)]
Curve = Annotated[dict[Velocity, float], Field(min_length=1)]
if TYPE_CHECKING:  # types made by a function are none to a type checker
    Values = Any
else:
    Values = choice(Velocity, Range)


class Velocities(Schema):
    """MIDI velocities, and what becomes of level and brightness at some of them; straight between those."""

    values: Values
    level_db: Curve = LEVEL_DB
    brightness_octaves: Curve = BRIGHTNESS_OCTAVES

    def chains(self) -> list[tuple[int, EditChain]]:
        """Each velocity, and the edits that make it. Raises ValueError."""
        found: list[tuple[int, EditChain]] = []
        for value in listed(self.values):
            if not 1 <= value <= LOUDEST or value != int(value):
                raise ValueError(f"a velocity is a whole number from 1 to {LOUDEST}; received {value:g}")
            edits = Brightness(_on(self.brightness_octaves, value)), Gain(_on(self.level_db, value))
            found.append((int(value), EditChain(tuple(edit for edit in edits if edit.wanted))))
        return found


def _on(curve: Mapping[int, float], velocity: float) -> float:
    known = sorted(curve.items())
    return round(float(np.interp(velocity, [at for at, _ in known], [value for _, value in known])), 6)


def _alone(given: Any) -> Any:
    """Velocities without a curve."""
    is_range = shape_of(given) == "range" and "values" not in given
    return {"values": given} if is_range or shape_of(given) != "range" else given


VelocitySpec = Annotated[Velocities, BeforeValidator(_alone)]
