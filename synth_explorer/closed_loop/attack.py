"""The attack, solved: its rise is corrected until the time from 10 to 90 % that is heard is the one that was asked.

Shapes: T samples.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from synth_explorer import measure
from synth_explorer.edits import Attack

MOST_TRIALS = 5
WINDOWS_MS = (5.0, 10.0)
"""The time is heard in RMS windows of both lengths, the first that of the measure: what only one says is chance."""

BROAD_AIM, SMALLEST_BROAD_AIM_S = 0.1, 0.004
"""How near the loop tries to come by the second, in parts of what is asked and in seconds; else see `Attack.figure`."""

RISEN = 0.95
"""The end of a rise must reach this part of the loudest amplitude, so that 90 % of it are reached there and not later
by chance."""

ACCENT_GAIN = 2.0
"""Of what the end of a rise lacks, so much is added: an accent raises what comes soon after it, too."""

MOST_ACCENT_DB = 6.0
GOES_ON, LOOKED_ON = 1.12, 0.3
"""A rise that is longer than it should be goes on: it gains so much in so much more of its time."""

AFTER_S = 0.05
"""The end of a rise is sought so long after where a linear one would end: the decoder rounds it by frames."""

WIDEST = 4.0
"""The rise that is applied is at most so many times as long or as short as the one that is asked for."""

INNER = (0.2, 0.8)
"""Of the way between two trials, the part in which the next one lies."""


@dataclass(frozen=True)
class Trial:
    """An attack as it was applied, and what was heard of it."""

    edit: Attack  # that was applied
    heard_s: float  # seconds from 10 to 90 % of the loudest amplitude, by `measure.attack_time_ms`; NaN for silence
    broad_s: float  # the same in longer windows
    short_db: float  # how far the end of its rise lies under the loudest amplitude, >= 0; 0 where it goes on rising

    def miss(self, asked_s: float) -> float:
        """How far what was heard lies from what was asked, as a ratio, >= 0; that of the longer windows counts half."""
        heard, broad = (abs(float(np.log(max(value, 1e-6) / asked_s))) for value in (self.heard_s, self.broad_s))
        return max(heard, broad / 2)

    def meets(self, asked_s: float) -> bool:
        """Whether the loop may stop."""
        close = abs(self.heard_s - asked_s) <= Attack.figure.near(asked_s)
        return close and abs(self.broad_s - asked_s) <= max(BROAD_AIM * asked_s, SMALLEST_BROAD_AIM_S)


def listen(edit: Attack, audio: np.ndarray, *, sample_rate_hz: int) -> Trial:
    """What is heard of an attack in a sound [T], by `measure.rms_envelope`."""
    if not audio.any():
        return Trial(edit, float("nan"), float("nan"), 0.0)
    times_s, short_db = [], 0.0
    for window_ms in WINDOWS_MS:
        envelope = measure.rms_envelope(audio, sample_rate_hz=sample_rate_hz, window_ms=window_ms)
        tenth, nine_tenths = (int(np.argmax(envelope >= part * envelope.max())) for part in (0.1, 0.9))
        times_s.append((nine_tenths - tenth) / sample_rate_hz)
        short_db = max(short_db, _short_db(envelope, tenth, edit.seconds * sample_rate_hz, AFTER_S * sample_rate_hz))
    heard_s, broad_s = times_s
    return Trial(edit, heard_s, broad_s, short_db)


def _short_db(envelope: np.ndarray, tenth: int, rise: float, after: float) -> float:
    """How far an envelope lies under its maximum where a linear rise ends, 0 where it goes on rising.

    Args:
        envelope: [T].
        tenth: the sample at which it reaches 10 %.
        rise: samples from there to 90 %, as they should be.
        after: so many more samples belong to the rise.
    """
    ends = [tenth + int(rise * (9 / 8 + more) + after) + 1 for more in (0.0, LOOKED_ON)]
    reached, later = (float(envelope[:end].max()) for end in ends)
    return 0.0 if later > GOES_ON * reached else -20.0 * float(np.log10(reached / envelope.max()))


def solve(asked: Attack, render: Callable[[Attack], np.ndarray], *, sample_rate_hz: int) -> Trial:
    """Seek the attack that is heard as `asked`.

    A rise whose end does not stand out is raised there first (`Attack.accent_db`); then its time is corrected, along
    the proportion of what was asked to what was heard, or between two trials, one too fast and one too slow.

    `render`: makes the sound [T] of a note with an attack. Returns the trial that came nearest.
    """
    edit, tried = asked, []
    best: Trial | None = None
    for _ in range(MOST_TRIALS):
        trial = listen(edit, render(edit), sample_rate_hz=sample_rate_hz)
        if np.isnan(trial.heard_s):
            return trial
        if best is None or trial.miss(asked.seconds) < best.miss(asked.seconds):
            best = trial
        if trial.meets(asked.seconds):
            break
        late = max(trial.heard_s, trial.broad_s) > asked.seconds
        if late and trial.short_db > -20.0 * np.log10(RISEN) and edit.accent_db < MOST_ACCENT_DB:
            edit, tried = _accented(edit, ACCENT_GAIN * trial.short_db), []
        else:
            tried.append(trial)
            edit = _timed(edit, np.clip(_next_s(asked.seconds, tried), asked.seconds / WIDEST, asked.seconds * WIDEST))
    assert best is not None
    return best


def _accented(edit: Attack, more_db: float) -> Attack:
    return Attack(edit.seconds, min(edit.accent_db + more_db, MOST_ACCENT_DB))


def _timed(edit: Attack, seconds: float) -> Attack:
    return Attack(float(np.clip(seconds, *Attack.numbers()["seconds"].range)), edit.accent_db)


def _next_s(asked_s: float, tried: Sequence[Trial]) -> float:
    """The time to try after these trials."""
    below = [trial for trial in tried if trial.heard_s < asked_s]
    above = [trial for trial in tried if trial.heard_s >= asked_s]
    low = max(below, key=lambda trial: trial.edit.seconds, default=None)
    high = min(above, key=lambda trial: trial.edit.seconds, default=None)
    if low is None or high is None or low.edit.seconds >= high.edit.seconds:
        last = tried[-1]
        return last.edit.seconds * asked_s / max(last.heard_s, 1e-3)
    way = np.log(asked_s / max(low.heard_s, 1e-3)) / np.log(high.heard_s / max(low.heard_s, 1e-3))
    way = float(np.clip(way, *INNER))
    return float(low.edit.seconds * (high.edit.seconds / low.edit.seconds) ** way)
