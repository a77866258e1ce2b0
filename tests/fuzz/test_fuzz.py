"""Every door, with inputs that went wrong: a clear error or a right result, in time and memory, with nothing left.

`python -m tests.fuzz --inputs 10000 --seed 7` opens them with others.
"""

from __future__ import annotations

from random import Random

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


def test_a_few_inputs(tmp_path_factory: pytest.TempPathFactory) -> None:
    assert found(tmp_path_factory, heavy=False, first=100, count=3) == []


@pytest.mark.slow
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


def test_the_fence_ends_what_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attack, "LONGEST_S", 0.05)

    def turns(given: attack.Attempt) -> None:
        while True:
            pass

    finding = attack.attempt(Door("x", [b"seed"], turns), 0, 0)
    assert finding is not None and finding.kind.startswith("too long")


def test_inputs_are_those_of_their_seed() -> None:
    given = {"a.json": b'{"rate": 3, "names": ["x", "y"]}', "b.bin": bytes(range(200))}
    assert [mutated(Random(i), given) for i in range(50)] == [mutated(Random(i), given) for i in range(50)]
    assert len({str(mutated(Random(i), given)) for i in range(50)}) > 40
