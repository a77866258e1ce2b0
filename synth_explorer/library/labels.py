"""How labels agree with measurements: which are probably wrong, precision and recall, what that does to scores.

A label is what a person or a data set says; what it is compared with are the measures and their stated limits (`tags`),
and for families of instruments the ears. A label that a person found wrong is none.

Shapes: N sounds, I instruments.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from synth_explorer.library.ears import Ears
from synth_explorer.library.entry import EARS, LABELS, Entry
from synth_explorer.library.library import Library
from synth_explorer.library.qualities import NAMES
from synth_explorer.library.tags import RULES, judged
from synth_explorer.library.words import AXES

SUSPECTED = 0.12  # so likely at most by the measures: a width away from the limit, see `tags`
LIKELY = 0.5  # so likely at least, and the measures say it
RESAMPLED = 2000
INSIDE = 2.5, 97.5  # percentiles of an interval
_LABELLED = "SELECT entry, tag, who FROM told WHERE who IN (?, ?)"


@dataclass(frozen=True)
class Suspect:
    """A label that the measures contradict, and nobody has confirmed."""

    entry: Entry
    tag: str
    who: str
    likely: float  # by the measures
    reason: str  # what is measured, in words


class Share(NamedTuple):
    """A proportion and its interval of 95 % where instruments are drawn anew."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Agreement:
    """How a tag's labels agree with what is measured."""

    tag: str
    labels: int  # sounds that have it
    instruments: int  # of these
    precision: Share | None  # of the sounds that the measures say it of, how many have the label; None: not known
    recall: Share | None  # of the sounds that have the label, of how many the measures say it
    best: float | None  # F1 of the best limit on this axis: more none reaches that goes by this measure
    suspected: int  # labels that the measures contradict, and nobody has judged
    confirmed: int  # that a person has found right
    rejected: int  # that a person has found wrong, and which count no more
    ceiling: Share | None  # of the labels, with how many somebody agrees who is never wrong: expected, least, most


def suspects(library: Library, *, tag: str | None = None) -> list[Suspect]:
    """Labels that are probably wrong, the least likely first; `tag`: only of this one."""
    rows = library.read(
        f"{_LABELLED} AND NOT EXISTS (SELECT 1 FROM verdicts WHERE verdicts.entry = told.entry "
        "AND verdicts.tag = told.tag) ORDER BY entry, tag, who",
        *LABELS,
    )
    said = {(row["entry"], row["tag"]): row["who"] for row in rows if row["tag"] in RULES and tag in (None, row["tag"])}
    entries = {entry.number: entry for entry in library.entries(sorted({number for number, _ in said}))}
    found = list[Suspect]()
    for (number, word), who in said.items():
        entry = entries.get(number)
        told = judged(word, entry.qualities) if entry else None
        if entry is not None and told is not None and told[0] <= SUSPECTED:
            likely, rule = told
            axis, value = AXES[rule.measure], entry.qualities[rule.measure] or 0.0
            side = "above" if rule.width > 0 else "below"
            reason = f"{axis.name} {axis.shown(value)}; {word} is {side} {axis.shown(rule.at)}"
            found.append(Suspect(entry, word, who, likely, reason))
    return sorted(found, key=lambda one: (one.likely, one.entry.number, one.tag))


def agreements(library: Library) -> list[Agreement]:
    """Of each tag that has labels, and that measures or ears can tell, how they agree."""
    rows = library.read(f"SELECT id, instrument, labelled, {', '.join(NAMES)} FROM entries ORDER BY id")
    places = {row["id"]: place for place, row in enumerate(rows)}
    names = [row["instrument"] or f"entry {row['id']}" for row in rows]
    instruments = np.unique(names, return_inverse=True)[1] if names else np.zeros(0, np.int64)
    is_exhaustive = np.array([bool(row["labelled"]) for row in rows], bool)
    labelled = dict[str, set[int]]()
    for row in library.read(_LABELLED, *LABELS):
        labelled.setdefault(row["tag"], set()).add(places[row["entry"]])
    verdicts = dict[str, list[int]]()
    for row in library.read("SELECT tag, is_right FROM verdicts"):
        verdicts.setdefault(row["tag"], [0, 0])[row["is_right"]] += 1
    open_ones = dict[str, int]()
    for one in suspects(library):
        open_ones[one.tag] = open_ones.get(one.tag, 0) + 1
    found = list[Agreement]()
    for tag in sorted({*labelled, *verdicts} & {*RULES, *Ears.bundled().families}):
        has = np.zeros(len(rows), bool)
        has[sorted(labelled.get(tag, ()))] = True
        likely = _likely(library, tag, rows, places)
        rejected, confirmed = verdicts.get(tag, (0, 0))
        found.append(
            Agreement(
                tag,
                labels=int(has.sum()),
                instruments=len(np.unique(instruments[has])),
                **_shares(has, likely, is_exhaustive, instruments),
                suspected=open_ones.get(tag, 0),
                confirmed=confirmed,
                rejected=rejected,
                ceiling=_ceiling(int(has.sum()), open_ones.get(tag, 0), confirmed, rejected) if tag in RULES else None,
            )
        )
    return found


def _likely(library: Library, tag: str, rows: Sequence[sqlite3.Row], places: dict[int, int]) -> np.ndarray:
    """How likely a tag is by the measures or the ears [N]; NaN where they say nothing."""
    if tag in RULES:
        told = [judged(tag, {name: row[name] for name in NAMES}) for row in rows]
        return np.array([np.nan if one is None else one[0] for one in told])
    likely = np.full(len(rows), np.nan)
    for row in library.read("SELECT entry FROM points WHERE ears = ?", Ears.bundled().name):
        likely[places[row["entry"]]] = 0.0
    for row in library.read("SELECT entry, probability FROM tags WHERE tag = ? AND who = ?", tag, EARS):
        likely[places[row["entry"]]] = row["probability"]
    return likely


def _shares(has: np.ndarray, likely: np.ndarray, is_exhaustive: np.ndarray, instruments: np.ndarray) -> dict[str, Any]:
    """`precision`, `recall` and `best` of `Agreement`. What is not labelled says something only in a data set that
    labels all its sounds."""
    is_known = np.isfinite(likely)
    told, whole = is_known & (likely >= LIKELY), is_known & is_exhaustive
    best = None
    if (has & whole).any():
        order = np.argsort(-likely[whole], kind="stable")
        right, said = np.cumsum(has[whole][order]), np.arange(1, len(order) + 1)
        is_last = np.append(np.diff(likely[whole][order]) != 0, True)  # those that are as likely go together
        best = float(np.max((2 * right / (said + right[-1]))[is_last]))
    return {
        "precision": share(has & told & whole, told & whole, instruments),
        "recall": share(has & told, has & is_known, instruments),
        "best": best,
    }


def share(is_right: np.ndarray, counts: np.ndarray, instruments: np.ndarray, *, seed: int = 0) -> Share | None:
    """The proportion of what counts [N] that is right [N], over all sounds, with an interval for which the instruments
    [N] are drawn anew, each with all its sounds (Efron and Tibshirani, 1993): 0 to 1 where there is only one, which
    says nothing of others. None where nothing counts."""
    if not counts.any():
        return None
    _, group = np.unique(instruments[counts], return_inverse=True)
    table = np.stack([np.bincount(group, is_right[counts]), np.bincount(group)], axis=1)
    if len(table) == 1:
        return Share(float(is_right[counts].mean()), 0.0, 1.0)
    rng = np.random.default_rng(seed)
    sums = np.array([table[rng.integers(0, len(table), len(table))].sum(axis=0) for _ in range(RESAMPLED)])
    low, high = np.percentile(sums[:, 0] / sums[:, 1], INSIDE)
    return Share(float(is_right[counts].mean()), float(low), float(high))


def _ceiling(labels: int, suspected: int, confirmed: int, rejected: int) -> Share | None:
    """With how many labels somebody agrees who is never wrong. Of the suspected ones as many are expected to be wrong
    as of those that were judged (Laplace's rule: half where none was); none at most, all at least."""
    if not labels:
        return None
    wrong = suspected * (rejected + 1) / (confirmed + rejected + 2)
    return Share(1.0 - wrong / labels, 1.0 - suspected / labels, 1.0)
