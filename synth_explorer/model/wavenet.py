"""The WaveNet autoencoder that is trained here: the whole signal, sample by sample, from latents and pitch.

An encoder of dilated convolutions over the waveform finds z. A network at the frames' rate says of z and pitch how the
spectrum's envelope runs, and what the WaveNet (van den Oord et al. 2016, arXiv 1609.03499) is told. That one works in
the flat domain of linear prediction, where every sound has level one and a white envelope (LPCNet, Valin and Skoglund
2019, arXiv 1810.11846), makes a few samples a step, and draws each from a mixture of logistic distributions. It is told
the phase of the pitch, and what lies whole periods back, so that it holds the pitch it is given.

Shapes: B notes, T samples, F frames, J subframes, S steps, N samples of a step, C channels, M bands, K mixtures.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from synth_explorer.mel import mel_centres_hz
from synth_explorer.model import bands, prediction
from synth_explorer.model.bands import LN10_10, SCALE, TILT_LIMIT_DB, TILT_RIDGE
from synth_explorer.model.blocks import ResidualBlock, pitch_features
from synth_explorer.model.fast_decoder import upsample
from synth_explorer.model.frontend import FrontEnd, frame_centred, hann, scale_log
from synth_explorer.model.wavenet_config import (
    LEAST_DOUBT,
    LOG_SCALES,
    LONGEST_LAG,
    PARTS,
    REACH,
    WaveNetConfig,
    between,
)


class WaveEncoder(keras.Model):
    """Audio [B, T], pitch [B, F] in Hz -> z [B, F, C]."""

    def __init__(self, config: WaveNetConfig, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.config, width = config, config.encoder_width
        self.front_end = FrontEnd(config.measures, name="front_end")
        sizes = ((config.long_window, config.long_bands), (config.short_window, config.short_bands))
        self.banks = [_bank(config.sample_rate_hz, size, bands) for size, bands in sizes]
        self.entry = layers.Dense(width, activation="gelu", name="entry")
        self.fine_blocks = [
            ResidualBlock(width, dilation=2**i, name=f"fine_block_{i}") for i in range(config.encoder_blocks)
        ]
        self.down = layers.Conv1D(width, 2 * config.subframes, strides=config.subframes, name="down")
        self.pitch_entry = layers.Dense(width, name="pitch_entry")
        self.blocks = [ResidualBlock(width, dilation=2**i, name=f"block_{i}") for i in range(config.encoder_blocks)]
        self.norm = layers.LayerNormalization(epsilon=1e-5, name="norm")
        self.exit = layers.Dense(config.learned, name="exit")

    def call(self, audio, pitch_hz):
        config = self.config
        heard = []
        for bank in self.banks:
            parts = bank(frame_centred(audio, bank.size, config.subframe))
            real, imaginary = ops.split(parts, 2, axis=-1)
            heard.append(scale_log(ops.sqrt(real * real + imaginary * imaginary + 1e-12)))
        x = self.entry(ops.concatenate(heard, axis=-1))
        for block in self.fine_blocks:
            x = block(x)
        ahead, frames = config.subframes, ops.shape(pitch_hz)[1]
        x = self.down(ops.pad(x, [[0, 0], [ahead - 1, ahead + 1], [0, 0]]))[:, :frames]
        x = x + self.pitch_entry(pitch_features(pitch_hz))
        for block in self.blocks:
            x = block(x)
        attributes = self.front_end.attributes(self.front_end.hop_spectrum(audio))
        return ops.concatenate([attributes, self.exit(self.norm(x))], axis=-1)


def _bank(sample_rate_hz: int, size: int, bands: int) -> layers.Dense:
    """A bank of filters that begins as cosines and sines under a window, evenly spaced in mel."""
    centres_hz = mel_centres_hz(bands, low_hz=sample_rate_hz / size, high_hz=0.48 * sample_rate_hz)
    angle = np.outer(np.arange(size) - size / 2, 2.0 * np.pi * centres_hz / sample_rate_hz)
    filters = hann(size)[:, None] * np.concatenate([np.cos(angle), np.sin(angle)], axis=1)
    begin = keras.initializers.Constant(filters.astype(np.float32))
    bank = layers.Dense(2 * bands, use_bias=False, kernel_initializer=begin, name=f"bank_{size}")
    bank.size = size
    return bank


class Frames(keras.Model):
    """z [B, F, C], pitch [B, F] in Hz -> {"power" [B, J, M], "told" [B, J, W]}: the envelope, and the conditioning.

    What is told depends on the learned channels and the pitch alone. The envelope's loudness and centroid are those
    that channels 0 and 1 ask for.
    """

    def __init__(self, config: WaveNetConfig, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.config, self.measures = config, config.measures
        self.entry = layers.Dense(config.frame_width, activation="gelu", name="entry")
        dilations = [2 ** (i % 3) for i in range(config.frame_blocks)]
        self.blocks = [
            ResidualBlock(config.frame_width, dilation=d, name=f"block_{i}") for i, d in enumerate(dilations)
        ]
        self.expand = layers.Dense(config.fine_width * config.subframes, name="expand")
        self.fine_blocks = [ResidualBlock(config.fine_width, name=f"fine_block_{i}") for i in range(config.fine_blocks)]
        self.norm = layers.LayerNormalization(epsilon=1e-5, name="norm")
        small = keras.initializers.VarianceScaling(0.05, seed=1)
        self.envelope = layers.Dense(config.bands + 2, kernel_initializer=small, name="envelope")
        self._heard = bands.heard(config)

    def call(self, z, pitch_hz):
        config, measures = self.config, self.measures
        x = self.entry(ops.concatenate([z[..., 2:], pitch_features(pitch_hz)], axis=-1))
        for block in self.blocks:
            x = block(x)
        shape = ops.shape(x)
        fine = ops.reshape(self.expand(x), (shape[0], shape[1] * config.subframes, config.fine_width))
        for block in self.fine_blocks:
            fine = block(fine)
        told = self.norm(fine)
        said = self.envelope(told)
        log_power = ops.clip(SCALE * said[..., 2:] - self._heard.octaves * math.log(2.0), -20.0, 20.0)
        loudness_db = z[..., 0] / measures.loudness_units_per_db + measures.loudness_offset_db
        log_power = self._levelled(log_power, loudness_db, SCALE * said[..., 0])
        tilt = self._tilt(
            log_power, upsample(z[..., 1], config.subframes) + bands.MOST_OCTAVES * ops.tanh(said[..., 1])
        )
        log_power = log_power + (LN10_10 * tilt[..., None]) * self._heard.octaves
        log_power = self._levelled(log_power, loudness_db, SCALE * said[..., 0])
        return {"power": ops.exp(ops.clip(log_power, -40.0, 20.0)) + bands.FLOOR, "told": told}

    def _levelled(self, log_power, loudness_db, fine):
        """Log powers [B, J, M] of a loudness [B, F], which a `fine` level [B, J] shapes but may not change."""
        config = self.config
        wanted = LN10_10 * upsample(loudness_db, config.subframes) + ops.clip(fine, -10.0, 4.0)
        window = self.measures.n_fft // config.subframe
        weight = hann(window).astype(np.float64) ** 2
        seen = frame_centred(ops.exp(wanted), window, config.subframes)
        seen = ops.log(ops.sum(seen * (weight / weight.sum()).astype(np.float32), axis=-1) + 1e-14)
        wanted = wanted + upsample(ops.clip(LN10_10 * loudness_db - seen, -8.0, 8.0), config.subframes)
        now = ops.log(ops.sum(ops.exp(log_power) * self._heard.k_weights, axis=-1) + 1e-20)
        return log_power + (wanted - now)[..., None]

    def _tilt(self, log_power, target):
        """Tilt in dB per octave [B, J] that brings the centroid to `target`: bisection, then a step with gradients."""
        lines = ops.exp(0.5 * log_power) * self._heard.magnitudes
        frozen, frozen_target = ops.stop_gradient(lines), ops.stop_gradient(target)
        tilt, step = ops.zeros_like(target), TILT_LIMIT_DB
        for _ in range(bands.TILT_HALVINGS):
            step = step / 2.0
            tilt = tilt + ops.sign(frozen_target - self._centroid(frozen, tilt) - TILT_RIDGE * tilt) * step
        reach = bands.TILT_STEP_DB
        slope = (self._centroid(frozen, tilt + reach) - self._centroid(frozen, tilt - reach)) / (2.0 * reach)
        slope = ops.stop_gradient(ops.maximum(slope, 0.0) + TILT_RIDGE)
        tilt = ops.stop_gradient(tilt)
        error = target - self._centroid(lines, tilt) - TILT_RIDGE * tilt
        return ops.clip(tilt + error / slope, -TILT_LIMIT_DB, TILT_LIMIT_DB)

    def _centroid(self, lines, tilt):
        """log2 of the centroid over its reference, of lines [B, J, M] tilted by `tilt` dB per octave."""
        floor = self.measures.attribute_floor
        tilted = lines * ops.exp((0.5 * LN10_10) * tilt[..., None] * self._heard.octaves)
        moment = ops.sum(tilted * 2.0**self._heard.octaves, axis=-1)
        return ops.log2((moment + floor) / (ops.sum(tilted, axis=-1) + floor))


class Steps(keras.Model):
    """What was (flat, [B, T]), what is told [B, J, W] and where the pitch is -> a mixture for each sample.

    `cycles` [B, S]: phase of the pitch in cycles at each step's first sample. `period` [B, S]: its period in samples.
    `doubt` [B]: how much noise there is in what was, over its level: so that the network neither trusts it too much
    nor, where there is none, makes everything weaker. Returns weights' logits, means and log scales, [B, S, N, K] each.
    """

    def __init__(self, config: WaveNetConfig, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.config = config
        self.start = layers.Dense(config.width, name="start")
        self.gates = [layers.Dense(2 * config.gates, name=f"gates_{i}") for i in range(len(config.dilations))]
        self.told = [
            layers.Dense(2 * config.gates, use_bias=False, name=f"told_{i}") for i in range(len(config.dilations))
        ]
        small = keras.initializers.VarianceScaling(0.3, seed=0)
        self.residual = [
            layers.Dense(config.width, kernel_initializer=small, name=f"residual_{i}")
            for i in range(len(config.dilations))
        ]
        self.head = layers.Dense(config.head_width, name="head")
        self.head_told = layers.Dense(config.head_width, use_bias=False, name="head_told")
        outputs = 3 * config.step * config.mixtures
        tiny = keras.initializers.VarianceScaling(0.1, seed=2)
        self.exit = layers.Dense(outputs, kernel_initializer=tiny, name="exit")
        self.straight = layers.Dense(outputs, use_bias=False, kernel_initializer=tiny, name="straight")

    def call(self, flat, told, cycles, period, doubt):
        config = self.config
        features = self.features(flat, cycles, period, doubt)
        x = self.start(features)
        for dilation, gates, condition, residual in zip(
            config.dilations, self.gates, self.told, self.residual, strict=True
        ):
            before = ops.pad(x[:, :-dilation], [[0, 0], [dilation, 0], [0, 0]])
            sums = self._held(gates(ops.concatenate([x, before], axis=-1)), condition(told))
            gate, value = ops.split(sums, 2, axis=-1)
            x = x + residual(ops.sigmoid(gate) * ops.tanh(value))
        hidden = ops.relu(self._held(self.head(ops.relu(x)), self.head_told(told)))
        said = self.exit(hidden) + self.straight(features)
        shape = ops.shape(said)
        said = ops.reshape(said, (shape[0], shape[1], 3, config.step, config.mixtures))
        return said[:, :, 0], said[:, :, 1], ops.clip(said[:, :, 2] + config.log_scales, *LOG_SCALES)

    def features(self, flat, cycles, period, doubt):
        """What enters at each step: the samples before it, those around whole periods back, the phase, the doubt."""
        config, parts = self.config, []
        step, shape = config.step, ops.shape(cycles)
        past = LONGEST_LAG + config.context
        padded = ops.pad(flat, [[0, 0], [past, 0]])
        for i in range(config.context // step):
            begin = past - (i + 1) * step
            parts.append(ops.reshape(padded[:, begin : begin + shape[1] * step], (-1, shape[1], step)))
        at = past + step * np.arange(shape[1], dtype=np.int32)
        for lag in lags(period, config):
            whole = ops.ceil(lag)
            part = ops.cast(ops.round((whole - lag) * PARTS), "int32")
            weights = ops.take(between(), part, axis=0)
            begin = at - ops.cast(whole, "int32") - REACH
            offsets = np.arange(step + 2 + 2 * REACH - 1, dtype=np.int32)
            index = ops.reshape(begin[..., None] + offsets, (shape[0], -1))
            window = ops.reshape(ops.take_along_axis(padded, index, axis=1), (shape[0], shape[1], len(offsets)))
            taps = [window[..., k : k + step + 2] * weights[..., k, None] for k in range(2 * REACH)]
            parts.append(sum(taps[1:], taps[0]))
        if config.multiples:
            multiples = np.arange(1, config.multiples + 1, dtype=np.float32)
            angle = (2.0 * math.pi) * ops.mod(cycles[..., None] * multiples, 1.0)
            inside = ops.cast(period[..., None] > 2.0 * multiples, "float32")
            parts += [ops.cos(angle) * inside, ops.sin(angle) * inside]
        told = 1.0 + ops.log(ops.maximum(doubt, LEAST_DOUBT)) / math.log(10.0)
        parts.append(ops.broadcast_to(ops.reshape(told, (-1, 1, 1)), (*shape, 1)))
        return ops.concatenate(parts, axis=-1)

    def _held(self, x, told):
        """x [B, S, W] plus what is told [B, J, W], held for a subframe."""
        shape = ops.shape(x)
        steps = self.config.subframe // self.config.step
        return ops.reshape(ops.reshape(x, (shape[0], -1, steps, x.shape[-1])) + told[:, :, None], shape)


def lags(period, config: WaveNetConfig) -> list:
    """How far back the periods lie that a step reads, in samples: whole multiples of the period, beyond the step."""
    first = period * ops.ceil((config.step + 1.0 + REACH) / period)
    multiples = [first * (i + 1.0) for i in range(config.periods)]
    return [ops.where(lag > LONGEST_LAG - 2.0 * REACH, first, lag) for lag in multiples]


class WaveNet(keras.Model):
    """The autoencoder: `encoder`, `frames`, `steps`."""

    def __init__(self, config: WaveNetConfig, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.config = config
        self.encoder = WaveEncoder(config, name="encoder")
        self.frames = Frames(config, name="frames")
        self.steps = Steps(config, name="steps")

    def build_weights(self) -> None:
        """Create all weights, from shapes alone."""
        config, samples = self.config, 2 * self.config.hop
        pitch, steps = keras.KerasTensor((1, 2)), keras.KerasTensor((1, samples // config.step))
        told = keras.KerasTensor((1, samples // config.subframe, config.fine_width))
        self.encoder(keras.KerasTensor((1, samples)), pitch)
        self.frames(keras.KerasTensor((1, 2, config.channels)), pitch)
        self.steps(keras.KerasTensor((1, samples)), told, steps, steps, keras.KerasTensor((1,)))
        self.built = True

    def flatten(self, audio, power):
        """Sound [B, T] and envelope [B, J, M] -> the sound in the flat domain, and ln of the level [B, J]."""
        config = self.config
        a, level = prediction.predictor(power, order=config.order, sample_rate_hz=config.sample_rate_hz)
        return prediction.whiten(audio, a, level), ops.log(level)


def log_density(sample, logits, mean, log_scale):
    """ln of the density of samples [..] under mixtures of logistic distributions [.., K]."""
    z = (sample[..., None] - mean) * ops.exp(-log_scale)
    each = ops.log_softmax(logits, axis=-1) - z - log_scale - 2.0 * ops.softplus(-z)
    return ops.logsumexp(each, axis=-1)
