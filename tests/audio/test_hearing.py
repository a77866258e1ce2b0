"""What lies below hearing is taken out before anything is measured; what can be heard stays."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer import assets, audio
from synth_explorer.errors import AudioError

RATE_HZ = 16_000
NEAR = 160  # samples: 10 ms
TIME_S = np.arange(2 * RATE_HZ) / RATE_HZ
NOTE = (0.3 * np.sin(2 * np.pi * 220.0 * TIME_S)).astype(np.float32)


def level_db(sound: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(sound, dtype=np.float64)) + 1e-20))


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 48_000])
@pytest.mark.parametrize("hz", [0.0, 1.0, 5.0, 12.0, 15.0])
def test_rumble_goes_60_db_under_the_note(hz: float, rate_hz: int) -> None:
    at_s = np.arange(2 * rate_hz) / rate_hz
    note = (0.3 * np.sin(2 * np.pi * 220.0 * at_s)).astype(np.float32)
    rumble = (0.5 * np.cos(2 * np.pi * hz * at_s + 0.4)).astype(np.float32)
    left = audio.audible(note + rumble, sample_rate_hz=rate_hz) - note
    middle = slice(rate_hz // 4, -rate_hz // 4)
    assert level_db(left[middle]) < level_db(note) - 60.0


@pytest.mark.parametrize("hz", [20.0, 23.1, 27.5, 60.0, 4_000.0])
def test_what_can_be_heard_stays(hz: float) -> None:
    note = (0.3 * np.sin(2 * np.pi * hz * TIME_S)).astype(np.float32)
    kept = audio.audible(note + np.float32(0.2), sample_rate_hz=RATE_HZ)
    middle = slice(RATE_HZ // 4, -RATE_HZ // 4)
    assert abs(level_db(kept[middle]) - level_db(note[middle])) < 0.1
    assert np.abs(kept - note)[RATE_HZ // 2 : -RATE_HZ // 2].max() < 0.01  # and in its place


def test_a_sound_with_nothing_to_take_out_is_the_same_array() -> None:
    assert audio.audible(NOTE, sample_rate_hz=RATE_HZ) is NOTE
    twice = audio.audible(audio.audible(NOTE + np.float32(0.5), sample_rate_hz=RATE_HZ), sample_rate_hz=RATE_HZ)
    assert np.abs(twice - NOTE)[1600:-1600].max() < 2e-3


@pytest.mark.parametrize("samples", [1, 2, 3, 17, 64_123])
def test_any_length(samples: int) -> None:
    assert audio.audible(np.full(samples, 0.5, np.float32), sample_rate_hz=RATE_HZ).shape == (samples,)


def test_a_note_that_is_cut_off_mid_wave_is_no_step() -> None:
    cut = NOTE[: RATE_HZ + 18]
    assert abs(cut[-1]) > 0.25
    assert np.abs(audio.audible(cut + np.float32(0.1), sample_rate_hz=RATE_HZ) - cut).max() < 0.02


def bass(midi: float, *, at_s: float, fade_per_s: float = 1.5) -> np.ndarray:
    """A note that begins at once at `at_s`, 4 s in all."""
    time_s = np.arange(4 * RATE_HZ) / RATE_HZ - at_s
    hz = 440.0 * 2.0 ** ((midi - 69.0) / 12.0)
    wave = sum(np.sin(2 * np.pi * hz * k * time_s) / k for k in (1, 2, 3))
    return np.where(time_s < 0.0, 0.0, 0.3 * wave * np.exp(-fade_per_s * time_s)).astype(np.float32)


@pytest.mark.parametrize("midi", [33.0, 40.0, 52.0, 64.0])
@pytest.mark.parametrize("at_s", [0.0, 0.5, 2.0])
def test_a_bass_that_begins_at_once_is_left_as_it_is(midi: float, at_s: float) -> None:
    note = bass(midi, at_s=at_s)
    assert audio.audible(note, sample_rate_hz=RATE_HZ) is note


@pytest.mark.parametrize(
    ("midi", "hz"),
    [(24.0, 1.0), (24.0, 7.7), (28.0, 1.0), (28.0, 15.0), (35.0, 7.7), (35.0, 18.0), (40.0, 15.0), (64.0, 18.0)],
)
@pytest.mark.parametrize("level", [0.1, 0.5])
def test_no_echo_comes_before_a_bass_in_rumble(midi: float, hz: float, level: float) -> None:
    note = bass(midi, at_s=0.5)
    rumble = (level * np.cos(2 * np.pi * hz * np.arange(note.size) / RATE_HZ + 0.7)).astype(np.float32)
    left = audio.audible(note + rumble, sample_rate_hz=RATE_HZ) - note
    before = left[RATE_HZ // 5 : RATE_HZ // 2]
    assert np.abs(before).max() < 10 ** (-44 / 20) * np.abs(note).max()
    assert level_db(left[RATE_HZ:-RATE_HZ]) < level_db(note) - 60.0


@pytest.mark.parametrize("seconds", [0.1, 0.7, 4.0, pytest.param(12.0, marks=pytest.mark.long)])
@pytest.mark.parametrize("hz", [0.0, 1.0, 5.0, 9.0, 14.0])
@pytest.mark.parametrize("phase", [0.3, 1.5])
def test_offset_and_rumble_alone_are_silent(hz: float, phase: float, seconds: float) -> None:
    sound = 0.9 * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE_HZ)) / RATE_HZ + phase)
    with pytest.raises(AudioError, match="silent"):
        audio.refuse_silence(audio.audible(sound, sample_rate_hz=RATE_HZ))


def test_a_drift_is_silent() -> None:
    with pytest.raises(AudioError, match="silent"):
        audio.refuse_silence(audio.audible(np.linspace(-0.9, 0.9, 4 * RATE_HZ), sample_rate_hz=RATE_HZ))


def test_fifty_decibels_under_full_scale_are_not() -> None:
    soft = audio.audible(NOTE * np.float32(0.01), sample_rate_hz=RATE_HZ)
    audio.refuse_silence(soft)  # does not raise
    with pytest.raises(AudioError, match="silent"):
        audio.refuse_silence(soft * np.float32(1e-6))


@pytest.mark.parametrize("hz", [0.0, 0.3, 8.0, 18.0])
@pytest.mark.parametrize(
    ("name", "under_db"), [("contrabass", 50), ("slap_bass", 52), ("acoustic_bass", 52), ("tuba", 60)]
)
def test_rumble_goes_from_under_a_recorded_bass(name: str, under_db: float, hz: float) -> None:
    path = next(note.path for note in assets.example_notes() if note.path.stem == name)
    note = audio.load(path, sample_rate_hz=RATE_HZ)
    wave = np.cos(2 * np.pi * hz * np.arange(note.size) / RATE_HZ + 0.4)
    left = audio.audible(note + (0.2 * wave).astype(np.float32), sample_rate_hz=RATE_HZ) - note
    assert level_db(left[RATE_HZ // 4 :]) < level_db(note) - under_db
    assert level_db(left[-RATE_HZ // 10 :]) < level_db(note) - 54.0


def test_a_bass_of_noise_that_reaches_down_to_20_hz_keeps_its_lows() -> None:
    rng = np.random.default_rng(2)
    spectrum, hz = np.fft.rfft(rng.normal(size=TIME_S.size)), np.fft.rfftfreq(TIME_S.size, 1 / RATE_HZ)
    lows = np.fft.irfft(spectrum * ((hz > 20.5) & (hz < 45.0)))
    note = (0.3 * lows / np.abs(lows).max() * np.exp(-2.0 * TIME_S) + 0.1 * NOTE).astype(np.float32)
    taken = note - audio.audible(note, sample_rate_hz=RATE_HZ)
    assert level_db(taken) < level_db(note) - 25.0


def thump(*, lead_s: float, seconds: float = 2.0) -> np.ndarray:
    """A soft tone whose offset rises to ten times its height as it begins, as some synthesizers' basses do."""
    at_s = np.maximum(np.arange(round((lead_s + seconds) * RATE_HZ)) / RATE_HZ - lead_s, 0.0)
    tone = sum(np.sin(2 * np.pi * 110.0 * k * at_s) / k for k in range(1, 6)) * np.exp(-at_s)
    return (0.04 * tone + 0.8 * (1.0 - np.exp(-at_s / 0.03)) * np.exp(-0.7 * at_s)).astype(np.float32)


def test_digital_silence_before_a_thump_stays() -> None:
    lead = round(0.4 * RATE_HZ)
    heard = audio.audible(thump(lead_s=0.4), sample_rate_hz=RATE_HZ)
    assert not heard[: lead - 2].any()
    assert abs(audio.find_onset(heard, sample_rate_hz=RATE_HZ) - lead) <= NEAR


@pytest.mark.parametrize("offset", [-0.07, 0.2])
def test_an_offset_that_begins_with_a_note_does_not_begin_before_it(offset: float) -> None:
    lead = round(1.5 * RATE_HZ)
    sound = thump(lead_s=1.5) + np.float32(offset)
    heard = audio.audible(sound, sample_rate_hz=RATE_HZ)
    assert np.abs(heard[: lead - 2]).max() < 1e-3
    assert abs(audio.find_onset(heard, sample_rate_hz=RATE_HZ) - lead) <= NEAR
