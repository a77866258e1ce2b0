"""Edits of timbre beside brightness: the noise against the partials, and how fast a note begins.

Shapes: F frames.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from synth_explorer.edits.base import Edit, add_to_channel
from synth_explorer.edits.controls import Controls, LoudnessControl
from synth_explorer.edits.curves import onset_frame, rise_db
from synth_explorer.edits.moves import move
from synth_explorer.edits.timing import read_at
from synth_explorer.errors import EditError
from synth_explorer.latents import Latents

RISE_PART = 0.8
"""Of a linear rise, the part from 10 to 90 %."""


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


@dataclass(frozen=True)
class Attack(Edit):
    """Let the note begin in `seconds`: the time from 10 to 90 % of its loudest amplitude.

    A faster beginning plays what lies before the loudest moment (first 1 dB under the maximum) in less time; the note
    becomes shorter by as much. A slower one lets the amplitude rise linearly. Frames stand 32 ms apart in the default
    model: a beginning that is faster than two of them is made by the decoder and cannot be told here.
    """

    seconds: float

    kind: ClassVar[str] = "attack"
    LIMITS: ClassVar[dict[str, tuple[float, float]]] = {"seconds": (0.001, 60.0)}

    def apply(self, latents: Latents, controls: Controls) -> Latents:
        control = controls.require_loudness()
        start, peak, own_s = _beginning(latents, control)
        if self.seconds < own_s:
            hop = latents.meta.hop
            lost = round((peak - start) * (1.0 - self.seconds / own_s) * hop)
            after = latents.duration_samples - lost
            now = np.arange(-(-after // hop)) * float(hop)
            first, last = start * hop, peak * hop - lost
            pace = (peak - start) * hop / max(last - first, 1e-9)
            at = np.where(now < first, now, np.where(now < last, first + (now - first) * pace, now + lost))
            return read_at(latents, at, duration_samples=after)
        since_s = np.arange(latents.frames) / latents.frame_rate_hz - start / latents.frame_rate_hz
        rise_s = math.sqrt(self.seconds**2 - own_s**2) / RISE_PART
        gain_db = rise_db(since_s, rise_s)
        return add_to_channel(latents, control.channel, gain_db * control.units_per_db, kind=self.kind)


def _beginning(latents: Latents, control: LoudnessControl) -> tuple[int, int, float]:
    """Frame at which a note is first heard, frame at which it is loud, and the seconds from 10 to 90 % between them.

    90 % of the amplitude lie 0.92 dB under the maximum, 10 % 20 dB under it.
    """
    loudness_db = latents.z[:, control.channel].astype(np.float64) / control.units_per_db
    under_db = loudness_db - loudness_db.max()
    start, peak = onset_frame(latents, control), int(np.argmax(under_db >= -0.92))
    tenth = int(np.argmax(under_db >= -20.0))
    return start, max(peak, start), max(peak - tenth, 0) / latents.frame_rate_hz
