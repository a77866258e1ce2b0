"""What one sound has that another has not, in words for those who hear both."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from synth_explorer import measure
from synth_explorer.latents import midi_to_hz
from synth_explorer.pitch import note_name

if TYPE_CHECKING:
    from synth_explorer.rendering import Rendered

MORE_AND_LESS = {
    "loudness": ("louder", "softer"),
    "brightness": ("brighter", "darker"),
    "noisiness": ("noisier", "purer"),
    "attack": ("slower attack", "faster attack"),
    "pitch": ("higher", "lower"),
    "spread": ("wider", "narrower"),
    "hollowness": ("hollower", "fuller"),
}
"""What is heard when a measure rises, and when it falls."""

HEARD = {"brightness": 0.08, "loudness": 1.0, "noisiness": 2.0, "attack": 1.2}
"""The least that is told: octaves, dB, dB, and octaves of time."""

SHORTEST_MS = 10.0  # attacks below it are alike
SHARE_LEAST, SHARE_OF_MOST = 0.02, 0.5  # of a mix that is told, alone and beside the one that gains or loses most


def moved_words(direction: str, *, up: bool = True, but: Collection[str] = ()) -> list[str]:
    """What a step along a principal direction, by its name, makes of a sound; `up` False: against it.

    `but`: measures that are not told.
    """
    moves = re.findall(r"(\w+) ([+-])", direction)
    return [MORE_AND_LESS[kind][(sign == "-") == up] for kind, sign in moves if kind not in but]


def heard_words(sound: Rendered, other: Rendered) -> list[str]:
    """How a sound is heard beside another, what differs most first."""
    here, there = measures(sound), measures(other)
    apart = {kind: (here[kind] - there[kind]) / least for kind, least in HEARD.items()}
    told = [kind for kind in HEARD if abs(apart[kind]) >= 1.0]
    return [MORE_AND_LESS[kind][apart[kind] < 0] for kind in sorted(told, key=lambda kind: -abs(apart[kind]))]


def measures(sound: Rendered) -> dict[str, float]:
    """The measures of a sound that `HEARD` tells; NaN where it has one not."""
    audio, rate = sound.audio, {"sample_rate_hz": sound.sample_rate_hz}
    midi = sound.after.pitch_midi
    noisiness = math.nan if math.isnan(midi) else measure.noisiness_db(audio, **rate, pitch_hz=midi_to_hz(midi))
    return {
        "brightness": measure.brightness_octaves(audio, **rate),
        "loudness": measure.loudness_db(audio, **rate),
        "noisiness": noisiness,
        "attack": math.log2(max(measure.attack_time_ms(audio, **rate), SHORTEST_MS)),
    }


def mix_words(sound: Rendered, other: Rendered) -> list[str]:
    """Which notes a sound has more of than another of the same notes, which less of, and another pitch."""
    names = [source.name for source in sound.patch.sources]
    apart = [here - there for here, there in zip(sound.weights, other.weights, strict=True)]
    most = max(SHARE_LEAST, *(abs(share) * SHARE_OF_MOST for share in apart))
    more = [name for name, share in zip(names, apart, strict=True) if share >= most]
    less = [name for name, share in zip(names, apart, strict=True) if share <= -most]
    words = [f"more {' and '.join(more)}"] if more else [f"less {' and '.join(less)}"] if less else []
    here, there = (round(one.after.pitch_midi) if one.after.has_pitch else None for one in (sound, other))
    return words if here is None or here == there else [*words, note_name(here)]
