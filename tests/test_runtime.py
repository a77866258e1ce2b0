"""Threads that help, and how a process does without them."""

from __future__ import annotations

import threading

import pytest

from synth_explorer import runtime
from synth_explorer.runtime import Helpers, side_by_side, urgent


def test_results_come_in_order_and_errors_through() -> None:
    assert side_by_side(lambda number: number**2, range(20)) == [number**2 for number in range(20)]
    assert side_by_side(str, []) == []
    with pytest.raises(ZeroDivisionError):
        side_by_side(lambda number: 1 / number, [1, 0, 2])


@pytest.mark.parametrize("is_alone", [False, True])
def test_a_process_that_is_alone_does_the_work_itself(monkeypatch: pytest.MonkeyPatch, is_alone: bool) -> None:
    monkeypatch.setattr(Helpers, "is_alone", False)
    if is_alone:
        runtime.alone()
    with Helpers(1) as helpers:
        assert is_done_by_whoever_asks(helpers) is is_alone
        assert helpers.submit(max, 3, 4).result() == 4 and helpers.submit(int, "11", base=2).result() == 3
        assert list(helpers.map(abs, [-1, 2])) == [1, 2]
        with pytest.raises(ZeroDivisionError):
            helpers.submit(lambda: 1 / 0).result()


def test_while_every_core_has_a_sound_each_does_its_work_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "cores", lambda: 2)
    both = threading.Barrier(2)

    def is_alone(_: int) -> bool:
        both.wait(timeout=60)
        found = is_done_by_whoever_asks(helpers)
        both.wait(timeout=60)
        return found

    with Helpers(1) as helpers:
        assert side_by_side(is_alone, range(2)) == [True, True]
        assert not is_done_by_whoever_asks(helpers)


def test_nobody_waits_for_a_helper_that_is_busy() -> None:
    go_on = threading.Event()
    with Helpers(1) as helpers:
        busy = helpers.submit(go_on.wait, 60)
        assert helpers.submit(threading.get_ident).result() == threading.get_ident()
        go_on.set()
        assert busy.result()


def tries_to_work(helpers: Helpers) -> tuple[threading.Thread, threading.Event]:
    """Another sound's thread, and whether it got on."""
    got_on = threading.Event()
    thread = threading.Thread(target=lambda: helpers.submit(got_on.set).result())
    thread.start()
    return thread, got_on


def test_what_is_urgent_lets_others_rest_but_not_its_own_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "REST_MOST_S", 60.0)
    monkeypatch.setattr(runtime._Urgency, "next_s", 0.0)
    with Helpers(2) as helpers:
        with urgent():
            assert helpers.submit(max, 1, 2).result(timeout=30) == 2
            with urgent():  # a chord
                thread, got_on = tries_to_work(helpers)
                assert not got_on.wait(0.3)
            assert helpers.submit(max, 1, 2).result(timeout=30) == 2 and not got_on.is_set()
        assert got_on.wait(30)
        thread.join()


def test_others_rest_for_a_bounded_time_and_half_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "REST_MOST_S", 0.5)
    monkeypatch.setattr(runtime._Urgency, "next_s", 0.0)
    with Helpers(2) as helpers:
        with urgent():
            thread, got_on = tries_to_work(helpers)
            assert not got_on.wait(0.2) and got_on.wait(30)  # however long it takes
            thread.join()
        with urgent():  # at once again
            thread, got_on = tries_to_work(helpers)
            assert got_on.wait(0.3)
            thread.join()


def is_done_by_whoever_asks(helpers: Helpers) -> bool:
    """And not by a helper, who has a second to begin, or as long as it takes where there is one."""
    begun = threading.Event()
    shared = helpers.submit(lambda: begun.set() or threading.get_ident())
    begun.wait(1.0)
    return shared.result() == threading.get_ident()
