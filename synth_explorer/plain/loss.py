"""The distance of spectra that a fit makes small: `model.spectral.SpectralLoss` of one note, and its slope.

Shapes: T samples, F frames of a resolution, N bins, M bands.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.fft import irfft, rfft

from synth_explorer.mel import mel_centres_hz, mel_filters
from synth_explorer.model.config import ModelConfig
from synth_explorer.plain.frontend import LOG_FLOOR, frame_centred, hann, magnitude
from synth_explorer.runtime import Helpers

SIZES = (2048, 1024, 512, 256, 128)  # at `config.REFERENCE_RATE_HZ`; as long in seconds at other rates
MEL_SIZE = 1024
DISTANCE_TOP_HZ = 20_000.0  # of the mel bands
MOST = 10.0  # of the linear distance
_POOL = Helpers(2, thread_name_prefix="loss")


class _Wanted(NamedTuple):
    """The spectrum that is to be met at one resolution: magnitudes [F, N] and their logarithms; what the linear
    distance is divided by; log-mel bands [F, M] where this is the mel distance's resolution."""

    size: int
    magnitudes: np.ndarray
    logs: np.ndarray
    mean: float
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
        self._linear, self._log, self._mel = linear, log, mel
        self._rate_hz, self._band_hz = config.sample_rate_hz, bandwidth_hz or config.band_hz
        bands, high_hz = config.distance_bands, min(config.top_hz, DISTANCE_TOP_HZ)
        mel_size = MEL_SIZE * config.widening
        given = {"sample_rate_hz": config.sample_rate_hz, "low_hz": 30.0, "high_hz": high_hz}
        self._filters = mel_filters(bands, n_fft=mel_size, **given)
        tops_hz = mel_centres_hz(bands + 2, low_hz=30.0, high_hz=high_hz)[2:].astype(np.float32)
        self._mel_weights = self._below(tops_hz)
        self._wanted = [self._spectra(target, size * config.widening, with_mel=size == MEL_SIZE) for size in SIZES]

    def _spectra(self, target: np.ndarray, size: int, *, with_mel: bool) -> _Wanted:
        magnitudes, floor = magnitude(_stft(target, size)), _floor(size)
        mel = np.log(magnitudes @ self._filters + LOG_FLOOR) if with_mel else None
        return _Wanted(size, magnitudes, np.log(magnitudes + floor), float(magnitudes.mean() + floor), mel)

    def _below(self, places_hz: np.ndarray) -> np.ndarray:
        """How much each of the places [N] counts in a mean: those beyond the band's end do not."""
        counts = (places_hz <= (self._band_hz or self._rate_hz)).astype(np.float32)
        return counts / counts.sum()

    def __call__(self, output: np.ndarray) -> tuple[float, np.ndarray]:
        """The distance, and its slope by the output [T]."""
        found = list(_POOL.map(lambda wanted: self._at(wanted, output), self._wanted))
        slope = found[0][1]
        for _, further in found[1:]:
            slope = slope + further
        return float(sum(value for value, _ in found)), slope

    def _at(self, wanted: _Wanted, output: np.ndarray) -> tuple[float, np.ndarray]:
        """What one resolution adds to the distance and to its slope."""
        bins = _stft(output, wanted.size)
        got, floor = magnitude(bins), _floor(wanted.size)
        apart = got - wanted.magnitudes
        linear = float(np.abs(apart).mean()) / wanted.mean
        frames, share = len(got), 1.0 / len(SIZES)
        places_hz = np.arange(got.shape[1]) * (self._rate_hz / wanted.size)
        weights = self._below(places_hz) * np.float32(self._log * share / frames)
        raised = got + floor
        logs = np.log(raised)
        logs -= wanted.logs
        value = self._linear * share * min(linear, MOST) + float((np.abs(logs) @ weights).sum())
        slope = weights / raised
        if linear < MOST:
            slope += np.float32(self._linear * share / (apart.size * wanted.mean))
        slope *= np.sign(apart)
        if wanted.mel is not None:
            bands = got @ self._filters + LOG_FLOOR
            logs = np.log(bands) - wanted.mel
            mel_weights = self._mel_weights * np.float32(self._mel / frames)
            value += float((np.abs(logs) @ mel_weights).sum())
            slope += (np.sign(logs) * mel_weights / bands) @ self._filters.T
        slope /= got
        bins *= slope
        return value, _stft_back(bins, wanted.size, samples=len(output))


def _floor(size: int) -> np.float32:
    return LOG_FLOOR * np.float32(size / MEL_SIZE)


def _stft(audio: np.ndarray, size: int) -> np.ndarray:
    """[T] -> [F, N] complex64, F = 4 T / size."""
    return rfft(frame_centred(audio, size, size // 4) * hann(size))


def _stft_back(slope: np.ndarray, size: int, *, samples: int) -> np.ndarray:
    """Slope by real and imaginary parts of `_stft` [F, N] -> slope by the sound [T]."""
    slope[:, 1:-1] *= np.float32(0.5)  # the inverse counts them twice
    frames = irfft(slope, size) * (hann(size) * np.float32(size))
    hop, count = size // 4, len(frames)
    out = np.zeros((count + 4, hop), np.float32)
    for part in range(4):
        out[part : part + count] += frames[:, part * hop : (part + 1) * hop]
    return out.reshape(-1)[size // 2 : size // 2 + samples]
