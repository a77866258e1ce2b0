"""The map: what is alike lies together, and nothing moves for a sound that comes later."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer.errors import LibraryError
from synth_explorer.library.ears import EMBEDDING, Ears
from synth_explorer.library.library import Library
from synth_explorer.library.places import GROWN, Places, joined, laid_out


def kinds(rng: np.random.Generator, count: int) -> np.ndarray:
    """Points of four kinds in turn."""
    middles = np.random.default_rng(0).standard_normal((4, EMBEDDING))
    points = middles[np.arange(count) % 4] + 0.4 * rng.standard_normal((count, EMBEDDING))
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


def put(library: Library, points: np.ndarray) -> None:
    """Rows without files."""
    with library.writing() as index:
        (last,) = index.execute("SELECT coalesce(max(id), 0) FROM entries").fetchone()
        for i, point in enumerate(points, start=last):
            row = (f"{i:064x}", ".wav", "note", f"sound {i}", "", 1, 0.0, 0.0)
            index.execute(
                "INSERT INTO entries (sha256, suffix, kind, name, origin, bytes, added_s, used_s) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )
            index.execute(
                "INSERT INTO points VALUES (?, ?, ?)", (i + 1, Ears.bundled().name, point.astype(np.float16).tobytes())
            )


def alike_nearby(places: np.ndarray) -> float:
    """How often the nearest on the map is of the same kind."""
    apart = np.square(places[:, None] - places).sum(axis=2) + np.diag(np.full(len(places), np.inf))
    return float(np.mean(apart.argmin(axis=1) % 4 == np.arange(len(places)) % 4))


def test_what_is_alike_lies_together_and_stays_where_it_is(library: Library) -> None:
    rng, map_ = np.random.default_rng(1), Places(library)
    assert map_.all()[1].shape == (0, 2)
    with pytest.raises(LibraryError, match="Nothing lies on the map"):
        map_.of(kinds(rng, 1)[0])
    put(library, kinds(rng, 40))
    numbers, places = map_.all()
    assert (numbers == np.arange(1, 41)).all() and alike_nearby(places) == 1.0
    assert np.allclose(places.min(axis=0), 0.0) and np.allclose(places.max(axis=0), 1.0)
    put(library, kinds(rng, 32))
    _, more = map_.all()
    assert np.array_equal(more[:40], places) and alike_nearby(more) == 1.0
    assert np.array_equal(Places(library).all()[1], more)
    with library.writing() as index:
        index.execute("DELETE FROM entries WHERE id = 7")
    assert len(map_.all()[0]) == 71
    point = kinds(np.random.default_rng(9), 3)[2]
    kind = np.delete(np.arange(72), 6) % 4
    assert kind[np.square(map_.all()[1] - map_.of(point)).sum(axis=1).argmin()] == 2
    put(library, kinds(rng, 40 * (GROWN - 1)))  # as many again: the map is laid out anew
    assert not np.array_equal(map_.all()[1][:6], places[:6])


def test_a_place_is_among_the_nearest_landmarks() -> None:
    landmarks = np.eye(6, 8, dtype=np.float32)
    places = np.arange(12.0).reshape(6, 2)
    assert np.allclose(joined(landmarks[2:3], landmarks, places), places[2], atol=1e-6)
    between = (landmarks[0] + landmarks[1]) / np.sqrt(2.0)
    assert np.allclose(joined(between[None], landmarks, places)[0], places[:2].mean(axis=0), atol=1e-3)
    assert laid_out(landmarks[:2]).shape == (2, 2) and np.isfinite(laid_out(landmarks[:1])).all()
