"""A checkpoint for tests whose latents are known: loudness, brightness and pitch lie mixed across its channels.

Its decoder makes a sum of partials, in numpy. Latents are channels = MIX @ (loudness, brightness, noisiness, pitch, two
that do nothing); the answer to loudness is bent on purpose.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from synth_explorer import audio as sound_files
from synth_explorer.checkpoints import CheckpointInfo
from synth_explorer.edits import Controls
from synth_explorer.explorer import Explorer
from synth_explorer.explorer.decoders import WAVENET
from synth_explorer.explorer.family import Decoding, Encoded, Encoding
from synth_explorer.latents import Latents
from tests.fake_family import HOP, RATE_HZ, FakeFamily

CHANNELS, SAMPLES = 6, 40 * HOP
MIX = np.linalg.qr(np.random.default_rng(5).standard_normal((CHANNELS, CHANNELS)))[0]
"""Columns: the directions of loudness (10 dB), brightness, noisiness (20 dB), pitch (an octave), and of nothing."""


class Mixed(FakeFamily):
    """The fake family with mixed channels. It hears which of the notes that it knows a sound is."""

    name, hash, decoders, has_pitch = "mixed", "m" * 64, (WAVENET,), False
    details, controls = 0, Controls()
    config = SimpleNamespace(**vars(FakeFamily.config) | {"channels": CHANNELS, "max_s": SAMPLES / RATE_HZ})

    def __init__(self, folder: Path, *, bent: float = 0.0) -> None:
        super().__init__()
        self.bent = bent
        self.traits = {path: np.loadtxt(path.with_suffix(".txt")) for path in sorted(folder.glob("*.wav"))}
        self.spectra = [spectrum(sound_files.load(path, sample_rate_hz=RATE_HZ)) for path in self.traits]

    def encode(self, audio: np.ndarray, how: Encoding) -> Encoded:
        self.heard.append(how)
        away = [np.mean((spectrum(audio) - known) ** 2) for known in self.spectra]
        frames = -(-audio.size // HOP)
        z = np.tile(MIX @ list(self.traits.values())[int(np.argmin(away))], (frames, 1))
        return Encoded(z, np.full(frames, np.nan))

    def stream(self, latents: Latents, how: Decoding) -> Iterator[np.ndarray]:
        self.made.append(how)
        traits = MIX.T @ latents.z.mean(axis=0).astype(np.float64)
        yield sound(traits, bent=self.bent, samples=how.samples)


def mixed(folder: Path, *, bent: float = 0.0, count: int = 40) -> Explorer:
    """An Explorer over it that knows the notes of a folder, which are written where there are none."""
    if not list(folder.glob("*.wav")):
        write_notes(folder, count, bent=bent)
    info = CheckpointInfo(Mixed.name, Path(Mixed.name), "default", "", Mixed.hash, 0, {}, {})
    return Explorer(info, Mixed(folder, bent=bent), Mixed.controls)


def spectrum(audio: np.ndarray) -> np.ndarray:
    """Levels over frequency, wherever in time the sound stands."""
    levels = np.abs(np.fft.rfft(audio, 2 * SAMPLES))[:SAMPLES]
    return np.log(levels.reshape(-1, 16).mean(axis=1) + 1e-3)


def sound(traits: np.ndarray, *, bent: float = 0.0, samples: int = SAMPLES) -> np.ndarray:
    """Six numbers -> audio [T]: level -30 dB + 10 each, a slope of the partials, noise against them, pitch, and two
    that are not heard. With `bent` the level answers less and less."""
    loud, bright, noisy, high = traits[:4]
    loud = np.tanh(bent * loud) / bent if bent else loud
    hz = 220.0 * 2.0**high
    partials = np.arange(1, int(7000 / hz) + 1)
    time_s = np.arange(samples) / RATE_HZ
    amplitude = partials ** (bright - 1.5)
    tone = (amplitude[:, None] * np.sin(2 * np.pi * hz * partials[:, None] * time_s)).sum(axis=0)
    tone /= np.sqrt(np.mean(tone**2))
    noise = np.random.default_rng(0).standard_normal(samples)
    noise *= 10.0 ** (-1.5 + noisy)
    both = tone + noise
    both *= 10.0 ** (-1.5 + 0.5 * loud) / np.sqrt(np.mean(both**2))
    return (both * np.minimum(time_s / 0.02, 1.0)).astype(np.float32)


def write_notes(folder: Path, count: int, *, bent: float = 0.0) -> None:
    """Sounds of random notes, each beside its six numbers; what is loud is bright, as in instruments."""
    rng = np.random.default_rng(1)
    for number in range(count):
        traits = rng.normal(0.0, [0.6, 0.25, 0.3, 0.4, 0.8, 0.5])
        traits[1] += 0.3 * traits[0]
        np.savetxt(folder / f"{number:03}.txt", traits)
        sound_files.save(folder / f"{number:03}.wav", sound(traits, bent=bent), sample_rate_hz=RATE_HZ)
