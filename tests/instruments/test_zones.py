"""Keys and velocities: everything is played by exactly one sample, and the curve goes on from layer to layer."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer.errors import SpecError
from synth_explorer.instruments.zones import around, key_range, layers, level_db, zones


@pytest.mark.parametrize("step", [1, 2, 3, 5, 12])
def test_every_key_is_played_by_the_nearest_sample(step: int) -> None:
    found = zones(36, 84, step=step)
    for key in range(36, 85):
        (zone,) = [one for one in found if one.low <= key <= one.high]
        assert abs(zone.root - key) == min(abs(one.root - key) for one in found)


def test_zones_of_single_keys() -> None:
    assert [(zone.low, zone.high) for zone in around((40, 41, 60), low=40, high=60)] == [(40, 40), (41, 50), (51, 60)]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 16])
def test_every_velocity_is_played_by_one_layer(count: int) -> None:
    found = layers(count)
    assert len(found) == count
    assert [v for one in found for v in range(one.low, one.high + 1)] == list(range(1, 128))


@pytest.mark.parametrize("count", [1, 3, 5])
def test_levels_follow_the_curve_whatever_the_layers(count: int) -> None:
    for layer in layers(count):
        for velocity in range(layer.low, layer.high + 1):
            assert layer.level_db + 20 * np.log10(layer.gain(velocity)) == pytest.approx(level_db(velocity))
            assert layer.gain(velocity) <= 1.0


def test_softer_layers_are_darker() -> None:
    octaves = [layer.brightness_octaves for layer in layers(4)]
    assert octaves == sorted(octaves) and octaves[-1] == 0.0 and octaves[0] < -0.4


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("C2-C6", (36, 84)),
        ("36-84", (36, 84)),
        ("c#3-Bb5", (49, 82)),
        ("F#2 - 60", (42, 60)),
        ("C1-Eb4", (24, 63)),
        ("C4", (60, 60)),
    ],
)
def test_key_ranges(text: str, keys: tuple[int, int]) -> None:
    assert key_range(text) == keys


@pytest.mark.parametrize("text", ["", "H2", "H2-C4", "C2-", "C2-C4-C6", "C2..C4", "-5-60", "C2-C6x"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(SpecError, match="range of keys"):
        key_range(text)


@pytest.mark.parametrize(("low", "high", "step"), [(84, 36, 3), (0, 60, 3), (60, 127, 3), (36, 84, 0), (36, 84, 25)])
def test_keys_that_cannot_be_are_refused(low: int, high: int, step: int) -> None:
    with pytest.raises(SpecError):
        zones(low, high, step=step)


@pytest.mark.parametrize("count", [0, 17])
def test_layers_that_cannot_be_are_refused(count: int) -> None:
    with pytest.raises(SpecError, match="velocity layers"):
        layers(count)
