"""Beginning a training run from an earlier checkpoint, also a smaller one: what it knew is kept, what is new is silent.

After Net2Net (Chen et al. 2015, arXiv 1511.05641), by zeros instead of copies: a larger layer begins with the smaller
one's weights and has zeros elsewhere; a new residual block adds nothing until it has learned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth_explorer import checkpoints
from synth_explorer.errors import SpecError

if TYPE_CHECKING:
    from synth_explorer.model.autoencoder import Autoencoder

BLOCK_EXIT = "/dense/kernel"  # the last weights of a ResidualBlock


def begin_from(model: Autoencoder, checkpoint: str) -> list[str]:
    """Give `model` the weights of a checkpoint (name or folder); returns the names that are new in the model.

    Raises:
        CheckpointError: no such checkpoint, or a damaged one.
        SpecError: it has weights that this model has no place for.
    """
    earlier = checkpoints.load_model(checkpoints.verify(checkpoint))
    known = {_name(v.path): w for v, w in zip(earlier.weights, earlier.get_weights(), strict=True)}
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
