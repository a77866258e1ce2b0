"""A small stand-in for a model, under a real Explorer: an additive synthesiser with loudness in z[:, 0] and brightness
in z[:, 1].

It has a little noise, and its brightness does not answer as its controls say, so that there is something to solve.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import numpy as np

from synth_explorer import audio as sound
from synth_explorer.checkpoints import CheckpointInfo
from synth_explorer.edits import Controls
from synth_explorer.errors import AudioError
from synth_explorer.explorer import Explorer
from synth_explorer.explorer.decoders import FAST, FINAL, WAVENET, Decoder
from synth_explorer.explorer.family import Decoding, Encoded, Encoding
from synth_explorer.latents import Latents, midi_to_hz
from synth_explorer.pitch import HeardPitch

RATE_HZ, HOP, CHANNELS, FRAMES = 16000, 512, 16, 32
PLACES_HZ = np.array([100.0, 1000.0, 4000.0])
NOISE = 0.002
"""Amplitude of the noise against that of the partials."""

FINAL_GAIN = 0.5
"""Of the final render against the fast one."""

CONTROLS = {
    "format_version": 1,
    "loudness": {"channel": 0, "units_per_db": 0.05, "offset_db": -40.0},
    "brightness": {
        "channel": 1,
        "units_per_octave": 1.0,
        "reference_hz": 1000.0,
        "transpose_octaves_per_octave": 0.4,
    },
    "principal": [
        {
            "name": "direction 1: brightness +0.50 octaves per step",
            "share": 0.4,
            "vector": [0.0, 0.5] + [0.0] * (CHANNELS - 2),
            "steps": [-2.0, 0.0, 2.0],
            "moves": {"brightness": [-1.0, 0.0, 1.0]},
        }
    ],
}


@dataclass(frozen=True)
class FakeNote:
    name: str
    family: str
    path: Path
    pitch: int
    velocity: int = 100
    source: str = "made by the test"
    licence: str = "CC0"


class FakeFamily:
    """The model of a quick checkpoint. Counts what it does, so that tests can say what was remembered."""

    name, hash, decoders, has_pitch = "fake", "0" * 64, (FAST, FINAL), True
    details, enhancements = len(PLACES_HZ), 0
    model, controls = None, Controls.from_dict(CONTROLS)
    config = SimpleNamespace(
        sample_rate_hz=RATE_HZ,
        hop=HOP,
        frame_rate_hz=RATE_HZ / HOP,
        channels=CHANNELS,
        detail_places={"envelope, Hz": PLACES_HZ},
        detail_hz=PLACES_HZ,
        max_s=FRAMES * HOP / RATE_HZ,
        pre_roll_samples=512,
    )

    def __init__(self) -> None:
        self.heard: list[Encoding] = []  # how each note was encoded
        self.made: list[Decoding] = []  # how each sound was decoded
        self.go_on = Event()  # a final render waits for it half-way
        self.go_on.set()
        self.ended = Event()  # set when a final render has ended, or was left

    def together(self, engine: str) -> int:
        """One after the other."""
        return 1

    @property
    def encoded(self) -> int:
        """Notes that were encoded without a fit."""
        return sum(not how.fit_steps for how in self.heard)

    @property
    def fitted(self) -> int:
        """Notes that were encoded with one."""
        return len(self.heard) - self.encoded

    @property
    def decoded(self) -> int:
        """Sounds that were made."""
        return len(self.made)

    def warm_up(self, decoder: Decoder) -> None:
        assert decoder in self.decoders

    def estimate_pitch(self, audio: np.ndarray) -> HeardPitch:
        spectrum = np.abs(np.fft.rfft(audio * np.hanning(audio.size), n=4 * audio.size))
        spectrum[: int(25 * 4 * audio.size / RATE_HZ)] = 0.0
        hz = np.argmax(spectrum) * RATE_HZ / (4 * audio.size)
        if not hz:  # nothing is heard
            return HeardPitch(60.0, 0.0, "unpitched")
        return HeardPitch(69.0 + 12.0 * float(np.log2(hz / 440.0)), 0.99)

    def encode(self, audio: np.ndarray, how: Encoding) -> Encoded:
        self.heard.append(how)
        if how.fit_steps and how.progress:
            how.progress(how.fit_steps, how.fit_steps)
        frames = -(-audio.size // HOP)
        padded = np.pad(audio, (0, frames * HOP - audio.size)).reshape(frames, HOP)
        rms_db = 10 * np.log10(np.mean(padded.astype(np.float64) ** 2, axis=1) + 1e-9)
        z = np.random.default_rng(int(hashlib.sha256(audio.tobytes()).hexdigest()[:8], 16)).normal(size=CHANNELS)
        z = np.repeat(z[None], frames, axis=0)
        z[:, 0], z[:, 1] = (rms_db + 40) / 20, 0.3 * z[0, 1]
        heard = self.estimate_pitch(audio) if how.midi is None else None
        midi = how.midi if heard is None else heard.midi
        detail = np.full(len(PLACES_HZ), 0.25) if how.fit_steps else None
        return Encoded(z, np.full(frames, midi_to_hz(midi)), detail, pitch=heard)

    def stream(self, latents: Latents, how: Decoding) -> Iterator[np.ndarray]:
        """The fast sound in one chunk; the final render in many, and not to the end before `go_on`."""
        audio = self.sound(latents, how)
        if how.decoder is FAST:
            yield audio
            return
        self.ended.clear()
        try:
            for start in range(0, audio.size, 1024):
                if start >= audio.size // 2:
                    while not self.go_on.wait(0.05):
                        yield audio[:0]
                yield FINAL_GAIN * audio[start : start + 1024]
        finally:
            self.ended.set()

    def sound(self, latents: Latents, how: Decoding) -> np.ndarray:
        """Partials and noise, float32 [how.samples]."""
        self.made.append(how)
        total = latents.frames * HOP
        at, frame_at = np.arange(total), np.arange(latents.frames) * HOP + HOP / 2
        hz = np.interp(at, frame_at, latents.pitch_hz)
        bright = np.interp(at, frame_at, latents.z[:, 1])
        gain = 10 ** ((np.interp(at, frame_at, latents.z[:, 0]) * 20 - 40) / 20)
        phase = 2 * np.pi * np.cumsum(hz) / RATE_HZ
        parts = [(np.exp(-k / (3 * 2.0**bright)) * (k * hz < RATE_HZ / 2), k) for k in range(1, 25)]
        level = np.sqrt(sum(part**2 for part, _ in parts) / 2)
        tones = sum(part * np.sin(k * phase) for part, k in parts) / level
        noise = NOISE * how.temperature * how.noise_gain * np.random.default_rng(how.seed).normal(size=total)
        return (gain * (tones + noise)).astype(np.float32)[: how.samples]


class LongFamily(FakeFamily):
    """The same for notes as long as the bundled model's."""

    config = SimpleNamespace(**vars(FakeFamily.config) | {"max_s": 16.0})


class SlowFamily(FakeFamily):
    """The same sound in chunks that take time, without named controls and without a pitch."""

    name, hash, decoders, has_pitch = "slow", "1" * 64, (WAVENET,), False
    details, controls = 0, Controls()
    CHUNKS, CHUNK_S = 16, 0.1

    def estimate_pitch(self, audio: np.ndarray) -> HeardPitch:
        raise AudioError("This checkpoint estimates no pitch.")

    def encode(self, audio: np.ndarray, how: Encoding) -> Encoded:
        z = super().encode(audio, Encoding(60.0)).z
        return Encoded(z, np.full(len(z), np.nan))

    def stream(self, latents: Latents, how: Decoding) -> Iterator[np.ndarray]:
        audio = self.sound(latents.replace(pitch_hz=np.full(latents.frames, 220.0)), how)
        size, stop = audio.size // self.CHUNKS, how.stop or Event()
        for start in range(0, audio.size, size):
            if stop.wait(self.CHUNK_S):
                return
            yield audio[start : start + size]
            if how.progress:
                how.progress(min(start + size, audio.size), audio.size)


def fake_explorer(kind: type[FakeFamily] = FakeFamily) -> Explorer:
    """A real Explorer over a family that is none."""
    info = CheckpointInfo(kind.name, Path(kind.name), "default", "", kind.hash, 0, {}, {})
    return Explorer(info, kind(), kind.controls)


def fake_notes(folder: Path) -> list[FakeNote]:
    """Eight notes of four families, written as files."""
    notes = []
    for index, (family, pitch) in enumerate(
        [
            ("bass", 40),
            ("bass", 45),
            ("reed", 60),
            ("reed", 64),
            ("string", 60),
            ("string", 67),
            ("mallet", 72),
            ("mallet", 79),
        ]
    ):
        at = np.arange(RATE_HZ)
        tone = sum(np.sin(2 * np.pi * k * midi_to_hz(pitch) * at / RATE_HZ) / k ** (1 + index % 3) for k in range(1, 9))
        fade = np.minimum(at / 400, 1.0) * np.exp(-at / RATE_HZ * (0.5 + index % 4))
        path = folder / f"{family}-{pitch}.wav"
        sound.save(path, (0.2 * tone * fade).astype(np.float32), sample_rate_hz=RATE_HZ)
        notes.append(FakeNote(f"{family.capitalize()} {pitch}", family, path, pitch))
    return notes
