"""From files as people have them to latents: what is heard, how sure its pitch is, and what is said of the rest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from synth_explorer import audio
from synth_explorer.assets import NOTES_FOLDER
from synth_explorer.errors import AudioError
from synth_explorer.explorer import Explorer
from synth_explorer.latents import Latents, interpolate

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def cello() -> np.ndarray:
    return audio.load(NOTES_FOLDER / "cello.flac", sample_rate_hz=RATE_HZ)


def saw(midi: np.ndarray) -> np.ndarray:
    """A sound [T] of ten harmonics over a pitch track [T] in MIDI."""
    turns = np.cumsum(440.0 * 2.0 ** ((midi - 69.0) / 12.0)) / RATE_HZ
    return (0.2 * sum(np.sin(2 * np.pi * k * turns) / k for k in range(1, 11))).astype(np.float32)


def test_an_offset_is_not_heard(explorer: Explorer, cello: np.ndarray) -> None:
    own = explorer.encode(cello)
    moved = explorer.encode(np.pad(cello, (RATE_HZ // 2, 0)) + np.float32(0.3), fit_steps=4)
    assert abs(moved.meta.lead_in_samples - own.meta.lead_in_samples - RATE_HZ // 2) < 160
    sound = explorer.decode(moved)
    power = np.abs(np.fft.rfft(sound * np.blackman(sound.size))) ** 2
    hz = np.fft.rfftfreq(sound.size, 1 / RATE_HZ)
    assert power[hz < 15.0].sum() < 1e-6 * power.sum()


def test_velocities_meet_in_a_morph(explorer: Explorer, cello: np.ndarray) -> None:
    loud, soft = (explorer.encode(cello * np.float32(gain)) for gain in (1.0, 0.01))
    assert loud.meta.lead_in_samples == soft.meta.lead_in_samples
    assert interpolate([loud, soft], [0.5, 0.5]).frames == loud.frames


def test_the_pitch_that_a_file_gives_is_taken(explorer: Explorer, cello: np.ndarray, tmp_path: Path) -> None:
    sampler = audio.Sampler(69.0, (8_000, 20_000))
    audio.save(tmp_path / "a.wav", np.pad(cello, (4_000, 0)), sample_rate_hz=RATE_HZ, sampler=sampler)
    latents = explorer.encode(tmp_path / "a.wav")
    assert latents.pitch_midi == pytest.approx(69.0, abs=0.8)
    assert latents.meta.pitch_confidence is None
    assert "gives A4 (MIDI 69) as its pitch" in latents.notices[0]
    start = latents.meta.lead_in_samples
    assert latents.meta.loop == (8_000 - start, 20_000 - start)
    assert explorer.encode(tmp_path / "a.wav", pitch=60.0).pitch_midi == pytest.approx(60.0, abs=0.3)
    kept = Latents.load(latents.save(tmp_path / "a.npz"))
    assert kept.meta == latents.meta


def test_doubt_stays_with_the_latents(explorer: Explorer, cello: np.ndarray, tmp_path: Path) -> None:
    assert explorer.encode(cello).notices == ()
    flat = np.full(2 * RATE_HZ, 0.0)
    chord = sum(saw(flat + midi) for midi in (60.0, 64.0, 67.0))
    latents = Latents.load(explorer.encode(chord).save(tmp_path / "chord.npz"))
    assert latents.meta.pitch_kind == "chord"
    assert "sounds like several pitches at once" in latents.notices[0]
    noise = explorer.encode(0.1 * np.random.default_rng(0).normal(size=2 * RATE_HZ).astype(np.float32))
    assert "has no clear pitch" in noise.notices[0]
    assert interpolate([latents, noise], [0.5, 0.5]).notices == ()


def test_a_pitch_that_moves_is_said_to_move(explorer: Explorer) -> None:
    midi = np.interp(np.arange(2 * RATE_HZ) / RATE_HZ, [0.4, 1.6], [57.0, 64.0])
    latents = explorer.encode(saw(midi))
    at = np.arange(latents.frames) * explorer.hop + latents.meta.lead_in_samples
    cents = 1200 * np.log2(latents.pitch_hz / (440 * 2 ** ((np.interp(at, np.arange(midi.size), midi) - 69) / 12)))
    assert np.mean(np.abs(cents) < 30.0) > 0.9
    assert latents.meta.pitch_kind == "moving"
    assert "has a pitch that moves, and is followed" in latents.notices[0]


def test_a_tone_below_the_range_is_folded_into_it_and_said_to_be(explorer: Explorer) -> None:
    latents = explorer.encode(saw(np.full(2 * RATE_HZ, 14.0)))
    assert latents.pitch_midi >= 17.5
    assert "MIDI 18 to 111" in latents.notices[0] or "doubtful" in latents.notices[0]


@pytest.mark.parametrize("midi", [16.0, 112.0, float("nan")])
def test_a_stated_pitch_out_of_range_is_refused(explorer: Explorer, cello: np.ndarray, midi: float) -> None:
    with pytest.raises(AudioError, match="18 to 111"):
        explorer.encode(cello, pitch=midi)


def test_what_a_file_lost_is_kept(explorer: Explorer, cello: np.ndarray, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.stack([cello, 0 * cello], axis=1), RATE_HZ)
    latents = explorer.encode(tmp_path / "a.wav")
    assert "the left one" in latents.notices[0]
    assert explorer.encode(tmp_path / "a.wav", align=False).notices == latents.notices
