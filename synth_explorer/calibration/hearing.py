"""What is heard of a sound, as numbers whose differences are in the units of `edits.UNITS`.

Shapes: T samples.
"""

from __future__ import annotations

import numpy as np

from synth_explorer import measure
from synth_explorer.edits import UNITS

NAMES = tuple(UNITS)
"""What controls are named after, and principal directions described by."""

APART = ("loudness", "brightness", "noisiness", "attack", "pitch")
"""What a control must not move more than itself; spread and hollowness follow brightness in most sounds."""

SPAN = {
    "loudness": 6.0,
    "brightness": 0.5,
    "noisiness": 6.0,
    "attack": 1.0,
    "pitch": 100.0,
    "spread": 0.5,
    "hollowness": 6.0,
}
"""A change that is clearly heard of each, in its unit: controls are swept by it, side effects are told in it."""

SHORTEST_ATTACK_S = 0.001


def describe(audio: np.ndarray, *, sample_rate_hz: int, pitch_hz: float) -> dict[str, float]:
    """Everything that is heard of a sound but its pitch.

    `pitch_hz`: of it, NaN where there is none. Returns by name: RMS in dB, log2 of the spectral centroid in Hz, noise
    against partials in dB, log2 of the seconds from 10 to 90 % of the loudest amplitude, log2 of the spectrum's width
    in Hz, odd partials against even ones in dB. NaN for what does not exist in this sound.
    """
    rate = {"sample_rate_hz": sample_rate_hz}
    if not audio.any():
        return dict.fromkeys([name for name in NAMES if name != "pitch"], float("nan"))
    attack_s = max(measure.attack_time_ms(audio, **rate) / 1000.0, SHORTEST_ATTACK_S)
    return {
        "loudness": measure.rms_db(audio),
        "brightness": measure.brightness_octaves(audio, **rate),
        "noisiness": measure.noisiness_db(audio, **rate, pitch_hz=pitch_hz),
        "attack": float(np.log2(attack_s)),
        "spread": measure.spread_octaves(audio, **rate),
        "hollowness": measure.hollowness_db(audio, **rate, pitch_hz=pitch_hz),
    }


def changes(
    before: np.ndarray,
    after: np.ndarray,
    *,
    sample_rate_hz: int,
    pitch_hz: float,
    expected_cents: float,
    own: dict[str, float],
) -> dict[str, float]:
    """What is heard to change from one sound to another, by name, in the units of `edits.UNITS`.

    Args:
        pitch_hz: of the first, NaN where there is none.
        expected_cents: where the pitch is sought; NaN where nothing is known, so that it is estimated.
        own: what `describe` says of the first.
    """
    cents = float("nan")
    after_hz = pitch_hz * 2.0 ** (expected_cents / 1200.0)
    if np.isnan(after_hz) and np.isfinite(pitch_hz) and after.any():
        after_hz = measure.pitch_hz(after, sample_rate_hz=sample_rate_hz)
    inside = all(measure.LOWEST_HZ <= hz <= measure.HIGHEST_HZ for hz in (pitch_hz, after_hz))
    if inside and before.any() and after.any():
        cents = measure.pitch_cents_difference(
            before, after, sample_rate_hz=sample_rate_hz, around_hz=(pitch_hz, after_hz)
        )
    new = describe(after, sample_rate_hz=sample_rate_hz, pitch_hz=after_hz)
    return {name: new[name] - own[name] for name in own} | {"pitch": float(cents)}
