"""Mains hum before a note: what repeats with the mains is taken out, so that the note can be seen to begin.

Shapes: T samples, J moments.
"""

from __future__ import annotations

import numpy as np

MAINS_HZ = (50.0, 60.0)
TURNS = 4  # periods whose mean foretells the next
LONGEST_S = 1.0  # of what lies before the note, that is asked for hum
LEAST_S = 0.06
GONE_DB = 6.0  # by which what lies before must sink without its hum, and the note must not
_STRAYS = np.linspace(-0.004, 0.004, 9)  # of the mains' frequency
_STEP_S, _WINDOW_S = 0.004, 0.02
_NOTE_S = 0.2


def without_hum(audio: np.ndarray, *, body: int, least: float, sample_rate_hz: int) -> np.ndarray:
    """A sound [T] less the mean of its last periods of the mains, where that is what lies before its `body`.

    Until a period after its onset, a note is as it was. A sound without hum, and one that has its own partials where
    hum would lie, come back as they are, the same array.

    `body`: a sample by which the note has begun. `least`: RMS from which on hum matters.
    """
    turns = min(TURNS, int((body / sample_rate_hz - LEAST_S) * min(MAINS_HZ)) - 1)
    if turns < 1:
        return audio
    longest = round((turns + 1) * sample_rate_hz / min(MAINS_HZ))
    start = max(0, body - round(LONGEST_S * sample_rate_hz) - longest)
    before = audio[start:body]
    level = _levels(before, sample_rate_hz)
    asked = level > least
    asked[: round((longest / sample_rate_hz - _WINDOW_S) / _STEP_S)] = False  # the comb is still filling
    if asked.sum() * _STEP_S < LEAST_S:
        return audio
    periods = [sample_rate_hz / (hz * (1.0 + stray)) for hz in MAINS_HZ for stray in _STRAYS]
    left = [
        float(np.median((_levels(comb(before, period=p, turns=turns), sample_rate_hz) / level)[asked])) for p in periods
    ]
    best = int(np.argmin(left))
    if left[best] > 10 ** (-GONE_DB / 20):
        return audio
    heard = comb(audio, period=periods[best], turns=turns)
    note = slice(body + longest, body + longest + round(_NOTE_S * sample_rate_hz))
    if np.dot(heard[note], heard[note]) < 10 ** (-GONE_DB / 10) * np.dot(audio[note], audio[note]):
        return audio
    return heard


def comb(audio: np.ndarray, *, period: float, turns: int) -> np.ndarray:
    """A sound [T] less its mean 1 to `turns` periods (in samples, need not be whole) ago."""
    out = audio.copy()
    for turn in range(1, turns + 1):
        lag, part = divmod(turn * period, 1.0)
        lag = int(lag)
        out[lag:] -= (1.0 - part) / turns * audio[: audio.size - lag]
        out[lag + 1 :] -= part / turns * audio[: audio.size - lag - 1]
    return out


def _levels(audio: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """RMS [J] of the 20 ms that end at each step."""
    window, step = round(_WINDOW_S * sample_rate_hz), round(_STEP_S * sample_rate_hz)
    energy = np.concatenate([[0.0], np.cumsum(np.square(audio, dtype=np.float64))])
    ends = np.arange(window, energy.size, step)
    return np.sqrt(np.maximum(energy[ends] - energy[ends - window], 0.0) / window) + 1e-12
