"""Where a note begins, holds and ends: what can be looped, and how fast it dies away.

Shapes: T samples.
"""

from __future__ import annotations

import numpy as np

from synth_explorer.measure import rms_envelope

WINDOW_MS, HOP_S = 50.0, 0.01
SUSTAIN_DB = 12.0  # under the loudest moment at most; a tremolo lies within
STEEPEST_DB_PER_S = 3.0  # what falls or rises faster is not held
SHORTEST_S = 0.4
SLOW_S = 1.2  # in which a note that dies away slowly is not `SUSTAIN_DB` softer
ATTACK_S, END_S = 0.1, 0.06  # of the held part that belong to the beginning and to the end
BEGIN_DB = 50.0  # under the peak: where a note is first heard
BEFORE_S = 0.002  # that stays before it
FALL_DB, HEARD_DB, SILENT_DB = 20.0, 40.0, 60.0
FASTEST_S, SLOWEST_S = 0.03, 8.0


def levels_db(audio: np.ndarray, *, sample_rate_hz: int) -> np.ndarray:
    """RMS level of 50 ms around every 10 ms of audio [T], dB."""
    envelope = rms_envelope(audio, sample_rate_hz=sample_rate_hz, window_ms=WINDOW_MS)
    return 20.0 * np.log10(envelope[:: round(HOP_S * sample_rate_hz)] + 1e-7)


def sustain(audio: np.ndarray, *, sample_rate_hz: int) -> tuple[int, int] | None:
    """First and last sample (exclusive) of the part of a note [T] that is held; None where it decays or is too short.

    The longest stretch within `SUSTAIN_DB` of the loudest moment, without its first `ATTACK_S` and last `END_S`, if a
    straight line through its level falls or rises by at most `STEEPEST_DB_PER_S`.
    """
    level = levels_db(audio, sample_rate_hz=sample_rate_hz)
    loud = np.flatnonzero(np.diff(np.r_[False, level >= level.max() - SUSTAIN_DB, False].astype(int)))
    first, last = max(zip(loud[::2], loud[1::2], strict=True), key=lambda run: run[1] - run[0])
    first, last = first + round(ATTACK_S / HOP_S), last - round(END_S / HOP_S)
    if (last - first) * HOP_S < SHORTEST_S:
        return None
    slope = np.polyfit(np.arange(last - first) * HOP_S, level[first:last], 1)[0]
    hop = round(HOP_S * sample_rate_hz)
    return (int(first * hop), int(last * hop)) if abs(slope) <= STEEPEST_DB_PER_S else None


def falling(audio: np.ndarray, *, sample_rate_hz: int, always: bool = False) -> tuple[int, int] | None:
    """First and last sample (exclusive) of the part of a note [T] that dies away slowly, from shortly after its loudest
    moment until it is `SUSTAIN_DB` softer; None where it is too short, or softer within `SLOW_S`.

    `always`: of a note that dies away fast too, at least `SHORTEST_S` of it, unless it is shorter.
    """
    level = levels_db(audio, sample_rate_hz=sample_rate_hz)
    top = int(np.argmax(level))
    first = min(top + round(ATTACK_S / HOP_S), level.size - 1)
    soft = np.flatnonzero(level[first:] < level[first] - SUSTAIN_DB)
    last = first + int(soft[0]) if soft.size else level.size - 1
    if not always and last - first < SLOW_S / HOP_S:
        return None
    last = min(max(last, first + round(SHORTEST_S / HOP_S)), level.size - 1)
    hop = round(HOP_S * sample_rate_hz)
    return (first * hop, last * hop) if (last - first) * HOP_S >= SHORTEST_S else None


def levelled(audio: np.ndarray, within: tuple[int, int], *, sample_rate_hz: int) -> np.ndarray:
    """A note [T] that neither rises nor falls from the first sample of a part on: turned by a straight line in dB,
    fitted to that part, so that its end is as loud as its beginning."""
    first, last = within
    level = levels_db(audio[first:last], sample_rate_hz=sample_rate_hz)
    slope_db_per_s = np.polyfit(np.arange(level.size) * HOP_S, level, 1)[0]
    after_s = np.clip(np.arange(audio.size) - first, 0, last - first) / sample_rate_hz
    return (audio * 10.0 ** (-slope_db_per_s * after_s / 20.0)).astype(np.float32)


def release_s(audio: np.ndarray, *, sample_rate_hz: int) -> float | None:
    """Time in which a note [T] dies away by 60 dB once it is let go; None where it ends before it has fallen.

    Three times the shortest time in which it falls by `FALL_DB`, from the loudest moment on and as long as it is within
    `HEARD_DB` of it: its end if it was damped, else its own decay.
    """
    level = levels_db(audio, sample_rate_hz=sample_rate_hz)
    top = int(np.argmax(level))
    takes = [
        int(np.argmax(level[at:] <= level[at] - FALL_DB))
        for at in range(top, level.size)
        if level[at] >= level[top] - HEARD_DB
    ]
    fastest = min((steps for steps in takes if steps), default=None)
    if fastest is None:
        return None
    return float(np.clip(SILENT_DB / FALL_DB * fastest * HOP_S, FASTEST_S, SLOWEST_S))


def begin(audio: np.ndarray, *, sample_rate_hz: int) -> int:
    """The sample shortly before a note [T] is first heard."""
    loud = np.abs(audio) >= np.abs(audio).max() * 10.0 ** (-BEGIN_DB / 20.0)
    return max(0, int(np.argmax(loud)) - round(BEFORE_S * sample_rate_hz))


def heard_until(audio: np.ndarray, *, under_db: float = 80.0) -> int:
    """The number of samples of a note [T] up to the last one within `under_db` of its peak."""
    return int(np.flatnonzero(np.abs(audio) >= np.abs(audio).max() * 10.0 ** (-under_db / 20.0))[-1]) + 1
