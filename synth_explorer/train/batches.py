"""Training batches: augmented crops of notes, each a function of (seed, step) alone, so that runs resume exactly.

Shapes: B notes, T samples, F frames.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soxr

from synth_explorer import pitch as pitch_tracks
from synth_explorer.data.dataset import NotesDataset
from synth_explorer.errors import DataError, SpecError
from synth_explorer.files import UNREADABLE, atomic_path
from synth_explorer.model.config import ModelConfig
from synth_explorer.schema import Proportion, RateHz, Share, declared
from synth_explorer.train.effects import Chorus, Room, coloured_noise

EQUALISER_KNOTS = (8, 16, 32)  # from a tone control to formants


@declared(what="The augmentation", error=SpecError)
class Augmentation:
    """Chances and ranges of what is done to crops. Decibels are relative to the note as it is."""

    cross_pitch: Proportion = 0.25
    cross_semitones: Share = 13.0
    mix: Proportion = 0.25
    sub_octave: Proportion = 0.25  # of the mixes: an octave below, softer, for what lies between the harmonics
    equaliser: Proportion = 0.45
    equaliser_db: Share = 10.0
    gain_low_db: float = -26.0
    gain_high_db: float = 6.0
    noise: Proportion = 0.3
    noise_low_db: float = -100.0
    noise_high_db: float = -55.0
    drive: Proportion = 0.08
    room: Proportion = 0.12
    chorus: Proportion = 0.08
    onset: Proportion = 0.5
    shift: Proportion = 0.5
    band: Proportion = 0.0  # cut off as by a recording's low rate, where the model knows of bands
    band_low_hz: RateHz = 4_000
    band_high_hz: RateHz = 16_000


@dataclass
class Source:
    """One dataset with its pitch tracks (cents from the note's pitch, [N, F] float16) and its share of the batches."""

    notes: NotesDataset
    cents: np.ndarray
    share: float
    split: str
    groups: list[np.ndarray] = field(init=False)

    def __post_init__(self) -> None:
        self.pitch = np.asarray(self.notes.column("pitch"), np.float64)
        self.velocity = np.asarray(self.notes.column("velocity"))
        self.bandwidth_hz = np.asarray(self.notes.column("bandwidth_hz"), np.float64)
        instrument, split = self.notes.column("instrument"), self.notes.column("split")
        chosen = np.flatnonzero(np.asarray(split) == self.split)
        if not len(chosen):
            raise DataError(f"The dataset has no notes in the split {self.split!r}.")
        names = np.asarray(instrument)[chosen]
        self.groups = [chosen[names == name] for name in np.unique(names)]
        self.chosen = chosen

    def ends_hz(self, note: int, config: ModelConfig) -> float:
        """Where a note's recording ends, at most the model's own band."""
        return min(self.bandwidth_hz[note] or config.top_hz, config.top_hz)


def ensure_tracks(notes: NotesDataset, folder: Path, config: ModelConfig, *, progress=None) -> np.ndarray:
    """Pitch tracks of a dataset as cents from each note's pitch, [N, F] float16; computed once and kept beside it."""
    path = folder / f"tracks-{config.hop}.npy"
    frames = -(-notes.samples // config.hop)
    known = _known(path)
    if known is not None and known.shape == (len(notes), frames):
        return known
    midi = np.asarray(notes.column("pitch"), np.float64)
    cents = np.zeros((len(notes), frames), np.float16)
    for i in progress(range(len(notes))) if progress else range(len(notes)):
        track = pitch_tracks.track(
            notes.audio(i), midi=midi[i], sample_rate_hz=config.sample_rate_hz, hop=config.hop, frames=frames
        )
        cents[i] = 1200.0 * np.log2(track / pitch_tracks.midi_to_hz(midi[i]))
    with atomic_path(path) as temporary:
        np.save(temporary, cents, allow_pickle=False)
    return cents


def _known(path: Path) -> np.ndarray | None:
    """Tracks that were kept; None where there are none, or damaged ones."""
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except UNREADABLE:
        return None
    return found if isinstance(found, np.ndarray) and found.dtype == np.float16 else None


class Batches:
    """`batch(step)` gives the inputs of `Autoencoder.call` and a weight for each note."""

    def __init__(
        self,
        sources: list[Source],
        config: ModelConfig,
        *,
        size: int,
        frames: int,
        seed: int,
        augmentation: Augmentation,
    ) -> None:
        self.sources, self.config, self.size, self.frames = sources, config, size, frames
        self.seed, self.augmentation = seed, augmentation
        share = np.array([source.share for source in sources], np.float64)
        self.share = share / share.sum()

    def batch(self, step: int) -> dict[str, np.ndarray]:
        """All arrays float32; the same step gives the same batch."""
        rng = np.random.default_rng((self.seed, step))
        config, size, frames = self.config, self.size, self.frames
        out = self.crops(rng)
        out["latent_noise"] = rng.standard_normal((size, frames, config.learned), dtype=np.float32)
        out["noise_phase"] = rng.random((size, frames, config.hop + 1), dtype=np.float32)
        shape = (size, frames * config.subframes, config.subframe + 1)
        out["short_noise_phase"] = rng.random(shape, dtype=np.float32)
        return out

    def crops(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """The notes of a batch: sounds, pitches and weights, without the noise that training adds."""
        pairs = [self._pair(rng) for _ in range(self.size)]
        names = ("source", "source_pitch_hz", "target", "target_pitch_hz", "weight")
        names = (*names, "bandwidth_hz") if self.config.band_hz else names
        return {name: np.stack([pair[i] for pair in pairs]).astype(np.float32) for i, name in enumerate(names)}

    def _pair(self, rng: np.random.Generator) -> tuple:
        """Source and target crop with their pitch tracks: the same note, or two pitches of one instrument."""
        chances = self.augmentation
        source = self.sources[rng.choice(len(self.sources), p=self.share)]
        group = source.groups[rng.integers(len(source.groups))]
        note = int(group[rng.integers(len(group))])
        other = note
        if rng.random() < chances.cross_pitch:
            near = group[
                (source.velocity[group] == source.velocity[note])
                & (np.abs(source.pitch[group] - source.pitch[note]) <= chances.cross_semitones)
            ]
            other = int(near[rng.integers(len(near))])
        start = self._start(rng, source)
        effects = [
            kind.draw(rng) for kind, chance in ((Chorus, chances.chorus), (Room, chances.room)) if rng.random() < chance
        ]
        crops = [self._crop(source, i, start, effects) for i in (note, other)]
        if other == note and rng.random() < chances.mix:
            crops[0] = (self._mixed(rng, *crops[0], source.pitch[note], start), crops[0][1])
        audio = self._colour(rng, [crop[0] for crop in crops] if other != note else [crops[0][0]])
        weight = 1.0 if other == note else 0.5
        ends_hz = [source.ends_hz(i, self.config) for i in (note, other)]
        if chances.band and rng.random() < chances.band:
            cut_hz = float(np.exp(rng.uniform(np.log(chances.band_low_hz), np.log(chances.band_high_hz))))
            ends_hz = [min(end_hz, cut_hz) for end_hz in ends_hz]
        if self.config.band_hz:  # what was added lies above too, and would be heard as a part of the note
            rate = {"sample_rate_hz": self.config.sample_rate_hz}
            audio = [below(sound, end_hz, **rate) for sound, end_hz in zip(audio, ends_hz, strict=False)]
        return audio[0], crops[0][1], audio[-1], crops[0][1] if other == note else crops[1][1], weight, ends_hz[1]

    def _start(self, rng: np.random.Generator, source: Source) -> int:
        """First sample of the crop: often the note's own start, else anywhere; on the frame grid or off it."""
        last = source.notes.samples - self.frames * self.config.hop
        start = 0 if rng.random() < self.augmentation.onset else int(rng.integers(last + 1))
        if rng.random() < self.augmentation.shift:
            start += int(rng.integers(self.config.hop // 2))
        elif start:
            start -= start % self.config.hop
        return min(start, last)

    def _crop(
        self, source: Source, note: int, start: int, effects: list[Chorus | Room]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Audio [T] and pitch [F] in Hz of one note from sample `start` on, with effects."""
        hop = self.config.hop
        audio = source.notes.audio(note)[: start + self.frames * hop]
        for effect in effects:
            audio = effect.apply(audio, sample_rate_hz=self.config.sample_rate_hz)
        audio = audio[start:]
        track = source.cents[note].astype(np.float64)
        at = start / hop + np.arange(self.frames)
        cents = np.interp(at, np.arange(len(track)), track)
        return audio, pitch_tracks.midi_to_hz(source.pitch[note]) * 2.0 ** (cents / 1200.0)

    def _mixed(self, rng, audio: np.ndarray, track_hz: np.ndarray, midi: float, start: int) -> np.ndarray:
        """The crop with a second instrument at the same pitch or an octave lower under it, resampled to meet it."""
        below = rng.random() < self.augmentation.sub_octave
        midi = midi - 12.0 if below else midi
        source = self.sources[rng.choice(len(self.sources), p=self.share)]
        group = source.groups[rng.integers(len(source.groups))]
        second = int(group[np.argmin(np.abs(source.pitch[group] - midi) + 0.3 * rng.random(len(group)))])
        semitones = midi - source.pitch[second]
        if abs(semitones) > 4.0:
            return audio
        ratio = 2.0 ** (semitones / 12.0)  # read faster to sound higher
        length = int(np.ceil((len(audio) + 64) * ratio)) + start
        raw = source.notes.audio(second)[start:length]
        moved = soxr.resample(raw, ratio, 1.0, quality="MQ")[: len(audio)]
        moved = np.pad(moved, (0, len(audio) - len(moved)))
        level = np.sqrt(np.mean(audio**2) / (np.mean(moved**2) + 1e-12)) * 10.0 ** (rng.uniform(-24.0, 0.0) / 20.0)
        level *= 0.5 if below else 1.0
        return (audio + min(level, 100.0) * moved).astype(np.float32)

    def _colour(self, rng: np.random.Generator, crops: list[np.ndarray]) -> list[np.ndarray]:
        """The same drive, equaliser and gain for all crops; noise of one level."""
        chances = self.augmentation
        if rng.random() < chances.drive:
            drive = 10.0 ** (rng.uniform(0.0, 20.0) / 20.0) / max(max(np.max(np.abs(c)) for c in crops), 1e-6)
            crops = [np.tanh(c * drive) / drive for c in crops]
        if rng.random() < chances.equaliser:
            knots_db = rng.normal(0.0, chances.equaliser_db / 2.0, int(rng.choice(EQUALISER_KNOTS)))
            bins = np.linspace(0.0, 1.0, len(crops[0]) // 2 + 1)
            curve = np.interp(bins**0.4, np.linspace(0.0, 1.0, len(knots_db)), knots_db)
            crops = [np.fft.irfft(np.fft.rfft(c) * 10.0 ** (curve / 20.0), len(c)) for c in crops]
        gain = 10.0 ** (rng.uniform(chances.gain_low_db, chances.gain_high_db) / 20.0)
        peak = max(max(np.max(np.abs(c)) for c in crops), 1e-6)
        crops = [c * min(gain, 0.98 / peak) for c in crops]
        if rng.random() < chances.noise:
            level = 10.0 ** (rng.uniform(chances.noise_low_db, chances.noise_high_db) / 20.0)
            pole = rng.uniform(0.0, 0.9)
            crops = [c + level * coloured_noise(rng, len(c), pole) for c in crops]
        return [c.astype(np.float32) for c in crops]


def below(audio: np.ndarray, end_hz: float, *, sample_rate_hz: int) -> np.ndarray:
    """Audio [T] without what lies above `end_hz`, which fades over 300 Hz: [T] float32."""
    spectrum = np.fft.rfft(audio)
    bins_hz = np.linspace(0.0, sample_rate_hz / 2, len(spectrum))
    spectrum *= np.clip((end_hz + 150.0 - bins_hz) / 300.0, 0.0, 1.0)
    return np.fft.irfft(spectrum, len(audio)).astype(np.float32)
