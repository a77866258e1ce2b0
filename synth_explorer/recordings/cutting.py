"""A recording of many notes, cut into them: where each begins and ends, what it is, which are alike.

Shapes: T samples, N notes, M bands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from synth_explorer import measure
from synth_explorer.audio import resample
from synth_explorer.errors import AudioError
from synth_explorer.explorer import Explorer
from synth_explorer.pitch import HeardPitch, doubt, note_name
from synth_explorer.recordings.onsets import SAMPLE_RATE_HZ, find_onsets

LONGEST_S = 1200.0  # of a recording that is listened to
BEFORE_S = 0.02  # kept before an onset
FADE_S = 0.005
LEVEL_S = 0.02
ENDED_DB = 50.0  # under the note's loudest moment, or near the floor of the recording, it has ended
FLOOR_DB = 6.0
SHORTEST_S = 0.06
SOFTEST_DB = 50.0  # under the loudest note: what is softer is no note
ALIKE_DB = 4.0  # mean distance of the spectra of two notes that are told as the same, at most
ALIKE_SEMITONES = 0.5
UNPITCHED = ("chord", "unpitched")

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class RecordedNote:
    """One note of a recording."""

    onset_s: float  # where it begins in the recording
    duration_s: float  # until it has died away or the next one begins
    heard: HeardPitch  # its pitch, and how sure that is
    loudness_db: float  # see `measure.loudness_db`
    brightness_octaves: float  # see `measure.brightness_octaves`
    spectrum_db: np.ndarray  # how it sounds on the whole [M], see `measure.mean_spectrum_db`
    group: int = 0  # notes of one number are the same note again, counted from 1 by their first appearance
    rank: int = 0  # of the notes that are proposed, one a group, from 1: how much of the recording its group is; 0: not

    @property
    def pitch_midi(self) -> float | None:
        """Its pitch; None for a chord, a drum, noise: nothing is claimed that was not heard."""
        return None if self.heard.kind in UNPITCHED else self.heard.midi

    @property
    def name(self) -> str:
        """What it is, in a word: C4, chord, unpitched."""
        return self.heard.kind if self.pitch_midi is None else note_name(self.heard.midi)

    @property
    def doubt(self) -> str:
        """What is to be said beside its pitch; "" where that is sure."""
        return doubt(self.heard.midi, self.heard.confidence, self.heard.kind)


def cut(
    audio: np.ndarray,
    explorer: Explorer,
    *,
    sample_rate_hz: int,
    name: str = "The recording",
    progress: Progress | None = None,
) -> list[RecordedNote]:
    """The notes of a recording [T], in time's order.

    `explorer`: whose pitch head listens. `progress`: called with notes done and notes in all. Raises AudioError: a
    recording in which no note is found.
    """
    at_onsets_rate = resample(audio, source_rate_hz=sample_rate_hz, sample_rate_hz=SAMPLE_RATE_HZ)
    at_checkpoint = resample(audio, source_rate_hz=sample_rate_hz, sample_rate_hz=explorer.sample_rate_hz)
    spans, found = list(_spans(at_onsets_rate)), []
    for done, (start_s, end_s) in enumerate(spans):
        rate = explorer.sample_rate_hz
        sound = at_checkpoint[int(start_s * rate) : int(end_s * rate)]
        found.append(
            RecordedNote(
                start_s,
                end_s - start_s,
                explorer.estimate_pitch(sound),
                measure.loudness_db(sound, sample_rate_hz=rate),
                measure.brightness_octaves(sound, sample_rate_hz=rate),
                measure.mean_spectrum_db(sound, sample_rate_hz=rate),
            )
        )
        if progress is not None:
            progress(done + 1, len(spans))
    if not found:
        raise AudioError(f"{name} has no note that is found: nothing begins that can be told from what lies before.")
    return ranked(grouped(found))


def _spans(audio: np.ndarray) -> Iterator[tuple[float, float]]:
    """Onset and end in seconds of each note of a recording [T] at `SAMPLE_RATE_HZ`."""
    hop = int(LEVEL_S * SAMPLE_RATE_HZ)
    power = np.square(np.pad(audio, (0, -len(audio) % hop)), dtype=np.float64).reshape(-1, hop).mean(axis=1)
    level_db = 10.0 * np.log10(power + 1e-12)
    loudest_db, floor_db = float(level_db.max()), float(np.percentile(level_db, 2))
    for onset, following in pairwise([*find_onsets(audio), len(audio)]):
        levels = level_db[onset // hop : -(-following // hop)]
        peak_db = float(levels.max())
        ended_db = max(peak_db - ENDED_DB, min(floor_db + FLOOR_DB, peak_db - FLOOR_DB))
        sounding = np.flatnonzero(levels >= ended_db)
        end = min(following, (onset // hop + int(sounding[-1]) + 1) * hop)
        if end - onset >= SHORTEST_S * SAMPLE_RATE_HZ and peak_db >= loudest_db - SOFTEST_DB:
            yield onset / SAMPLE_RATE_HZ, end / SAMPLE_RATE_HZ


def grouped(notes: list[RecordedNote]) -> list[RecordedNote]:
    """The notes with their groups: each joins the first note of the group that it is most like, or begins one."""
    leaders: list[RecordedNote] = []
    found = []
    for note in notes:
        distances = [_distance_db(note, leader) for leader in leaders]
        nearest = int(np.argmin(distances)) if distances else 0
        if not distances or distances[nearest] > ALIKE_DB:
            nearest = len(leaders)
            leaders.append(note)
        found.append(replace(note, group=nearest + 1))
    return found


def _distance_db(one: RecordedNote, other: RecordedNote) -> float:
    """Mean difference of two notes' spectra; infinite where they are not of one kind and pitch."""
    if (one.pitch_midi is None) != (other.pitch_midi is None) or one.heard.kind != other.heard.kind:
        return np.inf
    if one.pitch_midi is not None and abs(one.heard.midi - other.heard.midi) > ALIKE_SEMITONES:
        return np.inf
    return float(np.abs(one.spectrum_db - other.spectrum_db).mean())


def ranked(notes: list[RecordedNote]) -> list[RecordedNote]:
    """The notes with their ranks: of each group its most typical note among those that last."""
    groups: dict[int, list[RecordedNote]] = {}
    for note in notes:
        groups.setdefault(note.group, []).append(note)
    by_share = sorted(groups.values(), key=lambda group: (-sum(note.duration_s for note in group), group[0].group))
    ranks = {id(_typical(group)): rank for rank, group in enumerate(by_share, start=1)}
    return [replace(note, rank=ranks.get(id(note), 0)) for note in notes]


def _typical(group: list[RecordedNote]) -> RecordedNote:
    """The note nearest to its group's mean, of those at least half as long as the longest."""
    mean = np.mean([note.spectrum_db for note in group], axis=0)
    longest_s = max(note.duration_s for note in group)
    lasting = [note for note in group if note.duration_s >= longest_s / 2]
    return min(lasting, key=lambda note: float(np.abs(note.spectrum_db - mean).mean()))


def sound_of(note: RecordedNote, audio: np.ndarray, *, sample_rate_hz: int) -> np.ndarray:
    """The part of a recording [T] that is a note, from just before its onset on, with short fades."""
    start = max(0, int((note.onset_s - BEFORE_S) * sample_rate_hz))
    sound = audio[start : int((note.onset_s + note.duration_s) * sample_rate_hz)].copy()
    fade = np.linspace(0.0, 1.0, int(FADE_S * sample_rate_hz), dtype=np.float32)
    sound[: len(fade)] *= fade
    sound[len(sound) - len(fade) :] *= fade[::-1]
    return sound
