"""Edits of timbre beside brightness: the noise against the partials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from synth_explorer.edits.base import Edit
from synth_explorer.edits.controls import Controls
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

    db: float

    kind: ClassVar[str] = "noisiness"
    LIMITS: ClassVar[dict[str, tuple[float, float]]] = {"db": (-96.0, 48.0)}

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
