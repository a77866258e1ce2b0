"""How much of a song's form is heard: songs of bundled notes whose form is known, cut and told as a tree.

    python -m tests.recordings.structure_figures --songs 6

Three phrases of four to six notes follow each other eight times; one occurrence in four has one note exchanged, levels
differ by 1.5 dB and onsets by 12 ms, notes ring into each other. A pair of notes is planted where both are at the same
place of one phrase, and aligned where the tree has them at the same place of one part.
"""

from __future__ import annotations

import argparse
import sys
from itertools import combinations

import numpy as np

from synth_explorer.assets import example_notes
from synth_explorer.audio import find_onset, load
from synth_explorer.explorer import Explorer
from synth_explorer.recordings import RecordedNote, cut, structure
from synth_explorer.recordings.onsets import SAMPLE_RATE_HZ

APART_S, LASTS_S = 0.45, 0.42


def notes() -> list[np.ndarray]:
    """The bundled notes from their onsets on, faded out."""
    found = []
    for note in example_notes():
        sound = load(note.path, sample_rate_hz=SAMPLE_RATE_HZ)
        begin = find_onset(sound, sample_rate_hz=SAMPLE_RATE_HZ)
        sound = sound[begin : begin + int(LASTS_S * SAMPLE_RATE_HZ)].copy()
        sound[-800:] *= np.linspace(1, 0, 800, dtype=np.float32)
        found.append(sound)
    return found


def song(pool: list[np.ndarray], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, list[tuple[int, int, int]]]:
    """A song, its onsets in seconds, and of each note its phrase, its place there and which of the eight it is in."""
    phrases = [rng.choice(len(pool), rng.integers(4, 7), replace=False).tolist() for _ in range(3)]
    line, told = list[int](), list[tuple[int, int, int]]()
    for at, phrase in enumerate([0, 1, 0, 2, *rng.integers(0, 3, 4).tolist()]):
        played = list(phrases[phrase])
        if at and rng.random() < 0.25:
            played[rng.integers(1, len(played) - 1)] = int(rng.integers(len(pool)))
        line += played
        told += [(phrase, place, at) for place in range(len(played))]
    times_s = 0.4 + np.cumsum(np.full(len(line), APART_S)) + rng.normal(0, 0.012, len(line))
    sound = 1e-4 * rng.standard_normal(int((times_s[-1] + 1.0) * SAMPLE_RATE_HZ))
    for number, time_s in zip(line, times_s, strict=True):
        begin = int(time_s * SAMPLE_RATE_HZ)
        sound[begin : begin + len(pool[number])] += pool[number] * 10 ** (rng.normal(0, 1.5) / 20)
    return sound.astype(np.float32), times_s, told


def pairs(found: list[RecordedNote], times_s: np.ndarray, told: list[tuple[int, int, int]]) -> np.ndarray:
    """[3]: pairs that are planted, that are aligned, and that are both."""
    nearest = [int(np.argmin(np.abs(times_s - note.onset_s))) for note in found]
    places: list[set[tuple[int, int]]] = [set() for _ in found]
    for part in structure(found).walk():
        for number in range(part.first, part.end) if part.kind else ():
            places[number].add((part.kind, number - part.first))
    counts = np.zeros(3, int)
    for i, j in combinations(range(len(found)), 2):
        (*one, at), (*other, elsewhere) = told[nearest[i]], told[nearest[j]]
        is_planted, is_aligned = one == other and at != elsewhere, bool(places[i] & places[j])
        counts += is_planted, is_aligned, is_planted and is_aligned
    return counts


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--songs", type=int, default=6)
    explorer, rng, pool = Explorer.load("default-16k"), np.random.default_rng(7), notes()
    counts = np.zeros(3, int)
    for _ in range(parser.parse_args().songs):
        sound, times_s, told = song(pool, rng)
        counts += pairs(cut(sound, explorer, sample_rate_hz=SAMPLE_RATE_HZ), times_s, told)
    planted, aligned, both = counts
    sys.stdout.write(f"planted pairs that are aligned {both / planted:.0%} of {planted}, ")
    sys.stdout.write(f"aligned ones that are planted {both / aligned:.0%} of {aligned}\n")


if __name__ == "__main__":
    main()
