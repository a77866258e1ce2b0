"""The attack that is heard is the one that was asked, by a measurement of its own; what cannot be is said."""

from __future__ import annotations

import math

import numpy as np
import pytest

from synth_explorer import measure
from synth_explorer.closed_loop import ClosedLoop, Outcome, attack
from synth_explorer.edits import Attack, Curve, EditChain, Envelope, Gain, Oscillate, Toward, Transpose, Trim
from synth_explorer.latents import with_pitch

RATE_HZ = 16_000
RATE = {"sample_rate_hz": RATE_HZ}


@pytest.fixture(scope="module")
def loop(explorer) -> ClosedLoop:
    return ClosedLoop(explorer)


def rise_s(audio: np.ndarray, *, window_s: float = 0.01) -> float:
    """From 10 to 90 % of the loudest RMS in windows of 10 ms every millisecond, one after another."""
    size, hop = round(window_s * RATE_HZ), RATE_HZ // 1000
    padded = np.concatenate([np.zeros(size), audio.astype(np.float64)])
    levels = [math.sqrt(sum(padded[at : at + size] ** 2) / size) for at in range(0, len(padded) - size, hop)]
    tenth, nine_tenths = (next(i for i, x in enumerate(levels) if x >= part * max(levels)) for part in (0.1, 0.9))
    return (nine_tenths - tenth) / 1000


def the(solution, control: str) -> Outcome:
    return next(item for item in solution.outcomes if item.control == control)


class TestSolved:
    @pytest.mark.slow
    @pytest.mark.parametrize("asked_s", [0.05, 0.12, 0.5])
    @pytest.mark.parametrize("name", ["marimba", "cello", "string_section", "tuba"])
    def test_is_heard_as_asked(self, explorer, loop: ClosedLoop, note, name: str, asked_s: float) -> None:
        solution = loop.solve(note(name), EditChain((Attack(asked_s),)))
        assert the(solution, "attack").reached and solution.reached
        assert rise_s(solution.audio) == pytest.approx(asked_s, rel=0.1, abs=0.006)
        assert np.array_equal(explorer.decode(solution.latents), solution.audio)

    def test_by_its_formula_it_would_be_off(self, explorer, note) -> None:
        plain = explorer.edit(note("flute"), EditChain((Attack(0.08),)))
        assert abs(rise_s(explorer.decode(plain)) / 0.08 - 1) > 0.15

    @pytest.mark.parametrize(("name", "asked_s"), [("marimba", 0.6), ("cello", 0.05), ("trumpet", 0.4)])
    def test_what_follows_the_rise_stays(self, explorer, loop: ClosedLoop, note, name: str, asked_s: float) -> None:
        solution = loop.solve(note(name), EditChain((Attack(asked_s),)))
        before, after = explorer.decode(note(name)), solution.audio
        longer = len(after) - len(before)
        assert longer % explorer.hop == 0
        start = round(1.3 * asked_s * RATE_HZ) + 12 * explorer.hop
        tail, own = after[start:], before[max(start - longer, 0) :]
        assert abs(measure.rms_db(tail) - measure.rms_db(own)) < 0.2
        assert abs(measure.brightness_octaves(tail, **RATE) - measure.brightness_octaves(own, **RATE)) < 0.03
        around_hz = 440.0 * 2 ** ((note(name).pitch_midi - 69) / 12)
        assert abs(measure.pitch_cents_difference(own, tail, around_hz=around_hz, **RATE)) < 2.0

    def test_others_are_solved_upon_it(self, explorer, loop: ClosedLoop, note) -> None:
        chain = EditChain((Transpose(3), Attack(0.3), Gain(-6)))
        solution = loop.solve(note("cello"), chain)
        assert solution.reached
        assert [the(solution, name).requested for name in ("attack", "gain", "pitch")] == pytest.approx([0.3, -6, 300])
        again = explorer.edit(note("cello"), EditChain.from_json(solution.chain.to_json()))
        assert np.allclose(again.z, solution.latents.z, atol=1e-5)

    def test_is_sought_once(self, explorer, loop: ClosedLoop, note, monkeypatch: pytest.MonkeyPatch) -> None:
        first = loop.solve(note("oboe"), EditChain((Attack(0.07),)))
        monkeypatch.setattr(attack, "solve", lambda *_, **__: pytest.fail("sought again"))
        again = loop.solve(note("oboe"), EditChain((Attack(0.07), Gain(3))))
        assert the(again, "attack").measured == pytest.approx(the(first, "attack").measured, abs=1e-3)

    def test_a_swing_of_loudness_does_not_hide_it(self, loop: ClosedLoop, note) -> None:
        solution = loop.solve(note("cello"), EditChain((Attack(0.3), Oscillate("loudness", 6, 6))))
        assert the(solution, "attack").reached and the(solution, "oscillation of loudness").reached


class TestDeclared:
    def test_what_is_shaped_behind_it(self, loop: ClosedLoop, note) -> None:
        solution = loop.solve(note("cello"), EditChain((Attack(0.05), Envelope(attack_s=2.0))))
        outcome = the(solution, "attack")
        assert not outcome.reached and outcome.limit == outcome.measured > 0.1
        assert "behind it" in outcome.sentence

    def test_a_rise_that_is_too_fast(self, loop: ClosedLoop, note) -> None:
        solution = loop.solve(with_pitch(note("tuba"), midi=20), EditChain((Attack(0.001),)))
        outcome = the(solution, "attack")
        assert outcome.reached == (outcome.measured <= 0.006)
        assert outcome.reached or "no faster; this note goes to" in outcome.sentence

    def test_a_rise_that_no_trial_comes_near(self, loop: ClosedLoop, note, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(attack, "solve", lambda asked, *_, **__: attack.Trial(Attack(0.3), 0.3, 0.3, 0.0))
        outcome = the(loop.solve(note("clarinet"), EditChain((Attack(0.2),))), "attack")
        assert not outcome.reached and outcome.limit is None and outcome.measured == pytest.approx(0.3, rel=0.2)
        assert outcome.sentence.endswith("too uneven, no rise comes nearer.")

    def test_silence(self, loop: ClosedLoop, note) -> None:
        quiet = note("cello")
        z = np.array(quiet.z)
        z[:, 0] = -200.0
        solution = loop.solve(quiet.replace(z=z), EditChain((Attack(0.1),)))
        assert the(solution, "attack").measured is None
        assert "it is silent" in the(solution, "attack").sentence


class TestPitch:
    def test_is_compared_with_the_note_before(self, loop: ClosedLoop, note, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of edits that promise to leave it, whatever stands in the chain."""
        compared = []
        own = type(loop._reference(note("cello"), {})).pitch_cents
        monkeypatch.setattr(
            "synth_explorer.closed_loop.hearing.Reference.pitch_cents",
            lambda self, after, **given: compared.append(self.audio) or own(self, after, **given),
        )
        mean = tuple(loop.explorer.controls.mean_sound(note("flute")))
        for kept, chain in (
            ((), (Toward(mean, 0.5), Attack(0.2), Transpose(2), Curve("brightness", ((0.0, 0.3),)))),
            ((Trim(0.1, 1.5),), (Trim(0.1, 1.5), Toward(mean, 0.5))),
        ):
            compared.clear()
            assert loop.solve(note("cello"), EditChain(chain)).outcomes
            assert np.array_equal(compared[0], loop.explorer.decode(loop.explorer.edit(note("cello"), EditChain(kept))))

    def test_that_moves_is_declared(self, loop: ClosedLoop, note, monkeypatch: pytest.MonkeyPatch) -> None:
        """An edit that lets the pitch slip is found out."""
        apply = Toward.apply

        def slipping(self, latents, controls):
            moved = apply(self, latents, controls)
            return moved.replace(pitch_hz=moved.pitch_hz * 2 ** (12 / 1200))

        monkeypatch.setattr(Toward, "apply", slipping)
        mean = tuple(loop.explorer.controls.mean_sound(note("flute")))
        outcome = the(loop.solve(note("cello"), EditChain((Toward(mean, 0.3),))), "pitch")
        assert not outcome.reached and outcome.measured == pytest.approx(12, abs=2)


def test_toward_holds_the_loudness(explorer, loop: ClosedLoop, note, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where its formula does not, which far from any note happens: here it is made to."""
    apply = Toward.apply

    def swelling(self, latents, controls):
        return Gain(3.0).apply(apply(self, latents, controls), controls)

    monkeypatch.setattr(Toward, "apply", swelling)
    mean = tuple(explorer.controls.mean_sound(note("flute")))
    for kept, expected_db in ((True, 0.0), (False, 3.0)):
        solution = loop.solve(note("cello"), EditChain((Toward(mean, 0.0, kept),)))
        change_db = measure.loudness_change_db(explorer.decode(note("cello")), solution.audio, **RATE)
        assert change_db == pytest.approx(expected_db, abs=0.15)
        heard = [item.reached for item in solution.outcomes if item.control == "loudness"]
        assert heard == ([True] if kept else [])


class TestSearch:
    """Without a model: sounds whose attack is known."""

    @staticmethod
    def sound(edit: Attack, answer=lambda seconds: seconds, *, plateau: float = 1.0) -> np.ndarray:
        """A tone that rises linearly, from 10 to 90 % in answer(seconds), to the accent above a plateau."""
        time_s = np.arange(2 * RATE_HZ) / RATE_HZ
        amplitude = np.minimum(time_s / (answer(edit.seconds) / 0.8), 1.0) * plateau * 10 ** (edit.accent_db / 20)
        amplitude[int(1.8 * RATE_HZ) :] = np.maximum(1.0, amplitude.max() if plateau == 1.0 else 1.0)
        return amplitude * np.sin(2 * np.pi * 1000 * time_s) * 0.1

    @pytest.mark.parametrize("asked_s", [0.02, 0.1, 0.6])
    @pytest.mark.parametrize(
        "answer",
        [
            lambda seconds: 0.6 * seconds,
            lambda seconds: seconds**1.4,
            lambda seconds: seconds if seconds < 0.12 else 1.5 * seconds,
        ],
    )
    def test_converges(self, asked_s: float, answer) -> None:
        trial = attack.solve(Attack(asked_s), lambda edit: self.sound(edit, answer), **RATE)
        assert trial.heard_s == pytest.approx(asked_s, rel=0.05, abs=0.0015)
        assert rise_s(self.sound(trial.edit, answer), window_s=0.005) == pytest.approx(asked_s, rel=0.07, abs=0.003)

    def test_a_rise_that_does_not_stand_out_is_raised(self) -> None:
        trial = attack.solve(Attack(0.1), lambda edit: self.sound(edit, plateau=0.8), **RATE)
        assert trial.heard_s == pytest.approx(0.1, rel=0.1)
        assert -20 * math.log10(0.8) < trial.edit.accent_db <= attack.MOST_ACCENT_DB

    def test_listen(self) -> None:
        trial = attack.listen(Attack(0.1), self.sound(Attack(0.1), plateau=0.8), **RATE)
        assert trial.heard_s > 1.5 and trial.short_db == pytest.approx(-20 * math.log10(0.8), abs=0.05)
        assert np.isnan(attack.listen(Attack(0.1), np.zeros(1000), **RATE).heard_s)

    def test_stays_near_what_was_asked(self) -> None:
        """Where the sound does not answer at all."""
        tried = []

        def deaf(edit: Attack) -> np.ndarray:
            tried.append(edit.seconds)
            return self.sound(Attack(0.5))

        trial = attack.solve(Attack(0.05), deaf, **RATE)
        assert trial.edit.seconds == 0.05 and len(tried) <= attack.MOST_TRIALS
        assert min(tried) >= 0.05 / attack.WIDEST - 1e-9
