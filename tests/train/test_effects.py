"""Effects against sums written out, and what they promise."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer.train.effects import Chorus, Room, coloured_noise

RATE = 16000


def test_room_is_a_convolution() -> None:
    room = Room(decay_s=0.02, delay_s=0.001, wet_db=-6.0, dullness=0.3, seed=4)
    audio = np.random.default_rng(0).normal(0, 0.1, 600).astype(np.float32)
    response = room.response(600, sample_rate_hz=RATE)
    expected = audio + np.array(
        [sum(response[k] * audio[n - k] for k in range(min(n + 1, len(response)))) for n in range(600)]
    )
    np.testing.assert_allclose(room.apply(audio, sample_rate_hz=RATE), expected, atol=1e-5)


def test_room_decays_by_60_db_in_its_time_after_its_delay() -> None:
    response = Room(decay_s=1.0, delay_s=0.02, wet_db=-12.0, dullness=0.0, seed=1).response(10**6, sample_rate_hz=RATE)
    assert np.sum(response**2) == pytest.approx(10**-1.2, rel=1e-3)
    np.testing.assert_array_equal(response[: int(0.02 * RATE)], 0.0)
    early, late = (np.sqrt(np.mean(response[i : i + 1600] ** 2)) for i in (320, 320 + RATE // 2))
    assert 20 * np.log10(early / late) == pytest.approx(30.0, abs=1.5)


def test_chorus_adds_a_voice_at_its_cents() -> None:
    audio = np.sin(2 * np.pi * 1000 * np.arange(4 * RATE) / RATE).astype(np.float32)
    voice = Chorus(cents=50.0, level=0.5).apply(audio, sample_rate_hz=RATE) - audio
    spectrum = np.abs(np.fft.rfft(voice[: 3 * RATE] * np.hanning(3 * RATE)))
    assert np.argmax(spectrum) / 3 == pytest.approx(1000 * 2 ** (50 / 1200), abs=0.5)
    assert np.sqrt(np.mean(voice[: 3 * RATE] ** 2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.01)


def test_coloured_noise_has_unit_power_and_falls_with_frequency() -> None:
    noise = coloured_noise(np.random.default_rng(0), 2**15, 0.8)
    assert np.mean(noise**2) == pytest.approx(1.0, rel=1e-6)
    spectrum = np.abs(np.fft.rfft(noise)) ** 2
    assert spectrum[:1000].mean() > 20 * spectrum[-1000:].mean()
