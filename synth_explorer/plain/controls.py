"""From what the network says to physical controls: `model.fast_decoder.FastDecoder.controls_of` in numpy.

Harmonics that lie beyond the band in every frame, most of them in most notes, are left out: they are never heard.

Shapes: F frames, J = subframes * F, S = fine_steps * J, K harmonics (those within the band), H partials half-way
between, M bands of the noise, M_short of the short noise, L = K + H + M + M_short lines of a frame's spectrum, D
numbers of detail, P points of the level in a frame.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import numpy as np

from synth_explorer.mel import LOWEST_HEARD_HZ, hz_to_mel, interpolation_matrix
from synth_explorer.model.config import ModelConfig
from synth_explorer.plain.curves import k_weighting, power_form, split, upsample, upsample_back
from synth_explorer.plain.level import Envelope
from synth_explorer.plain.tilt import Tilt

LN10_20 = np.float32(np.log(10.0) / 20.0)
TEN, TINY = np.float32(10.0), np.float32(1e-16)
HALF_BELOW = np.float32(5.0)  # natural log: partials between the harmonics start 43 dB under the envelope
LEAST, MOST = np.float32(-18.0), np.float32(15.0)  # natural log of an amplitude
LEVELS = np.float32(-10.0), np.float32(3.0)
BEYOND = np.float32(np.exp(-30.0))  # amplitude of what lies beyond the band
CENTROID_BIAS = np.float32(0.3)  # octaves, at most

Slopes = dict[str, np.ndarray]


class Told(NamedTuple):
    """Slopes by what the controls are made of: `network`'s outputs [F, M + 1] and [J, N], loudness and brightness
    [F, 2], the detail [F, D] and the fine level [F, P]."""

    frame: np.ndarray
    fine: np.ndarray
    attributes: np.ndarray
    detail: np.ndarray
    fine_level: np.ndarray


class Controls:
    """What the network said, z [F, C], pitch [F] in Hz, detail and fine level -> the controls of
    `model.fast_decoder.FastDecoder`.

    `harmonic` [J, K + H] amplitudes, `noise` [F, M] and `short_noise` [J, M_short] magnitudes and `level` [S] gains.
    """

    def __init__(self, config: ModelConfig) -> None:
        self.config = config
        self.noise_matrix = self._bins(config.noise_hz, 2 * config.hop)
        self.short_matrix = self._bins(config.short_noise_hz, 2 * config.subframe)
        self._noise_power, self._short_power = (
            power_form(matrix, sample_rate_hz=config.sample_rate_hz)
            for matrix in (self.noise_matrix, self.short_matrix)
        )
        self._noise_octaves, self._short_octaves = self._octaves(config.noise_hz), self._octaves(config.short_noise_hz)
        self._tilt = Tilt(config, self.noise_matrix, self.short_matrix, self._noise_power, self._short_power)
        self._envelope = Envelope(config)

    def _bins(self, centres_hz: np.ndarray, n_fft: int) -> np.ndarray:
        """[M, N] interpolation from bands to the bins of the noise synthesis, in magnitude."""
        bins_hz = np.arange(n_fft // 2 + 1) * self.config.sample_rate_hz / n_fft
        matrix = interpolation_matrix(bins_hz, centres_hz)
        matrix[:, bins_hz < LOWEST_HEARD_HZ] = 0.0  # no direct current, no rumble
        if self.config.band_hz:
            matrix[:, bins_hz > self.config.band_hz] = 0.0
        return matrix

    def _octaves(self, frequency_hz: np.ndarray) -> np.ndarray:
        reference = np.float32(self.config.brightness_reference_hz)
        return np.log2(np.maximum(frequency_hz, np.float32(20.0)) / reference).astype(np.float32)

    @cached_property
    def _sizes(self) -> tuple[int, ...]:
        """Of the parts of a subframe's outputs."""
        config = self.config
        bands = (config.envelope_bands, config.harmonic_offsets, config.short_noise_bands)
        return (*bands, config.fine_steps, config.half_partials)

    def __call__(
        self,
        frame: np.ndarray,
        fine: np.ndarray,
        z: np.ndarray,
        pitch_hz: np.ndarray,
        detail: np.ndarray,
        fine_level: np.ndarray,
        bandwidth_hz: float = 0.0,
    ) -> dict[str, np.ndarray]:
        return self.traced(frame, fine, z, pitch_hz, detail, fine_level, bandwidth_hz)[0]

    def traced(
        self,
        frame: np.ndarray,
        fine: np.ndarray,
        z: np.ndarray,
        pitch_hz: np.ndarray,
        detail: np.ndarray,
        fine_level: np.ndarray,
        bandwidth_hz: float = 0.0,
    ) -> tuple[dict[str, np.ndarray], Callable[[Slopes], Told]]:
        """The controls, and the way back.

        Nothing lies above `bandwidth_hz`, where that is given.
        """
        with np.errstate(over="ignore", invalid="ignore"):  # of latents that are far from any note
            return self._traced(frame, fine, z, pitch_hz, detail, fine_level, bandwidth_hz or np.inf)

    def _traced(self, frame, fine, z, pitch_hz, detail, fine_level, end_hz):
        config, steps = self.config, self.config.subframes
        envelope, offsets, short, level, half = split(fine, self._sizes)
        noise, bias = split(frame, (config.noise_bands, 1))
        level = level + fine_level.reshape(level.shape)
        *sizes, bands = config.detail_sizes
        own = upsample(detail[:, :-bands], steps)
        envelope, offsets, short, half = (
            x + y for x, y in zip((envelope, offsets, short, half), split(own, tuple(sizes)), strict=True)
        )
        top_hz = min(self._top_hz, end_hz)
        multiples = self._within(pitch_hz, top_hz)
        frequency_hz = upsample(pitch_hz, steps)[:, None] * multiples
        harmonic, to_harmonic = self._partials(envelope, offsets, half, frequency_hz, multiples, top_hz)
        noise = noise * np.float32(2.0) + detail[:, -bands:] - np.float32(7.0)
        noise, to_noise = _amplitude(noise, _gate(config.noise_hz, end_hz))
        short, to_short = _amplitude(short - np.float32(8.0), _gate(config.short_noise_hz, end_hz))
        heard, bias = np.clip(level, *LEVELS), np.tanh(bias[:, 0])
        loudness_db = z[:, 0] / np.float32(config.loudness_units_per_db) + np.float32(config.loudness_offset_db)
        target = z[:, 1] + CENTROID_BIAS * bias
        octaves, weighting = self._octaves(frequency_hz), k_weighting(frequency_hz)
        partials = octaves[::steps], weighting[::steps]
        tilt, to_tilted = self._tilt.solve(harmonic, noise, short, heard, partials, loudness_db, target)
        fine_tilt = upsample(tilt, steps)
        bent = (
            _bent(harmonic, fine_tilt, octaves),
            _bent(noise, tilt, self._noise_octaves),
            _bent(short, fine_tilt, self._short_octaves),
        )
        power = np.float32(0.5) * np.einsum("jk,jk,jk->j", bent[0], bent[0], weighting)
        told = bent[1] @ self._noise_power, bent[2] @ self._short_power
        power += np.einsum("jm,jm->j", told[1], bent[2])
        power += upsample(np.einsum("fm,fm->f", told[0], bent[1]), steps) + TINY
        shape_db = upsample(-TEN * np.log10(power), config.fine_steps)
        envelope_db, to_envelope = self._envelope(loudness_db, heard.reshape(-1) / LN10_20)
        level_db = shape_db + envelope_db
        gain = np.exp(LN10_20 * np.minimum(level_db, np.float32(200.0)))
        parts = {"harmonic": bent[0], "noise": bent[1], "short_noise": bent[2], "level": gain}

        def back(slopes: Slopes) -> Told:
            by_db = slopes["level"] * gain * LN10_20 * (level_db < 200.0)
            of_loudness, of_heard = to_envelope(by_db)
            by_power = upsample_back(by_db, config.fine_steps) * np.float32(-10.0 / np.log(10.0)) / power
            by_bent = (
                slopes["harmonic"] + by_power[:, None] * (bent[0] * weighting),
                slopes["noise"] + (2.0 * upsample_back(by_power, steps))[:, None] * told[0],
                slopes["short_noise"] + (np.float32(2.0) * by_power)[:, None] * told[1],
            )
            by_parts = [slope * part for slope, part in zip(by_bent, bent, strict=True)]
            by_fine_tilt = np.einsum("jk,jk->j", by_parts[0], octaves) + by_parts[2] @ self._short_octaves
            by_tilt = LN10_20 * (by_parts[1] @ self._noise_octaves + upsample_back(by_fine_tilt, steps))
            lines = to_tilted(by_tilt)
            by_log = [
                part + line * amplitude
                for part, line, amplitude in zip(by_parts, lines[:3], (harmonic, noise, short), strict=True)
            ]  # slopes by the logarithms of amplitudes
            by_offsets = to_harmonic(by_log[0] / np.maximum(harmonic, 1e-30))
            by_noise, by_short = to_noise(by_log[1] / noise), to_short(by_log[2] / short)
            by_level = of_heard.reshape(heard.shape) / LN10_20 + lines.level
            by_level *= (level > LEVELS[0]) & (level < LEVELS[1])
            by_own = *by_offsets[:2], by_short, by_offsets[2]
            by_bias = CENTROID_BIAS * lines.target * (1.0 - np.square(bias))
            return Told(
                np.concatenate([np.float32(2.0) * by_noise, by_bias[:, None]], axis=1),
                np.concatenate([*by_offsets[:2], by_short, by_level, by_offsets[2]], axis=1),
                np.stack(
                    [(of_loudness + lines.loudness) / np.float32(config.loudness_units_per_db), lines.target], axis=1
                ),
                np.concatenate([upsample_back(np.concatenate(by_own, axis=1), steps), by_noise], axis=1),
                by_level.reshape(fine_level.shape),
            )

        return parts, back

    def _within(self, pitch_hz: np.ndarray, top_hz: float) -> np.ndarray:
        """`config.multiples` [K + H] without the harmonics that lie beyond the band at each pitch [F]."""
        config = self.config
        kept = max(config.harmonic_offsets, int(min(config.harmonics, top_hz / pitch_hz.min())))
        return np.concatenate([config.multiples[:kept], config.multiples[config.harmonics :]])

    @cached_property
    def _top_hz(self) -> float:
        """Where partials end."""
        return self.config.band_hz or 0.985 * self.config.sample_rate_hz / 2

    def _partials(self, envelope, offsets, half, frequency_hz, multiples, top_hz):
        """Envelope [J, M] and offsets of partials -> amplitudes [J, K + H], and the way back to all three."""
        config, bands = self.config, self.config.envelope_bands
        first_half = len(multiples) - config.half_partials
        low, part = self._places(frequency_hz)
        at = low + (np.arange(len(low)) * bands)[:, None]
        flat = envelope.reshape(-1)
        below = np.take(flat, at)
        value = np.take(flat, at + 1)
        value -= below
        value *= part
        value += below
        value[:, : config.harmonic_offsets] += offsets
        value[:, first_half:] += half - HALF_BELOW
        value -= np.log(multiples) * np.float32(0.7)
        amplitude, to_value = _amplitude(value, _gate(frequency_hz, top_hz))

        def back(slope: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            slope = to_value(slope)
            upper = slope * part
            by_band = np.bincount(at.reshape(-1), (slope - upper).reshape(-1), minlength=flat.size)
            by_band += np.bincount(at.reshape(-1) + 1, upper.reshape(-1), minlength=flat.size)
            by_envelope = by_band.reshape(envelope.shape).astype(np.float32)
            return by_envelope, slope[:, : config.harmonic_offsets], slope[:, first_half:]

        return amplitude, back

    def _places(self, frequency_hz: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Between which bands of the envelope frequencies [J, K + H] lie: the lower one, and the part of the way."""
        bands, centres_hz = self.config.envelope_bands, self.config.envelope_hz
        first, last = (float(hz_to_mel(edge)) for edge in (centres_hz[0], centres_hz[-1]))
        position = np.log(np.float32(1.0) + frequency_hz / np.float32(700.0)) * np.float32(2595.0 / np.log(10.0))
        position = (position - np.float32(first)) * np.float32((bands - 1) / (last - first))
        position = np.clip(position, np.float32(0.0), np.float32(bands - 1.001))
        low = position.astype(np.int64)
        return low, position - low.astype(np.float32)


def _gate(frequency_hz: np.ndarray, end_hz: float) -> np.ndarray:
    """What amplitudes at these frequencies are multiplied by, so that none is heard above `end_hz`."""
    return np.where(frequency_hz > end_hz, BEYOND, np.float32(1.0))


def _amplitude(x: np.ndarray, gate: np.ndarray) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """exp(bounded(x)) of `model.fast_decoder.bounded`: exp of softplus adds the least amplitude; and the way back."""
    grown = np.exp(np.minimum(x, MOST)) * gate
    return grown + np.exp(LEAST) * gate, lambda slope: slope * grown * (x < MOST)


def _bent(amplitude: np.ndarray, tilt: np.ndarray, octaves: np.ndarray) -> np.ndarray:
    """Amplitudes tilted by so many dB per octave."""
    return amplitude * np.exp((LN10_20 * tilt)[:, None] * octaves)
