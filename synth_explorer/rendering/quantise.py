"""On which notes a mixed pitch comes to lie: on any, on semitones, or on those of a key."""

from __future__ import annotations

import math
import re

from synth_explorer.errors import SpecError
from synth_explorer.pitch import HIGHEST_MIDI, LOWEST_MIDI, NOTE_NAMES, midi_of

OFF, SEMITONE = "off", "semitone"
SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}  # semitones over the tonic
KEYS = tuple(f"{tonic.replace('♯', '#')} {scale}" for scale in SCALES for tonic in NOTE_NAMES)
_KEY = re.compile(r"\s*([A-Ga-g][#♯sb♭]?)\s+(major|minor)\s*")


def quantiser(text: str) -> str:
    """One of "off", "semitone" and `KEYS`: "Eb minor" is "D# minor". Raises SpecError."""
    if text in (OFF, SEMITONE):
        return text
    found = _KEY.fullmatch(text)
    if found is None:
        raise SpecError(f"{text!r} is nothing to quantise to; say off, semitone, or a key such as C major or F# minor.")
    tonic = NOTE_NAMES[round(midi_of(found[1] + "4")) % 12].replace("♯", "#")
    return f"{tonic} {found[2]}"


def nearest(midi: float, to: str) -> float:
    """The nearest pitch of a quantiser, the lower one of two that are as near; within what can be played."""
    if to == OFF:
        return midi
    tonic, scale = 0, tuple(range(12))
    if to != SEMITONE:
        name, kind = to.split()
        tonic, scale = round(midi_of(name + "4")) % 12, SCALES[kind]
    around = range(max(LOWEST_MIDI, math.floor(midi) - 12), min(HIGHEST_MIDI, math.ceil(midi) + 12) + 1)
    notes = [note for note in around if (note - tonic) % 12 in scale]
    return float(min(notes, key=lambda note: (abs(note - midi), note)))
