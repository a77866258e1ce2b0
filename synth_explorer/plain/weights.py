"""Which weights the default family has: their names in a checkpoint, and their shapes."""

from __future__ import annotations

from collections.abc import Iterator

from synth_explorer.model.config import ModelConfig

PITCH_FEATURES = 25  # of `layers.pitch_features`

Shape = tuple[int, ...]


def shapes(config: ModelConfig) -> dict[str, Shape]:
    """Name -> shape of every weight of `model.autoencoder.Autoencoder`."""
    return dict((*_encoder(config), *_decoder(config)))


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
