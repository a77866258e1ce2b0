"""Edits of timbre beside brightness: the noise against the partials, the width of the spectrum, odd against even."""

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


@dataclass(frozen=True)
class Spread(Edit):
    """Make the spectrum wider or narrower about its centroid, by `octaves` of its standard deviation.

    A calibrated direction does it; the closed loop sets it and holds loudness and brightness.
    """

    octaves: float = ranged(
        (-3.0, 3.0),
        UNITS["spread"],
        option=Option("spread_octaves", "A wider or narrower spectrum about its centroid, in {unit}."),
        knob=Knob("spread", "Spread ({unit})", -0.8, 0.8, 0.05, group="spectrum"),
    )

    kind = "spread"
    order = 142
    figure = Figure("spread_octaves", "spread", UNITS["spread"], 0.1, aim=0.03)
    needs = "spread"
    solved = True
    adds = "alike"

    def apply(self, latents: Latents, controls: Controls) -> Latents:
        return move(latents, controls, "spread", self.octaves, kind=self.kind)


@dataclass(frozen=True)
class Hollowness(Edit):
    """Change the level of partials 3, 5, 7 against that of 2, 4, 6 by `db`: hollow as a clarinet, or full.

    A calibrated direction does it; the closed loop sets it and holds loudness and brightness.
    """

    db: float = ranged(
        (-48.0, 48.0),
        UNITS["hollowness"],
        option=Option("hollowness_db", "Odd partials against even ones, hollow or full, in {unit}.", "DB"),
        knob=Knob("hollowness_db", "Hollowness ({unit})", -15.0, 15.0, 0.5, group="spectrum"),
    )

    kind = "hollowness"
    order = 144
    figure = Figure("hollowness_db", "hollowness", UNITS["hollowness"], 1.0, aim=0.3)
    needs = "hollowness"
    solved = True
    adds = "alike"

    def apply(self, latents: Latents, controls: Controls) -> Latents:
        return move(latents, controls, "hollowness", self.db, kind=self.kind)
