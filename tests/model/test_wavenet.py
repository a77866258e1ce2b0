"""The WaveNet autoencoder: linear prediction, what it may see, its engine against Keras, and a checkpoint of it."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from synth_explorer import checkpoints
from synth_explorer.decode.wavenet import flat
from synth_explorer.errors import CheckpointError, LatentsError
from synth_explorer.explorer import Explorer
from synth_explorer.model import bands, prediction
from synth_explorer.model.wavenet import WaveNet, log_density
from synth_explorer.model.wavenet_config import PRE_EMPHASIS, WaveNetConfig
from synth_explorer.plain.weights import weights_of
from synth_explorer.train.export import controls
from tests.conftest import make_note
from tests.model.small_wavenet import SIZES, small_wavenet

RATE_HZ, FRAMES = 16000, 3


@pytest.fixture(scope="module")
def model() -> WaveNet:
    return small_wavenet()


@pytest.fixture(scope="module")
def given(model: WaveNet) -> flat.Given:
    """What a note is made from, with an envelope that moves."""
    rng, config = np.random.default_rng(1), model.config
    rows = FRAMES * config.subframes
    power = np.exp(rng.standard_normal((rows, config.bands))).astype(np.float32)
    a, level = prediction.predictor(power, order=config.order, sample_rate_hz=RATE_HZ)
    told = rng.standard_normal((rows, config.fine_width)).astype(np.float32)
    pitch_hz = (220.0 * 2.0 ** np.linspace(0.0, 0.5, FRAMES)).astype(np.float32)
    return flat.Given(told, np.asarray(a), np.asarray(level), pitch_hz)


def test_the_predictor_solves_the_normal_equations() -> None:
    power = np.exp(np.random.default_rng(0).standard_normal((4, 20))).astype(np.float32)
    a, level = prediction.predictor(power, order=8, sample_rate_hz=RATE_HZ)
    r = (power @ bands.correlations(20, 8, RATE_HZ)).astype(np.float64)
    r[:, 0] *= 1.0 + bands.WHITE
    for row, own, gain in zip(r, np.asarray(a), np.asarray(level), strict=True):
        wanted = np.linalg.solve(row[np.abs(np.subtract.outer(np.arange(8), np.arange(8)))], row[1:])
        np.testing.assert_allclose(own, wanted, atol=2e-3)
        assert gain**2 == pytest.approx(row[0] - wanted @ row[1:], rel=1e-2)


def test_the_flat_domain_is_flat_and_there_is_a_way_back(given: flat.Given) -> None:
    """Noise through an envelope becomes white noise of level one, and the same sound again."""
    size = given.level.shape[0] * 64
    noise = np.random.default_rng(2).standard_normal(size).astype(np.float32)
    sound = np.zeros(given.coefficients.shape[1] + 1 + size)
    flat._filter(noise, given.coefficients, given.level, 64, 0, sound)
    made = sound[given.coefficients.shape[1] + 1 :].astype(np.float32)
    poles = np.convolve(np.r_[1.0, -given.coefficients[0]], [1.0, -PRE_EMPHASIS])
    answer = np.zeros(64)
    for n in range(64):  # what the first subframe's filter answers to a click
        answer[n] = (n == 0) - sum(poles[k] * answer[n - k] for k in range(1, min(n, len(poles) - 1) + 1))
    wanted = given.level[0] * np.convolve(noise[:64], answer)[:64]
    np.testing.assert_allclose(made[:64], wanted, rtol=1e-3, atol=1e-4)
    back = prediction.whiten(made[None], given.coefficients[None], given.level[None])
    np.testing.assert_allclose(np.asarray(back)[0], noise, atol=5e-3)


def test_a_step_sees_only_what_was(model: WaveNet, given: flat.Given) -> None:
    config = model.config
    cycles, period = flat.phases(given.pitch_hz, config)
    sound = np.random.default_rng(3).standard_normal((2, len(cycles) * config.step)).astype(np.float32)
    changed = 100
    sound[1, : changed * config.step] = sound[0, : changed * config.step]
    told, cycles, period = (np.stack([each] * 2) for each in (given.told, cycles, period))
    mixture = [np.asarray(part) for part in model.steps(sound, told, cycles, period, np.full(2, 0.1, np.float32))]
    for part in mixture:
        np.testing.assert_array_equal(part[0, : changed + 1], part[1, : changed + 1])
        assert (part[0, changed + 1] != part[1, changed + 1]).any()


@pytest.mark.slow
def test_the_engine_draws_what_keras_says(model: WaveNet, given: flat.Given) -> None:
    """Every sample follows from those before it by the network in Keras, and by the draws; chunks change nothing."""
    config, sampling = model.config, flat.Sampling(temperature=0.8, calm=0.7, tail=0.02, doubt=0.1)
    weights = flat.FlatWeights.of(config, weights_of(model))
    parts = list(flat.advance(weights, given, seed=5, sampling=sampling, chunk_subframes=7))
    made, sound = (np.concatenate(each) for each in zip(*parts, strict=True))
    whole = np.concatenate(list(flat.stream(weights, given, seed=5, sampling=sampling)))
    np.testing.assert_array_equal(sound, whole)
    assert (whole != np.concatenate(list(flat.stream(weights, given, seed=6, sampling=sampling)))).any()

    cycles, period = flat.phases(given.pitch_hz, config)
    said = model.steps(made[None], given.told[None], cycles[None], period[None], np.float32([0.1]))
    logits, mean, log_scale = (np.asarray(part, np.float64)[0] for part in said)
    numbers = np.random.default_rng(5).random((len(cycles), config.step, 2))
    share = np.cumsum(np.exp(logits - logits.max(-1, keepdims=True)), axis=-1)
    chosen = np.sum(share <= numbers[..., :1] * share[..., -1:], axis=-1)[..., None]
    mean, log_scale = (np.take_along_axis(part, chosen, -1)[..., 0] for part in (mean, log_scale))
    scale = np.exp(log_scale + np.log(0.8) + 0.7 * np.minimum(log_scale - np.log(sampling.steady), 0.0))
    uniform = np.clip(numbers[..., 1], 0.02, 0.98)
    wanted = mean + scale * np.log(uniform / (1.0 - uniform))
    np.testing.assert_allclose(made, wanted.reshape(-1), atol=2e-4)


def test_the_engine_reads_its_weights_in_their_order(model: WaveNet) -> None:
    """It took four times as long when one of them was turned."""
    weights = flat.FlatWeights.of(model.config, weights_of(model))
    arrays = [value for value in vars(weights).values() if isinstance(value, np.ndarray)]
    assert len(arrays) == 12 and all(array.flags.c_contiguous and array.dtype == np.float32 for array in arrays)


def test_a_mixture_is_a_density() -> None:
    at = np.linspace(-60.0, 60.0, 24001).astype(np.float32)
    given = np.array([[0.0, 1.0], [-1.0, 2.0], [-1.0, 0.5]], np.float32)
    logits, mean, log_scale = (np.broadcast_to(each, (len(at), 2)) for each in given)
    density = np.exp(np.asarray(log_density(at, ops.convert_to_tensor(logits), mean, log_scale)))
    assert np.trapezoid(density, at) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.slow
def test_a_checkpoint_works_in_an_explorer(tmp_path) -> None:
    """Encoded, morphed, decoded in chunks, louder by what is asked: through the interface that all families share."""
    model = WaveNet(WaveNetConfig(**SIZES), name="wavenet")
    model.build_weights()
    head = checkpoints.find("default-16k")
    info = checkpoints.save(
        model, tmp_path / "small", description="small", family="wavenet", card="# small\n", dtype="float32",
        controls=controls(model.config.measures, transpose_slope=0.4),
        pitch_files=(head / checkpoints.PITCH[0], head / checkpoints.PITCH[1]),
    )  # fmt: skip
    explorer = Explorer.load(info.path)
    assert [str(one) for one in explorer.decoders] == ["wavenet"] and not explorer.decoders[0].answers_at_once
    notes = [explorer.encode(make_note(midi, seconds=0.3), pitch=midi) for midi in (57.0, 60.0)]
    assert notes[0].channels == SIZES["channels"] and np.isfinite(notes[0].z).all()
    mixed = explorer.morph(notes, [0.5, 0.5], pitch=60.0)
    sound = explorer.decode(mixed, seed=3)
    assert len(sound) == mixed.duration_samples and np.isfinite(sound).all() and sound.std() > 0
    np.testing.assert_array_equal(sound, np.concatenate(list(explorer.stream(mixed, seed=3))))
    np.testing.assert_array_equal(sound, explorer.decode_many([mixed], seed=[3])[0])
    z = mixed.z.copy()
    z[:, 0] += 6.0 * model.config.measures.loudness_units_per_db
    louder = explorer.decode(mixed.replace(z=z), seed=3)
    assert 20.0 * np.log10(louder.std() / sound.std()) == pytest.approx(6.0, abs=0.1)
    stopped = list(explorer.stream(mixed, seed=3, stop=lambda: True))
    assert sum(map(len, stopped)) < len(sound)
    with pytest.raises(CheckpointError, match="engine"):
        explorer.decode(mixed, engine="keras")
    with pytest.raises(LatentsError, match="small"):
        Explorer.load("default-16k").decode(mixed)


def test_sizes_that_do_not_fit_are_named() -> None:
    with pytest.raises(CheckpointError, match="multiple of subframe=60"):
        WaveNetConfig(subframe=60)
