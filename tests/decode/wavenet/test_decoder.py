"""`WaveNetDecoder`: engines agree with the plain loop, and a note's samples depend on its seed only."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from synth_explorer.decode.wavenet.decoder import WaveNetDecoder
from synth_explorer.decode.wavenet.levels import audio_table
from synth_explorer.decode.wavenet.numba_engine import NumbaEngine
from synth_explorer.errors import SynthExplorerError
from tests.decode.wavenet.stacks import assert_same_draws, distance, inputs_for, random_stack

STACKS = {
    "two taps": {},
    "three taps": {"taps": 3, "start_taps": 3, "gain": 3.0},
    "one tap": {"taps": 1, "start_taps": 1, "dilations": (1, 1)},
    "odd sizes": {"width": 20, "skip": 24, "levels": 100, "taps": 3, "dilations": (1, 3, 6, 5), "hop": 17},
    "more inputs": {"inputs": 3, "width": 32, "start_taps": 3},
    "in quads": {"width": 64, "skip": 128, "dilations": (1, 2, 4, 8), "gain": 2.0},
    "no layers' order": {"dilations": (16, 1, 8), "width": 48, "skip": 32, "levels": 512},
}
KERAS = pytest.param("keras", marks=pytest.mark.long)
QUICK = ("three taps", "odd sizes", "more inputs", "in quads")
MIXED = {
    "width": 20, "skip": 24, "levels": 100, "taps": 3, "start_taps": 3, "inputs": 3, "dilations": (1, 3, 2), "hop": 17,
    "gain": 3.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def mixed() -> Callable[[str], WaveNetDecoder]:
    """A decoder of the mixed stack by engine, made and compiled once: tests give it two notes."""
    made: dict[str, WaveNetDecoder] = {}

    def get(engine: str) -> WaveNetDecoder:
        if engine not in made:
            made[engine] = WaveNetDecoder(random_stack(**MIXED), engine=engine)
        return made[engine]

    return get


def uniforms_for(notes: int, samples: int) -> np.ndarray:
    return np.stack([np.random.default_rng(seed).random(samples) for seed in range(notes)])


@pytest.mark.slow
@pytest.mark.parametrize("name", STACKS)
@pytest.mark.parametrize("notes", [1, 3, 4, 17])
def test_numba_draws_what_the_reference_draws(name: str, notes: int) -> None:
    stack = random_stack(**STACKS[name])
    given = inputs_for(stack, notes=notes, samples=300)
    uniforms = uniforms_for(notes, 300)
    plain = WaveNetDecoder(stack, engine="reference").generate(**given, seeds=range(notes), samples=300)
    made = WaveNetDecoder(stack, engine="numba").generate(**given, seeds=range(notes), samples=300)
    assert made.shape == (notes, 300) and made.dtype == np.float32
    assert len(np.unique(made)) > 20
    assert_same_draws(stack, given, uniforms, plain, made)


def test_one_note_of_a_small_network_reads_its_weights_in_quads() -> None:
    engines = {name: NumbaEngine(random_stack(**STACKS[name]), threads=1) for name in ("in quads", "odd sizes")}
    assert not engines["odd sizes"].quads(1) and not engines["in quads"].quads(2)
    for (gates, sums), layer in zip(engines["in quads"].quads(1), engines["in quads"].packed.layers, strict=True):
        for quads, plain in ((gates, layer.gates.weights), (sums, layer.sums.weights)):
            for block in range(len(plain)):
                np.testing.assert_array_equal(quads[block // 4, :, block % 4], plain[block])


@pytest.mark.long
@pytest.mark.parametrize("name", STACKS)
@pytest.mark.parametrize("notes", [1, 17])
def test_keras_draws_what_the_reference_draws(name: str, notes: int) -> None:
    stack = random_stack(**STACKS[name])
    given = inputs_for(stack, notes=notes, samples=200)
    plain = WaveNetDecoder(stack, engine="reference").generate(**given, seeds=range(notes), samples=200)
    made = WaveNetDecoder(stack, engine="keras").generate(**given, seeds=range(notes), samples=200)
    assert_same_draws(stack, given, uniforms_for(notes, 200), plain, made)


@pytest.mark.long
def test_keras_on_jax_draws_what_the_reference_draws(repository: Path) -> None:
    pytest.importorskip("jax")
    words = ["-m", "pytest", "-q", "-k", "engines_agree_on_the_mixed_stack", str(Path(__file__))]
    done = subprocess.run(
        [sys.executable, *words],
        cwd=repository,
        env=os.environ | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("temperature", [1.0, 0.5])
@pytest.mark.parametrize("engine", ["numba", "keras"])
def test_engines_agree_on_the_mixed_stack(mixed, engine: str, temperature: float) -> None:
    decoder = mixed(engine)
    given = inputs_for(decoder.stack, notes=2, samples=200)
    options = {"seeds": [0, 1], "samples": 200, "temperature": temperature}
    plain, made = mixed("reference").generate(**given, **options), decoder.generate(**given, **options)
    assert len(np.unique(made)) > 20
    if temperature == 1.0:
        assert_same_draws(decoder.stack, given, uniforms_for(2, 200), plain, made)
    else:
        assert not np.array_equal(plain, mixed("reference").generate(**given, seeds=[0, 1], samples=200))
        assert np.mean(plain == made) > 0.5  # a draw within rounding of a boundary sends the rest elsewhere


@pytest.mark.parametrize("engine", ["reference", "numba", KERAS])
def test_chunks_do_not_change_the_samples(mixed, engine: str) -> None:
    decoder = mixed(engine)
    given = inputs_for(decoder.stack, notes=2, samples=150)
    whole = decoder.generate(**given, seeds=[5, 6], samples=150)
    for chunk_samples in (1, 7, 512):
        chunks = list(decoder.stream(**given, seeds=[5, 6], samples=150, chunk_samples=chunk_samples))
        assert [chunk.shape[1] for chunk in chunks[:-1]] == [chunk_samples] * (len(chunks) - 1)
        np.testing.assert_array_equal(np.concatenate(chunks, axis=1), whole)


@pytest.mark.parametrize(
    "precision", ["float32", *(pytest.param(p, marks=pytest.mark.long) for p in ("int16", "int8"))]
)
@pytest.mark.parametrize("name", QUICK)
def test_neither_batch_nor_threads_change_a_note(name: str, precision: str) -> None:
    stack = random_stack(**STACKS[name])
    given = inputs_for(stack, notes=17, samples=120)
    alone = {key: value[11:12] for key, value in given.items()}
    renders = []
    for threads in (1, 2, 3):
        decoder = WaveNetDecoder(stack, engine="numba", precision=precision, threads=threads)
        renders.append(decoder.generate(**given, seeds=range(17), samples=120)[11])
        renders.append(decoder.generate(**alone, seeds=[11], samples=120)[0])
    for render in renders[1:]:
        if precision == "float32":  # many notes together round otherwise
            assert_same_draws(stack, alone, uniforms_for(12, 120)[11:], renders[0][None], render[None])
        else:
            np.testing.assert_array_equal(render, renders[0])


@pytest.mark.parametrize("engine", ["numba", KERAS])
def test_probabilities_agree_with_the_reference(mixed, engine: str) -> None:
    given = inputs_for(mixed(engine).stack, notes=2, samples=100)
    audio = np.random.default_rng(3).uniform(-1.0, 1.0, (2, 100)).astype(np.float32)
    plain = mixed("reference").probabilities(**given, audio=audio)
    np.testing.assert_allclose(plain.sum(axis=-1), 1.0, atol=1e-5)
    np.testing.assert_allclose(mixed(engine).probabilities(**given, audio=audio), plain, atol=2e-6)


@pytest.mark.parametrize("engine", ["reference", "numba", KERAS])
def test_temperature_zero_takes_the_likeliest_level(mixed, engine: str) -> None:
    decoder = mixed(engine)
    given = inputs_for(decoder.stack, notes=2, samples=60)
    made = decoder.generate(**given, temperature=0.0, samples=60)
    odds = mixed("reference").probabilities(**given, audio=made)
    chosen = np.take_along_axis(odds, (made[..., None] == audio_table(100)).argmax(axis=-1)[..., None], axis=-1)
    np.testing.assert_allclose(chosen[..., 0], odds.max(axis=-1), rtol=1e-5)


@pytest.mark.parametrize("engine", ["reference", "numba", KERAS])
def test_forced_audio_is_followed_and_then_continued(mixed, engine: str) -> None:
    decoder = mixed(engine)
    given = inputs_for(decoder.stack, notes=2, samples=90)
    made = decoder.generate(**given, seeds=[3, 4], samples=90)
    again = decoder.generate(**given, seeds=[3, 4], samples=90, forced=made[:, :50])
    np.testing.assert_array_equal(again, made)
    other = decoder.generate(**given, seeds=[3, 4], samples=90, forced=-made[:, :50])
    assert not np.array_equal(other[:, 50:], made[:, 50:])


def test_draws_follow_the_probabilities() -> None:
    """4,000 notes' first samples have the distribution that the network states."""
    stack = random_stack(levels=16, dilations=(1,))
    conditioning = np.repeat(inputs_for(stack, notes=1, samples=1)["conditioning"], 4000, axis=0)
    made = WaveNetDecoder(stack, engine="numba").generate(conditioning, seeds=range(4000), samples=1)[:, 0]
    odds = WaveNetDecoder(stack, engine="reference").probabilities(conditioning[:1], made[None, :1])[0, 0]
    counts = (made[:, None] == audio_table(16)).sum(axis=0)
    assert np.abs(counts - 4000 * odds).max() < 5 * np.sqrt(4000 * odds.max())


@pytest.mark.long  # each precision is compiled anew
@pytest.mark.parametrize(("precision", "bound"), [("int16", 3e-4), ("int8", 1e-2)])
def test_lower_precision_stays_within_its_bound(precision: str, bound: float) -> None:
    """Teacher-forced: the mean share of draws that rounding the weights changes."""
    stack = random_stack(width=64, skip=64, dilations=(1, 2, 4, 8, 16, 32) * 2, taps=3, gain=2.0)
    given = inputs_for(stack, notes=2, samples=200)
    audio = WaveNetDecoder(stack, engine="numba").generate(**given, seeds=[0, 1], samples=200)
    exact = WaveNetDecoder(stack, engine="numba").probabilities(**given, audio=audio)
    rough = WaveNetDecoder(stack, engine="numba", precision=precision).probabilities(**given, audio=audio)
    assert 0.0 < distance(exact, rough).mean() < bound


@pytest.mark.long
@pytest.mark.parametrize("precision", ["int16", "int8"])
def test_lower_precision_is_not_heard(precision: str) -> None:
    """The mean spectrum of a render lies nearer to the exact render's than that of another seed does."""
    stack = random_stack(width=64, skip=64, dilations=(1, 2, 4, 8, 16, 32) * 2, taps=3, gain=4.0, hop=512)
    given = inputs_for(stack, notes=8, samples=8192)
    exact, rough = (WaveNetDecoder(stack, engine="numba", precision=name) for name in ("float32", precision))

    def spectra(decoder: WaveNetDecoder, first_seed: int) -> np.ndarray:
        """Mean magnitudes of each note in 32 bands, in dB."""
        made = decoder.generate(**given, seeds=range(first_seed, first_seed + 8), samples=8192)
        frames = np.abs(np.fft.rfft(made.reshape(8, 16, 512) * np.hanning(512)))[..., :256]
        return 20.0 * np.log10(frames.reshape(8, 16, 32, 8).mean(axis=(1, 3)))

    plain = spectra(exact, 0)
    of_precision = np.abs(spectra(rough, 0) - plain).mean()
    of_seeds = np.mean([np.abs(spectra(exact, 100 * k) - plain).mean() for k in (1, 2, 3)])
    assert of_precision < of_seeds


def test_a_stop_ends_the_stream_at_once() -> None:
    stack = random_stack(width=128, skip=128, dilations=tuple(2**i for i in range(9)) * 2, hop=16_000)
    decoder = WaveNetDecoder(stack, engine="numba", threads=1)
    given = inputs_for(stack, notes=4, samples=160_000)
    decoder.generate(**given, samples=16)
    stop, ended = threading.Event(), []

    def listen() -> None:
        chunks = list(decoder.stream(**given, stop=stop, chunk_samples=1_000_000))
        ended.append((time.perf_counter(), chunks))

    thread = threading.Thread(target=listen)
    thread.start()
    time.sleep(0.3)
    asked = time.perf_counter()
    stop.set()
    thread.join()
    (end, chunks), samples = ended[0], sum(chunk.shape[1] for chunk in ended[0][1])
    assert 0 < samples < 160_000 and len(chunks) == 1
    assert end - asked < 0.5  # 0.05 on a machine that does nothing else


def test_progress_counts_to_the_end() -> None:
    stack = random_stack()
    told: list[tuple[int, int]] = []
    given = inputs_for(stack, notes=1, samples=96)
    stream = WaveNetDecoder(stack, engine="numba").stream(**given, progress=lambda *now: told.append(now))
    assert sum(chunk.shape[1] for chunk in stream) == 96
    assert told[-1] == (96, 96) and told == sorted(told)


def test_streams_of_one_decoder_do_not_disturb_each_other() -> None:
    stack = random_stack(**STACKS["three taps"])
    given = inputs_for(stack, notes=1, samples=400)
    decoder = WaveNetDecoder(stack, engine="numba", threads=3)
    alone = [decoder.generate(**given, seeds=[seed], samples=400) for seed in range(4)]
    together: dict[int, np.ndarray] = {}

    def work(seed: int) -> None:
        together[seed] = decoder.generate(**given, seeds=[seed], samples=400)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for seed in range(4):
        np.testing.assert_array_equal(together[seed], alone[seed])


def test_mistakes_are_told() -> None:
    stack = random_stack(inputs=2)
    with pytest.raises(SynthExplorerError, match="engine must be one of"):
        WaveNetDecoder(stack, engine="abacus")
    with pytest.raises(SynthExplorerError, match="precision must be one of"):
        WaveNetDecoder(stack, precision="float8")
    with pytest.raises(SynthExplorerError, match="numba engine's"):
        WaveNetDecoder(stack, engine="reference", precision="int8")
    with pytest.raises(SynthExplorerError, match="At least one thread"):
        WaveNetDecoder(stack, threads=0)
    decoder = WaveNetDecoder(stack, engine="reference")
    given = inputs_for(stack, notes=2, samples=64)
    good, extra = given["conditioning"], given["extra"]
    for wrong, match in [
        ({"conditioning": good[..., :2]}, "must be \\[notes, frames, 4\\]"),
        ({"conditioning": np.full_like(good, np.nan)}, "finite"),
        ({"extra": None}, "extra inputs"),
        ({"extra": extra[:, :5]}, "extra inputs"),
        ({"seeds": [1]}, "2 notes need 2 seeds"),
        ({"seeds": [1, 2], "uniforms": np.zeros((2, 64))}, "not both"),
        ({"uniforms": np.ones((2, 64))}, "in \\[0, 1\\)"),
        ({"uniforms": np.zeros((2, 9))}, "64 samples need"),
        ({"samples": 65}, "last for 64 samples"),
        ({"temperature": -1.0}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"chunk_samples": 0}, "at least one sample"),
        ({"forced": np.zeros((2, 65))}, "Forced audio"),
        ({"forced": np.full((2, 4), 2.0)}, "\\[-1, 1\\]"),
    ]:
        with pytest.raises(SynthExplorerError, match=match):
            decoder.stream(**{**given, **wrong})
    with pytest.raises(SynthExplorerError, match="Audio must be"):
        decoder.probabilities(good, np.zeros(5))
