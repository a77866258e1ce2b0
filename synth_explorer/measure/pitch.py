"""Cents: the pitch of a harmonic sound and the difference of two, to about a cent.

A harmonic is brought down to 0 Hz and low-pass filtered; the angle by which it turns in one period is how far its
frequency lies from where it was sought (the pulse-pair estimator). Summed over time, weighted by amplitude, that is
a mean frequency which neither decay nor vibrato bias, unlike the height of a spectral peak.

Shapes: T samples, F frames, K harmonics.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from synth_explorer.audio import check
from synth_explorer.errors import AudioError
from synth_explorer.measure.level import rms_envelope

LOWEST_HZ, HIGHEST_HZ = 25.0, 4600.0
PERIODS = 4
"""Length of the low-pass filter in periods: a Hann window of four periods has zeros on the other harmonics."""

HARMONICS_BY_ROUND = (4, 8, 12, 12, 12)
"""How many harmonics are sought in each round: a few while the pitch is only roughly known."""

SUSTAIN_RANGE_DB = 35.0
ATTACK_MS = 40.0
OCTAVE_COST = 0.02


@dataclass(frozen=True, eq=False)
class _Partials:
    """Harmonics k = 1..K of a sound: where each lies, and how much it weighs."""

    f0_hz: float
    cents: np.ndarray  # [K] deviation of each from k * f0_hz
    weight: np.ndarray  # [K], sums to 1


def pitch_hz(audio: np.ndarray, *, sample_rate_hz: int, around_hz: float | None = None) -> float:
    """Pitch of a harmonic sound, amplitude-weighted mean over its sustained part.

    `audio`: [T], one note. `around_hz`: where to look, right within about a quarter tone; None estimates it by
    autocorrelation. Returns Hz; NaN when nothing periodic is there.
    """
    sustained = _sustained(check(audio), sample_rate_hz=sample_rate_hz)
    around_hz = _coarse_hz(sustained, sample_rate_hz) if around_hz is None else _check_hz(around_hz)
    if np.isnan(around_hz):
        return float("nan")
    partials = _partials(sustained, around_hz, sample_rate_hz)
    return float(partials.f0_hz * 2.0 ** (partials.cents @ partials.weight / 1200.0))


def pitch_cents_difference(
    a: np.ndarray, b: np.ndarray, *, sample_rate_hz: int, around_hz: float | tuple[float, float] | None = None
) -> float:
    """How many cents b sounds above a, over their sustained parts.

    The same harmonic of both is compared and the differences are averaged over the harmonics that both have, so that
    a change of timbre is not taken for one of pitch.

    Args:
        a: [T], the first note.
        b: [T'], the second note.
        around_hz: pitch of both, right within about a quarter tone, or a pair, one for each. None estimates a's by
            autocorrelation and b's from it by the shift of its spectrum.

    Returns cents; NaN when one of them has nothing periodic.
    """
    a, b = (_sustained(check(part), sample_rate_hz=sample_rate_hz) for part in (a, b))
    if around_hz is None:
        a_hz = _coarse_hz(a, sample_rate_hz)
        if np.isnan(a_hz):
            return float("nan")
        b_hz = _coarse_hz(b, sample_rate_hz)
        if np.isnan(b_hz):
            return float("nan")
        b_hz = _same_octave_hz(a, b, a_hz, b_hz, sample_rate_hz)
    else:
        a_hz, b_hz = around_hz if isinstance(around_hz, tuple) else (around_hz, around_hz)
    first, second = (_partials(part, _check_hz(hz), sample_rate_hz) for part, hz in ((a, a_hz), (b, b_hz)))
    count = min(first.cents.size, second.cents.size)
    weight = np.sqrt(first.weight[:count] * second.weight[:count])
    if weight.sum() <= 1e-9:
        return float("nan")
    shift = np.average(second.cents[:count] - first.cents[:count], weights=weight)
    return float(1200.0 * np.log2(second.f0_hz / first.f0_hz) + shift)


def pitch_track_cents(audio: np.ndarray, *, sample_rate_hz: int, around_hz: float, track_rate_hz: float) -> np.ndarray:
    """Pitch over time in cents above `around_hz`, every 1 / track_rate_hz from time 0.

    Each value averages over four periods (5 ms at least); `pitch_track_response` tells what that leaves of a vibrato.

    Returns float64 [F], NaN where the note is more than 35 dB below its loudest moment.
    """
    samples = check(audio).astype(np.float32).tobytes()
    return _follow(samples, sample_rate_hz, _check_hz(around_hz), float(track_rate_hz)).copy()


@lru_cache(maxsize=4)
def _follow(samples: bytes, sample_rate_hz: int, around_hz: float, track_rate_hz: float) -> np.ndarray:
    """See `pitch_track_cents`; the last few sounds are remembered."""
    audio = np.frombuffer(samples, np.float32)
    partials = _partials(_sustained(audio, sample_rate_hz=sample_rate_hz), around_hz, sample_rate_hz)
    count = partials.cents.size
    products, times_s, lag_s = _turns(audio, partials.f0_hz, count, sample_rate_hz, steps=4)
    harmonics = np.arange(1, count + 1)
    cents = _cents(np.angle(products), lag_s, harmonics, partials.f0_hz) - partials.cents
    weight = np.abs(products) * harmonics
    total = weight.sum(axis=1)
    level = np.abs(products).sum(axis=1)
    heard = level > level.max() * 10 ** (-SUSTAIN_RANGE_DB / 10)
    track = np.where(heard, (cents * weight).sum(axis=1) / np.maximum(total, 1e-30), np.nan)
    at_s = np.arange(int(audio.size / sample_rate_hz * track_rate_hz)) / track_rate_hz
    offset = 1200.0 * np.log2(partials.f0_hz / around_hz) + partials.cents @ partials.weight
    known = np.isfinite(track)
    if not known.any():  # too short, or silent
        return np.full(at_s.size, np.nan)
    result = np.interp(at_s, times_s[known], track[known]) + offset
    result[np.interp(at_s, times_s, heard.astype(float), left=0.0, right=0.0) < 0.99] = np.nan
    return result


def pitch_track_response(rate_hz: float, *, around_hz: float) -> float:
    """What `pitch_track_cents` leaves of a small vibrato of `rate_hz`: the proportion of its depth."""
    window_s = _periods(around_hz) / around_hz
    turns = rate_hz * window_s
    hann = np.sinc(turns) / (1.0 - turns**2) if abs(turns - 1.0) > 1e-6 else 0.5
    return float(hann * np.sinc(turns / 4))


def _check_hz(hz: float) -> float:
    if not LOWEST_HZ * 0.9 <= hz <= HIGHEST_HZ * 1.1:
        raise AudioError(f"around_hz={hz} must lie in {LOWEST_HZ:.0f}..{HIGHEST_HZ:.0f} Hz.")
    return float(hz)


def _sustained(audio: np.ndarray, *, sample_rate_hz: int) -> np.ndarray:
    """The part after the attack and before the note has died away; everything when that is short."""
    envelope = rms_envelope(audio, sample_rate_hz=sample_rate_hz, window_ms=20.0)
    peak = envelope.max()
    start = int(np.argmax(envelope >= 0.5 * peak)) + round(ATTACK_MS * sample_rate_hz / 1000)
    end = int(np.flatnonzero(envelope >= peak * 10 ** (-SUSTAIN_RANGE_DB / 20))[-1])
    if end - start >= 0.3 * sample_rate_hz:
        return audio[start:end]
    return audio[max(0, start - round(ATTACK_MS * sample_rate_hz / 1000)) : max(end, start)]


def _partials(audio: np.ndarray, around_hz: float, sample_rate_hz: int) -> _Partials:
    """Seek the harmonics, first a few and then all, moving f0 to where they are. The last few sounds are remembered:
    one sound is compared with many."""
    return _seek_partials(audio.astype(np.float32).tobytes(), float(around_hz), sample_rate_hz)


@lru_cache(maxsize=4)
def _seek_partials(samples: bytes, around_hz: float, sample_rate_hz: int) -> _Partials:
    audio, f0_hz = np.frombuffer(samples, np.float32), around_hz
    cents, weight = np.zeros(1), np.ones(1)
    for step, allowed in enumerate(HARMONICS_BY_ROUND):
        most = max(1, min(allowed, int(0.47 * sample_rate_hz / f0_hz)))
        if step == 0:
            most = max(1, min(most, 55 // _periods(f0_hz)))
        products, _, lag_s = _turns(audio, f0_hz, most, sample_rate_hz)
        magnitude = np.abs(products)
        total = (products / np.sqrt(np.maximum(magnitude, 1e-30))).sum(axis=0)
        harmonics = np.arange(1, most + 1)
        cents = _cents(np.angle(total), lag_s, harmonics, f0_hz)
        coherence = np.abs(total) / np.maximum(np.sqrt(magnitude).sum(axis=0), 1e-15)
        weight = magnitude.sum(axis=0) * harmonics * coherence**2
        weight = weight / max(weight.sum(), 1e-30)
        if step < len(HARMONICS_BY_ROUND) - 1:
            moved = float(np.clip(cents @ weight, -60.0, 60.0))
            f0_hz = float(np.clip(f0_hz * 2.0 ** (moved / 1200.0), around_hz * 0.94, around_hz * 1.06))
    return _Partials(f0_hz, cents, weight)


def _periods(f0_hz: float) -> int:
    """Periods in the low-pass filter: four, and 5 ms at least."""
    return max(PERIODS, round(0.005 * f0_hz))


def _turns(
    audio: np.ndarray, f0_hz: float, count: int, sample_rate_hz: int, *, steps: int = 1
) -> tuple[np.ndarray, np.ndarray, float]:
    """How each harmonic turns against k * f0_hz in a quarter of the filter's length, which is the lag.

    Returns products [F, K], `steps` to a lag, the times they stand for [F] in s, and the lag in s.
    """
    length = _periods(f0_hz) * sample_rate_hz / f0_hz
    size = 2 * int(length / 2) + 1
    hop = max(1, round(length / 4 / steps))
    audio = np.pad(audio, (0, max(0, size + steps * hop - audio.size)))
    n = np.arange(size) - size // 2
    window = 0.5 + 0.5 * np.cos(2 * np.pi * n / length)
    omega = 2 * np.pi * f0_hz / sample_rate_hz * np.arange(1, count + 1)
    kernel = window[:, None] * np.exp(-1j * np.outer(n, omega))
    frames = np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(audio, size)[::hop])
    pair = frames @ np.concatenate([kernel.real, kernel.imag], axis=1).astype(np.float32)
    basebands = pair[:, :count].astype(np.float64) + 1j * pair[:, count:]
    products = basebands[steps:] * np.conj(basebands[:-steps]) * np.exp(-1j * omega * hop * steps)
    times_s = ((np.arange(len(products)) + 0.5 * steps) * hop + size // 2) / sample_rate_hz
    return products, times_s, steps * hop / sample_rate_hz


def _cents(angle: np.ndarray, lag_s: float, harmonics: np.ndarray, f0_hz: float) -> np.ndarray:
    """Cents above its harmonic that an angle in one lag stands for."""
    return 1200.0 * np.log2(np.maximum(1.0 + angle / (2 * np.pi * lag_s * harmonics * f0_hz), 0.5))


def _coarse_hz(audio: np.ndarray, sample_rate_hz: int) -> float:
    """Pitch by autocorrelation (Boersma 1993): median over windows of the best peak, high pitches preferred a little.

    The autocorrelation of a Hann window of 0.2 s is divided by the window's own and interpolated four times.
    """
    size = round(0.2 * sample_rate_hz)
    audio = np.pad(audio, (0, max(0, size - audio.size)))
    frames = np.lib.stride_tricks.sliding_window_view(audio, size)[:: size // 2][:24]
    n_fft = 1 << (2 * size - 1).bit_length()
    window = np.hanning(size)
    correlation, own = (
        np.fft.irfft(np.abs(np.fft.rfft(part, n_fft)) ** 2, 4 * n_fft)[..., : 2 * size]
        for part in ((frames - frames.mean(axis=1, keepdims=True)) * window, window[None])
    )
    strength = correlation / np.maximum(correlation[:, :1], 1e-20) / (own / own[:, :1])
    lags = np.arange(int(strength.shape[1]))
    low, high = int(4 * sample_rate_hz / HIGHEST_HZ), min(int(4 * sample_rate_hz / LOWEST_HZ), lags.size - 2)
    picked = [_best_peak(row, low, high) for row in strength]
    found = [4 * sample_rate_hz / lag for lag in picked if lag is not None]
    return float(np.median(found)) if len(found) * 2 > len(picked) else float("nan")


def _best_peak(strength: np.ndarray, low: int, high: int) -> float | None:
    """Lag of the best peak between low and high, parabolically interpolated; None when nothing repeats."""
    inner = strength[low : high + 1]
    peaks = low + np.flatnonzero((inner >= strength[low - 1 : high]) & (inner > strength[low + 1 : high + 2]))
    if peaks.size == 0:
        return None
    best = int(peaks[np.argmax(strength[peaks] - OCTAVE_COST * np.log2(peaks / low))])
    left, centre, right = strength[best - 1 : best + 2]
    if centre < 0.4:
        return None
    curve = left - 2 * centre + right
    return best + (0.5 * (left - right) / curve if curve < 0 else 0.0)


def _same_octave_hz(a: np.ndarray, b: np.ndarray, a_hz: float, b_hz: float, sample_rate_hz: int) -> float:
    """b_hz, or an octave away from it when b's harmonics then look much more like those of a at a_hz.

    An octave error in both pitches cancels in their difference; an error in one would not.
    """
    if abs(np.log2(b_hz / a_hz)) < 0.7:
        return b_hz
    misfit = {hz: _octave_misfit(a, b, a_hz, hz, sample_rate_hz) for hz in (b_hz, 2 * b_hz, b_hz / 2)}
    best_hz = min(misfit, key=misfit.__getitem__)
    return best_hz if misfit[best_hz] < misfit[b_hz] - 0.1 else b_hz


def _octave_misfit(a: np.ndarray, b: np.ndarray, a_hz: float, b_hz: float, sample_rate_hz: int) -> float:
    """How differently the harmonics of a at a_hz and of b at b_hz are spread; large for pitches that cannot be."""
    if not LOWEST_HZ <= b_hz <= HIGHEST_HZ:
        return 2.0
    count = max(1, min(8, int(0.47 * sample_rate_hz / max(a_hz, b_hz))))
    spread: list[np.ndarray] = []
    for part, hz in ((a, a_hz), (b, b_hz)):
        products = _turns(part, _partials(part, hz, sample_rate_hz).f0_hz, count, sample_rate_hz)[0]
        amplitude = np.abs(products).mean(axis=0) ** 0.25
        spread.append(amplitude / max(np.linalg.norm(amplitude), 1e-15))
    return float(1.0 - spread[0] @ spread[1])
