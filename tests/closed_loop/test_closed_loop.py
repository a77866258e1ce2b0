"""The closed loop meets what was asked on real notes, says when it cannot, and holds the rest."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer import measure
from synth_explorer.assets import example_notes
from synth_explorer.closed_loop import ClosedLoop, Outcome
from synth_explorer.closed_loop.loop import split
from synth_explorer.closed_loop.request import Request
from synth_explorer.edits import Brightness, EditChain, Gain, Oscillate, Reverse, SetPitch, Toward, Transpose
from synth_explorer.latents import Latents

RATE = {"sample_rate_hz": 16_000}


@pytest.fixture(scope="module")
def loop(explorer) -> ClosedLoop:
    return ClosedLoop(explorer)


@pytest.fixture(scope="module")
def low(explorer) -> Latents:
    """A note with room below: many partials over a low pitch."""
    return explorer.encode(next(note.path for note in example_notes() if note.path.stem == "cello"))


@pytest.fixture(scope="module")
def high(explorer) -> Latents:
    """The highest example note."""
    return explorer.encode(max(example_notes(), key=lambda note: note.pitch).path)


class TestSolve:
    @pytest.mark.parametrize("octaves", [-1.0, -0.5, 0.5, 1.0])
    def test_brightness_at_constant_loudness(self, explorer, loop: ClosedLoop, low: Latents, octaves: float) -> None:
        solution = loop.solve(low, EditChain((Brightness(octaves),)))
        before, after = explorer.decode(low), explorer.decode(solution.latents)
        assert np.array_equal(after, solution.audio)
        heard = measure.brightness_octaves(after, **RATE) - measure.brightness_octaves(before, **RATE)
        assert heard == pytest.approx(octaves, abs=0.05)
        assert abs(measure.loudness_change_db(before, after, **RATE)) < 0.2
        assert solution.reached and solution.decodes <= 3

    def test_gain_is_exact_and_keeps_brightness(self, explorer, loop: ClosedLoop, low: Latents) -> None:
        solution = loop.solve(low, EditChain((Gain(-12), Gain(2))))
        before = explorer.decode(low)
        assert measure.rms_db(solution.audio) - measure.rms_db(before) == pytest.approx(-10, abs=0.1)
        change = measure.brightness_octaves(solution.audio, **RATE) - measure.brightness_octaves(before, **RATE)
        assert abs(change) < 0.05
        assert {item.control for item in solution.outcomes} == {"gain", "brightness", "pitch"} and solution.reached

    @pytest.mark.parametrize(("target", "rate_hz", "depth"), [("loudness", 12.0, 6.0), ("brightness", 9.0, 0.3)])
    def test_oscillation_reaches_its_depth(
        self, explorer, loop: ClosedLoop, low: Latents, target: str, rate_hz: float, depth: float
    ) -> None:
        solution = loop.solve(low, EditChain((Oscillate(target, rate_hz, depth),)))
        heard = measure.oscillation(solution.audio, before=explorer.decode(low), target=target, **RATE)
        assert heard.rate_hz == pytest.approx(rate_hz, rel=0.01)
        assert heard.depth == pytest.approx(depth, rel=0.08)
        assert {item.control for item in solution.outcomes if item.reached} == {
            "loudness",
            "brightness",
            "pitch",
            f"oscillation of {target}",
            f"oscillation of {target}, rate",
        }

    def test_a_swing_of_brightness_leaves_the_level(self, explorer, loop: ClosedLoop) -> None:
        note = explorer.encode(next(note.path for note in example_notes() if note.path.stem == "trumpet"))
        chain = EditChain((Oscillate("brightness", 5, 0.4, phase_turns=0.1),))
        solution = loop.solve(note, chain)
        given = {"before": explorer.decode(note), "target": "loudness", "rates_hz": [5.0]} | RATE
        plain = explorer.decode(explorer.edit(note, chain))
        swings_db = [np.abs(measure.oscillation_phasors(sound, **given)[0]) for sound in (plain, solution.audio)]
        assert swings_db[0] > 0.4 and swings_db[1] < 0.1
        assert solution.reached

    def test_a_swing_of_the_level_is_declared(self, loop: ClosedLoop, low: Latents) -> None:
        solution = loop.solve(low, EditChain((Oscillate("brightness", 5, 0.4),)))
        request = Request.of((Oscillate("brightness", 5, 0.4),), solution.reference, loop.explorer.controls)
        request.hear(solution.reference, solution.audio, None)
        assert [item.reached for item in request.outcomes()] == [True, True, True]
        request.swung_db = [0.8]
        last = request.outcomes()[-1]
        assert (last.control, last.reached, last.measured) == ("swing of loudness", False, 0.8)

    def test_two_oscillations_of_one_target_at_once(self, loop: ClosedLoop, low: Latents) -> None:
        solution = loop.solve(low, EditChain((Oscillate("loudness", 3, 4), Oscillate("loudness", 7, 2, "triangle"))))
        depths = [item.measured for item in solution.outcomes if item.control == "oscillation of loudness"]
        assert depths == [pytest.approx(4, rel=0.08), pytest.approx(2, rel=0.08)]

    def test_what_cannot_be_is_declared_with_how_far_it_goes(self, loop: ClosedLoop, high: Latents) -> None:
        solution = loop.solve(high, EditChain((Brightness(-4.0),)))
        outcome = next(item for item in solution.outcomes if item.control == "brightness")
        assert not outcome.reached and not solution.reached
        assert outcome.limit == outcome.measured
        assert -4.0 < outcome.limit <= 0.05
        assert "darker than its own pitch" in outcome.sentence
        again = loop.solve(high, EditChain((Brightness(outcome.limit),)))
        assert again.reached

    def test_pitch_is_verified(self, loop: ClosedLoop, low: Latents) -> None:
        solution = loop.solve(low, EditChain((Transpose(7), Oscillate("pitch", 5, 40))))
        found = {item.control: item for item in solution.outcomes}
        assert found["pitch"].requested == pytest.approx(700, abs=0.1)
        assert all(found[name].reached for name in ("pitch", "oscillation of pitch", "oscillation of pitch, rate"))

    def test_what_stands_before_another_kind_is_declared(self, loop: ClosedLoop, low: Latents) -> None:
        chain = EditChain((Gain(-6), Oscillate("pitch", 5, 40), Transpose(2), Reverse(), Brightness(0.3)))
        solution = loop.solve(low, chain)
        found = {item.control: item for item in solution.outcomes}
        for name, unit, asked in (("gain", "dB", -6.0), ("oscillation of pitch", "cents", 40.0)):
            assert (found[name].unit, found[name].requested, found[name].measured) == (unit, asked, None)
            assert not found[name].reached and "reverse stands behind it" in found[name].sentence
        assert found["brightness"].reached and not solution.reached

    def test_an_empty_chain_is_the_note(self, explorer, loop: ClosedLoop, low: Latents) -> None:
        solution = loop.solve(low, EditChain())
        assert solution.decodes == 0 and solution.reached
        assert np.array_equal(solution.audio, explorer.decode(low))

    def test_the_solved_chain_can_be_saved_and_applied(self, explorer, loop: ClosedLoop, low: Latents) -> None:
        solution = loop.solve(low, EditChain((Transpose(3), Brightness(0.7))))
        again = explorer.edit(low, EditChain.from_json(solution.chain.to_json()))
        assert np.allclose(again.z, solution.latents.z, atol=1e-6)


def test_split() -> None:
    mean = Toward(tuple(np.zeros(16)), 0.5)
    gain, swing, bright = Gain(-3), Oscillate("pitch", 5, 30), Brightness(1)
    rest, asked = split(EditChain((gain, mean, Reverse(), bright, Transpose(3), swing, SetPitch(60))))
    assert rest.edits == (gain, mean, Reverse(), Transpose(3), SetPitch(60))
    assert asked == (bright, swing)


class TestOutcome:
    def test_sentences(self) -> None:
        said = [
            Outcome("gain", "dB", -6, -6.01, 0.5).sentence,
            Outcome("brightness", "octaves", 0, 0.02, 0.1).sentence,
            Outcome("loudness", "dB", 0, 1.5, 1.0).sentence,
            Outcome("brightness", "octaves", -1, -0.4, 0.1, limit=-0.4, reason="there is no more").sentence,
            Outcome("oscillation of pitch", "cents", 30, None, 4.5, reason="too few turns").sentence,
        ]
        assert said == [
            "Gain: -6.00 dB asked, -6.01 dB heard.",
            "Brightness: held, +0.02 octaves.",
            "Loudness: should have stayed, moved by +1.50 dB.",
            "Brightness: -1.00 octaves asked, -0.40 octaves heard: there is no more; this note goes to -0.40 octaves.",
            "Oscillation of pitch: 30.0 cents asked, not measured: too few turns.",
        ]

    def test_what_was_not_measured_was_not_reached(self) -> None:
        outcome = Outcome("pitch", "cents", 0, None, 5.0)
        assert not outcome.reached
        assert outcome.to_dict()["reached"] is False
