"""A pitch that moves: glides, bends, vibrato of any width, melodies.

Shapes: T samples, J steps of a quarter of a frame, F frames, P pitches of the grid, L lags, W window.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import fft
from scipy.ndimage import map_coordinates

from synth_explorer import pitch

LOW_MIDI, HIGH_MIDI = 17.5, 111.5
STEP_CENTS = 25.0
STEPS = 4  # of the path in a frame
WINDOWS_S = (0.256, 0.128, 0.064, 0.032, 0.016)
PERIODS = (4.0, 18.0)  # of a pitch in a window that listens for it
FINER = (1, 1, 2, 2, 4)
COMPRESSION = 0.6
VOICED = 0.45
OCTAVE_COST = 0.03
MOVE_COST = 0.35  # an octave
JUMP_COST = 1.2


class Path(NamedTuple):
    midi: np.ndarray  # [J]
    clarity: np.ndarray  # [J]
    loud: np.ndarray  # [J]


def grid_midi() -> np.ndarray:
    return np.arange(LOW_MIDI, HIGH_MIDI, STEP_CENTS / 100.0)


def salience(audio: np.ndarray, *, sample_rate_hz: int, step: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """[J, P] and loud [J]."""
    hz = np.asarray(pitch.midi_to_hz(grid_midi()))
    found = np.full((count, len(hz)), -1.0, np.float32)
    for seconds, finer in zip(WINDOWS_S, FINER, strict=True):
        window = 2 ** round(np.log2(seconds * sample_rate_hz))
        seconds = window / sample_rate_hz
        high = len(hz) if seconds == WINDOWS_S[-1] else np.searchsorted(hz, PERIODS[1] / seconds)
        low = 0 if seconds == WINDOWS_S[0] else np.searchsorted(hz, PERIODS[0] / seconds)
        skip = 2 if seconds > 0.1 else 1
        framed = pitch._frame(audio, window=window, hop=step * skip, frames=-(-count // skip))
        if seconds == WINDOWS_S[2]:
            level = np.sqrt(np.mean(framed**2, axis=1))
        new = correlation(framed, sample_rate_hz / hz[low:high], finer=finer)
        if skip > 1:
            new = np.repeat(new, skip, axis=0)[:count]
        found[:, low:high] = np.maximum(found[:, low:high], new)
    loud = np.clip(1.0 + (20 * np.log10(level / (level.max() + 1e-12) + 1e-9) + 30.0) / 10.0, 0.0, 1.0)
    return found, loud


def correlation(framed: np.ndarray, periods: np.ndarray, *, finer: int) -> np.ndarray:
    """Generalised autocorrelation of frames [J, W] at periods in samples [P] -> [J, P]."""
    window = framed.shape[1]
    hann = np.hanning(window + 1)[:-1].astype(np.float32)
    spectrum = fft.rfft(framed * hann, 2 * window, axis=1)
    power = (spectrum.real**2 + spectrum.imag**2) ** np.float32(COMPRESSION)
    longest = int(finer * periods[0] * 1.01) + 4
    wave = fft.irfft(power, 2 * window * finer, axis=1)[:, :longest]
    own = fft.irfft(np.abs(fft.rfft(hann, 2 * window)) ** 2, 2 * window * finer)[:longest]
    wave = wave / (wave[:, :1] + 1e-20) / (own / own[0])
    found = np.full((len(wave), len(periods)), -1.0, np.float32)
    for away in (-1 / 3, 0.0, 1 / 3):
        at = finer * periods * 2.0 ** (away * STEP_CENTS / 1200.0)
        below = at.astype(int)
        part = (at - below).astype(np.float32)
        found = np.maximum(found, wave[:, below] * (1 - part) + wave[:, below + 1] * part)
    return found


def peaked(found: np.ndarray) -> np.ndarray:
    """[J, P] 0..1: near a peak of the salience that stands out from what lies above it."""
    padded = np.pad(found, ((0, 0), (1, 1)), constant_values=2.0)
    top = (found >= padded[:, :-2]) & (found >= padded[:, 2:])
    wide = np.pad(top, ((0, 0), (1, 1)))
    near = top | wide[:, :-2] | wide[:, 2:]
    least = np.minimum.accumulate(found[:, ::-1], axis=1)[:, ::-1]
    return near * np.clip((found - least) / 0.3, 0.0, 1.0)


def best_path(score: np.ndarray) -> np.ndarray:
    """Viterbi [J, P] -> [J] indices."""
    slope = MOVE_COST * STEP_CENTS / 1200.0
    ramp = slope * np.arange(score.shape[1], dtype=np.float64)
    total = np.zeros(score.shape, np.float64)
    total[0] = score[0]
    for j in range(1, len(score)):
        before = total[j - 1]
        up = np.maximum.accumulate(before + ramp) - ramp
        down = np.maximum.accumulate((before - ramp)[::-1])[::-1] + ramp
        total[j] = np.maximum(np.maximum(up, down), before.max() - JUMP_COST) + score[j]
    path = np.zeros(len(score), int)
    path[-1] = np.argmax(total[-1])
    for j in range(len(score) - 2, -1, -1):
        cost = np.minimum(np.abs(ramp - ramp[path[j + 1]]), JUMP_COST)
        path[j] = np.argmax(total[j] - cost)
    return path


def coarse(audio: np.ndarray, *, sample_rate_hz: int, step: int, count: int) -> Path:
    found, loud = salience(audio, sample_rate_hz=sample_rate_hz, step=step, count=count)
    grid = grid_midi()
    low = (grid[-1] - grid) / 12.0
    score = loud[:, None] * np.maximum(found - OCTAVE_COST * low - VOICED, 0.0) * peaked(found)
    path = best_path(score)
    rows = np.arange(count)
    clarity = found[rows, path]
    inner = np.clip(path, 1, len(grid) - 2)
    left, centre, right = (score[rows, inner + k] for k in (-1, 0, 1))
    curve = left - 2 * centre + right
    bend = np.where((curve < -1e-6) & (centre >= left) & (centre >= right), 0.5 * (left - right) / np.minimum(curve, -1e-6), 0.0)
    return Path(grid[path] + np.clip(bend, -0.5, 0.5) * STEP_CENTS / 100.0, clarity, loud)


def bridged(path: Path) -> np.ndarray:
    """[J] midi where unvoiced frames hold their neighbour."""
    voiced = (path.clarity > 0.5) & (path.loud > 0.15)
    known = np.flatnonzero(voiced)
    if len(known) == 0:
        return path.midi
    midi = path.midi.copy()
    midi[: known[0]] = midi[known[0]]
    midi[known[-1] :] = midi[known[-1]]
    for a, b in zip(known[:-1], known[1:]):
        if b - a > 1:
            cut = a + 1 + int(np.argmin(path.loud[a + 1 : b]))
            midi[a + 1 : cut] = midi[a]
            midi[cut:b] = midi[b]
    return midi


def straightened(audio: np.ndarray, midi: np.ndarray, *, step: int, middle: float) -> tuple[np.ndarray, np.ndarray]:
    """Sound whose path [J] lies at `middle`, and the places [J] of the steps in it."""
    ratio = 2.0 ** ((np.interp(np.arange(len(audio)) / step, np.arange(len(midi)), midi) - middle) / 12.0)
    place = np.concatenate([[0.0], np.cumsum(ratio)[:-1]])
    at = np.interp(np.arange(int(place[-1]) + 1), place, np.arange(len(audio)))
    warped = map_coordinates(audio, at[None], order=3, mode="constant", prefilter=True)
    ends = np.interp(np.arange(len(midi)) * step, np.arange(len(audio)), place)
    return warped.astype(np.float32), np.round(ends).astype(int)


def follow(audio: np.ndarray, *, sample_rate_hz: int, hop: int, frames: int, rounds: int = 2):
    step = hop // STEPS
    count = (frames - 1) * STEPS + 1
    path = coarse(audio, sample_rate_hz=sample_rate_hz, step=step, count=count)
    midi = bridged(path)
    middle = float(np.average(midi, weights=path.loud + 1e-9))
    for _ in range(rounds):
        warped, centres = straightened(audio, midi, step=step, middle=middle)
        refined = pitch.refine(warped, midi=middle, sample_rate_hz=sample_rate_hz, hop=step, centres=centres)
        midi = midi + (refined.midi - middle) + refined.cents / 100.0
    return midi[::STEPS], path, refined
