"""Decay and hollowness against tones of which they are known, and the tags that follow."""

from __future__ import annotations

import math

import numpy as np
import pytest

from synth_explorer.library.qualities import NAMES, decay_db_s, hollow_db, qualities
from synth_explorer.library.tags import RULES, measured_tags
from tests.library.conftest import RATE_HZ, tone


@pytest.mark.parametrize("decay", [0.0, 12.0, 80.0])
def test_decay_is_what_the_tone_was_made_with(decay: float) -> None:
    held = tone(220.0, seconds=1.0, decay_db_s=decay)
    released = np.concatenate([held, held[-1600:] * 10 ** (-np.linspace(0.0, 40.0, 1600, dtype=np.float32) / 20)])
    for sound in (held, released):
        assert decay_db_s(sound, sample_rate_hz=RATE_HZ) == pytest.approx(decay, abs=1.0)
    assert math.isnan(decay_db_s(np.zeros(RATE_HZ, np.float32), sample_rate_hz=RATE_HZ))


@pytest.mark.parametrize("hz", [65.0, 220.0, 700.0])
def test_hollowness_is_the_power_of_odd_partials_over_that_of_even_ones(hz: float) -> None:
    full = hollow_db(tone(hz, partials=9), sample_rate_hz=RATE_HZ, pitch_hz=hz)
    squares = np.array([k**-2.0 for k in range(2, 10)])
    assert full == pytest.approx(10 * np.log10(squares[1::2].sum() / squares[0::2].sum()), abs=0.3)
    assert hollow_db(tone(hz, partials=9, odd=True), sample_rate_hz=RATE_HZ, pitch_hz=hz) > 25.0


def test_tags_say_what_was_measured() -> None:
    pluck = qualities(tone(220.0, seconds=0.6, partials=2, decay_db_s=80.0), sample_rate_hz=RATE_HZ)
    assert set(pluck) == set(NAMES) and {rule.measure for rules in RULES.values() for rule in rules} <= set(NAMES)
    tags = measured_tags(pluck)
    assert tags["percussive"] > 0.9 and tags["fast decay"] > 0.9 and tags["dark"] > 0.9
    assert not {"bright", "sustained", "slow attack", "hollow"} & tags.keys()
    assert measured_tags({"brightness_octaves": 11.3})["bright"] == 0.5 and not measured_tags({})
