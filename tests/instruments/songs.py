"""MIDI files made on the spot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mido

TICKS = 480


def song(path: Path, *tracks: list[tuple[float, Any]], kind: int = 1, ticks: int = TICKS) -> Path:
    """A file of tracks of (beat, message)."""
    file = mido.MidiFile(type=kind, ticks_per_beat=ticks)
    for given in tracks:
        track, last = mido.MidiTrack(), 0
        for beat, message in sorted(given, key=lambda one: one[0]):
            track.append(message.copy(time=round(beat * ticks) - last))
            last = round(beat * ticks)
        file.tracks.append(track)
    file.save(path)
    return path


def note(beat: float, beats: float, key: int = 60, velocity: int = 100, channel: int = 0) -> list[tuple[float, Any]]:
    """A note from a beat on."""
    on = mido.Message("note_on", note=key, velocity=velocity, channel=channel)
    return [(beat, on), (beat + beats, mido.Message("note_off", note=key, channel=channel))]


def control(beat: float, number: int, value: int, channel: int = 0) -> tuple[float, Any]:
    return beat, mido.Message("control_change", control=number, value=value, channel=channel)


def bend(beat: float, turn: int, channel: int = 0) -> tuple[float, Any]:
    return beat, mido.Message("pitchwheel", pitch=turn, channel=channel)


def tempo(beat: float, bpm: float) -> tuple[float, Any]:
    return beat, mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(bpm))
