"""Loops: the search against brute force, the fade against its equation, seams against what clicks."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer.instruments import loops, sustain
from synth_explorer.instruments.loops import Loop
from tests.instruments.notes import RATE_HZ, held_note

RATE = {"sample_rate_hz": RATE_HZ}
NOTES = {
    "steady": held_note(220.0),
    "low": held_note(65.4, harmonics=40),
    "high": held_note(1046.5),
    "vibrato": held_note(311.1, vibrato_cents=30.0),
    "tremolo": held_note(196.0, tremolo=0.3),
    "breath": held_note(440.0, noise=0.1),
    "all of it": held_note(261.6, vibrato_cents=15.0, tremolo=0.15, noise=0.03),
}
HZ = dict(zip(NOTES, (220.0, 65.4, 1046.5, 311.1, 196.0, 440.0, 261.6), strict=True))


def found_in(name: str) -> tuple[Loop, np.ndarray, tuple[int, int]]:
    held = sustain.sustain(NOTES[name], **RATE)
    found = loops.find(NOTES[name], held, period_samples=RATE_HZ / HZ[name], **RATE)
    return *found, held


def test_correlations_are_those_of_the_definition(rng: np.random.Generator) -> None:
    x, fade, start = rng.normal(size=400), 50, 120
    found = loops.correlations(x, start, 200, 390, fade=fade)
    for end in range(200, 391):
        a, b = x[start - fade : start], x[end - fade : end]
        assert found[end - 200] == pytest.approx(a @ b / np.sqrt((a @ a) * (b @ b)), abs=1e-9)


def test_the_search_finds_what_brute_force_finds() -> None:
    """Over every start and every end of a short note whose periods are not whole samples."""
    note = held_note(313.7, vibrato_cents=20.0, tremolo=0.2, noise=0.02, seconds=0.6)
    held, period = (2400, 7600), RATE_HZ / 313.7
    found = loops.candidates(note, held, period_samples=period, **RATE)
    fade, shortest, x = found[0].fade, round(0.25 * RATE_HZ), note.astype(np.float64)
    best = 0.0
    for start in range(held[0] + fade, held[1] - shortest + 1):
        before = x[start - fade : start]
        windows = np.lib.stride_tricks.sliding_window_view(x[start + shortest - fade : held[1]], fade)
        norm = np.sqrt((before @ before) * (windows**2).sum(axis=1))
        best = max(best, float((windows @ before / norm).max()))
    assert best - 0.01 <= max(one.correlation for one in found) <= best + 1e-6


@pytest.mark.parametrize("name", NOTES)
def test_loops_do_not_click(name: str) -> None:
    loop, looped, (first, last) = found_in(name)
    assert loop.is_clean and loop.step <= 1.0 and loop.spectrum <= 1.0
    assert first <= loop.start - loop.fade and loop.end <= last and loop.length >= 0.25 * RATE_HZ
    assert looped.size == loop.end + loops.AHEAD


@pytest.mark.parametrize("name", ["steady", "low", "high"])
def test_loops_hold_whole_periods(name: str) -> None:
    loop, _, _ = found_in(name)
    periods = loop.length * HZ[name] / RATE_HZ
    assert abs(periods - round(periods)) < 0.06


def test_a_loop_at_a_bad_place_is_heard() -> None:
    note = NOTES["vibrato"]
    held = sustain.sustain(note, **RATE)
    own = loops.own(note, held, **RATE)
    good, looped, _ = found_in("vibrato")
    bad = Loop(good.start, good.end - round(0.4 * RATE_HZ / HZ["vibrato"]), 1, 1.0)
    assert not loops.measured(loops.cross_faded(note, bad), bad, own, **RATE).is_clean
    clicked = looped.copy()
    clicked[good.end - 1] += 2.5 * own.steps.max()
    assert loops.measured(clicked, good, own, **RATE).step > 1.0


def test_what_follows_the_end_is_the_start() -> None:
    loop, looped, _ = found_in("all of it")
    np.testing.assert_array_equal(looped[loop.end :], looped[loop.start : loop.start + loops.AHEAD])
    note = NOTES["all of it"]
    np.testing.assert_array_equal(looped[: loop.end - loop.fade], note[: loop.end - loop.fade])
    assert looped[loop.end - 1] == pytest.approx(note[loop.start - 1], abs=1e-6)


@pytest.mark.parametrize("correlation", [0.0, 0.5, 1.0])
def test_the_fade_keeps_the_power(rng: np.random.Generator, correlation: float) -> None:
    fade = 40_000
    a, c = rng.normal(size=(2, fade))
    b = correlation * a + np.sqrt(1.0 - correlation**2) * c
    note = np.concatenate([b, np.zeros(10), a])
    loop = Loop(fade, 2 * fade + 10, fade, correlation)
    seam = loops.cross_faded(note, loop)[fade + 10 : 2 * fade + 10]
    for part in np.split(seam, 8):
        assert np.mean(part**2) == pytest.approx(1.0, abs=0.08)


def test_the_fade_of_equals_is_linear() -> None:
    wave = np.sin(2 * np.pi * np.arange(12_000) / 100) + 0.3 * np.sin(2 * np.pi * np.arange(12_000) / 5)
    note = wave * np.repeat([1.0, 2.0], 6000)
    seam = loops.cross_faded(note, Loop(4000, 10_000, 1000, 1.0))[9000:10_000]
    np.testing.assert_allclose(seam, wave[9000:10_000] * (2.0 - (np.arange(1000) + 1) / 1000), atol=2e-3)


def test_bands_add_up_and_lie_apart(rng: np.random.Generator) -> None:
    note = rng.normal(size=9000)
    np.testing.assert_allclose(loops._in_bands(note, 4000, 5000).sum(axis=0), note[4000:5000], atol=1e-9)
    np.testing.assert_allclose(loops._in_bands(note, 100, 5000).sum(axis=0), note[100:5000], atol=1e-9)
    for band, hz in enumerate((6000.0, 3000.0, 1500.0, 750.0)):
        tone = np.sin(2 * np.pi * hz * np.arange(9000) / RATE_HZ)
        power = (loops._in_bands(tone, 4000, 5000) ** 2).sum(axis=1)
        assert np.argmax(power) == band and power[band] > 0.98 * power.sum()


def test_breath_keeps_its_level_through_the_fade_of_loud_partials(rng: np.random.Generator) -> None:
    """Where the partials decide the correlation a single linear fade takes 3 dB from the noise above them."""
    from scipy.signal import butter, sosfilt

    high = butter(8, 3000, "high", fs=RATE_HZ, output="sos")
    note = held_note(110.0, harmonics=6)
    note = (note + 0.002 * sosfilt(high, rng.normal(size=note.size))).astype(np.float32)
    loop, looped = loops.find(note, (1600, 38_000), period_samples=RATE_HZ / 110.0, **RATE)
    assert loop.correlation > 0.99
    level_db = [
        10 * np.log10(np.mean(sosfilt(high, loops.unrolled(looped, loop, loop.end + 4000))[at : at + 800] ** 2))
        for at in (loop.end - 8000, loop.end - 1200)
    ]
    assert level_db[1] == pytest.approx(level_db[0], abs=0.8)


def test_unrolling_is_what_a_player_does() -> None:
    audio, loop = np.arange(30.0), Loop(10, 17, 2, 1.0)
    at, naive = 0, []
    for _ in range(60):
        naive.append(audio[at])
        at = loop.start if at + 1 == loop.end else at + 1
    np.testing.assert_array_equal(loops.unrolled(audio, loop, 60), naive)
    np.testing.assert_array_equal(loops.unrolled(audio, None, 40), np.pad(audio, (0, 10)))


def test_a_short_held_part_has_no_loop() -> None:
    assert loops.find(NOTES["steady"], (1600, 5000), period_samples=72.7, **RATE) is None
