"""How noisy a note is: the power between its partials against that of its partials.

Shapes: T samples, F frames, N bins.
"""

from __future__ import annotations

import numpy as np

from synth_explorer.measure.distance import RATE_HZ, at_band_rate, stft_magnitudes
from synth_explorer.measure.pitch import HIGHEST_HZ, LOWEST_HZ
from synth_explorer.measure.pitch import pitch_hz as exact_pitch_hz

PERIODS = 12
"""A frame is at least so many periods long, so that there are bins between the partials."""

SMALLEST_S = 0.128
LOBE_BINS = 3.0
"""Half-width of a partial: the main lobe of a Hann window is two bins wide to either side."""

SPREAD = 0.004
"""A partial spreads further by this part of its frequency: vibrato, stiff strings."""

WIDEST = 0.3
"""At most this part of the distance between two partials."""

HEARD_RANGE_DB = 35.0
FLOOR_DB = -80.0


def noisiness_db(audio: np.ndarray, *, sample_rate_hz: int, pitch_hz: float) -> float:
    """Power of the noise of a note over that of its partials, in dB.

    A long spectrum is cut into bands around each multiple of the pitch and the bands between them. What lies between
    is noise, and under each partial as much a bin as to its sides. Partials that are not multiples of the pitch count
    as noise.

    `audio`: [T], one note. `pitch_hz`: of it, right within about a quarter tone. Returns dB, -80 at least; NaN for
    silence, a sound shorter than a frame, or a pitch outside of 25 to 4600 Hz.
    """
    audio, widening = at_band_rate(audio, sample_rate_hz=sample_rate_hz)
    rate_hz = widening * RATE_HZ
    if not LOWEST_HZ <= pitch_hz <= HIGHEST_HZ:
        return float("nan")
    exact_hz = exact_pitch_hz(audio, sample_rate_hz=rate_hz, around_hz=pitch_hz)
    pitch_hz = exact_hz if abs(np.log2(exact_hz / pitch_hz)) < 1 / 24 else pitch_hz
    n_fft = 1 << int(np.ceil(np.log2(max(SMALLEST_S, PERIODS / pitch_hz) * rate_hz)))
    if audio.size < n_fft:
        return float("nan")
    power = stft_magnitudes(audio, n_fft=n_fft, hop=n_fft // 4).astype(np.float64) ** 2
    total = power.sum(axis=1)
    if total.max() <= 1e-12:
        return float("nan")
    spectrum = power[total >= total.max() * 10.0 ** (-HEARD_RANGE_DB / 10.0)].sum(axis=0)
    partial = _partial_bins(n_fft, pitch_hz, rate_hz)
    number = np.round(np.arange(partial.size) * (rate_hz / n_fft) / pitch_hz).astype(int)
    counts = [np.bincount(number, weights=part) for part in (~partial, partial)]
    between, around = (np.bincount(number, weights=spectrum * part) for part in (~partial, partial))
    noise_under = between / np.maximum(counts[0], 1.0) * counts[1]
    tones = np.maximum(around - noise_under, 0.0).sum()
    noise = between.sum() + np.minimum(noise_under, around).sum()
    return float(max(10.0 * np.log10(max(noise, 1e-30) / max(tones, 1e-30)), FLOOR_DB))


def _partial_bins(n_fft: int, pitch_hz: float, rate_hz: int) -> np.ndarray:
    """Which bins [N] belong to a partial."""
    frequency_hz = np.arange(n_fft // 2 + 1) * (rate_hz / n_fft)
    number = np.round(frequency_hz / pitch_hz)
    half_hz = np.minimum(LOBE_BINS * rate_hz / n_fft + SPREAD * frequency_hz, WIDEST * pitch_hz)
    return (number >= 1) & (np.abs(frequency_hz - number * pitch_hz) <= half_hz)
