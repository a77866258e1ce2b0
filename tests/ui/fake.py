"""A small stand-in for the Explorer: an additive synthesiser with loudness in z[:, 0] and brightness in z[:, 1].

It has a little noise, and its brightness does not answer as its controls say, so that there is something to solve.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import numpy as np

from synth_explorer import audio as sound
from synth_explorer.edits import Controls, EditChain
from synth_explorer.errors import AudioError
from synth_explorer.latents import Latents, LatentsMeta, interpolate, midi_to_hz
from synth_explorer.latents import path as path_between
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


class FakeExplorer:
    """Counts what it does, so that tests can say what was remembered."""

    sample_rate_hz, hop, frame_rate_hz = RATE_HZ, HOP, RATE_HZ / HOP
    checkpoint_name, checkpoint_hash, decoders, has_pitch = "fake", "0" * 64, ("fast", "wavenet"), True
    config = SimpleNamespace(
        channels=CHANNELS,
        detail_places={"envelope, Hz": PLACES_HZ},
        detail_hz=PLACES_HZ,
        max_s=FRAMES * HOP / RATE_HZ,
    )
    family = SimpleNamespace(details=len(PLACES_HZ))

    def __init__(self) -> None:
        self.controls = Controls.from_dict(CONTROLS)
        self.encoded = self.decoded = self.fitted = 0
        self.go_on = Event()  # a final render waits for it half-way
        self.go_on.set()
        self.ended = Event()  # set when a final render has ended, or was left

    def warm_up(self, decoder: str | None = None) -> None:
        assert decoder is None or decoder in self.decoders

    def record(self, path: str | Path) -> sound.Recording:
        return sound.record(path, sample_rate_hz=RATE_HZ).first_note(max_s=self.config.max_s)

    def read(self, path: str | Path) -> np.ndarray:
        return self.record(path).audio

    def estimate_pitch(self, audio: np.ndarray) -> HeardPitch:
        spectrum = np.abs(np.fft.rfft(audio * np.hanning(audio.size), n=4 * audio.size))
        spectrum[: int(25 * 4 * audio.size / RATE_HZ)] = 0.0
        hz = np.argmax(spectrum) * RATE_HZ / (4 * audio.size)
        return HeardPitch(69.0 + 12.0 * float(np.log2(hz / 440.0)), 0.99)

    def encode(
        self,
        audio: np.ndarray | Path,
        *,
        pitch: float | None = None,
        source: str = "",
        fit_steps: int = 0,
        progress: Callable[[int, int], None] | None = None,
    ) -> Latents:
        if fit_steps:
            self.fitted += 1
            progress(fit_steps, fit_steps)
        else:
            self.encoded += 1
        audio = self.read(audio) if isinstance(audio, Path) else audio
        prepared = sound.prepare(audio, sample_rate_hz=RATE_HZ, pre_roll_samples=512, max_samples=FRAMES * HOP)
        padded = np.pad(prepared.audio, (0, FRAMES * HOP - prepared.audio.size)).reshape(FRAMES, HOP)
        rms_db = 10 * np.log10(np.mean(padded.astype(np.float64) ** 2, axis=1) + 1e-9)
        z = np.random.default_rng(int(hashlib.sha256(audio.tobytes()).hexdigest()[:8], 16)).normal(size=CHANNELS)
        z = np.repeat(z[None], FRAMES, axis=0)
        z[:, 0], z[:, 1] = (rms_db + 40) / 20, 0.3 * z[0, 1]
        midi = self.estimate_pitch(audio)[0] if pitch is None else pitch
        meta = LatentsMeta(
            "fake", "0" * 64, RATE_HZ, HOP, source, FRAMES * HOP, lead_in_samples=prepared.lead_in_samples
        )
        return Latents(z, np.full(FRAMES, midi_to_hz(midi)), meta, np.full(3, 0.25) if fit_steps else None)

    def decode(self, latents: Latents, *, seed: int = 0, temperature: float = 1.0, **_: Any) -> np.ndarray:
        self.decoded += 1
        total = latents.frames * HOP
        at, frame_at = np.arange(total), np.arange(latents.frames) * HOP + HOP / 2
        hz = np.interp(at, frame_at, latents.pitch_hz)
        bright = np.interp(at, frame_at, latents.z[:, 1])
        gain = 10 ** ((np.interp(at, frame_at, latents.z[:, 0]) * 20 - 40) / 20)
        phase = 2 * np.pi * np.cumsum(hz) / RATE_HZ
        parts = [(np.exp(-k / (3 * 2.0**bright)) * (k * hz < RATE_HZ / 2), k) for k in range(1, 25)]
        level = np.sqrt(sum(part**2 for part, _ in parts) / 2)
        tones = sum(part * np.sin(k * phase) for part, k in parts) / level
        noise = (
            NOISE * temperature * 10 ** (latents.meta.noise_db / 20) * np.random.default_rng(seed).normal(size=total)
        )
        return (gain * (tones + noise)).astype(np.float32)[: latents.duration_samples]

    def stream(self, latents: Latents, *, decoder: str, **_: Any) -> Iterator[np.ndarray]:
        """The final render, in chunks, and not to the end before `go_on`."""
        assert decoder == "wavenet"
        audio = FINAL_GAIN * self.decode(latents)
        self.ended.clear()
        try:
            for start in range(0, audio.size, 1024):
                if start >= audio.size // 2:
                    while not self.go_on.wait(0.05):
                        yield audio[:0]
                yield audio[start : start + 1024]
        finally:
            self.ended.set()

    def morph(self, latents: list[Latents], weights: tuple[float, ...], *, pitch: float | None = None) -> Latents:
        return interpolate(latents, weights, pitch_hz=None if pitch is None else midi_to_hz(pitch))

    def morph_path(self, latents: list[Latents], keyframes: list, *, pitch: float | None = None) -> Latents:
        return path_between(latents, keyframes, pitch_hz=None if pitch is None else midi_to_hz(pitch))

    def edit(self, latents: Latents, chain: EditChain) -> Latents:
        return chain.apply(latents, self.controls)


class SlowExplorer(FakeExplorer):
    """The same sound in chunks that take time, without named controls and without a pitch."""

    checkpoint_name, checkpoint_hash, decoders, has_pitch = "slow", "1" * 64, ("wavenet",), False
    config = SimpleNamespace(channels=CHANNELS, max_s=FRAMES * HOP / RATE_HZ)
    CHUNKS, CHUNK_S = 16, 0.1

    def __init__(self) -> None:
        super().__init__()
        self.controls = Controls()

    def estimate_pitch(self, audio: np.ndarray) -> HeardPitch:
        raise AudioError("This checkpoint estimates no pitch.")

    def encode(self, audio: np.ndarray, *, pitch: float | None = None, source: str = "", **_: Any) -> Latents:
        latents = super().encode(audio, pitch=60.0, source=source)
        meta = replace(latents.meta, checkpoint="slow", checkpoint_hash=self.checkpoint_hash)
        return Latents(latents.z, np.full(latents.frames, np.nan), meta)

    def decode(self, latents: Latents, **_: Any) -> np.ndarray:
        raise AssertionError("a slow decoder is streamed, by a job")

    def stream(
        self, latents: Latents, *, stop: Event, progress: Callable[[int, int], None], **_: Any
    ) -> Iterator[np.ndarray]:
        steady = latents.replace(pitch_hz=np.full(latents.frames, 220.0))
        audio = FakeExplorer.decode(self, steady)
        size = audio.size // self.CHUNKS
        for start in range(0, audio.size, size):
            if stop.wait(self.CHUNK_S):
                return
            yield audio[start : start + size]
            progress(min(start + size, audio.size), audio.size)


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
