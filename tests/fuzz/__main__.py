"""The fuzzer as a command: `python -m tests.fuzz --inputs 10000`."""

from __future__ import annotations

import argparse
import faulthandler
import sys
import tempfile
from pathlib import Path

from tests import conftest as conftest  # the quiet environment of tests
from tests.fuzz import attack
from tests.fuzz.doors import all_doors
from tests.fuzz.world import World


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Opens every door with inputs that went wrong; prints what must not come of them."
    )
    parser.add_argument("--inputs", type=int, default=1000, help="in all, over all doors")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--door", action="append", help="only this one; may be given again")
    parser.add_argument("--quick", action="store_true", help="without what needs Keras")
    parser.add_argument("--only", type=int, help="a single input by its number")
    given = parser.parse_args()
    faulthandler.enable()
    with tempfile.TemporaryDirectory(prefix="fuzz-world-") as folder:
        world = World(Path(folder))
        doors = [d for d in all_doors(world, heavy=not given.quick) if not given.door or d.name in given.door]
        each = -(-given.inputs // max(len(doors), 1))
        first, count = (0, each) if given.only is None else (given.only, 1)
        with world.in_charge():
            found = attack.run(doors, seed=given.seed, count=count, first=first, say=_say)
    return 1 if found else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
