"""Fitting latents to a sound: the gradient, the gain, and that it repeats."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer.plain.autoencoder import Autoencoder
from synth_explorer.plain.fit import Fit
from tests.model.keras_fit import gradient
from tests.model.small import small_model


@pytest.fixture(scope="module")
def problem():
    """A model, latents of its own and the sound they make: what the fit should find."""
    from synth_explorer.model import synthesis

    model, frames, rng = small_model(), 12, np.random.default_rng(1)
    config = model.config
    z = (0.3 * rng.standard_normal((1, frames, config.channels))).astype(np.float32)
    pitch_hz = np.full((1, frames), 260.0, np.float32)
    phases = (
        rng.random((1, frames, config.hop + 1), dtype=np.float32),
        rng.random((1, frames * config.subframes, config.subframe + 1), dtype=np.float32),
    )
    sound = np.asarray(synthesis.render(model.decoder(z, pitch_hz), pitch_hz, *phases, model.decoder))
    start = z + (0.3 * rng.standard_normal(z.shape)).astype(np.float32)
    return model, start, pitch_hz, sound, phases


def _fit(model, start, pitch_hz, sound, **how) -> tuple[np.ndarray, np.ndarray]:
    """z and detail, [1, F, ..]."""
    fit = Fit(Autoencoder.of(model), start[0], pitch_hz[0], sound[0])
    z, detail, _ = fit(**how)
    return z[None], detail[None]


def _distance(model, z, detail, pitch_hz, sound, phases) -> float:
    from synth_explorer.model import synthesis
    from synth_explorer.model.spectral import SpectralLoss

    rendered = synthesis.render(model.decoder(z, pitch_hz, detail), pitch_hz, *phases, model.decoder)
    return float(np.asarray(SpectralLoss(model.config).log_mel(sound, rendered))[0])


def test_fitted_latents_sound_nearer(problem) -> None:
    model, start, pitch_hz, sound, phases = problem
    told: list[tuple[int, int]] = []
    z, detail = _fit(model, start, pitch_hz, sound, steps=25, progress=lambda done, steps: told.append((done, steps)))
    nothing = np.zeros((*z.shape[:2], model.config.details), np.float32)
    assert detail.shape == nothing.shape
    before, after = (_distance(model, *one, pitch_hz, sound, phases) for one in ((start, nothing), (z, detail)))
    assert after < 0.8 * before
    assert told[0] == (1, 25)
    assert told[-1] == (25, 25)


def test_detail_finds_what_latents_cannot_say(problem) -> None:
    """A resonance that is the note's own: z alone comes less near to it than z with the detail."""
    from synth_explorer.model import synthesis

    model, start, pitch_hz, _, phases = problem
    own = np.zeros((*start.shape[:2], model.config.details), np.float32)
    own[..., 2] = 2.0
    controls = model.decoder(start, pitch_hz, own)
    sound = np.asarray(synthesis.render(controls, pitch_hz, *phases, model.decoder))
    z, detail = _fit(model, start, pitch_hz, sound, steps=25)
    alone, both = (_distance(model, z, one, pitch_hz, sound, phases) for one in (0.0 * detail, detail))
    assert both < 0.8 * alone
    mean = detail[0].mean(axis=0)
    assert mean[2] > 0.15
    heard = mean[: 3 * model.config.envelope_bands // 4]  # the last bands hold nothing of this note
    assert np.argmax(heard) in (1, 2, 3)


def test_no_steps_change_nothing_and_the_same_steps_give_the_same(problem) -> None:
    model, start, pitch_hz, sound, _ = problem
    z, detail = _fit(model, start, pitch_hz, sound, steps=0)
    np.testing.assert_array_equal(z, start)
    assert not detail.any()
    for first, second in zip(*(_fit(model, start, pitch_hz, sound, steps=2) for _ in range(2)), strict=True):
        np.testing.assert_allclose(first, second, atol=1e-5)


def test_the_gradient_is_that_of_differences() -> None:
    from keras import ops

    derived = gradient(lambda x, y: ops.sum(ops.sin(x) * y, axis=-1), by=2)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 3, 4)).astype(np.float32)
    value, slope, other = derived(x, y)
    np.testing.assert_allclose(value, np.sum(np.sin(x) * y, axis=-1), rtol=1e-5)
    np.testing.assert_allclose(slope, np.cos(x) * y, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(other, np.sin(x), rtol=1e-4, atol=1e-6)
