"""The WaveNet that finishes a note: a gated dilated stack on the fast decoder's sound (van den Oord et al. 2016).

It does not make the note but what the fast decoder left out of it (attacks, breath, inharmonic partials): its output is
a residual, in units of the local level (`guide`). Both forms of `WaveNetConfig` share the layers: the autoregressive
one is causal and gives mu-law levels, as in NSynth; the parallel one reads noise in place of its past, sees both ways
and gives the residual itself (after Parallel WaveGAN, Yamamoto et al. 2019, arXiv 1910.11480).

Shapes: B notes, T = F * hop samples, F frames, J = F * hop / condition_hop, C latent channels, N conditioning channels,
W width, S skip width, Q levels, G guides.
"""

from __future__ import annotations

import keras
import numpy as np
from keras import layers, ops

from synth_explorer.errors import CheckpointError
from synth_explorer.model.blocks import ResidualBlock, pitch_features
from synth_explorer.model.config import ModelConfig
from synth_explorer.model.fast_decoder import upsample
from synth_explorer.model.guide import GUIDES
from synth_explorer.model.stack import Stack, StackLayer
from synth_explorer.model.wavenet_config import WaveNetConfig


class WaveNet(keras.Model):
    """Past [B, T, 1], guides [B, T, G] and conditioning [B, J, N] -> [B, T, Q] logits, or [B, T, 1] (parallel).

    `past` at t is the residual at t - 1 in network units; in the parallel form it is noise.
    """

    def __init__(self, config: WaveNetConfig, sizes: ModelConfig, **kwargs) -> None:
        super().__init__(**kwargs)
        self.config, self.sizes = config, sizes
        if sizes.hop % config.condition_hop:
            raise CheckpointError(f"hop={sizes.hop} must be a multiple of condition_hop={config.condition_hop}.")
        width, skip = config.width, config.skip_width
        self.condition_entry = layers.Dense(config.condition_width, name="condition_entry")
        self.condition_blocks = [
            ResidualBlock(config.condition_width, dilation=2**i, name=f"condition_block_{i}") for i in range(2)
        ]
        self.condition_exit = layers.Dense(config.condition_channels, activation="tanh", name="condition_exit")
        self.start = layers.Dense(width, name="start")
        self.skip_start = layers.Dense(skip, name="skip_start")
        names = range(config.layers)
        self.dilated = [layers.Dense(2 * width, name=f"dilated_{i}") for i in names]
        self.condition = [layers.Dense(2 * width, use_bias=False, name=f"condition_{i}") for i in names]
        small = keras.initializers.VarianceScaling(1.0 / config.layers, seed=2)
        self.residual = [layers.Dense(width, kernel_initializer=small, name=f"residual_{i}") for i in names]
        self.skip = [layers.Dense(skip, kernel_initializer=small, name=f"skip_{i}") for i in names]
        self.out = layers.Dense(skip, name="out")
        self.out_condition = layers.Dense(skip, use_bias=False, name="out_condition")
        outputs = config.levels if config.form == "autoregressive" else 1
        silent = keras.initializers.VarianceScaling(0.01, seed=3)
        self.exit = layers.Dense(outputs, kernel_initializer=silent, name="exit")

    def build(self, past_shape=None) -> None:
        """Create all weights by running one frame of silence."""
        hop = self.sizes.hop
        c = self.conditioning(np.zeros((1, 1, self.sizes.channels), np.float32), np.full((1, 1), 220.0, np.float32))
        WaveNet.call(self, np.zeros((1, hop, 1), np.float32), np.zeros((1, hop, GUIDES), np.float32), c)
        self.built = True

    def conditioning(self, z, pitch_hz):
        """Latents [B, F, C] and pitch [B, F] in Hz -> [B, J, N] within -1..1, linear between frames."""
        x = self.condition_entry(ops.concatenate([z, pitch_features(pitch_hz)], axis=-1))
        for block in self.condition_blocks:
            x = block(x)
        return upsample(self.condition_exit(x), self.sizes.hop // self.config.condition_hop)

    def call(self, past, guides, conditioning):
        config = self.config
        x = self.start(self._tapped(ops.concatenate([past, guides], axis=-1), config.start_taps, 1))
        total = self.skip_start(x)
        for i in range(config.layers):
            x, total = self._layer(i, x, total, conditioning)
        total = ops.relu(self._held(self.out(ops.relu(total)), self.out_condition(conditioning)))
        return self.exit(total)

    def _layer(self, i: int, x, total, conditioning):
        taken = self._tapped(x, self.config.taps, self.config.dilation(i))
        gate, value = ops.split(self._held(self.dilated[i](taken), self.condition[i](conditioning)), 2, axis=-1)
        gated = ops.sigmoid(gate) * ops.tanh(value)
        return x + self.residual[i](gated), total + self.skip[i](gated)

    def _tapped(self, x, taps: int, dilation: int):
        """The inputs of a dilated convolution side by side, oldest first: [B, T, X] -> [B, T, taps * X].

        A convolution as one product: XLA has no fast dilated convolution on a CPU, and needs none. Causal, or centred
        in the parallel form.
        """
        samples, reach = ops.shape(x)[1], (taps - 1) * dilation
        before = reach if self.config.form == "autoregressive" else reach // 2
        padded = ops.pad(x, [[0, 0], [before, reach - before], [0, 0]])
        return ops.concatenate([padded[:, k * dilation : k * dilation + samples] for k in range(taps)], axis=-1)

    def _held(self, x, conditioning):
        """x [B, T, N] plus conditioning [B, J, N], held for its hop."""
        shape = ops.shape(x)
        framed = ops.reshape(x, (shape[0], -1, self.config.condition_hop, x.shape[-1]))
        return ops.reshape(framed + conditioning[:, :, None], shape)

    def stack(self) -> Stack:
        """Weights of the autoregressive form, as the decoding engines want them."""
        config = self.config
        built = []
        for i in range(config.layers):
            kernel, bias = _arrays(self.dilated[i])
            condition = ops.convert_to_numpy(self.condition[i].kernel)
            built.append(
                StackLayer(
                    config.dilation(i), kernel.reshape(config.taps, config.width, -1), bias,
                    condition, np.zeros_like(bias), *_arrays(self.residual[i]), *_arrays(self.skip[i]),
                )
            )  # fmt: skip
        start, start_bias = _arrays(self.start)
        start = start.reshape(config.start_taps, 1 + GUIDES, config.width)
        out_condition = ops.convert_to_numpy(self.out_condition.kernel)
        return Stack(
            self.sizes.sample_rate_hz, config.condition_hop, start, start_bias, *_arrays(self.skip_start), tuple(built),
            *_arrays(self.out), out_condition, np.zeros(config.skip_width, np.float32), *_arrays(self.exit),
        )  # fmt: skip


def _arrays(layer: layers.Layer) -> tuple[np.ndarray, np.ndarray]:
    """(kernel, bias) of a layer."""
    kernel, bias = (ops.convert_to_numpy(weight) for weight in (layer.kernel, layer.bias))
    return kernel, bias
