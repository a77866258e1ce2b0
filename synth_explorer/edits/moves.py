"""Moving what is heard, by whatever this checkpoint has for it: a tied channel, a pitch track, a calibrated direction;
and the edit along a principal direction.

Shapes: F frames.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from synth_explorer.edits.base import Edit, add_to_channel, scale_pitch
from synth_explorer.edits.controls import Controls
from synth_explorer.edits.facts import Knob, Number, Option, ranged
from synth_explorer.errors import EditError
from synth_explorer.latents import Latents


def move(latents: Latents, controls: Controls, name: str, amount: float | np.ndarray, *, kind: str) -> Latents:
    """Change what is heard by `amount`, a number or a track [F].

    `name`: "loudness" (dB), "brightness" (octaves), "pitch" (cents), or another calibrated one. Raises EditError: this
    checkpoint has no such control, or it does not go so far.
    """
    if name == "pitch" and (latents.has_pitch or "pitch" not in controls.axes):
        if not latents.has_pitch and "pitch" in controls.unanswered:
            raise EditError(
                f"{kind}: checkpoint {latents.meta.checkpoint!r} keeps pitch inside z, and it does not answer: "
                f"{controls.unanswered['pitch']}."
            )
        return scale_pitch(latents, 2.0 ** (np.asarray(amount) / 1200.0), kind=kind)
    if name == "loudness" and controls.loudness is not None:
        return add_to_channel(latents, controls.loudness.channel, amount * controls.loudness.units_per_db, kind=kind)
    if name == "brightness" and controls.brightness is not None:
        control = controls.brightness
        return add_to_channel(latents, control.channel, amount * control.units_per_octave, kind=kind)
    return controls.axis(name).shifted(latents, amount, kind=kind)


@dataclass(frozen=True)
class Direction(Edit):
    """Move all frames along principal direction `number` (from 1) of the checkpoint's latent space.

    `amount` is in steps, standard deviations of the mean sounds of notes, or with `unit` the name of something that
    the direction moves (`Controls.principal` tells: brightness, noisiness, ...) in its unit, as it was measured through
    the decoder on the notes of the calibration: a median, which this note may answer more or less than.
    """

    number: int = ranged((1, 1024))
    amount: float = ranged(
        (-math.inf, math.inf),
        "steps",
        knob=Knob("direction_{number}", "Direction ({unit})", -2.0, 2.0, 0.05, group="directions"),
    )
    unit: str = "steps"

    kind = "direction"
    order = 60
    option = Option(
        "direction",
        "Along principal direction N: 1=1.5 (steps), 2=0.3:brightness (octaves of what it moves).",
        "N=AMOUNT[:UNIT]",
        many=True,
    )
    adds = "alike"
    KNOBS: ClassVar[int] = 4

    @classmethod
    def knobs(cls) -> dict[str, Number]:
        """One for each of the first directions."""
        found = [cls.numbers()["amount"].turned_by(number=number) for number in range(1, cls.KNOBS + 1)]
        return {fact.slider.name: fact for fact in found}

    def ask(self, asked: dict[str, Any]) -> None:
        asked.setdefault("directions", []).append(self.plain)

    def apply(self, latents: Latents, controls: Controls) -> Latents:
        axis = controls.principal_axis(self.number)
        return axis.shifted(latents, self.amount, self.unit, kind=self.kind)
