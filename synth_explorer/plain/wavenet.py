"""The WaveNet autoencoder up to its steps: encoder, frames and linear prediction of `model.wavenet` in numpy.

Shapes: T samples, F frames, J = subframes * F, C channels, M bands, W width, P order.
"""

from __future__ import annotations

import math

import numpy as np

from synth_explorer.model import bands
from synth_explorer.model.wavenet_config import WaveNetConfig
from synth_explorer.plain.curves import upsample
from synth_explorer.plain.frontend import TINY, FrontEnd, frame_centred, hann, scale_log
from synth_explorer.plain.gelu import gelu
from synth_explorer.plain.halves import calm
from synth_explorer.plain.layers import Dense, Down, Norm, Residual, Weights, pitch_features

LN10_10 = np.float32(bands.LN10_10)
SCALE = np.float32(bands.SCALE)


class Encoder:
    """Audio [T], pitch [F] in Hz -> z [F, C]."""

    def __init__(self, config: WaveNetConfig, weights: Weights) -> None:
        self.config, self.front_end = config, FrontEnd(config.measures)
        self._banks = [weights[f"encoder/bank_{size}/kernel"] for size in (config.long_window, config.short_window)]
        self._entry, self._pitch_entry, self._exit = (
            Dense(weights, f"encoder/{name}") for name in ("entry", "pitch_entry", "exit")
        )
        blocks = range(config.encoder_blocks)
        self._fine_blocks = [Residual(weights, f"encoder/fine_block_{i}", dilation=2**i) for i in blocks]
        self._down = Down(weights, "encoder/down", step=config.subframes)
        self._blocks = [Residual(weights, f"encoder/block_{i}", dilation=2**i) for i in blocks]
        self._norm = Norm(weights, "encoder/norm")

    def __call__(self, audio: np.ndarray, pitch_hz: np.ndarray) -> np.ndarray:
        heard = []
        for bank in self._banks:
            parts = frame_centred(audio, len(bank), self.config.subframe) @ bank
            real, imaginary = np.split(parts, 2, axis=1)
            heard.append(scale_log(np.sqrt(real * real + imaginary * imaginary + TINY)))
        x = gelu(self._entry(np.concatenate(heard, axis=1)))
        for block in self._fine_blocks:
            x = block(x)
        x = self._down(x) + self._pitch_entry(pitch_features(pitch_hz))
        for block in self._blocks:
            x = block(x)
        return np.concatenate([self.front_end.attributes(audio), self._exit(self._norm(x))], axis=1)


class Frames:
    """z [F, C], pitch [F] in Hz -> powers of the envelope's bands [J, M], and what the steps are told [J, W]."""

    def __init__(self, config: WaveNetConfig, weights: Weights) -> None:
        self.config, self.measures, self._heard = config, config.measures, bands.heard(config)
        self._entry, self._expand, self._envelope = (
            Dense(weights, f"frames/{name}") for name in ("entry", "expand", "envelope")
        )
        self._blocks = [
            Residual(weights, f"frames/block_{i}", dilation=2 ** (i % 3)) for i in range(config.frame_blocks)
        ]
        self._fine_blocks = [Residual(weights, f"frames/fine_block_{i}") for i in range(config.fine_blocks)]
        self._norm = Norm(weights, "frames/norm")

    def __call__(self, z: np.ndarray, pitch_hz: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        config, octaves = self.config, self._heard.octaves
        x = gelu(self._entry(np.concatenate([z[:, 2:], pitch_features(pitch_hz)], axis=1)))
        for block in self._blocks:
            x = block(x)
        fine = self._expand(x).reshape(-1, config.fine_width)
        for block in self._fine_blocks:
            fine = block(fine)
        told = self._norm(fine)
        said = self._envelope(told)
        log_power = np.clip(SCALE * said[:, 2:] - octaves * np.float32(math.log(2.0)), -20.0, 20.0)
        wanted = self._level(self.loudness_db(z), SCALE * said[:, 0])
        log_power = self._levelled(log_power, wanted)
        moved = np.float32(bands.MOST_OCTAVES) * np.tanh(said[:, 1])
        tilt = self._tilt(log_power, upsample(z[:, 1], config.subframes) + moved)
        log_power = self._levelled(log_power + (LN10_10 * tilt[:, None]) * octaves, wanted)
        return np.exp(np.clip(log_power, -40.0, 20.0)) + np.float32(bands.FLOOR), told

    def loudness_db(self, z: np.ndarray) -> np.ndarray:
        """The loudness [F] that channel 0 asks for."""
        measures = self.measures
        return z[:, 0] / np.float32(measures.loudness_units_per_db) + np.float32(measures.loudness_offset_db)

    def _level(self, loudness_db: np.ndarray, fine: np.ndarray) -> np.ndarray:
        """ln of the K-weighted power [J] of a loudness [F], which a `fine` level [J] shapes but may not change."""
        steps = self.config.subframes
        wanted = LN10_10 * upsample(loudness_db, steps) + np.clip(fine, -10.0, 4.0)
        window = self.measures.n_fft // self.config.subframe
        weight = hann(window).astype(np.float64) ** 2
        seen = frame_centred(np.exp(wanted), window, steps) @ (weight / weight.sum()).astype(np.float32)
        missing = LN10_10 * loudness_db - np.log(seen + np.float32(1e-14))
        return wanted + upsample(np.clip(missing, -8.0, 8.0), steps)

    def _levelled(self, log_power: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        now = np.log(np.exp(log_power) @ self._heard.k_weights + np.float32(1e-20))
        return log_power + (wanted - now)[:, None]

    def _tilt(self, log_power: np.ndarray, target: np.ndarray) -> np.ndarray:
        """Tilt in dB per octave [J] that brings the centroid to `target`: bisection, then a step along the slope."""
        lines = np.exp(np.float32(0.5) * log_power) * self._heard.magnitudes
        limit, ridge, reach = (np.float32(x) for x in (bands.TILT_LIMIT_DB, bands.TILT_RIDGE, bands.TILT_STEP_DB))
        tilt, step = np.zeros_like(target), limit
        for _ in range(bands.TILT_HALVINGS):
            step = step / np.float32(2.0)
            tilt = tilt + np.sign(target - self._centroid(lines, tilt) - ridge * tilt) * step
        slope = (self._centroid(lines, tilt + reach) - self._centroid(lines, tilt - reach)) / (reach + reach)
        error = target - self._centroid(lines, tilt) - ridge * tilt
        return np.clip(tilt + error / (np.maximum(slope, np.float32(0.0)) + ridge), -limit, limit)

    def _centroid(self, lines: np.ndarray, tilt: np.ndarray) -> np.ndarray:
        """log2 of the centroid over its reference, of lines [J, M] tilted by `tilt` dB per octave."""
        floor, octaves = np.float32(self.measures.attribute_floor), self._heard.octaves
        tilted = lines * np.exp(np.float32(0.5) * LN10_10 * tilt[:, None] * octaves)
        moment = tilted @ np.exp2(octaves)
        return np.log2((moment + floor) / (tilted.sum(axis=1) + floor))


class WaveNet:
    """`encoder`, and `given`: what the steps' engine needs. From weights of the names of `weights.wavenet_shapes`."""

    def __init__(self, config: WaveNetConfig, weights: Weights) -> None:
        calm()
        self.config, self.encoder, self.frames = config, Encoder(config, weights), Frames(config, weights)

    def given(self, z: np.ndarray, pitch_hz: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """z [F, C], pitch [F] in Hz -> what the steps are told [J, W], linear prediction [J, P], its level [J]."""
        power, told = self.frames(z, pitch_hz)
        return told, *predictor(power, order=self.config.order, sample_rate_hz=self.config.sample_rate_hz)


def predictor(power: np.ndarray, *, order: int, sample_rate_hz: int) -> tuple[np.ndarray, np.ndarray]:
    """Band powers [J, M] -> coefficients [J, P] and level [J]; see `model.prediction.predictor`."""
    r = power @ bands.correlations(power.shape[1], order, sample_rate_hz)
    error, a = r[:, 0] * np.float32(1.0 + bands.WHITE), np.zeros((len(r), 0), np.float32)
    for i in range(1, order + 1):
        reflection = (r[:, i] - np.einsum("jp,jp->j", a, r[:, i - 1 : 0 : -1])) / error
        a = np.concatenate([a - reflection[:, None] * a[:, ::-1], reflection[:, None]], axis=1)
        error = error * (np.float32(1.0) - reflection * reflection)
    return a, np.sqrt(error)
