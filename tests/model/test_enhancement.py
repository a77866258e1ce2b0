"""The enhancement against a naive computation: what is heard, what it does to a sound, and one undoing the other."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer.mel import mel_filters
from synth_explorer.model import enhancement

SIZES = {"hop": 512, "sample_rate_hz": 16_000}
FRAMES = 20


def tone_and_noise(seed: int = 0, *, hz: float = 440.0) -> tuple[np.ndarray, np.ndarray]:
    """Two notes' tones and noise, [2, T] each."""
    rng = np.random.default_rng(seed)
    t = np.arange(FRAMES * SIZES["hop"]) / SIZES["sample_rate_hz"]
    tone = sum(np.sin(2 * np.pi * k * hz * t) / k for k in range(1, 9)) * np.exp(-t)
    return 0.1 * np.stack([tone, 0.3 * tone]), 0.01 * rng.standard_normal((2, t.size))


def naive_bands(audio: np.ndarray) -> np.ndarray:
    """[T] -> mel bands [J, E], frame by frame."""
    window = np.hanning(1025)[:-1]
    filters = mel_filters(80, n_fft=1024, sample_rate_hz=16_000, low_hz=30.0, high_hz=8000.0)
    padded = np.concatenate([np.zeros(384), audio, np.zeros(1024)])
    rows = [np.abs(np.fft.rfft(padded[j : j + 1024] * window)) for j in range(0, len(audio), 256)]
    return np.array(rows) @ filters


def moving_mean(rows: np.ndarray, count: int) -> np.ndarray:
    """Mean of `count` rows about each (one more before than after where that is even), the ends held."""
    held = np.pad(rows, ((count // 2, count), (0, 0)), mode="edge")
    return np.array([held[j : j + count].mean(axis=0) for j in range(len(rows))])


def test_what_is_heard_is_the_naive_difference() -> None:
    (tones, noise), (others, hiss) = tone_and_noise(0), tone_and_noise(1, hz=445.0)
    audio = others + 2.0 * hiss
    heard = enhancement.hear(audio, tones, noise, **SIZES)
    assert heard.shape == (2, FRAMES, enhancement.BANDS) and heard.dtype == np.float32
    for n in range(2):
        rough = moving_mean(naive_bands(noise[n]) ** 2, enhancement.NOISE_FRAMES)
        render = np.sqrt(naive_bands(tones[n]) ** 2 + rough) + 0.01
        difference = np.log((naive_bands(audio[n]) + 0.01) / render)
        steady = enhancement.STEADY_FRAMES
        averaged = moving_mean(difference * render, steady) / moving_mean(render, steady)
        rows = [np.average(averaged[j : j + 2], axis=0, weights=render[j : j + 2]) for j in range(0, 2 * FRAMES, 2)]
        wanted = np.clip(rows, -2.0, 2.0)
        np.testing.assert_allclose(heard[n], wanted, atol=2e-3)


def test_silence_before_an_attack_does_not_soften_it() -> None:
    """Where the note is silent and the render not quite, what is loud next to it decides."""
    (tones, noise), onset = tone_and_noise(), 8 * 512
    tones, noise = (np.where(np.arange(part.shape[1]) < onset, 1e-3 * part, part) for part in (tones, noise))
    audio = np.where(np.arange(tones.shape[1]) < onset, 0.0, tones + noise)
    heard = enhancement.hear(audio, tones, noise, **SIZES)
    out = sum(enhancement.apply(part, heard, **SIZES) for part in (tones, noise))
    first = slice(onset, onset + 256)
    assert np.std(out[:, first]) > 0.9 * np.std(audio[:, first])


def test_a_render_that_is_the_note_lacks_nothing() -> None:
    tones, noise = tone_and_noise()
    assert np.abs(enhancement.hear(tones, tones, 0.0 * noise, **SIZES)).max() < 1e-4


def test_no_enhancement_changes_no_sample() -> None:
    sound = sum(tone_and_noise())
    same = enhancement.apply(sound, np.zeros((2, FRAMES, enhancement.BANDS)), **SIZES)
    np.testing.assert_allclose(same, sound, atol=1e-6)


@pytest.mark.parametrize("samples", [FRAMES * 512, FRAMES * 512 - 100])
def test_the_same_in_all_bands_is_a_gain(samples: int) -> None:
    sound = sum(tone_and_noise())[:, :samples]  # of which nothing but a little noise lies below the bands
    doubled = enhancement.apply(sound, np.full((2, FRAMES, enhancement.BANDS), np.log(2.0)), **SIZES)
    assert np.std(doubled - 2.0 * sound) < 0.05 * np.std(sound)


def test_one_band_raises_what_lies_in_it() -> None:
    t = np.arange(FRAMES * 512) / 16_000
    filters = mel_filters(80, n_fft=1024, sample_rate_hz=16_000, low_hz=30.0, high_hz=8000.0)
    low, high = (int(filters[:, band].argmax()) * 16_000 / 1024 for band in (30, 60))
    parts = [0.1 * np.sin(2 * np.pi * hz * t) for hz in (low, high)]
    raised = np.zeros((1, FRAMES, 80))
    raised[..., 60] = 1.0
    out = enhancement.apply(sum(parts)[None], raised, **SIZES)[0]
    middle = slice(2048, -2048)
    gains = [np.dot(out[middle], part[middle]) / np.dot(part[middle], part[middle]) for part in parts]
    assert gains[0] == pytest.approx(1.0, abs=0.01) and gains[1] == pytest.approx(np.e, rel=0.1)


def test_it_brings_a_render_to_the_note() -> None:
    """Heard against one draw of the noise, it serves another."""
    (tones, noise), (_, other), (others, hiss) = tone_and_noise(0), tone_and_noise(1), tone_and_noise(2, hz=440.5)
    audio = np.exp(-3.0 * np.linspace(0, 1, tones.shape[1])) * others + 3.0 * hiss
    heard = enhancement.hear(audio, tones, noise, **SIZES)
    better = sum(enhancement.apply(part, heard, **SIZES) for part in (tones, other))

    def apart(sound: np.ndarray) -> float:
        bands = [[np.log(naive_bands(one) + 0.01) for one in notes] for notes in (audio, sound)]
        return float(np.mean(np.abs(np.array(bands[0]) - np.array(bands[1]))))

    assert apart(better) < 0.6 * apart(tones + other)


def test_notes_of_a_batch_do_not_meet() -> None:
    (tones, noise), heard = tone_and_noise(), np.random.default_rng(3).normal(size=(2, FRAMES, 80))
    both = enhancement.apply(tones, heard, **SIZES)
    one = enhancement.apply(tones[1:], heard[1:], **SIZES)
    np.testing.assert_allclose(both[1:], one, atol=1e-7)
    for_all = enhancement.apply(tones, heard[1:], **SIZES)
    np.testing.assert_allclose(for_all[1:], one, atol=1e-7)
    np.testing.assert_allclose(
        enhancement.hear(noise, tones, noise, **SIZES)[1:],
        enhancement.hear(noise[1:], tones[1:], noise[1:], **SIZES),
        atol=1e-6,
    )


@pytest.mark.parametrize("nepers", [100.0, 1e30])
def test_gains_without_measure_are_not_finite_and_warn_of_nothing(nepers: float) -> None:
    (sound, _), _ = tone_and_noise()
    huge = np.full((1, FRAMES, enhancement.BANDS), nepers, np.float32)
    assert not np.isfinite(enhancement.apply(sound[None].astype(np.float32), huge, **SIZES)).all()


def test_what_lies_below_all_bands_stays() -> None:
    """A note's offset must not follow the lowest partial."""
    t = np.arange(FRAMES * 512) / 16_000
    hum, tone = np.full_like(t, 0.2), 0.1 * np.sin(2 * np.pi * 150.0 * t)
    lowered = np.full((1, FRAMES, enhancement.BANDS), -2.0)
    out = enhancement.apply((hum + tone)[None], lowered, **SIZES)[0]
    middle = slice(2048, -2048)
    assert np.dot(out[middle], hum[middle]) / np.dot(hum[middle], hum[middle]) > 0.8
    assert np.dot(out[middle], tone[middle]) / np.dot(tone[middle], tone[middle]) < 0.2
