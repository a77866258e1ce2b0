"""Made-up notes of known pitch, and changes to real ones, for training the pitch head.

Shapes: T samples.
"""

from __future__ import annotations

import numpy as np

from synth_explorer.data.patches import random_patch
from synth_explorer.data.voices import play


def made_up_note(rng: np.random.Generator, *, midi: float, sample_rate_hz: int) -> np.ndarray:
    """A note [T] of a random synthetic instrument at the fractional MIDI pitch `midi`, 0.3 to 1.3 s, peak 1."""
    samples = int(sample_rate_hz * rng.uniform(0.3, 1.3)) // 256 * 256 + 256
    audio = play(
        random_patch(rng),
        midi=midi,
        velocity=int(rng.integers(30, 128)),
        rng=rng,
        sample_rate_hz=sample_rate_hz,
        total_samples=samples,
        held_s=0.8 * samples / sample_rate_hz,
    )
    return (audio / (np.abs(audio).max() + 1e-9)).astype(np.float32)


def roughen(rng: np.random.Generator, audio: np.ndarray, *, sample_rate_hz: int) -> np.ndarray:
    """The same pitch, another recording: random equaliser, saturation, echoes, knocks, noise [T]."""
    audio = audio / (np.abs(audio).max() + 1e-9)
    if rng.random() < 0.25:
        drive = 10.0 ** rng.uniform(0.0, 1.3)
        audio = np.tanh(drive * audio + rng.uniform(-0.3, 0.3)) - np.tanh(0.0)
        audio = audio - audio.mean()
    if rng.random() < 0.6:
        audio = _equalise(rng, audio, sample_rate_hz)
    if rng.random() < 0.15:
        delay = int(sample_rate_hz * rng.uniform(0.005, 0.3))
        if delay < len(audio):
            audio = audio.copy()
            audio[delay:] += rng.uniform(0.1, 0.6) * audio[:-delay]
    audio = audio / (np.abs(audio).max() + 1e-9)
    if rng.random() < 0.25:
        audio = audio + knock(rng, len(audio), sample_rate_hz)
    if rng.random() < 0.6:
        audio = audio + coloured_noise(rng, len(audio)) * 10.0 ** (rng.uniform(-75.0, -12.0) / 20.0)
    return audio.astype(np.float32)


def repitch(audio: np.ndarray, semitones: float) -> np.ndarray:
    """The note [T] played faster or slower, so that its pitch moves by `semitones` (linear interpolation)."""
    ratio = 2.0 ** (semitones / 12.0)
    at = np.arange(0.0, len(audio) - 1, ratio)
    return np.interp(at, np.arange(len(audio)), audio).astype(np.float32)


def _equalise(rng: np.random.Generator, audio: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    spectrum = np.fft.rfft(audio)
    octaves = np.log2(np.maximum(np.fft.rfftfreq(len(audio), 1.0 / sample_rate_hz), 20.0) / 1000.0)
    knots = np.linspace(-6.0, 3.0, 10)
    gain_db = rng.uniform(-5.0, 5.0) * octaves + np.interp(octaves, knots, rng.normal(0.0, 5.0, len(knots)))
    if rng.random() < 0.25:
        gain_db = gain_db + 24.0 * np.minimum(0.0, octaves - np.log2(rng.uniform(60.0, 600.0) / 1000.0))
    return np.fft.irfft(spectrum * 10.0 ** (gain_db / 20.0), len(audio))


def knock(rng: np.random.Generator, samples: int, sample_rate_hz: int) -> np.ndarray:
    """A hammer or a body beside a note of peak 1: one to four resonances, each fading in its time [T]."""
    time_s = np.arange(samples) / sample_rate_hz
    total = np.zeros(samples)
    level_db = rng.uniform(-30.0, 8.0)
    for _ in range(rng.integers(1, 5)):
        rate_hz, fade_s = 2.0 ** rng.uniform(np.log2(50.0), np.log2(1200.0)), 10.0 ** rng.uniform(-2.1, -0.6)
        level = 10.0 ** ((level_db - rng.exponential(6.0)) / 20.0)
        audible = min(samples, int(8 * fade_s * sample_rate_hz))
        t = time_s[:audible]
        total[:audible] += level * np.exp(-t / fade_s) * np.sin(2 * np.pi * rate_hz * t + rng.uniform(0.0, 6.28))
    return total


def coloured_noise(rng: np.random.Generator, samples: int) -> np.ndarray:
    """Noise of a random colour, RMS 1 (white to falling 6 dB an octave)."""
    noise = rng.normal(size=samples)
    if rng.random() < 0.5:
        spectrum = np.fft.rfft(noise)
        noise = np.fft.irfft(spectrum / (np.arange(len(spectrum)) + 20.0) ** rng.uniform(0.2, 1.0), samples)
    return noise / (noise.std() + 1e-9)
