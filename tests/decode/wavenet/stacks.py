"""Random decoders for tests of the engines, and how to compare what two engines drew."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synth_explorer.decode.wavenet.decoder import WaveNetDecoder
from synth_explorer.decode.wavenet.levels import audio_table
from synth_explorer.model.stack import Stack, StackLayer


def random_stack(
    *,
    width: int = 16,
    skip: int = 16,
    dilations: Sequence[int] = (1, 2, 4, 8, 16),
    taps: int = 2,
    start_taps: int = 2,
    inputs: int = 1,
    channels: int = 4,
    levels: int = 256,
    hop: int = 32,
    gain: float = 1.0,
    seed: int = 0,
) -> Stack:
    """A stack whose weights keep signals near 1, with biases that are not zero; `gain` sharpens the distribution."""
    rng = np.random.default_rng(seed)

    def weights(*shape: int, gain: float = 1.0) -> np.ndarray:
        return (gain * rng.standard_normal(shape) / np.sqrt(np.prod(shape[:-1]))).astype(np.float32)

    def bias(count: int) -> np.ndarray:
        return (0.1 * rng.standard_normal(count)).astype(np.float32)

    layers = tuple(
        StackLayer(
            dilation=dilation,
            dilated=weights(taps, width, 2 * width),
            dilated_bias=bias(2 * width),
            condition=weights(channels, 2 * width),
            condition_bias=bias(2 * width),
            residual=weights(width, width),
            residual_bias=bias(width),
            skip=weights(width, skip),
            skip_bias=bias(skip),
        )
        for dilation in dilations
    )
    return Stack(
        sample_rate_hz=16_000,
        hop=hop,
        start=weights(start_taps, inputs, width),
        start_bias=bias(width),
        skip_start=weights(width, skip),
        skip_start_bias=bias(skip),
        layers=layers,
        out=weights(skip, skip),
        out_bias=bias(skip),
        out_condition=weights(channels, skip),
        out_condition_bias=bias(skip),
        logits=weights(skip, levels, gain=gain),
        logits_bias=bias(levels),
    )


def inputs_for(stack: Stack, *, notes: int, samples: int, seed: int = 1) -> dict[str, np.ndarray]:
    """Conditioning [B, F, C] and, if the stack wants them, extra inputs [B, T, X - 1]."""
    rng = np.random.default_rng(seed)
    frames = -(-samples // stack.hop)
    given = {"conditioning": rng.standard_normal((notes, frames, stack.channels)).astype(np.float32)}
    if stack.inputs > 1:
        given["extra"] = rng.standard_normal((notes, samples, stack.inputs - 1)).astype(np.float32)
    return given


def assert_same_draws(
    stack: Stack, given: dict[str, np.ndarray], uniforms: np.ndarray, a: np.ndarray, b: np.ndarray
) -> None:
    """Two renders [B, T] agree: alike in every sample, or up to one whose draw was a matter of rounding.

    Engines round differently, so a uniform number within 2e-6 of a boundary between two levels may fall on either side.
    """
    decoder, audio = WaveNetDecoder(stack, engine="reference"), audio_table(stack.levels)
    for note in range(len(a)):
        if np.array_equal(a[note], b[note]):
            continue
        first = int(np.argmax(a[note] != b[note]))
        own = {name: value[note : note + 1, : first + 1] for name, value in given.items() if name == "extra"}
        odds = decoder.probabilities(given["conditioning"][note : note + 1], a[note : note + 1, : first + 1], **own)
        boundary = np.cumsum(odds[0, first].astype(np.float64))
        level = int(np.argmax(audio == a[note, first]))
        near = np.abs(boundary[max(0, level - 1) : level + 1] - uniforms[note, first]).min()
        assert near < 2e-6, f"note {note} differs from sample {first} on, which no rounding explains"


def distance(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Total variation of distributions [..., Q]: the share of draws that differ."""
    return 0.5 * np.abs(p.astype(np.float64) - q).sum(axis=-1)
