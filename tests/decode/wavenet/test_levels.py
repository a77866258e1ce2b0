"""Levels, sound and draws: NSynth's mu-law, and the inverse CDF that every engine keeps."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer.decode.wavenet.levels import Uniforms, audio_table, draw, input_table, inputs_of, levels_of


def inv_mu_law_numpy(x: np.ndarray, mu: float = 255.0) -> np.ndarray:
    """The half-step inverse as a formula, in float64."""
    out = (x + 0.5) * 2.0 / (mu + 1)
    out = np.sign(out) / mu * ((1 + mu) ** np.abs(out) - 1)
    return np.where(x == 0, x, out)


def test_sound_of_levels_is_the_half_step_inverse() -> None:
    np.testing.assert_allclose(audio_table(), inv_mu_law_numpy(np.arange(256.0) - 128.0), rtol=1e-5)
    assert audio_table()[128] == 0.0


@pytest.mark.parametrize("levels", [16, 100, 256, 1024])
def test_a_level_is_fed_back_as_itself(levels: int) -> None:
    np.testing.assert_array_equal(levels_of(input_table(levels), levels=levels), np.arange(levels))


def test_full_scale_enters_as_one_and_leaves_as_the_top_level() -> None:
    assert inputs_of(np.float32(1.0)) == 1.0
    assert levels_of(inputs_of(np.float32(1.0))) == 255
    assert levels_of(inputs_of(np.float32(-1.0))) == 0


def test_draw_is_the_first_level_whose_sum_reaches_the_number() -> None:
    logits = np.log(np.array([[0.1, 0.2, 0.3, 0.4]], np.float32))
    for uniform, level in [(0.0, 0), (0.05, 0), (0.15, 1), (0.31, 2), (0.59, 2), (0.61, 3), (0.999999, 3)]:
        assert draw(logits, np.array([uniform]), temperature=1.0) == level
    assert draw(logits, np.array([0.0]), temperature=0.0) == 3


def test_uniforms_do_not_depend_on_blocks_or_neighbours() -> None:
    blocks = Uniforms(2, seeds=[7, 8])
    parts = np.concatenate([blocks.take(3), blocks.take(5)], axis=1)
    np.testing.assert_array_equal(parts[1], np.random.default_rng(8).random(8))
    given = np.random.default_rng(0).random((1, 6))
    again = Uniforms(1, given=given)
    np.testing.assert_array_equal(np.concatenate([again.take(2), again.take(4)], axis=1), given)
    assert not np.array_equal(Uniforms(1).take(4), Uniforms(1).take(4))
