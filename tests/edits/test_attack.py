"""The attack's formula against a slow, plain reference: what rises, what is held back or hurried, what stays."""

from __future__ import annotations

import math

import numpy as np
import pytest

from synth_explorer.edits import Attack, Controls, EditChain
from synth_explorer.edits.attack import _heard_frames, _rise
from synth_explorer.errors import EditError
from synth_explorer.latents import Latents, LatentsMeta

RATE, HOP = 16_000, 512
FRAME_S = HOP / RATE
CONTROLS = Controls.from_dict(
    {"format_version": 1, "loudness": {"channel": 0, "units_per_db": 0.05, "offset_db": -40.0}}
)


def make(loudness_db: list[float], *, seed: int = 0) -> Latents:
    """A note of this loudness, its other channels and its pitch random."""
    rng = np.random.default_rng(seed)
    frames = len(loudness_db)
    z = rng.normal(size=(frames, 6))
    z[:, 0] = (np.array(loudness_db) + 40.0) * 0.05
    meta = LatentsMeta("default", "abc", RATE, HOP, duration_samples=frames * HOP - 100)
    return Latents(z, 220.0 * 2.0 ** np.cumsum(rng.normal(0, 0.003, frames)), meta)


HELD = make([-90.0] * 2 + [-16.0, -8.0, -3.0] + [-1.0, 0.0] * 40)
PLUCKED = make([-90.0, -10.0] + [-0.45 * frame for frame in range(60)])
SWELLING = make([-90.0] + [-39.0 + frame for frame in range(40)] + [0.0] * 40)


def db(note: Latents) -> np.ndarray:
    return note.z[:, 0].astype(np.float64) / 0.05 - 40.0


def where(note: Latents, edited: Latents) -> np.ndarray:
    """At which frame of the old note each new one was read, by its channels, one after another."""
    found = []
    for row in edited.z[:, 1:].astype(np.float64):
        best = (math.inf, 0.0)
        for frame in range(note.frames - 1):
            low, high = note.z[frame, 1:].astype(np.float64), note.z[frame + 1, 1:].astype(np.float64)
            part = min(max(float((row - low) @ (high - low) / ((high - low) @ (high - low))), 0.0), 1.0)
            miss = float(np.abs(low + part * (high - low) - row).max())
            best = min(best, (miss, frame + part))
        assert best[0] < 1e-4
        found.append(best[1])
    return np.array(found)


class TestHeldNote:
    def test_rises_linearly_at_its_own_pace(self) -> None:
        slow = Attack(0.64).apply(HELD, CONTROLS)
        assert slow.duration_samples == HELD.duration_samples
        assert np.array_equal(slow.z[:, 1:], HELD.z[:, 1:]) and np.array_equal(slow.pitch_hz, HELD.pitch_hz)
        rise, _ = _rise(0.64 / FRAME_S)
        end = 1 + math.ceil(rise)  # it is first heard in frame 2
        loudest = max(db(HELD))
        for frame in range(HELD.frames):
            if frame > end:
                out = loudest - db(HELD)[end]
                wanted = db(HELD)[frame] + out * max(1 - (frame - end) / 8, 0.0)
            else:
                part = 1 - (end - frame) / rise
                wanted = loudest + max(20 * math.log10(max(part, 1e-9)), -60.0)
                wanted = wanted if part > 0 else min(wanted, db(HELD)[frame])
            assert db(slow)[frame] == pytest.approx(wanted, abs=1e-3)

    def test_an_accent_stands_out_and_falls_away(self) -> None:
        plain, raised = (Attack(0.2, accent).apply(HELD, CONTROLS) for accent in (0.0, 3.0))
        out = db(raised) - db(plain)
        end = 1 + math.ceil(_rise(0.2 / FRAME_S)[0])
        assert out[end] == pytest.approx(3.0, abs=1e-3)
        assert np.allclose(out[end : end + 4], 3.0 - np.arange(4), atol=1e-3)
        assert np.allclose(out[end + 3 :], 0.0, atol=1e-3)


class TestPluckedNote:
    def test_is_held_back_where_it_would_have_died_away(self) -> None:
        slow = Attack(0.64).apply(PLUCKED, CONTROLS)
        rise, _ = _rise(0.64 / FRAME_S)
        end, goal = math.ceil(rise), 6  # it has fallen by 2 dB there
        assert slow.duration_samples == PLUCKED.duration_samples + (end - goal) * HOP
        read = where(PLUCKED, slow)
        assert np.allclose(read[end:], np.arange(goal, PLUCKED.frames), atol=1e-3)
        assert read[end - 1] < goal and np.all(np.diff(read) >= -1e-3) and read[0] == pytest.approx(1.0, abs=1e-3)
        assert int(np.argmax(db(slow))) == end and max(db(slow)) == pytest.approx(max(db(PLUCKED)), abs=1e-3)
        assert np.allclose(slow.z[end + 8 :], PLUCKED.z[goal + 8 :], atol=1e-5)

    def test_its_pitch_keeps_its_pace_around_its_mean(self) -> None:
        slow = Attack(0.64).apply(PLUCKED, CONTROLS)
        rise, _ = _rise(0.64 / FRAME_S)
        end, goal = math.ceil(rise), 6  # as above
        octaves, own = np.log2(slow.pitch_hz.astype(np.float64)), np.log2(PLUCKED.pitch_hz.astype(np.float64))
        assert np.allclose(np.diff(octaves[: end + 1]), np.diff(own[: end + 1]), atol=1e-5)
        amplitude = 10 ** (db(PLUCKED) / 20)
        parts = [max(1 - (end - frame) / rise, 0.0) for frame in range(end + 1)]
        mean = sum(part * octave for part, octave in zip(parts, octaves, strict=False)) / sum(parts)
        assert mean == pytest.approx(float((amplitude * own).sum() / amplitude.sum()), abs=1e-5)
        assert np.allclose(octaves[end + 8 :], own[goal + 8 :], atol=1e-5)


class TestSwellingNote:
    def test_is_hurried_to_where_it_is_loud(self) -> None:
        fast = Attack(0.1).apply(SWELLING, CONTROLS)
        rise, _ = _rise(0.1 / FRAME_S)
        end, goal = math.ceil(rise), 34  # it is first heard in frame 1, and 6 dB under its loudest in frame 34
        assert fast.duration_samples == SWELLING.duration_samples - (goal - end) * HOP
        assert db(fast)[end] == pytest.approx(0.0, abs=1e-3)
        read = where(SWELLING, fast)
        assert np.allclose(read[end:], np.arange(goal, SWELLING.frames), atol=1e-3)
        assert np.allclose(fast.z[end + 8 :], SWELLING.z[goal + 8 :], atol=1e-5)
        assert np.allclose(fast.pitch_hz[end:], SWELLING.pitch_hz[goal:], rtol=1e-6)


@pytest.mark.parametrize("asked_s", [0.002, 0.01, 0.03, 0.05, 0.1, 0.4, 2.0])
@pytest.mark.parametrize("note", [HELD, PLUCKED, SWELLING])
def test_a_slower_attack_ends_no_earlier_and_rises(note: Latents, asked_s: float) -> None:
    edited, slower = (Attack(seconds).apply(note, CONTROLS) for seconds in (asked_s, 1.5 * asked_s))
    assert np.argmax(db(slower)) >= np.argmax(db(edited))
    end = int(np.argmax(db(edited)))
    assert np.all(np.diff(db(edited)[: end + 1]) >= -1e-3)


def test_a_short_rise_comes_from_further_below() -> None:
    levels = [db(Attack(seconds).apply(HELD, CONTROLS))[1] for seconds in (0.002, 0.004, 0.008)]
    assert levels[0] < levels[1] < levels[2] < -60.0


@pytest.mark.parametrize("rise", [1.3, 2.5, 4.2, 9.7])
def test_what_is_heard_of_a_rise_through_frames(rise: float) -> None:
    """The decoder's envelope of a rise, point by point: interpolated, read through windows, corrected."""
    points = 64
    end = math.ceil(rise) + 3
    level = [max(20 * math.log10(max(1 + min(frame - end, 0) / rise, 1e-9)), -60.0) for frame in range(end + 6)]

    def between(values: list[float], at: float) -> float:
        low = min(max(int(at), 0), len(values) - 2)
        return values[low] + min(max(at - low, 0.0), 1.0) * (values[low + 1] - values[low])

    corrections = []
    for frame in range(len(level)):
        steps = [step / points for step in range(-points, points + 1)]
        weights = [math.cos(math.pi * step / 2) ** 4 for step in steps]
        power = [10 ** (between(level, frame + step) / 10) for step in steps]
        seen = sum(w * p for w, p in zip(weights, power, strict=True)) / sum(weights)
        corrections.append(min(max(level[frame] - 10 * math.log10(seen), -30.0), 30.0))
    times = [at / points for at in range((len(level) - 1) * points)]
    made = [10 ** ((between(level, at) + between(corrections, at)) / 20) for at in times]
    tenth, nine_tenths = (next(at for at, x in zip(times, made, strict=True) if x >= p * max(made)) for p in (0.1, 0.9))
    assert _heard_frames(rise) == pytest.approx(nine_tenths - tenth, abs=0.05)


def test_any_length_of_note_and_what_is_refused() -> None:
    for note in (make([0.0]), make([0.0, -3.0]), make([-60.0] * 9)):
        for seconds in (0.001, 0.1, 1.0):
            assert Attack(seconds).apply(note, CONTROLS).frames >= 1
    with pytest.raises(EditError, match="the note would last"):
        Attack(60.0).apply(make([0.0] + [-30.0] * 1500), CONTROLS)
    with pytest.raises(EditError, match="not calibrated for loudness"):
        Attack(0.1).apply(HELD, Controls())
    with pytest.raises(EditError, match=r"accent_db=-1 must lie in 0\.\.24"):
        Attack(0.1, -1.0)


def test_a_preset_without_an_accent_is_read() -> None:
    old = '{"format_version": 1, "edits": [{"kind": "attack", "seconds": 0.2}]}'
    assert EditChain.from_json(old) == EditChain((Attack(0.2),))
    chain = EditChain((Attack(0.2, 1.5),))
    assert EditChain.from_json(chain.to_json()) == chain
