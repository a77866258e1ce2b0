"""Effects for training notes: a room and a chorus, drawn at random. They act on whole notes, before crops are taken.

Shapes: T samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import soxr


@dataclass(frozen=True)
class Room:
    """Reverberation by exponentially decaying noise."""

    decay_s: float  # time to fall by 60 dB
    delay_s: float  # before the first reflection
    wet_db: float  # energy of the response relative to the direct sound
    dullness: float  # pole of a one-pole low-pass on the response, 0..1
    seed: int  # of the noise, so that two notes can be played in one room

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Room:
        """A random room: 0.15 to 2 s, -24 to -6 dB."""
        decay_s = float(np.exp(rng.uniform(np.log(0.15), np.log(2.0))))
        return cls(
            decay_s, rng.uniform(0.0, 0.03), rng.uniform(-24.0, -6.0), rng.uniform(0.0, 0.8), int(rng.integers(2**31))
        )

    def response(self, samples: int, *, sample_rate_hz: int) -> np.ndarray:
        """Impulse response without the direct sound, [T] of at most `samples`."""
        length = min(samples, int((self.delay_s + self.decay_s) * sample_rate_hz) + 1)
        time_s = np.arange(length) / sample_rate_hz
        noise = coloured_noise(np.random.default_rng(self.seed), length, self.dullness)
        response = noise * 10.0 ** (-3.0 * (time_s - self.delay_s) / self.decay_s) * (time_s >= self.delay_s)
        return response * (10.0 ** (self.wet_db / 20.0) / (np.sqrt(np.sum(response**2)) + 1e-12))

    def apply(self, audio: np.ndarray, *, sample_rate_hz: int) -> np.ndarray:
        """Audio [T] with its reverberation, cut to [T]."""
        response = self.response(len(audio), sample_rate_hz=sample_rate_hz)
        size = len(audio) + len(response) - 1
        wet = np.fft.irfft(np.fft.rfft(audio, size) * np.fft.rfft(response, size), size)
        return (audio + wet[: len(audio)]).astype(np.float32)


@dataclass(frozen=True)
class Chorus:
    """A second voice, detuned."""

    cents: float  # detuning of the second voice
    level: float  # its gain

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Chorus:
        """A random second voice, up to 18 cents away and at most as loud."""
        return cls(rng.uniform(2.0, 18.0) * rng.choice([-1.0, 1.0]), rng.uniform(0.3, 1.0))

    def apply(self, audio: np.ndarray, *, sample_rate_hz: int) -> np.ndarray:
        """Audio [T] with the second voice, [T]."""
        del sample_rate_hz  # a ratio of frequencies needs none; effects share one signature
        voice = soxr.resample(audio, 2.0 ** (self.cents / 1200.0), 1.0, quality="MQ")[: len(audio)]
        return (audio + self.level * np.pad(voice, (0, len(audio) - len(voice)))).astype(np.float32)


def coloured_noise(rng: np.random.Generator, length: int, pole: float) -> np.ndarray:
    """White noise through a one-pole low-pass, unit mean square, by FFT: [T]."""
    spectrum = np.fft.rfft(rng.standard_normal(length))
    response = (1.0 - pole) / np.abs(1.0 - pole * np.exp(-1j * np.linspace(0.0, np.pi, len(spectrum))))
    noise = np.fft.irfft(spectrum * response, length)
    return noise / (np.sqrt(np.mean(noise**2)) + 1e-12)
