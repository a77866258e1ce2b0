"""NSynth's WaveNet autoencoder (Engel et al. 2017, arXiv 1704.01279) as magenta 2.1.4 trained it, `h512_bo16`.

Layers carry magenta's names, so that its checkpoints map onto them one to one. Sound goes in and out as mu-law levels
from -levels/2 to levels/2 - 1; the network sees them divided by levels/2. Pitch has no track of its own: it is
somewhere in z.

Shapes: B notes, T samples (T = F * hop), F frames, C channels, W width, S skip width, Q levels.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from synth_explorer.model.nsynth_config import NSynthConfig
from synth_explorer.model.stack import Stack, StackLayer


def mu_law(audio, *, levels: int):
    """Audio [...] float32 -> mu-law levels [...], whole numbers as float32.

    floor(sign(x) log(1 + mu |x|) / log(1 + mu) * levels / 2) with mu = levels - 1. The order of operations is
    magenta's, since a sample on the edge of a level falls to either side by its last bit. Full scale is levels / 2.
    """
    mu = levels - 1
    compressed = ops.sign(audio) * ops.log(1.0 + mu * ops.abs(audio)) / math.log(1 + mu)
    return ops.floor(compressed * (levels // 2))


class _Network(keras.Model):
    """What both halves share: layers of one kind, built from their shapes alone."""

    def __init__(self, config: NSynthConfig, *, initializer: str = "glorot_uniform", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.config, self._initializer = config, initializer

    def _conv(self, width: int, taps: int, *, dilation: int, padding: str, name: str) -> layers.Layer:
        options = {"dilation_rate": dilation, "padding": padding, "kernel_initializer": self._initializer}
        return layers.Conv1D(width, taps, name=name, **options)

    def _dense(self, width: int, name: str) -> layers.Layer:
        return layers.Dense(width, kernel_initializer=self._initializer, name=name)

    def _build_layers(self) -> None:
        kernels = self.config.kernels()
        for layer in self.layers:
            layer.build((None, None, kernels[layer.name][1]))


class NSynthEncoder(_Network):
    """Audio [B, T] -> z [B, F, C]: thirty non-causal residual layers, then the mean over each hop."""

    def __init__(self, config: NSynthConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        width, taps, names = config.encoder_width, config.encoder_taps, range(1, config.encoder_layers + 1)
        dilations = [2 ** (i % config.encoder_stages) for i in range(config.encoder_layers)]
        self.start = self._conv(width, taps, dilation=1, padding="same", name="ae_startconv")
        self.dilated = [
            self._conv(width, taps, dilation=dilation, padding="same", name=f"ae_dilatedconv_{i}")
            for i, dilation in zip(names, dilations, strict=True)
        ]
        self.residual = [self._dense(width, f"ae_res_{i}") for i in names]
        self.bottleneck = self._dense(config.channels, "ae_bottleneck")

    def build(self, audio_shape=None) -> None:
        self._build_layers()

    def call(self, audio):
        levels = self.config.levels
        x = self.start(mu_law(audio, levels=levels)[..., None] / (levels // 2))
        for dilated, residual in zip(self.dilated, self.residual, strict=True):
            x = x + residual(ops.relu(dilated(ops.relu(x))))
        z = self.bottleneck(x)
        batch = ops.shape(z)[0]
        return ops.mean(ops.reshape(z, (batch, -1, self.config.hop, self.config.channels)), axis=2)


class NSynthDecoder(_Network):
    """Levels [B, T] and z [B, F, C] -> logits [B, T, Q] of each sample, given the true ones before it.

    `generate` belongs to the decoding engines, which get the weights as a `Stack`.
    """

    def __init__(self, config: NSynthConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        width, skip = config.width, config.skip_width
        names = range(1, config.layers + 1)
        self.start = self._conv(width, config.taps, dilation=1, padding="causal", name="startconv")
        self.skip_start = self._dense(skip, "skip_start")
        self.dilated = [
            self._conv(2 * width, config.taps, dilation=self.dilation(i - 1), padding="causal", name=f"dilatedconv_{i}")
            for i in names
        ]
        self.condition = [self._dense(2 * width, f"cond_map_{i}") for i in names]
        self.residual = [self._dense(width, f"res_{i}") for i in names]
        self.skip = [self._dense(skip, f"skip_{i}") for i in names]
        self.out = self._dense(skip, "out1")
        self.out_condition = self._dense(skip, "cond_map_out1")
        self.logits = self._dense(config.levels, "logits")

    def dilation(self, layer: int) -> int:
        """Dilation of a layer, counted from 0."""
        return 2 ** (layer % self.config.stages)

    def build(self, levels_shape=None, z_shape=None) -> None:
        self._build_layers()

    def call(self, levels, z):
        half = self.config.levels // 2
        before = ops.pad(levels[:, :-1, None] / half, [[0, 0], [1, 0], [0, 0]])
        x = self.start(before)
        total = self.skip_start(x)
        for dilated, condition, residual, skip in zip(
            self.dilated, self.condition, self.residual, self.skip, strict=True
        ):
            gate, value = ops.split(self._held(dilated(x), condition(z)), 2, axis=-1)
            gated = ops.sigmoid(gate) * ops.tanh(value)
            x = x + residual(gated)
            total = total + skip(gated)
        return self.logits(ops.relu(self._held(self.out(ops.relu(total)), self.out_condition(z))))

    def _held(self, x, conditioning):
        """x [B, T, N] plus conditioning [B, F, N], held for a hop."""
        shape = ops.shape(x)
        framed = ops.reshape(x, (shape[0], -1, self.config.hop, x.shape[-1]))
        return ops.reshape(framed + conditioning[:, :, None], shape)


class NSynth(keras.Model):
    """The autoencoder: `encoder`, `decoder`, and its weights as the decoding engines want them."""

    def __init__(self, config: NSynthConfig, *, initializer: str = "glorot_uniform", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.config = config
        self.encoder = NSynthEncoder(config, initializer=initializer, name="encoder")
        self.decoder = NSynthDecoder(config, initializer=initializer, name="decoder")

    def build(self, audio_shape=None) -> None:
        self.encoder.build()
        self.decoder.build()

    def build_weights(self) -> None:
        """Create all weights, from shapes alone."""
        self.build()

    def call(self, audio):
        """Audio [B, T] -> {"z" [B, F, C], "levels" [B, T], "logits" [B, T, Q]}, teacher-forced.

        The target of logits[:, t] is levels[:, t] + Q / 2.
        """
        levels = mu_law(audio, levels=self.config.levels)
        z = self.encoder(audio)
        return {"z": z, "levels": levels, "logits": self.decoder(levels, z)}

    def stack(self) -> Stack:
        """The decoder's weights as plain arrays."""
        net = self.decoder
        rest = (net.skip, net.residual, net.condition, net.dilated)
        built = tuple(
            StackLayer(net.dilation(index), *_arrays(dilated), *_arrays(condition), *_arrays(residual), *_arrays(skip))
            for index, (skip, residual, condition, dilated) in enumerate(zip(*rest, strict=True))
        )
        start, skip_start = _arrays(net.start), _arrays(net.skip_start)
        ends = (*_arrays(net.out), *_arrays(net.out_condition), *_arrays(net.logits))
        return Stack(self.config.sample_rate_hz, self.config.hop, *start, *skip_start, built, *ends)


def _arrays(layer: layers.Layer) -> tuple[np.ndarray, np.ndarray]:
    """(kernel, bias) of a layer."""
    kernel, bias = (ops.convert_to_numpy(weight) for weight in (layer.kernel, layer.bias))
    return kernel, bias
