"""Compiled calls of Keras models, for whichever backend runs: shapes may change, compilation must not.

Shapes: B notes, F frames.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

JAX_STEP_FRAMES = 32


def compiled(call: Callable[..., Any], *, ranks: Sequence[int]) -> Callable[..., Any]:
    """A function of float32 numpy arrays of the given ranks that runs `call` as a graph and returns numpy arrays.

    On TensorFlow one graph serves every length. On JAX each new shape compiles once; callers keep lengths few. Other
    backends run eagerly.
    """
    import keras

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        graph = tf.function(call, input_signature=[tf.TensorSpec([None] * rank, tf.float32) for rank in ranks])
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


def frame_step() -> int:
    """Lengths in frames should be multiples of this: 1 where one graph serves all lengths."""
    import keras

    return JAX_STEP_FRAMES if keras.backend.backend() == "jax" else 1


def gradient(call: Callable[..., Any], *, ranks: Sequence[int]) -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """A function of float32 numpy arrays of the given ranks: value [...] of `call` and gradient of its sum by array 0.

    Compiled as `compiled` does.

    Raises:
        NotImplementedError: a backend other than TensorFlow and JAX.
    """
    import keras

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        @tf.function(input_signature=[tf.TensorSpec([None] * rank, tf.float32) for rank in ranks])
        def both(first: Any, *others: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(first)
                value = call(first, *others)
            return value, tape.gradient(value, first)

        return lambda *arrays: tuple(t.numpy() for t in both(*map(tf.constant, arrays)))
    if backend == "jax":
        import jax

        def summed(*arrays: Any) -> Any:
            value = call(*arrays)
            return value.sum(), value

        derived = jax.jit(jax.value_and_grad(summed, has_aux=True))

        def values(*arrays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            (_, value), slope = derived(*arrays)
            return np.asarray(value), np.asarray(slope)

        return values
    raise NotImplementedError(f"There is no gradient for the Keras backend {backend!r}; use tensorflow or jax.")
