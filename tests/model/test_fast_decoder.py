"""The factorised decoder keeps its promises with any weights: they are by construction, not learned."""

from __future__ import annotations

import numpy as np
import pytest

from tests.model.small import small_model

RATE = 16000


@pytest.fixture(scope="module")
def model():
    """Random weights, but controls that move from subframe to subframe as little as a trained model's."""
    model = small_model(seed=2)
    model.decoder.fine_head.kernel.assign(model.decoder.fine_head.kernel * 0.15)
    model.decoder.fine_head.bias.assign(model.decoder.fine_head.bias * 0.15)
    return model


def _sound(model, z: np.ndarray, pitch_hz: float = 220.0, detail: np.ndarray | None = None) -> np.ndarray:
    from synth_explorer.model import synthesis

    config = model.config
    track = np.full(z.shape[:2], pitch_hz, np.float32)
    rng = np.random.default_rng(0)
    frames = z.shape[1]
    phases = (
        rng.random((len(z), frames, config.hop + 1), dtype=np.float32),
        rng.random((len(z), frames * config.subframes, config.subframe + 1), dtype=np.float32),
    )
    if detail is not None:
        detail = np.broadcast_to(detail, (*z.shape[:2], detail.size))
    return np.asarray(synthesis.render(model.decoder(z, track, detail), track, *phases, model.decoder))


def _latents(model, frames: int = 60) -> np.ndarray:
    z = np.random.default_rng(4).normal(0, 0.4, (1, 1, model.config.channels)).astype(np.float32)
    z = np.repeat(z, frames, axis=1)
    z[..., 0], z[..., 1] = 0.8, 0.3
    return z


@pytest.mark.parametrize("gain_db", [-12.0, -6.0, 6.0])
def test_loudness_channel_is_a_pure_gain(model, gain_db: float) -> None:
    z = _latents(model)
    moved = z.copy()
    moved[..., 0] += gain_db * model.config.loudness_units_per_db
    before, after = _sound(model, z), _sound(model, moved)
    heard_db = 20 * np.log10(np.sqrt(np.mean(after**2)) / np.sqrt(np.mean(before**2)))
    assert heard_db == pytest.approx(gain_db, abs=0.1)
    scaled = before * 10 ** (gain_db / 20)
    assert np.sqrt(np.mean((after - scaled) ** 2)) < 0.02 * np.sqrt(np.mean(scaled**2))


def test_brightness_channel_moves_the_centroid_by_its_octaves(model) -> None:
    from synth_explorer.measure import brightness_octaves, rms_db

    z = _latents(model)
    moved = z.copy()
    moved[..., 1] += 0.5
    before, after = _sound(model, z)[0], _sound(model, moved)[0]
    heard = brightness_octaves(after, sample_rate_hz=RATE) - brightness_octaves(before, sample_rate_hz=RATE)
    assert heard == pytest.approx(0.5, abs=0.12)
    assert abs(rms_db(after) - rms_db(before)) < 3.0


def test_the_network_sees_neither_loudness_nor_brightness(model) -> None:
    z = _latents(model)
    track = np.full(z.shape[:2], 220.0, np.float32)
    moved = z.copy()
    moved[..., :2] += 1.0
    first, second = (model.decoder.shape_of(x, track) for x in (z, moved))
    for name in first:
        np.testing.assert_array_equal(np.asarray(first[name]), np.asarray(second[name]))


@pytest.mark.slow
def test_tilt_is_finite_in_silence_and_at_the_extremes(model) -> None:
    z = _latents(model)
    for loudness, brightness in ((-3.0, 0.0), (-3.0, 3.0), (2.0, -5.0), (2.0, 4.0)):
        z[..., 0], z[..., 1] = loudness, brightness
        assert np.isfinite(_sound(model, z)).all()


def test_no_detail_is_a_detail_of_zeros(model) -> None:
    z = _latents(model, frames=9)
    track = np.full(z.shape[:2], 220.0, np.float32)
    nothing = np.zeros((*z.shape[:2], model.config.details), np.float32)
    plain, zeros = model.decoder(z, track), model.decoder(z, track, nothing)
    for name in plain:
        np.testing.assert_array_equal(np.asarray(plain[name]), np.asarray(zeros[name]))


def test_each_part_of_a_detail_moves_its_part_of_the_spectra(model) -> None:
    """By as many nepers as it says, in the band or the partial where it stands, and nothing else."""
    config, z = model.config, _latents(model, frames=5)
    track = np.full(z.shape[:2], 220.0, np.float32)
    before = model.decoder.shape_of(z, track)
    parts = list(config.detail_places.items())
    assert [len(places) for _, places in parts] == list(config.detail_sizes)
    changed = {0: "harmonic", 1: "harmonic", 2: "short_noise", 3: "harmonic", 4: "noise"}
    for number, (name, places) in enumerate(parts):
        if not len(places):
            continue
        at, detail = len(places) // 3, np.zeros((*z.shape[:2], config.details), np.float32)
        detail[..., sum(config.detail_sizes[:number]) + at] = 0.5
        after = model.decoder.shape_of(z, track, detail)
        for control in before:
            moved = np.asarray(after[control]) - np.asarray(before[control])
            if control != changed[number]:
                assert not moved.any()
                continue
            if control == "harmonic":
                hz = 220.0 * config.multiples
                told_hz = places[at] if name.endswith("Hz") else 220.0 * places[at]
                loudest = int(np.argmax(moved.mean(axis=(0, 1))))
                step = places[at + 1] - places[at] if name.endswith("Hz") else 1.0
                assert abs(hz[loudest] - told_hz) <= max(step, 110.0)
            else:
                assert int(np.argmax(moved.mean(axis=(0, 1)))) == at
            assert 0.05 < moved.max() <= 0.5 + 1e-4 and moved.min() > -1e-5


def test_loudness_and_brightness_are_met_with_a_detail_too(model) -> None:
    z = _latents(model)
    detail = 0.7 * np.random.default_rng(3).normal(size=model.config.details).astype(np.float32)
    plain, own = _sound(model, z), _sound(model, z, detail=detail)
    assert np.sqrt(np.mean((own - plain) ** 2)) > 0.05 * np.sqrt(np.mean(plain**2))
    front_end = model.encoder.front_end
    for heard in (plain, own):
        attributes = np.asarray(front_end.attributes(front_end.hop_spectrum(heard)))[0, 3:-3]
        assert np.median(attributes[:, 0]) == pytest.approx(z[0, 0, 0], abs=0.3 * model.config.loudness_units_per_db)
        assert np.median(attributes[:, 1]) == pytest.approx(z[0, 0, 1], abs=0.12)


def test_k_weighting_in_ops_matches_numpy() -> None:
    from synth_explorer.mel import k_weighting_power
    from synth_explorer.model.fast_decoder import k_weighting

    hz = np.array([10.0, 27.5, 60.0, 440.0, 1700.0, 7900.0], np.float32)
    np.testing.assert_allclose(np.asarray(k_weighting(hz)), k_weighting_power(hz), rtol=1e-3)


def test_batch_does_not_change_a_note(model) -> None:
    z = np.concatenate([_latents(model), _latents(model) * 0.5])
    both = model.decoder(z, np.full(z.shape[:2], 220.0, np.float32))
    alone = model.decoder(z[:1], np.full((1, z.shape[1]), 220.0, np.float32))
    for name in both:
        np.testing.assert_allclose(np.asarray(both[name])[:1], np.asarray(alone[name]), rtol=2e-3, atol=1e-6)


def test_loudness_is_met_whatever_the_network_says_of_the_envelope(model) -> None:
    """What the front end hears of the decoded sound is the loudness that was asked for."""
    z = _latents(model)
    z[0, :, 0] += 0.2 * np.sin(np.arange(z.shape[1]) / 3.0)
    front_end = model.encoder.front_end
    heard = np.asarray(front_end.attributes(front_end.hop_spectrum(_sound(model, z))))
    error_db = (heard[0, 3:-3, 0] - z[0, 3:-3, 0]) / model.config.loudness_units_per_db
    assert np.median(np.abs(error_db)) < 0.3
    assert np.max(np.abs(error_db)) < 1.5
