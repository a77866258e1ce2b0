"""Exports in the background: begun by one page, found by another, told how far they are, let go."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import numpy as np
import pytest
import soundfile

from synth_explorer.errors import AudioError
from synth_explorer.rendering import Mix
from synth_explorer.ui.session import exports
from synth_explorer.ui.session.exports import Exports, TooMany

ENDS_S = 120.0


def ask(address: str, path: str, method: str = "GET") -> tuple[int, bytes]:
    try:
        with urlopen(Request(f"{address}{path}", method=method)) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        return error.code, error.read()


def begun(address: str, kind: str, **words: Any) -> str:
    status, said = ask(address, f"export?{urlencode({'kind': kind} | words)}", "POST")
    assert status == 200, said
    return json.loads(said)["name"]


def ended(state: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    until_s = time.monotonic() + ENDS_S
    while (found := state())["state"] in ("waiting", "working") and time.monotonic() < until_s:
        time.sleep(0.05)
    return found


def taken(address: str, name: str) -> tuple[dict[str, Any], bytes]:
    facts = ended(lambda: json.loads(ask(address, f"export/{name}")[1]))
    assert facts["state"] == "done" and facts["done"] == facts["total"], facts
    content = ask(address, f"export/{name}/file")[1]
    assert facts["bytes"] == len(content)
    return facts, content


@pytest.fixture
def words(studios: Any) -> dict[str, str]:
    """A sound of two notes as a link says it."""
    first, second = list(studios.notes)[:2]
    return {"checkpoint": "fake", "a": first, "b": second, "mix": "0.25", "fit": "0"}


def test_a_sound_and_a_grid(address: str, studio: Any, words: dict[str, str]) -> None:
    names = [begun(address, kind, **words) for kind in ("wav", "grid")]  # the second one waits for the first
    facts, sound = taken(address, names[0])
    assert facts["name"].endswith(".wav") and facts["kind"] == "wav"
    facts, grid = taken(address, names[1])
    files = zipfile.ZipFile(io.BytesIO(grid))
    assert len(files.namelist()) == facts["total"] + 1 == 10 and "patch.zip" in files.namelist()
    quarter = soundfile.read(io.BytesIO(files.read("0.250.wav")))[0]
    np.testing.assert_array_equal(quarter, soundfile.read(io.BytesIO(sound))[0])
    assert files.read("0.000.wav") != files.read("1.000.wav")


@pytest.mark.slow
def test_an_instrument(address: str, words: dict[str, str]) -> None:
    facts, content = taken(address, begun(address, "instrument", **words))
    names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    stem = Path(facts["name"]).stem
    assert {f"{stem}/{stem}{suffix}" for suffix in (".sfz", ".dspreset", ".multisample")} <= set(names)
    assert facts["total"] == 51 and sum(name.endswith(".wav") for name in names) == 51


def test_what_cannot_be_begun_is_said(address: str, words: dict[str, str]) -> None:
    for asked, said in (
        ({"kind": "mp3", **words}, "must be one of wav"),
        ({"kind": "wav", "a": "Nobody"}, "."),
        ({"kind": "wav", "request": "nonsense"}, "cannot be read"),
    ):
        status, text = ask(address, f"export?{urlencode(asked)}", "POST")
        assert status == 422 and said in text.decode()


def test_one_that_is_let_go_is_gone(address: str, words: dict[str, str]) -> None:
    name = begun(address, "wav", **words)
    taken(address, name)
    assert ask(address, f"export/{name}", "DELETE")[0] == 204
    assert ask(address, f"export/{name}/file")[0] == 404
    for path in ("export/unknown", "export/unknown/file"):
        status, text = ask(address, path)
        assert status == 404 and b"not here any more" in text
    assert ask(address, "export/unknown", "DELETE")[0] == 204


@pytest.fixture
def store() -> Iterator[Exports]:
    made = Exports()
    yield made
    made.close()


def never() -> bool:
    return False


def test_one_at_a_time_and_a_stop_ends_it(store: Exports) -> None:
    going, seen = Event(), []

    def make(folder: Path, progress: Any) -> Path:
        for step in range(10_000):
            progress(step, 10_000)
            going.set()
            time.sleep(0.001)
        raise AssertionError("it was not stopped")

    first = store.begin("grid", make, busy=never)
    second = store.begin("grid", lambda folder, progress: seen.append(folder) or folder, busy=never)
    assert going.wait(10)
    assert store.find(second).state == "waiting"
    store.stop(first)
    assert ended(lambda: store.find(second).facts)["state"] == "done" and seen
    assert store.find(first).facts["state"] == "stopped" and not (store.folder / first).exists()


def test_failures_are_told_and_the_next_one_is_made(store: Exports) -> None:
    def wrong(folder: Path, progress: Any) -> Path:
        raise AudioError("It would clip.")

    def broken(folder: Path, progress: Any) -> Path:
        raise KeyError("x")

    names = [store.begin("flac", make, busy=never) for make in (wrong, broken)]
    found = [ended(lambda name=name: store.find(name).facts) for name in names]
    assert [one["state"] for one in found] == ["failed", "failed"]
    assert found[0]["reason"] == "It would clip." and "unexpected" in found[1]["reason"]


def test_what_somebody_waits_for_goes_first(store: Exports) -> None:
    moves, asked = iter([True, True, False]), []

    def busy() -> bool:
        asked.append(next(moves, False))
        return asked[-1]

    def make(folder: Path, progress: Any) -> Path:
        progress(0, 1)
        return folder

    name = store.begin("wav", make, busy=busy)
    assert ended(lambda: store.find(name).facts)["state"] == "done"
    assert asked == [True, True, False]


def test_among_many_who_wait_it_comes_to_its_end_and_no_file_waits_for_an_instrument(
    store: Exports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "GIVE_WAY_MOST_S", 0.05)
    go_on = Event()

    def steps(folder: Path, progress: Any) -> Path:
        for step in range(3):
            progress(step, 3)
        return folder

    long = store.begin("instrument", lambda folder, progress: go_on.wait(10) and steps(folder, progress), busy=never)
    name = store.begin("wav", steps, busy=lambda: True)
    assert ended(lambda: store.find(name).facts)["state"] == "done" and store.find(long).state == "working"
    go_on.set()
    assert ended(lambda: store.find(long).facts)["state"] == "done"


def test_no_more_wait_than_are_done_soon(store: Exports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "WAITING_MOST", 2)
    going = Event()

    def make(folder: Path, progress: Any) -> Path:
        going.wait(10)
        return folder

    names = [store.begin("wav", make, busy=never) for _ in range(2)]
    with pytest.raises(TooMany, match="2 exports are waiting"):
        store.begin("wav", make, busy=never)
    going.set()
    assert all(ended(lambda name=name: store.find(name).facts)["state"] == "done" for name in names)
    store.begin("wav", make, busy=never)


def test_the_grid_is_all_of_the_pad() -> None:
    from synth_explorer.ui.session.exporting import places

    assert len(places(2)) == 9 and places(2)["0.500"] == Mix.at(0.5, 0.5)
    assert len(places(4)) == 25 and places(4)["x0.25_y1.00"] == Mix.at(0.25, 1.0)
