"""How far the page's knobs turn, what they can be set to, and what a browser may send for them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from synth_explorer.edits import COARSE_DIGITS, SHAPES, TARGETS, UNITS, Curve, Direction, in_order
from synth_explorer.edits.timing import KNOB_S
from synth_explorer.errors import AudioError
from synth_explorer.latents.morph import MAX_WEIGHT, MIN_WEIGHT
from synth_explorer.pitch import HIGHEST_MIDI, LOWEST_MIDI, pitch_given
from synth_explorer.rendering.quantise import KEYS, OFF, SEMITONE

LETTERS = ("A", "B", "C", "D")
NO_SOURCE, PRESET_SOUND = "Off", "Preset"
MIX_RANGE = (MIN_WEIGHT, MAX_WEIGHT)
CHANNELS_MOST = 64

DIRECTIONS = Direction.KNOBS
"""How many principal directions of a checkpoint's latent space have a knob."""

LONGEST_S = KNOB_S
"""A note at most, whatever the checkpoint."""

OSCILLATION_PARTS = ("rate_hz", "depth", "shape", "phase_turns", "fade_in_s")

NUMBERS = {name: fact for edit in in_order() for name, fact in edit.knobs().items()}
"""What each knob of an edit turns, by the knob's name."""

RANGES = {name: (fact.slider.low, fact.slider.high) for name, fact in NUMBERS.items()}
"""How far the knobs of the edits turn."""

MORPH_RANGES = {
    "mix": MIX_RANGE,
    "x": (0.0, 1.0),
    "y": (0.0, 1.0),
    "pitch_midi": (float(LOWEST_MIDI), float(HIGHEST_MIDI)),
}
DECODING_RANGES = {"seed": (0, 2**31 - 1), "temperature": (0.0, 1.5)}
"""Of the decoder's random draws. How a sound is decoded is no edit: it stays where edits go to rest."""

IN_KEY = "key"
"""What snaps the pitch of the mix to the notes of the key that is chosen beside it."""

CHOICES: dict[str, tuple[Any, ...]] = {  # knobs that are chosen, not turned
    "count": (2, 3, 4),
    "toward": (NO_SOURCE, *LETTERS, PRESET_SOUND),
    "quantise": (SEMITONE, IN_KEY, OFF),
    "key": KEYS,
    **{f"osc_{target}_shape": SHAPES for target in TARGETS},
}
SWITCHES = ("by_pitch", "set_pitch", "reverse", "freeze", "open_loop")

CURVES = {  # what is drawn -> (lowest, highest)
    "across": MIX_RANGE,
    "up": (0.0, 1.0),
    **{target: (fact.slider.low, fact.slider.high) for target, fact in Curve.VALUES.items()},
}
CURVE_UNITS = {name: UNITS.get(name, "") for name in CURVES}
CURVE_DIGITS = {name: COARSE_DIGITS.get(unit, 2) for name, unit in CURVE_UNITS.items()}
MORPH_CURVES = ("across", "up")
POINTS_MOST = 32
LATEST_POINT_S = 60.0

Points = tuple[tuple[float, float], ...]
Curves = tuple[tuple[str, Points], ...]


def group(name: str) -> list[str]:
    """The knobs that stand in a part of the page, see `edits.Knob`."""
    return [knob for knob, fact in NUMBERS.items() if fact.slider.group == name]


DIRECTION_KNOBS = tuple(group("directions"))


def clamp(value: Any, low: float, high: float, *, otherwise: float) -> float:
    """`value` as a number from low to high; `otherwise` when it is no number."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return otherwise
    return min(max(number, low), high) if math.isfinite(number) else otherwise


def pitch_number(given: Any) -> Any:
    """A pitch that was written, "F#3" or "54", as its MIDI number; what is none stays as it is."""
    try:
        return pitch_given(given) if isinstance(given, str) else given
    except AudioError:
        return given


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
