"""Edits of time: stretch, freeze, reverse, trim. The pitch stays, since it travels beside the timbre.

All read the note at other times: the latents between two frames are linear between them, the pitch in octaves.

Shapes: F frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from synth_explorer.edits.base import Edit
from synth_explorer.edits.controls import Controls
from synth_explorer.edits.facts import EVERYTHING, Figure, Knob, Option, Untold, ranged
from synth_explorer.errors import EditError
from synth_explorer.latents import Latents

LONGEST_S = 120.0
"""No edit makes a note longer than this."""

LATEST_S = 3600.0
"""No edit speaks of a later moment, or one that lasts longer."""

KNOB_S = 16.0
"""The page's knobs reach so far: it takes no longer note, whatever the checkpoint."""


def read_at(latents: Latents, at_samples: np.ndarray, *, duration_samples: int) -> Latents:
    """The latents as they are at other times, one a new frame; times beyond the ends hold the first or last frame.

    `at_samples`: [F'], where in the old note each new frame is read. `duration_samples`: of the new note, at most F' *
    hop.
    """
    position = np.clip(np.asarray(at_samples, np.float64) / latents.meta.hop, 0, latents.frames - 1)
    low = np.floor(position).astype(int)
    high = np.minimum(low + 1, latents.frames - 1)
    part = position - low

    def read(track: np.ndarray) -> np.ndarray:
        track = track.astype(np.float64)
        return track[low] + (track[high] - track[low]) * part.reshape(-1, *([1] * (track.ndim - 1)))

    return latents.replace(
        z=read(latents.z),
        pitch_hz=np.exp2(read(np.log2(latents.pitch_hz.astype(np.float64)))),
        detail=read(latents.detail),
        fine_level=_fine_level_at(latents, np.asarray(at_samples, np.float64)),
        enhancement=read(latents.enhancement),
        duration_samples=duration_samples,
        loop=None,  # it was the loop of the times before
    )


def _fine_level_at(latents: Latents, at_samples: np.ndarray) -> np.ndarray:
    """The fine level as `read_at` reads it, its points between two frames at times between theirs: [F', P].

    After the last of them time goes on as before it; a single frame holds its first point.
    """
    points, hop = latents.fine_level.shape[1], latents.meta.hop
    if points == 0:
        return np.zeros((len(at_samples), 0))
    last = 2.0 * at_samples[-1] - at_samples[-2] if len(at_samples) > 1 else at_samples[-1]
    following = np.concatenate([at_samples[1:], [last]])
    parts = np.arange(points, dtype=np.float64) / points
    at = at_samples[:, None] + (following - at_samples)[:, None] * parts
    own = latents.fine_level.reshape(-1).astype(np.float64)
    return np.interp(np.asarray(at * points / hop, np.float64), np.arange(own.size, dtype=np.float64), own)


def frame_starts(latents: Latents, duration_samples: int, *, kind: str) -> np.ndarray:
    """Sample at which each frame of a note of this duration stands."""
    if not 1 <= duration_samples <= LONGEST_S * latents.meta.sample_rate_hz:
        seconds = duration_samples / latents.meta.sample_rate_hz
        raise EditError(
            f"{kind}: the note would last {seconds:.3f} s; it must last between one sample and {LONGEST_S:g} s."
        )
    return np.arange(-(-duration_samples // latents.meta.hop)) * float(latents.meta.hop)


@dataclass(frozen=True)
class Stretch(Edit):
    """Make the note `factor` times as long at its pitch. Its first `keep_s` seconds keep their pace.

    With keep_s = 0 everything is stretched alike, the attack too.
    """

    factor: float = ranged(
        (1 / 64, 64.0),
        "times",
        option=Option("stretch", "So many {unit} as long, at the same pitch.", "FACTOR"),
        knob=Knob("stretch", "Stretch ({unit})", 0.25, 4.0, 0.05, 1.0, "time"),
    )
    keep_s: float = ranged((0.0, LATEST_S), "s", default=0.0)

    kind = "stretch"
    order = 90
    figure = Figure("duration_factor", "duration", "times", part=0.01, signed=False)
    leaves_pitch = False
    timed = True
    moves = frozenset({"loudness", "brightness"})

    def ask(self, asked: dict[str, Any]) -> None:
        """Stretches multiply."""
        asked[self.figure.key] = asked.get(self.figure.key, 1.0) * self.factor

    def apply(self, latents: Latents, controls: Controls) -> Latents:
        before = latents.duration_samples
        after = round(before * self.factor)
        now = frame_starts(latents, after, kind=self.kind)
        kept = self.keep_s * latents.meta.sample_rate_hz
        if kept >= min(before, after):
            raise EditError(
                f"{self.kind}: keep_s={self.keep_s:g} must be shorter than the note, before and after: "
                f"{min(before, after) / latents.meta.sample_rate_hz:.3f} s."
            )
        at = np.where(now < kept, now, kept + (now - kept) * ((before - kept) / (after - kept)))
        return read_at(latents, at, duration_samples=after)


@dataclass(frozen=True)
class Freeze(Edit):
    """Hold the sound of the moment `at_s` from there on, for `hold_s` seconds (0: to where the note ended)."""

    at_s: float = ranged((0.0, LATEST_S), "s", knob=Knob("freeze_at_s", "At ({unit})", 0.0, KNOB_S, 0.01, 0.5, "time"))
    hold_s: float = ranged(
        (0.0, LATEST_S), "s", default=0.0, knob=Knob("freeze_hold_s", "For ({unit})", 0.0, 10.0, 0.1, 0.0, "time")
    )

    kind = "freeze"
    order = 100
    option = Option("freeze_s", "Hold this moment, to the end or for so long.", "AT[:HOLD]")
    untold = Untold("freeze", "freeze", "see the tracks")
    leaves_pitch = False
    timed = True
    moves = EVERYTHING

    def apply(self, latents: Latents, controls: Controls) -> Latents:
        rate = latents.meta.sample_rate_hz
        at = self.at_s * rate
        if at >= latents.duration_samples:
            raise EditError(
                f"{self.kind}: at_s={self.at_s:g} must lie within the note, before {latents.duration_s:.3f} s."
            )
        after = round(at + self.hold_s * rate) if self.hold_s > 0 else latents.duration_samples
        now = frame_starts(latents, after, kind=self.kind)
        return read_at(latents, np.minimum(now, at), duration_samples=after)


@dataclass(frozen=True)
class Reverse(Edit):
    """Play the note from its end to its beginning."""

    kind = "reverse"
    order = 80
    option = Option("reverse", "From its end to its beginning.", switch=True)
    untold = Untold("reversed", "reversed", "listen")
    leaves_pitch = False
    timed = True
    moves = frozenset({"loudness", "brightness"})

    def ask(self, asked: dict[str, Any]) -> None:
        """Twice is not at all."""
        asked["reversed"] = not asked.get("reversed", False)

    def apply(self, latents: Latents, controls: Controls) -> Latents:
        length = latents.duration_samples
        now = frame_starts(latents, length, kind=self.kind)
        return read_at(latents, length - now, duration_samples=length)


@dataclass(frozen=True)
class Trim(Edit):
    """Keep what lies between `start_s` and `end_s` (0: the end of the note)."""

    start_s: float = ranged(
        (0.0, LATEST_S), "s", default=0.0, knob=Knob("trim_start_s", "From ({unit})", 0.0, KNOB_S, 0.01, 0.0, "time")
    )
    end_s: float = ranged(
        (0.0, LATEST_S), "s", default=0.0, knob=Knob("trim_end_s", "To ({unit})", 0.0, KNOB_S, 0.01, 0.0, "time")
    )

    kind = "trim"
    order = 70
    option = Option("trim_s", "Keep this part: 0.5:2, 0.5: or :2.", "START:END")
    untold = Untold("trim", "trim", "see the duration")
    leaves_pitch = False
    timed = True
    moves = EVERYTHING

    def apply(self, latents: Latents, controls: Controls) -> Latents:
        rate, length = latents.meta.sample_rate_hz, latents.duration_samples
        start = round(self.start_s * rate)
        end = min(round(self.end_s * rate), length) if self.end_s > 0 else length
        if start >= end:
            raise EditError(
                f"{self.kind}: start_s={self.start_s:g} must lie before the end, {end / rate:.3f} s of "
                f"{length / rate:.3f}."
            )
        now = frame_starts(latents, end - start, kind=self.kind)
        trimmed = read_at(latents, start + now, duration_samples=end - start)
        return trimmed.replace(lead_in_samples=latents.meta.lead_in_samples + start)
