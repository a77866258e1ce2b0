"""Paired views of notes: latents on one side, what is heard in the same stretch of sound on the other.

Shapes: T samples, F frames, C channels, R rows, D descriptors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from synth_explorer import measure
from synth_explorer.calibration.hearing import NAMES, describe
from synth_explorer.latents import Latents, hz_to_midi, midi_to_hz

if TYPE_CHECKING:
    from synth_explorer.explorer import Explorer

WINDOW_S = 0.256
WINDOWS = 6
"""So many stretches of a note are looked at, at most."""

HEARD_RANGE_DB = 40.0


class Note(NamedTuple):
    """A note to calibrate on: its file, and its MIDI pitch where it is known."""

    path: Path
    pitch: float | None


@dataclass(frozen=True, eq=False)
class Views:
    """Rows of paired views.

    `heard`: [R, D], what is heard in it, in the order of `NAMES`; NaN where it is not. The attack is the whole note's
    and stands in the row of its beginning.
    """

    note: np.ndarray  # int [R], which note each row is of
    z: np.ndarray  # [R, C], mean latents of a stretch
    heard: np.ndarray
    means: np.ndarray  # [N, C], the mean sound of each note

    @classmethod
    def of(cls, found: Sequence[dict[str, Any]]) -> Views:
        """From what `look` returned for each note."""
        rows = [(i, row) for i, note in enumerate(found) for row in note["rows"]]
        return cls(
            np.array([i for i, _ in rows], int),
            np.array([row["z"] for _, row in rows], np.float64),
            np.array([row["heard"] for _, row in rows], np.float64),
            np.array([note["mean"] for note in found], np.float64),
        )


def look(explorer: Explorer, note: Note) -> dict[str, Any]:
    """The views of one note, as JSON has them: {"rows": [{"z": [C], "heard": [D]}], "mean": [C]}.

    Raises AudioError: it is not sound, or silent.
    """
    audio = explorer.read(note.path)
    latents = explorer.encode(audio, pitch=note.pitch, source=note.path.name)
    start, length = latents.meta.lead_in_samples, latents.duration_samples
    cut = np.pad(audio, (max(0, -start), max(0, start + length - len(audio))))[max(0, start) :][:length]
    rate = {"sample_rate_hz": explorer.sample_rate_hz}
    pitch_hz = note_pitch_hz(explorer, latents, note, cut)
    whole = describe(cut, **rate, pitch_hz=pitch_hz)
    frames = max(1, round(WINDOW_S * latents.frame_rate_hz))
    starts = _heard_starts(cut, latents, frames)
    rows = []
    for at, first in enumerate(starts):
        part = cut[first * explorer.hop : (first + frames) * explorer.hop]
        found = describe(part, **rate, pitch_hz=pitch_hz)
        found["attack"] = whole["attack"] if at == 0 else float("nan")
        found["pitch"] = 100.0 * hz_to_midi(pitch_hz) if np.isfinite(pitch_hz) else float("nan")
        z = latents.z[first : first + frames].astype(np.float64).mean(axis=0)
        rows.append({"z": z.tolist(), "heard": [found[name] for name in NAMES]})
    return {"rows": rows, "mean": explorer.controls.time_mean(latents).tolist()}


def note_pitch_hz(explorer: Explorer, latents: Latents, note: Note, audio: np.ndarray) -> float:
    """The pitch of a note: its latents', the one that is known, or what is measured; NaN where there is none."""
    if latents.has_pitch:
        return midi_to_hz(latents.pitch_midi)
    if note.pitch is not None:
        return midi_to_hz(note.pitch)
    return measure.pitch_hz(audio, sample_rate_hz=explorer.sample_rate_hz)


def _heard_starts(audio: np.ndarray, latents: Latents, frames: int) -> list[int]:
    """First frames of at most `WINDOWS` stretches that are heard, the beginning first, evenly spread."""
    hop = latents.meta.hop
    starts = range(0, max(1, latents.duration_samples // hop - frames + 1), frames)
    power = np.array([np.mean(audio[s * hop : (s + frames) * hop].astype(np.float64) ** 2) for s in starts])
    heard = [s for s, p in zip(starts, power, strict=True) if p > power.max() * 10.0 ** (-HEARD_RANGE_DB / 10.0)]
    if len(heard) <= WINDOWS:
        return heard
    return [heard[i] for i in np.linspace(0, len(heard) - 1, WINDOWS).astype(int)]
