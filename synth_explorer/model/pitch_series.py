"""What is left of a sound's partials when those of one pitch are taken away: cues that tell a chord from a note.

Shapes: P frames of one sound, N samples of a frame, K peaks of its spectrum, B stiffnesses, S steps of a semitone.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from synth_explorer.pitch import midi_to_hz

_HEARD = 3  # frames whose mean spectrum is looked at
_RANGE_DB = 55.0  # peaks so far below the loudest count nothing
_PROMINENT_DB = (6.0, 18.0)  # above the median around: no peak, and all of one
_AROUND = 24  # bins on either side that make that median
_PEAKS = 64  # the loudest that are looked at
_HARMONICS = 16
_STIFFNESS = np.array([0.0, *np.geomspace(2e-5, 2e-3, 9)])
_REACH_CENTS, _REACH_BINS = 20.0, 1.2  # within which a peak is a harmonic
_SECOND = (-12, 36)  # semitones from the pitch told where a second series is sought
_STEPS = 3  # a semitone
_SECOND_HARMONICS = 8
_PARTS = 12  # of the way from one harmonic to the next


class Peaks(NamedTuple):
    """Peaks of a spectrum, each [K]: frequency in Hz, and how much they count, 0..1."""

    hz: np.ndarray
    weight: np.ndarray


def series_cues(frames: np.ndarray, *, midi: float, sample_rate_hz: int) -> np.ndarray:
    """Cues near 0..1 to whether frames [P, N] have partials of other pitches than `midi`."""
    peaks = _peaks(frames, sample_rate_hz)
    f0_hz, bin_hz = float(midi_to_hz(midi)), sample_rate_hz / frames.shape[1]
    number, own, stiffness = _harmonics(peaks, f0_hz, bin_hz)
    total = peaks.weight.sum() + 1e-9
    left = peaks.weight * (1.0 - own)
    low = number <= _HARMONICS
    levels = np.zeros(_HARMONICS + 1)
    np.maximum.at(levels, number[low], (peaks.weight * own)[low])
    second = _second(peaks.hz, left, f0_hz) / total
    first = (levels[1 : _SECOND_HARMONICS + 1] / np.sqrt(np.arange(1, _SECOND_HARMONICS + 1))).sum() / total
    best = int(np.argmax(second))
    part = (peaks.hz / f0_hz % 1.0 * _PARTS + 0.5).astype(int) % _PARTS
    between = [
        np.bincount(part[rows], peaks.weight[rows], minlength=_PARTS) / total
        for rows in (peaks.hz < 6.5 * f0_hz, (peaks.hz >= 6.5 * f0_hz) & (peaks.hz < 16.5 * f0_hz))
    ]
    said = [left.sum() / total, left[low].sum() / ((peaks.weight[low]).sum() + 1e-9), left.max(initial=0.0)]
    said += [(left > 0.2).sum() / 32.0, (peaks.weight > 0.2).sum() / 64.0, stiffness, second[best]]
    said += [second[best] / (first + second[best] + 1e-9), best / len(second)]
    return np.concatenate([said, levels[1:], second, *between]).astype(np.float32)


def _peaks(frames: np.ndarray, sample_rate_hz: int) -> Peaks:
    """The loudest peaks of the mean spectrum of a few frames."""
    chosen = frames[np.linspace(0, len(frames) - 1, _HEARD + 2).round().astype(int)[1:-1]]
    samples = frames.shape[1]
    power = (np.abs(np.fft.rfft(chosen * np.hanning(samples).astype(np.float32), axis=1)) ** 2).mean(axis=0)
    level_db = 10.0 * np.log10(power + 1e-20)
    level_db -= level_db.max()
    at = 2 + np.flatnonzero((level_db[2:-2] > level_db[1:-3]) & (level_db[2:-2] >= level_db[3:-1]))
    at = at[level_db[at] > -_RANGE_DB]
    at = at[np.argsort(-level_db[at])[:_PEAKS]]
    around = np.clip(at[:, None] + np.arange(-_AROUND, _AROUND + 1, 2), 0, len(level_db) - 1)
    above = level_db[at] - np.median(level_db[around], axis=1)
    prominent = np.clip((above - _PROMINENT_DB[0]) / (_PROMINENT_DB[1] - _PROMINENT_DB[0]), 0.0, 1.0)
    left, middle, right = level_db[at - 1], level_db[at], level_db[at + 1]
    shift = 0.5 * (left - right) / np.minimum(left - 2.0 * middle + right, -1e-9)
    return Peaks((at + np.clip(shift, -0.5, 0.5)) * sample_rate_hz / samples, prominent * (1.0 + middle / _RANGE_DB))


def _harmonics(peaks: Peaks, f0_hz: float, bin_hz: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Of each peak [K]: which harmonic it is nearest to, and how far it is that, 0..1; and the stiffness, 0..1, of the
    string that explains most (k f0 sqrt(1 + B k^2))."""
    number = np.arange(1, 65)
    at = f0_hz * number * np.sqrt(1.0 + _STIFFNESS[:, None] * number**2)  # [B, 64]
    nearest = np.stack([np.searchsorted(0.5 * (row[1:] + row[:-1]), peaks.hz) for row in at])  # [B, K]
    away_hz = np.abs(np.take_along_axis(at, nearest, axis=1) - peaks.hz)
    reach_hz = np.maximum(_REACH_BINS * bin_hz, peaks.hz * (2.0 ** (_REACH_CENTS / 1200.0) - 1.0))
    own = np.clip(2.0 - away_hz / np.minimum(reach_hz, 0.25 * f0_hz), 0.0, 1.0)
    best = int(np.argmax(own @ peaks.weight - 0.02 * np.arange(len(_STIFFNESS))))
    return 1 + nearest[best], own[best], best / len(_STIFFNESS)


def _second(hz: np.ndarray, left: np.ndarray, f0_hz: float) -> np.ndarray:
    """How strong a series of what is left [K] begins at each semitone of `_SECOND` above the pitch told: [S]."""
    low, high = (_STEPS * each for each in _SECOND)
    place = 12.0 * _STEPS * np.log2(np.maximum(hz, 1.0) / f0_hz) - low
    count = high - low + round(12 * _STEPS * np.log2(_SECOND_HARMONICS)) + 2
    inside = (place >= 0.0) & (place < count - 1)
    whole, part = place[inside].astype(int), place[inside] % 1.0
    grid = np.bincount(whole, left[inside] * (1.0 - part), minlength=count)
    grid += np.bincount(whole + 1, left[inside] * part, minlength=count)
    number = np.arange(1, _SECOND_HARMONICS + 1)
    reach = np.round(12 * _STEPS * np.log2(number)).astype(int)
    sums = (grid[np.arange(high - low)[:, None] + reach] / np.sqrt(number)).sum(axis=1)
    return sums.reshape(-1, _STEPS).max(axis=1)
