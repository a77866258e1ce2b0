"""The WaveNet autoencoder: what its steps are told, what they may see, the engine against Keras, a checkpoint of it."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops
from scipy.signal import lfilter

from synth_explorer import checkpoints
from synth_explorer.decode.wavenet import flat
from synth_explorer.decode.wavenet.given import PRE_EMPHASIS, Given, Prediction
from synth_explorer.errors import CheckpointError, LatentsError
from synth_explorer.explorer import Explorer
from synth_explorer.model.wavenet import WaveNet, log_density
from synth_explorer.model.wavenet_config import WaveNetConfig
from synth_explorer.plain.controls import Controls
from synth_explorer.plain.wavenet import WHITE, Telling, Told, predicted
from synth_explorer.plain.wavenet import flat as flattened
from synth_explorer.plain.weights import weights_of
from synth_explorer.train.export import controls
from tests.conftest import make_note
from tests.model.small_wavenet import SIZES, small_wavenet

pytestmark = pytest.mark.slow

RATE_HZ, FRAMES = 16000, 3


@pytest.fixture(scope="module")
def model() -> WaveNet:
    return small_wavenet()


def prediction_of(rng: np.random.Generator, rows: int, order: int) -> Prediction:
    """Those of random spectra that move."""
    angle = np.linspace(0.0, np.pi, 65)
    power = np.exp(rng.standard_normal((rows, 9))) @ np.maximum(0.0, 1.0 - np.abs(np.arange(9)[:, None] - angle * 2.5))
    return predicted((power @ np.cos(np.outer(angle, np.arange(order + 1))) / 65).astype(np.float32))


@pytest.fixture(scope="module")
def given(model: WaveNet) -> Given:
    """What a note is made from, with an envelope that moves."""
    rng, config = np.random.default_rng(1), model.config
    rows = FRAMES * config.points
    cycles = np.mod(np.cumsum(np.linspace(0.01, 0.02, rows * config.point)), 1.0).astype(np.float32)
    told = rng.standard_normal((rows, config.told)).astype(np.float32)
    return Given(told, prediction_of(rng, rows, config.order), np.sin(2.0 * np.pi * cycles), cycles)


def test_the_predictor_solves_the_normal_equations() -> None:
    r = np.array([[2.0, 1.2, 0.3, -0.4], [1.0, -0.5, 0.2, 0.1]], np.float32)
    a, level = predicted(r)
    r = r.astype(np.float64)
    r[:, 0] *= 1.0 + WHITE
    for row, own, gain in zip(r, a, level, strict=True):
        wanted = np.linalg.solve(row[np.abs(np.subtract.outer(np.arange(3), np.arange(3)))], row[1:])
        np.testing.assert_allclose(own, wanted, atol=1e-5)
        assert gain**2 == pytest.approx(row[0] - wanted @ row[1:], rel=1e-4)


def test_there_is_a_way_back_from_the_flat_domain(given: Given) -> None:
    """Noise through an envelope and back is the same noise; the first subframe's filter answers as its poles say."""
    (a, level), rng = given.prediction, np.random.default_rng(2)
    point = len(given.source) // len(level)
    noise = rng.standard_normal(len(given.source)).astype(np.float32)
    sound = np.zeros(a.shape[1] + 1 + len(noise))
    flat._filter(noise, a, level, point, 0, PRE_EMPHASIS, sound)
    made = sound[a.shape[1] + 1 :].astype(np.float32)
    poles = np.convolve(np.r_[1.0, -a[0]], [1.0, -PRE_EMPHASIS])
    np.testing.assert_allclose(made[:point], lfilter([level[0]], poles, noise[:point]), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(flattened(made, given.prediction), noise, atol=5e-3)


@pytest.fixture(scope="module")
def said() -> tuple[WaveNetConfig, Telling, dict[str, np.ndarray], np.ndarray]:
    """Controls of a tone of 500 Hz with noise above 3 kHz, 20 dB apart in power."""
    config = WaveNetConfig()
    controls = Controls(config)
    frames, pitch_hz = 12, np.full(12, 500.0, np.float32)
    harmonic = np.zeros((frames * config.subframes, config.harmonics + config.half_partials), np.float32)
    harmonic[:, :6] = np.sqrt(2.0 / 6.0)
    noise = np.repeat(np.where(config.noise_hz > 3200.0, 0.14, 0.0)[None], frames, axis=0).astype(np.float32)
    short = np.zeros((frames * config.subframes, config.short_noise_bands), np.float32)
    level = np.linspace(0.05, 0.2, frames * config.points).astype(np.float32)
    parts = {"harmonic": harmonic, "noise": noise, "short_noise": short, "level": level}
    return config, Telling(config, controls), parts, pitch_hz


def test_what_is_told_says_where_noise_is_and_the_source_is_flat(said) -> None:
    config, telling, parts, pitch_hz = said
    z = np.zeros((len(pitch_hz), config.channels), np.float32)
    given = telling.given(parts, z, pitch_hz)
    assert given.told.shape == (len(pitch_hz) * config.points, config.told)
    bands = config.told_bands
    assert (given.told[8:-8, bands - 4 : bands] > -0.1).all()  # all noise at the top
    centres = telling._centres_hz
    low = (centres > 450.0) & (centres < 2500.0)
    assert (given.told[8:-8, :bands][:, low] < -1.0).all()
    middle = given.source[2000:-2000]
    assert 0.5 < middle.std() < 1.6  # of level one, nearly all of it partials
    louder = telling.given(parts | {"level": 2.0 * parts["level"]}, z, pitch_hz)
    np.testing.assert_allclose(louder.prediction.level, 2.0 * given.prediction.level, rtol=1e-2)


def test_the_envelope_goes_through_noise_as_it_is(said) -> None:
    """White noise of level one is predicted as such: no coefficients but those of the emphasis, level one."""
    config, telling, parts, pitch_hz = said
    z = np.zeros((len(pitch_hz), config.channels), np.float32)
    white = {
        "harmonic": np.zeros_like(parts["harmonic"]),
        "noise": np.ones_like(parts["noise"]),
        "level": np.ones_like(parts["level"]),
    }
    found = telling(parts | white, z, pitch_hz)[1]
    np.testing.assert_allclose(found.level, 1.0, rtol=0.05)
    answer = lfilter([1.0], np.convolve(np.r_[1.0, -found.coefficients[3]], [1.0, -PRE_EMPHASIS]), np.eye(1, 400)[0])
    assert np.sum(answer[1:] ** 2) < 0.05


def test_a_step_sees_only_what_was_but_knows_the_source(model: WaveNet, given: Given) -> None:
    sound = np.random.default_rng(3).standard_normal((2, len(given.source))).astype(np.float32)
    changed = 400
    sound[1, :changed] = sound[0, :changed]
    source, told, cycles = (np.stack([each] * 2) for each in (given.source, given.told, given.cycles))
    mixture = [np.asarray(part) for part in model.steps(sound, source, told, cycles, np.full(2, 0.1, np.float32))]
    for part in mixture:
        np.testing.assert_array_equal(part[0, : changed + 1], part[1, : changed + 1])
        assert (part[0, changed + 1] != part[1, changed + 1]).any()


@pytest.mark.long
def test_the_engine_draws_what_keras_says(model: WaveNet, given: Given) -> None:
    """Every sample follows from those before it by the network in Keras, and by the draws; chunks change nothing."""
    config, sampling = model.config, flat.Sampling(temperature=2.5, steady=0.3, calm=0.7, tail=0.02, doubt=0.1)
    weights, told = flat.FlatWeights.of(config, weights_of(model)), given.told
    given = given._replace(told=Told(weights_of(model))(told))
    parts = list(flat.advance(weights, given, seed=5, sampling=sampling, chunk_points=7))
    made, sound = (np.concatenate(each) for each in zip(*parts, strict=True))
    whole = np.concatenate(list(flat.stream(weights, given, seed=5, sampling=sampling)))
    np.testing.assert_array_equal(sound, whole)
    assert (whole != np.concatenate(list(flat.stream(weights, given, seed=6, sampling=sampling)))).any()

    doubt = np.float32([0.1])
    mixture = model.steps(made[None], given.source[None], told[None], given.cycles[None], doubt)
    logits, mean, log_scale = (np.asarray(part, np.float64)[0] for part in mixture)
    numbers = np.random.default_rng(5).random((len(made), 2))
    share = np.cumsum(np.exp(logits - logits.max(-1, keepdims=True)), axis=-1)
    chosen = np.sum(share <= numbers[:, :1] * share[:, -1:], axis=-1)[:, None]
    mean, log_scale = (np.take_along_axis(part, chosen, -1)[:, 0] for part in (mean, log_scale))
    scale = np.exp(log_scale + np.log(2.5) + 0.7 * np.minimum(log_scale - np.log(sampling.steady), 0.0))
    uniform = np.clip(numbers[:, 1], 0.02, 0.98)
    beside = mean + scale * np.log(uniform / (1.0 - uniform)) - given.source
    assert (np.abs(beside) > flat.MOST_BESIDE).any()  # a network of random numbers would go anywhere
    np.testing.assert_allclose(made, given.source + np.clip(beside, -flat.MOST_BESIDE, flat.MOST_BESIDE), atol=2e-3)


def test_the_engine_reads_its_weights_in_their_order(model: WaveNet) -> None:
    """It took four times as long when one of them was turned."""
    weights = flat.FlatWeights.of(model.config, weights_of(model))
    arrays = [value for value in vars(weights).values() if isinstance(value, np.ndarray)]
    assert len(arrays) == 11 and all(array.flags.c_contiguous and array.dtype == np.float32 for array in arrays)


def test_a_mixture_is_a_density() -> None:
    at = np.linspace(-60.0, 60.0, 24001).astype(np.float32)
    given = np.array([[0.0, 1.0], [-1.0, 2.0], [-1.0, 0.5]], np.float32)
    logits, mean, log_scale = (np.broadcast_to(each, (len(at), 2)) for each in given)
    density = np.exp(np.asarray(log_density(at, ops.convert_to_tensor(logits), mean, log_scale)))
    assert np.trapezoid(density, at) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.long
def test_a_checkpoint_works_in_an_explorer(tmp_path) -> None:
    """Encoded, morphed, decoded in chunks, louder by what is asked: through the interface that all families share."""
    model = WaveNet(WaveNetConfig(**SIZES), name="wavenet")
    model.build_weights()
    head = checkpoints.find("default-16k")
    info = checkpoints.save(
        model, tmp_path / "small", description="small", family="wavenet", card="# small\n", dtype="float32",
        controls=controls(model.config, transpose_slope=0.4),
        pitch_files=(head / checkpoints.PITCH[0], head / checkpoints.PITCH[1]),
    )  # fmt: skip
    explorer = Explorer.load(info.path)
    assert [str(one) for one in explorer.decoders] == ["wavenet"] and not explorer.decoders[0].answers_at_once
    notes = [explorer.encode(make_note(midi, seconds=0.3), pitch=midi, fit_steps=2) for midi in (57.0, 60.0)]
    assert notes[0].channels == model.config.channels and np.isfinite(notes[0].z).all()
    mixed = explorer.morph(notes, [0.5, 0.5], pitch=60.0)
    sound = explorer.decode(mixed, seed=3)
    assert len(sound) == mixed.duration_samples and np.isfinite(sound).all() and sound.std() > 0
    np.testing.assert_array_equal(sound, np.concatenate(list(explorer.stream(mixed, seed=3))))
    np.testing.assert_array_equal(sound, explorer.decode_many([mixed], seed=[3])[0])
    z = mixed.z.copy()
    z[:, 0] += 6.0 * model.config.loudness_units_per_db
    louder = explorer.decode(mixed.replace(z=z), seed=3)
    assert 20.0 * np.log10(louder.std() / sound.std()) == pytest.approx(6.0, abs=0.1)
    stopped = list(explorer.stream(mixed, seed=3, stop=lambda: True))
    assert sum(map(len, stopped)) < len(sound)
    with pytest.raises(CheckpointError, match="engine"):
        explorer.decode(mixed, engine="keras")
    with pytest.raises(LatentsError, match="small"):
        Explorer.load("default-16k").decode(mixed)


def test_sizes_that_do_not_fit_are_named() -> None:
    with pytest.raises(CheckpointError, match="n_fft=1024 must be a multiple"):
        WaveNetConfig(hop=500)
