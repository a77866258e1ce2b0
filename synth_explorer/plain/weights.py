"""Which weights the networks have: their names in a checkpoint, and their shapes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from synth_explorer.model.config import PITCH_FEATURES, ModelConfig
from synth_explorer.model.wavenet_config import WaveNetConfig

if TYPE_CHECKING:
    import keras

Shape = tuple[int, ...]


def weights_of(model: keras.Model) -> dict[str, np.ndarray]:
    """Those that a Keras model has now, by name, float32."""
    arrays = zip(model.weights, model.get_weights(), strict=True)
    return {variable.path: np.asarray(array, np.float32) for variable, array in arrays}


def shapes(config: ModelConfig) -> dict[str, Shape]:
    """Name -> shape of every weight of `model.autoencoder.Autoencoder`."""
    return dict((*_encoder(config), *_decoder(config)))


def wavenet_shapes(config: WaveNetConfig) -> dict[str, Shape]:
    """Name -> shape of every weight of `model.wavenet.WaveNet`."""
    return dict((*_encoder(config), *_decoder(config), *_steps(config)))


def _encoder(config: ModelConfig) -> Iterator[tuple[str, Shape]]:
    width, blocks = config.encoder_width, config.encoder_blocks
    yield from _dense("encoder/entry", config.mel_bands + config.short_mel_bands, width)
    for i in range(blocks):
        yield from _residual(f"encoder/fine_block_{i}", width, 5)
    yield from _dense("encoder/down", 2 * config.subframes, width, width)
    yield from _dense("encoder/harmonic_entry", config.harmonic_features + config.half_partials, width)
    yield from _dense("encoder/pitch_entry", PITCH_FEATURES, width)
    yield from _dense("encoder/join", 3 * width, width)
    for i in range(blocks + 1):
        yield from _residual(f"encoder/block_{i}", width, 3)
    yield from _norm("encoder/norm", width)
    yield from _dense("encoder/exit", width, config.learned)


def _decoder(config: ModelConfig) -> Iterator[tuple[str, Shape]]:
    width, fine = config.decoder_width, config.fine_width
    yield from _dense("fast_decoder/entry", config.learned + PITCH_FEATURES, width)
    for i in range(config.decoder_blocks):
        yield from _residual(f"fast_decoder/block_{i}", width, 3)
    yield from _dense("fast_decoder/expand", width, config.subframes * fine)
    for i in range(config.fine_blocks):
        yield from _residual(f"fast_decoder/fine_block_{i}", fine, 3)
    yield from _norm("fast_decoder/norm", width)
    yield from _norm("fast_decoder/fine_norm", fine)
    yield from _dense("fast_decoder/frame_head", width, config.noise_bands + 1)
    yield from _dense("fast_decoder/fine_head", fine, sum(config.detail_sizes[:-1]) + config.fine_steps)


def _steps(config: WaveNetConfig) -> Iterator[tuple[str, Shape]]:
    width, head, told, outputs = config.width, config.head_width, config.told_width, 3 * config.mixtures
    yield from _dense("steps/entry", config.told, told)
    yield from _residual("steps/block", told, 3)
    yield from _norm("steps/norm", told)
    yield from _dense("steps/start", config.features, width)
    for i in range(len(config.dilations)):
        yield from _dense(f"steps/gates_{i}", 2 * width, 2 * config.gates)
        yield f"steps/told_{i}/kernel", (told, 2 * config.gates)
        yield from _dense(f"steps/residual_{i}", config.gates, width)
    yield from _dense("steps/head", width, head)
    yield "steps/head_told/kernel", (told, head)
    yield from _dense("steps/exit", head, outputs)
    yield "steps/straight/kernel", (config.features, outputs)


def _dense(name: str, *shape: int) -> Iterator[tuple[str, Shape]]:
    """A dense layer, or a convolution."""
    yield f"{name}/kernel", shape
    yield f"{name}/bias", shape[-1:]


def _norm(name: str, width: int) -> Iterator[tuple[str, Shape]]:
    yield f"{name}/gamma", (width,)
    yield f"{name}/beta", (width,)


def _residual(name: str, width: int, taps: int) -> Iterator[tuple[str, Shape]]:
    yield from _norm(f"{name}/norm", width)
    yield from _dense(f"{name}/conv", taps, width, width)
    yield from _dense(f"{name}/dense", width, width)
