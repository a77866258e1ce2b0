"""Edits along calibrated directions do what their curve says, and refuse what was not measured."""

from __future__ import annotations

import json

import numpy as np
import pytest

from synth_explorer.edits import (
    Attack,
    Brightness,
    Controls,
    Curve,
    Direction,
    EditChain,
    Gain,
    Noisiness,
    Oscillate,
    SetPitch,
    Transpose,
)
from synth_explorer.errors import CheckpointError, EditError
from synth_explorer.latents import Latents, LatentsMeta

META = LatentsMeta(checkpoint="other", checkpoint_hash="abc", sample_rate_hz=16_000, hop=512)
CONTENT = {
    "format_version": 1,
    "axes": {
        "loudness": {"unit": "dB", "vector": [0.5, 0.0, 1.0], "steps": [-4, -1, 0, 2], "heard": [-10, -4, 0, 3]},
        "noisiness": {"unit": "dB", "vector": [0, 1, 0], "steps": [-1, 0, 1], "heard": [-6, 0, 6]},
        "pitch": {"unit": "cents", "vector": [0, 0, 1], "steps": [-1, 0, 1], "heard": [-100, 0, 100]},
    },
    "unanswered": {"brightness": "notes answer too differently"},
    "principal": [
        {
            "name": "direction 1: brightness +0.80 octaves per step",
            "share": 0.4,
            "vector": [1.0, 2.0, 0.0],
            "steps": [-1, 0, 1, 2],
            "moves": {"brightness": [-0.8, 0, 0.8, 1.0], "noisiness": [1.0, 0, 1.0, -1.0], "attack": [1, 0, -1, -0.5]},
        }
    ],
}
CONTROLS = Controls.from_dict(CONTENT)


@pytest.fixture
def latents() -> Latents:
    z = np.random.default_rng(0).standard_normal((20, 3))
    return Latents(z, np.full(20, np.nan), META)


def steps(latents: Latents, edit, vector: list[float]) -> np.ndarray:
    """How many steps along a vector an edit goes in every frame."""
    moved = EditChain((edit,)).apply(latents, CONTROLS).z - latents.z
    along = moved @ np.array(vector) / np.dot(vector, vector)
    assert np.allclose(moved, along[:, None] * vector, atol=1e-5)
    return along


def test_controls_survive_json() -> None:
    again = Controls.from_dict(json.loads(json.dumps(CONTROLS.to_dict())))
    assert again == CONTROLS and again.to_dict() == CONTROLS.to_dict()
    assert CONTROLS.answers("loudness") and not CONTROLS.answers("brightness")


@pytest.mark.parametrize(("db", "expected"), [(-10, -4), (-7, -2.5), (-4, -1), (-1, -0.25), (0, 0), (3, 2)])
def test_a_gain_goes_as_far_as_the_curve_says(latents: Latents, db: float, expected: float) -> None:
    assert steps(latents, Gain(db), [0.5, 0.0, 1.0]) == pytest.approx(expected, abs=1e-5)


def test_tracks_are_inverted_in_every_frame(latents: Latents) -> None:
    curve = Curve("loudness", ((0.0, 0.0), (0.4, -8.0)))
    asked_db = np.interp(np.arange(20) * 0.032, [0, 0.4], [0, -8])
    found = steps(latents, curve, [0.5, 0.0, 1.0])
    assert found == pytest.approx(np.interp(asked_db, [-10, -4, 0, 3], [-4, -1, 0, 2]), abs=1e-5)
    assert np.ptp(steps(latents, Oscillate("loudness", 4, 2), [0.5, 0, 1])) > 1
    assert steps(latents, Transpose(0.5), [0, 0, 1]) == pytest.approx(0.5, abs=1e-5)
    assert steps(latents, Noisiness(-3), [0, 1, 0]) == pytest.approx(-0.5, abs=1e-5)
    assert np.ptp(steps(latents, Oscillate("pitch", 4, 30), [0, 0, 1])) > 0.4


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (Gain(-12), r"gain: -12 dB is beyond what this checkpoint answers: -10.00 to \+3.00 dB"),
        (Oscillate("loudness", 4, 6), "beyond what this checkpoint answers"),
        (Brightness(0.5), "was calibrated, and its brightness does not answer: notes answer too differently"),
        (Attack(0.1), "only a direction that moves it"),
        (SetPitch(60), "keeps pitch inside z"),
        (Direction(2, 1.0), r"no direction 2; this checkpoint has 1\.\.1"),
        (Direction(1, -1.5), r"-1.5 steps is beyond what was measured: -1 to \+2 steps"),
        (Direction(1, 1.2, "brightness"), r"beyond what this direction moves in one way: -0.80 to \+1.00"),
        (Direction(1, 0.5, "noisiness"), "does not move noisiness in one way"),
        (Direction(1, -1.2, "attack"), r"in one way: -1.00 to \+1.00"),
        (Direction(1, 0.5, "warmth"), "unit='warmth' must be one of steps, brightness"),
    ],
)
def test_refuses(latents: Latents, edit, message: str) -> None:
    with pytest.raises(EditError, match=message):
        EditChain((edit,)).apply(latents, CONTROLS)


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (Direction(1, 1.5), 1.5),
        (Direction(1, 0.4, "brightness"), 0.5),
        (Direction(1, 0.9, "brightness"), 1.5),
        (Direction(1, -0.5, "attack"), 0.5),
    ],
)
def test_principal_directions(latents: Latents, edit: Direction, expected: float) -> None:
    assert steps(latents, edit, [1.0, 2.0, 0.0]) == pytest.approx(expected, abs=1e-5)
    chain = EditChain((edit,))
    assert EditChain.from_json(chain.to_json()) == chain
    assert chain.requested()["directions"][0]["number"] == 1


@pytest.mark.parametrize(
    "change",
    [
        {"axes": []},
        {"axes": {"loudness": {"unit": "dB", "vector": [], "steps": [0, 1], "heard": [0, 1]}}},
        {"axes": {"loudness": {"unit": "dB", "vector": [1], "steps": [1, 0], "heard": [0, 1]}}},
        {"axes": {"loudness": {"unit": "dB", "vector": [1], "steps": [0, 1], "heard": [1, 2]}}},
        {"axes": {"loudness": {"unit": "dB", "vector": [float("nan")], "steps": [0, 1], "heard": [0, 1]}}},
        {"principal": [{"vector": [1.0], "share": 0.1, "steps": [0, 1], "moves": {"brightness": [0.0]}}]},
        {"principal": ["first"]},
        {"unanswered": "all"},
    ],
)
def test_damaged_controls_are_refused(change: dict) -> None:
    with pytest.raises(CheckpointError, match="controls"):
        Controls.from_dict(CONTENT | change)


def test_other_channels_are_refused(latents: Latents) -> None:
    wide = Latents(np.zeros((4, 5)), np.full(4, np.nan), META)
    with pytest.raises(EditError, match="the direction has 3 channels, these latents 5"):
        Gain(-3).apply(wide, CONTROLS)
