"""Tags that measures give: qualities that have a stated place on a measured axis, with a probability.

A probability is a logistic function of the measure: 0.5 at `at`, 0.88 and 0.12 a `width` to either side. Where and how
wide is a convention that is stated here, not something that was learned.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

LEAST = 0.05  # likely that a tag is noted


class Rule(NamedTuple):
    """Where on a measured axis a tag begins."""

    measure: str  # of `qualities.NAMES`
    at: float  # in its unit: half-way
    width: float  # in its unit; negative: the tag lies below


RULES: dict[str, tuple[Rule, ...]] = {
    "bright": (Rule("brightness_octaves", 11.3, 0.5),),  # a centroid of 2.5 kHz
    "dark": (Rule("brightness_octaves", 9.3, -0.5),),  # 630 Hz
    "noisy": (Rule("noisiness_db", -6.0, 4.0),),
    "pure": (Rule("noisiness_db", -30.0, -4.0),),
    "hollow": (Rule("hollow_db", 10.0, 3.0),),
    "slow attack": (Rule("attack_s", 0.15, 0.05),),
    "fast decay": (Rule("decay_db_s", 25.0, 6.0),),
    "sustained": (Rule("decay_db_s", 5.0, -2.0),),
    "percussive": (Rule("attack_s", 0.05, -0.01), Rule("decay_db_s", 25.0, 6.0)),
    "low": (Rule("pitch_midi", 45.0, -2.0),),  # under A2
    "high": (Rule("pitch_midi", 76.0, 2.0),),  # over E5
}
"""Of several rules the least likely counts."""


def measured_tags(measured: Mapping[str, float | None]) -> dict[str, float]:
    """The tags of a sound by its measures, with their probabilities; those that are unlikely, or whose measure does
    not exist, are left out."""
    likely = {tag: judged(tag, measured) for tag in RULES}
    return {tag: round(found[0], 4) for tag, found in likely.items() if found is not None and found[0] >= LEAST}


def judged(tag: str, measured: Mapping[str, float | None]) -> tuple[float, Rule] | None:
    """How likely a tag of `RULES` is by a sound's measures, and the rule that says so; None where one is lacking."""
    found = list[tuple[float, Rule]]()
    for rule in RULES[tag]:
        value = measured.get(rule.measure)
        if value is None:
            return None
        found.append((_logistic(rule, value), rule))
    return min(found)


def _logistic(rule: Rule, value: float) -> float:
    away = max(-60.0, min(60.0, 2.0 * (value - rule.at) / rule.width))
    return 1.0 / (1.0 + math.exp(-away))
