"""Sound from the WaveNet that is trained here (`model.wavenet`): sample by sample in the flat domain, and back.

Shapes: T samples, S points, W numbers that are told, P order, K mixtures.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numba import njit

from synth_explorer.decode.wavenet.given import PRE_EMPHASIS, Given
from synth_explorer.decode.wavenet.vectors import gate
from synth_explorer.model.wavenet_config import LEAST_DOUBT, LOG_SCALES, WaveNetConfig

LOW, HIGH = (np.float32(limit) for limit in LOG_SCALES)
MOST_BESIDE = np.float32(4.0)
LANES = 16  # gates and values lie in turns of so many


@dataclass(frozen=True)
class Sampling:
    """How samples are drawn from what the network says.

    A logistic distribution of scale s is drawn at s * temperature, and at less where s lies below `steady`: there the
    sound is periodic, and what is uncertain is the network. `tail` of the distribution is left out on either side.
    `doubt`: so much noise the network believes to be in what it has made; told less, it may answer its own noise with
    more. Nothing lies further than `MOST_BESIDE` levels from the source.
    """

    temperature: float = 1.0
    steady: float = 0.3
    calm: float = 1.0
    tail: float = 0.01
    doubt: float = 0.1


SAMPLING = Sampling()


@dataclass(frozen=True, eq=False)
class FlatWeights:
    """Weights of `Steps` as the kernel wants them, float32: kernels [inputs, outputs]."""

    config: WaveNetConfig
    start: np.ndarray
    start_bias: np.ndarray
    gates: np.ndarray  # [layers, 2 W, 2 G], columns in turns of gates and values
    residual: np.ndarray  # [layers, G, W]
    residual_bias: np.ndarray
    head: np.ndarray
    exit: np.ndarray
    exit_bias: np.ndarray
    straight: np.ndarray
    told: np.ndarray  # [told, layers * 2 G + head]
    told_bias: np.ndarray

    @classmethod
    def of(cls, config: WaveNetConfig, weights: Mapping[str, np.ndarray]) -> FlatWeights:
        """From weights by their names in a checkpoint, float32."""
        count, half = len(config.dilations), config.gates
        turns = np.arange(2 * half).reshape(2, -1, LANES).swapaxes(0, 1).reshape(-1)

        def all_of(name: str) -> list[np.ndarray]:
            return [weights[f"steps/{name.format(i)}"] for i in range(count)]

        zeros = np.zeros(2 * config.mixtures, np.float32)
        told = [kernel[:, turns] for kernel in all_of("told_{}/kernel")]
        told_bias = [bias[turns] for bias in all_of("gates_{}/bias")]
        return cls(
            config,
            weights["steps/start/kernel"],
            weights["steps/start/bias"],
            np.ascontiguousarray(np.stack(all_of("gates_{}/kernel"))[..., turns]),
            np.stack(all_of("residual_{}/kernel")),
            np.stack(all_of("residual_{}/bias")),
            weights["steps/head/kernel"],
            weights["steps/exit/kernel"],
            weights["steps/exit/bias"] + np.concatenate([zeros, config.log_scales]),
            weights["steps/straight/kernel"],
            np.concatenate([*told, weights["steps/head_told/kernel"]], axis=1),
            np.concatenate([*told_bias, weights["steps/head/bias"]]),
        )


def stream(
    weights: FlatWeights, given: Given, *, seed: int, sampling: Sampling = SAMPLING, chunk_points: int = 32
) -> Iterator[np.ndarray]:
    """The sound of a note in chunks, float32; the same seed gives the same samples, whatever the chunks."""
    return (sound for _, sound in advance(weights, given, seed=seed, sampling=sampling, chunk_points=chunk_points))


def advance(
    weights: FlatWeights, given: Given, *, seed: int, sampling: Sampling = SAMPLING, chunk_points: int = 32
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """As `stream`, with the sound in the flat domain beside it."""
    config, (a, level) = weights.config, given.prediction
    rng, count, point = np.random.default_rng(seed), len(level), config.point
    context, order = config.context, a.shape[1]
    flat = np.zeros(context + count * point, np.float32)
    sound = np.zeros(order + 1 + count * point)
    memory = np.zeros((sum(config.dilations), config.width), np.float32)
    conditions = np.asarray(given.told @ weights.told + weights.told_bias, np.float32)  # at once, as chunks would round
    known = _known(given, config, 1.0 + math.log10(max(sampling.doubt, LEAST_DOUBT)))
    opening = np.asarray(known @ weights.start[context:] + weights.start_bias, np.float32)
    direct = np.asarray(known @ weights.straight[context:] + weights.exit_bias, np.float32)
    direct[:, config.mixtures : 2 * config.mixtures] += given.source[:, None]
    for first in range(0, count, chunk_points):
        last = min(first + chunk_points, count)
        begin, end = first * point, last * point
        numbers = rng.random((end - begin, 2))
        numbers[:, 1] = np.clip(numbers[:, 1], sampling.tail, 1.0 - sampling.tail)
        numbers[:, 1] = np.log(numbers[:, 1]) - np.log1p(-numbers[:, 1])
        _advance(
            *(weights.start[:context], weights.gates, weights.residual, weights.residual_bias, weights.head),
            *(weights.exit, weights.straight[:context], np.array(config.dilations), context, config.mixtures),
            *(conditions[first:last], opening[begin:end], direct[begin:end], given.source[begin:end]),
            numbers.astype(np.float32),
            *(begin, flat, memory, np.float32(math.log(max(sampling.temperature, 1e-6)))),
            *(np.float32(math.log(sampling.steady)), np.float32(sampling.calm)),
        )
        _filter(flat[context + begin : context + end], a, level, point, first, PRE_EMPHASIS, sound)
        yield flat[context + begin : context + end], sound[order + 1 + begin : order + 1 + end].astype(np.float32)


def _known(given: Given, config: WaveNetConfig, doubt: float) -> np.ndarray:
    """What enters at each sample [T, N] and does not depend on what is drawn; see `Steps.features`."""
    samples = len(given.source)
    near = np.pad(given.source, config.around)
    parts = [near[i : i + samples] for i in range(2 * config.around + 1)]
    angle = [np.float32(2.0 * np.pi) * np.mod(given.cycles * np.float32(i + 1), 1.0) for i in range(config.turns)]
    parts += [np.cos(each) for each in angle] + [np.sin(each) for each in angle]
    return np.stack([*parts, np.full(samples, doubt)], axis=1).astype(np.float32)


@njit(nogil=True, fastmath=True, cache=True)
def _add(y, x, w):
    """y += x w, x [N], w [N, M]."""
    whole = len(x) // 4 * 4
    for i in range(whole, len(x)):
        for m in range(len(y)):
            y[m] += x[i] * w[i, m]
    for i in range(0, whole, 4):
        a, b, c, d = x[i], x[i + 1], x[i + 2], x[i + 3]
        p, q, r, s = w[i], w[i + 1], w[i + 2], w[i + 3]
        for m in range(len(y)):
            y[m] += a * p[m] + b * q[m] + c * r[m] + d * s[m]


@njit(nogil=True, fastmath=True, cache=True)
def _draw(said, mixtures, numbers, temperature, steady, calm):
    """One sample: a component, then its distribution."""
    top = said[0]
    for k in range(1, mixtures):
        top = max(top, said[k])
    total = np.float32(0.0)
    for k in range(mixtures):
        total += np.exp(said[k] - top)
    left, chosen = numbers[0] * total, mixtures - 1
    for k in range(mixtures):
        left -= np.exp(said[k] - top)
        if left < 0.0:
            chosen = k
            break
    scale = min(max(said[2 * mixtures + chosen], LOW), HIGH)
    scale += temperature + calm * min(scale - steady, np.float32(0.0))
    return said[mixtures + chosen] + np.exp(scale) * numbers[1]


@njit(nogil=True, fastmath=True, cache=True)
def _advance(
    start, gates, residual, residual_bias, head, exit_, straight, dilations, context, mixtures, conditions, opening,
    direct, source, numbers, first, flat, memory, temperature, steady, calm,
):  # fmt: skip
    layers, width, doubled = len(dilations), start.shape[1], gates.shape[2]
    past = np.empty(context, np.float32)
    pair, sums, gated = (
        np.empty(2 * width, np.float32),
        np.empty(doubled, np.float32),
        np.empty(doubled // 2, np.float32),
    )
    hidden, said = np.empty(head.shape[1], np.float32), np.empty(exit_.shape[1], np.float32)
    x, point = np.empty(width, np.float32), len(numbers) // len(conditions)
    for t in range(len(numbers)):
        now, condition = first + t, conditions[t // point]
        for i in range(context):
            past[i] = flat[context + now - 1 - i]
        x[:] = opening[t]
        _add(x, past, start)
        base = 0
        for layer in range(layers):
            slot = memory[base + now % dilations[layer]]
            pair[:width], pair[width:] = x, slot
            slot[:] = x
            sums[:] = 0.0
            _add(sums, pair, gates[layer])
            here = condition[layer * doubled :]
            for block in range(doubled // 32):
                gate(sums.ctypes.data + 128 * block, here.ctypes.data + 128 * block, gated.ctypes.data + 64 * block)
            x += residual_bias[layer]
            _add(x, gated, residual[layer])
            base += dilations[layer]
        for i in range(width):
            x[i] = max(x[i], np.float32(0.0))
        hidden[:] = condition[layers * doubled :]
        _add(hidden, x, head)
        for i in range(len(hidden)):
            hidden[i] = max(hidden[i], np.float32(0.0))
        said[:] = direct[t]
        _add(said, hidden, exit_)
        _add(said, past, straight)
        beside = _draw(said, mixtures, numbers[t], temperature, steady, calm) - source[t]
        flat[context + now] = source[t] + min(max(beside, -MOST_BESIDE), MOST_BESIDE)


@njit(nogil=True, cache=True)
def _filter(flat, coefficients, level, point, first, emphasis, sound):
    """The way back from the flat domain, float64; `sound` holds what was, after P + 1 zeros."""
    order = coefficients.shape[1]
    begin = order + 1 + first * point
    for n in range(len(flat)):
        j, t = first + n // point, begin + n
        total = level[j] * flat[n]
        for k in range(order):
            total += coefficients[j, k] * (sound[t - 1 - k] - emphasis * sound[t - 2 - k])
        sound[t] = total + emphasis * sound[t - 1]
