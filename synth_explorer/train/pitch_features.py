"""What the pitch head learns from: spectra of rendered and made-up notes, and cheap changes to whole batches of them.

Reading, playing and transforming a note costs milliseconds, so it happens once. An equaliser, noise, a knock or a
second instrument in unison is an addition on its spectra, so every batch gets fresh ones.

Shapes: N notes, B notes of a batch, P frames of one note, G bins of the spectrum, M entries of a bank.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.fft
from keras import ops

from synth_explorer.data.dataset import NotesDataset
from synth_explorer.model.pitch_head import PitchHead, PitchHeadConfig, note_frames
from synth_explorer.pitch import midi_to_hz
from synth_explorer.train.effects import Chorus, Room
from synth_explorer.train.pitch_notes import knock, made_up_note, repitch, roughen

PREPARED_FRAMES = 6  # of each note
_MADE_UP_SHARE = 0.25
_LOWEST_MIDI = 20.5
_FLOOR_DB = -140.0
_CHUNK = 32


@dataclass
class Features:
    """Levels [N, P, G] float16 in dB below the note's peak, frame weights [N, P], fractional MIDI pitch [N]."""

    levels: np.ndarray
    weights: np.ndarray
    midi: np.ndarray


@dataclass
class Bank:
    """Sounds to add, as power [M, G] of peak 1: white noise, knocks, and a steady tone at each bin of the grid."""

    noise: np.ndarray
    knocks: np.ndarray
    tones: np.ndarray


def prepare(
    head: PitchHead, sources: Sequence[NotesDataset], *, split: str, seconds: float, seed: int, limit: int = 60_000
) -> Features:
    """Spectra of randomly drawn, randomly changed notes, for `seconds` of wall time or `limit` notes."""
    rng, until = np.random.default_rng(seed), time.monotonic() + seconds
    low, high = head.config.low_midi + 1.0, head.config.high_midi - 1.0
    tables = [(source, _usable(source, split, high), source.column("pitch")) for source in sources]
    tables = [table for table in tables if len(table[1])]
    levels, frames, weights, midis = [], [], [], []
    while len(midis) < limit and (not midis or len(midis) % _CHUNK or time.monotonic() < until):
        midi, audio = _draw(rng, tables, head.config, low, high)
        if not low <= midi <= high or np.abs(audio).max() < 1e-6:
            continue
        listened, weight = note_frames(audio, head.config, count=PREPARED_FRAMES)
        frames.append(listened)
        weights.append(weight)
        midis.append(midi)
        if len(frames) == _CHUNK:
            levels.append(_levels(head, np.stack(frames)))
            frames = []
    if frames:
        levels.append(_levels(head, np.stack(frames)))
    return Features(np.concatenate(levels), np.stack(weights), np.array(midis, np.float32))


def _usable(source: NotesDataset, split: str, high: float) -> np.ndarray:
    rows, pitches = source.select(split=split), source.column("pitch")
    return rows[(pitches[rows] > _LOWEST_MIDI) & (pitches[rows] < high)] if len(rows) else rows


def _levels(head: PitchHead, frames: np.ndarray) -> np.ndarray:
    """Frames [B, P, N] -> levels [B, P, G] in dB below each note's peak, float16."""
    magnitude = ops.convert_to_numpy(head.spectrum.magnitudes(frames.reshape(-1, frames.shape[-1])))
    magnitude = magnitude.reshape(*frames.shape[:2], -1)
    peak = magnitude.max(axis=(1, 2), keepdims=True) + 1e-9
    return np.maximum(20.0 * np.log10(magnitude / peak + 1e-9), _FLOOR_DB).astype(np.float16)


def _draw(
    rng: np.random.Generator, tables: list, config: PitchHeadConfig, low: float, high: float
) -> tuple[float, np.ndarray]:
    """One note to learn from: (fractional MIDI pitch, audio [T])."""
    rate = config.sample_rate_hz
    if not tables or rng.random() < _MADE_UP_SHARE:
        midi = float(rng.uniform(low, high))
        return midi, play(rng, made_up_note(rng, midi=midi, sample_rate_hz=rate), midi, rate)
    sizes = np.array([len(rows) for _, rows, _ in tables])
    source, rows, pitches = tables[rng.choice(len(tables), p=sizes / sizes.sum())]
    row = int(rows[rng.integers(len(rows))])
    midi, audio = float(pitches[row]), source.audio(row)
    start = source.pre_roll_samples + int(rate * rng.uniform(0.01, 0.3)) if rng.random() < 0.15 else 0
    length = int(rate * rng.uniform(0.25, 2.0)) if rng.random() < 0.85 else len(audio)
    audio = audio[start : start + (length | 255) + 1]
    if rng.random() < 0.3:
        move = rng.uniform(-3.0, 3.0)
        midi, audio = midi + move, repitch(audio, move)
        audio = audio[: len(audio) // 256 * 256]  # lengths that suit the FFT
    return midi, play(rng, audio, midi, rate)


def play(rng: np.random.Generator, audio: np.ndarray, midi: float, rate: int) -> np.ndarray:
    """The note [T] as another instrument, in another place: what cannot be done to its spectra later."""
    if rng.random() < 0.15:
        start = int(np.argmax(np.abs(audio)))
        fade_s = 10.0 ** rng.uniform(-1.6, -0.2)
        audio = audio * np.exp(-np.maximum(0.0, np.arange(len(audio)) - start) / (rate * fade_s)).astype(np.float32)
    if rng.random() < 0.08:
        audio = _odd_only(audio, midi, rate)
    if rng.random() < 0.12:
        audio = Chorus.draw(rng).apply(audio, sample_rate_hz=rate)
    if rng.random() < (0.4 if midi > 84 else 0.15):
        audio = (audio + np.abs(audio).max() * knock(rng, len(audio), rate)).astype(np.float32)
    if rng.random() < 0.25:
        audio = reverberate(Room.draw(rng), audio, rate)
    return roughen(rng, audio, sample_rate_hz=rate) if rng.random() < 0.35 else audio


def reverberate(room: Room, audio: np.ndarray, rate: int) -> np.ndarray:
    """What `room.apply` does, at a length that suits the FFT, in float32."""
    response = room.response(len(audio), sample_rate_hz=rate).astype(np.float32)
    size = scipy.fft.next_fast_len(len(audio) + len(response) - 1, real=True)
    wet = scipy.fft.irfft(scipy.fft.rfft(audio, size) * scipy.fft.rfft(response, size), size)
    return (audio + wet[: len(audio)]).astype(np.float32)


def _odd_only(audio: np.ndarray, midi: float, rate: int) -> np.ndarray:
    """The note [T] less its even partials: minus itself half a period ago."""
    half = 0.5 * rate / float(midi_to_hz(midi))
    at = np.arange(len(audio), dtype=np.float64)
    return (audio - np.interp(at - half, at, audio, left=0.0)).astype(np.float32)


def make_bank(head: PitchHead, *, seed: int, size: int = 512) -> Bank:
    """Noise and knocks (`size` of each) and tones as the head's spectrum sees them."""
    rng, config = np.random.default_rng(seed), head.config
    longest, rate = config.windows[0], config.sample_rate_hz
    noise = rng.normal(size=(size, longest))
    knocks = np.zeros((size, longest))
    for row in knocks:
        start = int(rng.integers(0, longest // 2))
        row[start:] = knock(rng, longest - start, rate)
    time_s = np.arange(longest) / rate
    tones = np.sin(2 * np.pi * midi_to_hz(config.grid_midi())[:, None] * time_s + rng.uniform(0, 6.28, (1, 1)))

    def power(frames: np.ndarray) -> np.ndarray:
        parts = [
            ops.convert_to_numpy(head.spectrum.magnitudes(frames[i : i + 128].astype(np.float32)))
            for i in range(0, len(frames), 128)
        ]
        return np.concatenate(parts) ** 2

    noise, knocks, tones = power(noise), power(knocks), power(tones)
    knocks, tones = (each / (each.max(axis=1, keepdims=True) + 1e-12) for each in (knocks, tones))
    return Bank(noise / noise.mean(), knocks, tones)


def batch(
    rng: np.random.Generator, features: Features, bank: Bank, rows: np.ndarray, config: PitchHeadConfig, *, frames: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Notes `rows` [B] changed at random -> spectra [B, P, G] as the head hears them, weights [B, P], MIDI [B]."""
    chosen = np.sort(rng.permuted(np.tile(np.arange(features.levels.shape[1]), (len(rows), 1)), axis=1)[:, :frames])
    levels, midi = features.levels[rows[:, None], chosen].astype(np.float32), features.midi[rows]
    weights = features.weights[rows[:, None], chosen]
    before = np.sum(10.0 ** (0.1 * levels), axis=-1)
    power = 10.0 ** (0.1 * _equalise(rng, _thin(rng, levels, midi, config), config))
    power += _unison(rng, features, rows, chosen, power, config)
    power += _tones(rng, bank, power, midi, config)
    power += _knocks(rng, bank, power, midi)
    power += _noise(rng, bank, power, config)
    after = np.sum(power, axis=-1)
    weights = weights * np.clip(after / (before + 1e-12), 1e-4, 1e4) ** 0.25
    weights = weights * _kept(rng, weights.shape)
    weights = weights / weights.sum(axis=1, keepdims=True)
    spectra = normalise(10.0 * np.log10(power + 1e-14), config)
    spectra, midi = shift(spectra, midi, int(rng.integers(-7, 8)), config)
    return spectra, weights.astype(np.float32), midi


def normalise(levels: np.ndarray, config: PitchHeadConfig) -> np.ndarray:
    """Levels [.., G] in dB -> 0 (at `range_db` below the frame's peak) to 1 (its peak), as LogSpectrum does."""
    return np.maximum(0.0, 1.0 + (levels - levels.max(axis=-1, keepdims=True)) / config.range_db).astype(np.float32)


def shift(spectra: np.ndarray, midi: np.ndarray, bins: int, config: PitchHeadConfig) -> tuple[np.ndarray, np.ndarray]:
    """Transpose spectra [.., G] by whole bins: their pitch moves along."""
    moved = np.zeros_like(spectra)
    size = spectra.shape[-1]
    moved[..., max(0, bins) : size + min(0, bins)] = spectra[..., max(0, -bins) : size - max(0, bins)]
    return moved, np.clip(midi + bins / config.bins_per_semitone, config.low_midi, config.high_midi)


def _some(rng: np.random.Generator, notes: int, share: float) -> np.ndarray:
    """[B, 1, 1] of 0 and 1: which notes are changed."""
    return (rng.random((notes, 1, 1)) < share).astype(np.float32)


def _thin(rng: np.random.Generator, levels: np.ndarray, midi: np.ndarray, config: PitchHeadConfig) -> np.ndarray:
    """Weaken the fundamental, or the lowest two or three partials, of some notes."""
    notes = len(levels)
    drop_db = _some(rng, notes, 0.15) * rng.uniform(6.0, 50.0, (notes, 1, 1))
    highest = rng.choice([1, 1, 1, 2, 3], notes)[:, None, None]
    octave = (config.grid_midi()[None, None, :] - midi[:, None, None]) / 12.0
    edge = np.log2(highest + 0.5)
    return levels - (drop_db * np.clip((edge - octave) / 0.1, 0.0, 1.0)).astype(np.float32)


def _equalise(rng: np.random.Generator, levels: np.ndarray, config: PitchHeadConfig) -> np.ndarray:
    """A tilt, a smooth random curve, now and then a steep high- or low-pass, for most notes."""
    notes = len(levels)
    octaves = (config.grid_midi()[None, None, :] - 84.0) / 12.0  # around 1 kHz
    gain = rng.uniform(-6.0, 6.0, (notes, 1, 1)) * octaves
    knots, at = 12, np.linspace(0.0, 11.0 - 1e-3, levels.shape[-1])
    curve = rng.normal(size=(notes, 1, knots)) * rng.uniform(0.0, 8.0, (notes, 1, 1))
    low, part = at.astype(int), at % 1.0
    gain = _some(rng, notes, 0.7) * (gain + curve[..., low] * (1.0 - part) + curve[..., low + 1] * part)
    gain += _some(rng, notes, 0.12) * 24.0 * np.minimum(0.0, octaves - rng.uniform(-4.0, 0.0, (notes, 1, 1)))
    gain -= _some(rng, notes, 0.12) * 24.0 * np.maximum(0.0, octaves - rng.uniform(-1.0, 2.0, (notes, 1, 1)))
    return levels + gain.astype(np.float32)


def _peak(power: np.ndarray) -> np.ndarray:
    """[B, 1, 1] the loudest bin of each note."""
    return power.max(axis=(1, 2), keepdims=True)


def _unison(
    rng: np.random.Generator, features: Features, rows: np.ndarray, chosen: np.ndarray, power: np.ndarray, config
) -> np.ndarray:
    """A second instrument at the same pitch (to a bin) beside some notes: power [B, P, G]."""
    total = np.zeros_like(power)
    for note in np.flatnonzero(rng.random(len(rows)) < 0.2):
        others = rng.integers(len(features.midi), size=24)
        bins = np.round((features.midi[rows[note]] - features.midi[others]) * config.bins_per_semitone).astype(int)
        nearest = int(np.argmin(np.abs(bins)))
        if abs(bins[nearest]) > 4 * config.bins_per_semitone:
            continue
        second = 10.0 ** (0.1 * features.levels[others[nearest], chosen[note]].astype(np.float32))
        second, _ = shift(second, np.zeros(1), int(bins[nearest]), config)
        level = 10.0 ** (0.1 * rng.uniform(-20.0, 3.0))
        total[note] = second * (level * power[note].max() / (second.max() + 1e-12))
    return total


def _knocks(rng: np.random.Generator, bank: Bank, power: np.ndarray, midi: np.ndarray) -> np.ndarray:
    """A knock at the start of some notes, gone after a few frames; on high notes, which ring short, a louder one."""
    notes, frames = power.shape[:2]
    loudest_db = 10.0 + 1.0 * np.clip(midi - 80.0, 0.0, 20.0)[:, None, None]
    level_db = rng.uniform(-30.0, loudest_db, (notes, 1, 1))
    level_db = level_db - rng.uniform(4.0, 40.0, (notes, 1, 1)) * np.arange(frames)[:, None]
    sounds = bank.knocks[rng.integers(len(bank.knocks), size=notes)][:, None, :]
    return (_some(rng, notes, 0.25) * _peak(power) * 10.0 ** (0.1 * level_db) * sounds).astype(np.float32)


def _tones(
    rng: np.random.Generator, bank: Bank, power: np.ndarray, midi: np.ndarray, config: PitchHeadConfig
) -> np.ndarray:
    """A soft sub-oscillator an octave below some notes, a hum beside others, partials out of tune within others."""
    notes, first = len(power), config.grid_midi()[0]
    below = np.round((midi - 12.0 - first) * config.bins_per_semitone).astype(int)
    hum = rng.integers(12 * config.bins_per_semitone, 5 * 12 * config.bins_per_semitone, size=notes)
    total = np.zeros((notes, 1, power.shape[-1]), np.float32)
    foreign = midi[:, None] + 12.0 * rng.uniform(-0.9, 2.6, (notes, 3))  # bars, bells, stiff strings, mechanics
    foreign = np.round((foreign - first) * config.bins_per_semitone).astype(int)
    kinds = [(below, 0.08, -8.0), (hum, 0.06, -14.0)]
    kinds += [(place, 0.15, -3.0) for place in foreign.T]
    for place, share, loudest in kinds:
        level = 10.0 ** (0.1 * rng.uniform(-40.0, loudest, (notes, 1, 1)))
        tone = bank.tones[np.clip(place, 0, len(bank.tones) - 1)][:, None, :]
        total += (_some(rng, notes, share) * level * tone).astype(np.float32)
    loudness = np.sqrt(power.max(axis=-1, keepdims=True) * _peak(power))  # half following the note, half steady
    return total * loudness


def _noise(rng: np.random.Generator, bank: Bank, power: np.ndarray, config: PitchHeadConfig) -> np.ndarray:
    """Steady noise of a random colour behind most notes."""
    notes, frames = power.shape[:2]
    sounds = bank.noise[rng.integers(len(bank.noise), size=(notes, frames))]
    octaves = (config.grid_midi() - 84.0) / 12.0
    colour_db = rng.uniform(-8.0, 2.0, (notes, 1, 1)) * octaves
    colour_db -= colour_db.max(axis=-1, keepdims=True) * rng.uniform(0.0, 1.0, (notes, 1, 1))
    level_db = rng.uniform(-90.0, -20.0, (notes, 1, 1))
    return (_some(rng, notes, 0.75) * _peak(power) * 10.0 ** (0.1 * (level_db + colour_db)) * sounds).astype(np.float32)


def _kept(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """1 for the frames [B, P] that are heard: all of most notes, else a run of them."""
    notes, frames = shape
    first = rng.integers(0, frames, (notes, 1)) * (rng.random((notes, 1)) < 0.15)
    last = np.where(rng.random((notes, 1)) < 0.25, first + rng.integers(0, frames, (notes, 1)), frames)
    place = np.arange(frames)[None, :]
    return ((place >= first) & (place <= last)).astype(np.float32)
