"""Depths at rates that are known, and changes of loudness however quiet."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer import measure
from synth_explorer.errors import AudioError

RATE_HZ = 16_000


def tremolo(*swings: tuple[float, float], seconds: float = 4.0, level: float = 0.1, vibrato_cents: float = 0.0):
    """A tone of ten partials whose level swings by (rate in Hz, depth in dB), and its pitch at 5 Hz."""
    time_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    hz = 220.0 * 2.0 ** (vibrato_cents / 1200.0 * np.sin(2 * np.pi * 5.0 * time_s))
    phase = 2 * np.pi * np.cumsum(hz) / RATE_HZ
    tone = sum(np.sin(k * phase) / k for k in range(1, 11))
    gain_db = sum((depth * np.sin(2 * np.pi * rate * time_s) for rate, depth in swings), np.zeros(time_s.size))
    return (level * tone * 10 ** (gain_db / 20) * np.exp(-0.5 * time_s)).astype(np.float32)


def test_depths_of_several_oscillations_at_once() -> None:
    before, after = tremolo(), tremolo((3.0, 4.0), (7.0, 1.0))
    heard = measure.oscillation_depths(
        after, before=before, sample_rate_hz=RATE_HZ, target="loudness", rates_hz=[3.0, 7.0, 11.0]
    )
    assert heard[:2] == pytest.approx([4.0, 1.0], rel=0.05)
    assert heard[2] < 0.1


def test_depth_at_a_known_rate_of_pitch() -> None:
    heard = measure.oscillation_depths(
        tremolo(vibrato_cents=30.0),
        before=tremolo(),
        sample_rate_hz=RATE_HZ,
        target="pitch",
        rates_hz=[5.0, 8.0],
        around_hz=220.0,
    )
    assert heard[0] == pytest.approx(30.0, rel=0.05)
    assert heard[1] < 0.5


def test_too_few_turns_are_not_told() -> None:
    track = np.sin(2 * np.pi * 1.0 * np.arange(50) / 50)  # one second
    depths = np.abs(measure.phasors_at(track, 50.0, [1.0, 2.0]))
    assert np.isnan(depths[0]) and np.isfinite(depths[1])
    assert np.isnan(measure.phasors_at(track[:8], 50.0, [5.0])).all()


def test_depths_are_a_least_squares_fit() -> None:
    rng = np.random.default_rng(0)
    time_s = np.arange(300) / 60
    track = 0.7 * np.sin(2 * np.pi * 4 * time_s + 1) + 0.2 * np.cos(2 * np.pi * 9 * time_s) + time_s**2
    track += 0.05 * rng.normal(size=300)
    columns = [f(2 * np.pi * rate * time_s) for rate in (4, 9) for f in (np.cos, np.sin)]
    solved = np.linalg.lstsq(np.stack([*columns, *(time_s**k for k in range(4))], axis=1), track, rcond=None)[0]
    expected = [np.hypot(*solved[:2]), np.hypot(*solved[2:4])]
    assert np.allclose(np.abs(measure.phasors_at(track, 60.0, [4, 9])), expected, atol=1e-5)


@pytest.mark.parametrize("gain_db", [-40.0, -18.0, 9.0])
def test_loudness_changes_by_the_gain_however_quiet(gain_db: float) -> None:
    before = tremolo(level=0.003)
    after = (before * 10 ** (gain_db / 20)).astype(np.float32)
    assert measure.loudness_change_db(before, after, sample_rate_hz=RATE_HZ) == pytest.approx(gain_db, abs=1e-3)


def test_a_remembered_sound_measures_the_same() -> None:
    before, after = tremolo(), tremolo(vibrato_cents=20.0)
    given = {"sample_rate_hz": RATE_HZ, "around_hz": 220.0, "track_rate_hz": 100.0}
    first = measure.pitch_track_cents(after, **given)
    first[:] = 0.0  # the caller's copy, not what is remembered
    measure.pitch_track_cents(before, **given)
    again = measure.pitch_track_cents(after, **given)
    assert np.nanmax(np.abs(again)) == pytest.approx(20.0, rel=0.1)


def test_phases_of_swings() -> None:
    before, after = tremolo(), tremolo((3.0, 4.0), (11.0, -1.0))
    heard = measure.oscillation_phasors(
        after, before=before, sample_rate_hz=RATE_HZ, target="loudness", rates_hz=[3.0, 11.0]
    )
    assert heard.real == pytest.approx([4.0, -1.0], rel=0.06)
    assert np.abs(heard.imag).max() < 0.1


@pytest.mark.parametrize("target", ["loudness", "brightness", "pitch"])
def test_sounds_too_short_for_an_oscillation_are_refused(target: str) -> None:
    given = {"sample_rate_hz": RATE_HZ, "target": target, "around_hz": 220.0}
    with pytest.raises(AudioError, match="at least 8 ms of sound; received 5"):
        measure.oscillation(tremolo()[:80], **given)
    with pytest.raises(AudioError, match="at least 8 ms"):
        measure.oscillation_depths(tremolo(), before=tremolo()[:80], rates_hz=[5.0], **given)
    assert np.isnan(measure.oscillation(tremolo()[:160], **given).depth)
