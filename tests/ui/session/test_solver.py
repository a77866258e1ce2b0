"""Edits of the page are solved, decode no more than they need, and are judged on the sound that was played."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synth_explorer import measure
from synth_explorer.edits import Brightness, Controls, EditChain, Gain, Noisiness, Reverse, Transpose
from synth_explorer.latents import pad_weights
from synth_explorer.ui.answers import slots
from synth_explorer.ui.answers.tables import outcome_table
from synth_explorer.ui.request.settings import Settings
from synth_explorer.ui.session.solver import Solver


@pytest.fixture
def explorer(fake):
    return fake.FakeExplorer()


@pytest.fixture
def note(explorer, studio):
    return explorer.encode(next(iter(studio.notes.values())).path)


def octaves(before: np.ndarray, after: np.ndarray) -> float:
    return float(np.diff([measure.brightness_octaves(part, sample_rate_hz=16000) for part in (before, after)])[0])


def test_a_gain_alone_is_decoded_once_and_judged_on_what_was_played(explorer, note):
    solver = Solver(explorer)
    edited, audio = solver.solve(note, EditChain((Gain(-6.0),)))
    assert explorer.decoded == 1
    outcomes = {outcome.control: outcome for outcome in solver.judge(note, EditChain((Gain(-6.0),)))}
    assert explorer.decoded == 2  # the note without it
    assert outcomes["gain"].measured == pytest.approx(-6.0, abs=0.01) and outcomes["pitch"].reached
    assert np.array_equal(solver.decode(edited), audio) and explorer.decoded == 2


def test_the_plain_morph_is_what_an_edit_is_compared_with(explorer, note):
    solver, chain = Solver(explorer), EditChain((Brightness(0.4),))
    plain = solver.decode(note)
    _, audio = solver.solve(note, chain)
    trials = explorer.decoded - 1
    assert 1 <= trials <= 3 and octaves(plain, audio) == pytest.approx(0.4, abs=0.05)
    solver.judge(note, chain)
    assert explorer.decoded == 1 + trials
    with pytest.raises(ValueError, match="read-only"):
        plain[0] = 1.0


def test_by_its_formula_the_brightness_would_be_off(explorer, note):
    formula = explorer.decode(explorer.edit(note, EditChain((Brightness(0.4),))))
    assert abs(octaves(explorer.decode(note), formula) - 0.4) > 0.05


def test_a_gain_that_is_off_is_solved_from_then_on(explorer, note, fake):
    wrong = fake.CONTROLS | {"loudness": fake.CONTROLS["loudness"] | {"units_per_db": 0.04}}
    explorer.controls = Controls.from_dict(wrong)
    solver, chain = Solver(explorer), EditChain((Gain(-10.0),))
    _, guessed = solver.solve(note, chain)
    assert measure.rms_db(guessed) - measure.rms_db(solver.decode(note)) == pytest.approx(-8.0, abs=0.1)
    assert not next(item for item in solver.judge(note, chain) if item.control == "gain").reached
    _, solved = solver.solve(note, chain)
    assert measure.rms_db(solved) - measure.rms_db(solver.decode(note)) == pytest.approx(-10.0, abs=0.1)


def test_what_nobody_asked_for_is_not_judged_against_itself(explorer, note):
    chain = EditChain((Transpose(3.0), Reverse()))
    solver = Solver(explorer)
    assert [outcome.control for outcome in solver.judge(note, chain)] == ["pitch"]
    assert explorer.decoded == 2
    assert "with reverse already in it" in outcome_table(solver.judge(note, chain), chain)


def test_noise_is_solved_while_level_and_brightness_are_held(explorer, note):
    solver, chain = Solver(explorer), EditChain((Noisiness(6.0),))
    solver.solve(note, chain)
    found = {outcome.control: outcome for outcome in solver.judge(note, chain)}
    assert found["noisiness"].measured == pytest.approx(6.0, abs=1.0)
    assert found["loudness"].reached and found["brightness"].reached


def test_the_page_shows_a_solved_edit_as_heard(studio):
    sources = [view.source for view in slots.open_defaults(studio)]
    settings = Settings(count=2, brightness=0.4, transpose=2.0)
    render = studio.render(sources, settings)
    assert render.is_solved and octaves(studio.before(render), render.audio) != 0.0
    table = outcome_table(studio.outcomes(render), render.chain)
    assert "+0.40" in table and "+200" in table and "is-missed" not in table


def test_a_morph_along_a_curve_passes_its_sources(studio):
    sources = [view.source for view in slots.open_defaults(studio)]
    drawn = replace(Settings(), curves=(("across", ((0.2, 0.0), (0.8, 1.0))),), y=0.0)
    moved = studio.render(sources, drawn).after
    first, last = (studio.latents(source) for source in sources[:2])
    assert np.allclose(moved.z[0], first.z[0], atol=1e-5) and np.allclose(moved.z[-1], last.z[-1], atol=1e-5)
    still = studio.render(sources, replace(drawn, curves=(("across", ((0.0, 0.3),)),))).after
    mixed = studio.explorer.morph([studio.latents(source) for source in sources], pad_weights(4, 0.3, 0.0))
    assert np.allclose(still.z, mixed.z, atol=1e-5)
    pair = replace(drawn, count=2, curves=(("up", ((0.0, 0.3),)),))
    assert not pair.morph_moves and sum(studio.render(sources, drawn).weights) == pytest.approx(1.0)
