"""What measurements of the page share: the page as people start it, and how times are told."""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


@contextmanager
def app(port: str) -> Iterator[str]:
    """The address of an `app.py` that runs for as long."""
    environment = os.environ | {"GRADIO_SERVER_PORT": port, "PYTHONUNBUFFERED": "1"}
    running = subprocess.Popen(
        [sys.executable, "app.py"], cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert running.stdout is not None
        yield next(found[0] for line in running.stdout if (found := re.search(r"http://[\w.:]+", line)))
    finally:
        running.terminate()
        running.wait(30)


def main(measure: Callable[[str, int], dict[str, list[float]]], *, about: str, port: str, of: str, count: int) -> None:
    """The command of a measurement: times in ms by name, of so many of what is measured.

    Args:
        measure: takes the address of a page and how many.
        of: what is counted, an option's name.
        count: of them, unless told otherwise.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument(f"--{of}", type=int, default=count)
    parser.add_argument("--address", help="a page that is served already; otherwise app.py is started")
    given = vars(parser.parse_args())
    if given["address"] is not None:
        found = measure(given["address"], given[of])
    else:
        with app(port) as address:
            found = measure(address, given[of])
    for name, times in found.items():
        sys.stdout.write(f"{name:10} {_told(times)}\n")


def _told(times: list[float]) -> str:
    if len(times) < 2:
        return f"{len(times)} times"
    tenth = statistics.quantiles(times, n=10)[-1]
    spread = f"{min(times):4.0f} to {max(times):4.0f}"
    return f"median {statistics.median(times):4.0f}  p90 {tenth:4.0f}  {spread} ms, of {len(times)}"
