"""How fast a note begins: its loudness rises as it is asked to, its time gives way where it must.

Shapes: F frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from synth_explorer.edits.base import Edit
from synth_explorer.edits.controls import Controls
from synth_explorer.edits.curves import HEARD_RANGE_DB, SILENCE_DB, onset_frame
from synth_explorer.edits.facts import Figure, Knob, Option, ranged
from synth_explorer.edits.timing import frame_starts, read_at
from synth_explorer.edits.waves import HELD_WINDOW_FRAMES
from synth_explorer.latents import Latents

RISE_PART = 0.8
"""Of a linear rise, the part from 10 to 90 %."""

TENTH_DB = -20.0
DEEPEST_DB = -200.0
"""A rise that is faster than frames tell comes from as far below."""

LOUD_DB, FALLEN_DB = 6.0, 2.0
"""A rise may end where a note comes within 6 dB of its loudest frame, and until it has fallen by 2 dB again."""

SETTLED_FRAMES = 8
"""So many frames after a rise the note is as loud as it was."""

ACCENT_FRAMES = 3
"""An accent is gone after so many frames."""

LONGEST_TABLE_FRAMES = 40.0
TABLE_SIZE = 200
POINTS = 32
"""Points to a frame at which the table looks."""

HELD_MOST_DB = 30.0
"""A decoder that holds the loudness of each frame corrects it by so much at most."""


@dataclass(frozen=True)
class Attack(Edit):
    """Let the note begin in `seconds`: the time from 10 to 90 % of its loudest amplitude.

    From where the note is first heard its amplitude rises linearly, to that of its loudest frame and `accent_db` more.
    The accent is gone after three frames, what was lacking after eight. A note that is loud (within 6 dB of its loudest
    frame, not 2 dB softer than before) where the rise ends keeps its pace. One that has fallen by then is held back:
    its beginning takes longer. One that is not loud yet is hurried: what lies before is played within the rise. The
    note becomes longer or shorter by as much, in whole frames; what follows stays as it is. Its pitch keeps its pace
    while the beginning is held back.

    Frames stand 32 ms apart in the default model, and the decoder is linear in dB between them: what they cannot tell
    of a short rise is made by how far it comes from below. The closed loop corrects both numbers until what is heard is
    what was asked.
    """

    seconds: float = ranged(
        (0.001, 60.0),
        "s",
        option=Option("attack_s", "Let it begin in this time (10 to 90 %).", "SECONDS"),
        knob=Knob("attack_s", "Attack ({unit})", 0.0, 2.0, 0.005, group="time"),
    )
    accent_db: float = ranged((0.0, 24.0), "dB", default=0.0)

    kind = "attack"
    order = 110
    figure = Figure("attack_s", "attack", "s", 0.005, part=0.1, aim=0.001, aim_part=0.03, signed=False)
    needs = "loudness"
    solved_apart = True
    timed = True
    moves = frozenset({"loudness", "brightness"})

    def ask(self, asked: dict[str, Any]) -> None:
        """The last one counts."""
        asked[self.figure.key] = self.seconds

    def apply(self, latents: Latents, controls: Controls) -> Latents:
        control, hop = controls.require_loudness(), latents.meta.hop
        own_db = latents.z[:, control.channel].astype(np.float64) / control.units_per_db
        rise, floor_db = _rise(self.seconds * latents.frame_rate_hz)
        end = max(1, onset_frame(latents, control) - 1 + int(np.ceil(rise)))
        goal = _loud_frame(own_db, end)
        duration_samples = latents.duration_samples + (end - goal) * hop
        frame = frame_starts(latents, duration_samples, kind=self.kind) / hop
        since = (frame - end) / rise + 1.0
        moved = read_at(latents, _read(frame, since, own_db, end, goal) * hop, duration_samples=duration_samples)

        risen_db = np.maximum(20.0 * np.log10(np.maximum(since, 1e-12)), floor_db)
        lacking_db = own_db.max() - own_db[goal]
        before_db = np.interp(frame, np.arange(own_db.size), own_db)
        rising_db = own_db[goal] + lacking_db + self.accent_db + risen_db
        falling_db = lacking_db * _falling(frame - end, SETTLED_FRAMES)
        falling_db = falling_db + self.accent_db * _falling(frame - end, ACCENT_FRAMES)
        z = moved.z.astype(np.float64)
        after = z[:, control.channel] + falling_db * control.units_per_db
        rising_db = np.where(since > 0.0, rising_db, np.minimum(rising_db, before_db))
        z[:, control.channel] = np.where(frame <= end, rising_db * control.units_per_db, after)
        return moved.replace(z=z, pitch_hz=_pitch(latents, moved, frame, since, own_db, end, goal))


def _falling(since_frames: np.ndarray, frames: int) -> np.ndarray:
    """1 until frame 0, 0 from `frames` on, straight between."""
    return np.clip(1.0 - since_frames / frames, 0.0, 1.0)


def _read(frame: np.ndarray, since: np.ndarray, own_db: np.ndarray, end: int, goal: int) -> np.ndarray:
    """Where in the old note each new frame is read, in frames: the rise ends at `end`, which was `goal`.

    Args:
        frame: numbers of the new frames [F].
        since: how much of the rise lies before each, 1 at its end [F].
        own_db: loudness of the old frames.
        end, goal: frames.
    """
    first = min(int(np.argmax(own_db >= own_db.max() + TENTH_DB)), goal)
    rising = frame if end == goal else first + (goal - first) * np.clip(since, 0.0, 1.0)
    return np.where(frame <= end, rising, frame - (end - goal))


def _loud_frame(own_db: np.ndarray, end: int) -> int:
    """The last frame up to `end` at which a note is loud and has not fallen, or else the first one after it."""
    before = own_db[: end + 1]
    if before.max() < own_db.max() - LOUD_DB:
        return int(np.argmax(own_db >= own_db.max() - LOUD_DB))
    return int(np.flatnonzero(before >= before.max() - FALLEN_DB)[-1])


def _pitch(
    latents: Latents, moved: Latents, frame: np.ndarray, since: np.ndarray, own_db: np.ndarray, end: int, goal: int
) -> np.ndarray:
    """The pitch of the new frames in Hz [F]: where the beginning is held back it keeps its pace until the rise ends,
    around the mean pitch of the note by amplitude."""
    if end <= goal:
        return moved.pitch_hz
    last = int(np.flatnonzero(own_db >= own_db.max() - HEARD_RANGE_DB)[-1])
    own, shifted = (np.log2(pitch_hz.astype(np.float64)) for pitch_hz in (latents.pitch_hz, moved.pitch_hz))
    paced = own[np.minimum(frame.astype(int), last)]
    mean = np.average(own, weights=10.0 ** ((own_db - own_db.max()) / 20.0))
    paced = paced + mean - np.average(paced, weights=np.clip(since, 0.0, 1.0) * (frame <= end))
    return np.exp2(shifted + (paced - shifted) * _falling(frame - end, SETTLED_FRAMES))


def _rise(asked_frames: float) -> tuple[float, float]:
    """A linear rise that is heard to take `asked_frames` from 10 to 90 % when frames tell it in dB.

    Returns its length in frames, 1 at least, and the dB from where it comes at most.
    """
    lengths, heard = _table()
    if asked_frames >= heard[-1]:
        return asked_frames / RISE_PART, SILENCE_DB
    if asked_frames <= heard[0]:
        return 1.0, max(SILENCE_DB * heard[0] / asked_frames, DEEPEST_DB)
    return float(np.interp(asked_frames, heard, lengths)), SILENCE_DB


@lru_cache(maxsize=1)
def _table() -> tuple[np.ndarray, np.ndarray]:
    """Lengths of linear rises in frames, and what is heard of each from 10 to 90 %, rising [N] each."""
    lengths = np.geomspace(1.0, LONGEST_TABLE_FRAMES, TABLE_SIZE)
    return lengths, np.maximum.accumulate([_heard_frames(length) for length in lengths])


def _heard_frames(rise: float) -> float:
    """Frames from 10 to 90 % of a linear rise that ends on a frame, as a decoder makes it that holds the loudness of
    each frame: linear in dB between frames, then corrected, linearly again, by what a squared Hann window of two frames
    reads of it (see `waves.held`)."""
    end = int(np.ceil(rise)) + 3
    level_db = 20.0 * np.log10(np.clip(1.0 + (np.arange(end + 6) - end) / rise, 10.0 ** (SILENCE_DB / 20.0), 1.0))
    points = np.arange((level_db.size - 1) * POINTS + 1) / POINTS
    wanted_db = np.interp(points, np.arange(level_db.size), level_db)
    half = int(HELD_WINDOW_FRAMES * POINTS) // 2
    weight = np.cos(np.pi * np.arange(-half, half + 1) / (2 * half)) ** 4
    power = np.pad(10.0 ** (wanted_db / 10.0), half, mode="edge")
    read = np.convolve(power, weight / weight.sum(), mode="valid")[::POINTS]
    correction_db = np.clip(level_db - 10.0 * np.log10(read), -HELD_MOST_DB, HELD_MOST_DB)
    made = 10.0 ** ((wanted_db + np.interp(points, np.arange(level_db.size), correction_db)) / 20.0)
    tenth, nine_tenths = (_crossing(made, part * made.max()) for part in (0.1, 0.9))
    return (nine_tenths - tenth) / POINTS


def _crossing(values: np.ndarray, goal: float) -> float:
    """Where values first reach a goal, linear between them."""
    at = max(int(np.argmax(values >= goal)), 1)
    return at - 1 + float((goal - values[at - 1]) / (values[at] - values[at - 1]))
