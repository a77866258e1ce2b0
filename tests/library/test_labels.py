"""Labels against measures: what is suspected, what a verdict does, how they agree, and data sets that bring labels."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from synth_explorer import audio
from synth_explorer.errors import LibraryError
from synth_explorer.library import labels, store
from synth_explorer.library.importing import import_all, tasks_of
from synth_explorer.library.labels import RESAMPLED, Share, agreements, share, suspects
from synth_explorer.library.library import Library
from synth_explorer.library.search import Search
from synth_explorer.library.store import INDEX
from tests.library.conftest import RATE_HZ, tone

EXAMPLES = {  # sound of each: (partials, family, qualities)
    "flute_a-060": (2, "flute", ["bright"]),  # which it is not
    "flute_a-061": (2, "flute", ["dark"]),
    "brass_b-060": (30, "brass", ["bright"]),
    "brass_b-061": (30, "brass", ["dark", "fast_decay"]),  # neither is so
    "reed_c-060": (30, "reed", []),
}


def sizzle(hz: float) -> np.ndarray:
    """A tone of partials that are all as strong, up to 7 kHz."""
    times_s = np.arange(RATE_HZ // 2) / RATE_HZ
    return 0.02 * sum(np.sin(2 * np.pi * k * hz * times_s + k * k) for k in range(1, int(7000 / hz))).astype(np.float32)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A folder as the NSynth dataset is published."""
    folder, told = tmp_path / "nsynth-test", {}
    for number, (name, (partials, family, qualities)) in enumerate(EXAMPLES.items()):
        sound = sizzle(261.6 + number) if partials > 2 else tone(220.0 + number, partials=partials)
        audio.save(folder / "audio" / f"{name}.wav", sound, sample_rate_hz=RATE_HZ)
        told[name] = {
            "instrument_str": name.split("-")[0],
            "instrument_family_str": family,
            "instrument_source_str": "acoustic",
            "qualities_str": qualities,
            "pitch": 60,
        }
    (folder / "examples.json").write_text(json.dumps(told), encoding="utf-8")
    return folder


def taken(library: Library, folder: Path) -> int:
    return len(import_all(library, tasks_of([folder], [".wav"]), workers=1).entries)


@pytest.fixture
def labelled(library: Library, dataset: Path) -> Library:
    taken(library, dataset)
    return library


def said(library: Library) -> list[tuple[str, str, str]]:
    return [(one.entry.name, one.tag, one.who) for one in suspects(library)]


def test_labels_that_measures_contradict_are_suspected_until_they_are_judged(labelled: Library) -> None:
    assert sorted(said(labelled)) == [
        ("brass_b-061", "dark", "dataset"),
        ("brass_b-061", "fast decay", "dataset"),
        ("flute_a-060", "bright", "dataset"),
    ]
    first = next(one for one in suspects(labelled, tag="bright"))
    assert first.reason.startswith("spectral centroid ") and first.reason.endswith("; bright is above 2.52e+03 Hz")
    labelled.judge(labelled.entry("brass_b-061"), "Dark", right=True)
    labelled.judge(first.entry, "bright", right=False)
    assert said(labelled) == [("brass_b-061", "fast decay", "dataset")]
    labelled.judge(first.entry, "bright", right=None)
    assert ("flute_a-060", "bright", "dataset") in said(labelled)
    with pytest.raises(LibraryError, match="has no tag 'hollow'"):
        labelled.judge(first.entry, "hollow", right=False)


def test_what_is_rejected_is_found_no_more_whoever_says_it(labelled: Library) -> None:
    flute, search = labelled.entry("flute_a-060"), Search(labelled)

    def found() -> list[bool]:
        ways = (
            labelled.find(tags=["bright"]),
            labelled.find("bright"),
            [e.number for e in search.find("bright").entries],
        )
        return [flute.number in one for one in ways]

    assert found() == [True, True, True]
    labelled.judge(flute, "bright", right=False)
    assert found() == [False, False, False] and labelled.verdicts(flute) == {"bright": False}
    assert "bright" not in [tag for tag, *_ in labelled.tags(flute)]
    with Library(labelled.folder) as other:
        assert Search(other).find("bright").count == search.find("bright").count
    labelled.change([flute], add=["bright"])  # who gives it says that it is right
    assert found() == [True, True, True] and not labelled.verdicts(flute)
    assert sorted(said(labelled))[-1] == ("flute_a-060", "bright", "person")


def test_agreement_is_what_counting_gives_and_verdicts_change_it(labelled: Library) -> None:
    bright = next(one for one in agreements(labelled) if one.tag == "bright")
    # measured so: both brasses and the reed; labelled so: a flute and a brass
    assert (bright.labels, bright.instruments, bright.suspected) == (2, 2, 1)
    assert bright.precision is not None and bright.precision.value == pytest.approx(1 / 3)
    assert bright.recall is not None and bright.recall.value == 0.5
    assert bright.ceiling == Share(0.75, 0.5, 1.0)
    labelled.judge(labelled.entry("flute_a-060"), "bright", right=False)
    bright = next(one for one in agreements(labelled) if one.tag == "bright")
    assert (bright.labels, bright.suspected, bright.rejected) == (1, 0, 1)
    assert bright.recall is not None and bright.recall.value == 1.0 and bright.ceiling == Share(1.0, 1.0, 1.0)
    assert bright.best is not None and 0.5 <= bright.best <= 1.0
    families = {one.tag: one for one in agreements(labelled)}
    assert families["flute"].labels == 2 and families["flute"].ceiling is None


def test_tags_of_people_alone_say_nothing_of_what_has_none(library: Library, tmp_path: Path) -> None:
    """Who tags some sounds has not said that the others are otherwise: there is a recall and no precision."""
    for number in range(3):
        path = audio.save(tmp_path / f"{number}.wav", sizzle(300.0 + number), sample_rate_hz=RATE_HZ)
        library.add(path, tags=["bright"] if number else [])
    (bright,) = agreements(library)
    assert bright.recall == Share(1.0, 1.0, 1.0) and bright.precision is None and bright.best is None


@pytest.mark.slow
def test_the_best_f1_is_that_of_a_plain_sweep() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        likely, has = rng.random(30).round(1), rng.random(30) < 0.4
        has[0] = True
        found = labels._shares(has, likely, np.ones(30, bool), np.arange(30))["best"]
        plain = max(2 * (has & (likely >= at)).sum() / ((likely >= at).sum() + has.sum()) for at in np.unique(likely))
        assert found == pytest.approx(plain)


def test_intervals_are_wide_where_an_instrument_is_right_or_wrong_as_a_whole() -> None:
    right, counts = np.repeat([True, False], 50), np.ones(100, bool)
    alone = share(right, counts, np.arange(100))
    whole = share(right, counts, np.repeat(np.arange(10), 10))
    assert alone is not None and whole is not None and alone.value == whole.value == 0.5
    assert whole.high - whole.low > 2 * (alone.high - alone.low)
    assert alone.high - alone.low == pytest.approx(2 * 1.96 * 0.05, abs=0.03) and RESAMPLED >= 1000
    assert share(right, ~counts, np.arange(100)) is None
    assert share(right, counts, np.zeros(100, int)) == Share(0.5, 0.0, 1.0)


def test_labels_come_with_their_data_set_and_are_learned_by_what_was_there(library: Library, dataset: Path) -> None:
    told = (dataset / "examples.json").read_bytes()
    (dataset / "examples.json").unlink()
    assert taken(library, dataset) == 5 and not library.own_tags()
    (dataset / "examples.json").write_bytes(told)
    assert taken(library, dataset) == 0
    assert library.entry("flute_a-060").instrument == "flute_a"
    assert library.own_tags() == ["acoustic", "brass", "bright", "dark", "fast decay", "flute", "reed"]
    (dataset / "examples.json").write_text("[]", encoding="utf-8")
    with pytest.raises(LibraryError, match=r"examples\.json"):
        taken(library, dataset)


def test_an_index_may_have_tags(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    for name in ("a", "b"):
        audio.save(folder / f"{name}.wav", tone(220.0 if name == "a" else 330.0), sample_rate_hz=RATE_HZ)
    (folder / "index.csv").write_text("path,instrument,tags\na.wav,box,Warm ; hollow\nb.wav,box,\n", encoding="utf-8")
    assert taken(library, folder) == 2
    assert library.own_tags() == ["hollow", "warm"] and library.entry("b").instrument == "box"
    (folder / "index.csv").write_text("path,pitch\nnone.wav,60\n", encoding="utf-8")  # no labels, and not ours to read
    assert taken(library, folder) == 0


def test_a_library_of_an_earlier_version_learns_verdicts(tmp_path: Path) -> None:
    """What there was stays, and is tagged and judged as anything else."""
    path = audio.save(tmp_path / "a.wav", tone(300.0, partials=30), sample_rate_hz=RATE_HZ)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(store, "FORMAT_VERSION", 3)
        patched.setattr(store, "_STEPS", store._STEPS[:3])
        Library(tmp_path / "library").close()
    index = sqlite3.connect(tmp_path / "library" / INDEX)
    assert index.execute("PRAGMA user_version").fetchone() == (3,)
    index.execute(
        "INSERT INTO entries (sha256, suffix, kind, name, origin, bytes, added_s, used_s, brightness_octaves) "
        "VALUES (?, '.wav', 'note', 'old', '/old.wav', 1, 0, 0, 12.5)",
        ("f" * 64,),
    )
    index.execute("INSERT INTO tags VALUES (1, 'dark', 'person', 1.0)")
    index.commit()
    index.close()
    with Library(tmp_path / "library") as library:
        old = library.entry("old")
        assert old.instrument == "" and said(library) == [("old", "dark", "person")]
        library.judge(old, "dark", right=False)
        library.add(path)
        assert not said(library) and len(library) == 2
