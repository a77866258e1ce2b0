"""Made-up notes of known pitch, and changes to real ones, for training the pitch head.

Letters: T samples, K partials. Every note is a sum of partials whose levels come from one of a few kinds of instrument
(free spectra, oscillators through a moving filter, organ stops, frequency modulation, struck bars and bells), in numpy
alone.
"""

from __future__ import annotations

import numpy as np

from synth_explorer.pitch import midi_to_hz

_PARTIALS = 48


def made_up_note(rng: np.random.Generator, *, midi: float, sample_rate_hz: int) -> np.ndarray:
    """A random note [T] of fractional MIDI pitch `midi`, 0.3 to 1.3 s, peak 1."""
    samples = int(sample_rate_hz * rng.uniform(0.3, 1.3)) // 256 * 256 + 256
    makers = (_free, _filtered, _organ, _modulated, _struck)
    maker = makers[rng.choice(len(makers), p=[0.33, 0.25, 0.1, 0.14, 0.18])]
    time_s = np.arange(samples) / sample_rate_hz
    base_hz = float(midi_to_hz(midi)) * _vibrato(rng, time_s)
    audio = maker(rng, base_hz, time_s, sample_rate_hz)
    audio = audio * _envelope(rng, time_s)
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


def _vibrato(rng: np.random.Generator, time_s: np.ndarray) -> np.ndarray:
    if rng.random() < 0.7:
        return np.ones_like(time_s)
    depth = rng.uniform(0.0, 40.0) / 1200.0
    return 2.0 ** (depth * np.sin(2 * np.pi * rng.uniform(3.0, 8.0) * time_s + rng.uniform(0, 6.28)))


def _envelope(rng: np.random.Generator, time_s: np.ndarray) -> np.ndarray:
    attack = 10.0 ** rng.uniform(-3.0, -0.8)
    decay = rng.choice([0.0, rng.uniform(0.5, 10.0)])
    tremolo = 1.0 + rng.choice([0.0, rng.uniform(0.0, 0.6)]) * np.sin(2 * np.pi * rng.uniform(2, 9) * time_s)
    release = np.clip((time_s[-1] - time_s) / 0.02, 0.0, 1.0)
    return np.clip(time_s / attack, 0.0, 1.0) * np.exp(-decay * time_s) * tremolo * release


def _sum(
    rng: np.random.Generator,
    base_hz: np.ndarray,
    ratios: np.ndarray,
    levels: np.ndarray,
    sample_rate_hz: int,
    gains: np.ndarray | None = None,
) -> np.ndarray:
    """Partials at `ratios` [K] times the base [T], of levels [K] (times gains [K, knots] over time)."""
    turns = np.cumsum(base_hz) / sample_rate_hz
    top = base_hz.max()
    total = np.zeros(len(base_hz), np.float32)
    knots = np.linspace(0, len(base_hz) - 1, 0 if gains is None else gains.shape[1])
    for row in np.flatnonzero((ratios * top < 0.49 * sample_rate_hz) & (levels > 1e-4 * levels.max())):
        phase = ((turns * ratios[row] + rng.random()) % 1.0).astype(np.float32)
        wave = np.float32(levels[row]) * np.sin(np.float32(2 * np.pi) * phase)
        if gains is not None:
            wave *= np.interp(np.arange(len(base_hz)), knots, gains[row]).astype(np.float32)
        total += wave
    return total


def _free(rng: np.random.Generator, base_hz: np.ndarray, time_s: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """Any spectrum: a slope, formants, missing or lone partials, stiffness, partials that fade each in its time."""
    k = np.arange(1, _PARTIALS + 1, dtype=np.float64)
    level_db = -rng.uniform(0.0, 18.0) * np.log2(k) + rng.normal(0.0, rng.uniform(0.0, 9.0), len(k))
    for _ in range(rng.integers(0, 4)):
        centre, wide = np.log2(rng.uniform(200.0, 5000.0)), rng.uniform(0.15, 0.8)
        level_db += rng.uniform(0.0, 25.0) * np.exp(-(((np.log2(k * base_hz[0]) - centre) / wide) ** 2))
    level_db[1::2] -= rng.choice([0.0, 0.0, 0.0, rng.uniform(5.0, 50.0)])  # odd partials only
    if rng.random() < 0.2:
        level_db[: rng.integers(1, 4)] -= rng.uniform(10.0, 60.0)  # missing fundamental
    if rng.random() < 0.2:
        level_db[rng.integers(1, 6) :] -= rng.uniform(20.0, 60.0)  # nearly pure
    if base_hz[0] * k[3] > 0.45 * sample_rate_hz:
        level_db[0] = max(level_db[0], level_db.max() - 10.0)
    stiffness = rng.choice([0.0, 10.0 ** rng.uniform(-5.0, -3.3)])
    ratios = k * np.sqrt((1.0 + stiffness * k * k) / (1.0 + stiffness))
    fade = rng.choice([0.0, rng.uniform(0.0, 0.5)])
    gains = np.exp(-fade * k[:, None] * np.linspace(0.0, time_s[-1], 12)[None, :])
    return _sum(rng, base_hz, ratios, 10.0 ** (level_db / 20.0), sample_rate_hz, gains)


def _filtered(rng: np.random.Generator, base_hz: np.ndarray, time_s: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """One to three detuned oscillators (saw, pulse, triangle), a soft sub-oscillator, a resonant filter that moves."""
    k = np.arange(1, _PARTIALS + 1, dtype=np.float64)
    shape = rng.choice(["saw", "pulse", "triangle"])
    width = rng.uniform(0.08, 0.5)
    shapes = {"saw": 1 / k, "pulse": np.abs(np.sin(np.pi * k * width)) / k, "triangle": (k % 2) / k**2 + 1e-6}
    levels = shapes[str(shape)]
    start, end = np.log2(rng.uniform(150.0, 8000.0, 2))
    cutoff = end + (start - end) * np.exp(-np.linspace(0.0, time_s[-1], 24) * rng.uniform(0.5, 12.0))
    cutoff = np.maximum(cutoff, np.log2(base_hz[0]) - 0.5)
    octaves = np.log2(k * base_hz[0])[:, None] - cutoff[None, :]
    slope_db = rng.choice([12.0, 24.0])
    gain_db = -slope_db * np.maximum(octaves, 0.0) + rng.uniform(0, 18) * np.exp(-((octaves / 0.3) ** 2))
    gains = 10.0 ** (gain_db / 20.0)
    total = np.zeros(len(time_s), np.float32)
    for _ in range(rng.integers(1, 4)):
        detune = 2.0 ** (rng.normal(0.0, 8.0) / 1200.0)
        total += _sum(rng, base_hz * detune, k, levels * rng.uniform(0.3, 1.0), sample_rate_hz, gains)
    extra = rng.random()
    if extra < 0.2:
        ratio, level = rng.choice([0.5, 2.0, 3.0, 1.5]), 10.0 ** (rng.uniform(-30.0, -9.0) / 20.0)
        total += _sum(rng, base_hz * ratio, k, levels * level, sample_rate_hz, gains)
    return total


def _organ(rng: np.random.Generator, base_hz: np.ndarray, time_s: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """Stops (1, 2, 3, 4, 5, 6, 8 times the key), each a little rich."""
    stops = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0])
    drawn = rng.random(len(stops)) * (rng.random(len(stops)) < 0.6)
    drawn[0] = rng.uniform(0.35, 1.0)
    slope = rng.uniform(8.0, 40.0)
    total = np.zeros(len(time_s), np.float32)
    for stop, level in zip(stops, drawn, strict=True):
        k = np.arange(1, 9, dtype=np.float64)
        levels = level * 10.0 ** (-slope * np.log2(k) / 20.0)
        total += _sum(rng, base_hz * 2.0 ** (rng.normal(0, 3) / 1200), stop * k, levels + 1e-9, sample_rate_hz)
    return total


def _modulated(rng: np.random.Generator, base_hz: np.ndarray, time_s: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """Frequency modulation: the carrier at the key, the modulator at a whole multiple, its index falling."""
    turns = np.cumsum(base_hz) / sample_rate_hz
    ratio = float(rng.choice([1.0, 1.0, 2.0, 3.0, 4.0, 5.0, 7.0]))
    highest = max(0.1, (0.45 * sample_rate_hz / base_hz.max() - 1.0) / ratio - 1.0)
    index = min(rng.uniform(0.1, 5.0), highest)
    fall = np.exp(-rng.choice([0.0, rng.uniform(0.5, 8.0)]) * time_s)
    feedback = rng.uniform(0.0, 1.0) * np.sin(2 * np.pi * turns * ratio)
    modulator = np.sin(2 * np.pi * (turns * ratio + rng.random()) + feedback)
    carrier = np.sin(2 * np.pi * turns + index * fall * modulator)
    if rng.random() < 0.3:
        carrier = carrier + rng.uniform(0.1, 0.7) * np.sin(2 * np.pi * turns * 1.002)
    return carrier


_BARS = (  # partials of bars, tines and bells, relative to the note they are named after
    (1.0, 4.0, 10.0, 17.0),
    (1.0, 3.0, 6.0, 10.0),
    (1.0, 2.756, 5.404, 8.933),
    (1.0, 3.93, 9.5),
    (1.0, 6.27, 17.5),
    (1.0, 7.1),
    (1.0, 2.0, 3.01, 4.1, 5.4),
    (0.5, 1.0, 1.19, 1.5, 2.0, 2.5, 3.0, 4.0),
)


def _struck(rng: np.random.Generator, base_hz: np.ndarray, time_s: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """A bar, a tine or a bell: few partials, mostly out of tune, the higher the sooner gone."""
    ratios = np.array(_BARS[rng.integers(len(_BARS))])
    ratios = np.where(ratios == 1.0, 1.0, ratios * 2.0 ** (rng.normal(0.0, 0.4, len(ratios)) / 12.0))
    level_db = np.where(ratios == 1.0, 0.0, rng.uniform(-40.0, 3.0, len(ratios)))
    level_db[ratios < 0.8] -= 10.0
    fade_s = 10.0 ** rng.uniform(-1.0, 0.5)
    fades = fade_s * np.where(ratios <= 1.0, 1.0, rng.uniform(0.05, 0.9, len(ratios)))
    gains = np.exp(-np.linspace(0.0, time_s[-1], 96)[None, :] / fades[:, None])
    total = _sum(rng, base_hz, ratios, 10.0 ** (level_db / 20.0), sample_rate_hz, gains)
    if rng.random() < 0.5:
        total = total + knock(rng, len(time_s), sample_rate_hz)
    return total


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
