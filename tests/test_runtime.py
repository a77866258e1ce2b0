"""Threads that help, and how a process does without them."""

from __future__ import annotations

import threading

import pytest

from synth_explorer import runtime
from synth_explorer.runtime import Helpers, side_by_side


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
        assert (helpers.submit(threading.get_ident).result() == threading.get_ident()) is is_alone
        assert helpers.submit(max, 3, 4).result() == 4 and helpers.submit(int, "11", base=2).result() == 3
        assert list(helpers.map(abs, [-1, 2])) == [1, 2]
        with pytest.raises(ZeroDivisionError):
            helpers.submit(lambda: 1 / 0).result()


def test_while_every_core_has_a_sound_each_does_its_work_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "cores", lambda: 2)
    both = threading.Barrier(2)

    def is_alone(_: int) -> bool:
        both.wait(timeout=60)
        found = helpers.submit(threading.get_ident).result() == threading.get_ident()
        both.wait(timeout=60)
        return found

    with Helpers(1) as helpers:
        assert side_by_side(is_alone, range(2)) == [True, True]
        assert helpers.submit(threading.get_ident).result() != threading.get_ident()
