"""The slopes that a fit goes by are those of automatic differentiation, and of differences."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer.decode.sines import amplitude_slopes, sum_of_sines
from synth_explorer.model.descent import COURSES, courses, onset_frames
from synth_explorer.plain.autoencoder import Autoencoder
from synth_explorer.plain.fit import Fit
from synth_explorer.plain.loss import PARTS
from tests.model.keras_fit import gradient
from tests.model.keras_fit import slopes as keras_slopes
from tests.model.small import small_model

FRAMES = 24


@pytest.fixture(scope="module")
def model():
    return small_model()


@pytest.fixture(scope="module")
def networks(model) -> Autoencoder:
    return Autoencoder.of(model)


@pytest.fixture
def note(model, rng) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Latents, a pitch that glides, and a sound."""
    config = model.config
    z = (0.3 * rng.standard_normal((FRAMES, config.channels))).astype(np.float32)
    audio = (0.1 * rng.standard_normal(FRAMES * config.hop)).astype(np.float32)
    return z, np.linspace(200.0, 500.0, FRAMES).astype(np.float32), audio


def assert_near(ours: np.ndarray, theirs: np.ndarray, share: float) -> None:
    assert ours.shape == theirs.shape
    assert np.linalg.norm(ours - theirs) <= share * np.linalg.norm(theirs)


def test_slopes_through_the_network(model, networks, note, rng) -> None:
    z, pitch_hz, _ = note
    frame, fine, back = networks.network.traced(z, pitch_hz)
    by_frame, by_fine = (rng.standard_normal(each.shape).astype(np.float32) for each in (frame, fine))

    def said(z, pitch_hz, by_frame, by_fine):
        frame, fine = model.decoder.network(z, pitch_hz)
        return _dot(frame, by_frame) + _dot(fine, by_fine)

    given = z[None], pitch_hz[None], by_frame[None], by_fine[None]
    _, slope = gradient(said)(*given)
    assert_near(back(by_frame, by_fine), slope[0, :, 2:], 1e-5)
    for ours, plain in zip((frame, fine), networks.network(z, pitch_hz), strict=True):
        np.testing.assert_allclose(ours, plain, atol=1e-5)


@pytest.mark.parametrize("end_hz", [0.0, 2500.0])
def test_slopes_through_the_controls(model, networks, note, rng, end_hz: float) -> None:
    z, pitch_hz, _ = note
    config = model.config
    frame = rng.standard_normal((FRAMES, config.noise_bands + 1)).astype(np.float32)
    fine = rng.standard_normal((FRAMES * config.subframes, model.decoder.fine_head.units)).astype(np.float32)
    detail = (0.5 * rng.standard_normal((FRAMES, config.details))).astype(np.float32)
    level = (0.5 * rng.standard_normal((FRAMES, config.level_points))).astype(np.float32)
    controls, back = networks.controls.traced(frame, fine, z, pitch_hz, detail, level, end_hz)
    slopes = {
        name: (rng.standard_normal(value.shape) / np.abs(value).mean()).astype(np.float32)
        for name, value in controls.items()
    }

    sizes, kept = (frame, fine), controls["harmonic"].shape[1] - config.half_partials

    def heard(frame, fine, z, detail, level, pitch_hz):
        from keras import ops

        frame, fine = (ops.reshape(each, (1, *known.shape)) for each, known in zip((frame, fine), sizes, strict=True))
        ends = ops.full((1,), end_hz) if end_hz else None
        made = dict(model.decoder.controls_of(frame, fine, z, pitch_hz, detail, ends, level))
        harmonic = made["harmonic"]  # those beyond the band are not there in numpy
        made["harmonic"] = ops.concatenate([harmonic[..., :kept], harmonic[..., config.harmonics :]], axis=-1)
        return sum(_dot(made[name], slope[None]) for name, slope in slopes.items())

    derived = gradient(heard, by=5)
    _, *theirs = derived(frame[None], fine[None], z[None], detail[None], level[None], pitch_hz[None])
    ours = back(slopes)
    for one, other in zip(
        ours, (theirs[0][0], theirs[1][0], theirs[2][0, :, :2], *(each[0] for each in theirs[3:])), strict=True
    ):
        assert_near(one, other, 1e-4)


def test_slopes_of_the_whole_distance(model, networks, note, rng) -> None:
    z, pitch_hz, audio = note
    config = model.config
    moved = (0.1 * rng.standard_normal(z.shape)).astype(np.float32)
    detail = (0.1 * rng.standard_normal((COURSES, config.details))).astype(np.float32)
    onset = (0.1 * rng.standard_normal((onset_frames(FRAMES, config), config.level_points))).astype(np.float32)
    over_time = courses(FRAMES, config)
    phase = rng.random((FRAMES, config.hop + 1), dtype=np.float32)
    short = rng.random((FRAMES * config.subframes, config.subframe + 1), dtype=np.float32)
    given = z, pitch_hz, audio, phase, short
    moving = moved[None], detail[None], onset[None]
    _, *slopes = keras_slopes(model)(*moving, over_time, *(each[None] for each in given))
    fit = Fit(networks, z, pitch_hz, audio)
    parts = [fit.slopes(moved, detail, onset, phase, short, part=part) for part in range(PARTS)]
    for *found, other in zip(*parts, slopes, strict=True):
        one = np.mean(found, axis=0)
        assert_near(one, other[0], 2e-3)  # where two spectra cross, float32 is of two minds about the side


def test_a_fit_repeats(networks, note) -> None:
    fit, told = Fit(networks, *note), []
    first, second = (fit(steps=6, progress=lambda *done: told.append(done)) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
    assert told[5] == (6, 6) and first[1].shape == (FRAMES, networks.config.details)
    level = first[2]
    assert level.shape == (FRAMES, networks.config.level_points)
    assert (
        level[: onset_frames(FRAMES, networks.config)].any()
        and not level[onset_frames(FRAMES, networks.config) :].any()
    )


@pytest.mark.slow
def test_a_fit_comes_nearer(model, networks, note) -> None:
    z, pitch_hz, audio = note
    fitted = Fit(networks, z, pitch_hz, audio)(steps=6)
    nothing, none_moved = np.zeros((FRAMES, networks.config.details), np.float32), np.zeros_like(z)
    phases = tuple(np.full((FRAMES * n, networks.config.hop // n + 1), 0.3, np.float32) for n in (1, 4))

    def distance(z: np.ndarray, detail: np.ndarray, level: np.ndarray) -> float:
        given, each_frame = (z, pitch_hz, audio, *phases), np.eye(FRAMES, dtype=np.float32)
        calls = none_moved[None], detail[None], level[None], each_frame, *(each[None] for each in given)
        return float(keras_slopes(model)(*calls)[0][0])

    still = np.zeros((FRAMES, networks.config.level_points), np.float32)
    assert distance(*fitted) < distance(z, nothing, still)


@pytest.mark.parametrize("frames", [1, 2, 3, 40, 500])
def test_courses_stand_still_or_add_up_to_what_does(model, frames: int) -> None:
    made = courses(frames, model.config)
    assert made.shape == (frames, COURSES) and (made[:, 0] == 1.0).all() and made.min() >= 0.0
    np.testing.assert_allclose(made[:, 1:].sum(axis=1), 1.0, atol=1e-6)
    if frames > COURSES:
        late = np.argmax(made[:, 1:], axis=1)
        assert (np.diff(late) >= 0).all() and late[-1] == COURSES - 2
        assert np.count_nonzero(late == 1) < np.count_nonzero(late == COURSES - 3)  # ever wider


@pytest.mark.parametrize("count", [1, 8, 9, 40])
def test_sines_are_sines(count: int, rng) -> None:
    amplitude = rng.standard_normal((5, count)).astype(np.float32)
    cycles = np.cumsum(rng.uniform(0.001, 0.012, (5, 16)).reshape(-1)).reshape(5, 16) % 1.0
    following = np.concatenate([amplitude[1:], amplitude[-1:]])
    ramp = np.arange(16) / 16
    at = amplitude[:, None] + (following - amplitude)[:, None] * ramp[:, None]
    expected = (at * np.sin(2.0 * np.pi * cycles[..., None] * np.arange(1, count + 1))).sum(axis=2)
    np.testing.assert_allclose(sum_of_sines(amplitude, cycles), expected, atol=1e-4)
    slope = rng.standard_normal((5, 16)).astype(np.float32)
    back = amplitude_slopes(slope, cycles, count=count)
    assert np.vdot(back, amplitude) == pytest.approx(np.vdot(slope, expected), rel=1e-3, abs=1e-3)


def _dot(one, other):
    """Sum of products, in whichever framework."""
    from keras import ops

    return ops.sum(one * other)
