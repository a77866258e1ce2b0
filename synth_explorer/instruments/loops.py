"""Loops that do not click: found by correlation, cross-faded by it, measured at the seam.

A loop plays samples start .. end - 1 over and over. The last `fade` samples before its end are cross-faded with those
before its start, so that what follows the end is the start's own continuation. Two signals of correlation r keep their
power through a fade whose weights fulfil a^2 + b^2 + 2 r a b = 1 (Fink, Holters, Zölzer: Signal-matched
power-complementary cross-fading, DAFx-16): linear where they are alike, of equal power where they have nothing in
common.

Shapes: T samples, F frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from synth_explorer.measure import stft_magnitudes
from synth_explorer.mel import mel_filters

FADE_S = 0.1
SHORTEST_S, SHORTEST_PERIODS = 0.25, 8
STARTS = 40  # places at which a loop may begin, unless fewer are asked for
PEAKS = 4  # ends that are kept of each
ALIKE = 0.01  # correlations that count the same: the longest loop of them is taken
MEASURED = 160  # candidates whose seams are measured at most
CLEAN = 0.95  # of what the note does by itself: a seam below it is taken at once
FRAME_S = 0.032
FRAME_HOPS, LAG_HOPS = 16, 4  # hops in a frame, and between two frames that are compared
BANDS, LOWEST_HZ = 40, 30.0
FADED_BANDS = 7  # octaves that are faded apart, the last one with all that lies lower
FLOOR_DB = 60.0  # under the strongest band: what lies below is not compared
AHEAD = 64  # samples that follow the loop in the file, for players that read beyond its end


@dataclass(frozen=True)
class Loop:
    """A loop of a note, and how its seam compares with what the note does by itself.

    `step`: the jump from its last sample to its first, against the largest step between two samples within the loop.
    `spectrum`: the largest change of the spectrum from frame to frame around the seam, against the largest within the
    loop. Neither is heard where it is at most 1.
    """

    start: int
    end: int  # exclusive
    fade: int  # samples that are cross-faded before its end
    correlation: float  # of these with those before its start
    step: float = 0.0
    spectrum: float = 0.0

    @property
    def length(self) -> int:
        return self.end - self.start

    @property
    def is_clean(self) -> bool:
        """Whether its seam does nothing that the note does not do by itself."""
        return self.step <= 1.0 and self.spectrum <= 1.0


def find(
    audio: np.ndarray,
    within: tuple[int, int],
    *,
    period_samples: float,
    sample_rate_hz: int,
    starts: int = STARTS,
    tries: int = MEASURED,
) -> tuple[Loop, np.ndarray] | None:
    """The best loop in the held part of a note [T], and the note with it: cross-faded, cut behind it.

    Of the loops whose correlation is the highest the longest comes first; the first one whose seam is clean is taken,
    else the cleanest. None where the held part is too short for any. `starts`: places at which it may begin. `tries`:
    loops whose seams are measured; with fewer of both it is found sooner, with none the first one is taken as it is.
    """
    found = candidates(audio, within, period_samples=period_samples, sample_rate_hz=sample_rate_hz, starts=starts)
    if found and not tries:
        return found[0], cross_faded(audio, found[0])
    by_itself = own(audio, within, sample_rate_hz=sample_rate_hz)
    best: tuple[Loop, np.ndarray] | None = None
    for plain in found[:tries]:
        looped = cross_faded(audio, plain)
        loop = measured(looped, plain, by_itself, sample_rate_hz=sample_rate_hz)
        if best is None or max(loop.step, loop.spectrum) < max(best[0].step, best[0].spectrum):
            best = loop, looped
        if max(loop.step, loop.spectrum) <= CLEAN:
            return loop, looped
    return best


def candidates(
    audio: np.ndarray, within: tuple[int, int], *, period_samples: float, sample_rate_hz: int, starts: int = STARTS
) -> list[Loop]:
    """Loops within first .. last of a note [T], the best one first.

    What precedes a start is compared with what precedes every later sample: the correlation is highest a whole number
    of periods later, where vibrato and tremolo stand as they stood.
    """
    first, last = within
    shortest = round(max(SHORTEST_S * sample_rate_hz, SHORTEST_PERIODS * period_samples))
    fade = min(round(FADE_S * sample_rate_hz), (last - first - shortest) // 2, shortest)
    if fade < 2 * period_samples:
        return []
    x, found = np.asarray(audio, np.float32), []
    apart = max(1, round(0.5 * period_samples))
    for start in np.unique(np.linspace(first + fade, last - shortest, starts).astype(int)).tolist():
        correlation = correlations(x, start, start + shortest, last, fade=fade)
        for end in _highest(correlation, PEAKS, apart=apart):
            found.append(Loop(start, start + shortest + end, fade, float(correlation[end])))
    top = max((loop.correlation for loop in found), default=0.0)
    return sorted(found, key=lambda loop: (-int((top - loop.correlation) / ALIKE), loop.length), reverse=True)


def correlations(x: np.ndarray, start: int, first_end: int, last_end: int, *, fade: int) -> np.ndarray:
    """Normalised correlation of the `fade` samples before `start` with those before each end, [last - first + 1]."""
    from scipy.fft import irfft, next_fast_len, rfft

    before, later = x[start - fade : start], x[first_end - fade : last_end]
    energy = np.concatenate([[0.0], np.cumsum(later**2, dtype=np.float64)])
    norm = np.sqrt(np.maximum((energy[fade:] - energy[:-fade]) * (before @ before), 1e-30))
    size = next_fast_len(later.size, real=True)
    products = irfft(rfft(later, size) * np.conj(rfft(before, size)), size)
    return products[: norm.size] / norm


def _highest(values: np.ndarray, count: int, *, apart: int) -> list[int]:
    """Places of the highest values, at least `apart` from one another."""
    left, found = values.copy(), []
    for _ in range(count):
        at = int(np.argmax(left))
        if not np.isfinite(left[at]):
            break
        found.append(at)
        left[max(0, at - apart) : at + apart + 1] = -np.inf
    return found


def cross_faded(audio: np.ndarray, loop: Loop) -> np.ndarray:
    """A note [T] with a loop in it, cut `AHEAD` samples behind the loop's end, which repeat its start.

    Bands are faded apart, each by its own correlation: partials that run alike, and the noise between and above them
    that does not.
    """
    rising = (np.arange(loop.fade) + 1.0) / loop.fade
    falling = 1.0 - rising
    leaving, coming = (_in_bands(audio, at - loop.fade, at) for at in (loop.end, loop.start))
    energy = np.sqrt((leaving**2).sum(axis=1) * (coming**2).sum(axis=1))
    alike = np.clip((leaving * coming).sum(axis=1) / np.maximum(energy, 1e-30), 0.0, 1.0)[:, None]
    power = np.sqrt(rising**2 + falling**2 + 2.0 * alike * rising * falling)
    seam = ((falling * leaving + rising * coming) / power).sum(axis=0)
    ahead = audio[loop.start + np.arange(AHEAD) % loop.length]
    return np.concatenate([audio[: loop.end - loop.fade], seam, ahead]).astype(np.float32)


def _in_bands(audio: np.ndarray, start: int, end: int) -> np.ndarray:
    """Samples start .. end - 1 of a note in octaves from the highest down, float64 [FADED_BANDS, n]; their sum is the
    samples.

    The spectrum of thrice as much is shared out by raised cosines, so that the ends of what is transformed lie outside.
    """
    from scipy.fft import irfft, rfft

    length = end - start
    first, last = max(0, start - length), min(audio.size, end + length)
    part = audio[first:last].astype(np.float64)
    return irfft(rfft(part) * _shares(part.size), part.size, axis=1)[:, start - first : end - first]


@lru_cache(maxsize=4)
def _shares(size: int) -> np.ndarray:
    """Of each octave, of the frequencies of so many samples: [FADED_BANDS, 1 + size // 2], 1 in all."""
    octave = np.log2(np.maximum(np.arange(size // 2 + 1), 1e-3) / (size / 2))  # under the highest frequency
    below = np.arange(1, FADED_BANDS)[:, None]
    edges = 0.5 + 0.5 * np.sin(np.pi * np.clip(2.0 * (octave + below), -0.5, 0.5))  # 1 above each edge, 0 under it
    return np.diff(np.concatenate([np.zeros((1, octave.size)), edges, np.ones((1, octave.size))]), axis=0)


def unrolled(audio: np.ndarray, loop: Loop | None, samples: int) -> np.ndarray:
    """What a player makes of a note [T] with its loop in so many samples; silence follows a note without one."""
    if loop is None:
        return np.pad(audio[:samples], (0, max(0, samples - audio.size)))
    at = np.arange(samples)
    return audio[np.where(at < loop.end, at, loop.start + (at - loop.end) % loop.length)]


class Own(NamedTuple):
    """What a note does by itself from a sample on."""

    first: int
    steps: np.ndarray  # between two samples, absolute
    changes_db: np.ndarray  # see `changes_db`
    floor: float  # magnitude below which bands are not compared

    def most(self, start: int, end: int, *, sample_rate_hz: int) -> tuple[float, float]:
        """The largest step and the largest change between two samples of the note."""
        hop = hop_samples(sample_rate_hz)
        frames = (start - self.first) // hop, (end - self.first) // hop - FRAME_HOPS - LAG_HOPS
        steps = self.steps[start - self.first : end - self.first - 1]
        return float(steps.max(initial=0.0)), float(self.changes_db[slice(*frames)].max(initial=0.0))


def own(audio: np.ndarray, within: tuple[int, int], *, sample_rate_hz: int) -> Own:
    """What the held part first .. last of a note [T] does by itself."""
    held = audio[slice(*within)]
    floor = max(float(_bands(held, sample_rate_hz).max()), 1e-12) * 10.0 ** (-FLOOR_DB / 20.0)
    changes = changes_db(held, floor=floor, sample_rate_hz=sample_rate_hz)
    return Own(within[0], np.abs(np.diff(held)), changes, floor)


def hop_samples(sample_rate_hz: int) -> int:
    """A sixteenth of a frame of 32 ms."""
    return round(FRAME_S * sample_rate_hz / FRAME_HOPS)


def changes_db(audio: np.ndarray, *, floor: float, sample_rate_hz: int) -> np.ndarray:
    """Change of the spectrum within a quarter of a frame of 32 ms, at every sixteenth: mean over bands in dB, [F].

    `floor`: magnitude below which bands are not compared.
    """
    level_db = 20.0 * np.log10(np.maximum(_bands(audio, sample_rate_hz), floor))
    return np.abs(level_db[LAG_HOPS:] - level_db[:-LAG_HOPS]).mean(axis=1)


def _bands(audio: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """Magnitudes in mel bands over the whole spectrum, [F, BANDS]."""
    hop = hop_samples(sample_rate_hz)
    size = FRAME_HOPS * hop
    return stft_magnitudes(audio, n_fft=size, hop=hop) @ _filters(size, sample_rate_hz)


@lru_cache(maxsize=2)
def _filters(size: int, sample_rate_hz: int) -> np.ndarray:
    return mel_filters(BANDS, n_fft=size, sample_rate_hz=sample_rate_hz, low_hz=LOWEST_HZ, high_hz=sample_rate_hz / 2)


def measured(looped: np.ndarray, loop: Loop, by_itself: Own, *, sample_rate_hz: int) -> Loop:
    """A loop with what is heard at its seam, against what the note does by itself in the loop before the fade."""
    seam, frame = loop.end - loop.fade, FRAME_HOPS * hop_samples(sample_rate_hz)
    own_step, own_change = by_itself.most(loop.start, seam, sample_rate_hz=sample_rate_hz)
    around = unrolled(looped, loop, loop.end + 2 * frame)[max(0, seam - frame) :]
    step = abs(float(looped[loop.start]) - float(looped[loop.end - 1])) / max(own_step, 1e-12)
    change = changes_db(around, floor=by_itself.floor, sample_rate_hz=sample_rate_hz).max() / max(own_change, 1e-12)
    return Loop(loop.start, loop.end, loop.fade, loop.correlation, step, float(change))
