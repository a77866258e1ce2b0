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
PARTS = 2  # of the frames: every second one is in one of them
_ZERO, _ONE = np.float32(0.0), np.float32(1.0)
_POOL = Helpers(2, thread_name_prefix="loss")


class _Wanted(NamedTuple):
    """The spectrum that is to be met at one resolution by one part of the frames: their magnitudes [F, N]; how many
    there are to a part, in the mean; by how much a difference, and a logarithm at each bin [N], counts; and, where this
    is the mel distance's resolution, mel bands [F, M]."""

    size: int
    part: int
    magnitudes: np.ndarray
    frames: float
    most: float  # of the sum of differences, beyond which they do not count
    linear: np.float32
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
        wanted = [self._parts(target, size * config.widening, with_mel=size == MEL_SIZE) for size in SIZES]
        self._wanted = [[each[part] for each in wanted if len(each[part].magnitudes)] for part in range(PARTS)]

    def _parts(self, target: np.ndarray, size: int, *, with_mel: bool) -> list[_Wanted]:
        magnitudes = magnitude(rfft(frame_centred(target, size, size // 4) * hann(size)))
        (frames, bins), mean = magnitudes.shape, float(magnitudes.mean() + _floor(size))
        frames /= PARTS
        linear = np.float32(self._linear / (frames * bins * mean))
        weights = self._below(np.arange(bins) * (self._rate_hz / size)) * np.float32(self._log / frames)
        found = []
        for part in range(PARTS):
            own = np.ascontiguousarray(magnitudes[part::PARTS])
            mel, most = self._filters(own) if with_mel else None, MOST * mean * frames * bins
            found.append(_Wanted(size, part, own, frames, most, linear, weights, mel))
        return found

    def _below(self, places_hz: np.ndarray) -> np.ndarray:
        """How much each of the places [N] counts in a mean: those beyond the band's end do not."""
        counts = (places_hz <= (self._band_hz or self._rate_hz)).astype(np.float32)
        return counts / counts.sum()

    def slope(self, output: np.ndarray, *, part: int) -> np.ndarray:
        """The slope, by a sound [T], of the distance at one of the `PARTS` of the frames; their mean is that of all."""
        first, *others = _POOL.map(lambda wanted: self._at(wanted, output), self._wanted[part])
        for other in others:
            first += other
        return first

    def _at(self, wanted: _Wanted, output: np.ndarray) -> np.ndarray:
        """What one resolution adds to the slope."""
        size, hop = wanted.size, wanted.size // 4
        bins = rfft(frame_centred(output, size, hop)[wanted.part :: PARTS] * hann(size))
        got = np.empty_like(wanted.magnitudes)
        linear = wanted.linear if _magnitudes(bins, wanted.magnitudes, got) < wanted.most else _ZERO
        by_mel = np.zeros((1, got.shape[1]), np.float32)
        if wanted.mel is not None:
            bands = self._filters(got)
            by_band = np.sign(bands - wanted.mel) / (bands + LOG_FLOOR)
            by_mel = self._filters.back(by_band * (self._mel_weights / np.float32(wanted.frames)))
        _slopes(bins, got, wanted.magnitudes, wanted.weights, by_mel, linear, _floor(size))
        frames = irfft(bins, size, norm="forward")
        out = np.zeros(len(output) + 2 * size, np.float32)
        _overlapped(frames, hann(size), PARTS * hop, out[wanted.part * hop :])
        return out[size // 2 :][: len(output)]


def _floor(size: int) -> np.float32:
    return LOG_FLOOR * np.float32(size / MEL_SIZE)


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
def _overlapped(frames, window, hop, out):
    """Adds windowed frames at their places."""
    for f in range(len(frames)):
        here, frame = out[f * hop : f * hop + window.size], frames[f]
        for n in range(window.size):
            here[n] += frame[n] * window[n]
