"""Walking between notes: interpolation of latents by weights, fixed or over time, and the pad's weights.

Notes must be aligned at their onsets (audio.prepare does that), or a mix of them has two attacks.

Shapes: F frames, C channels, S sources.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from synth_explorer.errors import LatentsError
from synth_explorer.latents.note import FITTED, LOUDNESS_CHANNEL, Latents, closeness

LOUDNESS_FLOOR = -3.0
"""Where a loudness that is carried on beyond its note's end stops falling: -100 dB in the default convention."""

SLOPE_FRAMES = 8
"""A note's last slope is a line through the loudness of this many frames."""

MIN_WEIGHT, MAX_WEIGHT = -0.3, 1.3
"""A single weight may go this far beyond the notes (extrapolation)."""

ONE_PITCH = 0.5
"""Recordings that lie at most so many semitones apart are of one pitch."""

ONE_LEVEL_DB = 1.0
"""Recordings of one pitch whose levels lie at most so far apart were struck alike."""

LARGEST_WEIGHT = 1e100
"""Of what is brought to a sum of 1: the sum must not overflow."""


def interpolate(
    latents: Sequence[Latents],
    weights: Sequence[float],
    *,
    pitch_hz: float | None = None,
    loudness_channel: int | None = LOUDNESS_CHANNEL,
) -> Latents:
    """Mix notes by weights: z, detail, fine level and enhancement linearly (a note without has zeros), pitch in
    octaves, as is the end of the band where a recording has one.

    Notes of weight zero take no part, not even with their length; all others are padded to the longest: the last
    frame is held while its loudness goes on falling as it did at the note's end, so that a note which was cut
    while it sounded goes on and one which was dying away goes on dying.

    Args:
        weights: one for each; normalised to sum 1, each then within -0.3..1.3.
        pitch_hz: the median pitch of the mix; the deviations of each track from its own median (vibrato) are mixed
            and kept. None mixes the tracks themselves.
        loudness_channel: the channel that falls beyond a note's end; None holds every channel.

    Returns the mix. With a single weight that is not zero and no pitch_hz, it is that note itself. Raises LatentsError:
    weights that cannot be, notes of different checkpoints, or a pitch for latents without one.
    """
    notes = _check_notes(latents)
    parts = normalised(weights, count=len(notes))
    if pitch_hz is not None and not (math.isfinite(pitch_hz) and pitch_hz > 0):
        raise LatentsError(f"pitch_hz={pitch_hz} must be positive, or None to mix the pitches of the notes.")
    kept = [(note, part) for note, part in zip(notes, parts, strict=True) if part != 0.0]
    if len(kept) == 1 and pitch_hz is None:
        return kept[0][0]
    notes, parts = [note for note, _ in kept], [part for _, part in kept]
    frames = max(note.frames for note in notes)
    over_time = np.repeat(np.array(parts)[:, None], frames, axis=1)
    return _mix(notes, over_time, pitch_hz=pitch_hz, loudness_channel=loudness_channel)


def path(
    latents: Sequence[Latents],
    keyframes: Sequence[tuple[float, Sequence[float]]],
    *,
    pitch_hz: float | None = None,
    loudness_channel: int | None = LOUDNESS_CHANNEL,
) -> Latents:
    """Mix notes by weights that move linearly from keyframe to keyframe.

    Before the first keyframe its weights hold, after the last one its weights do. Each keyframe's weights follow the
    rules of `interpolate`, as do lengths and pitch. The path runs over the longest note that takes part.

    `keyframes`: (time_s, weights) with rising times, time 0 at the first frame. Raises LatentsError: no keyframes,
    times that do not rise, and as `interpolate`.
    """
    notes = _check_notes(latents)
    if not keyframes:
        raise LatentsError("A path needs at least one keyframe (time_s, weights).")
    times_s = [float(time_s) for time_s, _ in keyframes]
    if not all(math.isfinite(time_s) and time_s >= 0 for time_s in times_s) or np.any(np.diff(times_s) <= 0):
        raise LatentsError(f"Keyframe times must rise from 0 s or later; received {times_s}.")
    corners = np.array([normalised(weights, count=len(notes)) for _, weights in keyframes])  # [keyframes, S]
    kept = np.flatnonzero(np.any(corners != 0.0, axis=0))
    notes = [notes[index] for index in kept]
    frames = max(note.frames for note in notes)
    frame_s = np.arange(frames) / notes[0].frame_rate_hz
    over_time = np.stack([np.interp(frame_s, times_s, corners[:, index]) for index in kept])
    return _mix(notes, over_time, pitch_hz=pitch_hz, loudness_channel=loudness_channel)


def bilinear_weights(x: float, y: float) -> tuple[float, float, float, float]:
    """Weights of the corners of a pad: A bottom left, B bottom right, C top left, D top right.

    Raises LatentsError: x or y outside 0..1.
    """
    for name, value in (("x", x), ("y", y)):
        if not 0.0 <= value <= 1.0:
            raise LatentsError(f"{name}={value} must lie in 0..1.")
    return ((1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y)


def weights_by_pitch(
    pitches_midi: Sequence[float],
    midi: float,
    *,
    under_db: Sequence[float] | None = None,
    touch_db: float | None = None,
) -> tuple[float, ...]:
    """Weights of recordings of one instrument for a pitch: those of the nearest pitch below it and above it share
    linearly; beyond all of them the nearest is alone. Recordings of one pitch (see `ONE_PITCH`) share evenly, unless
    it is said how hard the note is struck: then those whose levels lie next to that share in the same way.

    `pitches_midi`: of each recording, finite. `under_db`: how far each lies under the loudest of its pitch, see
    `under_loudest_db`; `touch_db`: how far the note shall. Returns weights whose sum is 1.
    """
    weights = _shares(np.asarray(pitches_midi), midi, same=ONE_PITCH)
    if under_db is None or touch_db is None:
        return tuple(weights.tolist())
    levels_db = np.asarray(under_db)
    for group in _groups(np.asarray(pitches_midi), same=ONE_PITCH):
        weights[group] = weights[group].sum() * _shares(levels_db[group], touch_db, same=ONE_LEVEL_DB)
    return tuple(weights.tolist())


def under_loudest_db(pitches_midi: Sequence[float], levels_db: Sequence[float]) -> tuple[float, ...]:
    """How far each recording lies under the loudest of its pitch, at most 0."""
    levels = np.array(levels_db, dtype=np.float64)
    for group in _groups(np.asarray(pitches_midi), same=ONE_PITCH):
        levels[group] = levels[group] - levels[group].max()
    return tuple(levels.tolist())


def _groups(places: np.ndarray, *, same: float) -> list[np.ndarray]:
    """Indices of places in rising order, together where neighbours lie at most `same` apart."""
    order = np.argsort(places, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(places[order]) > same) + 1)


def _shares(places: np.ndarray, at: float, *, same: float) -> np.ndarray:
    """Weights of places by how near they lie: the two next to `at` share linearly, beyond all the nearest is alone.
    Those of one group share evenly."""
    groups, weights = _groups(places, same=same), np.zeros(len(places))
    middles = [float(places[group].mean()) for group in groups]
    for group, row in zip(groups, np.eye(len(groups)), strict=True):
        weights[group] = np.interp(at, middles, row) / group.size
    return weights


def pad_weights(n: int, x: float, y: float) -> tuple[float, ...]:
    """Weights of 1 to 4 notes at a point of the pad.

    Two notes lie left and right, and x may then go on to -0.3..1.3 (extrapolation) while y plays no part. Three lie
    bottom left, bottom right and along the whole top edge. Four lie in the corners of `bilinear_weights`.

    Raises LatentsError: n outside 1..4, or a point outside the pad.
    """
    if n == 1:
        return (1.0,)
    if n == 2:
        if not MIN_WEIGHT <= x <= MAX_WEIGHT:
            raise LatentsError(f"x={x} must lie in {MIN_WEIGHT}..{MAX_WEIGHT}.")
        return (1 - x, x)
    if n == 3:
        a, b, c, d = bilinear_weights(x, y)
        return (a, b, c + d)
    if n == 4:
        return bilinear_weights(x, y)
    raise LatentsError(f"The pad holds 1 to 4 notes; received {n}.")


def _check_notes(latents: Sequence[Latents]) -> list[Latents]:
    notes = list(latents)
    if not notes:
        raise LatentsError("There is nothing to mix; give at least one note.")
    first = notes[0].meta
    for note in notes[1:]:
        meta = note.meta
        if meta.checkpoint_hash != first.checkpoint_hash:
            raise LatentsError(
                f"Notes of different checkpoints cannot be mixed: {first.checkpoint!r} ({first.checkpoint_hash[:12]}) "
                f"and {meta.checkpoint!r} ({meta.checkpoint_hash[:12]}); encode both with one."
            )
        if (meta.sample_rate_hz, meta.hop, note.channels) != (first.sample_rate_hz, first.hop, notes[0].channels):
            raise LatentsError("Notes with different sample rates, hops or channel counts cannot be mixed.")
    for name in FITTED:
        if len({getattr(note, name).shape[1] for note in notes} - {0}) > 1:
            what = name.replace("_", " ")
            raise LatentsError(f"Notes with {what}s of different sizes cannot be mixed; encode them again.")
    return notes


def normalised(weights: Sequence[float], *, count: int) -> list[float]:
    """Weights that sum to 1, checked."""
    given = [float(weight) for weight in weights]
    if len(given) != count:
        raise LatentsError(f"{count} notes need {count} weights; received {len(given)}.")
    if not all(abs(weight) <= LARGEST_WEIGHT for weight in given):
        raise LatentsError(f"Weights must be numbers up to {LARGEST_WEIGHT:g}; received {given}.")
    total = math.fsum(given)
    if total < 1e-6:
        raise LatentsError(f"Weights must sum to more than 0; received {given}.")
    parts = given if abs(total - 1.0) < 1e-9 else [weight / total for weight in given]
    if not all(MIN_WEIGHT - 1e-9 <= part <= MAX_WEIGHT + 1e-9 for part in parts):
        shown = ", ".join(f"{part:g}" for part in parts)
        raise LatentsError(f"Each weight must lie in {MIN_WEIGHT}..{MAX_WEIGHT} when they sum to 1; these are {shown}.")
    return parts


def _mix(notes: list[Latents], weights: np.ndarray, *, pitch_hz: float | None, loudness_channel: int | None) -> Latents:
    """Mix notes by weights [S, F] that sum to 1 in every frame."""
    frames = weights.shape[1]
    z = np.zeros((frames, notes[0].channels))
    detail = np.zeros((frames, max(note.details for note in notes)))
    fine_level = np.zeros((frames, max(note.fine_level.shape[1] for note in notes)))
    enhancement = np.zeros((frames, max(note.enhancements for note in notes)))
    mixed_hz = _mix_pitch(notes, weights, pitch_hz=pitch_hz)
    longer = [_extend(note.z.astype(np.float64), frames, loudness_channel=loudness_channel) for note in notes]
    for note, own, weight in zip(notes, longer, weights, strict=True):
        z += weight[:, None] * own
        if note.details:
            detail += weight[:, None] * _extend(note.detail.astype(np.float64), frames, loudness_channel=None)
        if note.fine_level.size:
            fine_level[: note.frames] += weight[: note.frames, None] * note.fine_level
        if note.enhancements:
            part = weight[: note.frames, None] * closeness(note.pitch_hz, mixed_hz)
            enhancement[: note.frames] += part * note.enhancement
    if loudness_channel is not None:  # beyond a note that holds, one that has died away would make a roar
        loudest = np.max([own[:, loudness_channel] for own in longer], axis=0)
        z[:, loudness_channel] = np.minimum(z[:, loudness_channel], loudest)
    longest = max(notes, key=lambda note: note.duration_samples)
    mean_weights = weights.mean(axis=1)
    names = [f"{weight:.3g} {note.meta.source}".strip() for note, weight in zip(notes, mean_weights, strict=True)]
    lead_in = sum(weight * note.meta.lead_in_samples for note, weight in zip(notes, mean_weights, strict=True))
    noise_db = sum(weight * note.meta.noise_db for note, weight in zip(notes, mean_weights, strict=True))
    ends = [np.log(note.meta.bandwidth_hz or note.meta.sample_rate_hz / 2) for note in notes]
    limited = any(note.meta.bandwidth_hz for note in notes)
    own = {} if len(notes) == 1 else {"pitch_confidence": None, "pitch_kind": "", "loop": None, "notices": ()}
    return longest.replace(
        z=z,
        pitch_hz=mixed_hz,
        detail=detail,
        fine_level=fine_level,
        enhancement=enhancement,
        source=notes[0].meta.source if len(notes) == 1 else " + ".join(names),
        duration_samples=longest.duration_samples,
        lead_in_samples=round(float(lead_in)),
        noise_db=float(noise_db),
        bandwidth_hz=float(np.exp(mean_weights @ ends)) if limited else 0.0,
        **own,
    )


def _extend(z: np.ndarray, frames: int, *, loudness_channel: int | None) -> np.ndarray:
    """Hold the last frame of z [F, C] up to `frames`, its loudness falling at the note's own last slope."""
    missing = frames - len(z)
    if missing <= 0:
        return z
    held = np.repeat(z[-1:], missing, axis=0)
    if loudness_channel is not None:
        tail = z[-SLOPE_FRAMES:, loudness_channel]
        slope = float(np.polyfit(np.arange(tail.size), tail, 1)[0]) if tail.size > 1 else 0.0
        falling = float(tail[-1]) + min(slope, 0.0) * np.arange(1, missing + 1)
        held[:, loudness_channel] = np.maximum(falling, min(LOUDNESS_FLOOR, tail[-1]))
    return np.concatenate([z, held])


def _mix_pitch(notes: list[Latents], weights: np.ndarray, *, pitch_hz: float | None) -> np.ndarray:
    """Mix pitch tracks in octaves [F]; notes without pitch leave it to the others."""
    frames = int(weights.shape[1])
    voiced = [index for index, note in enumerate(notes) if note.has_pitch]
    if not voiced:
        if pitch_hz is not None:
            raise LatentsError(f"Checkpoint {notes[0].meta.checkpoint!r} keeps pitch inside z; it cannot be set.")
        return np.full(frames, np.nan)
    tracks = np.stack([_filled_octaves(notes[index].pitch_hz, frames) for index in voiced])
    medians = np.array([[np.log2(np.nanmedian(notes[index].pitch_hz.astype(np.float64)))] for index in voiced])
    parts = weights[voiced]
    total = parts.sum(axis=0)
    usable = total > 1e-3
    parts = np.where(usable, parts / np.where(usable, total, 1.0), 1.0 / len(voiced))
    if pitch_hz is None:
        return 2.0 ** (parts * tracks).sum(axis=0)
    return pitch_hz * 2.0 ** (parts * (tracks - medians)).sum(axis=0)


def _filled_octaves(pitch_hz: np.ndarray, frames: int) -> np.ndarray:
    """log2 of a pitch track, gaps bridged by straight lines, held to `frames`."""
    known = np.flatnonzero(np.isfinite(pitch_hz))
    return np.interp(np.arange(frames), known, np.log2(pitch_hz[known].astype(np.float64)))
