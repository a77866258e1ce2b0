"""Fewer multiplications: minimal filtering and Strassen's products against plain sums, alone and in the engine."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer.decode.wavenet import kernel, transforms
from synth_explorer.decode.wavenet.crew import Crew
from synth_explorer.decode.wavenet.decoder import WaveNetDecoder
from synth_explorer.decode.wavenet.minimal import sums_by_seven
from synth_explorer.decode.wavenet.numba_engine import NumbaEngine
from synth_explorer.decode.wavenet.packing import aligned, pack
from synth_explorer.decode.wavenet.transforms import (
    can_filter,
    can_take_seven,
    filter_weights,
    filtered,
    panels,
    phases,
    seven_weights,
)
from tests.decode.wavenet.stacks import assert_same_draws, inputs_for, random_stack

DILATIONS = (1, 2, 4, 3, 5, 16, 1)


@pytest.mark.parametrize("phase", [0, 1])
@pytest.mark.parametrize("dilation", [1, 2, 3, 8])
@pytest.mark.parametrize("taps", [2, 3])
def test_products_of_pairs_make_a_convolution(taps: int, dilation: int, phase: int) -> None:
    """Sample by sample, as `transforms` states it; the 45 samples end inside a pair."""
    rng = np.random.default_rng(0)
    g, x = rng.standard_normal((taps, 5, 7)), rng.standard_normal((45, 5))
    first, second = filter_weights(g)
    kept = np.zeros((dilation, 7))

    def at(t: int) -> np.ndarray:
        return x[t] if t >= 0 else np.zeros(5)

    for t in range(len(x)):
        plain = sum(at(t - (taps - 1 - k) * dilation) @ g[k] for k in range(taps))
        oldest, middle, newest = at(t - (taps - 1) * dilation), at(t - dilation), at(t)
        moment = t + phase * dilation
        if moment // dilation % 2:
            made = kept[moment % dilation] - (oldest - newest) @ second[0]
        elif taps == 2:
            made = (oldest - newest) @ first[0] + newest @ first[1]
            kept[moment % dilation] = newest @ first[1]
        else:
            m = [(oldest - newest) @ first[0], (middle + newest) @ first[1], (newest - middle) @ first[2]]
            made, kept[moment % dilation] = sum(m), m[1] - m[2]
        np.testing.assert_allclose(made, plain, atol=1e-12)


@pytest.mark.parametrize("notes", [2, 17, 33, 64])
def test_seven_products_make_the_sums(notes: int) -> None:
    rng = np.random.default_rng(0)
    width, outputs = 64, 192
    half = (notes + 1) // 2
    weights, bias = rng.standard_normal((width, outputs)), rng.standard_normal(outputs)
    gated, stream = rng.standard_normal((notes, width)), rng.standard_normal((notes, outputs))
    plain = stream + bias + gated @ weights
    w, bias, gated, stream = (
        aligned(a, np.float32) for a in (panels(seven_weights(weights[None]), 2), bias, gated, stream)
    )
    x, y, rows = (aligned(np.full(n, np.nan, np.float32)) for n in (7 * half * width // 2, 7 * half * 32, 6 * width))
    zeros = aligned(np.zeros(2 * width + outputs, np.float32))
    for first, last in ((0, 1), (1, 3)):
        sums_by_seven(
            w.ctypes.data, bias.ctypes.data, notes, width, gated.ctypes.data, stream.ctypes.data, 4 * outputs,
            x.ctypes.data, y.ctypes.data, rows.ctypes.data, zeros.ctypes.data, first, last,
        )  # fmt: skip
    np.testing.assert_allclose(stream, plain, atol=3e-5)


def saving(decoder: WaveNetDecoder, notes: int) -> tuple[int, int]:
    """How many layers of a session's first group are filtered, and how many take seven products."""
    conditioning = np.zeros((notes, 1, decoder.stack.channels), np.float32)
    layers = decoder._engine.open(conditioning, temperature=1.0).groups[0].layers
    return int((layers[:, kernel.KEPT] != 0).sum()), int((layers[:, kernel.SEVEN_SUM_W] != 0).sum())


@pytest.mark.slow
@pytest.mark.parametrize("taps", [2, 3])
@pytest.mark.parametrize(
    ("width", "skip", "notes", "threads", "seven"),
    [(32, 48, 9, 1, 0), (64, 64, 33, 1, 7), (64, 128, 34, 2, 7), (128, 64, 45, 3, 7), (50, 20, 17, 3, 0)],
)
def test_probabilities_stay_within_rounding(
    monkeypatch: pytest.MonkeyPatch, taps: int, width: int, skip: int, notes: int, threads: int, seven: int
) -> None:
    """Teams share the notes whatever their number; 50 samples end inside pairs of most layers."""
    monkeypatch.setattr(transforms, "SHARED_BYTES", 0)
    stack = random_stack(width=width, skip=skip, taps=taps, dilations=DILATIONS, levels=64)
    given = inputs_for(stack, notes=notes, samples=50)
    audio = np.random.default_rng(3).uniform(-1.0, 1.0, (notes, 50)).astype(np.float32)
    decoder = WaveNetDecoder(stack, engine="numba", threads=threads)
    assert saving(decoder, notes) == (7, seven)
    plain = WaveNetDecoder(stack, engine="reference").probabilities(**given, audio=audio)
    np.testing.assert_allclose(decoder.probabilities(**given, audio=audio), plain, atol=2e-6)


@pytest.mark.slow
@pytest.mark.parametrize("notes", [9, 33])
def test_draws_chunks_and_forced_audio_agree(notes: int) -> None:
    stack = random_stack(width=64, skip=64, taps=3, dilations=DILATIONS, gain=3.0)
    given = inputs_for(stack, notes=notes, samples=100)
    options = {"seeds": range(notes), "samples": 100}
    decoder = WaveNetDecoder(stack, engine="numba", threads=1)
    assert saving(decoder, notes) == (7, 7 if notes == 33 else 0)
    made = decoder.generate(**given, **options)
    uniforms = np.stack([np.random.default_rng(seed).random(100) for seed in range(notes)])
    plain = WaveNetDecoder(stack, engine="reference").generate(**given, **options)
    assert_same_draws(stack, given, uniforms, plain, made)
    for chunk_samples in (1, 7):
        chunks = list(decoder.stream(**given, **options, chunk_samples=chunk_samples))
        np.testing.assert_array_equal(np.concatenate(chunks, axis=1), made)
    np.testing.assert_array_equal(decoder.generate(**given, **options, forced=made[:, :37]), made)


def test_the_team_may_change_inside_a_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transforms, "SHARED_BYTES", 0)
    stack = random_stack(width=64, skip=64, taps=3, dilations=DILATIONS, gain=3.0)
    given = inputs_for(stack, notes=33, samples=60)
    alone = WaveNetDecoder(stack, engine="numba", threads=1).generate(**given, seeds=range(33), samples=60)
    sizes = iter([3, 1, 2] * 60)
    decoder = WaveNetDecoder(stack, engine="numba", threads=3)

    def samples(crew: Crew, wanted: int) -> int:
        crew.size = next(sizes)
        return min(wanted, 5)

    monkeypatch.setattr(Crew, "samples", samples)
    np.testing.assert_array_equal(decoder.generate(**given, seeds=range(33), samples=60), alone)


def test_kept_products_stay_within_their_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = random_stack(width=64, skip=64, taps=2, dilations=DILATIONS, levels=64)
    packed = pack(stack, "float32")
    assert all(filtered(packed, 9))
    monkeypatch.setattr(transforms, "KEPT_BYTES", (8 * 64 * 9 * 7, 1e9))  # dilations 1, 1, 2, 3: 7 samples
    assert filtered(packed, 9) == [True, True, False, True, False, False, True]
    decoder = WaveNetDecoder(stack, engine="numba", threads=1)
    assert saving(decoder, 9) == (4, 0)
    with monkeypatch.context() as large:
        large.setattr(transforms, "SHARED_BYTES", 0)
        assert all(filtered(packed, 9))  # weights from memory leave room for more
    given = inputs_for(stack, notes=9, samples=50)
    audio = np.random.default_rng(3).uniform(-1.0, 1.0, (9, 50)).astype(np.float32)
    plain = WaveNetDecoder(stack, engine="reference").probabilities(**given, audio=audio)
    np.testing.assert_allclose(decoder.probabilities(**given, audio=audio), plain, atol=2e-6)


def test_costly_and_cheap_samples_balance() -> None:
    dilations = [2**i for i in range(10)] * 3
    starts = phases(dilations)
    costs = [sum((t + p) // d % 2 == 0 for d, p in zip(dilations, starts, strict=True)) for t in range(2048)]
    assert np.mean(costs) == 15 and min(costs) >= 10 and max(costs) <= 20
    assert np.mean(costs[:64]) == pytest.approx(15, abs=1)


def test_plain_products_where_these_do_not_fit() -> None:
    """Sizes that fill no panel, other precisions, one tap, few notes."""
    assert not can_filter(pack(random_stack(width=48), "float32"))
    assert not can_filter(pack(random_stack(width=64), "int8"))
    assert not can_take_seven(pack(random_stack(width=64, skip=32), "float32"))
    assert not any(filtered(pack(random_stack(width=64, taps=1), "float32"), 64))
    engine = NumbaEngine(random_stack(width=64, skip=64), threads=1)
    assert engine.saving(1) is None
    few, many = engine.saving(transforms.FILTER_NOTES[0]), engine.saving(transforms.SEVEN_NOTES)
    assert few is not None and many is not None and not few.seven and many.seven
