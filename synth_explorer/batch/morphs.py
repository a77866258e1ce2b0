"""Where sounds lie between sources: the `morphs` of a spec, and what they come to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from pydantic import BeforeValidator, Field, Strict, model_validator

from synth_explorer.batch.values import Numbers, by_shape, listed, some
from synth_explorer.rendering import Mix
from synth_explorer.schema import Schema

MOST_PLACES = 1000  # along one side of a grid
WAYS = ("at", "steps", "grid", "places", "weights", "path", "random")
WHO = ("each", "pairs", "notes", "corners")
ON_PAD = ("grid", "places")


def _sides(given: Any) -> Any:
    """`9 x 9` as [9, 9]."""
    found = re.fullmatch(r"\s*(\d+)\s*[x×]\s*(\d+)\s*", given) if isinstance(given, str) else None
    return given if found is None else [int(found[1]), int(found[2])]


def _is_nested(given: Any) -> bool:
    return isinstance(given, (list, tuple)) and any(isinstance(item, (list, tuple, dict)) for item in given)


def _rows(given: Any) -> Any:
    """Weights of one place as a list of such."""
    return [given] if isinstance(given, list) and not _is_nested(given) else given


def _alone(given: Any) -> Any:
    """One path as a list of such."""
    return [given] if isinstance(given, dict) else given


Side = Annotated[int, Field(ge=1, le=MOST_PLACES)]
if TYPE_CHECKING:  # types made by a function are none to a type checker
    Names = FewNames = Corners = Pairs = Grid = Points = Weights = Paths = Any
else:
    All = Literal["all"]
    Point = Annotated[tuple[float, float], Strict(False)]
    Names = by_shape(one=All, list=some(str))
    FewNames = by_shape(one=All, list=Annotated[some(str), Field(min_length=2, max_length=4)])
    Corners = by_shape(one=All, list=Annotated[some(str), Field(min_length=4, max_length=4)])
    Pairs = by_shape(one=All, list=some(Annotated[tuple[str, str], Strict(False)]))
    Grid = Annotated[tuple[Side, Side], Strict(False), BeforeValidator(_sides)]
    Points = some(Point)
    Weights = Annotated[some(some(float)), BeforeValidator(_rows)]
    Path = Annotated[dict[float, by_shape(one=float, list=Point)], Field(min_length=1)]
    Paths = Annotated[some(Path), BeforeValidator(_alone)]


class SourcesError(ValueError):
    """Sources that cannot take part."""


class Draw(Schema):
    """So many, drawn at random from a seed."""

    count: Annotated[int, Field(ge=1, le=1_000_000)]
    seed: Annotated[int, Field(ge=0)] = 0


def _count(given: Any) -> Any:
    return {"count": given} if isinstance(given, int) and not isinstance(given, bool) else given


Random = Annotated[Draw, BeforeValidator(_count)]


@dataclass(frozen=True)
class Place:
    """A place between sources: their names, the mix, and what a file's name may say of it."""

    notes: tuple[str, ...]
    mix: Mix
    label: str = ""  # of the mix; "" where one note stands alone
    x: float | None = None
    y: float | None = None


class Morph(Schema):
    """Sounds of some of the sources: who takes part, and where between them.

    Who, one of: `each` source alone; `pairs` of them; `notes`, two to four together; `corners`, four of them. All of
    them (`all`), or as listed. Where: at places between two (`at`, or so many `steps` from one to the other), on a
    `grid` or at `places` of the pad, by `weights`, along a `path` over time, or at `random`; else in the middle.
    """

    each: Names | None = None
    pairs: Pairs | None = None
    notes: FewNames | None = None
    corners: Corners | None = None
    at: Numbers | None = None
    steps: Annotated[int, Field(ge=2, le=MOST_PLACES)] | None = None
    grid: Grid | None = None
    places: Points | None = None
    weights: Weights | None = None
    path: Paths | None = None
    random: Random | None = None

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        who, ways = self._given(WHO), self._given(WAYS)
        if len(who) != 1:
            given = f"; received {' and '.join(who)}" if who else ""
            raise ValueError(f"say who takes part by one of {', '.join(WHO)}{given}")
        if len(ways) > 1:
            raise ValueError(f"say where by one of {', '.join(WAYS)}; received {' and '.join(ways)}")
        if ways and self.each is not None:
            raise ValueError(f"a note alone has no {ways[0]}; leave it out")
        if self.pairs is not None and ways and ways[0] in ON_PAD:
            raise ValueError(f"two notes lie on one line: give at or steps instead of {ways[0]}")
        return self

    def field_of(self, error: ValueError) -> str:
        """The field that an error of `expand` is about."""
        who, ways = self._given(WHO), self._given(WAYS)
        return (who if isinstance(error, SourcesError) or not ways else ways)[0]

    def _given(self, names: Sequence[str]) -> list[str]:
        return [name for name in names if getattr(self, name) is not None]

    def expand(self, sources: Sequence[str]) -> Iterator[Place]:
        """All places of it. Raises ValueError: what cannot be, see `field_of`."""
        if self.each is not None:
            yield from (Place((name,), Mix.at(0.5, 0.5)) for name in self._named(self.each, sources))
            return
        for notes in self._groups(sources):
            yield from self._between(notes)

    def _groups(self, sources: Sequence[str]) -> list[tuple[str, ...]]:
        if self.pairs is not None:
            if self.pairs == "all":
                if len(sources) < 2:
                    raise SourcesError("pairs need at least two sources")
                return list(combinations(sources, 2))
            return [self._named(pair, sources) for pair in self.pairs]
        notes = self._named(self.notes or self.corners or (), sources)
        fewest = 4 if self.corners is not None else 2
        if not fewest <= len(notes) <= 4:
            needed = "four sources" if fewest == 4 else "two to four sources"
            raise SourcesError(f"it takes {needed}; all are {len(notes)}: list those that are meant")
        return [notes]

    @staticmethod
    def _named(given: Literal["all"] | Sequence[str], sources: Sequence[str]) -> tuple[str, ...]:
        if given == "all":
            return tuple(sources)
        known = {name.casefold(): name for name in sources}
        for name in given:
            if name.casefold() not in known:
                listed_ = ", ".join(sources[:12]) + (", ..." if len(sources) > 12 else "")
                raise SourcesError(f"there is no source {name!r}; the sources are {listed_}")
        return tuple(known[name.casefold()] for name in given)

    def _between(self, notes: tuple[str, ...]) -> Iterator[Place]:
        """The places between some notes."""
        count = len(notes)
        if self.weights is not None:
            for row in self.weights:
                mix = Mix.of(row)
                mix.check(count)
                yield Place(notes, mix, "-".join(f"{weight:g}" for weight in row))
        elif self.path is not None:
            for number, path in enumerate(self.path, 1):
                yield Place(notes, _along(path, count), "path" if len(self.path) == 1 else f"path{number}")
        elif self.random is not None and count == 3:
            for row in np.random.default_rng(self.random.seed).dirichlet(np.ones(3), self.random.count).round(4):
                weights = tuple(row.tolist())
                yield Place(notes, Mix.of(weights), "-".join(f"{weight:g}" for weight in weights))
        else:
            for x, y in self._points(count):
                mix = Mix.at(x, y)
                mix.check(count)
                if count == 2:
                    yield Place(notes, mix, f"{x:g}", x)
                else:
                    yield Place(notes, mix, f"x{x:g}_y{y:g}", x, y)

    def _points(self, count: int) -> list[tuple[float, float]]:
        if count == 2 and self._given(ON_PAD):
            raise ValueError(f"two notes lie on one line: give at or steps instead of {self._given(ON_PAD)[0]}")
        if count > 2 and (given := self._given(("at", "steps"))):
            raise ValueError(f"{given[0]} goes between two notes; of {count} give grid, places, weights or path")
        if self.at is not None:
            return [(x, 0.0) for x in listed(self.at)]
        if self.steps is not None:
            return [(_share(step, self.steps), 0.0) for step in range(self.steps)]
        if self.grid is not None:
            across, up = self.grid
            return [(_share(x, across), _share(y, up)) for y, x in product(range(up), range(across))]
        if self.places is not None:
            return list(self.places)
        if self.random is not None:
            drawn = np.random.default_rng(self.random.seed).random((self.random.count, 2)).round(4)
            return [(x, y if count > 2 else 0.0) for x, y in drawn.tolist()]
        return [(0.5, 0.5 if count > 2 else 0.0)]


def _share(step: int, steps: int) -> float:
    """The place of a step from 0 to 1; of one alone, the middle."""
    return 0.5 if steps == 1 else round(step / (steps - 1), 6)


def _along(path: dict[float, float | tuple[float, float]], count: int) -> Mix:
    """A way over the pad from {time_s: x} of two notes or {time_s: [x, y]} of more."""
    is_pair = count == 2
    shape = "{0: 0, 1.5: 1}, seconds: place" if is_pair else "{0: [0, 0], 1.5: [1, 0.5]}, seconds: [x, y]"
    if any(isinstance(place, tuple) is is_pair for place in path.values()):
        raise ValueError(f"a path of {count} notes must be {shape}")
    mix = Mix.along([(at, *place) if isinstance(place, tuple) else (at, place, 0.0) for at, place in path.items()])
    mix.check(count)
    return mix
