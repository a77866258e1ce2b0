"""Which keys are rendered and which each of them plays; which velocities each layer plays, how loud and how bright."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import dataclass

from synth_explorer.errors import SpecError
from synth_explorer.pitch import HIGHEST_MIDI, LOWEST_MIDI, midi_of, note_name

LOUDEST = 127
MOST_LAYERS = 16
OCTAVES_PER_DB = 0.02
"""How much darker a layer is for each dB that it is softer: half an octave at 25 dB, about as instruments do."""

_KEY = r"[A-Ga-g][#♯sb♭]?-?\d+|\d+"
_RANGE = re.compile(rf"\s*({_KEY})(?:\s*-\s*({_KEY}))?\s*")


@dataclass(frozen=True)
class Zone:
    """A sample's key and the keys that it plays, as MIDI numbers."""

    root: int
    low: int
    high: int


@dataclass(frozen=True)
class Layer:
    """Velocities that one layer plays, and how its samples are made: as the patch sounds at `high`."""

    low: int
    high: int

    @property
    def level_db(self) -> float:
        """Level of its samples under the patch's own."""
        return level_db(self.high)

    @property
    def brightness_octaves(self) -> float:
        """Brightness of its samples against the patch's own."""
        return OCTAVES_PER_DB * self.level_db

    def gain(self, velocity: int) -> float:
        """The factor at which a sample of this layer plays at a velocity within it, at most 1."""
        return 10.0 ** ((level_db(velocity) - self.level_db) / 20.0)


def level_db(velocity: int) -> float:
    """Level at a MIDI velocity 1..127 under that at 127: amplitude goes with its square, as in SFZ and SoundFont 2."""
    return 40.0 * math.log10(velocity / LOUDEST)


def layers(count: int) -> tuple[Layer, ...]:
    """All velocities in so many layers, the softest first. Raises SpecError."""
    if not 1 <= count <= MOST_LAYERS:
        raise SpecError(f"There can be 1 to {MOST_LAYERS} velocity layers; received {count}.")
    edges = [round(LOUDEST * at / count) for at in range(count + 1)]
    return tuple(Layer(low + 1, high) for low, high in itertools.pairwise(edges))


def zones(low: int, high: int, *, step: int) -> tuple[Zone, ...]:
    """Every `step`-th key from `low` to `high`; a key in between plays the nearest one's sample.

    Raises SpecError: keys that cannot be rendered, or none.
    """
    if not LOWEST_MIDI <= low <= high <= HIGHEST_MIDI:
        allowed = f"{note_name(LOWEST_MIDI)} to {note_name(HIGHEST_MIDI)} (MIDI {LOWEST_MIDI} to {HIGHEST_MIDI})"
        raise SpecError(f"Keys must rise within {allowed}; received {low} to {high}.")
    if not 1 <= step <= 24:
        raise SpecError(f"Every 1st to 24th key can be rendered; received a step of {step}.")
    return around(tuple(range(low, high + 1, step)), low=low, high=high)


def around(roots: tuple[int, ...], *, low: int, high: int) -> tuple[Zone, ...]:
    """Zones of rising keys, split half-way between two."""
    splits = [(below + above) // 2 for below, above in itertools.pairwise(roots)]
    lows, highs = [low, *(split + 1 for split in splits)], [*splits, high]
    return tuple(Zone(*three) for three in zip(roots, lows, highs, strict=True))


def key_range(text: str) -> tuple[int, int]:
    """`C2-C6` or `36-84` -> (36, 84), `C4` -> (60, 60). Raises SpecError, AudioError: a key that cannot be played."""
    found = _RANGE.fullmatch(text)
    if found is None:
        raise SpecError(f"{text!r} must be a key or a range of keys, such as C2-C6 or 36-84 (C4 is middle C, 60).")
    first, last = found.groups()
    low, high = (int(key) if key.isdigit() else round(midi_of(key)) for key in (first, last or first))
    return low, high
