"""General MIDI programs: which family a program belongs to, which are left out, which share recordings."""

from __future__ import annotations

PERCUSSION_BANK = 128

_FAMILIES = (
    (0, 8, "keyboard"),
    (8, 16, "mallet"),
    (16, 24, "organ"),
    (24, 32, "guitar"),
    (32, 40, "bass"),
    (40, 45, "string"),
    (45, 47, "plucked"),
    (47, 48, "mallet"),
    (48, 52, "string"),
    (52, 55, "vocal"),
    (55, 56, "hit"),
    (56, 64, "brass"),
    (64, 72, "reed"),
    (72, 80, "flute"),
    (80, 88, "synth_lead"),
    (88, 96, "synth_pad"),
    (96, 104, "synth_pad"),
    (104, 108, "plucked"),
    (108, 109, "mallet"),
    (109, 110, "reed"),
    (110, 111, "string"),
    (111, 112, "reed"),
    (112, 113, "mallet"),
    (113, 114, "percussion"),
    (114, 115, "mallet"),
    (115, 120, "percussion"),
    (120, 128, "effect"),
)

#: Orchestra hit and fifth saw play chords; agogo, woodblock, drums, cymbal and effects have no pitch to keep.
LEFT_OUT = frozenset({47, 55, 86, 113, 115, 116, 117, 118, 119, *range(120, 128)})

#: Programs that are made of the same recordings are held out together: program -> the one that names the group.
_SHARED = {1: 0, 3: 0, 44: 48, 49: 48, 110: 40, 51: 50, 63: 62, 53: 52, 5: 4, 39: 38, 17: 16, 18: 16}


def family_of(program: int) -> str:
    """Family of a General MIDI program (0 to 127)."""
    return next(name for first, last, name in _FAMILIES if first <= program < last)


def group_of(program: int) -> str:
    """Group by which a program is held out: programs of the same recordings, in any bank and font, share it."""
    return f"gm_{_SHARED.get(program, program):03d}"
