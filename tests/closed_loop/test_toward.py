"""Moves toward another note, solved: evenly from the one mean spectrum to the other's, and declared where not so."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import soxr

from synth_explorer import measure
from synth_explorer.closed_loop import ClosedLoop, mean_sound, toward
from synth_explorer.edits import Controls, EditChain, Gain, Stretch, Toward, Transpose
from synth_explorer.errors import EditError
from synth_explorer.explorer.decoders import WAVENET
from synth_explorer.latents import Latents, LatentsMeta, with_pitch

RATE = {"sample_rate_hz": 16_000}
AMOUNTS = np.linspace(0.0, 1.0, 9)
BANDS = len(measure.MEL_CENTRES_HZ)


@pytest.fixture(scope="module")
def loop(explorer) -> ClosedLoop:
    return ClosedLoop(explorer)


def spectrum_db(audio: np.ndarray) -> np.ndarray:
    """`measure.mean_spectrum_db` without its arrays: frame by frame, band by band."""
    audio = soxr.resample(audio, RATE["sample_rate_hz"], 48_000)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(3072) / 3072)
    edges = 700 * (10 ** (np.linspace(*(2595 * np.log10(1 + f / 700) for f in (30, 20_000)), BANDS + 2) / 2595) - 1)
    mel = 2595 * np.log10(1 + np.arange(1537) * 48_000 / 3072 / 700)
    edge = 2595 * np.log10(1 + edges / 700)
    total, weights = np.zeros(BANDS), 0.0
    for start in range(0, len(audio) - 3071, 768):
        power = np.zeros(BANDS)
        bins = np.abs(np.fft.rfft(audio[start : start + 3072] * window))
        for m in range(BANDS):
            rising, falling = (
                (mel - edge[m]) / (edge[m + 1] - edge[m]),
                (edge[m + 2] - mel) / (edge[m + 2] - edge[m + 1]),
            )
            power[m] = float(bins @ np.clip(np.minimum(rising, falling), 0, None)) ** 2
        level = sum(power)
        for m in range(BANDS):
            total[m] += level**0.15 * max(10 * np.log10(power[m] / level + 1e-30), -60.0)
        weights += level**0.15
    return np.maximum(total / weights - max(total / weights), -50.0)


def distances_db(explorer, loop: ClosedLoop, own: Latents, other: Latents, *, solved: bool) -> np.ndarray:
    """Of the sounds at all amounts to both notes, [9, 2]."""
    goal = mean_sound(explorer, other)
    sounds = []
    for amount in AMOUNTS:
        chain = EditChain((Toward(amount=float(amount), **goal._asdict()),))
        plain = explorer.decode(explorer.edit(own, chain))
        sounds.append(loop.solve(own, chain).audio if solved else plain)
    ends = [
        measure.mean_spectrum_db(explorer.decode(one), **RATE) for one in (own, with_pitch(other, midi=own.pitch_midi))
    ]
    return np.array([[toward.distance_db(measure.mean_spectrum_db(s, **RATE), end) for end in ends] for s in sounds])


def backward_db(distances: np.ndarray) -> float:
    """The largest step that leads back to the note, or away from the other one."""
    return float(max(np.max(-np.diff(distances[:, 0])), np.max(np.diff(distances[:, 1]))))


def test_the_mean_spectrum_is_that_of_a_loop(explorer, note) -> None:
    audio = explorer.decode(note("flute"))[:8000]
    np.testing.assert_allclose(measure.mean_spectrum_db(audio, **RATE), spectrum_db(audio), atol=0.02)
    assert measure.mean_spectrum_db(0.01 * audio, **RATE) == pytest.approx(spectrum_db(audio), abs=0.02)
    assert not np.isnan(measure.mean_spectrum_db(np.zeros(4000, np.float32), **RATE)).any()


class TestSolved:
    @pytest.mark.slow
    @pytest.mark.parametrize(("own", "other"), [("cello", "trumpet"), ("marimba", "cello"), ("tuba", "flute")])
    def test_goes_from_one_note_to_the_other(self, explorer, loop: ClosedLoop, note, own: str, other: str) -> None:
        found = distances_db(explorer, loop, note(own), note(other), solved=True)
        plain = distances_db(explorer, loop, note(own), note(other), solved=False)
        assert backward_db(found) <= max(0.3, 0.5 * backward_db(plain))
        assert found[-1, 1] < plain[-1, 1] + 0.5 and found[-1, 1] < 0.5 * found[0, 1]

    def test_is_heard_as_asked(self, explorer, loop: ClosedLoop, note) -> None:
        goal = mean_sound(explorer, note("trumpet"))
        for amount in (0.25, 0.5, 0.75):
            solution = loop.solve(note("cello"), EditChain((Toward(amount=amount, **goal._asdict()),)))
            outcome = next(item for item in solution.outcomes if item.control == "timbre toward")
            assert outcome.reached and outcome.requested == amount
            assert f"{amount:.2f} of the way asked" in outcome.sentence
            assert solution.reached and np.array_equal(explorer.decode(solution.latents), solution.audio)

    def test_others_are_solved_upon_it(self, explorer, loop: ClosedLoop, note) -> None:
        goal = mean_sound(explorer, note("trumpet"))
        chain = EditChain((Toward(amount=0.5, **goal._asdict()), Stretch(1.5), Transpose(4), Gain(-6)))
        solution = loop.solve(note("cello"), chain)
        assert {item.control for item in solution.outcomes} >= {"timbre toward", "gain", "pitch"}
        assert solution.reached
        again = explorer.edit(note("cello"), EditChain.from_json(solution.chain.to_json()))
        assert np.allclose(again.z, solution.latents.z, atol=1e-5)
        assert np.allclose(again.detail, solution.latents.detail, atol=1e-5)

    def test_the_path_is_sought_once(self, explorer, loop: ClosedLoop, note, monkeypatch: pytest.MonkeyPatch) -> None:
        goal = mean_sound(explorer, note("oboe"))
        loop.solve(note("cello"), EditChain((Toward(amount=0.5, **goal._asdict()),)))
        monkeypatch.setattr(toward, "find", lambda *_: pytest.fail("sought again"))
        loop.solve(note("cello"), EditChain((Toward(amount=0.7, **goal._asdict()), Gain(2))))

    def test_the_other_note_is_heard_at_the_pitch_of_this_one(self, explorer, loop: ClosedLoop, note) -> None:
        own, other = note("cello"), note("trumpet")
        goal = mean_sound(explorer, other, midi=own.pitch_midi)
        assert goal.midi == pytest.approx(own.pitch_midi, abs=0.01)
        assert goal.mean == mean_sound(explorer, other).mean
        heard = measure.mean_spectrum_db(explorer.decode(with_pitch(other, midi=own.pitch_midi)), **RATE)
        sounds = []
        path = toward.find(
            Toward(amount=0.5, **goal._asdict()), own, explorer, lambda one: sounds.append(one) or explorer.decode(one)
        )
        np.testing.assert_allclose(path.goal_db, heard, atol=0.01)
        assert len(sounds) == 1 + 2 * len(toward.KNOTS)  # it, and each amount as it is and corrected

    def test_a_note_goes_to_itself(self, explorer, loop: ClosedLoop, note) -> None:
        """There is no way, and nothing to divide by."""
        goal = mean_sound(explorer, note("cello"))
        solution = loop.solve(note("cello"), EditChain((Toward(amount=0.5, **goal._asdict()),)))
        assert solution.reached and not any("timbre" in item.control for item in solution.outcomes)
        alike = toward.find(Toward(amount=0.5, **goal._asdict()), note("cello"), explorer, explorer.decode)
        assert alike.applied(Toward(goal.mean, 0.5)).amount == 0.5

    def test_where_it_goes(self, explorer, note) -> None:
        """To what was heard of the other note, at another pitch to its envelope, or to its mean held still."""
        goal = mean_sound(explorer, note("trumpet"))
        heard = measure.mean_spectrum_db(explorer.decode(note("trumpet")), **RATE)
        at_its_pitch = with_pitch(note("cello"), midi=goal.midi)
        path = toward.find(Toward(amount=1.0, **goal._asdict()), at_its_pitch, explorer, explorer.decode)
        assert path.goal_db == pytest.approx(heard, abs=0.01)
        higher = with_pitch(note("cello"), midi=goal.midi + 5)
        path = toward.find(Toward(amount=1.0, **goal._asdict()), higher, explorer, explorer.decode)
        moved = measure.mean_spectrum_db(explorer.decode(with_pitch(note("trumpet"), midi=goal.midi + 5)), **RATE)
        assert toward.distance_db(path.goal_db, moved) < 0.5 * toward.distance_db(heard, moved)
        path = toward.find(Toward(goal.mean, 1.0), note("cello"), explorer, explorer.decode)
        still = toward.held_still(note("cello"), goal.mean, explorer.controls)
        assert np.array_equal(path.goal_db, measure.mean_spectrum_db(explorer.decode(still), **RATE))
        with pytest.raises(EditError, match="3 bands, not 128"):
            toward.find(Toward(goal.mean, 1.0, spectrum_db=(1.0,) * 3), note("cello"), explorer, explorer.decode)
        assert np.ptp(still.z[:, 2:], axis=0) == pytest.approx(0.0)
        assert np.array_equal(still.z[:, 0], note("cello").z[:, 0])


class TestPath:
    """Without a model."""

    OWN, GOAL = np.zeros(BANDS), np.full(BANDS, -20.0)
    PATH = toward.Path(
        OWN,
        GOAL,
        amounts=np.array([0, 0.5, 1]),
        octaves=np.array([0, 0.2, 0.1]),
        offsets=np.array([[0.0], [1.0], [3.0]]),
        places=np.array([0, 0.8, 0.9]),
        nearest=1.0,
    )

    def test_an_amount_takes_what_lies_between_where_it_is_heard(self) -> None:
        applied = self.PATH.applied(Toward((0.0,), 0.4))
        assert (applied.amount, applied.octaves) == (pytest.approx(0.25), pytest.approx(0.1))
        assert applied.offsets == pytest.approx([0.5])
        assert self.PATH.applied(Toward((0.0,), 1.0)).offsets == pytest.approx([3.0])

    @pytest.mark.parametrize("last", [0.3, 0.58, 0.8, 1.0, 1.2])
    def test_a_way_that_ends_early_still_moves_to_the_end(self, last: float) -> None:
        asked = np.linspace(0.0, 1.0, 101)
        places = np.array([toward._within(amount, last) for amount in asked])
        assert (np.diff(places) > 0).all() and places[0] == 0.0
        assert places[-1] == pytest.approx(min(last, 1.0))
        exact = asked <= max(2 * last - 1, 0.0)
        assert places[exact] == pytest.approx(asked[exact]) and (places <= asked + 1e-12).all()

    def test_nothing_goes_beyond_the_nearest(self) -> None:
        path = replace(self.PATH, nearest=0.5)
        assert path.applied(Toward((0.0,), 1.0)).amount == 0.5
        assert path.applied(Toward((0.0,), 0.4)).amount == pytest.approx(0.25)
        for amount, offset in ((1.2, 3.0), (-0.2, 0.0)):
            applied = path.applied(Toward((0.0,), amount))
            assert applied.amount == amount and applied.offsets == pytest.approx([offset])

    def test_outcomes_say_what_was_heard(self) -> None:
        half = Toward((0.0,), 0.5)
        (told,) = toward.outcomes(self.PATH, half, np.full(BANDS, -9.0), np.full(BANDS, -7.0))
        assert told.reached and told.measured == pytest.approx(0.45)
        (told,) = toward.outcomes(self.PATH, half, np.full(BANDS, -4.0), None)
        assert not told.reached and told.limit is None and "unevenly" in told.sentence
        short = replace(self.PATH, nearest=0.5)
        (told,) = toward.outcomes(short, replace(half, amount=1.0), np.full(BANDS, -12.0), None)
        assert told.limit == short.last == pytest.approx(0.8)
        assert (
            "keeps it from the other note, and the knob is spread over what is left; this note goes to 0.80 of the way"
            in told.sentence
        )
        assert toward.outcomes(replace(self.PATH, goal_db=self.OWN), half, self.OWN, self.OWN) == []

    @pytest.mark.parametrize(("earlier_db", "later_db", "words"), [(-11.0, -10.0, "nearer"), (-29.0, -30.0, "nearer")])
    def test_a_step_back_is_told(self, earlier_db: float, later_db: float, words: str) -> None:
        spectra = np.full(BANDS, later_db), np.full(BANDS, earlier_db)
        *_, told = toward.outcomes(self.PATH, Toward((0.0,), 0.5), *spectra)
        assert told.control == "step back of the timbre" and told.measured == pytest.approx(1.0)
        assert words in told.sentence and "0.38 of the way" in told.sentence and not told.reached

    def test_a_step_that_only_comes_back_is_told(self) -> None:
        crooked = np.where(np.arange(BANDS) % 2, -40.0, 0.0)
        *_, told = toward.outcomes(self.PATH, Toward((0.0,), 0.5), np.full(BANDS, -10.0), crooked)
        assert told.measured > 1.0 and "further from its own sound" in told.sentence


class TestEdit:
    CONTROLS = Controls.from_dict(
        {
            "format_version": 1,
            "loudness": {"channel": 0, "units_per_db": 0.05, "offset_db": -40.0},
            "brightness": {"channel": 1, "units_per_octave": 2.0, "reference_hz": 1000.0},
        }
    )
    META = LatentsMeta("small", "0" * 64, 16_000, 512)

    def make(self, detail: list[float] | None) -> Latents:
        z = np.random.default_rng(0).normal(size=(5, 4))
        return Latents(z, np.full(5, 220.0), self.META, None if detail is None else np.array(detail))

    def test_what_was_found_is_applied(self) -> None:
        for detail in (None, [1.0, 2.0]):
            plain = Toward((0.0, 0.0, 1.0, 1.0), 0.5).apply(self.make(detail), self.CONTROLS)
            found = Toward((0.0, 0.0, 1.0, 1.0), 0.5, octaves=0.25, offsets=(0.5, -0.5))
            solved = found.apply(self.make(detail), self.CONTROLS)
            moved = solved.z - plain.z
            assert moved[:, 1] == pytest.approx(0.5) and not np.delete(moved, 1, axis=1).any()
            assert solved.detail == pytest.approx(np.tile([0.5, -0.5], (5, 1)) + (plain.detail if detail else 0.0))
            assert EditChain.from_json(EditChain((found,)).to_json()).edits == (found,)

    def test_offsets_of_another_model_are_refused(self) -> None:
        with pytest.raises(EditError, match="3 offsets for a detail of 2"):
            Toward((0.0,) * 4, 0.5, offsets=(1.0, 2.0, 3.0)).apply(self.make([1.0, 2.0]), self.CONTROLS)
        with pytest.raises(EditError, match="mean: should have at least 1 item"):
            Toward((), 0.5)

    def test_an_old_preset_still_reads(self) -> None:
        content = json.loads(EditChain((Toward((1.0, 2.0), 0.5),)).to_json())
        for name in ("spectrum_db", "midi", "octaves", "offsets"):
            del content["edits"][0][name]
        assert EditChain.from_json(json.dumps(content)).edits == (Toward((1.0, 2.0), 0.5),)


def test_a_checkpoint_that_cannot_be_solved_has_its_mean_alone() -> None:
    latents = Latents(np.ones((3, 4)), np.full(3, np.nan), TestEdit.META)
    nsynth = SimpleNamespace(controls=Controls(), decoders=(WAVENET,))
    assert mean_sound(nsynth, latents) == ((1.0,) * 4, (), 0.0)
