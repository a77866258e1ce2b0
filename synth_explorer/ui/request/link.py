"""A request in the words of an address: `a=Cello&b=Flute&x=0.3&gain_db=-6`.

It stands in the address bar behind `#`, and in the address of a sound behind `?`. It says the notes by the letters of
their slots, and only those knobs that are not at rest; a request that is read from it is the one that was written.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlencode

from synth_explorer.errors import EditError
from synth_explorer.explorer import FIT_STEPS
from synth_explorer.ui.request.knobs import CURVES, LETTERS
from synth_explorer.ui.request.settings import Settings
from synth_explorer.ui.request.sound_request import LONGEST, SoundRequest

CHECKPOINT = "default"  # of a link that names none
CURVE = "curve_"
SAFE = ",:@/-"  # as they are
FEWEST = 2  # notes


def encoded(request: SoundRequest) -> str:
    """The link of a request."""
    rest, said = Settings(), dict[str, str]()
    if request.checkpoint != CHECKPOINT:
        said["checkpoint"] = request.checkpoint
    said |= {letter.lower(): token for letter, token in zip(LETTERS, request.tokens, strict=True) if token}
    if request.settings.count != _count(said):
        said["count"] = str(request.settings.count)
    for name in Settings.names():
        value = getattr(request.settings, name)
        if name == "curves":
            said |= {CURVE + target: ",".join(f"{_word(t)}:{_word(v)}" for t, v in points) for target, points in value}
        elif name != "count" and value != getattr(rest, name):
            said[name] = _word(value)
    if request.fit_steps is not None:  # always: what is usual may change
        said["fit"] = str(request.fit_steps)
    if request.preset_mean is not None:
        said["mean"] = json.dumps(request.preset_mean, separators=(",", ":"))
    return urlencode(said, safe=SAFE)


def decoded(text: Any) -> SoundRequest:
    """The request of a link; knobs that it does not say are at rest, and its notes are listened to again as is usual.

    Raises EditError: it is none.
    """
    try:
        if not isinstance(text, str) or len(text) > LONGEST:
            raise ValueError
        said = dict(parse_qsl(text, strict_parsing=True, errors="strict"))
        tokens = [said.get(letter.lower(), "") for letter in LETTERS]
        if not any(tokens):
            raise ValueError
        knobs: dict[str, Any] = {name: _value(name, said[name]) for name in Settings.names() if name in said}
        knobs["count"] = int(said["count"]) if "count" in said else _count(said)
        points = {target: _points(said[CURVE + target]) for target in CURVES if CURVE + target in said}
        request = {
            "checkpoint": said.get("checkpoint", CHECKPOINT),
            "sources": tokens,
            "knobs": knobs | {"curves": {"points": points}},
            "fit": int(said.get("fit", FIT_STEPS)),
            "mean": json.loads(said["mean"]) if "mean" in said else None,
        }
        return SoundRequest.from_json(json.dumps(request))
    except (ValueError, EditError, RecursionError):
        raise EditError("The link says no sound; write notes and knobs, as in a=Cello&b=Flute&mix=0.3.") from None


def _count(said: dict[str, str]) -> int:
    """How many notes take part where that is not said: those that there are."""
    return max(FEWEST, *(index + 1 for index, letter in enumerate(LETTERS) if said.get(letter.lower())), 0)


def _word(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(map(_word, value))
    if isinstance(value, bool):
        return str(int(value))
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _value(name: str, word: str) -> Any:
    """What a browser would send for a knob."""
    rest = getattr(Settings(), name)
    if isinstance(rest, bool):
        return word == "1"
    if isinstance(rest, float) and name != "pitch_midi":  # which may be a name
        return float(word)
    if isinstance(rest, tuple):
        return [int(part) if part.isdecimal() else part for part in word.split(",")]
    return word


def _points(words: str) -> list[list[float]]:
    return [[float(number) for number in point.split(":")] for point in words.split(",")]
