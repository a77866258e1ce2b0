"""Compiled calls of Keras models, for whichever backend runs: shapes may change, compilation must not.

Shapes: B notes, F frames.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def compiled(call: Callable[..., Any], *, ranks: Sequence[int], last: Sequence[int] = ()) -> Callable[..., Any]:
    """A function of float32 numpy arrays of the given ranks that runs `call` as a graph and returns numpy arrays.

    `last` are the sizes of the last axes of the first arrays, where `call` must know them. On TensorFlow one graph
    serves every length. On JAX each new shape compiles once; callers keep lengths few. Other backends run eagerly.
    """
    import keras

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        shapes: list[list[int | None]] = [[None] * rank for rank in ranks]
        for shape, size in zip(shapes, last, strict=False):
            shape[-1] = size
        graph = tf.function(call, input_signature=[tf.TensorSpec(shape, tf.float32) for shape in shapes])
        return lambda *arrays: tf.nest.map_structure(lambda t: t.numpy(), graph(*map(tf.constant, arrays)))
    if backend == "jax":
        import jax

        jitted = jax.jit(call)
        return lambda *arrays: jax.tree.map(np.asarray, jitted(*arrays))
    return lambda *arrays: _to_numpy(call(*arrays))


def _to_numpy(value: Any) -> Any:
    from keras import ops

    if isinstance(value, dict):
        return {name: _to_numpy(item) for name, item in value.items()}
    if isinstance(value, tuple):
        return tuple(_to_numpy(item) for item in value)
    return ops.convert_to_numpy(value)
