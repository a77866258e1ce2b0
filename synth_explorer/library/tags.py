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
    found: dict[str, float] = {}
    for tag, rules in RULES.items():
        values = [measured.get(rule.measure) for rule in rules]
        if any(value is None for value in values):
            continue
        likely = min(_logistic(rule, float(value or 0.0)) for rule, value in zip(rules, values, strict=True))
        if likely >= LEAST:
            found[tag] = round(likely, 4)
    return found


def _logistic(rule: Rule, value: float) -> float:
    away = max(-60.0, min(60.0, 2.0 * (value - rule.at) / rule.width))
    return 1.0 / (1.0 + math.exp(-away))
