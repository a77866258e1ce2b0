"""Notes at other pitches of their instrument, against the real notes there: `measure.log_mel_distance_db`.

    python scripts/compare_pitches.py data/sfz48 -o report.json

Each note is encoded, brought to the pitch of another recording of the same instrument and velocity, decoded by the fast
decoder and compared with that recording. Beside it stand the recording itself, encoded and decoded at its own pitch;
plain resampling, as in a sampler; and, where the instrument was recorded on both sides of that pitch, the mix of the
two nearest recordings (`Mix(by_pitch=True)`) beside the nearest alone.
"""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from synth_explorer.audio import resample
from synth_explorer.data.dataset import NotesDataset
from synth_explorer.edits import EditChain, SetPitch
from synth_explorer.explorer import Explorer
from synth_explorer.latents import Latents, weights_by_pitch
from synth_explorer.measure import log_mel_distance_db

FAR, OCTAVE = 7.5, 12.5  # semitones: up to a fifth, up to an octave
NOTES_EACH, PAIRS_EACH = 5, 12


class Heard(NamedTuple):
    """A recording, and what was heard of it."""

    kind: tuple[str, int]  # instrument and velocity
    latents: Latents
    sound: np.ndarray  # from the latents' first sample on


def main() -> None:
    """Parse, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--checkpoint", default="default")
    parser.add_argument("--split", help="train, validation or test; else all")
    parser.add_argument("--fit-steps", type=int, default=22)
    parser.add_argument("-o", "--out", type=Path, required=True)
    given = parser.parse_args()
    explorer = Explorer.load(given.checkpoint)
    heard = _heard(explorer, NotesDataset(given.dataset), given.split, given.fit_steps)
    rows = [_pair(explorer, *pair) for pair in _pairs(heard)]
    between = [_between(explorer, *three) for three in _threes(heard)]
    report = {
        "notes": len(heard),
        "own": _mean([_distance(one, explorer.decode(one.latents)) for one in heard]),
        "up_to_a_fifth": _summary([row for row in rows if abs(row["semitones"]) <= FAR]),
        "up_to_an_octave": _summary([row for row in rows if abs(row["semitones"]) > FAR]),
        "between_two": _summary(between),
    }
    given.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def _heard(explorer: Explorer, dataset: NotesDataset, split: str | None, fit_steps: int) -> list[Heard]:
    """Recordings within an octave of one, of up to two velocities of each instrument."""
    rng, by_kind = np.random.default_rng(5), dict[tuple[str, int], list[int]]()
    for index in dataset.select(split=split) if split else range(len(dataset.rows)):
        row = dataset.rows[index]
        by_kind.setdefault((row.instrument, row.velocity), []).append(index)
    heard = []
    for instrument in sorted({kind[0] for kind in by_kind}):
        kinds = sorted(kind for kind in by_kind if kind[0] == instrument)
        for kind in rng.permutation(len(kinds))[:2].tolist():
            indices = by_kind[kinds[kind]]
            pitches = np.array([dataset.rows[index].pitch for index in indices])
            middle = rng.choice(np.sort(pitches)[len(pitches) // 4 : max(3 * len(pitches) // 4, 1)])
            near = np.flatnonzero(np.abs(pitches - middle) <= OCTAVE)
            for at in rng.permutation(near)[:NOTES_EACH].tolist():
                sound = dataset.audio(indices[at])
                latents = explorer.encode(sound, pitch=float(pitches[at]), fit_steps=fit_steps)
                heard.append(Heard(kinds[kind], latents, latents.heard_of(sound)))
    return heard


def _pairs(heard: list[Heard]) -> list[tuple[Heard, Heard]]:
    """Pairs from a semitone to an octave apart, alike many of each instrument."""
    rng, by_instrument = np.random.default_rng(2), dict[str, list[tuple[Heard, Heard]]]()
    for one in heard:
        for other in heard:
            if one.kind == other.kind and 0.5 < _apart(one, other) <= OCTAVE:
                by_instrument.setdefault(one.kind[0], []).append((one, other))
    return [pairs[i] for pairs in by_instrument.values() for i in rng.permutation(len(pairs))[:PAIRS_EACH].tolist()]


def _threes(heard: list[Heard]) -> list[tuple[Heard, Heard, Heard]]:
    """Recordings with the nearest ones below and above them."""
    found = []
    for one in heard:
        same = [other for other in heard if other.kind == one.kind and _apart(one, other) > 0.5]
        below = [other for other in same if _semitones(one, other) < 0]
        above = [other for other in same if _semitones(one, other) > 0]
        if below and above:
            found.append((one, *(min(side, key=partial(_apart, one)) for side in (below, above))))
    return found


def _semitones(one: Heard, other: Heard) -> float:
    return other.latents.pitch_midi - one.latents.pitch_midi


def _apart(one: Heard, other: Heard) -> float:
    return abs(_semitones(one, other))


def _pair(explorer: Explorer, one: Heard, other: Heard) -> dict[str, float]:
    ratio = 2.0 ** (_semitones(one, other) / 12.0)
    rate_hz = explorer.sample_rate_hz
    sampled = resample(one.sound, source_rate_hz=round(rate_hz * ratio), sample_rate_hz=rate_hz)
    made, plain = _distance(other, _at(explorer, one.latents, other)), _distance(other, sampled)
    return {"semitones": _semitones(one, other), "made": made, "sampler": plain, "nearer": float(made < plain)}


def _between(explorer: Explorer, one: Heard, below: Heard, above: Heard) -> dict[str, float]:
    two = [below.latents, above.latents]
    mixed = explorer.morph(two, weights_by_pitch([note.pitch_midi for note in two], one.latents.pitch_midi))
    nearest = min((below, above), key=partial(_apart, one))
    mix, alone = (_distance(one, _at(explorer, latents, one)) for latents in (mixed, nearest.latents))
    gap = above.latents.pitch_midi - below.latents.pitch_midi
    return {"gap_semitones": gap, "made": mix, "nearest_alone": alone, "nearer": float(mix < alone)}


def _at(explorer: Explorer, latents: Latents, other: Heard) -> np.ndarray:
    """The sound of latents at the pitch of another recording."""
    return explorer.decode(explorer.edit(latents, EditChain((SetPitch(midi=other.latents.pitch_midi),))))


def _distance(one: Heard, made: np.ndarray) -> float:
    size = min(one.sound.size, made.size)
    return log_mel_distance_db(one.sound[:size], made[:size], sample_rate_hz=one.latents.meta.sample_rate_hz)


def _mean(values: list[float]) -> float:
    return round(float(np.mean(values)), 3)


def _summary(rows: list[dict[str, float]]) -> dict[str, float]:
    means = {name: _mean([abs(row[name]) for row in rows]) for name in rows[0]} if rows else {}
    return {"count": len(rows)} | means


if __name__ == "__main__":
    main()
