"""Sound from the WaveNet that is trained here (`model.wavenet`): a few samples a step in the flat domain, and back.

Shapes: T samples, J subframes, S steps, N samples of a step, W width, P order, K mixtures.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit

from synth_explorer.decode.sines import cycles_of, linear
from synth_explorer.decode.wavenet.vectors import gate
from synth_explorer.model.wavenet_config import (
    LEAST_DOUBT,
    LOG_SCALES,
    LONGEST_LAG,
    PRE_EMPHASIS,
    WaveNetConfig,
    between,
)

LOW, HIGH = (np.float32(limit) for limit in LOG_SCALES)
LANES = 16  # gates and values lie in turns of so many


@dataclass(frozen=True)
class Sampling:
    """How samples are drawn from what the network says.

    A logistic distribution of scale s is drawn at s * temperature, and at less where s lies below `steady`: there the
    sound is periodic, and what is uncertain is the network. `tail` of the distribution is left out on either side.
    `doubt`: so much noise the network believes to be in what it has made.
    """

    temperature: float = 0.5
    steady: float = 0.3
    calm: float = 0.5
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
    between: np.ndarray

    @classmethod
    def of(cls, config: WaveNetConfig, weights: Mapping[str, np.ndarray]) -> FlatWeights:
        """From weights by their names in a checkpoint, float32."""
        count, half = len(config.dilations), config.gates
        turns = np.arange(2 * half).reshape(2, -1, LANES).swapaxes(0, 1).reshape(-1)

        def all_of(name: str) -> list[np.ndarray]:
            return [weights[f"steps/{name.format(i)}"] for i in range(count)]

        zeros = np.zeros((2, config.step, config.mixtures), np.float32)
        offsets = np.concatenate([zeros, np.broadcast_to(config.log_scales, zeros[:1].shape)]).reshape(-1)
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
            weights["steps/exit/bias"] + offsets,
            weights["steps/straight/kernel"],
            np.concatenate([*told, weights["steps/head_told/kernel"]], axis=1),
            np.concatenate([*told_bias, weights["steps/head/bias"]]),
            between(),
        )


class Given(NamedTuple):
    """What a note is made from: what the network is told [J, W], predictor [J, P], level [J], pitch [F] in Hz."""

    told: np.ndarray
    coefficients: np.ndarray
    level: np.ndarray
    pitch_hz: np.ndarray


def phases(pitch_hz: np.ndarray, config: WaveNetConfig) -> tuple[np.ndarray, np.ndarray]:
    """Cycles and period in samples at each step, [S] float32 each, of a pitch [F] in Hz."""
    parts = config.hop // config.step
    rate_hz = config.sample_rate_hz
    cycles = cycles_of(pitch_hz, subframes=parts, subframe=config.step, sample_rate_hz=rate_hz)[:, 0]
    return np.ascontiguousarray(cycles), (rate_hz / linear(np.asarray(pitch_hz, np.float64), parts)).astype(np.float32)


def stream(
    weights: FlatWeights, given: Given, *, seed: int, sampling: Sampling = SAMPLING, chunk_subframes: int = 32
) -> Iterator[np.ndarray]:
    """The sound of a note in chunks, float32; the same seed gives the same samples, whatever the chunks."""
    return (
        sound for _, sound in advance(weights, given, seed=seed, sampling=sampling, chunk_subframes=chunk_subframes)
    )


def advance(
    weights: FlatWeights, given: Given, *, seed: int, sampling: Sampling = SAMPLING, chunk_subframes: int = 32
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """As `stream`, with the sound in the flat domain beside it."""
    config = weights.config
    cycles, period = phases(given.pitch_hz, config)
    rng, count = np.random.default_rng(seed), len(given.level)
    past, order = LONGEST_LAG + config.context, given.coefficients.shape[1]
    flat = np.zeros(past + count * config.subframe, np.float32)
    sound = np.zeros(order + 1 + count * config.subframe)
    memory = np.zeros((sum(config.dilations), config.width), np.float32)
    inside = config.subframe // config.step
    told = np.asarray(given.told @ weights.told + weights.told_bias, np.float32)  # at once: its rounding is the note's
    for first in range(0, count, chunk_subframes):
        last = min(first + chunk_subframes, count)
        numbers = rng.random(((last - first) * inside, config.step, 2))
        numbers[..., 1] = np.clip(numbers[..., 1], sampling.tail, 1.0 - sampling.tail)
        numbers[..., 1] = np.log(numbers[..., 1]) - np.log1p(-numbers[..., 1])
        _advance(
            *(weights.start, weights.start_bias, weights.gates, weights.residual, weights.residual_bias, weights.head),
            *(weights.exit, weights.exit_bias, weights.straight, weights.between),
            *(np.array(config.dilations), config.step, config.context, config.periods, config.multiples),
            *(config.mixtures, told[first:last], cycles, period, numbers.astype(np.float32)),
            *(first * inside, flat, memory, math.log(max(sampling.temperature, 1e-6)), math.log(sampling.steady)),
            sampling.calm,
            1.0 + math.log10(max(sampling.doubt, LEAST_DOUBT)),
        )
        begin, end = first * config.subframe, last * config.subframe
        _filter(flat[past + begin : past + end], given.coefficients, given.level, config.subframe, first, sound)
        yield flat[past + begin : past + end], sound[order + 1 + begin : order + 1 + end].astype(np.float32)


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
def _read(features, flat, at, step, context, periods, multiples, between, cycles, period, doubt):
    """What enters at a step whose first sample is flat[at]; see `Steps.features`."""
    n = 0
    for i in range(context // step):
        for j in range(step):
            features[n] = flat[at - (i + 1) * step + j]
            n += 1
    reach, parts = between.shape[1] // 2, between.shape[0] - 1
    first = period * np.ceil(np.float32(step + 1 + reach) / period)
    for i in range(periods):
        lag = first * np.float32(i + 1)
        if lag > np.float32(LONGEST_LAG - 2 * reach):
            lag = first
        whole = int(np.ceil(lag))
        weights = between[int(np.rint((np.float32(whole) - lag) * np.float32(parts)))]
        for j in range(-1, step + 1):
            total = np.float32(0.0)
            for k in range(2 * reach):
                total += flat[at + j - whole - reach + 1 + k] * weights[k]
            features[n] = total
            n += 1
    for i in range(multiples):
        turn = np.float32(i + 1) * cycles
        angle = np.float32(2.0 * np.pi) * (turn - np.floor(turn))
        inside = period > np.float32(2 * (i + 1))
        features[n + i] = np.cos(angle) if inside else np.float32(0.0)
        features[n + multiples + i] = np.sin(angle) if inside else np.float32(0.0)
    features[n + 2 * multiples] = doubt


@njit(nogil=True, fastmath=True, cache=True)
def _draw(said, sample, mixtures, step, numbers, temperature, steady, calm):
    """One sample of the step's: a component, then its distribution."""
    count = step * mixtures
    base = sample * mixtures
    top = said[base]
    for k in range(1, mixtures):
        top = max(top, said[base + k])
    total = np.float32(0.0)
    for k in range(mixtures):
        total += np.exp(said[base + k] - top)
    left, chosen = numbers[0] * total, mixtures - 1
    for k in range(mixtures):
        left -= np.exp(said[base + k] - top)
        if left < 0.0:
            chosen = k
            break
    scale = min(max(said[2 * count + base + chosen], LOW), HIGH)
    scale += temperature + calm * min(scale - steady, np.float32(0.0))
    return said[count + base + chosen] + np.exp(scale) * numbers[1]


@njit(nogil=True, fastmath=True, cache=True)
def _advance(
    start, start_bias, gates, residual, residual_bias, head, exit_, exit_bias, straight, between,
    dilations, step, context, periods, multiples, mixtures, told, cycles, period, numbers,
    first, flat, memory, temperature, steady, calm, doubt,
):  # fmt: skip
    layers, width, doubled = len(dilations), start.shape[1], gates.shape[2]
    features = np.zeros(start.shape[0], np.float32)
    pair, sums, gated = (
        np.empty(2 * width, np.float32),
        np.empty(doubled, np.float32),
        np.empty(doubled // 2, np.float32),
    )
    hidden, said = np.empty(head.shape[1], np.float32), np.empty(exit_.shape[1], np.float32)
    x, past = np.empty(width, np.float32), LONGEST_LAG + context
    steps = len(numbers) // len(told)
    for s in range(len(numbers)):
        now, condition = first + s, told[s // steps]
        at = past + now * step
        _read(features, flat, at, step, context, periods, multiples, between, cycles[now], period[now], doubt)
        x[:] = start_bias
        _add(x, features, start)
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
        said[:] = exit_bias
        _add(said, hidden, exit_)
        _add(said, features, straight)
        for j in range(step):
            flat[at + j] = _draw(said, j, mixtures, step, numbers[s, j], temperature, steady, calm)


@njit(nogil=True, cache=True)
def _filter(flat, coefficients, level, subframe, first, sound):
    """The way back from the flat domain, float64; `sound` holds what was, after P + 1 zeros."""
    order = coefficients.shape[1]
    begin = order + 1 + first * subframe
    for n in range(len(flat)):
        j, t = first + n // subframe, begin + n
        total = level[j] * flat[n]
        for k in range(order):
            total += coefficients[j, k] * (sound[t - 1 - k] - PRE_EMPHASIS * sound[t - 2 - k])
        sound[t] = total + PRE_EMPHASIS * sound[t - 1]
