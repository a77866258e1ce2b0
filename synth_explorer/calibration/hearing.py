"""What is heard of a sound, as numbers whose differences are in the units of `edits.UNITS`.

Shapes: T samples, F frames, N bins.
"""

from __future__ import annotations

import numpy as np

from synth_explorer import measure
from synth_explorer.edits import UNITS

NAMES = ("loudness", "brightness", "noisiness", "attack", "pitch")
"""What controls are named after."""

EVERYTHING = tuple(UNITS)
"""What principal directions are described by, too."""

SPAN = {
    "loudness": 6.0,
    "brightness": 0.5,
    "noisiness": 6.0,
    "attack": 1.0,
    "pitch": 100.0,
    "spread": 0.5,
    "hollowness": 6.0,
}
"""A change that is clearly heard of each, in its unit: controls are swept by it, side effects are told in it."""

SHORTEST_ATTACK_S = 0.001
HEARD_RANGE_DB = 35.0
N_FFT, HOP = 1024, 256  # at 16 kHz; as long in seconds at 48 kHz


def describe(audio: np.ndarray, *, sample_rate_hz: int, pitch_hz: float) -> dict[str, float]:
    """Everything that is heard of a sound but its pitch.

    `pitch_hz`: of it, NaN where there is none. Returns by name: RMS in dB, log2 of the spectral centroid in Hz, noise
    against partials in dB, log2 of the seconds from 10 to 90 % of the loudest amplitude, log2 of the spectrum's width
    in Hz, odd partials against even ones in dB. NaN for what does not exist in this sound.
    """
    rate = {"sample_rate_hz": sample_rate_hz}
    if not audio.any():
        return dict.fromkeys([name for name in EVERYTHING if name != "pitch"], float("nan"))
    attack_s = max(measure.attack_time_ms(audio, **rate) / 1000.0, SHORTEST_ATTACK_S)
    return {
        "loudness": measure.rms_db(audio),
        "brightness": measure.brightness_octaves(audio, **rate),
        "noisiness": measure.noisiness_db(audio, **rate, pitch_hz=pitch_hz),
        "attack": float(np.log2(attack_s)),
        "spread": _spread_octaves(audio, **rate),
        "hollowness": _hollowness_db(audio, **rate, pitch_hz=pitch_hz),
    }


def changes(
    before: np.ndarray,
    after: np.ndarray,
    *,
    sample_rate_hz: int,
    pitch_hz: float,
    expected_cents: float,
    own: dict[str, float],
) -> dict[str, float]:
    """What is heard to change from one sound to another, by name, in the units of `edits.UNITS`.

    Args:
        pitch_hz: of the first, NaN where there is none.
        expected_cents: where the pitch is sought; NaN where nothing is known, so that it is estimated.
        own: what `describe` says of the first.
    """
    cents = float("nan")
    after_hz = pitch_hz * 2.0 ** (expected_cents / 1200.0)
    if np.isnan(after_hz) and np.isfinite(pitch_hz) and after.any():
        after_hz = measure.pitch_hz(after, sample_rate_hz=sample_rate_hz)
    inside = all(measure.LOWEST_HZ <= hz <= measure.HIGHEST_HZ for hz in (pitch_hz, after_hz))
    if inside and before.any() and after.any():
        cents = measure.pitch_cents_difference(
            before, after, sample_rate_hz=sample_rate_hz, around_hz=(pitch_hz, after_hz)
        )
    new = describe(after, sample_rate_hz=sample_rate_hz, pitch_hz=after_hz)
    return {name: new[name] - own[name] for name in own} | {"pitch": float(cents)}


def _magnitudes(audio: np.ndarray, *, sample_rate_hz: int) -> tuple[np.ndarray, float]:
    """Mean power spectrum [N] of the frames that are heard, and the width of its bins in Hz."""
    audio, widening = measure.at_band_rate(audio, sample_rate_hz=sample_rate_hz)
    power = measure.stft_magnitudes(audio, n_fft=widening * N_FFT, hop=widening * HOP).astype(np.float64) ** 2
    total = power.sum(axis=1)
    heard = power[total >= total.max() * 10.0 ** (-HEARD_RANGE_DB / 10.0)]
    return np.sqrt(heard.mean(axis=0)), measure.RATE_HZ / N_FFT


def _spread_octaves(audio: np.ndarray, *, sample_rate_hz: int) -> float:
    """log2 of the standard deviation of the spectrum about its centroid, in Hz."""
    magnitude, width_hz = _magnitudes(audio, sample_rate_hz=sample_rate_hz)
    hz, total = np.arange(magnitude.size) * width_hz, magnitude.sum()
    if total <= 1e-9:
        return float("nan")
    centroid = magnitude @ hz / total
    return float(0.5 * np.log2(max(magnitude @ (hz - centroid) ** 2 / total, 1.0)))


def _hollowness_db(audio: np.ndarray, *, sample_rate_hz: int, pitch_hz: float) -> float:
    """Power of partials 3, 5, 7 over that of 2, 4, 6 in dB; NaN where they can't be told or lie too high."""
    magnitude, width_hz = _magnitudes(audio, sample_rate_hz=sample_rate_hz)
    if not 4.0 * width_hz <= pitch_hz <= 7800.0 / 7.0:
        return float("nan")
    at = np.round(np.arange(2, 8) * pitch_hz / width_hz).astype(int)
    power = [np.sum(magnitude[max(place - 2, 0) : place + 3] ** 2) for place in at]
    return float(10.0 * np.log10(max(sum(power[1::2]), 1e-12) / max(sum(power[::2]), 1e-12)))
