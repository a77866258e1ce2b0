"""NSynth against magenta's own code, from the same TensorFlow 1 checkpoint: encodings, probabilities, samples.

Shapes: B notes, T samples, F frames, C channels, Q levels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from synth_explorer import checkpoints
from tests.parity import magenta

pytestmark = pytest.mark.slow

HOP = 512
ENGINES = ["numba", pytest.param("keras", marks=pytest.mark.long)]


@dataclass(frozen=True)
class Pair:
    """magenta's checkpoint, and what became of it here."""

    prefix: Path
    sizes: magenta.Sizes
    folder: Path


@pytest.fixture(scope="module", params=["narrow", pytest.param("full", marks=pytest.mark.long)])
def pair(request: pytest.FixtureRequest, imported: Callable[..., Path]) -> Pair:
    prefix = request.getfixturevalue(f"{request.param}_prefix")
    return Pair(prefix, magenta.NARROW if request.param == "narrow" else magenta.FULL, imported(prefix))


@pytest.fixture(scope="module")
def model(pair: Pair):
    """Our network with the imported weights."""
    return checkpoints.load_model(checkpoints.verify(pair.folder))


def sound(seed: int, *, notes: int = 2, frames: int = 5) -> np.ndarray:
    """Noise, a tone, silence and clipped samples, [B, T]."""
    rng = np.random.default_rng(seed)
    audio = 0.3 * rng.standard_normal((notes, frames * HOP))
    audio[:, HOP : 2 * HOP] = 0.9 * np.sin(np.arange(HOP) * 0.1)
    audio[:, 2 * HOP : 2 * HOP + 200] = 0.0
    audio[:, -40:] = np.sign(audio[:, -40:])
    return np.clip(audio, -1, 1).astype(np.float32)


def test_every_sixteen_bit_sample_falls_on_magentas_level() -> None:
    from keras import ops

    from synth_explorer.model.nsynth import mu_law

    if not magenta.available():
        pytest.skip("magenta is not installed")
    audio = (np.arange(-32768, 32769) / 32768).astype(np.float32)
    with magenta.session(lambda tf: magenta.utils().mu_law(tf.constant(audio))) as (opened, levels):
        expected = opened.run(levels)
    np.testing.assert_array_equal(ops.convert_to_numpy(mu_law(audio, levels=256)), expected)


def test_encodings_and_probabilities(pair: Pair, model) -> None:
    from keras import ops

    audio = sound(1)
    encodings, probabilities = magenta.teacher_forced(pair.prefix, audio, sizes=pair.sizes)
    ours = model(audio)
    z, expected = ops.convert_to_numpy(ours["z"]), ops.convert_to_numpy(ops.softmax(ours["logits"]))
    np.testing.assert_allclose(z, encodings, atol=1e-4)
    np.testing.assert_allclose(z, magenta.encode(pair.prefix, audio, sizes=pair.sizes), atol=1e-4)
    np.testing.assert_allclose(expected, probabilities, atol=1e-4)
    assert encodings.std() > 0.1 and probabilities.max(axis=-1).mean() > 0.02  # not everything alike


@pytest.mark.parametrize("engine", ENGINES)
def test_probabilities_of_the_engines(pair: Pair, model, engine: str) -> None:
    from synth_explorer.decode.wavenet.decoder import WaveNetDecoder

    audio = sound(2, notes=3, frames=2)
    encodings, expected = magenta.teacher_forced(pair.prefix, audio, sizes=pair.sizes)
    found = WaveNetDecoder(model.stack(), engine=engine).probabilities(encodings, audio)
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("engine", ENGINES)
def test_fastgen_sample_for_sample(pair: Pair, model, engine: str) -> None:
    from synth_explorer.decode.wavenet.decoder import WaveNetDecoder

    encodings = magenta.encode(pair.prefix, sound(3, frames=2), sizes=pair.sizes)
    uniforms = np.random.default_rng(4).random((2, 2 * HOP))
    expected, uniforms = magenta.generate(pair.prefix, encodings, uniforms, sizes=pair.sizes)
    found = WaveNetDecoder(model.stack(), engine=engine).generate(encodings, uniforms=uniforms)
    assert len(np.unique(expected)) > 20
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.long
def test_averages_are_taken_when_asked_for(narrow_prefix: Path, imported: Callable[..., Path]) -> None:
    from keras import ops

    averaged = checkpoints.load_model(checkpoints.verify(imported(narrow_prefix, "--averaged")))
    audio = sound(5)
    encodings, probabilities = magenta.teacher_forced(narrow_prefix, audio, sizes=magenta.NARROW, averaged=True)
    ours = averaged(audio)
    np.testing.assert_allclose(ops.convert_to_numpy(ours["z"]), encodings, atol=1e-4)
    np.testing.assert_allclose(ops.convert_to_numpy(ops.softmax(ours["logits"])), probabilities, atol=1e-4)
    assert np.abs(magenta.encode(narrow_prefix, audio, sizes=magenta.NARROW) - encodings).max() > 0.1


def test_weights_are_kept_bit_by_bit(pair: Pair, model) -> None:
    theirs = magenta.variables(pair.prefix)
    for weight in model.weights:
        layer, kind = weight.path.split("/")[-2:]
        expected = theirs[f"{layer}/{'W' if kind == 'kernel' else 'biases'}"]
        np.testing.assert_array_equal(weight.numpy(), expected.reshape(weight.shape))
