"""What a search says in words: a small grammar over measured axes and tags, in which nothing is guessed.

    query     = clause { ("," | "but" | "and") clause }
    clause    = "like" NAME  |  [degree] comparison  |  ["not"] tag
    degree    = "much" | "far" | "a lot" | "slightly" | "a bit" | "a little"

NAME is an entry's name or id, a family of instruments, or "this", which the caller says; comparisons are relative to
it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass

from synth_explorer.errors import LibraryError

DEGREES = {"much": 3.0, "far": 3.0, "a lot": 3.0, "slightly": 0.4, "a bit": 0.4, "a little": 0.4}
FAVOURITE = "favourite"  # what is marked as one counts as tagged so
FILLERS = {"a", "an", "the", "with", "something", "sound", "sounds", "than", "this", "it", "is", "in", "of"}


@dataclass(frozen=True)
class Axis:
    """What can be compared."""

    name: str  # for people
    step: float  # what is clearly more of it, in its unit; a factor where it is a ratio
    unit: str
    is_ratio: bool = False
    is_log2: bool = False  # shown as the power of two that it is

    def moved(self, value: float, steps: float) -> float:
        """The value that lies so many steps away."""
        return value * self.step**steps if self.is_ratio else value + self.step * steps

    def shown(self, value: float) -> str:
        """The value with its unit."""
        return f"{2.0**value:.3g} {self.unit}" if self.is_log2 else f"{value:.3g} {self.unit}".rstrip()


AXES = {
    "brightness_octaves": Axis("spectral centroid", 0.25, "Hz", is_log2=True),
    "noisiness_db": Axis("noise against partials", 3.0, "dB"),
    "attack_s": Axis("attack", 1.5, "s", is_ratio=True),
    "decay_db_s": Axis("decay", 5.0, "dB/s"),
    "loudness_db": Axis("loudness", 2.0, "dB"),
    "pitch_midi": Axis("MIDI pitch", 1.0, ""),
    "duration_s": Axis("length", 1.25, "s", is_ratio=True),
    "hollow_db": Axis("odd partials over even ones", 3.0, "dB"),
}
COMPARISONS = {
    **dict.fromkeys(("brighter", "more bright", "less dark"), ("brightness_octaves", 1)),
    **dict.fromkeys(("darker", "duller", "more dark", "less bright"), ("brightness_octaves", -1)),
    **dict.fromkeys(("noisier", "more noise", "more noisy", "less pure"), ("noisiness_db", 1)),
    **dict.fromkeys(("purer", "cleaner", "less noise", "less noisy", "more pure"), ("noisiness_db", -1)),
    **dict.fromkeys(("slower", "slower attack", "longer attack"), ("attack_s", 1)),
    **dict.fromkeys(("faster", "quicker", "faster attack", "shorter attack", "quicker attack"), ("attack_s", -1)),
    **dict.fromkeys(("faster decay", "shorter decay", "quicker decay"), ("decay_db_s", 1)),
    **dict.fromkeys(("slower decay", "longer decay", "more sustained"), ("decay_db_s", -1)),
    "louder": ("loudness_db", 1),
    **dict.fromkeys(("softer", "quieter"), ("loudness_db", -1)),
    "higher": ("pitch_midi", 1),
    "lower": ("pitch_midi", -1),
    "longer": ("duration_s", 1),
    "shorter": ("duration_s", -1),
    **dict.fromkeys(("hollower", "more hollow"), ("hollow_db", 1)),
    **dict.fromkeys(("fuller", "less hollow"), ("hollow_db", -1)),
}


@dataclass(frozen=True)
class Move:
    """A comparison: which way along which axis, and by how many steps at least."""

    axis: str  # of `AXES`
    steps: float  # negative: less of it

    def bound(self, value: float) -> float:
        """Where what was asked for begins, for a sound that has this value."""
        return AXES[self.axis].moved(value, self.steps)


@dataclass(frozen=True)
class Query:
    """What was understood."""

    like: str = ""  # a name as it was written; "this": what the caller says; "": nothing is named
    moves: tuple[Move, ...] = ()
    tags: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


def understood(text: str, tags: Collection[str]) -> Query:
    """A query of words. `tags`: those that there are. Raises LibraryError: a word that means nothing here, or the same
    thing asked for twice."""
    like, moves, wanted, without = "", list[Move](), list[str](), list[str]()
    for clause in re.split(r"[,;]|\bbut\b|\band\b", text):
        clause = " ".join(clause.split())
        if named := re.fullmatch(r"(?i)(?:sounds? )?like (?:an? |the )?(.+)", clause):
            if like:
                raise LibraryError(f"{like!r} and {named[1]!r} cannot both be what it is to be like; name one.")
            like = named[1]
        elif clause:
            _read(clause.lower(), tags, moves, wanted, without)
    if twice := {move.axis for move in moves if sum(other.axis == move.axis for other in moves) > 1}:
        raise LibraryError(f"{AXES[twice.pop()].name} is compared twice; say it once.")
    return Query(like, tuple(moves), tuple(wanted), tuple(without))


def _read(clause: str, tags: Collection[str], moves: list[Move], wanted: list[str], without: list[str]) -> None:
    """Add what a clause that names nothing says."""
    left, degree, is_not = clause, 1.0, False
    while left:
        known = next((one for one in _phrases(tags) if re.match(rf"{re.escape(one)}(?!\w)", left)), None)
        word = known or left.split()[0]
        left = left[len(word) :].strip()
        if word in DEGREES:
            degree = DEGREES[word]
        elif word in COMPARISONS:
            axis, sign = COMPARISONS[word]
            moves.append(Move(axis, sign * degree))
            degree = 1.0
        elif word in tags:
            (without if is_not else wanted).append(word)
            is_not = False
        elif word == "not":
            is_not = True
        elif word not in FILLERS:
            raise LibraryError(f"{word!r} means nothing measurable here. {vocabulary(tags)}")
    if degree != 1.0 or is_not:
        raise LibraryError(f"{clause!r} does not say of what. {vocabulary(tags)}")


def _phrases(tags: Collection[str]) -> list[str]:
    """All that means something, the longest first."""
    return sorted({*DEGREES, *COMPARISONS, *tags, "not"}, key=lambda phrase: (-len(phrase), phrase))


def vocabulary(tags: Collection[str]) -> str:
    """What can be said, in a sentence."""
    compared = ", ".join(sorted(COMPARISONS))
    return f"Say 'like NAME', a tag ({', '.join(sorted(tags))}), or compare: {compared}."


def sentence(query: Query, reference: str, values: dict[str, float]) -> str:
    """What was understood, with what each comparison means for a sound that has these values."""
    said = [f"like {reference}"] if reference else []
    said += [f"tagged {tag}" for tag in query.tags] + [f"not tagged {tag}" for tag in query.without]
    for move in query.moves:
        axis, bound = AXES[move.axis], move.bound(values.get(move.axis, math.nan))
        said.append(f"{axis.name} {'at least' if move.steps > 0 else 'at most'} {axis.shown(bound)}")
    return "; ".join(said)
