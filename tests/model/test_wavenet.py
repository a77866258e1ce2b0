"""The WaveNet on the fast decoder's sound: against the engines' plain loop, and what it may look at."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer.errors import CheckpointError
from synth_explorer.model.guide import Guide, scale_of
from synth_explorer.model.wavenet_config import WaveNetConfig
from synth_explorer.model.whitening import Colouring
from tests.model.small import small_config, small_wavenet

FRAMES = 3
WRONG = ({"form": "round"}, {"form": "parallel"}, {"layers": 0}, {"levels": 3}, {"wings": 2}, {"taps": "two"})


def _inputs(network, rng, *, batch: int = 2):
    sizes = network.sizes
    samples = FRAMES * sizes.hop
    tones, noise = (0.1 * rng.standard_normal((2, batch, samples))).astype(np.float32)
    z = rng.standard_normal((batch, FRAMES, sizes.channels)).astype(np.float32)
    pitch_hz = np.full((batch, FRAMES), 330.0, np.float32)
    return Guide.of(tones, noise, network.config, sizes), z, pitch_hz


def test_the_engines_compute_the_same_network(rng) -> None:
    """Teacher-forced probabilities of the Keras graph are those of the plain loop over the stack's arrays."""
    from synth_explorer.decode.levels import inputs_of
    from synth_explorer.decode.wavenet import WaveNetDecoder

    network = small_wavenet()
    guide, z, pitch_hz = _inputs(network, rng)
    conditioning = np.asarray(network.conditioning(z, pitch_hz))
    residual = rng.uniform(-0.9, 0.9, guide.sound.shape).astype(np.float32)
    guides = guide.inputs()
    past = np.pad(inputs_of(residual, levels=64)[:, :-1], ((0, 0), (1, 0)))[..., None].astype(np.float32)
    logits = np.asarray(network(past, guides, conditioning))
    wanted = np.exp(logits - logits.max(-1, keepdims=True))
    wanted /= wanted.sum(-1, keepdims=True)
    for engine in ("reference", "numba"):
        decoder = WaveNetDecoder(network.stack(), engine=engine)
        found = decoder.probabilities(conditioning, residual[:, :300], extra=guides)
        np.testing.assert_allclose(found, wanted[:, :300], atol=2e-5)


def test_the_autoregressive_form_knows_only_its_past(rng) -> None:
    network = small_wavenet()
    guide, z, pitch_hz = _inputs(network, rng, batch=1)
    conditioning = np.asarray(network.conditioning(z, pitch_hz))
    past = rng.standard_normal((1, guide.sound.shape[1], 1)).astype(np.float32)
    changed = past.copy()
    changed[:, 400:] += 1.0
    before, after = (np.asarray(network(p, guide.inputs(), conditioning)) for p in (past, changed))
    np.testing.assert_array_equal(before[:, :400], after[:, :400])
    assert np.abs(before[:, 400:] - after[:, 400:]).max() > 1e-3


def test_the_parallel_form_looks_both_ways_as_far_as_it_says(rng) -> None:
    network = small_wavenet("parallel")
    guide, z, pitch_hz = _inputs(network, rng, batch=1)
    conditioning = np.asarray(network.conditioning(z, pitch_hz))
    past = rng.standard_normal((1, guide.sound.shape[1], 1)).astype(np.float32)
    changed = past.copy()
    changed[:, 400] += 3.0
    before, after = (np.asarray(network(p, guide.inputs(), conditioning)) for p in (past, changed))
    touched = np.flatnonzero(np.abs(before - after)[0, :, 0] > 1e-6)
    half = network.config.receptive_field // 2
    assert 400 - half <= touched[0] < 400 < touched[-1] <= 400 + half


def test_the_scale_follows_the_level_and_never_vanishes() -> None:
    config = WaveNetConfig(scale_window=64, range_rms=3.0, scale_floor=1e-5)
    sound = np.concatenate([np.full(500, 0.2), np.zeros(500)])[None].astype(np.float32)
    scale = scale_of(sound, config)
    np.testing.assert_allclose(scale[0, 100:400], 0.6, rtol=1e-3)
    np.testing.assert_allclose(scale[0, 600:], 1e-5, rtol=1e-3)
    np.testing.assert_allclose(scale_of(0.5 * sound, config)[0, :400], 0.5 * scale[0, :400], rtol=1e-3)


def test_guides_show_the_sound_now_and_ahead(rng) -> None:
    config = WaveNetConfig(lookahead=7, whitening=0)
    tones, noise = rng.standard_normal((2, 1, 200)).astype(np.float32)
    guide = Guide.of(tones, noise, config, small_config())
    inputs = guide.inputs()
    np.testing.assert_allclose(inputs[0, :-7, 2], inputs[0, 7:, 0])
    np.testing.assert_allclose(inputs[0, :, 1] * guide.scale[0], noise[0], rtol=1e-5)
    np.testing.assert_array_equal(inputs[0, -7:, 2:], 0.0)


def test_the_residual_leads_back_to_the_target(rng) -> None:
    """Fast sound plus the residual, scaled and coloured, is the target, where the range suffices."""
    config, sizes = WaveNetConfig(range_rms=50.0), small_config()
    tones, noise = (0.1 * rng.standard_normal((2, 1, 3000))).astype(np.float32)
    guide = Guide.of(tones, noise, config, sizes)
    target = guide.sound + 0.03 * rng.standard_normal((1, 3000)).astype(np.float32)
    residual = guide.residual(target)
    coloured = Colouring(guide.coefficients[0], hop=config.condition_hop)(guide.scale[0] * residual[0])
    np.testing.assert_allclose(guide.sound[0] + coloured, target[0], atol=1e-4)


@pytest.mark.parametrize(
    "values",
    [{"form": "round"}, {"form": "parallel"}, {"layers": 0}, {"levels": 3}, {"wings": 2}, {"taps": "two"}],
    ids=str,
)
def test_sizes_that_make_no_network_are_refused(values) -> None:
    with pytest.raises(CheckpointError):
        WaveNetConfig.from_dict(values)


def test_a_hop_that_does_not_divide_is_refused() -> None:
    from synth_explorer.model.wavenet import WaveNet

    with pytest.raises(CheckpointError, match="condition_hop"):
        WaveNet(WaveNetConfig(condition_hop=100), small_config())
