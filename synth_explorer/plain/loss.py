"""The slope of the distance of spectra that a fit makes small: that of `model.spectral.SpectralLoss` of one note.

Of the distance only the slope is computed, which needs no logarithms: that of |ln a - ln b| by a is sign(a - b) / a.

Shapes: T samples, F frames of a resolution, N bins, M bands.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.fft import irfft, rfft

from synth_explorer.mel import mel_centres_hz, mel_filters
from synth_explorer.model.config import ModelConfig
from synth_explorer.plain.frontend import LOG_FLOOR, TINY, Banded, frame_centred, hann, magnitude
from synth_explorer.runtime import Helpers

SIZES = (2048, 1024, 512, 256, 128)  # at `config.REFERENCE_RATE_HZ`; as long in seconds at other rates
MEL_SIZE = 1024
DISTANCE_TOP_HZ = 20_000.0  # of the mel bands
MOST = 10.0  # of the linear distance
_ZERO, _ONE = np.float32(0.0), np.float32(1.0)
_POOL = Helpers(2, thread_name_prefix="loss")


class _Wanted(NamedTuple):
    """The spectrum that is to be met at one resolution: magnitudes [F, N]; what the linear distance is divided by;
    by how much a logarithm counts at each bin [N]; mel bands [F, M] where this is the mel distance's resolution."""

    size: int
    magnitudes: np.ndarray
    mean: float
    weights: np.ndarray
    mel: np.ndarray | None


class SpectralLoss:
    """How far a sound [T] is from one that is given [T], whose spectra are made once."""

    def __init__(
        self,
        config: ModelConfig,
        target: np.ndarray,
        *,
        linear: float,
        log: float,
        mel: float,
        bandwidth_hz: float = 0.0,
    ) -> None:
        """`bandwidth_hz`: logarithms above it do not count, where it is given."""
        self._linear, self._log = linear / len(SIZES), log / len(SIZES)
        self._rate_hz, self._band_hz = config.sample_rate_hz, bandwidth_hz or config.band_hz
        bands, high_hz = config.distance_bands, min(config.top_hz, DISTANCE_TOP_HZ)
        mel_size = MEL_SIZE * config.widening
        given = {"sample_rate_hz": config.sample_rate_hz, "low_hz": 30.0, "high_hz": high_hz}
        self._filters = Banded(mel_filters(bands, n_fft=mel_size, **given))
        tops_hz = mel_centres_hz(bands + 2, low_hz=30.0, high_hz=high_hz)[2:].astype(np.float32)
        self._mel_weights = self._below(tops_hz) * np.float32(mel)
        self._wanted = [self._spectrum(target, size * config.widening, with_mel=size == MEL_SIZE) for size in SIZES]

    def _spectrum(self, target: np.ndarray, size: int, *, with_mel: bool) -> _Wanted:
        magnitudes = magnitude(_stft(target, size))
        mean = float(magnitudes.mean() + _floor(size))
        weights = self._below(np.arange(magnitudes.shape[1]) * (self._rate_hz / size)) * np.float32(self._log)
        return _Wanted(size, magnitudes, mean, weights, self._filters(magnitudes) if with_mel else None)

    def _below(self, places_hz: np.ndarray) -> np.ndarray:
        """How much each of the places [N] counts in a mean: those beyond the band's end do not."""
        counts = (places_hz <= (self._band_hz or self._rate_hz)).astype(np.float32)
        return counts / counts.sum()

    def slope(self, output: np.ndarray) -> np.ndarray:
        """The slope of the distance by a sound [T]."""
        first, *others = _POOL.map(lambda wanted: self._at(wanted, output), self._wanted)
        for other in others:
            first += other
        return first

    def _at(self, wanted: _Wanted, output: np.ndarray) -> np.ndarray:
        """What one resolution adds to the slope."""
        bins = _stft(output, wanted.size)
        frames, got = len(bins), np.empty(bins.shape, np.float32)
        apart = _magnitudes(bins, wanted.magnitudes, got) / got.size
        linear = self._linear / (got.size * wanted.mean) if apart < MOST * wanted.mean else 0.0
        by_mel = np.zeros((1, got.shape[1]), np.float32)
        if wanted.mel is not None:
            bands = self._filters(got)
            by_mel = self._filters.back(np.sign(bands - wanted.mel) * self._mel_weights / (bands + LOG_FLOOR) / frames)
        _slopes(bins, got, wanted.magnitudes, wanted.weights / frames, by_mel, np.float32(linear), _floor(wanted.size))
        return _stft_back(bins, wanted.size, samples=len(output))


def _floor(size: int) -> np.float32:
    return LOG_FLOOR * np.float32(size / MEL_SIZE)


def _stft(audio: np.ndarray, size: int) -> np.ndarray:
    """[T] -> [F, N] complex64, F = 4 T / size."""
    return rfft(frame_centred(audio, size, size // 4) * hann(size))


def _stft_back(slope: np.ndarray, size: int, *, samples: int) -> np.ndarray:
    """Slope by real and imaginary parts of `_stft` [F, N], halved but at the ends -> slope by the sound [T]."""
    frames = irfft(slope, size, norm="forward")
    hop = size // 4
    out = np.zeros((len(frames) + 4) * hop, np.float32)
    _overlapped(frames, hann(size), out)
    return out[size // 2 :][:samples]


@njit(nogil=True, fastmath=True, error_model="numpy", cache=True)
def _magnitudes(bins, wanted, got):
    """Magnitudes of bins, and the sum of how far they are from those that are wanted."""
    total = 0.0
    for f in range(len(bins)):
        here, there, out, apart = bins[f], wanted[f], got[f], _ZERO
        for n in range(here.size):
            out[n] = np.sqrt(here[n].real * here[n].real + here[n].imag * here[n].imag + TINY)
            apart += abs(out[n] - there[n])
        total += apart
    return total


@njit(nogil=True, fastmath=True, error_model="numpy", cache=True)
def _slopes(bins, got, wanted, weights, by_mel, linear, floor):
    """Turns bins into the slope by them, halved but at the ends, which an inverse transform counts once."""
    last = bins.shape[1] - 1
    for f in range(len(bins)):
        here, a, b, mel = bins[f], got[f], wanted[f], by_mel[f % len(by_mel)]
        for n in range(last + 1):
            side = _ZERO if a[n] == b[n] else (_ONE if a[n] > b[n] else -_ONE)
            here[n] *= np.float32(0.5) * (side * (weights[n] / (a[n] + floor) + linear) + mel[n]) / a[n]
        here[0] *= np.float32(2.0)
        here[last] *= np.float32(2.0)


@njit(nogil=True, fastmath=True, error_model="numpy", cache=True)
def _overlapped(frames, window, out):
    """Adds windowed frames at their places, a quarter of a window from each other."""
    hop = frames.shape[1] // 4
    for f in range(len(frames)):
        here, frame = out[f * hop : f * hop + window.size], frames[f]
        for n in range(window.size):
            here[n] += frame[n] * window[n]
