"""What repeats with the mains before a note is taken out; a note that repeats so itself is not."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer.audio.hum import TURNS, comb, without_hum

RATE_HZ = 16_000
TIME_S = np.arange(2 * RATE_HZ) / RATE_HZ
BODY = RATE_HZ
LEAST = 1e-3


def hum(hz: float, *, harmonics: int = 6) -> np.ndarray:
    return 0.03 * np.sum([np.sin(2 * np.pi * k * hz * TIME_S + k) / k for k in range(1, harmonics + 1)], axis=0)


def note(hz: float) -> np.ndarray:
    late_s = TIME_S - BODY / RATE_HZ
    return np.where(late_s < 0.0, 0.0, np.sin(2 * np.pi * hz * late_s))


def rest(sound: np.ndarray) -> np.ndarray:
    return without_hum(sound, body=BODY, least=LEAST, sample_rate_hz=RATE_HZ)


@pytest.mark.parametrize("period", [3.0, 266.6667, 320.25])
def test_comb_equals_a_plain_mean_of_earlier_periods(period: float) -> None:
    sound = np.random.default_rng(0).normal(size=2_000)
    at = np.arange(sound.size)
    earlier = [np.interp(at - turn * period, at, sound, left=0.0) for turn in (1, 2, 3)]
    inside = at >= 3 * period
    np.testing.assert_allclose(comb(sound, period=period, turns=3)[inside], (sound - np.mean(earlier, 0))[inside])


@pytest.mark.parametrize("hz", [49.9, 50.0, 50.06, 59.93, 60.0])
def test_hum_sinks_by_20_db_and_the_note_begins_as_it_was(hz: float) -> None:
    left = rest(hum(hz) + note(440.0))
    before = slice(round((TURNS + 1) * RATE_HZ / hz), BODY)
    assert np.std(left[before]) < 0.1 * np.std(hum(hz)[before])
    begun = slice(BODY, BODY + round(0.9 * RATE_HZ / hz))
    np.testing.assert_allclose(left[begun], note(440.0)[begun], atol=0.02)


@pytest.mark.parametrize("hz", [50.0, 100.0, 349.6, 600.0])
def test_a_note_that_swells_at_a_multiple_of_the_mains_is_no_hum(hz: float) -> None:
    swell = np.minimum(TIME_S / 0.9, 1.0) ** 2 * np.sin(2 * np.pi * hz * TIME_S)
    assert rest(swell) is swell


@pytest.mark.parametrize(
    "before", [np.zeros(BODY), 0.03 * np.random.default_rng(1).normal(size=BODY), hum(57.0)[:BODY]]
)
def test_silence_noise_and_other_tones_are_no_hum(before: np.ndarray) -> None:
    sound = note(440.0)
    sound[:BODY] += before
    assert rest(sound) is sound


@pytest.mark.parametrize("samples", [1, 100, 1_000])
def test_a_note_that_begins_soon_is_left(samples: int) -> None:
    sound = hum(50.0)
    assert without_hum(sound, body=samples, least=LEAST, sample_rate_hz=RATE_HZ) is sound
