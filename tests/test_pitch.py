"""Fine pitch tracking: known tones, noise, silence; against a slow phase-difference reference."""

from __future__ import annotations

import time

import numpy as np
import pytest

from synth_explorer.pitch import hz_to_midi, midi_to_hz, refine, track

RATE_HZ, HOP = 16000, 512


def tone(
    midi: float,
    *,
    seconds: float = 2.0,
    partials: int = 10,
    skip: tuple[int, ...] = (),
    stiffness: float = 0.0,
    vibrato_cents: float = 0.0,
    decay: float = 0.0,
    rate_hz: int = RATE_HZ,
) -> tuple[np.ndarray, np.ndarray]:
    """A harmonic tone [T] and its true MIDI pitch at each sample [T]."""
    rng = np.random.default_rng(int(midi * 10))
    t = np.arange(int(seconds * rate_hz)) / rate_hz
    truth = midi + vibrato_cents / 100.0 * np.sin(2 * np.pi * 5.5 * t)
    turns = np.cumsum(midi_to_hz(truth)) / rate_hz
    audio = np.zeros_like(t)
    for k in range(1, partials + 1):
        ratio = k * np.sqrt(1 + stiffness * k * k)
        if k not in skip and ratio * midi_to_hz(midi) < 0.48 * rate_hz:
            audio += np.sin(2 * np.pi * (turns * ratio + rng.random())) * np.exp(-decay * t) / k
    return (0.3 * audio).astype(np.float32), truth


def cents_off(audio: np.ndarray, truth: np.ndarray, *, midi: float, **kwargs) -> np.ndarray:
    heard = track(audio, midi=midi, sample_rate_hz=RATE_HZ, hop=HOP, **kwargs)
    return 100.0 * (hz_to_midi(heard) - truth[::HOP])


@pytest.mark.parametrize("midi", [21, 33, 45, 60, 72, 84, 96, 108])
@pytest.mark.parametrize("detune_cents", [-55, 0, 35])
def test_steady_tone_within_two_cents(midi: int, detune_cents: int) -> None:
    audio, truth = tone(midi + detune_cents / 100.0)
    off = cents_off(audio, truth, midi=midi)
    assert np.abs(off[3:-3]).max() < 2.0
    assert np.abs(np.median(off)) < 0.5
    assert np.abs(off).max() < 20.0  # the very edges, where half the window is empty


@pytest.mark.parametrize("midi", [28, 50, 69])
def test_agrees_with_slow_reference(midi: int) -> None:
    """The reference fits the phase of the demodulated fundamental over the whole tone."""
    audio, _ = tone(midi + 0.17)
    t = np.arange(len(audio)) / RATE_HZ
    carried = audio * np.exp(-2j * np.pi * midi_to_hz(midi) * t)
    length = 2 * round(4 * RATE_HZ / midi_to_hz(midi) / 2)
    smooth = np.convolve(np.convolve(carried, np.ones(length) / length, "valid"), np.ones(length) / length, "valid")
    drift_hz = np.polyfit(t[: len(smooth)], np.unwrap(np.angle(smooth)), 1)[0] / (2 * np.pi)
    reference = hz_to_midi(midi_to_hz(midi) + drift_hz)
    found = refine(audio, midi=midi, sample_rate_hz=RATE_HZ, hop=HOP).midi
    assert abs(found - reference) < 0.01


@pytest.mark.parametrize("midi", [48, 60, 76])
def test_follows_vibrato(midi: int) -> None:
    audio, truth = tone(midi, vibrato_cents=30.0)
    heard = hz_to_midi(track(audio, midi=midi, sample_rate_hz=RATE_HZ, hop=HOP))[3:-3]
    depth = np.polyfit(truth[::HOP][3:-3] - midi, heard - midi, 1)[0]
    assert 0.85 < depth < 1.1
    assert np.abs(heard - truth[::HOP][3:-3]).max() < 0.06


def test_stiff_string_does_not_bias_upward() -> None:
    for midi in (24, 36, 60):
        audio, truth = tone(midi, stiffness=4e-4, partials=14, decay=1.0)
        assert np.abs(np.median(cents_off(audio, truth, midi=midi))) < 1.0


@pytest.mark.parametrize("skip", [(1,), (1, 2), (2, 4, 6, 8, 10), (2, 3, 4, 5, 6, 7, 8, 9, 10)])
def test_missing_partials(skip: tuple[int, ...]) -> None:
    audio, truth = tone(57.2, skip=skip)
    assert np.abs(cents_off(audio, truth, midi=57)[3:-3]).max() < 2.0


def test_decay_into_silence_keeps_the_notes_pitch() -> None:
    audio, truth = tone(60.3, seconds=4.0, decay=12.0)
    audio[40000:] = 0.0
    off = cents_off(audio, truth, midi=60)
    assert np.abs(off[2:]).max() < 5.0


def test_noise_beside_the_tone() -> None:
    audio, truth = tone(64.4)
    audio = audio + 0.03 * np.random.default_rng(0).normal(size=len(audio)).astype(np.float32)
    assert np.abs(cents_off(audio, truth, midi=64)[3:-3]).max() < 5.0


@pytest.mark.parametrize("midi", [21.0, 60.25, 108.0])
@pytest.mark.parametrize("samples", [0, 1, 100, 5000, 64000])
def test_noise_and_silence_give_the_pitch_told(midi: float, samples: int) -> None:
    noise = np.random.default_rng(1).normal(size=samples).astype(np.float32)
    for audio in (noise, 0.0 * noise, 1e-9 * noise):
        heard = track(audio, midi=midi, sample_rate_hz=RATE_HZ, hop=HOP)
        assert heard.shape == (max(1, -(-samples // HOP)),) and heard.dtype == np.float32
        assert np.abs(1200 * np.log2(heard / midi_to_hz(midi))).max() < 25.0


def test_never_leaves_the_allowed_range() -> None:
    audio, _ = tone(61.5)
    heard = track(audio, midi=60, sample_rate_hz=RATE_HZ, hop=HOP, max_deviation_cents=40.0)
    assert np.abs(1200 * np.log2(heard / midi_to_hz(60))).max() < 40.01


def test_level_and_frames_do_not_matter() -> None:
    audio, _ = tone(55.1)
    loud = track(audio, midi=55, sample_rate_hz=RATE_HZ, hop=HOP)
    soft = track(audio * 1e-3, midi=55, sample_rate_hz=RATE_HZ, hop=HOP)
    np.testing.assert_allclose(soft, loud, rtol=1e-5)
    assert track(audio, midi=55, sample_rate_hz=RATE_HZ, hop=HOP, frames=100).shape == (100,)
    fewer = track(audio, midi=55, sample_rate_hz=RATE_HZ, hop=HOP, frames=20)
    np.testing.assert_allclose(fewer[2:-2], loud[2:18], rtol=1e-3)


def test_other_sample_rate() -> None:
    audio, _ = tone(70.2, rate_hz=48000)
    heard = track(audio, midi=70, sample_rate_hz=48000, hop=1536)
    assert np.abs(100 * (hz_to_midi(heard[3:-3]) - 70.2)).max() < 2.0


def test_is_quick() -> None:
    audio, _ = tone(40, seconds=4.0)
    times = []
    for _ in range(5):
        started = time.perf_counter()
        track(audio, midi=40, sample_rate_hz=RATE_HZ, hop=HOP)
        times.append(time.perf_counter() - started)
    assert min(times) < 0.1  # about 6 ms on a free core; room for a busy one
