"""A checkpoint for tests whose latents are known: loudness, brightness and pitch lie mixed across its channels.

Its decoder makes a sum of partials, in numpy. Latents are channels = MIX @ (loudness, brightness, noisiness, pitch, two
that do nothing); the answer to loudness is bent on purpose.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from synth_explorer.edits import Controls
from synth_explorer.explorer.decoders import WAVENET
from synth_explorer.latents import Latents, LatentsMeta

RATE_HZ, HOP, CHANNELS = 16_000, 512, 6
MIX = np.linalg.qr(np.random.default_rng(5).standard_normal((CHANNELS, CHANNELS)))[0]
"""Columns: the directions of loudness (10 dB), brightness, noisiness (20 dB), pitch (an octave), and of nothing."""


class Mixed:
    """What of an Explorer a calibration needs. A note's file is the text of the six numbers that it is made of."""

    checkpoint_name, checkpoint_hash, decoders, has_pitch = "mixed", "m" * 64, (WAVENET,), False
    sample_rate_hz, hop = RATE_HZ, HOP

    def __init__(self, *, bent: float = 0.0) -> None:
        self.controls, self.bent, self.decoded = Controls(), bent, 0
        self.config = SimpleNamespace(channels=CHANNELS)

    def read(self, path: Path) -> np.ndarray:
        return sound(np.loadtxt(path), bent=self.bent)

    def encode(self, audio: Any, *, pitch: float | None = None, source: str = "") -> Latents:
        """The latents of a file, or of the sound that `read` made last of one."""
        traits = np.loadtxt(audio) if isinstance(audio, Path) else self._of[source]
        z = np.tile(MIX @ traits, (SECONDS_FRAMES, 1))
        meta = LatentsMeta("mixed", self.checkpoint_hash, RATE_HZ, HOP, duration_samples=SECONDS_FRAMES * HOP)
        return Latents(z, np.full(len(z), np.nan), meta)

    def know(self, folder: Path) -> None:
        """Learn which sounds the files of a folder are."""
        self._folder = folder
        self._of = {path.name: np.loadtxt(path) for path in folder.glob("*.txt")}

    def decode(self, latents: Latents, *, engine: str = "auto", seed: int = 0) -> np.ndarray:
        self.decoded += 1
        traits = MIX.T @ latents.z.mean(axis=0).astype(np.float64)
        return sound(traits, bent=self.bent, samples=latents.duration_samples)


SECONDS_FRAMES = 40


def sound(traits: np.ndarray, *, bent: float = 0.0, samples: int = SECONDS_FRAMES * HOP) -> np.ndarray:
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


def write_notes(folder: Path, count: int) -> list[Path]:
    """Files of random notes whose traits go together, as they do in instruments: what is loud is bright."""
    rng = np.random.default_rng(1)
    paths = []
    for number in range(count):
        traits = rng.normal(0.0, [0.6, 0.25, 0.3, 0.4, 0.8, 0.5])
        traits[1] += 0.3 * traits[0]
        path = folder / f"{number:03}.txt"
        np.savetxt(path, traits)
        paths.append(path)
    return paths
