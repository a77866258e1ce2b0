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
AIM = 0.03
"""How near the loop tries to come, a proportion of what is asked."""

SMALLEST_AIM_S = 0.001

RISEN = 0.93
"""The end of a rise must reach this part of the loudest amplitude, so that 90 % of it are reached there and not later
by chance."""

RAISED_TO = 0.97
SILENT = 1e-9
AFTER_S = 0.05
"""The end of a rise is sought so long after where a linear one would end: the decoder rounds it by frames."""

WIDEST = 4.0
"""The rise that is applied is at most so many times as long or as short as the one that is asked for."""

INNER = (0.2, 0.8)
"""Of the way between two trials, the part in which the next one lies."""


@dataclass(frozen=True)
class Trial:
    """An attack as it was applied, and what was heard of it.

    Attributes:
        edit: that was applied.
        heard_s: seconds from 10 to 90 % of the loudest amplitude; NaN for silence.
        short_db: how far the end of its rise lies under the loudest amplitude, >= 0.
    """

    edit: Attack
    heard_s: float
    short_db: float


def listen(edit: Attack, audio: np.ndarray, *, sample_rate_hz: int) -> Trial:
    """What is heard of an attack in a sound [T], by `measure.rms_envelope`."""
    envelope = measure.rms_envelope(audio, sample_rate_hz=sample_rate_hz)
    loudest = envelope.max()
    if loudest <= SILENT:
        return Trial(edit, float("nan"), 0.0)
    tenth, nine_tenths = (int(np.argmax(envelope >= part * loudest)) for part in (0.1, 0.9))
    end = tenth + int((edit.seconds * 9 / 8 + AFTER_S) * sample_rate_hz) + 1
    short_db = -20.0 * np.log10(max(envelope[:end].max() / loudest, 1e-6))
    return Trial(edit, (nine_tenths - tenth) / sample_rate_hz, float(short_db))


def solve(asked: Attack, render: Callable[[Attack], np.ndarray], *, sample_rate_hz: int) -> Trial:
    """Seek the attack that is heard as `asked`.

    A rise whose end does not stand out is raised there first (`Attack.accent_db`); then its time is corrected, along
    the proportion of what was asked to what was heard, or between two trials, one too fast and one too slow.

    Args:
        asked: what should be heard.
        render: makes the sound [T] of a note with an attack.
        sample_rate_hz: of the sounds.

    Returns:
        The trial that came nearest.
    """
    edit, tried = asked, []
    best: Trial | None = None
    for _ in range(MOST_TRIALS):
        trial = listen(edit, render(edit), sample_rate_hz=sample_rate_hz)
        if np.isnan(trial.heard_s):
            return trial
        if best is None or _miss(trial, asked) < _miss(best, asked):
            best = trial
        if abs(trial.heard_s - asked.seconds) <= max(AIM * asked.seconds, SMALLEST_AIM_S):
            break
        if trial.short_db > -20.0 * np.log10(RISEN) and trial.heard_s > asked.seconds:
            more_db = trial.short_db + 20.0 * float(np.log10(RAISED_TO))
            edit, tried = _accented(edit, more_db), []
        else:
            tried.append(trial)
            edit = _timed(edit, np.clip(_next_s(asked.seconds, tried), asked.seconds / WIDEST, asked.seconds * WIDEST))
    return best


def _miss(trial: Trial, asked: Attack) -> float:
    """How far what was heard lies from what was asked, as a ratio, >= 0."""
    return abs(float(np.log(max(trial.heard_s, 1e-6) / asked.seconds)))


def _accented(edit: Attack, more_db: float) -> Attack:
    return Attack(edit.seconds, float(min(edit.accent_db + more_db, Attack.LIMITS["accent_db"][1])))


def _timed(edit: Attack, seconds: float) -> Attack:
    return Attack(float(np.clip(seconds, *Attack.LIMITS["seconds"])), edit.accent_db)


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
