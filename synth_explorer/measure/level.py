"""How loud, how sudden, how bright: RMS, loudness, attack and spectral centroid.

Shapes: T samples, F frames.
"""

from __future__ import annotations

import numpy as np

from synth_explorer.audio import check
from synth_explorer.measure.bs1770 import integrated_loudness
from synth_explorer.measure.distance import HOP, N_FFT, RATE_HZ, at_band_rate, stft_magnitudes

ENVELOPE_MS = 5.0
LOUDNESS_BLOCK_S = 0.4
FLOOR_DB = -140.0
REFERENCE_DB = -20.0


def rms_db(audio: np.ndarray) -> float:
    """RMS level in dB re full scale 1.0 (a full-scale sine has -3.01); -140 for silence."""
    mean_square = float(np.mean(check(audio).astype(np.float64) ** 2))
    return max(10 * np.log10(max(mean_square, 1e-30)), FLOOR_DB)


def level_error_db(reference: np.ndarray, rendered: np.ndarray) -> float:
    """RMS of the render over RMS of the original in dB: positive when the render is too loud."""
    return rms_db(rendered) - rms_db(reference)


def rms_envelope(audio: np.ndarray, *, sample_rate_hz: int, window_ms: float = ENVELOPE_MS) -> np.ndarray:
    """RMS of the `window_ms` around each sample, zeros beyond the ends, float64 [T]."""
    audio = check(audio)
    window = max(1, round(window_ms * sample_rate_hz / 1000))
    padded = np.pad(audio.astype(np.float64), (window // 2, window - 1 - window // 2))
    energy = np.concatenate([[0.0], np.cumsum(padded**2)])
    return np.sqrt(np.maximum(energy[window:] - energy[:-window], 0.0) / window)


def attack_time_ms(audio: np.ndarray, *, sample_rate_hz: int) -> float:
    """10-90 % rise time in milliseconds: from where a 5 ms RMS envelope first reaches 10 % of its maximum to where it
    first reaches 90 %."""
    envelope = rms_envelope(audio, sample_rate_hz=sample_rate_hz)
    peak = envelope.max()
    start, end = (int(np.argmax(envelope >= part * peak)) for part in (0.1, 0.9))
    return (end - start) / sample_rate_hz * 1000


def attack_error_ms(reference: np.ndarray, rendered: np.ndarray, *, sample_rate_hz: int) -> float:
    """Rise time of the render less that of the original: positive when the render is too slow."""
    rendered_ms = attack_time_ms(rendered, sample_rate_hz=sample_rate_hz)
    return rendered_ms - attack_time_ms(reference, sample_rate_hz=sample_rate_hz)


def loudness_db(audio: np.ndarray, *, sample_rate_hz: int) -> float:
    """Loudness in dB: integrated ITU-R BS.1770-4 (LUFS), or RMS where that does not exist.

    It does not exist for less than 0.4 s of audio, nor when everything lies below its gate of -70 LUFS.
    """
    audio = check(audio)
    if audio.size >= LOUDNESS_BLOCK_S * sample_rate_hz:
        loudness = integrated_loudness(audio, sample_rate_hz=sample_rate_hz)
        if np.isfinite(loudness):
            return loudness
    return rms_db(audio)


def loudness_change_db(before: np.ndarray, after: np.ndarray, *, sample_rate_hz: int) -> float:
    """How much louder `after` is than `before` in dB, by `loudness_db`, however quiet both are.

    Each is brought to an RMS of -20 dB before it is measured, so that the absolute gate of BS.1770 (-70 LUFS) does
    not cut what its relative gate keeps: a note and the same note 18 dB softer differ by 18 dB.
    """
    loudness: list[float] = []
    for part in (before, after):
        raise_db = REFERENCE_DB - rms_db(part)
        raised = check(part).astype(np.float64) * 10 ** (raise_db / 20)
        loudness.append(loudness_db(raised.astype(np.float32), sample_rate_hz=sample_rate_hz) - raise_db)
    return loudness[1] - loudness[0]


def _centroid_and_level(
    audio: np.ndarray, *, sample_rate_hz: int, n_fft: int = N_FFT, hop: int = HOP
) -> tuple[np.ndarray, np.ndarray]:
    """Centroid in Hz [F] and root of the energy [F] of each frame."""
    audio, widening = at_band_rate(audio, sample_rate_hz=sample_rate_hz)
    magnitudes = stft_magnitudes(audio, n_fft=widening * n_fft, hop=widening * hop).astype(np.float64)
    total = magnitudes.sum(axis=1)
    frequency_hz = np.arange(int(magnitudes.shape[1])) * (RATE_HZ / n_fft)
    with np.errstate(invalid="ignore", divide="ignore"):
        centroid_hz = np.where(total > 1e-9, magnitudes @ frequency_hz / total, np.nan)
    return centroid_hz, np.sqrt((magnitudes**2).sum(axis=1))


def brightness_octaves(audio: np.ndarray, *, sample_rate_hz: int) -> float:
    """Brightness in octaves: log2 of the spectral centroid in Hz, mean over frames weighted by their level.

    The centroid is that of STFT magnitudes (periodic Hann of 64 ms, hop 16 ms); a frame's level is the root of
    its energy, so that quiet tails do not count. One more is an octave higher.

    Returns log2 of Hz; NaN for silence.
    """
    centroid_hz, level = _centroid_and_level(audio, sample_rate_hz=sample_rate_hz)
    heard = np.isfinite(centroid_hz) & (centroid_hz > 0)
    if not heard.any():
        return float("nan")
    return float(np.average(np.log2(centroid_hz[heard]), weights=level[heard]))
