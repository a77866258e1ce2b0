"""Edits of timbre beside brightness: the noise against the partials."""

from __future__ import annotations

from dataclasses import dataclass

from synth_explorer.edits.base import Edit
from synth_explorer.edits.controls import Controls
from synth_explorer.edits.facts import UNITS, Figure, Knob, Option, ranged
from synth_explorer.edits.moves import move
from synth_explorer.errors import EditError
from synth_explorer.latents import Latents


@dataclass(frozen=True)
class Noisiness(Edit):
    """Change the level of the noise against that of the partials by `db`.

    The fast decoder scales its noise by as much (`LatentsMeta.noise_db`), which by itself would change loudness and
    brightness a little: the closed loop holds both. Where a checkpoint keeps its pitch inside z, a calibrated direction
    does it.
    """

    db: float = ranged(
        (-96.0, 48.0),
        UNITS["noisiness"],
        option=Option("noisiness_db", "More or less noise against the partials, in {unit}.", "DB"),
        knob=Knob("noisiness_db", "Noisiness ({unit})", -24.0, 24.0, 0.5),
    )

    kind = "noisiness"
    order = 140
    figure = Figure("noisiness_db", "noisiness", UNITS["noisiness"], 1.0, aim=0.3)
    needs = "noise"
    solved = True
    adds = "alike"

    def apply(self, latents: Latents, controls: Controls) -> Latents:
        if not latents.has_pitch and "noisiness" in controls.axes:
            return move(latents, controls, "noisiness", self.db, kind=self.kind)
        if not latents.has_pitch:
            why = controls.unanswered.get("noisiness", "calibrate it (synth-explorer calibrate)")
            raise EditError(
                f"{self.kind}: checkpoint {latents.meta.checkpoint!r} has no noise apart from its partials; "
                f"as a direction: {why}."
            )
        return latents.replace(noise_db=latents.meta.noise_db + self.db)
