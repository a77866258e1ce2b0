"""Every door, with inputs that went wrong: a clear error or a right result, in time and memory, with nothing left.

`python -m tests.fuzz --inputs 10000 --seed 7` opens them with others.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random
from threading import Event
from typing import Any

import pytest

from synth_explorer.errors import SpecError
from tests.fuzz import attack
from tests.fuzz.attack import Door
from tests.fuzz.doors import all_doors
from tests.fuzz.mutators import mutated
from tests.fuzz.world import World


def found(folder: pytest.TempPathFactory, *, heavy: bool, **how: int) -> list[str]:
    """What must not come of inputs of every door."""
    world = World(folder.mktemp("world"))
    doors = all_doors(world, heavy=heavy)
    with world.in_charge():
        return [str(finding) for finding in attack.run(doors, seed=2005, **how)]


@pytest.mark.slow
def test_a_few_inputs(tmp_path_factory: pytest.TempPathFactory) -> None:
    assert found(tmp_path_factory, heavy=False, first=100, count=3) == []


@pytest.mark.long
def test_two_minutes_of_inputs(tmp_path_factory: pytest.TempPathFactory) -> None:
    assert found(tmp_path_factory, heavy=True, count=30) == []


def test_the_fence_finds() -> None:
    """An error that is none of ours, a valid input that is refused, memory, and what is left."""

    def raises(given: attack.Attempt) -> None:
        raise KeyError(given.given)

    def refuses(given: attack.Attempt) -> None:
        raise SpecError("no")

    def leaves(given: attack.Attempt) -> None:
        (given.out / "half.wav").write_bytes(b"")
        raise SpecError("no")

    def grows(given: attack.Attempt) -> None:
        bytearray(attack.LARGEST_BYTES + (64 << 20))[::4096]

    for opens, kind in ((raises, "KeyError"), (refuses, "valid"), (leaves, "valid"), (grows, "memory")):
        finding = attack.attempt(Door("x", [b"seed"], opens), 0, 0)
        assert finding is not None and kind in finding.kind
    finding = attack.attempt(Door("x", [b"seed"], leaves), 0, 1)
    assert finding is not None and finding.kind == "left behind: half.wav"


def turns(given: attack.Attempt) -> None:
    while True:
        pass


def waits(given: attack.Attempt) -> None:
    Event().wait(60.0)


@pytest.mark.parametrize(("limit", "opens"), [("LONGEST_S", turns), ("WAITING_S", waits)])
def test_the_fence_ends_what_does_not_end(limit: str, opens: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert attack.LONGEST_S < attack.WAITING_S <= 60.0 < attack.HANGING_S
    monkeypatch.setattr(attack, limit, 0.05)
    finding = attack.attempt(Door("x", [b"seed"], opens), 0, 0)
    assert finding is not None and finding.kind.startswith("too long")


def test_the_process_ends_where_signals_are_not_heard(repository: Path) -> None:
    program = (
        "from collections import deque\nfrom itertools import repeat\nfrom tests.fuzz import attack\n"
        "attack.WAITING_S, attack.HANGING_S = 0.1, 0.5\n"
        "attack.attempt(attack.Door('x', [b''], lambda given: deque(repeat(0), 0)), 0, 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=repository, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "Timeout" in done.stderr and "in <lambda>" in done.stderr


def test_inputs_are_those_of_their_seed() -> None:
    given = {"a.json": b'{"rate": 3, "names": ["x", "y"]}', "b.bin": bytes(range(200))}
    assert [mutated(Random(i), given) for i in range(50)] == [mutated(Random(i), given) for i in range(50)]
    assert len({str(mutated(Random(i), given)) for i in range(50)}) > 40
