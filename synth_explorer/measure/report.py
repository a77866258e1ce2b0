"""Requested against measured: what an edit did to the sound that was decoded, and what it left alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from synth_explorer.audio import check
from synth_explorer.edits.facts import TARGETS
from synth_explorer.edits.waves import FUNDAMENTAL
from synth_explorer.latents import hz_to_midi
from synth_explorer.measure.level import attack_time_ms, brightness_octaves, loudness_change_db, rms_db
from synth_explorer.measure.modulation import oscillation
from synth_explorer.measure.movement import against_source, pitch_movement, shift_cents
from synth_explorer.measure.pitch import HIGHEST_HZ, LOWEST_HZ, pitch_cents_difference
from synth_explorer.measure.shape import hollowness_db, spread_octaves


def compare(
    before: np.ndarray, after: np.ndarray, *, sample_rate_hz: int, pitch_hz: float | tuple[float, float] | None = None
) -> dict[str, float]:
    """What changed from one sound to another.

    Args:
        before: [T], the sound without the edit.
        after: [T'], the sound with it.
        pitch_hz: pitch of both, or a pair (before, after); None estimates it.

    Returns `gain_db`: change of RMS level; `loudness_db`: change of ITU-R BS.1770 loudness (see `loudness_change_db`);
    `brightness_octaves`: change of the log2 spectral centroid; `pitch_cents`. NaN where a figure does not exist.
    """
    before, after = check(before, name="before"), check(after, name="after")
    brightness = [brightness_octaves(part, sample_rate_hz=sample_rate_hz) for part in (before, after)]
    return {
        "gain_db": rms_db(after) - rms_db(before),
        "loudness_db": loudness_change_db(before, after, sample_rate_hz=sample_rate_hz),
        "brightness_octaves": brightness[1] - brightness[0],
        "pitch_cents": pitch_change_cents(before, after, sample_rate_hz=sample_rate_hz, pitch_hz=pitch_hz),
    }


def pitch_change_cents(
    before: np.ndarray, after: np.ndarray, *, sample_rate_hz: int, pitch_hz: float | tuple[float, float] | None = None
) -> float:
    """The change of pitch in cents, see `compare`; NaN where a pitch lies outside what can be measured.

    Where a pitch moves, frame by frame (see `movement.shift_cents`), which needs sounds of one length.
    """
    known = pitch_hz if isinstance(pitch_hz, tuple) else (pitch_hz,)
    if any(hz is not None and not LOWEST_HZ <= hz <= HIGHEST_HZ for hz in known):
        return float("nan")
    first_hz, last_hz = known[0], known[-1]
    if first_hz is not None and last_hz is not None:
        first = pitch_movement(before, sample_rate_hz=sample_rate_hz, around_hz=first_hz)
        if first.moves:
            if len(before) != len(after):
                return float("nan")
            last = pitch_movement(after, sample_rate_hz=sample_rate_hz, around_hz=last_hz)
            return shift_cents(first.midi, last.midi)
    return pitch_cents_difference(before, after, sample_rate_hz=sample_rate_hz, around_hz=pitch_hz)


def report(
    requested: Any,
    before: np.ndarray,
    after: np.ndarray,
    *,
    sample_rate_hz: int,
    pitch_hz: float | tuple[float, float] | None = None,
    swings_from: np.ndarray | None = None,
    source: np.ndarray | None = None,
) -> dict[str, dict[str, Any]]:
    """Set what an edit chain asked for against what is heard.

    Args:
        requested: an EditChain, or what its `requested()` returns.
        before: [T], decoded without the edits.
        after: [T'], decoded with them, from the same seed.
        pitch_hz: pitch before the edits (a requested shift is added for after), or a pair; None estimates it.
        swings_from: [T'], the sound without its oscillations but with all else, where the edits moved the note in
            time or pitch; None: `before`.
        source: [T], the recording that `before` was made from, on its time axis; None: there is none.

    Returns:
        {"requested": {...}, "measured": {...}}, and with a source {"source": `against_source` of `before`}.
        Measured are `gain_db`, `brightness_octaves`, `pitch_cents` and
        `loudness_db` always, since what was not asked for should have stayed at 0, and `osc_rate_hz` and `osc_depth`
        (in the target's unit) when an oscillation of loudness, brightness or pitch was asked for, `attack_s`,
        `spread_octaves`, `hollowness_db` and `duration_factor` when they were, the last unless something was cut or
        held too. A figure that does not exist (the pitch of a noise) is None, so that the report is valid JSON.
    """
    is_told = isinstance(requested, Mapping)
    asked = dict(cast("Mapping[str, Any]", requested if is_told else requested.requested()))
    before_hz = pitch_hz[0] if isinstance(pitch_hz, tuple) else pitch_hz
    if "pitch_midi" in asked and before_hz is not None:
        asked["pitch_cents"] = 100.0 * (asked["pitch_midi"] - hz_to_midi(before_hz))
    pair = pitch_hz
    if pitch_hz is not None and not isinstance(pitch_hz, tuple):
        pair = (pitch_hz, pitch_hz * 2.0 ** (asked.get("pitch_cents", 0.0) / 1200.0))
    measured = compare(before, after, sample_rate_hz=sample_rate_hz, pitch_hz=pair)
    if asked.get("osc_target") in TARGETS:
        own_hz = pair[1] if swings_from is not None and isinstance(pair, tuple) else before_hz
        rate_hz, depth = oscillation(
            after,
            before=before if swings_from is None else swings_from,
            sample_rate_hz=sample_rate_hz,
            target=asked["osc_target"],
            around_hz=own_hz,
        )
        measured |= {"osc_rate_hz": rate_hz, "osc_depth": depth / FUNDAMENTAL.get(asked.get("osc_shape", "sine"), 1.0)}
    if "attack_s" in asked:
        measured["attack_s"] = attack_time_ms(after, sample_rate_hz=sample_rate_hz) / 1000.0
    if "spread_octaves" in asked:
        heard = [spread_octaves(part, sample_rate_hz=sample_rate_hz) for part in (before, after)]
        measured["spread_octaves"] = heard[1] - heard[0]
    if "hollowness_db" in asked and isinstance(pair, tuple):
        both = zip((before, after), pair, strict=True)
        heard = [hollowness_db(part, sample_rate_hz=sample_rate_hz, pitch_hz=hz) for part, hz in both]
        measured["hollowness_db"] = heard[1] - heard[0]
    if "duration_factor" in asked and not asked.keys() & {"trim", "freeze"}:
        measured["duration_factor"] = len(after) / len(before)
    told: dict[str, dict[str, Any]] = {
        "requested": asked,
        "measured": {name: float(value) if np.isfinite(value) else None for name, value in measured.items()},
    }
    if source is not None:
        told["source"] = against_source(source, before, sample_rate_hz=sample_rate_hz, around_hz=before_hz)
    return told
