"""How well a control answers: its response curve from some notes, judged on others.

Shapes: P probes, S settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from synth_explorer.calibration.hearing import APART, NAMES, SPAN
from synth_explorer.edits import COARSE_DIGITS, UNITS

Heard = Mapping[str, float | None]
"""What was heard to change, by name."""

LEAST_SPEARMAN, LEAST_R2, SLOPES = 0.9, 0.5, (0.6, 1.67)
MOST_SIDE = 1.0
"""A control that moves something else by more than itself, in spans, is not called after itself."""

FEWEST_PROBES = 2
FEWEST_SETTINGS = 4
AUDIBLE = 1 / 6
"""A part of a span: less is not called a move."""

AGREED = 0.75


@dataclass(frozen=True)
class Answer:
    """How a control answered.

    `curve`: (asked, median change heard), rising, 0 among them; as far as it is monotone; empty where it is not.
    """

    name: str  # of what it should move
    by: str  # how it moves, in words
    curve: tuple[tuple[float, float], ...]
    figures: dict[str, Any]  # on notes that the curve was not made from, see `judge`
    reason: str  # why it does not do what its name says; "" where it does

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        asked, heard = zip(*self.curve, strict=True) if self.curve else ((), ())
        plain = {"by": self.by, "unit": UNITS[self.name], "answers": not self.reason}
        plain |= {"reason": self.reason} if self.reason else {}
        return plain | {"asked": list(asked), "heard": list(heard), **self.figures}


def judge(
    name: str, by: str, asks: Sequence[float], made: Sequence[Sequence[Heard]], checked: Sequence[Sequence[Heard]]
) -> Answer:
    """Judge a control by its sweeps.

    Args:
        name: of what it should move.
        by: how, in words.
        asks: [S], without 0.
        made: [P][S], what was heard on the notes that the curve is made from.
        checked: [P'][S], on others.

    Returns:
        The answer. Its figures: `notes` and `renders` that were measured of `checked`; `spearman` (median) and
        `slope` (median) of heard against what the curve says; `error` (median) in the unit; `r2` of all renders
        together; `spread` (median over settings of the 80 % range over notes); `side`: for everything else the median
        change per change of 1 of its own, and the 90th percentile of its size. None where it can't be told.
    """
    curve = response_curve(asks, [[row[name] for row in sweep] for sweep in made])
    figures: dict[str, Any] = {"notes": 0, "renders": 0, "spearman": None, "slope": None, "error": None, "r2": None}
    if len(curve) < FEWEST_SETTINGS:
        short = f"what is heard does not rise with what is asked ({len(curve)} settings in order)"
        return Answer(name, by, (), figures | {"side": {}}, _too_little(name, made) or short)
    inside = [i for i, ask in enumerate(asks) if curve[0][0] <= ask <= curve[-1][0]]
    told = np.interp([asks[i] for i in inside], *np.array(curve).T)
    sweeps = [_known([sweep[i] for i in inside], told, name) for sweep in checked]
    sweeps = [sweep for sweep in sweeps if len(sweep[0]) >= FEWEST_SETTINGS]
    figures |= {"notes": len(sweeps), "renders": sum(len(sweep[0]) for sweep in sweeps)}
    if len(sweeps) < FEWEST_PROBES:
        reason = f"too little data: it was heard on {len(sweeps)} notes to check it on, {FEWEST_PROBES} are needed"
        return Answer(name, by, curve, figures | {"side": {}}, reason)
    wanted, heard = np.concatenate([sweep[0] for sweep in sweeps]), np.concatenate([sweep[1] for sweep in sweeps])
    figures |= {
        "spearman": _middle([_spearman(*sweep[:2]) for sweep in sweeps]),
        "slope": _middle([_slope(*sweep[:2]) for sweep in sweeps]),
        "error": _middle(np.abs(heard - wanted)),
        "r2": float(1.0 - np.sum((heard - wanted) ** 2) / max(np.sum((heard - heard.mean()) ** 2), 1e-12)),
        "side": _side(name, sweeps),
    }
    return Answer(name, by, curve, figures, _reason(name, figures))


def response_curve(asks: Sequence[float], heard: Sequence[Sequence[float | None]]) -> tuple[tuple[float, float], ...]:
    """Medians over notes of what was heard at each setting, from 0 outward as long as they rise with what was asked.

    A setting counts that at least half of the notes were heard at.
    """
    medians = {0.0: 0.0}
    for i, ask in enumerate(asks):
        values = [value for sweep in heard if (value := sweep[i]) is not None]
        if values and 2 * len(values) >= len(heard):
            medians[ask] = float(np.median(values))
    kept = [(0.0, 0.0)]
    for side in (1, -1):
        last = 0.0
        for ask in sorted((ask for ask in medians if ask * side > 0), key=abs):
            if (medians[ask] - last) * side <= 1e-6:
                break
            last = medians[ask]
            kept.append((ask, last))
    return tuple(sorted(kept)) if len(kept) > 1 else ()


def slopes(heard_below: Heard, heard_above: Heard, ask: float) -> dict[str, float]:
    """Change of everything per unit asked, from what was heard at -ask and at +ask."""
    found = {}
    for name in NAMES:
        above, below = heard_above[name], heard_below[name]
        if above is not None and below is not None:
            found[name] = (above - below) / (2.0 * ask)
    return found


def medians(rows: Sequence[Mapping[str, float | None]]) -> dict[str, float]:
    """Median of each entry over the rows that have it, where at least half do."""
    found = {}
    for name in NAMES:
        values = [value for row in rows if (value := row.get(name)) is not None]
        if values and 2 * len(values) >= len(rows):
            found[name] = float(np.median(values))
    return found


def description(number: int, rows: Sequence[Mapping[str, float]]) -> str:
    """The name of a principal direction: what it moves per step, the most first, by changes per step on each note."""
    middle = medians(rows)
    said = []
    for name in sorted(middle, key=lambda name: -abs(middle[name]) / SPAN[name]):
        values = [value for row in rows if (value := row.get(name)) is not None]
        agreed = np.mean(np.sign(values) == np.sign(middle[name]))
        if abs(middle[name]) >= AUDIBLE * SPAN[name] and agreed >= AGREED:
            digits = COARSE_DIGITS.get(UNITS[name], 2)
            said.append(f"{name} {middle[name]:+.{digits}f} {UNITS[name]}")
    if not said:
        return f"direction {number}: moves nothing that is measured by much, or not alike on most notes"
    return f"direction {number}: {', '.join(said)} per step"


def _known(sweep: Sequence[Heard], told: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray, list[Heard]]:
    """What the curve says, what was heard, and everything else, of the settings at which it was heard."""
    rows = [i for i, row in enumerate(sweep) if row[name] is not None]
    return told[rows], np.array([sweep[i][name] for i in rows], float), [sweep[i] for i in rows]


def _too_little(name: str, made: Sequence[Sequence[Heard]]) -> str:
    heard = sum(any(row[name] is not None for row in sweep) for sweep in made)
    return "" if heard else f"its {name} could not be heard on any note"


def _side(name: str, sweeps: Sequence[tuple[np.ndarray, np.ndarray, list[Heard]]]) -> dict[str, Any]:
    found = {}
    for other in NAMES:
        slopes = []
        for wanted, _, rows in sweeps:
            pairs = [(want, row[other]) for want, row in zip(wanted, rows, strict=True) if row[other] is not None]
            if other != name and len(pairs) >= FEWEST_SETTINGS:
                x, y = np.array(pairs).T
                slopes.append(float(x @ y / max(x @ x, 1e-12)))  # both are 0 where nothing is asked
        if slopes:
            found[other] = {"median": float(np.median(slopes)), "90": float(np.quantile(np.abs(slopes), 0.9))}
    return found


def _reason(name: str, figures: Mapping[str, Any]) -> str:
    if figures["spearman"] is None or figures["spearman"] < LEAST_SPEARMAN:
        return f"what is heard follows what is asked with a rank correlation of {figures['spearman'] or 0:.2f} only"
    if figures["r2"] < LEAST_R2:
        return f"notes answer too differently: one curve explains {max(figures['r2'], 0):.0%} of what is heard"
    if not SLOPES[0] <= figures["slope"] <= SLOPES[1]:
        return f"on other notes {figures['slope']:.2f} times as much is heard as the curve says"
    for other in APART:
        side = figures["side"].get(other)
        if other != name and side and abs(side["median"]) * SPAN[name] / SPAN[other] > MOST_SIDE:
            moved = side["median"] * SPAN[name]
            return f"{SPAN[name]:g} {UNITS[name]} of it move {other} by {moved:+.1f} {UNITS[other]}, more than itself"
    return ""


def _spearman(a: np.ndarray, b: np.ndarray) -> float:
    from scipy.stats import spearmanr

    return float(spearmanr(a, b).statistic) if np.ptp(a) and np.ptp(b) else float("nan")


def _slope(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.polyfit(a, b, 1)[0]) if np.ptp(a) else float("nan")


def _middle(values: Sequence[float] | np.ndarray) -> float | None:
    finite = [value for value in values if np.isfinite(value)]
    return float(np.median(finite)) if finite else None
