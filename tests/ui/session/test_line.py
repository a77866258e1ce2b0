"""The line of those who wait: its order, its places, who goes, and what is too much."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import ExitStack
from threading import Event, Thread

import numpy as np
import pytest

from synth_explorer.errors import AudioError
from synth_explorer.ui.session.finals import Finals
from synth_explorer.ui.session.line import Full, Line, Place


def served(line: Line, places: dict[str, Place]) -> list[str]:
    """The names of places in the order of their turns."""
    order: list[str] = []
    while places:
        name = next(name for name, place in places.items() if place.wait(0.0))
        order.append(name)
        with places.pop(name):
            pass
    return order


def test_whoever_asks_again_comes_after_everybody_elses_first() -> None:
    line = Line()
    asked = ["a1", "a2", "a3", "b1", "c1", "b2"]
    places = {name: line.join(name[0]) for name in asked}
    assert [places[name].ahead for name in asked] == [0, 3, 5, 1, 2, 4]
    assert served(line, places) == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_who_comes_late_waits_for_no_more_than_a_round() -> None:
    line = Line()
    greedy = [line.join("greedy") for _ in range(9)]
    for place in greedy[:3]:
        with place:
            assert place.wait(0.0)
    late = line.join("late")
    assert greedy[3].ahead == 0 and late.ahead == 1 and greedy[4].ahead == 2


def test_one_has_its_turn_at_a_time_and_who_goes_makes_room() -> None:
    line = Line()
    first, second, third = (line.join(name) for name in "abc")
    assert first.wait(0.0) and not second.wait(0.01) and first.left_s is None
    with second:
        pass
    assert third.ahead == 1
    went = Event()
    Thread(target=lambda: (time.sleep(0.05), line.left(first), went.set())).start()
    assert third.wait(5.0) and went.wait(5.0) and third.ahead == 0
    waiting = line.join("d")
    assert waiting.left_s == pytest.approx(line.turn_s) and 0.04 < waiting.left_s < 5.0


def test_too_many_are_turned_away() -> None:
    line = Line(most=2)
    with ExitStack() as places:
        for _ in range(3):  # one has its turn
            places.enter_context(line.join())
        with pytest.raises(Full, match="2 renders"):
            line.join()
    line.join()


def made(pieces: int, *, go_on: Event | None = None, closed: Event | None = None) -> Generator[np.ndarray]:
    try:
        for number in range(pieces):
            if go_on is not None:
                go_on.wait(5.0)
            yield np.full(4, number, np.float32)
    finally:
        if closed is not None:
            closed.set()


def heard(render) -> np.ndarray:
    pieces = []
    while (piece := render.piece(5.0)) is not None:
        pieces.append(piece)
    return np.concatenate(pieces) if pieces else np.zeros(0)


def test_a_render_is_made_whole_whether_or_not_anybody_hears_it_and_the_next_one_follows() -> None:
    finals, go_on = Finals(), Event()
    first = finals.begin(lambda: (12, 48000, made(3, go_on=go_on)), page="a")
    second = finals.begin(lambda: (8, 48000, made(2)), page="b")
    assert first.begun.result(5.0) == (12, 48000)
    assert finals.told("b") == {"ahead": 1, "seconds": None} and finals.told("nobody") is None
    go_on.set()
    assert second.begun.result(5.0) == (8, 48000)  # though nobody has heard the first
    assert heard(second).tolist() == [0.0] * 4 + [1.0] * 4 and heard(first).size == 12
    while finals.told("a") or finals.told("b"):
        time.sleep(0.01)


def test_one_that_is_stopped_ends_and_one_that_waits_leaves() -> None:
    finals, go_on, closed = Finals(), Event(), Event()
    first = finals.begin(lambda: (400, 48000, made(100, go_on=go_on, closed=closed)), page="a")
    waits = finals.begin(lambda: (4, 48000, made(1)), page="b")
    first.begun.result(5.0)
    waits.stop()
    while finals.told("b"):
        time.sleep(0.01)
    assert waits.begun.cancelled()
    first.stop()
    go_on.set()
    assert closed.wait(5.0) and heard(first).size < 400


def test_errors_are_handed_to_who_asked_and_the_next_one_is_made() -> None:
    finals = Finals()

    def refused() -> None:
        raise AudioError("It would clip.")

    def broken() -> Generator[np.ndarray]:
        yield np.zeros(4, np.float32)
        raise KeyError("x")

    with pytest.raises(AudioError):
        finals.begin(refused, page="a").begun.result(5.0)
    render = finals.begin(lambda: (8, 48000, broken()), page="a")
    with pytest.raises(KeyError):
        heard(render)
    assert heard(finals.begin(lambda: (4, 48000, made(1)), page="a")).size == 4
