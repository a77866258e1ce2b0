"""Loops that do not click: found by correlation, cross-faded by it, measured at the seam.

A loop plays samples start .. end - 1 over and over. The last `fade` samples before its end are cross-faded with those
before its start, so that what follows the end is the start's own continuation. Two signals of correlation r keep their
power through a fade whose weights fulfil a^2 + b^2 + 2 r a b = 1 (Fink, Holters, Zölzer: Signal-matched
power-complementary cross-fading, DAFx-16): linear where they are alike, of equal power where they have nothing in
common.

Shapes: T samples, F frames, N bins.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_explorer.measure import stft_magnitudes

FADE_S = 0.1
SHORTEST_S, SHORTEST_PERIODS = 0.25, 8
STARTS = 40  # places at which a loop may begin
PEAKS = 4  # ends that are kept of each
ALIKE = 0.01  # correlations that count the same: the longest loop of them is taken
MEASURED = 160  # candidates whose seams are measured
FRAME_S = 0.032
FLOOR_DB = 60.0  # under the strongest bin: what lies below is not compared
AHEAD = 64  # samples that follow the loop in the file, for players that read beyond its end


@dataclass(frozen=True)
class Loop:
    """A loop of a note, and how its seam compares with what the note does by itself.

    `step`: the jump from its last sample to its first, against the largest step between two samples of the held part.
    `spectrum`: the largest change of the spectrum from frame to frame around the seam, against the largest in the held
    part. Neither is heard where it is at most 1.
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
    audio: np.ndarray, within: tuple[int, int], *, period_samples: float, sample_rate_hz: int
) -> tuple[Loop, np.ndarray] | None:
    """The best loop in the held part of a note [T], and the note with it: cross-faded, cut behind it.

    Of the loops whose correlation is the highest the longest comes first; the first one whose seam is clean is taken,
    else the cleanest. None where the held part is too short for any.
    """
    own_step, own_change = own(audio, within, sample_rate_hz=sample_rate_hz)
    best: tuple[Loop, np.ndarray] | None = None
    found = candidates(audio, within, period_samples=period_samples, sample_rate_hz=sample_rate_hz)
    for plain in found[:MEASURED]:
        looped = cross_faded(audio, plain)
        loop = measured(looped, plain, own_step, own_change, sample_rate_hz=sample_rate_hz)
        if best is None or max(loop.step, loop.spectrum) < max(best[0].step, best[0].spectrum):
            best = loop, looped
        if loop.is_clean:
            return loop, looped
    return best


def candidates(audio: np.ndarray, within: tuple[int, int], *, period_samples: float, sample_rate_hz: int) -> list[Loop]:
    """Loops within first .. last of a note [T], the best one first.

    What precedes a start is compared with what precedes every later sample: the correlation is highest a whole number
    of periods later, where vibrato and tremolo stand as they stood.
    """
    first, last = within
    shortest = round(max(SHORTEST_S * sample_rate_hz, SHORTEST_PERIODS * period_samples))
    fade = min(round(FADE_S * sample_rate_hz), (last - first - shortest) // 2, shortest)
    if fade < 2 * period_samples:
        return []
    x, found = audio.astype(np.float64), []
    apart = max(1, round(0.5 * period_samples))
    for start in np.unique(np.linspace(first + fade, last - shortest, STARTS).astype(int)).tolist():
        correlation = correlations(x, start, start + shortest, last, fade=fade)
        for end in _highest(correlation, PEAKS, apart=apart):
            found.append(Loop(start, start + shortest + end, fade, float(correlation[end])))
    top = max((loop.correlation for loop in found), default=0.0)
    return sorted(found, key=lambda loop: (-int((top - loop.correlation) / ALIKE), loop.length), reverse=True)


def correlations(x: np.ndarray, start: int, first_end: int, last_end: int, *, fade: int) -> np.ndarray:
    """Normalised correlation of the `fade` samples before `start` with those before each end, [last - first + 1]."""
    from scipy.fft import irfft, next_fast_len, rfft

    before, later = x[start - fade : start], x[first_end - fade : last_end]
    energy = np.concatenate([[0.0], np.cumsum(later**2)])
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
    """A note [T] with a loop in it, cut `AHEAD` samples behind the loop's end, which repeat its start."""
    rising = (np.arange(loop.fade) + 1.0) / loop.fade
    falling = 1.0 - rising
    power = np.sqrt(rising**2 + falling**2 + 2.0 * max(loop.correlation, 0.0) * rising * falling)
    fade_out, fade_in = audio[loop.end - loop.fade : loop.end], audio[loop.start - loop.fade : loop.start]
    seam = (falling * fade_out + rising * fade_in) / power
    ahead = audio[loop.start + np.arange(AHEAD) % loop.length]
    return np.concatenate([audio[: loop.end - loop.fade], seam, ahead]).astype(np.float32)


def unrolled(audio: np.ndarray, loop: Loop | None, samples: int) -> np.ndarray:
    """What a player makes of a note [T] with its loop in so many samples; silence follows a note without one."""
    if loop is None:
        return np.pad(audio[:samples], (0, max(0, samples - audio.size)))
    at = np.arange(samples)
    return audio[np.where(at < loop.end, at, loop.start + (at - loop.end) % loop.length)]


def own(audio: np.ndarray, within: tuple[int, int], *, sample_rate_hz: int) -> tuple[float, float]:
    """The largest step between two samples of the held part, and the largest change of its spectrum in dB."""
    held = audio[slice(*within)]
    return float(np.abs(np.diff(held)).max()), float(changes_db(held, sample_rate_hz=sample_rate_hz).max())


def changes_db(audio: np.ndarray, *, sample_rate_hz: int) -> np.ndarray:
    """Change of the spectrum from frame to frame, every quarter of 32 ms: mean over bins in dB, [F - 1].

    Bins end `FLOOR_DB` under the strongest of all.
    """
    size = 4 * round(FRAME_S * sample_rate_hz / 4)
    magnitudes = stft_magnitudes(audio, n_fft=size, hop=size // 4)
    floor = max(float(magnitudes.max()), 1e-12) * 10.0 ** (-FLOOR_DB / 20.0)
    return np.abs(np.diff(20.0 * np.log10(np.maximum(magnitudes, floor)), axis=0)).mean(axis=1)


def measured(looped: np.ndarray, loop: Loop, own_step: float, own_change: float, *, sample_rate_hz: int) -> Loop:
    """A loop with what is heard at its seam, against what the note does by itself (see `own`)."""
    frame = 4 * round(FRAME_S * sample_rate_hz / 4)
    first = max(0, loop.end - loop.fade - frame)
    around = unrolled(looped, loop, loop.end + 2 * frame)[first:]
    step = abs(float(looped[loop.start]) - float(looped[loop.end - 1])) / max(own_step, 1e-12)
    change = changes_db(around, sample_rate_hz=sample_rate_hz).max() / max(own_change, 1e-12)
    return Loop(loop.start, loop.end, loop.fade, loop.correlation, step, float(change))
