"""What is done in the background: in its order, with its errors, and ended with the program."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from threading import Event

import pytest

from synth_explorer.ui.session.background import Background


def test_one_thing_after_the_other_and_errors_are_kept() -> None:
    hand, going, order = Background("hand"), Event(), []
    first = hand.submit(lambda: going.wait(5.0) and order.append(1))
    wrong = hand.submit(int, "x")
    dropped = hand.submit(order.append, 2)
    last = hand.submit(lambda word, more: order.append(3) or word + more, "a", more="b")
    assert dropped.cancel() and not order
    going.set()
    assert last.result(5.0) == "ab" and first.done() and order == [1, 3]
    with pytest.raises(ValueError):
        wrong.result()


def test_what_is_left_to_do_keeps_no_program_from_ending() -> None:
    code = (
        "import time\nfrom synth_explorer.ui.session.background import Background\nhand = Background('hand')\n"
        "[hand.submit(time.sleep, 60) for _ in range(9)]"
    )
    began_s = time.monotonic()
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3], check=True)
    assert time.monotonic() - began_s < 50.0
