"""A sound that is made in chunks comes at the loudness that is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer.model.config import ModelConfig
from synth_explorer.plain.frontend import FrontEnd
from synth_explorer.plain.held import LOUDER_DB, QUIETER_DB, held

CONFIG = ModelConfig(sample_rate_hz=16000, hop=512)
HOP = CONFIG.hop


@pytest.mark.parametrize("sizes", [[700, 2000, 1, 5000], [9000], [64] * 128])
def test_loudness_is_met_however_the_sound_is_cut(rng: np.random.Generator, sizes: list[int]) -> None:
    front_end = FrontEnd(CONFIG)
    sound = (0.1 * rng.standard_normal(sum(sizes))).astype(np.float32)
    frames = -(-len(sound) // HOP)
    padded = np.pad(sound, (0, frames * HOP - len(sound)))
    own_db = front_end.attributes(padded)[:, 0] / CONFIG.loudness_units_per_db + CONFIG.loudness_offset_db
    asked_db = own_db + np.linspace(-3.0, 3.0, frames)
    made = np.concatenate(list(held(iter(np.split(sound, np.cumsum(sizes)[:-1])), asked_db, front_end)))
    by_hand = np.interp(np.arange(len(sound)) / HOP, np.arange(frames), 10.0 ** ((asked_db - own_db) / 20.0))
    np.testing.assert_allclose(made, sound * by_hand, rtol=1e-4, atol=1e-7)  # to the end, where the last gain stays
    assert len(made) == len(sound)


def test_it_is_moved_no_further_than_it_may() -> None:
    front_end, sound = FrontEnd(CONFIG), np.full(8 * HOP, 0.1, np.float32) * np.tile([1.0, -1.0], 4 * HOP)
    for asked_db, limit_db in ((60.0, LOUDER_DB), (-150.0, QUIETER_DB)):
        made = np.concatenate(list(held(iter([sound.astype(np.float32)]), np.full(8, asked_db), front_end)))
        np.testing.assert_allclose(made[: 7 * HOP], sound[: 7 * HOP] * 10.0 ** (limit_db / 20.0), rtol=1e-5)
