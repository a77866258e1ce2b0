"""A song played with the samples of a patch: every note is placed to the sample, bent, morphed and let go.

Shapes: T samples, M steps of the morph.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from synth_explorer.instruments.loops import AHEAD
from synth_explorer.instruments.maker import crossfade
from synth_explorer.instruments.midi import Note, Song
from synth_explorer.instruments.sample import Sample, Slot
from synth_explorer.instruments.sustain import SILENT_DB
from synth_explorer.instruments.zones import Layer, layers
from synth_explorer.pitch import HIGHEST_MIDI, LOWEST_MIDI

CONTROL_SAMPLES = 32  # between two values of bend, vibrato and morph, which go in straight lines
VIBRATO_HZ, VIBRATO_CENTS = 5.5, 50.0  # of a patch of one note, with the mod wheel all the way up
IN_TUNE_CENTS = 0.05  # what lies nearer plays sample for sample
LAST_S = 0.005  # of a release, in which it fades to nothing

Progress = Callable[[int, int], None]
Place = Callable[[np.ndarray], np.ndarray]
"""From times in s to places 0..1 on the way from the first note of the patch to the last."""


class Source(Protocol):
    """What gives samples, see `Maker`."""

    morph_steps: int
    sample_rate_hz: int

    def sample(self, slot: Slot) -> Sample: ...


@dataclass
class Player:
    """Plays songs.

    `place`: of the morph over the song's time; None: the mod wheel of each channel moves it. Where `source` has one
    step the wheel is a vibrato.
    """

    source: Source
    layers: Sequence[Layer] = field(default_factory=lambda: layers(4))
    place: Place | None = None
    is_coherent: bool = True

    def play(self, song: Song, *, progress: Progress | None = None) -> np.ndarray:
        """The sound of a song, float32 [T], to the end of the last release; levels add up."""
        rate_hz, mixed, end = self.source.sample_rate_hz, np.zeros(0), 0
        for count, note in enumerate(song.notes, 1):
            start, sound = round(note.start_s * rate_hz), self.voice(song, note)
            end = max(end, start + sound.size)
            if end > mixed.size:
                mixed = np.pad(mixed, (0, max(end, 2 * mixed.size) - mixed.size))
            mixed[start : start + sound.size] += sound
            if progress:
                progress(count, len(song.notes))
        return mixed[:end].astype(np.float32)

    def slot(self, note: Note, step: int) -> Slot:
        """The sample that plays a note: its own key's, or the nearest that can be rendered."""
        layer = next(one for one in self.layers if one.low <= note.velocity <= one.high)
        return Slot(int(np.clip(note.key, LOWEST_MIDI, HIGHEST_MIDI)), layer, step)

    def voice(self, song: Song, note: Note) -> np.ndarray:
        """One note alone, from the moment it is struck, float64 [T]."""
        rate_hz = self.source.sample_rate_hz
        held = max(1, round(note.end_s * rate_hz) - round(note.start_s * rate_hz))
        first = int(np.argmax(self._gains(song, note, 1)[:, 0]))  # the step that it is struck in
        release_s = self.source.sample(self.slot(note, first)).release_s
        total = held + round(release_s * rate_hz)
        gains, semitones, mixed = self._gains(song, note, total), self._semitones(song, note, total), np.zeros(total)
        for step in np.flatnonzero(gains.any(axis=1)).tolist():
            one = self.source.sample(self.slot(note, step))
            mixed += gains[step] * read(one, self._rate(semitones, one, note), total)
        gain = self.slot(note, first).layer.gain(note.velocity)
        return gain * mixed * released(total, held, release_s, sample_rate_hz=rate_hz)

    def _times_s(self, note: Note, total: int) -> np.ndarray:
        """Times in the song at which controls are read, the last one at the voice's end or behind it."""
        at = np.arange(0, total + CONTROL_SAMPLES, CONTROL_SAMPLES)
        return note.start_s + at / self.source.sample_rate_hz

    def _spread(self, values: np.ndarray, total: int) -> np.ndarray:
        """Values at control times in straight lines over every sample, [total]."""
        return np.interp(np.arange(total), np.arange(values.size) * CONTROL_SAMPLES, values)

    def _gains(self, song: Song, note: Note, total: int) -> np.ndarray:
        """Gain of each step of the morph, [M, total]."""
        if self.source.morph_steps == 1:
            return np.ones((1, total))
        times_s = self._times_s(note, total)
        places = self.place(times_s) if self.place is not None else song.wheel(note.channel).at(times_s)
        gains = np.array([crossfade(p, self.source.morph_steps, is_coherent=self.is_coherent) for p in places.tolist()])
        return np.array([self._spread(column, total) for column in gains.T])

    def _semitones(self, song: Song, note: Note, total: int) -> np.ndarray | None:
        """By how much a note is bent, [total]; None where it is not."""
        bend, wheel = song.bend(note.channel), song.wheel(note.channel)
        end_s = note.start_s + total / self.source.sample_rate_hz
        trembles = self.source.morph_steps == 1 and wheel.moves(note.start_s, end_s)
        if not trembles and not bend.moves(note.start_s, end_s):
            return None
        times_s = self._times_s(note, total)
        semitones = bend.at(times_s)
        if trembles:
            swing = np.sin(2.0 * np.pi * VIBRATO_HZ * times_s)
            semitones = semitones + VIBRATO_CENTS / 100.0 * wheel.at(times_s) * swing
        return self._spread(semitones, total)

    @staticmethod
    def _rate(semitones: np.ndarray | None, one: Sample, note: Note) -> np.ndarray | None:
        """How fast a sample is read, [1] or [T]; None: as it is."""
        cents = 100.0 * (note.key - one.slot.root) - one.cents
        if semitones is None:
            return None if abs(cents) < IN_TUNE_CENTS else np.array([2.0 ** (cents / 1200.0)])
        return 2.0 ** ((semitones + cents / 100.0) / 12.0)


def read(one: Sample, rate: np.ndarray | None, total: int) -> np.ndarray:
    """A sample read at a rate [1] or [total], None as it is: float64 [total]. Between samples by cubic splines."""
    if rate is None:
        return one.played(total).astype(np.float64)
    from scipy.ndimage import map_coordinates

    position = np.concatenate([[0.0], np.cumsum(np.broadcast_to(rate, total)[:-1])])
    played = one.played(int(position[-1]) + 2 + AHEAD).astype(np.float64)
    return map_coordinates(played, position[None], order=3, mode="constant")


def released(total: int, held: int, release_s: float, *, sample_rate_hz: int) -> np.ndarray:
    """Gain of a note that is let go after `held` samples: it falls by 60 dB in `release_s`, then is over; [total]."""
    since_s = np.maximum(np.arange(total) - held, 0) / sample_rate_hz
    gain = 10.0 ** (-SILENT_DB / 20.0 * since_s / release_s)
    last = min(total - held, max(1, round(LAST_S * sample_rate_hz)))
    if last > 0:
        gain[total - last :] *= np.linspace(1.0, 0.0, last)
    return gain


def path(points: Sequence[tuple[float, float]]) -> Place:
    """A way of the morph over time through (time_s, place), in straight lines; it stays before and after."""
    times_s, places = [time_s for time_s, _ in points], [place for _, place in points]
    return lambda at_s: np.interp(at_s, times_s, places)


def wheel_moves(song: Song) -> bool:
    """Whether the mod wheel is ever moved where notes are played."""
    return any(any(wheel.values) for wheel in song.wheels.values())
