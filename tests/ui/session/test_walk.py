"""A walk over the map: the sounds that it passes, in which order and when, and the morph that is made of it."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest

from synth_explorer.errors import EditError
from synth_explorer.latents import pad_weights
from synth_explorer.ui.request.settings import Settings
from synth_explorer.ui.session.walk import MOST, Stop, Walk, curves, slots, stops

PLACES = np.array([[0.1, 0.1], [0.5, 0.12], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9], [0.5, 0.5]])


def line(*points: tuple[float, float], speed: float = 0.5) -> np.ndarray:
    """A walk in straight lines, so fast."""
    along = [0.0]
    for a, b in pairwise(points):
        along.append(along[-1] + float(np.hypot(b[0] - a[0], b[1] - a[1])) / speed)
    return np.array([(time_s, *point) for time_s, point in zip(along, points, strict=True)])


def test_sounds_are_passed_in_their_order_at_the_time_at_which_the_walk_is_nearest() -> None:
    found = stops(line((0.1, 0.1), (0.9, 0.1), (0.9, 0.9)), PLACES)
    assert [stop.number for stop in found] == [0, 1, 2, 3]
    assert [stop.time_s for stop in found] == pytest.approx([0.0, 0.8, 1.6, 3.2], abs=0.03)
    back = stops(line((0.9, 0.9), (0.9, 0.1), (0.1, 0.1)), PLACES)
    assert [stop.number for stop in back] == [3, 2, 1, 0]


def test_of_many_the_first_the_last_and_the_nearest_are_taken_some_way_apart() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        places = rng.random((60, 2))
        walk = line(*map(tuple, rng.random((5, 2))))
        found = stops(walk, places)
        assert 2 <= len({stop.number for stop in found}) <= MOST
        times_s = [stop.time_s for stop in found]
        assert times_s == sorted(times_s) and times_s[0] == 0.0
        for end, stop in ((walk[0], found[0]), (walk[-1], found[-1])):
            assert stop.number == np.argmin(np.hypot(*(places - end[1:]).T))


def test_what_is_near_is_so_as_it_is_seen_and_wherever_the_map_lies() -> None:
    """On a map that is seen four times as wide as high what is beside is farther than what is above."""
    places, walk = np.array([[0.0, 0.0], [0.5, 0.2], [0.42, 0.0], [1.0, 0.0]]), line((0.0, 0.0), (0.5, 0.0))
    assert stops(walk, places)[-1].number == 2
    assert stops(walk, places, aspect=4.0)[-1].number == 1
    moved = stops(walk + np.array([7.0, 3.0, -2.0]), places + np.array([3.0, -2.0]))
    assert moved == pytest.approx(stops(walk, places))


def test_a_walk_that_ends_where_it_began_comes_back_and_one_past_one_sound_is_refused() -> None:
    found = stops(line((0.1, 0.1), (0.9, 0.1), (0.1, 0.1)), PLACES)
    assert found[0].number == found[-1].number == 0 and {1, 2} & {stop.number for stop in found}
    with pytest.raises(EditError, match="one sound only"):
        stops(line((0.1, 0.1), (0.12, 0.1)), PLACES)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_the_morph_is_each_sound_alone_when_the_walk_passed_it_and_two_of_them_between(count: int) -> None:
    found = [Stop(number, 0.5 * at) for at, number in enumerate([7, 2, 9, 4][:count])]
    order, drawn = slots(found), curves(found, sound_s=10.0)
    assert sorted(order) == sorted(stop.number for stop in found)
    settings = Settings.from_mapping({"count": count, "curves": {"points": drawn}})
    for at in np.linspace(0.0, found[-1].time_s, 31):
        (weights,) = settings.place().weights_at(np.array([at]), count)
        assert sum(weight > 1e-6 for weight in weights) <= 2
    for stop in found:
        (weights,) = settings.place().weights_at(np.array([stop.time_s]), count)
        assert weights[order.index(stop.number)] == pytest.approx(1.0)
    assert weights == pad_weights(count, *settings.place().places[-1][1:])


def test_a_walk_that_takes_longer_than_the_sound_is_faster_and_one_of_no_time_still_goes_on() -> None:
    slow = curves([Stop(0, 0.0), Stop(1, 5.0), Stop(2, 20.0)], sound_s=4.0)
    assert [time_s for time_s, _ in slow["across"]] == pytest.approx([0.0, 0.9, 3.6])
    assert slow["up"] == [[0.0, 0.0], [0.9, 0.0], [3.6, 1.0]]
    quick = curves([Stop(0, 0.0), Stop(1, 0.0), Stop(2, 0.0)], sound_s=4.0)
    assert [time_s for time_s, _ in quick["across"]] == [0.0, 0.001, 0.002]


@pytest.mark.parametrize(
    "given",
    [{"points": []}, {"points": [[0, 0]]}, {"points": [[1, 0, 0], [0, 1, 1]]}, {"points": [[0, 0, 0], [1, 1e9, 0]]}],
)
def test_what_is_no_walk_is_refused(given: dict) -> None:
    with pytest.raises(EditError):
        Walk.parse(json.dumps({"checkpoint": "fake", **given}), what="The walk", error=EditError).array()
