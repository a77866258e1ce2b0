"""The final render: chunks, seeds, engines, stopping, and that it stands on the fast decoder's sound."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer.decode.final import FinalRender
from synth_explorer.errors import CheckpointError
from synth_explorer.model.guide import Guide
from synth_explorer.model.whitening import whiten
from tests.model.small import small_wavenet

FRAMES = 40


@pytest.fixture(scope="module", params=["autoregressive", "parallel"])
def render(request) -> FinalRender:
    return FinalRender(small_wavenet(request.param))


def _note(render: FinalRender, *, frames: int = FRAMES):
    rng, sizes = np.random.default_rng(0), render.network.sizes
    tones, noise = (0.1 * rng.standard_normal((2, 1, frames * sizes.hop))).astype(np.float32)
    z = rng.standard_normal((frames, sizes.channels)).astype(np.float32)
    return z, np.full(frames, 200.0, np.float32), Guide.of(tones, noise, render.network.config, sizes)


def _chunks(render: FinalRender, *, samples: int = 9000, seed: int = 3, temperature: float = 1.0, **options):
    how = {"samples": samples, "seed": seed, "temperature": temperature, "engine": "auto"} | options
    return list(render.stream(*_note(render), **how))


def test_chunks_make_the_whole_and_seeds_decide(render) -> None:
    chunks = _chunks(render)
    whole = np.concatenate(chunks)
    assert len(chunks) > 1
    assert (whole.shape, whole.dtype) == ((9000,), np.float32)
    np.testing.assert_array_equal(np.concatenate(_chunks(render)), whole)
    np.testing.assert_array_equal(np.concatenate(_chunks(render, samples=5000)), whole[:5000])
    assert np.abs(np.concatenate(_chunks(render, seed=4)) - whole).max() > 1e-3
    calm = [np.concatenate(_chunks(render, seed=seed, temperature=0.0)) for seed in (3, 4)]
    np.testing.assert_array_equal(*calm)


def test_it_never_leaves_the_fast_sound_by_more_than_the_scale() -> None:
    """Whitened again, what was added lies within the range of the residual."""
    render = FinalRender(small_wavenet())
    guide = _note(render)[2]
    added = np.concatenate(_chunks(render)) - guide.sound[0, :9000]
    flat = whiten(added[None], guide.coefficients, hop=guide.config.condition_hop)[0]
    assert np.all(np.abs(flat) <= guide.scale[0, :9000] * 1.001 + 1e-4)


def test_pieces_of_the_parallel_form_are_the_whole_at_once() -> None:
    render = FinalRender(small_wavenet("parallel"))
    z, pitch_hz, guide = _note(render)
    network, samples = render.network, FRAMES * render.network.sizes.hop
    found = np.concatenate(_chunks(render, samples=samples))
    noise = np.random.default_rng((3, 3)).standard_normal((1, samples, 1), dtype=np.float32)
    conditioning = network.conditioning(z[None], pitch_hz[None])
    residual = np.asarray(network(noise, guide.inputs(), conditioning))[0, :, 0]
    np.testing.assert_allclose(found, guide.sound[0] + guide.scale[0] * residual, atol=1e-5)


def test_engines_agree() -> None:
    render = FinalRender(small_wavenet())
    one, other = (np.concatenate(_chunks(render, samples=600, engine=engine)) for engine in ("numba", "reference"))
    assert np.mean(one == other) > 0.99


def test_a_stop_ends_it_and_progress_is_told(render) -> None:
    told: list[tuple[int, int]] = []
    assert sum(map(len, _chunks(render, stop=lambda: bool(told), progress=lambda *now: told.append(now)))) < 9000
    told.clear()
    _chunks(render, progress=lambda *now: told.append(now))
    assert told[-1] == (9000, 9000)


def test_the_parallel_form_has_no_numba_engine() -> None:
    with pytest.raises(CheckpointError, match="numba"):
        _chunks(FinalRender(small_wavenet("parallel")), engine="numba")


def test_gain_is_how_much_of_the_residual_is_added(render) -> None:
    sound = _note(render)[2].sound[0, :9000]
    whole, half, none = (
        np.concatenate(_chunks(FinalRender(render.network, gain=gain))) - sound for gain in (1.0, 0.5, 0.0)
    )
    np.testing.assert_allclose(half, 0.5 * whole, atol=1e-5)
    np.testing.assert_array_equal(none, 0.0)


def test_without_tails_no_draw_is_rare() -> None:
    network = small_wavenet()
    fast = _note(FinalRender(network))[2].sound[0, :9000]
    spreads = [np.abs(np.concatenate(_chunks(FinalRender(network, tails=tails))) - fast) for tails in (0.0, 0.49)]
    assert spreads[1].max() < spreads[0].max()
    one, other = (np.concatenate(_chunks(FinalRender(network, tails=0.5), seed=seed)) for seed in (3, 4))
    np.testing.assert_array_equal(one, other)  # the median of each draw is no draw
