"""Many visitors at one page: `python -m tests.ui.load --visitors 20 --minutes 10`, on a quiet machine.

A server is started as people start it, with folders of its own. Visitors ask what a browser asks, each with pauses and
numbers of their own. Every answer is checked, some are compared with what is rendered here afterwards; said is what
went wrong, how long what took, and what the server took of the machine, at the start, while it went on and at the end.

`--storm SECONDS`: instead, 20 reloads a second, then the server is killed and started again on the same data.
`--renders COUNT`: instead, so many different sounds in this process, and its memory.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Thread
from typing import Any

from tests.ui.load import judge, renders, storm
from tests.ui.load.page import Book
from tests.ui.load.visitor import Visitor, World
from tests.ui.server import Server

LOOKS = 10  # at what the server takes, while it goes on
SETTLES_S = 6.0


def say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def visited(
    server: Server, world: World, *, visitors: int, seconds: float, pause_s: float, looks: int = LOOKS
) -> list[dict[str, Any]]:
    """Let visitors come for so long; returns what the server took, at the start, meanwhile and at the end."""
    facts = [server.facts | {"s": 0.0}]
    began_s = time.monotonic()
    threads = [
        Thread(target=lambda number=number: _visit(world, number, pause_s), name=f"visitor {number}")
        for number in range(visitors)
    ]
    for thread in threads:
        thread.start()
    for _ in range(looks):
        time.sleep(seconds / looks)
        facts.append(server.facts | {"s": time.monotonic() - began_s})
    world.stop.set()
    for thread in threads:
        thread.join()
    return facts


def _visit(world: World, number: int, pause_s: float) -> None:
    try:
        Visitor(world, number, pause_s=pause_s).run()
    except Exception as error:  # the page did not open
        world.book.wrong("page", f"{type(error).__name__}: {error}")


def told(facts: dict[str, Any]) -> str:
    """What a server takes, in a line."""
    return (
        f"after {facts['s']:4.0f} s: {facts['rss_mb']:6.0f} MB, {facts['files']:3.0f} files, "
        f"{facts['threads']:3.0f} threads, {facts['temporary']:4.0f} temporary files of {facts['temporary_mb']:5.1f} MB"
        f" in {facts['folders']:3.0f} folders"
    )


def load(folder: Path, *, visitors: int, minutes: float, pause_s: float) -> int:
    """The whole of it; returns how much went wrong."""
    from synth_explorer.assets import example_notes

    server, book = Server(folder / "server"), Book()
    names = [note.name for note in example_notes()]
    world = World(server.address, folder, book, names)
    try:
        warm = Visitor(world, -1, pause_s=0.0)
        warm.turn()
        began_s, end_s = time.monotonic(), 60.0 * minutes
        facts = visited(server, world, visitors=visitors, seconds=end_s, pause_s=pause_s)
        time.sleep(SETTLES_S)
        facts.append(server.facts | {"s": time.monotonic() - began_s})
        tracebacks = server.tracebacks
    finally:
        server.end()
    left = sum(path.is_file() for path in server.temporary.rglob("*"))
    os.environ["SYNTH_EXPLORER_DATA"] = str(server.data)
    differing = judge.differing(_studios(), world.answers)
    say(*book.lines(), *(f"refused for now  {kind}: {count}" for kind, count in book.refused.items()))
    say(*map(told, facts), f"temporary files left when it had ended: {left}")
    asked = sum(len(times) for times in book.times_s.values())
    say(f"{asked} questions, {asked / end_s:.1f} a second; {len(book.errors)} errors; {tracebacks} tracebacks")
    say(f"{len(world.answers)} sounds compared, {len(differing)} differ")
    say(*book.errors[:20], *differing[:5])
    return len(book.errors) + len(differing) + tracebacks


def _studios() -> Any:
    from synth_explorer.assets import example_notes
    from synth_explorer.explorer import Explorer
    from synth_explorer.ui.session.studios import Studios

    return Studios(lambda name: Explorer.load(name), ["default"], notes=example_notes())


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--pause", type=float, default=3.0, help="seconds between what a visitor does, on average")
    parser.add_argument("--storm", type=float, help="seconds of reloads")
    parser.add_argument("--finals", type=int, help="instead, so many final renders at once")
    parser.add_argument("--renders", type=int, help="sounds to render")
    given = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="load-") as name:
        folder = Path(name)
        if given.renders is not None:
            for line in renders.measured(given.renders):
                say(line)
            return 0
        if given.storm is not None:
            wrong, lines = storm.weathered(folder, seconds=given.storm)
            say(*lines)
            return min(1, wrong)
        if given.finals is not None:
            wrong, lines = storm.finals(folder, given.finals)
            say(*lines)
            return min(1, wrong)
        return min(1, load(folder, visitors=given.visitors, minutes=given.minutes, pause_s=given.pause))


if __name__ == "__main__":
    sys.exit(main())
