"""The spectral tilt that brings a frame's centroid where brightness asks for it: `FastDecoder._solve_tilt` in numpy.

Shapes: F frames, J = subframes * F, K partials (all), M bands of the noise, M_short of the short noise,
L = K + M + M_short lines of a frame's spectrum.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from synth_explorer.model.config import ModelConfig
from synth_explorer.plain.curves import pool, pool_back, split

LN10_20, LN2 = np.float32(np.log(10.0) / 20.0), np.float32(np.log(2.0))
HALF, TINY = np.float32(0.5), np.float32(1e-16)
HALVINGS = 7
STEP = np.float32(0.25)  # dB per octave, over which the slope of the centroid is measured


class Slopes(NamedTuple):
    """By harmonics [J, K], noise [F, M], short noise [J, M_short], level [J, steps], loudness [F] and target [F]."""

    harmonic: np.ndarray
    noise: np.ndarray
    short: np.ndarray
    level: np.ndarray
    loudness: np.ndarray
    target: np.ndarray


class Tilt:
    """Solves for the tilt of every frame by bisection, then one Newton step, which carries the slopes."""

    def __init__(
        self,
        config: ModelConfig,
        noise_matrix: np.ndarray,
        short_matrix: np.ndarray,
        noise_power: np.ndarray,
        short_power: np.ndarray,
    ) -> None:
        self.config, self._noise_power, self._short_power = config, noise_power, short_power
        scale = np.sqrt(np.pi) / 2.0 * np.sqrt(3.0 / 8.0 * config.n_fft)
        long_bins = noise_matrix.sum(1) * (config.n_fft / (2.0 * config.hop)) * scale
        short_bins = short_matrix.sum(1) * (config.n_fft / (2.0 * config.subframe)) * scale
        self._shown_bands = np.concatenate([long_bins, short_bins]).astype(np.float32)
        fixed_hz = np.concatenate([config.noise_hz, config.short_noise_hz])
        self._fixed = np.log2(np.maximum(fixed_hz, 20.0) / config.brightness_reference_hz).astype(np.float32)

    def solve(
        self,
        harmonic: np.ndarray,
        noise: np.ndarray,
        short: np.ndarray,
        level: np.ndarray,
        partials: tuple[np.ndarray, np.ndarray],
        loudness_db: np.ndarray,
        target: np.ndarray,
    ) -> tuple[np.ndarray, Callable[[np.ndarray], Slopes]]:
        """Tilt in dB per octave [F], so that the centroid is `target` (log2 over its reference), and the way back.

        `partials`: each frame's octaves over the reference, and K-weighting, [F, K].
        """
        config, steps = self.config, self.config.subframes
        octaves, weighting = partials
        loud = np.exp(level.mean(axis=1))
        mean = np.repeat(pool(loud, steps), steps) + np.float32(1e-9)
        weight = (loud / mean)[:, None]
        tones, clicks = pool(harmonic * weight, steps), pool(short * weight, steps)
        told = noise @ self._noise_power, clicks @ self._short_power
        power = HALF * np.einsum("fk,fk,fk->f", tones, tones, weighting) + TINY
        power += np.einsum("fm,fm->f", told[1], clicks) + np.einsum("fm,fm->f", told[0], noise)
        gain = np.exp(LN10_20 * loudness_db) / np.sqrt(power)
        shown = np.concatenate([np.full(tones.shape[1], config.n_fft / 2.0, np.float32), self._shown_bands])
        lines = np.concatenate([tones, noise, clicks], axis=1) * shown
        fixed = np.broadcast_to(self._fixed, (len(octaves), len(self._fixed)))
        highest = np.float32(np.log2(config.sample_rate_hz / 2 / config.brightness_reference_hz))
        octaves = np.concatenate([np.minimum(octaves, highest), fixed], axis=1)
        centroid = _Centroid(lines, octaves, gain, config)
        tilt, slope = self._search(centroid, target)
        error = target - centroid(tilt) - np.float32(config.tilt_ridge) * tilt
        exact, limit = tilt + error / slope, np.float32(config.tilt_limit_db)

        def back(given: np.ndarray) -> Slopes:
            by_target = given / slope * (np.abs(exact) < limit)
            by_lines, by_gain = centroid.back(tilt, -by_target)
            by_lines *= shown
            by_power = (-HALF * by_gain * gain / power)[:, None]
            by_tones, by_noise, by_clicks = split(by_lines, tuple(each.shape[1] for each in (tones, noise, clicks)))
            by_tones = by_tones + by_power * tones * weighting
            by_noise = by_noise + np.float32(2.0) * by_power * told[0]
            by_clicks = by_clicks + np.float32(2.0) * by_power * told[1]
            by_tones, by_clicks = pool_back(by_tones, steps), pool_back(by_clicks, steps)
            by_weight = np.einsum("jk,jk->j", by_tones, harmonic) + np.einsum("jm,jm->j", by_clicks, short)
            by_mean = -(by_weight * weight[:, 0] / mean).reshape(-1, steps).sum(axis=1)
            by_loud = (by_weight / mean + pool_back(by_mean, steps)) * loud / np.float32(level.shape[1])
            by_level = np.repeat(by_loud[:, None], level.shape[1], axis=1)
            by_loudness = by_gain * gain * LN10_20
            return Slopes(by_tones * weight, by_noise, by_clicks * weight, by_level, by_loudness, by_target)

        return np.clip(exact, -limit, limit), back

    def _search(self, centroid: _Centroid, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Tilt [F] to a hundredth of the limit, and how the centroid moves with it, octaves for a dB per octave [F]."""
        ridge, step = np.float32(self.config.tilt_ridge), np.float32(self.config.tilt_limit_db)
        tilt = np.zeros_like(target)
        for _ in range(HALVINGS):
            step = step / np.float32(2.0)
            tilt = tilt + np.sign(target - centroid(tilt) - ridge * tilt) * step
        slope = (centroid(tilt + STEP) - centroid(tilt - STEP)) / (np.float32(2.0) * STEP)
        return tilt, np.maximum(slope, np.float32(0.0)) + ridge


class _Centroid:
    """log2 of the centroid over its reference of lines [F, L] that are tilted, and raised by a gain [F]."""

    def __init__(self, lines: np.ndarray, octaves: np.ndarray, gain: np.ndarray, config: ModelConfig) -> None:
        self._lines, self._gain = lines, gain
        self._slant, self._ratio = LN10_20 * octaves, np.exp2(octaves)
        self._floor = np.float32(config.attribute_floor)

    def __call__(self, tilt: np.ndarray) -> np.ndarray:
        _, moment, total = self._sums(tilt)
        return np.log2(moment / total)

    def _sums(self, tilt: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """By how much lines are raised [F, L], their first moment and their sum [F], with the floor."""
        raised = tilt[:, None] * self._slant
        np.exp(raised, out=raised)
        lines = raised * self._lines
        moment = np.einsum("fl,fl->f", lines, self._ratio) * self._gain + self._floor
        return raised, moment, lines.sum(axis=1) * self._gain + self._floor

    def back(self, tilt: np.ndarray, slope: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Slope by the centroid [F] at a fixed tilt -> slopes by the lines [F, L] and by the gain [F]."""
        raised, moment, total = self._sums(tilt)
        by_line = self._ratio * (slope / (LN2 * moment))[:, None] - (slope / (LN2 * total))[:, None]
        by_line *= raised
        return by_line * self._gain[:, None], np.einsum("fl,fl->f", by_line, self._lines)
