"""Progress where nobody sees a bar: lines, by a clock that the test moves."""

from __future__ import annotations

import pytest

from synth_explorer.cli import progress


def lines_of(total_s: float, *, total: int = 1000, step_s: float = 0.5) -> list[tuple[float, str]]:
    """When which lines come, of steady work that takes so long."""
    now, found = 0.0, []
    lines = progress.Lines(
        "decoding a.wav", unit="samples", clock=lambda: now, say=lambda line: found.append((now, line))
    )
    while now < total_s:
        lines(int(total * now / total_s), total)
        now += step_s
    lines(total, total)
    return found


@pytest.mark.parametrize("total_s", [0.0, 1.0, 5.0])
def test_what_is_quick_says_nothing(total_s: float) -> None:
    assert lines_of(total_s) == []


def test_the_first_line_comes_after_five_seconds() -> None:
    when, line = lines_of(20.0)[0]
    assert when == 5.0
    assert line == "decoding a.wav: 25 %, 250 of 1,000 samples, about 15 s left"


def test_lines_grow_rarer() -> None:
    assert [when for when, _ in lines_of(20.0)] == [5.0, 10.0, 15.0]  # not sooner than 5 s
    minutes = [when for when, _ in lines_of(200.0)]
    assert minutes[:3] == [5.0, 25.0, 45.0]  # every tenth
    hours = [when for when, _ in lines_of(7200.0, total=10**6)]
    assert hours[:4] == [5.0, 35.0, 95.0, 215.0] and len(hours) < 20  # 30 s, then twice as long


def test_before_anything_is_done_no_time_is_foretold() -> None:
    now, said = 0.0, []
    lines = progress.Lines("reconstruction", clock=lambda: now, say=said.append)
    lines(0, 30)
    now = 6.0
    lines(0, 30)
    lines(0, 0)
    assert said == ["reconstruction: 0 %, 0 of 30"]


@pytest.mark.parametrize(("seconds", "text"), [(0.2, "1 s"), (80, "80 s"), (600, "10 min"), (9000, "2 h 30 min")])
def test_durations(seconds: float, text: str) -> None:
    assert progress._duration(seconds) == text


def test_without_a_terminal_there_are_lines() -> None:
    with progress.progress("decoding") as update:
        assert isinstance(update, progress.Lines)
