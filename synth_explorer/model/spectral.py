"""Distances of spectra, differentiable: multi-resolution STFT and the log-mel distance that evaluation reports.

Shapes: B notes, T samples, F frames, N bins, M bands.
"""

from __future__ import annotations

import numpy as np
from keras import ops

from synth_explorer.mel import mel_centres_hz, mel_filters
from synth_explorer.model.config import ModelConfig
from synth_explorer.model.frontend import LOG_FLOOR, spectrum

SIZES = (2048, 1024, 512, 256, 128)  # at `config.REFERENCE_RATE_HZ`; as long in seconds at other rates
DISTANCE_TOP_HZ = 20_000.0  # of the mel bands


class SpectralLoss:
    """Distance of two batches of audio [B, T], one figure per note [B].

    With S and Y the magnitudes of target and output at each of `SIZES` (hop a quarter): the mean of
    `linear * mean|S - Y| / mean S + log * mean|ln(S + e) - ln(Y + e)|`, e = 0.01 scaled with the window, plus
    `mel * mean|ln|` of HTK mel bands from 30 Hz at 1024 (hop 256), the floor 0.01; 80 bands, or as many as the model's
    configuration says. Sizes are samples at 16 kHz and grow with the rate, so that high partials are told apart too
    (ddsp #355). Multi-resolution STFT loss: Yamamoto et al. 2019, arXiv 1910.11480.

    Where the model's band ends below half the rate, or a note's own does (`bandwidth_hz` [B]), logarithms above do not
    count.
    """

    def __init__(self, config: ModelConfig, *, linear: float = 1.0, log: float = 0.5, mel: float = 1.0) -> None:
        self.linear, self.log, self.mel = linear, log, mel
        self.rate_hz, self.band_hz, self.widening = config.sample_rate_hz, config.band_hz, config.widening
        bands, high_hz = config.distance_bands, min(config.top_hz, DISTANCE_TOP_HZ)
        self.mel_size = 1024 * self.widening
        self.filters = mel_filters(
            bands, n_fft=self.mel_size, sample_rate_hz=self.rate_hz, low_hz=30.0, high_hz=high_hz
        )
        self.mel_tops_hz = mel_centres_hz(bands + 2, low_hz=30.0, high_hz=high_hz)[2:].astype(np.float32)

    def __call__(self, target, output, bandwidth_hz=None):
        total = 0.0
        for size in (size * self.widening for size in SIZES):
            wanted, got = spectrum(target, size, size // 4), spectrum(output, size, size // 4)
            floor = LOG_FLOOR * size / 1024
            linear = _mean(ops.abs(wanted - got)) / (_mean(wanted) + floor)
            apart = ops.abs(ops.log(wanted + floor) - ops.log(got + floor))
            log = self._mean_below(apart, np.arange(size // 2 + 1) * (self.rate_hz / size), bandwidth_hz)
            total = total + (self.linear * ops.minimum(linear, 10.0) + self.log * log) / len(SIZES)
        return total + self.mel * self.log_mel(target, output, bandwidth_hz)

    def log_mel(self, target, output, bandwidth_hz=None):
        """Mean |ln| of mel bands, [B]; times 8.686 it is the log-mel distance in dB (without alignment)."""
        size = self.mel_size
        wanted, got = (ops.matmul(spectrum(x, size, size // 4), self.filters) for x in (target, output))
        apart = ops.abs(ops.log(wanted + LOG_FLOOR) - ops.log(got + LOG_FLOOR))
        return self._mean_below(apart, self.mel_tops_hz, bandwidth_hz)

    def _mean_below(self, apart, places_hz: np.ndarray, bandwidth_hz):
        """Mean over frames and what lies at `places_hz` [N] below the end of the band: [B, F, N] -> [B]."""
        if not self.band_hz and bandwidth_hz is None:
            return _mean(apart)
        counts = (places_hz <= (self.band_hz or self.rate_hz)).astype(np.float32)[None]
        if bandwidth_hz is not None:
            counts = counts * ops.cast(places_hz.astype(np.float32) <= bandwidth_hz[:, None], "float32")
        frames = ops.mean(apart, axis=1)
        return ops.sum(frames * counts, axis=-1) / ops.sum(counts + ops.zeros_like(frames), axis=-1)


def _mean(x):
    """[B, F, N] -> [B]."""
    return ops.mean(x, axis=(1, 2))
