"""The engine for any Keras backend and device: the loop over samples in `keras.ops`, compiled by XLA.

One compilation serves every length: a call takes up to `CHUNK` samples, how many is a number, and the state goes in and
out. What a layer looks back at lies in a ring of (K - 1) d vectors. The weights are arguments, not constants, so XLA
does not fold them.

JAX has no float64 unless the whole process asks for it, so the draw (see `levels.draw`) sums whole numbers instead,
which is exact in any order: weights are rounded to 2^-29 of the largest possible sum.

Shapes: B notes, T samples, F frames, C conditioning channels, X inputs a sample, W width, S skip width, Q levels,
K taps, N samples a call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from synth_explorer.decode.wavenet.levels import input_table
from synth_explorer.decode.wavenet.session import PLAIN, Block, Way
from synth_explorer.model.stack import Stack
from synth_explorer.quiet import import_keras

CHUNK = 512
UNIFORM_BITS, HALF_BITS = 30, 15


class KerasEngine:
    """Weights on the backend's device, and the compiled loops."""

    name = "keras"
    precision = "float32"

    def __init__(self, stack: Stack) -> None:
        import_keras()
        from keras import ops

        self.stack = stack
        self.shape = [(layer.dilation, layer.dilated.shape[0]) for layer in stack.layers]
        layers = [
            (
                layer.dilated.reshape(-1, 2 * stack.width),
                np.concatenate([layer.residual, layer.skip], axis=1),
                np.concatenate([layer.residual_bias, layer.skip_bias]),
            )
            for layer in stack.layers
        ]
        condition = np.concatenate([*(layer.condition for layer in stack.layers), stack.out_condition], axis=1)
        biases = [layer.condition_bias + layer.dilated_bias for layer in stack.layers]
        arrays = {
            "start": stack.start.reshape(-1, stack.width),
            "start_bias": stack.start_bias,
            "skip_start": stack.skip_start,
            "skip_start_bias": stack.skip_start_bias,
            "layers": layers,
            "condition": condition,
            "condition_bias": np.concatenate([*biases, stack.out_condition_bias + stack.out_bias]),
            "out": stack.out,
            "logits": stack.logits,
            "logits_bias": stack.logits_bias,
            "table": input_table(stack.levels),
        }
        self.weights = _map(ops.convert_to_tensor, arrays)
        self._loops = {keep: _compiled(_loop(stack, self.shape, keep)) for keep in (False, True)}

    def way(self, notes: int) -> Way:
        """Plain sums."""
        return PLAIN

    def open(self, conditioning: np.ndarray, *, temperature: float) -> KerasSession:
        """A session at time 0: conditioning [B, F, C]."""
        return KerasSession(self, conditioning, temperature)

    def loop(self, keep_logits: bool) -> Callable[..., Any]:
        """The compiled loop, with or without logits as its result."""
        return self._loops[keep_logits]


class KerasSession:
    """A batch in progress."""

    def __init__(self, engine: KerasEngine, conditioning: np.ndarray, temperature: float) -> None:
        from keras import ops

        self.engine, self.time = engine, 0
        stack, batch = engine.stack, len(conditioning)
        self.conditioning = ops.convert_to_tensor(np.ascontiguousarray(np.swapaxes(conditioning, 0, 1)))
        self.temperature = np.array(temperature, np.float32)
        taps0 = stack.start.shape[0]
        self.state = _map(
            ops.convert_to_tensor,
            (
                np.zeros(batch, np.float32),
                np.zeros((batch, (taps0 - 1) * stack.inputs), np.float32),
                [np.zeros(((k - 1) * d, batch, stack.width), np.float32) for d, k in engine.shape],
            ),
        )

    def advance(self, block: Block) -> None:
        """Generate the samples of a block; see `Block`."""
        keep = block.logits is not None
        loop = self.engine.loop(keep)
        for begin in range(0, block.samples, CHUNK):
            part = slice(begin, min(begin + CHUNK, block.samples))
            count = part.stop - part.start
            whole = np.floor(block.uniforms[:, part] * 2.0**UNIFORM_BITS).astype(np.int32)
            inputs = [_chunk(a) for a in (whole, block.forced[:, part], block.extra[:, part])]
            self.state, levels, logits = loop(
                self.engine.weights,
                self.state,
                self.conditioning,
                *inputs,
                np.array(self.time, np.int32),
                np.array(count, np.int32),
                self.temperature,
            )
            block.levels[:, part] = np.asarray(levels)[:count].T
            if block.logits is not None:
                block.logits[:, part] = np.swapaxes(np.asarray(logits)[:count], 0, 1)
            self.time += count


def _chunk(array: np.ndarray) -> np.ndarray:
    """[B, n, ...] -> [CHUNK, B, ...], zeros after n."""
    out = np.zeros((CHUNK, len(array), *array.shape[2:]), array.dtype)
    out[: array.shape[1]] = np.swapaxes(array, 0, 1)
    return out


def _loop(stack: Stack, shape: list[tuple[int, int]], keep: bool) -> Callable[..., Any]:
    """The function to compile."""
    width, hop, levels_count = stack.width, stack.hop, stack.levels

    def loop(
        weights: Any,
        state: Any,
        conditioning: Any,
        uniforms: Any,
        forced: Any,
        extra: Any,
        time: Any,
        count: Any,
        temperature: Any,
    ) -> Any:
        from keras import ops

        batch = uniforms.shape[1]
        levels = ops.zeros((CHUNK, batch), "int32")
        logits = ops.zeros((CHUNK if keep else 0, batch, levels_count), "float32")

        def at(array: Any, index: Any) -> Any:
            """array[index]; with `ops.slice`, TensorFlow compiles anew for each starting time."""
            return ops.take(array, index, axis=0)

        def put(array: Any, index: Any, value: Any) -> Any:
            return ops.slice_update(array, [index] + [0] * (len(array.shape) - 1), value[None])

        def body(i: Any, previous: Any, history: Any, rings: Any, levels: Any, logits: Any) -> Any:
            now = time + i
            condition = ops.matmul(at(conditioning, now // hop), weights["condition"]) + weights["condition_bias"]
            inputs = ops.concatenate([history, previous[:, None], at(extra, i)], axis=1)
            stream = ops.matmul(inputs, weights["start"]) + weights["start_bias"]
            total = ops.matmul(stream, weights["skip_start"]) + weights["skip_start_bias"]
            following = []
            for n, ((dilation, taps), (dilated, sums, bias), ring) in enumerate(
                zip(shape, weights["layers"], rings, strict=True)
            ):
                slots = (taps - 1) * dilation
                past = [at(ring, (now + k * dilation) % slots) for k in range(taps - 1)]
                gates = ops.matmul(ops.concatenate([*past, stream], axis=1), dilated)
                gates = gates + condition[:, 2 * width * n : 2 * width * (n + 1)]
                gated = ops.sigmoid(gates[:, :width]) * ops.tanh(gates[:, width:])
                following.append(put(ring, now % slots, stream) if slots else ring)
                added = ops.matmul(gated, sums) + bias
                stream, total = stream + added[:, :width], total + added[:, width:]
            hidden = ops.matmul(ops.relu(total), weights["out"]) + condition[:, 2 * width * len(shape) :]
            scores = ops.matmul(ops.relu(hidden), weights["logits"]) + weights["logits_bias"]
            level = _draw(scores, at(uniforms, i), temperature)
            told = at(forced, i)
            previous = ops.where(ops.isnan(told), ops.take(weights["table"], level), told)
            logits = put(logits, i, scores) if keep else logits
            return i + 1, previous, inputs[:, stack.inputs :], following, put(levels, i, level), logits

        start = (ops.zeros((), "int32"), *state, levels, logits)
        _, previous, history, rings, levels, logits = ops.while_loop(lambda i, *_: i < count, body, start)
        return (previous, history, rings), levels, logits

    return loop


def _draw(logits: Any, uniforms: Any, temperature: Any) -> Any:
    """Levels [B] int32 from logits [B, Q] and uniforms [B] in whole 2^-30ths, in exact whole numbers.

    The goal, floor(uniform * total), is a product of 30 by 29 bits, made of halves of 15 bits.
    """
    from keras import ops

    unit = 2.0**29 / logits.shape[1]
    spread = (logits - ops.max(logits, axis=1, keepdims=True)) / ops.maximum(temperature, 1e-30)
    sums = ops.cumsum(ops.cast(ops.round(ops.exp(spread) * unit), "int32"), axis=1)
    total = sums[:, -1]
    half = 2**HALF_BITS
    u1, u0, t1, t0 = uniforms // half, uniforms % half, total // half, total % half
    goal = u1 * t1 + (u1 * t0 + u0 * t1 + u0 * t0 // half) // half
    level = ops.argmax(ops.cast(sums > goal[:, None], "int32"), axis=1)
    level = ops.where(temperature > 0.0, level, ops.argmax(logits, axis=1))
    return ops.cast(level, "int32")


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` under XLA, for the backend that runs; eager on a backend without it."""
    import keras

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.function(function, jit_compile=True)
    if backend == "jax":
        import jax

        return jax.jit(function, donate_argnums=(1,))
    return function


def _map(function: Callable[[Any], Any], value: Any) -> Any:
    """`function` of every array in nested dicts, lists and tuples."""
    if isinstance(value, dict):
        return {name: _map(function, item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_map(function, item) for item in value)
    return function(value)
