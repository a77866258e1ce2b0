"""How far the page's knobs turn, what they can be set to, and what a browser may send for them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from synth_explorer.edits import SHAPES

LETTERS = ("A", "B", "C", "D")
NO_SOURCE, PRESET_SOUND = "Off", "Preset"
MIX_RANGE = (-0.3, 1.3)
CHANNELS_MOST = 64

TARGETS = ("loudness", "brightness", "pitch")
"""What oscillates, and what is drawn over time."""

OSCILLATIONS = {  # target -> (unit, largest depth, step)
    "loudness": ("dB", 12.0, 0.1),
    "brightness": ("octaves", 1.0, 0.01),
    "pitch": ("cents", 200.0, 1.0),
}
DIRECTIONS = 4
"""How many principal directions of a checkpoint's latent space have a knob."""

DIRECTION_KNOBS = tuple(f"direction_{number}" for number in range(1, DIRECTIONS + 1))

OSCILLATION_PARTS = ("rate_hz", "depth", "shape", "phase_turns", "fade_in_s")

LONGEST_S = 16.0
"""A note at most, whatever the checkpoint."""

RANGES = {
    "transpose": (-24.0, 24.0),
    "gain_db": (-24.0, 12.0),
    "brightness": (-1.0, 1.0),
    "noisiness_db": (-24.0, 24.0),
    "amount": (0.0, 1.0),
    **{f"osc_{target}_rate_hz": (0.1, 15.6) for target in TARGETS},
    **{f"osc_{target}_depth": (0.0, most) for target, (_, most, _) in OSCILLATIONS.items()},
    **{f"osc_{target}_phase_turns": (0.0, 1.0) for target in TARGETS},
    **{f"osc_{target}_fade_in_s": (0.0, 4.0) for target in TARGETS},
    "attack_s": (0.0, 2.0),
    "stretch": (0.25, 4.0),
    "freeze_at_s": (0.0, LONGEST_S),
    "freeze_hold_s": (0.0, 10.0),
    "trim_start_s": (0.0, LONGEST_S),
    "trim_end_s": (0.0, LONGEST_S),
    "env_attack_s": (0.0, 2.0),
    "env_decay_s": (0.0, 2.0),
    "env_sustain_db": (-48.0, 0.0),
    "env_release_s": (0.0, 3.0),
    **{name: (-2.0, 2.0) for name in DIRECTION_KNOBS},
    "raw_scale": (-3.0, 3.0),
    "raw_add": (-3.0, 3.0),
    "raw_depth": (0.0, 3.0),
    "raw_rate_hz": (0.1, 15.6),
}
"""How far the knobs of the edits turn."""

MORPH_RANGES = {"mix": MIX_RANGE, "x": (0.0, 1.0), "y": (0.0, 1.0), "pitch_midi": (21.0, 108.0)}

CHOICES: dict[str, tuple[Any, ...]] = {  # knobs that are chosen, not turned
    "count": (2, 3, 4),
    "toward": (NO_SOURCE, *LETTERS, PRESET_SOUND),
    **{f"osc_{target}_shape": SHAPES for target in TARGETS},
}
SWITCHES = ("set_pitch", "reverse", "freeze")

CURVES = {  # what is drawn -> (lowest, highest)
    "across": MIX_RANGE,
    "up": (0.0, 1.0),
    "loudness": (-48.0, 12.0),
    "brightness": (-2.0, 2.0),
    "pitch": (-1200.0, 1200.0),
}
MORPH_CURVES = ("across", "up")
POINTS_MOST = 32
LATEST_POINT_S = 60.0

Points = tuple[tuple[float, float], ...]
Curves = tuple[tuple[str, Points], ...]


def clamp(value: Any, low: float, high: float, *, otherwise: float) -> float:
    """`value` as a number from low to high; `otherwise` when it is no number."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return otherwise
    return min(max(number, low), high) if math.isfinite(number) else otherwise


def channel_numbers(given: Any) -> tuple[int, ...]:
    """Channels that a browser sent, in order and each once; what is no channel is left out."""
    given = given if isinstance(given, list | tuple) else ()
    return tuple(sorted({value for value in given if type(value) is int and 0 <= value < CHANNELS_MOST}))


def targets(given: Any) -> tuple[str, ...]:
    """The targets among what a browser sent, in their own order."""
    given = given if isinstance(given, list | tuple) else ()
    return tuple(target for target in TARGETS if target in given)


def curves(given: Any) -> Curves:
    """What was drawn: {"points": {target: [[time_s, value], ...]}} -> ((target, points), ...).

    Values are brought into range, points into the order of their times, one for each time, at most `POINTS_MOST`; what
    is no point is left out, and so is a curve without points.
    """
    drawn = given.get("points") if isinstance(given, Mapping) else None
    if not isinstance(drawn, Mapping):
        return ()
    found = ((target, _points(drawn.get(target), *range_)) for target, range_ in CURVES.items())
    return tuple((target, points) for target, points in found if points)


def _points(given: Any, low: float, high: float) -> Points:
    given = given if isinstance(given, list | tuple) else ()
    at: dict[float, float] = {}
    for pair in given[:POINTS_MOST]:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            continue
        time_s = clamp(pair[0], 0.0, LATEST_POINT_S, otherwise=math.nan)
        value = clamp(pair[1], low, high, otherwise=math.nan)
        if not math.isnan(time_s + value):
            at[round(time_s, 3)] = round(value, 4)
    return tuple(sorted(at.items()))
