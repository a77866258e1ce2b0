"""Sounds to learn doubt about pitch from: single notes, chords of them, sounds without a pitch, tones out of range.

Shapes: T samples. Notes come from datasets of rendered or recorded notes, and are made up by `pitch_notes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from synth_explorer.data.dataset import NotesDataset
from synth_explorer.pitch import midi_to_hz
from synth_explorer.train.effects import Room
from synth_explorer.train.pitch_features import play, reverberate
from synth_explorer.train.pitch_notes import coloured_noise, made_up_note, repitch, roughen

KIND_SHARES = {"note": 0.46, "chord": 0.36, "unpitched": 0.12, "outside": 0.06}
_CHORDS = ("0 4 7", "0 3 7", "0 5 7", "0 2 7", "0 3 6", "0 4 8", "0 7", "0 7 12", "0 7 12 19", "0 5", "0 4", "0 3")
_CHORDS += ("0 4 7 10", "0 4 7 11", "0 3 7 10", "0 3 6 9", "0 3 6 10", "0 4 7 9", "0 4 7 10 14", "0 3 7 10 14")
_CHORDS += ("0 4 7 12", "0 9", "0 8", "0 2", "0 1", "0 6", "0 10", "0 11", "0 13", "0 14", "0 15", "0 16", "0 17")
_FUSED = (12, 19, 24, 28, 31, 34, 36)  # semitones above the lowest: these sound as its partials
_RANGE_DB = (3.0, 12.0)  # between the notes of a chord
_PAIR_SHARE = 0.25  # of the chords: any two notes
_HARD_BAND_SHARE = 0.15  # of made-up noise
_MADE_UP_SHARE = 0.2
_DOUBLED_SHARE = 0.02  # of the notes: two instruments in unison or in octaves, which nobody tells from one
_DOUBLED = ((0, 0), (0, 12), (0, 24), (0, 12, 24), (0, 0, 12))


class Sound(NamedTuple):
    """A sound [T], its kind (one of `pitch_doubt.KINDS`), its MIDI pitch (NaN: has none, or is not known), and whether
    that is what a recording's key or name says."""

    audio: np.ndarray
    kind: str
    midi: float
    labelled: bool = False


class Source:
    """The notes of one split of some datasets, by instrument and by kind of sound.

    Args:
        notes: datasets of single notes.
        others: datasets whose family says the kind of each sound ("unpitched", "chord", "note").
        split: "train", "validation" or "test".
    """

    def __init__(
        self, notes: Sequence[NotesDataset], others: Sequence[NotesDataset], *, split: str, sample_rate_hz: int
    ) -> None:
        self.rate = sample_rate_hz
        self.instruments: list[list[tuple[NotesDataset, int, float]]] = []
        for dataset in notes:
            pitches, names = dataset.column("pitch"), dataset.column("instrument")
            rows = dataset.select(split=split)
            for name in sorted(set(names[rows])):
                self.instruments.append([(dataset, int(i), float(pitches[i])) for i in rows[names[rows] == name]])
        self.others: dict[str, list[tuple[NotesDataset, int]]] = {"unpitched": [], "chord": [], "note": []}
        for dataset in others:
            families = dataset.column("family")
            for i in dataset.select(split=split):
                self.others[str(families[i])].append((dataset, int(i)))

    def draw(self, rng: np.random.Generator, kind: str, *, plain: float = 0.4) -> Sound:
        """A sound of a kind; a share `plain` of the notes are as they were recorded."""
        if kind == "chord":
            return Sound(self._chord(rng), kind, float("nan"))
        if kind == "unpitched":
            return Sound(self._unpitched(rng), kind, float("nan"))
        if kind == "outside":
            return Sound(*tone_outside(rng, self.rate))
        if self.others["note"] and rng.random() < 0.03:  # kettledrums, of uncertain octave
            return Sound(self._other(rng, "note"), kind, float("nan"))
        if not self.instruments or rng.random() < _MADE_UP_SHARE:
            midi = float(rng.uniform(18.0, 111.0))
            return Sound(play(rng, made_up_note(rng, midi=midi, sample_rate_hz=self.rate), midi, self.rate), kind, midi)
        if rng.random() < _DOUBLED_SHARE:
            midi, audio = self._together(rng, _DOUBLED[rng.integers(len(_DOUBLED))], mixed=True)
            return Sound(audio, kind, midi, labelled=True)
        midi, audio = self._note(rng, self._instrument(rng))
        if rng.random() < plain:
            return Sound(audio, kind, midi, labelled=True)
        if rng.random() < 0.3:
            move = float(rng.uniform(-3.0, 3.0))
            midi, audio = midi + move, _whole(repitch(audio, move))
        return Sound(play(rng, _cut(rng, audio, self.rate), midi, self.rate), kind, midi, labelled=True)

    def _instrument(self, rng: np.random.Generator) -> list[tuple[NotesDataset, int, float]]:
        return self.instruments[rng.integers(len(self.instruments))]

    def _note(self, rng: np.random.Generator, notes: list) -> tuple[float, np.ndarray]:
        dataset, row, midi = notes[rng.integers(len(notes))]
        return midi, dataset.audio(row)

    def _other(self, rng: np.random.Generator, kind: str) -> np.ndarray:
        dataset, row = self.others[kind][rng.integers(len(self.others[kind]))]
        return _changed(rng, _cut(rng, dataset.audio(row), self.rate), self.rate)

    def _at(self, rng: np.random.Generator, notes: list, midi: float) -> np.ndarray:
        """A note of an instrument, the nearest that it has, moved to `midi`; a made-up one without an instrument."""
        if notes:
            away = np.array([abs(each[2] - midi) for each in notes])
            near = np.flatnonzero(away < away.min() + 1.0)
            dataset, row, pitch = notes[int(rng.choice(near))]
            if abs(pitch - midi) < 7.0:
                audio = repitch(dataset.audio(row), midi - pitch)
                return audio / (np.abs(audio).max() + 1e-9)
        return made_up_note(rng, midi=midi, sample_rate_hz=self.rate)

    def _chord(self, rng: np.random.Generator) -> np.ndarray:
        if self.others["chord"] and rng.random() < 0.03:
            return self._other(rng, "chord")
        return self._together(rng, _intervals(rng), mixed=bool(rng.random() < 0.4))[1]

    def _together(self, rng: np.random.Generator, steps: Sequence[int], *, mixed: bool) -> tuple[float, np.ndarray]:
        """Pitch of the lowest, and notes `steps` semitones above it [T], of one instrument or of several, nearly in
        tune and nearly at once."""
        made_up = not self.instruments or rng.random() < _MADE_UP_SHARE
        shared = [] if made_up else self._instrument(rng)
        root = rng.uniform(30.0, 84.0) if made_up or rng.random() < 0.3 else self._note(rng, shared)[0]
        root = float(np.clip(root, 28.0, 100.0 - steps[-1]))
        root = round(root) + rng.uniform(-0.3, 0.3) if rng.random() < 0.5 else root
        detune, late_s = rng.choice([0.0, 0.03, 0.06]), rng.choice([0.0, 0.03, 0.03, 0.12])
        range_db = rng.uniform(*_RANGE_DB)
        total = np.zeros(4 * self.rate)
        for step in steps:
            notes = self._instrument(rng) if mixed and not made_up else shared
            audio = self._at(rng, notes, root + step + detune * rng.normal())[: len(total)]
            start = int(self.rate * rng.uniform(0.0, late_s))
            level = 10.0 ** (-rng.uniform(0.0, range_db) / 20.0)
            rms = np.sqrt(np.mean(audio**2)) + 1e-9
            total[start : start + len(audio)] += (level / rms * audio)[: len(total) - start]
        total = np.trim_zeros(total, "b")
        return root, _changed(rng, _cut(rng, total.astype(np.float32), self.rate), self.rate)

    def _unpitched(self, rng: np.random.Generator) -> np.ndarray:
        if self.others["unpitched"] and rng.random() < 0.5:
            return self._other(rng, "unpitched")
        return _changed(rng, made_up_noise(rng, sample_rate_hz=self.rate), self.rate)


def _intervals(rng: np.random.Generator) -> list[int]:
    """Semitones of two to five notes above the lowest, inversions too, which no single note with its partials makes."""
    while True:
        if rng.random() < _PAIR_SHARE:
            steps = [0, int(rng.integers(1, 34))]
        elif rng.random() < 0.7:
            steps = [int(each) for each in str(rng.choice(_CHORDS)).split()]
            turned = int(rng.integers(len(steps))) if rng.random() < 0.4 else 0
            steps = [s + 12 * (i < turned) for i, s in enumerate(steps)]
            steps = [s + 12 * int(rng.random() < 0.1) for s in steps]
        else:
            steps = [0, *rng.choice(np.arange(1, 34), size=int(rng.integers(1, 5)), replace=False)]
        steps = sorted({int(s) - min(steps) for s in steps})
        if not all(s in _FUSED for s in steps[1:]):
            return steps


def tone_outside(rng: np.random.Generator, sample_rate_hz: int) -> tuple[np.ndarray, str, float]:
    """A tone below MIDI 17.3 (from 8 Hz) or above 111.8 (to 7.7 kHz): (audio [T], "outside", MIDI)."""
    seconds = rng.uniform(0.5, 3.0)
    time_s = np.arange(int(seconds * sample_rate_hz)) / sample_rate_hz
    low = rng.random() < 0.6
    midi = float(rng.uniform(0.0, 17.3) if low else rng.uniform(111.8, 118.5))
    hz = float(midi_to_hz(midi))
    phase = hz * time_s + rng.random()
    shape = rng.integers(5)
    if shape == 0 or (not low and shape < 3):
        audio = np.sin(2 * np.pi * phase)
    elif shape == 1:
        audio = 2.0 * (phase % 1.0) - 1.0
    elif shape == 2:
        audio = np.sign(phase % 1.0 - rng.uniform(0.1, 0.5))
    else:
        audio = made_up_note(rng, midi=midi, sample_rate_hz=sample_rate_hz).astype(np.float64)
    audio = audio - audio.mean()
    if low and rng.random() < 0.5:
        audio = np.convolve(audio, np.ones(8) / 8.0, mode="same") if rng.random() < 0.5 else audio**3
    fade = np.exp(-rng.choice([0.0, 1.0, 3.0]) * np.arange(len(audio)) / sample_rate_hz)
    audio = audio * fade + 10.0 ** rng.uniform(-5.0, -2.0) * coloured_noise(rng, len(audio))
    return audio.astype(np.float32), "outside", midi


def made_up_noise(rng: np.random.Generator, *, sample_rate_hz: int) -> np.ndarray:
    """A sound without a pitch [T], 0.1 to 3 s: noise, claps, crackle, clicks or a cloud of partials, of any colour."""
    samples = int(sample_rate_hz * 10.0 ** rng.uniform(-1.0, 0.5))
    makers = (_steady, _steady, _grains, _click, _cloud)
    audio = makers[rng.integers(len(makers))](rng, samples, sample_rate_hz)
    audio = _coloured(rng, audio, sample_rate_hz)
    return (audio / (np.abs(audio).max() + 1e-9)).astype(np.float32)


def _steady(rng: np.random.Generator, samples: int, sample_rate_hz: int) -> np.ndarray:
    """Noise that swells and fades, or both again and again."""
    at = np.linspace(0.0, 1.0, samples)
    attack, decay = 10.0 ** rng.uniform(-3.0, 0.0), rng.choice([0.0, rng.uniform(1.0, 20.0)])
    envelope = np.clip(at / attack, 0.0, 1.0) * np.exp(-decay * at)
    if rng.random() < 0.2:
        envelope = envelope[::-1]
    if rng.random() < 0.3:
        envelope = envelope * (1.0 + 0.9 * np.sin(2 * np.pi * rng.uniform(1.0, 9.0) * samples / sample_rate_hz * at))
    return rng.normal(size=samples) * envelope


def _grains(rng: np.random.Generator, samples: int, sample_rate_hz: int) -> np.ndarray:
    """Claps or crackle: many short bursts at random times."""
    count = max(1, int(samples / sample_rate_hz * 10.0 ** rng.uniform(0.5, 3.0)))
    hits = np.zeros(samples)
    hits[rng.integers(0, samples, count)] = rng.exponential(1.0, count) * rng.choice([-1.0, 1.0], count)
    length = int(sample_rate_hz * 10.0 ** rng.uniform(-3.0, -1.5))
    grain = rng.normal(size=length) * np.exp(-5.0 * np.arange(length) / length)
    return np.convolve(hits, grain)[:samples]


def _click(rng: np.random.Generator, samples: int, sample_rate_hz: int) -> np.ndarray:
    """One to three short knocks of noise."""
    audio = np.zeros(max(samples, sample_rate_hz // 4))
    for _ in range(rng.integers(1, 4)):
        start, fade_s = rng.integers(0, len(audio) // 2), 10.0 ** rng.uniform(-3.3, -1.5)
        time_s = np.arange(len(audio) - start) / sample_rate_hz
        audio[start:] += rng.uniform(0.3, 1.0) * np.exp(-time_s / fade_s) * rng.normal(size=len(time_s))
    return audio + 1e-4 * rng.normal(size=len(audio))


def _cloud(rng: np.random.Generator, samples: int, sample_rate_hz: int) -> np.ndarray:
    """A cymbal: dozens of partials anywhere, fading, and noise."""
    time_s = np.arange(samples) / sample_rate_hz
    audio = 0.3 * rng.uniform() * rng.normal(size=samples) * np.exp(-3.0 * time_s)
    for _ in range(rng.integers(40, 120)):
        hz, fade_s = 2.0 ** rng.uniform(np.log2(150.0), np.log2(7800.0)), 10.0 ** rng.uniform(-1.0, 0.5)
        wave = np.sin(2 * np.pi * hz * time_s + rng.uniform(0, 6.28)) * np.exp(-time_s / fade_s)
        audio += rng.exponential(0.1) * wave
    return audio


def _coloured(rng: np.random.Generator, audio: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """Any slope, and now and then a band, of an eighth of an octave at the least, or of a third with hard edges."""
    spectrum = np.fft.rfft(audio)
    octaves = np.log2(np.maximum(np.fft.rfftfreq(len(audio), 1.0 / sample_rate_hz), 20.0) / 1000.0)
    gain_db = rng.uniform(-9.0, 5.0) * octaves
    if rng.random() < 0.4:
        low = rng.uniform(-4.0, 2.0)
        high = low + 2.0 ** rng.uniform(-3.0, 2.0)
        steep_db = rng.uniform(12.0, 40.0) / min(1.0, high - low)
        gain_db -= steep_db * (np.maximum(low - octaves, 0.0) + np.maximum(octaves - high, 0.0))
    elif rng.random() < _HARD_BAND_SHARE / 0.6:
        low, width = rng.uniform(-3.5, 2.0), 2.0 ** rng.uniform(-1.6, 1.5)
        gain_db = np.where((octaves >= low) & (octaves <= low + width), gain_db, -rng.uniform(40.0, 120.0))
    return np.fft.irfft(spectrum * 10.0 ** (gain_db / 20.0), len(audio))


def _cut(rng: np.random.Generator, audio: np.ndarray, rate: int) -> np.ndarray:
    """All of a sound [T], or its first 0.25 to 2 s."""
    return audio[: int(rate * rng.uniform(0.25, 2.0)) | 255] if rng.random() < 0.7 else audio


def _whole(audio: np.ndarray) -> np.ndarray:
    return audio[: len(audio) // 256 * 256]  # lengths that suit the FFT


def _changed(rng: np.random.Generator, audio: np.ndarray, rate: int) -> np.ndarray:
    """A sound [T] in a room, or another recording of it, or as it is."""
    if rng.random() < 0.2:
        audio = reverberate(Room.draw(rng), audio.astype(np.float32), rate)
    return roughen(rng, audio, sample_rate_hz=rate) if rng.random() < 0.35 else audio.astype(np.float32)
