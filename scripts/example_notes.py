"""The example notes that come with the program, rebuilt from the two SoundFonts that they were rendered from.

python scripts/example_notes.py FluidR3_GM.sf2 MuseScore_General_Full.sf2 OUT
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from synth_explorer import audio
from synth_explorer.data.cleaning import remove_rumble
from synth_explorer.data.general_midi import family_of
from synth_explorer.data.soundfont import SYNTH_RATE_HZ, Player
from synth_explorer.errors import DataError
from synth_explorer.files import atomic_path

SAMPLE_RATE_HZ = 48_000
VELOCITY = 100
HELD_S, TOTAL_S, LEAD_IN_S, FADE_OUT_S = 2.6, 3.4, 0.03, 0.05
PEAK_DB = -6.0
COLUMNS = ("path", "name", "family", "pitch", "velocity", "source", "licence")
FLUID, MUSESCORE = "FluidR3_GM", "MuseScore_General_Full"


class Example(NamedTuple):
    """One note to render: its name for people, the SoundFont, the preset and the key."""

    name: str
    font: str
    bank: int
    program: int
    key: int


EXAMPLES = (
    Example("Grand Piano", MUSESCORE, 0, 0, 60),
    Example("Electric Piano", MUSESCORE, 0, 4, 60),
    Example("Harpsichord", FLUID, 0, 6, 60),
    Example("Celesta", FLUID, 0, 8, 72),
    Example("Glockenspiel", FLUID, 0, 9, 84),
    Example("Music Box", FLUID, 0, 10, 72),
    Example("Vibraphone", FLUID, 0, 11, 60),
    Example("Marimba", FLUID, 0, 12, 60),
    Example("Kalimba", MUSESCORE, 0, 108, 60),
    Example("Steel Drums", MUSESCORE, 0, 114, 60),
    Example("Church Organ", MUSESCORE, 0, 19, 60),
    Example("Reed Organ", FLUID, 0, 20, 60),
    Example("Accordion", MUSESCORE, 0, 21, 60),
    Example("Harmonica", FLUID, 0, 22, 60),
    Example("Nylon Guitar", MUSESCORE, 0, 24, 60),
    Example("Steel Guitar", FLUID, 0, 25, 60),
    Example("Jazz Guitar", FLUID, 0, 26, 60),
    Example("Distortion Guitar", FLUID, 0, 30, 48),
    Example("Acoustic Bass", MUSESCORE, 0, 32, 36),
    Example("Slap Bass", FLUID, 0, 36, 36),
    Example("Synth Bass", FLUID, 0, 38, 48),
    Example("Violin", MUSESCORE, 0, 40, 60),
    Example("Viola", FLUID, 0, 41, 60),
    Example("Cello", MUSESCORE, 0, 42, 60),
    Example("Contrabass", FLUID, 0, 43, 48),
    Example("String Section", MUSESCORE, 0, 48, 60),
    Example("Pizzicato", MUSESCORE, 0, 45, 60),
    Example("Harp", FLUID, 0, 46, 60),
    Example("Sitar", FLUID, 0, 104, 60),
    Example("Banjo", MUSESCORE, 0, 105, 60),
    Example("Choir Aahs", MUSESCORE, 0, 52, 60),
    Example("Voice Oohs", FLUID, 0, 53, 60),
    Example("Trumpet", MUSESCORE, 0, 56, 60),
    Example("Trombone", FLUID, 0, 57, 60),
    Example("Tuba", MUSESCORE, 0, 58, 48),
    Example("French Horns", MUSESCORE, 0, 60, 60),
    Example("Alto Sax", MUSESCORE, 0, 65, 60),
    Example("Oboe", MUSESCORE, 0, 68, 60),
    Example("Bassoon", FLUID, 0, 70, 48),
    Example("Clarinet", FLUID, 0, 71, 60),
    Example("Flute", FLUID, 0, 73, 60),
    Example("Recorder", MUSESCORE, 0, 74, 72),
    Example("Pan Flute", FLUID, 0, 75, 60),
    Example("Square Lead", FLUID, 0, 80, 60),
    Example("Saw Lead", MUSESCORE, 0, 81, 60),
    Example("Warm Pad", MUSESCORE, 0, 89, 60),
)


def build_examples(soundfonts: Sequence[Path | str], out: Path | str) -> Path:
    """Render the example notes and their index.

    `soundfonts`: paths of FluidR3_GM.sf2 and MuseScore_General_Full.sf2, in any order. `out`: folder for the FLAC files
    (16 bits, mono, 48 kHz) and index.csv. Returns the folder. Raises DataError: when one of the two SoundFonts is not
    given or cannot be read.
    """
    out = Path(out)
    paths = {Path(path).stem: Path(path) for path in soundfonts}
    missing = [name for name in (FLUID, MUSESCORE) if name not in paths]
    if missing:
        raise DataError(f"The example notes need {' and '.join(f'{name}.sf2' for name in missing)}: give their paths.")
    players = {name: Player(paths[name]) for name in (FLUID, MUSESCORE)}
    rows = []
    for example in EXAMPLES:
        path = f"{example.name.lower().replace(' ', '_')}.flac"
        audio.save(out / path, _render(example, players[example.font]), sample_rate_hz=SAMPLE_RATE_HZ)
        rows.append((path, example.name, family_of(example.program), example.key, VELOCITY, example.font, "MIT"))
    with atomic_path(out / "index.csv") as temporary, temporary.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])
    return out


def _render(example: Example, player: Player) -> np.ndarray:
    """One note, float32 [T] on the 16-bit grid, its peak at -6 dBFS."""
    import soxr

    player.select(example.bank, example.program)
    raw = player.note(example.key, VELOCITY, held_s=HELD_S, total_s=TOTAL_S)
    sound = remove_rumble(soxr.resample(raw, SYNTH_RATE_HZ, SAMPLE_RATE_HZ), sample_rate_hz=SAMPLE_RATE_HZ)
    fade = round(FADE_OUT_S * SAMPLE_RATE_HZ)
    sound[-fade:] *= np.linspace(1.0, 0.0, fade)
    sound = np.pad(sound, (round(LEAD_IN_S * SAMPLE_RATE_HZ), 0)) * 10 ** (PEAK_DB / 20) / np.max(np.abs(sound))
    return (np.round(sound * 32768) / 32768).astype(np.float32)


if __name__ == "__main__":
    *fonts, out = sys.argv[1:]
    sys.stdout.write(f"{build_examples(fonts, out)}\n")
