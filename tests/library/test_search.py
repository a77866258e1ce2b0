"""Search: what words are understood as, that results are what was asked for, and that nothing is guessed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from synth_explorer.errors import LibraryError
from synth_explorer.library.ears import EMBEDDING, Ears
from synth_explorer.library.library import Library
from synth_explorer.library.qualities import NAMES
from synth_explorer.library.search import Search
from synth_explorer.library.words import COMPARISONS, Move, understood

TAGS = {"hollow", "bright", "slow attack", "flute"}
COUNT = 60


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Search]:
    """A library of rows without files: points of five kinds on a sphere, measures by chance."""
    rng = np.random.default_rng(0)
    middles = rng.standard_normal((5, EMBEDDING))
    points = middles[np.arange(COUNT) % 5] + 0.6 * rng.standard_normal((COUNT, EMBEDDING))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    columns = ("sha256", "suffix", "kind", "name", "origin", "bytes", "added_s", "used_s", "duration_s", *NAMES)
    with Library(tmp_path_factory.mktemp("library")) as library:
        with library.writing() as index:
            for i, point in enumerate(points):
                measures = [None if name == "noisiness_db" and i == 7 else float(rng.uniform(1, 12)) for name in NAMES]
                row = [
                    f"{i:064x}",
                    ".wav",
                    "note",
                    f"sound {i}",
                    "",
                    1,
                    0.0,
                    0.0,
                    float(rng.uniform(0.5, 4)),
                    *measures,
                ]
                index.execute(f"INSERT INTO entries ({', '.join(columns)}) VALUES ({', '.join('?' * len(row))})", row)
                index.execute(
                    "INSERT INTO points VALUES (?, ?, ?)",
                    (i + 1, Ears.bundled().name, point.astype(np.float16).tobytes()),
                )
                index.execute("INSERT INTO tags VALUES (?, 'flute', 'ears', ?)", (i + 1, 0.9 if i % 5 == 0 else 0.1))
        yield Search(library)


def test_words_are_read_by_their_grammar() -> None:
    query = understood("like The Old Cello, but much darker and a bit slower attack; hollow, not bright", TAGS)
    assert query.like == "Old Cello" and query.tags == ("hollow",) and query.without == ("bright",)
    assert query.moves == (Move("brightness_octaves", -3.0), Move("attack_s", 0.4))
    assert query.moves[1].bound(0.1) == pytest.approx(0.1 * 1.5**0.4)
    assert all(len(understood(words, TAGS).moves) == 1 for words in COMPARISONS)
    assert understood("something brighter than this", TAGS) == understood("brighter", TAGS)
    assert understood("brighter and much slower", TAGS) == understood("brighter, much slower attack", TAGS)
    assert understood("faster, slower decay", TAGS) == understood("faster attack, slower decay", TAGS)
    assert understood("", TAGS) == understood("a sound", TAGS)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("warmer", "'warmer' means nothing measurable here"),
        ("hollow glassy", "'glassy' means nothing"),
        ("brighter, darker", "compared twice"),
        ("like a, like b", "cannot both be"),
        ("much", "does not say of what"),
        ("not", "does not say of what"),
        ("brighterish", "'brighterish' means"),
    ],
)
def test_what_means_nothing_is_refused_in_a_sentence(words: str, said: str) -> None:
    with pytest.raises(LibraryError, match=said):
        understood(words, TAGS)


def test_results_are_the_nearest_of_those_that_fit(search: Search) -> None:
    rows = search.library.read("SELECT name, brightness_octaves, noisiness_db FROM entries WHERE noisiness_db > 0")
    values = {row["name"]: (row["brightness_octaves"], row["noisiness_db"]) for row in rows}
    own = max(values, key=lambda name: values[name][1] - values[name][0])
    bright, noisy = values[own]
    results = search.find(f"like {own}, brighter, less noise", limit=COUNT)
    wanted = {name for name, (b, n) in values.items() if b >= bright + 0.25 and n <= noisy - 3.0}
    assert {entry.name for entry in results.entries} == wanted and results.count == len(wanted) > 2
    assert results.likeness == sorted(results.likeness, reverse=True)
    assert results.understood.startswith(f"like {own}; spectral centroid at least")
    near = search.find("like sound 3", limit=8)
    assert all((int(entry.name.split()[1]) - 3) % 5 == 0 for entry in near.entries)


def test_a_family_stands_for_its_members_and_tags_without_a_sound_are_ranked(search: Search) -> None:
    flute = search.find("like a flute but much longer", limit=5)
    assert "a flute (12 of them)" in flute.understood and all(
        e.duration_s and e.duration_s > 3.0 for e in flute.entries
    )
    tagged = search.find("flute", limit=COUNT)
    assert len(tagged.entries) == 12 and tagged.understood == "tagged flute"
    assert search.find("not flute", limit=COUNT).count == COUNT - 12


def test_spread_results_are_near_and_unlike_each_other(search: Search) -> None:
    close, wide = (search.find("like sound 4", limit=6, spread=spread) for spread in (0.0, 0.6))

    def alike(numbers: list[int]) -> float:
        points = search._points[np.array(numbers) - 1]
        return float((points @ points.T)[np.triu_indices(len(numbers), 1)].mean())

    assert close.entries[0] == wide.entries[0]
    assert alike([e.number for e in wide.entries]) < alike([e.number for e in close.entries]) - 0.2


def test_what_cannot_be_compared_is_refused(search: Search) -> None:
    for words, said in (
        ("brighter", "needs a sound to compare with"),
        ("like this", "Say what 'this' is"),
        ("like sound 7, noisier", "has no noise against partials"),
        ("like a vocal", "no vocal"),
        ("like nobody", "is in no library"),
    ):
        with pytest.raises(LibraryError, match=said):
            search.find(words)


def test_a_library_that_changes_is_read_again(search: Search, tmp_path: Path) -> None:
    with Library(search.library.folder) as other:
        entry = other.entry("sound 59")
        before = search.find("like sound 4", limit=COUNT).count
        other.remove([entry])
    assert search.find("like sound 4", limit=COUNT).count == before - 1


def test_what_has_not_changed_is_not_read_again(search: Search) -> None:
    """Neither tags nor points where nothing was written, nor points where something was said of an entry."""
    library, read = search.library, list[str]()
    search.find("like sound 4, not flute")
    library._index.set_trace_callback(read.append)
    try:
        search.find("like sound 5, not flute")
        assert not any(" tags " in query or " told " in query or "embedding" in query for query in read)
        library.change([library.entry("sound 8")], add=["rusty"])
        assert [one.name for one in search.find("rusty").entries] == ["sound 8"]
        assert not any("embedding" in query for query in read)
        with library.writing() as index:
            index.execute(
                "UPDATE points SET embedding = (SELECT embedding FROM points WHERE entry = 5) WHERE entry = 9"
            )
        assert search.find("like sound 4", limit=1).entries == [library.entry("sound 8")]
        library.judge(library.entry("sound 8"), "rusty", right=False)
        with pytest.raises(LibraryError, match="'rusty' means nothing"):
            search.find("rusty")
    finally:
        library._index.set_trace_callback(None)


def test_favourites_are_found_as_a_tag_is(search: Search) -> None:
    marked = search.library.entries([3, 9])
    search.library.change(marked, favourite=True)
    try:
        found = search.find("favourite")
        assert {entry.number for entry in found.entries} == {3, 9} and found.understood == "tagged favourite"
        assert search.find("not favourite").count == search.find().count - 2
    finally:
        search.library.change(marked, favourite=False)
    assert search.find("favourite").count == 0
