"""The response of a checkpoint: what is heard when the latents of a few notes are moved and decoded.

Shapes: T samples, C channels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from synth_explorer import measure
from synth_explorer.calibration.hearing import NAMES, changes, describe
from synth_explorer.calibration.views import Note, note_pitch_hz
from synth_explorer.edits import Attack, Brightness, Edit, Gain, Noisiness, Transpose
from synth_explorer.errors import LatentsError
from synth_explorer.latents import Latents, midi_to_hz

if TYPE_CHECKING:
    from synth_explorer.explorer import Explorer

ATTACK_S = 0.1
"""Attacks are asked for in doublings of this."""


@dataclass(frozen=True, eq=False)
class Probe:
    """A note that is moved and decoded."""

    name: str  # of its file
    latents: Latents  # of its beginning
    audio: np.ndarray  # [T], decoded from them
    pitch_hz: float  # of it; NaN where there is none
    own: dict[str, float]  # what is heard of it, by name
    tones: np.ndarray | None  # [T], it without its noise, where the decoder makes noise apart from partials; else None


@dataclass(frozen=True)
class Swept:
    """A control that is swept.

    `apply`: moves a probe's latents so that a change by a number is heard, if it does what it says.
    """

    name: str  # of what it should move
    by: str  # how it is moved, in words
    asks: tuple[float, ...]  # what is asked of it in turn, in the unit of its name, without 0
    apply: Callable[[Probe, float], Latents]
    zero: float | None = None  # where the asks are no changes: what is asked for by 0, as `describe` tells it


def make_probe(explorer: Explorer, note: Note, *, stretch_s: float, decoding: dict[str, Any]) -> Probe:
    """Encode a note, cut it to its first seconds, decode it. Raises AudioError where it is no sound."""
    latents = explorer.encode(note.path, pitch=note.pitch)
    frames = max(2, round(stretch_s * latents.frame_rate_hz))
    if frames < latents.frames:
        latents = latents.first(frames, duration_samples=frames * explorer.hop)
    audio = explorer.decode(latents, **decoding)
    pitch_hz = note_pitch_hz(explorer, latents, note, audio)
    own = describe(audio, sample_rate_hz=explorer.sample_rate_hz, pitch_hz=pitch_hz)
    tones = explorer.decode(latents, **decoding, temperature=0.0) if explorer.has_pitch else None
    return Probe(note.path.name, latents, audio, pitch_hz, own, tones)


def hear(explorer: Explorer, probe: Probe, moved: Latents, *, decoding: dict[str, Any]) -> dict[str, float | None]:
    """What is heard to change when a probe's latents are replaced by others: by name, None where it can't be told.

    Where the decoder makes noise apart from partials, its level against theirs is heard by decoding without it;
    otherwise noise is what lies between the partials.
    """
    cents = 1200.0 * np.log2(midi_to_hz(moved.pitch_midi) / probe.pitch_hz) if moved.has_pitch else float("nan")
    try:
        after = explorer.decode(moved, **decoding)
        tones = None if probe.tones is None else explorer.decode(moved, **decoding, temperature=0.0)
    except LatentsError:  # too far from any note: heard as nothing, which no curve counts
        return dict.fromkeys(NAMES)
    found = changes(
        probe.audio,
        after,
        sample_rate_hz=explorer.sample_rate_hz,
        pitch_hz=probe.pitch_hz,
        expected_cents=cents,
        own=probe.own,
    )
    if tones is not None and probe.tones is not None:
        found["noisiness"] = _noise_db(after, tones) - _noise_db(probe.audio, probe.tones)
    return {name: value if np.isfinite(value) else None for name, value in found.items()}


def _noise_db(audio: np.ndarray, tones: np.ndarray) -> float:
    """Level of the noise against that of the partials in dB; NaN where there is one of them only."""
    noise = audio - tones
    return measure.rms_db(noise) - measure.rms_db(tones) if noise.any() and tones.any() else float("nan")


def built_in(explorer: Explorer) -> list[Swept]:
    """The controls that this checkpoint has without calibration, each by the formula of its edit."""
    controls = explorer.controls
    found: list[Swept] = []
    if controls.loudness is not None:
        by = f"channel {controls.loudness.channel}, tied in training"
        asks = (-18.0, -15.0, -12.0, -9.0, -6.0, -3.0, 3.0, 6.0, 9.0)
        found.append(Swept("loudness", by, asks, _by_edit(explorer, Gain)))
    if controls.brightness is not None:
        by = f"channel {controls.brightness.channel}, tied in training"
        asks = (-1.0, -0.75, -0.5, -0.25, -0.1, 0.1, 0.25, 0.5, 0.75, 1.0)
        found.append(Swept("brightness", by, asks, _by_edit(explorer, Brightness)))
    if explorer.has_pitch:
        asks = (-18.0, -12.0, -9.0, -6.0, -3.0, 3.0, 6.0, 9.0, 12.0)
        found.append(Swept("noisiness", "the decoder's own noise", asks, _by_edit(explorer, Noisiness)))
        asks = tuple(100.0 * semitones for semitones in (-12, -9, -7, -5, -2, 2, 5, 7, 9, 12))
        found.append(Swept("pitch", "the pitch track", asks, _by_edit(explorer, lambda cents: Transpose(cents / 100))))
    if controls.loudness is not None:
        asks = (-1.5, -1.0, -0.5, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0)
        by = f"time and the loudness channel, from {ATTACK_S:g} s on"
        found.append(Swept("attack", by, asks, _attack(explorer), zero=float(np.log2(ATTACK_S))))
    return found


def _by_edit(explorer: Explorer, edit: Callable[[float], Edit]) -> Callable[[Probe, float], Latents]:
    return lambda probe, amount: edit(amount).apply(probe.latents, explorer.controls)


def _attack(explorer: Explorer) -> Callable[[Probe, float], Latents]:
    """The attack becomes 2^amount times `ATTACK_S`."""
    return _by_edit(explorer, lambda amount: Attack(ATTACK_S * 2.0**amount))


def along(name: str, by: str, vector: np.ndarray, asks: tuple[float, ...]) -> Swept:
    """A control that moves all frames along a vector [C]."""

    def apply(probe: Probe, amount: float) -> Latents:
        return probe.latents.replace(z=probe.latents.z.astype(np.float64) + amount * vector)

    return Swept(name, by, asks, apply)
