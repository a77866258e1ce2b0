"""Width of the spectrum and hollowness, solved together with what they move."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer import measure
from synth_explorer.assets import example_notes
from synth_explorer.closed_loop import ClosedLoop
from synth_explorer.closed_loop.together import Together, measured_answers
from synth_explorer.edits import Brightness, Controls, Edit, EditChain, Gain, Hollowness, Noisiness, Spread
from synth_explorer.errors import EditError
from synth_explorer.latents import Latents, LatentsMeta


@pytest.fixture(scope="module")
def loop(full_band) -> ClosedLoop:
    return ClosedLoop(full_band)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["trumpet", "viola"])
@pytest.mark.parametrize(
    "edits",
    [
        (Spread(0.3),),
        (Hollowness(-8.0),),
        (Hollowness(6.0), Spread(-0.3), Noisiness(3.0)),
        (Brightness(0.2), Gain(-6.0), Spread(0.2)),
    ],
)
def test_they_are_heard_as_they_are_asked(loop: ClosedLoop, name: str, edits: tuple[Edit, ...]) -> None:
    note = loop.explorer.encode(next(note.path for note in example_notes() if note.path.stem == name))
    solution = loop.solve(note, EditChain(edits))
    assert solution.reached, [item.sentence for item in solution.outcomes if not item.reached]
    rate = {"sample_rate_hz": loop.explorer.sample_rate_hz}
    before, after = loop.explorer.decode(note), solution.audio
    asked = {edit.kind: edit.wanted for edit in edits}
    spread = measure.spread_octaves(after, **rate) - measure.spread_octaves(before, **rate)
    if "spread" in asked:
        assert spread == pytest.approx(asked["spread"], abs=0.1)
    bright = measure.brightness_octaves(after, **rate) - measure.brightness_octaves(before, **rate)
    assert bright == pytest.approx(asked.get("brightness", 0.0), abs=0.1)


def test_further_than_the_direction_was_measured_is_declared(loop: ClosedLoop) -> None:
    note = loop.explorer.encode(next(note.path for note in example_notes() if note.path.stem == "trumpet"))
    solution = loop.solve(note, EditChain((Spread(2.5),)))
    outcome = next(item for item in solution.outcomes if item.control == "spread")
    assert not outcome.reached and outcome.limit == outcome.measured and "not measured" in outcome.sentence
    with pytest.raises(EditError, match="beyond what this checkpoint answers"):
        loop.explorer.edit(note, EditChain((Spread(2.5),)))


def test_too_high_to_tell_is_said(loop: ClosedLoop) -> None:
    note = loop.explorer.encode(next(note.path for note in example_notes() if note.path.stem == "trumpet"))
    high = note.at_pitch(np.full(note.frames, 1500.0))
    outcome = next(
        item for item in loop.solve(high, EditChain((Hollowness(3.0),))).outcomes if "hollow" in item.control
    )
    assert outcome.measured is None and "pitch" in outcome.sentence


@pytest.mark.parametrize("edit", [Spread(0.1), Hollowness(1.0)])
def test_a_checkpoint_without_directions_says_so(edit: Edit) -> None:
    note = Latents(np.zeros((4, 16), np.float32), np.full(4, 220.0), LatentsMeta("fake", "0" * 64, 16_000, 512))
    with pytest.raises(EditError, match=f"not calibrated for {edit.kind}"):
        edit.apply(note, Controls())


def test_linear_answers_are_solved_in_a_step_for_each_knob(rng) -> None:
    """Against the solution of the system itself: begun from the diagonal alone, Broyden needs 2 K trials at most."""
    answers = np.eye(4) + 0.3 * rng.standard_normal((4, 4))
    goal, values, together = rng.standard_normal(4), np.zeros(4), Together(np.eye(4))
    for _ in range(9):
        heard = answers @ values
        together.learn(values, heard)
        values = values + together.step(goal - heard)
    np.testing.assert_allclose(values, np.linalg.solve(answers, goal), atol=1e-6)


def test_what_was_not_heard_teaches_nothing() -> None:
    together = Together(np.eye(2))
    together.learn(np.zeros(2), np.zeros(2))
    together.learn(np.ones(2), np.array([1.0, np.nan]))
    np.testing.assert_allclose(together.step(np.array([1.0, np.nan])), [1.0, 0.0])


def test_what_is_measured_beside_is_known_at_once() -> None:
    measured = {"controls": {"spread": {"side": {"noisiness": {"median": 5.0}}}}}
    np.testing.assert_allclose(measured_answers(["spread", "noisiness"], measured), [[1.0, 0.0], [5.0, 1.0]])
