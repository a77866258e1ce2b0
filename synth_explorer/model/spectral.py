"""Distances of spectra, differentiable: multi-resolution STFT and the log-mel distance that evaluation reports.

Shapes: B notes, T samples, F frames, N bins, M bands.
"""

from __future__ import annotations

from keras import ops

from synth_explorer.mel import mel_filters
from synth_explorer.model.config import ModelConfig
from synth_explorer.model.frontend import LOG_FLOOR, spectrum

SIZES = (2048, 1024, 512, 256, 128)


class SpectralLoss:
    """Distance of two batches of audio [B, T], one figure per note [B].

    With S and Y the magnitudes of target and output at each of `SIZES` (hop a quarter): the mean of
    `linear * mean|S - Y| / mean S + log * mean|ln(S + e) - ln(Y + e)|`, e = 0.01 scaled with the window, plus
    `mel * mean|ln|` of 80 HTK mel bands from 30 Hz at 1024 (hop 256), the floor 0.01. Multi-resolution STFT loss:
    Yamamoto et al. 2019, arXiv 1910.11480.
    """

    def __init__(self, config: ModelConfig, *, linear: float = 1.0, log: float = 0.5, mel: float = 1.0) -> None:
        self.linear, self.log, self.mel = linear, log, mel
        rate = config.sample_rate_hz
        self.filters = mel_filters(80, n_fft=1024, sample_rate_hz=rate, low_hz=30.0, high_hz=rate / 2)

    def __call__(self, target, output):
        total = 0.0
        for size in SIZES:
            wanted, got = spectrum(target, size, size // 4), spectrum(output, size, size // 4)
            floor = LOG_FLOOR * size / 1024
            linear = _mean(ops.abs(wanted - got)) / (_mean(wanted) + floor)
            log = _mean(ops.abs(ops.log(wanted + floor) - ops.log(got + floor)))
            total = total + (self.linear * ops.minimum(linear, 10.0) + self.log * log) / len(SIZES)
        return total + self.mel * self.log_mel(target, output)

    def log_mel(self, target, output):
        """Mean |ln| of mel bands, [B]; times 8.686 it is the log-mel distance in dB (without alignment)."""
        wanted, got = (ops.matmul(spectrum(x, 1024, 256), self.filters) for x in (target, output))
        return _mean(ops.abs(ops.log(wanted + LOG_FLOOR) - ops.log(got + LOG_FLOOR)))


def _mean(x):
    """[B, F, N] -> [B]."""
    return ops.mean(x, axis=(1, 2))
