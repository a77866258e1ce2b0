"""Where a sound lies between its sources, against plain interpolation."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer.errors import SynthExplorerError
from synth_explorer.latents import pad_weights
from synth_explorer.rendering import Mix


def test_a_way_over_the_pad_is_straight_between_its_places() -> None:
    mix = Mix.along([(0.5, 0.0, 1.0), (1.5, 1.0, 0.0)])
    times_s = np.array([0.0, 0.5, 0.75, 1.0, 1.5, 9.0])
    places = [(0.0, 1.0), (0.0, 1.0), (0.25, 0.75), (0.5, 0.5), (1.0, 0.0), (1.0, 0.0)]
    assert not mix.stands(2)
    assert mix.weights_at(times_s, 4) == [pytest.approx(pad_weights(4, x, y)) for x, y in places]


def test_what_stands_still() -> None:
    assert Mix.at(0.3).standing(2) == pytest.approx((0.7, 0.3))
    assert Mix.of([1, 2, 1]).standing(3) == (1.0, 2.0, 1.0) and Mix.of(0.5).stands(2)
    assert Mix.along([(0.0, 0.2, 0.1), (3.0, 0.2, 0.1)]).stands(4)


def test_meaning_is_that_of_the_weights() -> None:
    assert Mix.at(0.25, 0.9).meaning(2) == Mix.of([3, 1]).meaning(2) == Mix.of([0.75, 0.25]).meaning(2)
    assert Mix.at(0.25, 0.9).meaning(4) != Mix.at(0.25, 0.8).meaning(4)
    moving = [Mix.along([(0.0, 0.0, y), (1.0, 1.0, 0.0)]) for y in (0.0, 1.0)]
    assert moving[0].meaning(2) == moving[1].meaning(2) and moving[0].meaning(3) != moving[1].meaning(3)


@pytest.mark.parametrize("places", [[(1.0, 0, 0), (1.0, 1, 0)], [(-1.0, 0, 0)], [(0.0, float("inf"), 0)], []])
def test_what_cannot_be_is_one_sentence(places: list) -> None:
    with pytest.raises(SynthExplorerError) as found:
        Mix.along(places)
    assert "\n" not in str(found.value)
