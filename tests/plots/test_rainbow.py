"""Rainbowgrams: the constant-Q transform against a plain sum, levels, instantaneous frequency, pictures."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from synth_explorer.plots.rainbow import HUES, LEVELS, constant_q, hue_colours, rainbowgram_png, window_periods

RATE_HZ = 16_000


def tone(hz: float, *, seconds: float = 1.0, peak: float = 1.0) -> np.ndarray:
    return (peak * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE_HZ)) / RATE_HZ)).astype(np.float32)


def plain_sum(audio: np.ndarray, *, centre_hz: float, at_sample: int) -> complex:
    """One bin at one moment by its definition: a Hann window of so many periods, times a turning pointer."""
    length = window_periods() * RATE_HZ / centre_hz
    n = np.arange(-int(length / 2), int(length / 2) + 1)
    window = 0.5 + 0.5 * np.cos(2 * np.pi * n / length)
    where = at_sample + n
    inside = (where >= 0) & (where < audio.size)
    samples = np.where(inside, audio[np.clip(where, 0, audio.size - 1)], 0.0)
    return complex(np.sum(samples * window * np.exp(-2j * np.pi * centre_hz * n / RATE_HZ)) * 2 / window.sum())


@pytest.mark.parametrize("index", [0, 37, 120, 200, 270])
def test_constant_q_is_a_plain_sum(rng: np.random.Generator, index: int) -> None:
    audio = rng.normal(size=8000) * 0.3
    transform = constant_q(audio, sample_rate_hz=RATE_HZ)
    for frame in (0, 3, 17, transform.values.shape[1] - 1):
        plain = plain_sum(audio, centre_hz=transform.bins_hz[index], at_sample=frame * 256)
        assert transform.values[index, frame] == pytest.approx(plain, abs=2e-3 * np.abs(transform.values).max())


@pytest.mark.parametrize("hz", [65.4, 220.0, 447.0, 3000.0, 7000.0])
def test_a_tone_has_its_level_and_its_frequency(hz: float) -> None:
    transform = constant_q(tone(hz, peak=0.5, seconds=2.0), sample_rate_hz=RATE_HZ)
    middle = transform.values.shape[1] // 2
    best = int(np.abs(transform.values[:, middle]).argmax())
    assert np.abs(transform.values[best, middle]) == pytest.approx(0.5, rel=0.07)
    near = slice(max(best - 2, 0), best + 3)
    assert transform.frequency_hz[near, middle] == pytest.approx(np.full(len(transform.bins_hz[near]), hz), rel=1e-3)
    assert abs(12 * np.log2(transform.bins_hz[best] / hz)) < 12 / 36


def test_frequency_follows_a_vibrato() -> None:
    time_s = np.arange(2 * RATE_HZ) / RATE_HZ
    cents = 40 * np.sin(2 * np.pi * 3 * time_s)
    audio = np.sin(2 * np.pi * np.cumsum(1000 * 2 ** (cents / 1200)) / RATE_HZ)
    transform = constant_q(audio, sample_rate_hz=RATE_HZ)
    best = int(np.abs(transform.values).sum(axis=1).argmax())
    heard = 1200 * np.log2(transform.frequency_hz[best, 10:-10] / 1000)
    assert np.ptp(heard) == pytest.approx(80, rel=0.1)


@pytest.mark.parametrize("samples", [1, 255, 256, 257, 5000])
def test_every_length_has_its_frames(samples: int) -> None:
    transform = constant_q(np.full(samples, 0.1), sample_rate_hz=RATE_HZ)
    assert transform.values.shape == (len(transform.bins_hz), -(-samples // 256))
    assert transform.bins_hz[-1] < RATE_HZ / 2 and np.isfinite(transform.values).all()


def test_silence_has_no_frequency_and_a_dark_picture() -> None:
    transform = constant_q(np.zeros(4000), sample_rate_hz=RATE_HZ)
    assert np.isnan(transform.frequency_hz).all() and not transform.values.any()
    image = np.asarray(Image.open(io.BytesIO(rainbowgram_png(np.zeros(4000), sample_rate_hz=RATE_HZ))).convert("RGB"))
    assert image.shape[:2] == (len(transform.bins_hz), 16) and image.max() < 40


@pytest.mark.parametrize(("cents", "hue"), [(0, 0.5), (25, 0.75), (-25, 0.25)])
def test_hue_is_cents_from_the_nearest_semitone(cents: float, hue: float) -> None:
    png = rainbowgram_png(tone(440 * 2 ** (cents / 1200), seconds=2.0), sample_rate_hz=RATE_HZ)
    index = np.asarray(Image.open(io.BytesIO(png)))
    column = index[:, index.shape[1] // 2].astype(int)
    loudest = column[np.argmax(column % LEVELS)]
    assert abs(loudest // LEVELS - hue * HUES) <= 1


def test_hues_are_a_circle_with_green_in_tune() -> None:
    colours = hue_colours().astype(int)
    steps = np.abs(np.diff(colours, axis=0, append=colours[:1])).sum(axis=1)
    assert steps.max() < 2.5 * steps.min()
    assert colours[HUES // 2].argmax() == 1
