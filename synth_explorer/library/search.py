"""Search by likeness and by words: what is near a sound, with more or less of what can be measured.

Shapes: N sounds of the library, E numbers of an embedding, K results.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np

from synth_explorer import audio
from synth_explorer.errors import LibraryError
from synth_explorer.library.ears import EMBEDDING, Ears
from synth_explorer.library.entry import Entry
from synth_explorer.library.library import Library
from synth_explorer.library.listening import LONGEST_S
from synth_explorer.library.qualities import qualities
from synth_explorer.library.tags import RULES
from synth_explorer.library.words import AXES, FAVOURITE, Query, sentence, understood

LIKELY = 0.5  # that a tag applies
CANDIDATES_EACH = 4  # near ones for each result, among which those are chosen that differ from one another


@dataclass(frozen=True, eq=False)
class Reference:
    """What results are compared with."""

    name: str
    point: np.ndarray  # [E]
    values: Mapping[str, float]  # by `words.AXES`, NaN where one does not exist
    number: int | None = None  # of its entry, which is no result


@dataclass(frozen=True, eq=False)
class Results:
    """What was found, nearest first, and what was understood."""

    entries: list[Entry]
    likeness: list[float]  # cosines with the reference, or how likely the tags are
    understood: str
    count: int  # of all that fit


class Search:
    """The points, measures and tags of a library; each is read again when it has changed."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._revision: tuple[int, int] | None = None
        self._changes = -1  # of points

    def _read(self) -> None:
        revision = self.library.revision()
        if revision == self._revision:
            return
        self._tags: dict[str, np.ndarray] = {}
        self._own = self.library.own_tags()
        ((changes,),) = self.library.read("SELECT points FROM changes")
        if changes != self._changes:
            self._read_points()
        self._revision, self._changes = revision, changes

    def _read_points(self) -> None:
        rows = self.library.read(
            f"SELECT id, embedding, {', '.join(AXES)} FROM entries JOIN points ON entry = id "
            "WHERE ears = ? ORDER BY id",
            Ears.bundled().name,
        )
        self._numbers = np.array([row["id"] for row in rows], np.int64)
        whole = np.frombuffer(b"".join(row["embedding"] for row in rows), np.float16)
        self._points = whole.reshape(-1, EMBEDDING).astype(np.float32)
        table = np.array([tuple(row)[2:] for row in rows], dtype=np.float64).reshape(-1, len(AXES))
        self._values = dict(zip(AXES, table.T, strict=True))

    def reference(self, named: str) -> Reference:
        """An entry by its id or name, or the middle of a family of instruments as ears tell it.

        Raises LibraryError: it is neither, or no ears have heard it.
        """
        self._read()
        if named.lower() in Ears.bundled().families:
            rows = np.flatnonzero(self._tagged(named.lower()) >= LIKELY)
            if not rows.size:
                raise LibraryError(f"The library has no {named}, as far as ears tell; name an entry instead.")
            point = self._points[rows].mean(axis=0)
            values = {name: float(np.nanmedian(column[rows])) for name, column in self._values.items()}
            return Reference(f"a {named.lower()} ({rows.size:,} of them)", point / np.linalg.norm(point), values)
        entry = self.library.entry(named)
        rows = np.flatnonzero(self._numbers == entry.number)
        if not rows.size:
            raise LibraryError(f"{named} was not heard by these ears; `library hear` lets them, unless it is latents.")
        row = int(rows[0])
        values = {name: float(column[row]) for name, column in self._values.items()}
        return Reference(entry.name, self._points[row], values, entry.number)

    def find(
        self,
        text: str = "",
        *,
        this: Reference | None = None,
        limit: int = 10,
        spread: float = 0.0,
        without: Collection[int] = (),
    ) -> Results:
        """What words say, see `words`.

        `this`: what "this" is, and what is meant where the words name nothing. `spread`: 0: the nearest; up to 1:
        results that are near, and unlike one another (maximal marginal relevance: Carbonell and Goldstein, 1998).
        `without`: numbers of entries that were seen enough of.
        Raises LibraryError: words that mean nothing, a comparison with nothing, or a reference that there is not.
        """
        self._read()
        query = understood(text, {*RULES, *Ears.bundled().families, *self._own, FAVOURITE})
        reference = this if query.like in ("", "this", "it") else self.reference(query.like)
        if query.like and reference is None:
            raise LibraryError(f"Say what {query.like!r} is: name a sound, or give one by --to.")
        if query.moves and reference is None:
            raise LibraryError("A comparison needs a sound to compare with: say 'like NAME', or give one by --to.")
        fits = self._fits(query, reference) & ~np.isin(self._numbers, list(without))
        likeness = self._points @ reference.point if reference else self._how_likely(query)
        order = np.argsort(-np.where(fits, likeness, -np.inf), kind="stable")[: int(fits.sum())]
        chosen = self._chosen(order[: CANDIDATES_EACH * limit], likeness, limit, spread)
        return Results(
            self.library.entries([int(number) for number in self._numbers[chosen]]),
            [float(likeness[i]) for i in chosen],
            sentence(query, reference.name if reference else "", dict(reference.values) if reference else {}),
            int(fits.sum()),
        )

    def _fits(self, query: Query, reference: Reference | None) -> np.ndarray:
        """Which sounds [N] are as was asked."""
        fits = np.ones(len(self._numbers), bool)
        for tags, is_wanted in ((query.tags, True), (query.without, False)):
            for tag in tags:
                fits &= (self._tagged(tag) >= LIKELY) == is_wanted
        if reference is None:
            return fits
        fits &= self._numbers != (reference.number or -1)
        for move in query.moves:
            value = reference.values.get(move.axis, np.nan)
            if not np.isfinite(value):
                raise LibraryError(f"{reference.name} has no {AXES[move.axis].name} to compare with.")
            column, bound = self._values[move.axis], move.bound(value)
            fits &= column >= bound if move.steps > 0 else column <= bound  # NaN fits nothing
        return fits

    def _how_likely(self, query: Query) -> np.ndarray:
        """How likely all wanted tags are together [N], by the least likely one."""
        return np.min([np.ones(len(self._numbers)), *map(self._tagged, query.tags)], axis=0)

    def _tagged(self, tag: str) -> np.ndarray:
        """How likely a tag is, by who is surest of it [N]."""
        if tag not in self._tags:
            rows = self.library.read(
                "SELECT entry, probability FROM told WHERE tag = ? "
                "UNION ALL SELECT id, 1.0 FROM entries WHERE favourite = 1 AND ? = ?",
                *(tag, tag, FAVOURITE),
            )
            found = np.zeros(int(self._numbers.max(initial=0)) + 1)
            told = np.fromiter(chain.from_iterable(rows), np.float64).reshape(-1, 2)
            told = told[told[:, 0] < len(found)]
            np.maximum.at(found, told[:, 0].astype(np.int64), told[:, 1])
            self._tags[tag] = found[self._numbers]
        return self._tags[tag]

    def _chosen(self, order: np.ndarray, likeness: np.ndarray, limit: int, spread: float) -> np.ndarray:
        """The first of an order, or of it those that differ."""
        if not spread or len(order) <= 1:
            return order[:limit]
        points, near = self._points[order], likeness[order]
        chosen, nearest = [0], self._points[order] @ points[0]
        while len(chosen) < min(limit, len(order)):
            value = (1.0 - spread) * near - spread * nearest
            value[chosen] = -np.inf
            chosen.append(int(np.argmax(value)))
            nearest = np.maximum(nearest, points @ points[chosen[-1]])
        return order[chosen]


def reference_of(path: Path) -> Reference:
    """A sound file as something to compare with. Raises AudioError: it cannot be read, or is silent."""
    recording = audio.record(path, sample_rate_hz=None, max_s=LONGEST_S)
    found = heard(path.stem, recording.audio, sample_rate_hz=recording.sample_rate_hz)
    return replace(found, values={**found.values, "duration_s": recording.whole_s})


def heard(name: str, sound: np.ndarray, *, sample_rate_hz: int) -> Reference:
    """A sound [T] as something to compare with. Raises AudioError: it is not valid, or silent."""
    measured = qualities(sound, sample_rate_hz=sample_rate_hz) | {"duration_s": len(sound) / sample_rate_hz}
    values = {name: np.nan if measured[name] is None else float(measured[name] or 0.0) for name in AXES}
    return Reference(name, Ears.bundled().hear(sound, sample_rate_hz=sample_rate_hz).embedding, values)
