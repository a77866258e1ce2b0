"""The pitch of a note that moves: a path over the whole range, through glides, bends, wide vibrato and melodies.

Three steps. A coarse path: a generalised autocorrelation of short windows (its power spectrum compressed, Tolonen and
Karjalainen, 2000) over a grid of pitches, and the best way through it (Viterbi; the costs of moving are Praat's in
kind, Boersma, 1993). Then the sound is straightened: time is stretched along the path until its pitch stands still,
and `pitch.refine` hears what is left, to cents, in windows that a glide no longer smears.

A note that stands still keeps the track of `pitch.track`: see `pitch_unrest`, which tells them apart.

Shapes: T samples, J steps (`STEPS` a frame), F frames, P pitches of the grid, W window.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import fft

from synth_explorer import pitch
from synth_explorer.pitch_unrest import suspicious, unrest
from synth_explorer.runtime import Helpers

LOW_MIDI, HIGH_MIDI, STEP_CENTS = 17.5, 111.5, 25.0
STEPS = 4
WINDOWS_S = (0.256, 0.128, 0.064, 0.032, 0.016)
LEVEL_S = 0.064  # of the windows in which loudness is heard
FINER = (1, 1, 2, 2, 4)  # points of the autocorrelation a sample, for each window
PERIODS = (4.0, 18.0)  # of the pitches that a window listens for
COMPRESSION = 0.6  # of the power spectrum
LEAST = 0.05  # correlation of the highest pitch that counts as periodic
OCTAVE_COST = 0.06  # by which a pitch an octave lower must correlate better
FAR_COST, NEAR_OCTAVES = 0.1, 1.5  # of an octave further from the note's main pitch than this
MOVE_COST, JUMP_COST = 0.35, 1.2  # in steps of a full correlation: of an octave, and the most
HEARD = 0.3, 0.15  # correlation and loudness (`loud`) that let the path be heard there
QUIET_DB, FADE_DB = 20.0, 10.0  # down to which level the path listens fully, and how fast it stops
ROUNDS = 2  # of straightening and refining
SHIFTS = (-12, 12, -24, 24, -19, 19)  # semitones, between pitches that are taken for each other
LEAST_CENTS = 45.0  # from the steady track, in so many frames, to be another
LEAST_FRAMES = 2
_POOL = Helpers(1, thread_name_prefix="salience")  # nothing that runs in it waits for it


class Path(NamedTuple):
    """A coarse path [J]: MIDI pitch, the correlation there, and how loud it is (0..1)."""

    midi: np.ndarray
    clarity: np.ndarray
    loud: np.ndarray


def track(
    audio: np.ndarray, *, midi: float, sample_rate_hz: int, hop: int, frames: int | None = None, stated: bool = False
) -> np.ndarray:
    """Track f0 of a note, steady or moving.

    Arguments as of `listen`. Returns pitch_hz [F] float32: `pitch.track` wherever that explains the sound, or nothing
    else does.
    """
    heard = listen(audio, midi=midi, sample_rate_hz=sample_rate_hz, hop=hop, frames=frames, stated=stated)
    return np.asarray(pitch.midi_to_hz(heard.midi), dtype=np.float32)


class Tracked(NamedTuple):
    """MIDI pitch [F], whether it is heard in each frame [F], and whether the note moves further than a steady one."""

    midi: np.ndarray
    voiced: np.ndarray
    moves: bool


def listen(
    audio: np.ndarray,
    *,
    midi: float,
    sample_rate_hz: int,
    hop: int,
    frames: int | None = None,
    stated: bool = False,
    sure: bool = True,
) -> Tracked:
    """Track f0 of a note, steady or moving, and tell where it is heard.

    audio: [T] float, mono. midi: the note's main pitch; `stated` if a person said so: where the path stands still, its
    octave follows it. Where it is not `sure`, the path may lie anywhere. hop: samples between frames; frame n is the
    pitch at sample n * hop. frames: default ceil(T / hop).
    """
    audio = np.nan_to_num(np.asarray(audio, dtype=np.float32).reshape(-1))
    frames = max(1, -(-len(audio) // hop)) if frames is None else frames
    steady = pitch.refine(audio, midi=midi, sample_rate_hz=sample_rate_hz, hop=hop, frames=frames)
    if suspicious(steady) and hop >= STEPS:
        sizes = {"sample_rate_hz": sample_rate_hz, "hop": hop, "frames": frames}
        moving = follow(audio, midi=midi, stated=stated, sure=sure, **sizes)
        if _is_better(moving, steady):
            return Tracked(moving.midi, (moving.straight.heard > 0.5) & (moving.loud > 0.0), True)
    return Tracked(steady.midi + steady.cents / 100.0, steady.heard > 0.5, False)


class Followed(NamedTuple):
    """A path to cents [F], how loud the frames are (0..1), and how the straightened sound was heard, a row a frame."""

    midi: np.ndarray
    loud: np.ndarray
    straight: pitch.Refined


def follow(
    audio: np.ndarray,
    *,
    midi: float,
    sample_rate_hz: int,
    hop: int,
    frames: int,
    stated: bool = False,
    sure: bool = True,
) -> Followed:
    """The path of a sound [T], whether it moves or not; see `track`."""
    step, count = hop // STEPS, (frames - 1) * STEPS + 1
    near = midi if sure else None
    path = coarse_path(audio, midi=near, sample_rate_hz=sample_rate_hz, step=step, count=count)
    along = bridged(path)
    along = along + (_octaves_to(midi, along, path.loud) if stated else 0.0)
    middle = float(np.average(along, weights=path.loud + 1e-9))

    def refined(along: np.ndarray, every: int) -> tuple[np.ndarray, pitch.Refined]:
        """The path nearer to the sound, at one of so many steps, and how the straightened sound was heard."""
        warped, places = straightened(audio, along, step=step, middle=middle)
        straight = pitch.refine(warped, midi=middle, sample_rate_hz=sample_rate_hz, hop=step, centres=places[::every])
        return along[::every] + (straight.midi - middle) + straight.cents / 100.0, straight

    for _ in range(ROUNDS - 1):
        along, _ = refined(along, 1)
    along, straight = refined(along, STEPS)
    return Followed(along, path.loud[::STEPS], straight)


def coarse_path(audio: np.ndarray, *, midi: float | None, sample_rate_hz: int, step: int, count: int) -> Path:
    """The best way through the salience of a sound [T], at `count` multiples of `step`, near `midi` if given."""
    found, loud = salience(audio, sample_rate_hz=sample_rate_hz, step=step, count=count)
    grid = grid_midi()
    far = 0.0 if midi is None else np.maximum(np.abs(grid - midi) / 12.0 - NEAR_OCTAVES, 0.0)
    threshold = LEAST + OCTAVE_COST * (grid[-1] - grid) / 12.0 + FAR_COST * far
    score = loud[:, None] * np.maximum(found - threshold.astype(np.float32), 0.0) * _peaked(found)
    way = best_way(score)
    rows, inner = np.arange(count), np.clip(way, 1, len(grid) - 2)
    left, centre, right = (score[rows, inner + away] for away in (-1, 0, 1))
    curve = np.minimum(left - 2.0 * centre + right, -1e-6)
    bend = np.where((centre >= left) & (centre >= right), 0.5 * (left - right) / curve, 0.0)
    return Path(grid[way] + np.clip(bend, -0.5, 0.5) * STEP_CENTS / 100.0, found[rows, way], loud)


@lru_cache(maxsize=1)
def grid_midi() -> np.ndarray:
    """[P] MIDI numbers."""
    return np.arange(LOW_MIDI, HIGH_MIDI, STEP_CENTS / 100.0)


def salience(audio: np.ndarray, *, sample_rate_hz: int, step: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """How periodic a sound [T] is at each step and pitch, [J, P] up to 1, and how loud, [J] 0..1.

    Windows of several lengths listen, each for the pitches of which it holds 4 to 18 periods; the best counts: long
    ones where the pitch stands, short ones where it moves.
    """
    hz = np.asarray(pitch.midi_to_hz(grid_midi()))

    def listened(seconds: float, finer: int) -> tuple[slice, np.ndarray]:
        """The pitches that windows of a length listen for, and how periodic the sound is at them, a row a step."""
        window = 2 ** round(np.log2(seconds * sample_rate_hz))
        low = 0 if seconds == WINDOWS_S[0] else int(np.searchsorted(hz, PERIODS[0] * sample_rate_hz / window))
        high = int(np.searchsorted(hz, PERIODS[1] * sample_rate_hz / window))
        high = len(hz) if seconds == WINDOWS_S[-1] else high
        skip = 2 if seconds > 0.1 else 1  # long windows need not be listened to as often
        windows = pitch.framed(audio, window=window, hop=step * skip, frames=-(-count // skip))
        heard = np.repeat(correlation(windows, sample_rate_hz / hz[low:high], finer=finer), skip, axis=0)
        return slice(low, high), heard[:count]

    longest, *others = zip(WINDOWS_S, FINER, strict=True)
    beside = _POOL.submit(listened, *longest)  # two fifths of the work
    heard = [listened(*one) for one in others]
    found = np.full((count, len(hz)), -1.0, np.float32)
    for pitches, periodic in (beside.result(), *heard):
        found[:, pitches] = np.maximum(found[:, pitches], periodic)
    windows = pitch.framed(audio, window=2 ** round(np.log2(LEVEL_S * sample_rate_hz)), hop=step, frames=count)
    level = np.sqrt(np.mean(windows * windows, axis=1))
    under_db = 20.0 * np.log10(level / max(float(level.max()), 1e-12) + 1e-9)
    return found, np.clip(1.0 + (under_db + QUIET_DB) / FADE_DB, 0.0, 1.0)


def correlation(windows: np.ndarray, periods: np.ndarray, *, finer: int) -> np.ndarray:
    """Generalised autocorrelation of windows [J, W] at periods in samples, falling [P]: [J, P], 1 at most.

    That of a Hann window is divided by the window's own. Each pitch has the best of three points within its step.
    """
    size = windows.shape[1]
    hann, own = _hann(size, finer)
    spectrum: NDArray[np.complex64] = fft.rfft(windows * hann, _padded(size), axis=1)
    with np.errstate(divide="ignore"):  # of silence, which stays silence
        power = np.exp(np.float32(COMPRESSION) * np.log(spectrum.real**2 + spectrum.imag**2))  # faster than a power
    wave = fft.irfft(power, _padded(size) * finer, axis=1)
    return _read(wave, own, finer * periods * 2.0 ** (np.array([[-1], [0], [1]]) / 3.0 * STEP_CENTS / 1200.0))


@njit(nogil=True, cache=True)
def _read(wave, own, places):
    """The highest of the places [A, P] between samples of each correlation [J, W], divided by its first and by `own`
    [W]: float32 [J, P], -1 at least."""
    below = places.astype(np.int64)
    part = (places - below).astype(np.float32)
    best = np.full((len(wave), places.shape[1]), np.float32(-1.0), np.float32)
    for j in range(len(wave)):
        whole = wave[j, 0] + np.float32(1e-20)
        for a in range(len(places)):
            for p in range(places.shape[1]):
                at, after = below[a, p], part[a, p]
                left, right = wave[j, at] / whole / own[at], wave[j, at + 1] / whole / own[at + 1]
                best[j, p] = max(best[j, p], left * (np.float32(1.0) - after) + right * after)
    return best


def _padded(size: int) -> int:
    """Samples of a transform that correlates a window [W] up to a quarter of it, the longest period that it serves."""
    return size + size // 4


@lru_cache(maxsize=16)
def _hann(size: int, finer: int) -> tuple[np.ndarray, np.ndarray]:
    """A periodic Hann window [W], and its autocorrelation `finer` times as fine, 1 at first."""
    hann = (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / size)).astype(np.float32)
    own = fft.irfft(np.abs(fft.rfft(hann, _padded(size))) ** 2, _padded(size) * finer)
    return hann, (own / own[0]).astype(np.float32)


def _peaked(found: np.ndarray) -> np.ndarray:
    """[J, P] 0..1: is this, or its neighbour, a peak, and does it stand out from all that lies above it?

    Without this the short lags of a dark sound, where everything correlates, would be high pitches.
    """
    padded = np.pad(found, ((0, 0), (1, 1)), constant_values=2.0)
    tops = np.pad((found >= padded[:, :-2]) & (found >= padded[:, 2:]), ((0, 0), (1, 1)))
    near = tops[:, :-2] | tops[:, 1:-1] | tops[:, 2:]
    least = np.minimum.accumulate(found[:, ::-1], axis=1)[:, ::-1]
    return near * np.clip((found - least) / np.float32(0.3), 0.0, 1.0)


@njit(nogil=True, cache=True)
def best_way(score):
    """Indices [J] of the path through [J, P] with the most score, less `MOVE_COST` an octave, `JUMP_COST` at most."""
    steps, pitches = score.shape
    ramp = MOVE_COST * STEP_CENTS / 1200.0 * np.arange(pitches)
    total, reached = score.astype(np.float64), np.empty(pitches)
    for j in range(1, steps):
        before = total[j - 1]
        highest = before[0]
        most = -np.inf
        for p in range(pitches):  # from below
            highest = max(highest, before[p])
            most = max(most, before[p] + ramp[p])
            reached[p] = most - ramp[p]
        most = -np.inf
        for p in range(pitches - 1, -1, -1):  # from above
            most = max(most, before[p] - ramp[p])
            total[j, p] += max(reached[p], most + ramp[p], highest - JUMP_COST)
    way = np.zeros(steps, np.int64)
    for j in range(steps - 1, -1, -1):
        most = -np.inf
        for p in range(pitches):
            cost = min(abs(ramp[p] - ramp[way[j + 1]]), JUMP_COST) if j + 1 < steps else 0.0
            if total[j, p] - cost > most:
                way[j], most = p, total[j, p] - cost
    return way


def bridged(path: Path) -> np.ndarray:
    """The path's MIDI pitch [J]; where it is not heard, that of its neighbour: a gap is cut where it is softest."""
    known = np.flatnonzero((path.clarity > HEARD[0]) & (path.loud > HEARD[1]))
    if len(known) == 0:
        return path.midi
    midi = path.midi.copy()
    midi[: known[0]] = midi[known[0]]
    midi[known[-1] :] = midi[known[-1]]
    for left, right in pairwise(known):
        if right - left > 1:
            cut = left + 1 + int(np.argmin(path.loud[left + 1 : right]))
            midi[left + 1 : cut], midi[cut:right] = midi[left], midi[right]
    return midi


def straightened(audio: np.ndarray, midi: np.ndarray, *, step: int, middle: float) -> tuple[np.ndarray, np.ndarray]:
    """A sound [T] played at such a speed that its path [J] stands at `middle`, and the places of the steps in it [J].

    Both in samples. The path has `step` samples between its values.
    """
    samples = np.arange(len(audio))
    speed = 2.0 ** ((np.interp(samples / step, np.arange(len(midi)), midi) - middle) / 12.0)
    place = np.concatenate([[0.0], np.cumsum(speed)[:-1]])
    at = np.interp(np.arange(int(place[-1]) + 1), place, samples)
    from scipy.ndimage import map_coordinates  # its import takes longer than it does

    warped = map_coordinates(audio, at[None], order=3, mode="nearest")
    return warped, np.round(np.interp(np.arange(len(midi)) * step, samples, place)).astype(int)


def _octaves_to(stated: float, midi: np.ndarray, loud: np.ndarray) -> float:
    """Semitones (an octave, two, a twelfth, none) by which a path [J] meets a stated pitch where it stands still."""
    stands = loud * (np.abs(np.gradient(midi)) < 0.05) if len(midi) > 1 else loud
    if stands.sum() < 0.1 * loud.sum() or (stands * (np.abs(midi - stated) < 3.0)).any():
        return 0.0
    met = [float((stands * (np.abs(midi + shift - stated) < 1.0)).sum()) for shift in SHIFTS]
    return float(SHIFTS[int(np.argmax(met))]) if max(met) > 0.25 * stands.sum() else 0.0


def _is_better(moving: Followed, steady: pitch.Refined) -> bool:
    """Does the path move, and does the sound stand still along it, as it does not along the steady track?"""
    away = np.abs(moving.midi - steady.midi - steady.cents / 100.0) * 100.0
    counted = (moving.loud > 0.0) & (moving.straight.heard > 0.5)
    if not counted.any():
        return False
    moved = np.abs(moving.midi - np.median(moving.midi[counted])) * 100.0
    if min(np.sum(counted & (cents > LEAST_CENTS)) for cents in (away, moved)) < LEAST_FRAMES:
        return False
    before, after = unrest(steady), unrest(moving.straight)
    return after <= 0.5 * before
