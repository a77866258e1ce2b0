"""The same note begins at the same sample at any level, with offset, hum, hiss, room, rumble and breath before it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from synth_explorer import assets, audio

RATE_HZ = 16_000
LEAD = RATE_HZ
NEAR = 160  # samples: 10 ms
NAMES = ("cello", "flute", "grand_piano", "kalimba", "voice_oohs", "warm_pad", "trumpet", "slap_bass")


@cache
def notes() -> list[np.ndarray]:
    paths = [note.path for note in assets.example_notes() if note.path.stem in NAMES]
    assert len(paths) == len(NAMES)
    return [audio.load(path, sample_rate_hz=RATE_HZ) for path in paths]


@cache
def own_onsets() -> list[int]:
    """Of the notes as they are."""
    return [onset(note) for note in notes()]


def onset(sound: np.ndarray) -> int:
    heard = audio.audible(np.asarray(sound, np.float32), sample_rate_hz=RATE_HZ)
    return audio.find_onset(heard, sample_rate_hz=RATE_HZ)


def hum(rng: np.random.Generator, count: int) -> np.ndarray:
    at_s = np.arange(count) / RATE_HZ
    base_hz = rng.choice([50.0, 60.0])
    parts = [
        level * np.sin(2 * np.pi * k * base_hz * at_s + rng.random() * 6) for k, level in ((1, 1), (2, 0.5), (3, 0.4))
    ]
    return sum(parts) / np.abs(sum(parts)).max()


def fading_hum(rng: np.random.Generator, count: int) -> np.ndarray:
    """A hum that somebody turns up, in 0.6 s."""
    return hum(rng, count) * np.minimum(np.arange(count) / (0.6 * RATE_HZ), 1.0)


def hum_and_hiss(rng: np.random.Generator, count: int) -> np.ndarray:
    return hum(rng, count) + rng.normal(size=count) / 3 * 10 ** (-15 / 20)


def room(rng: np.random.Generator, count: int) -> np.ndarray:
    spectrum = np.fft.rfft(rng.normal(size=count)) / np.sqrt(np.maximum(np.arange(count // 2 + 1), 1))
    noise = np.fft.irfft(spectrum, count)
    return noise / (3 * noise.std())


def breath(rng: np.random.Generator, count: int) -> np.ndarray:
    wind = np.zeros(count)
    size = round(0.35 * RATE_HZ)
    start = LEAD - round(0.45 * RATE_HZ)
    wind[start : start + size] = rng.normal(size=size) * np.hanning(size) / 3
    return wind


def loud_breath(rng: np.random.Generator, count: int) -> np.ndarray:
    """A breath whose RMS is 1 for 0.35 s, a second before the note."""
    wind = 3 * breath(rng, count) / np.sqrt(3 / 8)
    return np.roll(wind, -round(0.5 * RATE_HZ))


BEFORE: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "hum": hum,
    "fading hum": fading_hum,
    "hum and hiss": hum_and_hiss,
    "hiss": lambda rng, count: rng.normal(size=count) / 3,
    "room": room,
    "breath": breath,
    "offset": lambda rng, count: np.ones(count),
    "rumble": lambda rng, count: np.sin(2 * np.pi * 7.0 * np.arange(count) / RATE_HZ + 1.0),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "level_db"),
    [
        ("hum", -25),
        ("hum", -30),
        ("hum", -45),
        ("fading hum", -25),
        ("hum and hiss", -30),
        ("hiss", -45),
        ("room", -40),
        ("breath", -28),
        ("offset", -6),
        ("rumble", -18),
    ],
)
def test_what_lies_before_is_not_the_note(what: str, level_db: float) -> None:
    rng = np.random.default_rng(7)
    for note, own in zip(notes(), own_onsets(), strict=True):
        sound = np.pad(note, (LEAD, 0))
        other = BEFORE[what](rng, sound.size) * np.abs(note).max() * 10 ** (level_db / 20)
        assert abs(onset(sound + other) - LEAD - own) <= NEAR


@pytest.mark.slow
@pytest.mark.parametrize("under_db", [*(pytest.param(db, marks=pytest.mark.long) for db in (14, 17, 20)), 30])
def test_a_breath_a_second_before_is_not_the_note(under_db: float) -> None:
    rng = np.random.default_rng(11)
    moved = 0
    paths = [note.path for note in assets.example_notes()][:: 4 if under_db == 30 else 1]
    for path in paths:
        note = audio.load(path, sample_rate_hz=RATE_HZ)
        other = loud_breath(rng, note.size + LEAD) * np.sqrt(np.mean(note**2)) * 10 ** (-under_db / 20)
        moved += abs(onset(np.pad(note, (LEAD, 0)) + other) - LEAD - onset(note)) > NEAR
    assert moved <= (1 if under_db < 20 else 0), f"{moved} of {len(paths)}"


def test_beats_and_bursts_of_the_note_itself_are_no_breath() -> None:
    at_s = np.arange(2 * RATE_HZ) / RATE_HZ
    for dip_s in (0.15, 0.25):
        swell = np.where(at_s < dip_s, 0.15, 1.0) * np.abs(np.sin(np.pi * at_s / dip_s)) ** 0.5
        note = swell * sum(np.sin(2 * np.pi * 220.0 * k * at_s) / k for k in (1, 2, 3))
        assert onset(np.pad(note, (LEAD, 0))) - LEAD <= NEAR


@pytest.mark.slow
@pytest.mark.parametrize("hz", [3.0, 7.0, 12.0, 15.0])
@pytest.mark.parametrize("level", [0.03, 0.3])
def test_rumble_does_not_move_a_quiet_late_bass(level: float, hz: float) -> None:
    at_s = np.arange(4 * RATE_HZ) / RATE_HZ
    for pitch_hz in (41.2, 55.0, 82.4):
        late_s = np.maximum(at_s - 2.0, 0.0)
        note = level * np.sin(2 * np.pi * pitch_hz * late_s) * np.exp(-1.5 * late_s)
        assert abs(onset(note + 0.3 * np.sin(2 * np.pi * hz * at_s)) - onset(note)) <= NEAR // 4


@pytest.mark.parametrize("level_db", [-50.0, -30.0, -20.0, -6.0])
def test_level_does_not_move_it_even_in_16_bits(level_db: float) -> None:
    for note, own in zip(notes(), own_onsets(), strict=True):
        softer = note / np.abs(note).max() * 10 ** (level_db / 20)
        assert onset(softer.astype(np.float32)) == pytest.approx(own, abs=1)
        assert abs(onset(np.round(softer * 32_768) / 32_768) - own) <= NEAR


@pytest.mark.slow
@pytest.mark.parametrize("fade_s", [0.1, 0.3])
def test_a_soft_attack_is_followed_down_into_the_noise(fade_s: float) -> None:
    rng = np.random.default_rng(3)
    for note in notes():
        fade = np.minimum(np.arange(note.size) / (fade_s * RATE_HZ), 1.0)
        soft = note * fade
        noisy = np.pad(soft, (LEAD, 0)) + rng.normal(size=soft.size + LEAD) * np.abs(soft).max() * 10 ** (-45 / 20) / 3
        assert abs(onset(noisy) - LEAD - onset(soft)) <= NEAR


@pytest.mark.slow
@pytest.mark.parametrize("peak_db", [-50.0, -20.0, 0.0])
@pytest.mark.parametrize("lead_s", [0.15, 0.5])
def test_hum_is_no_note_at_any_level_even_in_16_bits(lead_s: float, peak_db: float) -> None:
    rng = np.random.default_rng(13)
    lead = round(lead_s * RATE_HZ)
    for note, own in zip(notes(), own_onsets(), strict=True):
        sound = np.pad(note / np.abs(note).max(), (lead, 0)) * 10 ** (peak_db / 20)
        sound = sound + hum(rng, sound.size) * 10 ** ((peak_db - 28) / 20)
        assert abs(onset(np.round(sound * 32_768) / 32_768) - lead - own) <= NEAR
