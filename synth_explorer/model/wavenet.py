"""The WaveNet autoencoder that is trained here: every sample of the sound is drawn, from latents, pitch and its past.

Encoder and the network at the frames' rate are the default model's: they say of z and pitch how strong each partial is
and what noise there is. From that the WaveNet (van den Oord et al. 2016, arXiv 1609.03499) is told an envelope, in
whose flat domain it works, where every sound has level one (as LPCNet, Valin and Skoglund 2019, arXiv 1810.11846), and
a source there, the pitch's partials (as the neural source-filter models of Wang et al. 2019, arXiv 1904.12088). Each
sample is drawn from a mixture of logistic distributions.

Shapes: B notes, T samples, F frames, S points, C channels, W numbers that are told, K mixtures.
"""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import layers, ops

from synth_explorer.model.autoencoder import Autoencoder
from synth_explorer.model.blocks import ResidualBlock
from synth_explorer.model.wavenet_config import LEAST_DOUBT, LOG_SCALES, WaveNetConfig


class Steps(keras.Model):
    """What was (flat, [B, T]), the source [B, T], what is told [B, S, W], the pitch's cycles [B, T] -> mixtures.

    `doubt` [B]: how much noise there is in what was, over its level: so that the network does not trust it too much.
    Returns weights' logits, means and log scales of each sample, [B, T, K] each. See `plain.wavenet` for what is told.
    """

    def __init__(self, config: WaveNetConfig, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.config, count = config, range(len(config.dilations))
        self.entry = layers.Dense(config.told_width, activation="gelu", name="entry")
        self.block = ResidualBlock(config.told_width, name="block")
        self.norm = layers.LayerNormalization(epsilon=1e-5, name="norm")
        self.start = layers.Dense(config.width, name="start")
        self.gates = [layers.Dense(2 * config.gates, name=f"gates_{i}") for i in count]
        self.told = [layers.Dense(2 * config.gates, use_bias=False, name=f"told_{i}") for i in count]
        small = keras.initializers.VarianceScaling(0.3, seed=0)
        self.residual = [layers.Dense(config.width, kernel_initializer=small, name=f"residual_{i}") for i in count]
        self.head = layers.Dense(config.head_width, name="head")
        self.head_told = layers.Dense(config.head_width, use_bias=False, name="head_told")
        tiny = keras.initializers.VarianceScaling(0.1, seed=2)
        self.exit = layers.Dense(3 * config.mixtures, kernel_initializer=tiny, name="exit")
        self.straight = layers.Dense(3 * config.mixtures, use_bias=False, kernel_initializer=tiny, name="straight")

    def call(self, flat, source, told, cycles, doubt):
        config = self.config
        told = self.norm(self.block(self.entry(told)))
        features = self.features(flat, source, cycles, doubt)
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
        logits, mean, log_scale = ops.split(said, 3, axis=-1)
        mean = mean + source[..., None]
        return logits, mean, ops.clip(log_scale + config.log_scales, *LOG_SCALES)

    def features(self, flat, source, cycles, doubt):
        """What enters at each sample [B, T, N]: those before it, the source around it, the phase, the doubt."""
        config, samples = self.config, flat.shape[1]
        past = ops.pad(flat, [[0, 0], [config.context, 0]])
        parts = [past[:, config.context - 1 - i :][:, :samples] for i in range(config.context)]
        near = ops.pad(source, [[0, 0], [config.around, config.around]])
        parts += [near[:, i : i + samples] for i in range(2 * config.around + 1)]
        angle = [(2.0 * math.pi) * ops.mod(cycles * (i + 1.0), 1.0) for i in range(config.turns)]
        parts += [ops.cos(each) for each in angle] + [ops.sin(each) for each in angle]
        parts.append(ops.broadcast_to(_told_doubt(doubt)[:, None], ops.shape(flat)))
        return ops.stack(parts, axis=-1)

    def _held(self, x, told):
        """x [B, T, W] plus what is told [B, S, W], held from point to point."""
        shape = x.shape
        rows = ops.reshape(x, (-1, shape[1] // self.config.point, self.config.point, shape[2]))
        return ops.reshape(rows + told[:, :, None], (-1, shape[1], shape[2]))


def _told_doubt(doubt):
    return 1.0 + ops.log(ops.maximum(doubt, LEAST_DOUBT)) / math.log(10.0)


class WaveNet(Autoencoder):
    """The default model with `steps`."""

    def __init__(self, config: WaveNetConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        self.config: WaveNetConfig = config
        self.steps = Steps(config, name="steps")

    def build_weights(self) -> None:
        """Create all weights, from shapes alone."""
        super().build_weights()
        config = self.config
        samples, told = (1, 2 * config.hop), (1, 2 * config.points, config.told)
        each = keras.KerasTensor(samples)
        self.steps(each, each, keras.KerasTensor(told), each, keras.KerasTensor((1,)))


def log_density(sample, logits, mean, log_scale):
    """ln of the density of samples [..] under mixtures of logistic distributions [.., K]."""
    z = (sample[..., None] - mean) * ops.exp(-log_scale)
    each = ops.log_softmax(logits, axis=-1) - z - log_scale - 2.0 * ops.softplus(-z)
    return ops.logsumexp(each, axis=-1)
