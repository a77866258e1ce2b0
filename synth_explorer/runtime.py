"""Compiled calls of Keras models, for whichever backend runs: shapes may change, compilation must not.

Shapes: B notes, F frames.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

JAX_STEP_FRAMES = 32


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


def devices() -> list[str]:
    """What Keras computes on."""
    import keras

    return [f"{keras.backend.backend()} {name}" for name in keras.distribution.list_devices()]


def frame_step() -> int:
    """Lengths in frames should be multiples of this: 1 where one graph serves all lengths."""
    import keras

    return JAX_STEP_FRAMES if keras.backend.backend() == "jax" else 1


def gradient(call: Callable[..., Any], *, ranks: Sequence[int], by: int = 1) -> Callable[..., tuple[np.ndarray, ...]]:
    """A function of float32 numpy arrays of the given ranks: value [...] of `call`, and the gradients of its sum.

    There are `by` gradients, by the first arrays.

    Compiled as `compiled` does.

    Raises NotImplementedError: a backend other than TensorFlow and JAX.
    """
    import keras

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        @tf.function(input_signature=[tf.TensorSpec([None] * rank, tf.float32) for rank in ranks])
        def all_of(*arrays: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(arrays[:by])
                value = call(*arrays)
            return value, *tape.gradient(value, arrays[:by])

        return lambda *arrays: tuple(t.numpy() for t in all_of(*map(tf.constant, arrays)))
    if backend == "jax":
        import jax

        def summed(*arrays: Any) -> Any:
            value = call(*arrays)
            return value.sum(), value

        derived = jax.jit(jax.value_and_grad(summed, argnums=tuple(range(by)), has_aux=True))

        def values(*arrays: np.ndarray) -> tuple[np.ndarray, ...]:
            (_, value), slopes = derived(*arrays)
            return np.asarray(value), *map(np.asarray, slopes)

        return values
    raise NotImplementedError(f"There is no gradient for the Keras backend {backend!r}; use tensorflow or jax.")
