"""Beginning a training run from an earlier checkpoint, also a smaller one: what it knew is kept, what is new is silent.

After Net2Net (Chen et al. 2015, arXiv 1511.05641), by zeros instead of copies: a larger layer begins with the smaller
one's weights and has zeros elsewhere; a new residual block adds nothing until it has learned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth_explorer import checkpoints
from synth_explorer.errors import SpecError
from synth_explorer.mel import interpolation_matrix, mel_centres_hz
from synth_explorer.model.config import ModelConfig

if TYPE_CHECKING:
    from synth_explorer.model.autoencoder import Autoencoder

BLOCK_EXIT = "/dense/kernel"  # the last weights of a ResidualBlock


def begin_from(model: Autoencoder, checkpoint: str) -> list[str]:
    """Give `model` the weights of a checkpoint (name or folder); returns the names that are new in the model.

    Raises CheckpointError: no such checkpoint, or a damaged one; SpecError: it has weights that this model has no place
    for.
    """
    earlier = checkpoints.load_model(checkpoints.verify(checkpoint))
    known = {_name(v.path): w for v, w in zip(earlier.weights, earlier.get_weights(), strict=True)}
    old = earlier.config
    if isinstance(old, ModelConfig) and old.sample_rate_hz != model.config.sample_rate_hz:
        known = widened(known, old, model.config)
    wanted = {_name(variable.path): variable for variable in model.weights}
    lost = sorted(set(known) - set(wanted))
    if lost:
        raise SpecError(f"The checkpoint {checkpoint} has weights that this model lacks: {len(lost)}, first {lost[0]}.")
    new = []
    for name, variable in wanted.items():
        if name in known:
            variable.assign(_grown(known[name], tuple(variable.shape), name=name))
            continue
        new.append(name)
        if name.endswith(BLOCK_EXIT):
            variable.assign(np.zeros(variable.shape, np.float32))
    return new


def widened(known: dict[str, np.ndarray], old: ModelConfig, new: ModelConfig) -> dict[str, np.ndarray]:
    """Weights of a model of another rate, its bands moved to where the new model's lie.

    Windows are as long in seconds, so layers between bands mean the same. A band that is read begins with the weights
    of the old one at its place, or none above the old band; a band that is made takes those of the old bands around it,
    above the old band the highest. Noise spreads over more bins, so it begins louder by the root of that.
    """
    out, heads = dict(known), ("fast_decoder/fine_head/", "fast_decoder/frame_head/")
    entry = known["encoder/entry/kernel"]
    out["encoder/entry/kernel"] = np.concatenate(
        [
            _read_bands(entry[: old.mel_bands], _mel(old, old.mel_bands), _mel(new, new.mel_bands)),
            _read_bands(entry[old.mel_bands :], _mel(old, old.short_mel_bands), _mel(new, new.short_mel_bands)),
        ]
    )
    louder = 0.5 * np.log(new.sample_rate_hz / old.sample_rate_hz)
    for kind in ("kernel", "bias"):
        add = louder if kind == "bias" else 0.0
        fine, frame = known[heads[0] + kind], known[heads[1] + kind]
        sizes = np.cumsum([old.envelope_bands, old.harmonic_offsets, old.short_noise_bands, old.fine_steps])
        envelope, offsets, short, level, half = np.split(fine, sizes, axis=-1)
        envelope = _made_bands(envelope, old.envelope_hz, new.envelope_hz)
        short = _made_bands(short, old.short_noise_hz, new.short_noise_hz) + 0.5 * add  # the head counts twice
        out[heads[0] + kind] = np.concatenate([envelope, offsets, short, level, half], axis=-1)
        noise, bias = np.split(frame, [old.noise_bands], axis=-1)
        noise = _made_bands(noise, old.noise_hz, new.noise_hz) + 0.5 * add
        out[heads[1] + kind] = np.concatenate([noise, bias], axis=-1)
    return out


def _mel(config: ModelConfig, bands: int) -> np.ndarray:
    """Centres of the front end's bands, in Hz."""
    return mel_centres_hz(bands + 2, low_hz=20.0, high_hz=config.top_hz)[1:-1]


def _read_bands(kernel: np.ndarray, old_hz: np.ndarray, new_hz: np.ndarray) -> np.ndarray:
    """[M, W] -> [M', W]."""
    weight = interpolation_matrix(new_hz, old_hz) * (new_hz <= old_hz[-1] * 1.01)
    return (weight.T @ kernel).astype(np.float32)


def _made_bands(weights: np.ndarray, old_hz: np.ndarray, new_hz: np.ndarray) -> np.ndarray:
    """[..., M] -> [..., M']."""
    return (weights @ interpolation_matrix(new_hz, old_hz)).astype(np.float32)


def _name(path: str) -> str:
    """The path of a weight from the encoder or decoder on: training models are named otherwise."""
    for part in ("encoder/", "fast_decoder/"):
        if path.startswith(part) or f"/{part}" in path:
            return path[path.index(part) :]
    return path


def _grown(values: np.ndarray, shape: tuple[int, ...], *, name: str) -> np.ndarray:
    """`values` at the beginning of zeros of `shape`."""
    if len(shape) != values.ndim or any(new < old for new, old in zip(shape, values.shape, strict=True)):
        raise SpecError(f"{name} has shape {values.shape} in the checkpoint and would have to shrink to {shape}.")
    out = np.zeros(shape, np.float32)
    out[tuple(slice(size) for size in values.shape)] = values
    return out
