"""A pitch that moves: what it does, in words, and how closely one sound follows another, frame by frame.

Shapes: T samples, F frames.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from synth_explorer import pitch_path
from synth_explorer.audio import check
from synth_explorer.latents import hz_to_midi
from synth_explorer.measure.level import loudness_change_db
from synth_explorer.pitch import note_name

HOP_S = 0.032
NEAR_CENTS = 30.0
STILL_CENTS = 60.0  # a track within so much stands still
SAME_PATH_CENTS, SAME_PATH_SHARE = 50.0, 0.6  # so many frames so near the middle difference: the same path


class Movement(NamedTuple):
    """MIDI pitch every 32 ms [F], NaN where none is heard, and whether it moves further than a steady note does."""

    midi: np.ndarray
    moves: bool


def pitch_movement(audio: np.ndarray, *, sample_rate_hz: int, around_hz: float) -> Movement:
    """Follow the pitch of a sound [T] over the whole range; `around_hz` is its main pitch."""
    hop = round(HOP_S * sample_rate_hz)
    heard = pitch_path.listen(check(audio), midi=hz_to_midi(around_hz), sample_rate_hz=sample_rate_hz, hop=hop)
    return Movement(np.where(heard.voiced, heard.midi, np.nan), heard.moves)


def track_cents(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Cents [F] by which a MIDI track lies above another in each frame; NaN where one is not heard, or has ended."""
    count = min(len(before), len(after))
    return 100.0 * (np.asarray(after[:count], np.float64) - np.asarray(before[:count], np.float64))


def shift_cents(before: np.ndarray, after: np.ndarray, *, swings: bool = False) -> float:
    """How many cents a moving MIDI track lies above another [F] along the same path.

    The median over the frames; NaN unless 60 % of them lie within 50 cents of it. Of one that `swings` about a steady
    one it is the mean.
    """
    cents = track_cents(before, after)
    cents = cents[np.isfinite(cents)]
    if cents.size == 0:
        return float("nan")
    if swings:
        return float(np.mean(cents))
    middle = float(np.median(cents))
    return middle if np.mean(np.abs(cents - middle) <= SAME_PATH_CENTS) >= SAME_PATH_SHARE else float("nan")


def against_source(
    source: np.ndarray, result: np.ndarray, *, sample_rate_hz: int, around_hz: float | None
) -> dict[str, float | str | None]:
    """How a decoded sound follows the recording that it was made from.

    Args:
        source: [T], the recording, on the time axis of the result.
        result: [T'], the sound without edits.
        around_hz: the note's main pitch; None: none is known, and nothing is said of it.

    Returns:
        `pitch_abs_cents`: median over the frames in which the source's pitch is heard, one that is not heard in the
        result counting as far off; `pitch_within_30_cents`: their share, 0..1; `pitch_frames`: how many they are;
        `loudness_db`: how much louder the result is; `movement`: what the source's pitch does, in words. None where
        a figure does not exist.
    """
    told: dict[str, float | str | None] = {"pitch_abs_cents": None, "pitch_within_30_cents": None, "pitch_frames": 0.0}
    loudness = loudness_change_db(source, result, sample_rate_hz=sample_rate_hz) if np.any(source) else float("nan")
    told |= {"loudness_db": float(loudness) if np.isfinite(loudness) else None, "movement": None}
    if around_hz is None or not np.isfinite(around_hz) or not (np.any(source) and np.any(result)):
        return told
    tracks = [pitch_movement(part, sample_rate_hz=sample_rate_hz, around_hz=around_hz) for part in (source, result)]
    known = np.flatnonzero(np.isfinite(tracks[0].midi[: len(tracks[1].midi)]))
    if known.size == 0:
        return told
    off = np.abs(track_cents(tracks[0].midi, tracks[1].midi)[known])
    median = float(np.median(np.where(np.isfinite(off), off, np.inf)))
    return told | {
        "pitch_abs_cents": median if np.isfinite(median) else None,
        "pitch_within_30_cents": float(np.mean(off <= NEAR_CENTS)),
        "pitch_frames": float(known.size),
        "movement": movement_words(tracks[0].midi),
    }


def movement_words(midi: np.ndarray) -> str:
    """What a MIDI track [F] does, NaN unheard: "stays at C4", "moves from C4 to C5", "swings between .. and ..".

    Its ends are the medians of its first and last three heard frames; the furthest point between them is told when it
    lies further than a semitone outside of them.
    """
    heard = midi[np.isfinite(midi)]
    if heard.size == 0:
        return "is not heard"
    low, high = np.percentile(heard, [2.0, 98.0])
    if 100.0 * (high - low) < STILL_CENTS:
        return f"stays at {with_cents(float(np.median(heard)))}"
    middle = 0.5 * (low + high)
    side = np.sign(heard - middle)
    if np.sum(side[1:] != side[:-1]) >= 6:
        return f"swings by {50.0 * (high - low):.0f} cents about {with_cents(float(np.mean(heard)))}"
    first, last = (float(np.median(part)) for part in (heard[:3], heard[-3:]))
    over, under = high - max(first, last), min(first, last) - low
    furthest = float(high if over >= under else low)
    names = [note_name(first), *([note_name(furthest)] if max(over, under) > 1.0 else []), note_name(last)]
    if len(set(names)) == 1:
        return f"moves by {100.0 * (high - low):.0f} cents about {with_cents(first)}"
    by = f" by {names[1]}" if len(names) == 3 else ""
    return f"moves from {names[0]}{by} to {names[-1]}"


def with_cents(midi: float) -> str:
    """The nearest note, with the cents where it lies more than 30 from it: "C4", "A♯3 +35 cents"."""
    cents = 100.0 * (midi - round(midi))
    off = f" {cents:+.0f} cents".replace("-", "−") if abs(cents) > 30.0 else ""
    return note_name(midi) + off
