"""How far a render lies from its original: log-mel distance and multi-resolution spectral distance.

Both are taken at 16 kHz, whatever the rate of the audio, so that figures of different checkpoints compare. What says
`band` hears all of it, at 48 kHz.

Shapes: T samples, F frames, N bins (`n_fft // 2 + 1`), M mel bands.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

from synth_explorer.audio import check, resample
from synth_explorer.mel import mel_centres_hz, mel_filters

RATE_HZ = 16_000
"""The measures' own rate: their windows, bands and floor are defined at it."""

N_FFT, HOP = 1024, 256
MEL_BANDS, MEL_LOW_HZ, MEL_HIGH_HZ = 80, 30.0, 8000.0
BAND_RATE_HZ, BAND_N_FFT, BAND_HOP = 48_000, 3072, 768  # of what hears the whole band
BAND_MEL_BANDS, BAND_TOP_HZ, HIGH_HZ = 128, 20_000.0, 8000.0
MEL_CENTRES_HZ = mel_centres_hz(BAND_MEL_BANDS + 2, low_hz=MEL_LOW_HZ, high_hz=BAND_TOP_HZ)[1:-1]
"""Middles of the bands of `mean_spectrum_db`."""

MEAN_RANGE_DB, MEAN_WEIGHT = 50.0, 0.15
FRAME_RANGE_DB = MEAN_RANGE_DB + 10.0  # under the whole frame, which is louder than its strongest band
FLOOR = 0.01
ALIGN_MS = 100.0
ALIGN_HOP = 16
STFT_SIZES = (64, 128, 256, 512, 1024, 2048)
ROWS = 32  # frames that are transformed at a time


def at_measure_rate(audio: np.ndarray, *, sample_rate_hz: int, name: str = "audio") -> np.ndarray:
    """Valid audio [T] at 16 kHz."""
    return resample(check(audio, name=name), source_rate_hz=sample_rate_hz, sample_rate_hz=RATE_HZ)


def at_band_rate(audio: np.ndarray, *, sample_rate_hz: int) -> tuple[np.ndarray, int]:
    """Valid audio [T] with its whole band: at 48 kHz, or at 16 kHz where it has no more; and that rate over 16 kHz."""
    widening = BAND_RATE_HZ // RATE_HZ if sample_rate_hz > RATE_HZ else 1
    return resample(check(audio), source_rate_hz=sample_rate_hz, sample_rate_hz=widening * RATE_HZ), widening


def stft_magnitudes(audio: np.ndarray, *, n_fft: int = N_FFT, hop: int = HOP) -> np.ndarray:
    """Magnitudes of an unnormalised STFT: periodic Hann, no centring, frames that lie wholly inside the audio.

    `audio`: [T]; less than one window is padded with zeros to one. Returns float32 [F, N] with F = 1 + (T - n_fft) //
    hop.
    """
    audio = np.pad(audio, (0, max(0, n_fft - audio.size)))
    frames = np.lib.stride_tricks.sliding_window_view(audio, n_fft)[::hop]
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)).astype(np.float32)
    out = np.empty((len(frames), n_fft // 2 + 1), np.float32)
    for first in range(0, len(frames), ROWS):  # which stay in the cache
        bins: NDArray[np.complexfloating] = rfft(frames[first : first + ROWS] * window)
        np.sqrt(bins.real**2 + bins.imag**2, out=out[first : first + ROWS], casting="same_kind")
    return out


@lru_cache(maxsize=1)
def _mel_matrix() -> np.ndarray:
    """[N, M] HTK triangles of height 1, as tf.signal.linear_to_mel_weight_matrix makes them."""
    return mel_filters(MEL_BANDS, n_fft=N_FFT, sample_rate_hz=RATE_HZ, low_hz=MEL_LOW_HZ, high_hz=MEL_HIGH_HZ)


def mel_magnitudes(audio: np.ndarray) -> np.ndarray:
    """Mel bands of 16 kHz audio: STFT magnitudes through HTK triangles of height 1, float32 [F, M]."""
    return stft_magnitudes(audio) @ _mel_matrix()


def mean_spectrum_db(audio: np.ndarray, *, sample_rate_hz: int) -> np.ndarray:
    """How a sound [T] sounds on the whole: the mean over time of its spectrum in dB under the strongest band, [M].

    Each frame's bands, those of `band_distances_db` (centres `MEL_CENTRES_HZ`), are taken in dB under the frame's
    level: its timbre, whatever its loudness. Frames count nearly alike, by the power of
    `MEAN_WEIGHT` of their own power: one that is 40 dB softer counts a quarter, so that neither the attack alone nor
    what has died away decides.
    """
    magnitudes = _band_magnitudes(resample(check(audio), source_rate_hz=sample_rate_hz, sample_rate_hz=BAND_RATE_HZ))
    power = magnitudes.astype(np.float64) ** 2
    level = power.sum(axis=1, keepdims=True)
    under_db = np.maximum(10.0 * np.log10(power / np.maximum(level, 1e-30) + 1e-30), -FRAME_RANGE_DB)
    weight = level[:, 0] ** MEAN_WEIGHT
    spectrum_db = weight @ under_db / max(weight.sum(), 1e-30)
    return np.maximum(spectrum_db - spectrum_db.max(), -MEAN_RANGE_DB)


def log_mel_distance_db(reference: np.ndarray, rendered: np.ndarray, *, sample_rate_hz: int) -> float:
    """Mean over bands and frames of |20 log10((a + 0.01) / (b + 0.01))|, in dB.

    a and b are mel magnitudes: an unnormalised STFT (periodic Hann 1024, hop 256, no centring, so that no edge is
    made up) through 80 HTK mel bands from 30 to 8000 Hz, triangles of height 1 (not of equal area). The floor of 0.01
    is a sine of -88 dBFS. The envelopes are aligned first (`align`), and what overlaps is compared.

    `reference`: [T], the original. `rendered`: [T'], what came out.
    """
    reference = at_measure_rate(reference, sample_rate_hz=sample_rate_hz, name="reference")
    rendered = at_measure_rate(rendered, sample_rate_hz=sample_rate_hz, name="rendered")
    a, b = (mel_magnitudes(part) for part in align(reference, rendered))
    return float(np.mean(np.abs(20 * np.log10((a + FLOOR) / (b + FLOOR)))))


class BandDistances(NamedTuple):
    """Log-mel distances in dB at 48 kHz: over the whole band, and over the bands above 8 kHz alone."""

    whole: float
    high: float


def band_distances_db(reference: np.ndarray, rendered: np.ndarray, *, sample_rate_hz: int) -> BandDistances:
    """`log_mel_distance_db` over the whole band: at 48 kHz, Hann 3072, hop 768, 128 HTK bands from 30 to 20,000 Hz.

    The floor of 0.01 is a sine of -98 dBFS here. Envelopes are aligned as there. Above 8 kHz count the bands whose
    centre lies there.

    Args:
        reference: [T], the original.
        rendered: [T'], what came out.
        sample_rate_hz: of both; sounds of a lower rate have nothing above half of it.
    """
    sounds = check(reference, name="reference"), check(rendered, name="rendered")
    one, other = (_envelope(at_measure_rate(sound, sample_rate_hz=sample_rate_hz)) for sound in sounds)
    lag = _best_lag(one, other) * ALIGN_HOP * BAND_RATE_HZ // RATE_HZ
    one, other = (resample(sound, source_rate_hz=sample_rate_hz, sample_rate_hz=BAND_RATE_HZ) for sound in sounds)
    a, b = _shifted(one, other, lag)
    a, b = (_band_magnitudes(part) for part in (a, b))
    apart = np.mean(np.abs(20 * np.log10((a + FLOOR) / (b + FLOOR))), axis=0)
    return BandDistances(float(apart.mean()), float(apart[MEL_CENTRES_HZ > HIGH_HZ].mean()))


def _band_magnitudes(audio: np.ndarray) -> np.ndarray:
    """Mel bands of 48 kHz audio, float32 [F, M]."""
    return stft_magnitudes(audio, n_fft=BAND_N_FFT, hop=BAND_HOP) @ _band_matrix()


@lru_cache(maxsize=1)
def _band_matrix() -> np.ndarray:
    return mel_filters(
        BAND_MEL_BANDS, n_fft=BAND_N_FFT, sample_rate_hz=BAND_RATE_HZ, low_hz=MEL_LOW_HZ, high_hz=BAND_TOP_HZ
    )


def align(reference: np.ndarray, rendered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shift two 16 kHz sounds, by 100 ms at most, so that their envelopes match best, and cut them to what overlaps.

    The envelopes are 5 ms RMS values every millisecond. The lag is the one of the largest correlation coefficient of
    their overlap; of equals (a steady tone fits everywhere) the smallest.

    Returns Two arrays of one length.
    """
    return _shifted(reference, rendered, _best_lag(_envelope(reference), _envelope(rendered)) * ALIGN_HOP)


def _shifted(reference: np.ndarray, rendered: np.ndarray, lag: int) -> tuple[np.ndarray, np.ndarray]:
    """What overlaps when `rendered` comes `lag` samples later."""
    reference, rendered = reference[max(-lag, 0) :], rendered[max(lag, 0) :]
    length = min(reference.size, rendered.size)
    return reference[:length], rendered[:length]


def _envelope(audio: np.ndarray) -> np.ndarray:
    """RMS of 5 ms around every millisecond of 16 kHz audio."""
    window = 5 * ALIGN_HOP
    energy = np.concatenate([[0.0], np.cumsum(np.pad(audio, window // 2).astype(np.float64) ** 2)])
    starts = np.arange(0, audio.size, ALIGN_HOP)
    return np.sqrt(np.maximum(energy[starts + window] - energy[starts], 0.0) / window)


def _best_lag(a: np.ndarray, b: np.ndarray) -> int:
    """Steps that b comes later than a, within 100 ms."""
    limit = min(round(ALIGN_MS), a.size - 1, b.size - 1)
    best_lag, best_score = 0, -np.inf
    for lag in sorted(range(-limit, limit + 1), key=abs):
        x, y = a[max(-lag, 0) :], b[max(lag, 0) :]
        length = min(x.size, y.size)
        x, y = x[:length] - x[:length].mean(), y[:length] - y[:length].mean()
        norm = np.sqrt((x @ x) * (y @ y))
        score = (x @ y) / norm if norm > 1e-12 * length else 0.0
        if score > best_score + 1e-4:
            best_lag, best_score = lag, score
    return best_lag


def multi_resolution_stft(
    reference: np.ndarray, rendered: np.ndarray, *, sample_rate_hz: int, sizes: Sequence[int] = STFT_SIZES
) -> float:
    """Multi-scale spectral distance of DDSP (Engel et al. 2020, eq. 5): mean over sizes of |a - b| + |log a - log b|.

    Magnitudes as in `stft_magnitudes` with a hop of a quarter window, divided by a quarter of the window so that a
    sine's height is its amplitude at every size; logs are natural with a floor of 1e-5. Nothing is aligned.

    `rendered`: [T'], compared over the common length. `sizes`: window lengths at 16 kHz.
    """
    reference = at_measure_rate(reference, sample_rate_hz=sample_rate_hz, name="reference")
    rendered = at_measure_rate(rendered, sample_rate_hz=sample_rate_hz, name="rendered")
    length = min(reference.size, rendered.size)
    total = 0.0
    for size in sizes:
        a, b = (
            stft_magnitudes(part[:length], n_fft=size, hop=size // 4) * (4 / size) for part in (reference, rendered)
        )
        total += float(np.mean(np.abs(a - b)) + np.mean(np.abs(np.log((a + 1e-5) / (b + 1e-5)))))
    return total / len(sizes)
