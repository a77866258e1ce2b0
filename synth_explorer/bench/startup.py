"""Whole commands, from the shell and back, and the page until it answers: what a user waits for."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from synth_explorer.errors import SynthExplorerError

NOTES = ("Cello", "Flute")
REPEATS = 5
PAGE_LIMIT_S = 120.0
POLLED_S = 0.02


def run(
    *, checkpoint: str = "default", repeats: int = REPEATS, progress: Callable[[int, int], None] | None = None
) -> dict[str, dict[str, float]]:
    """Time commands on bundled notes of a few seconds, each in a process of its own, after one to warm the disk.

    Returns `{name: {"median_s", "min_s", "max_s"}}`. `progress`: called with runs done and runs in all. Raises
    SynthExplorerError: a command that fails.
    """
    times: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        waits = _waits(Path(folder), checkpoint)
        total = len(waits) * (repeats + 1)
        for name, wait in waits.items():
            seconds = []
            for _ in range(repeats + 1):
                seconds.append(wait())
                if progress is not None:
                    progress(len(times) * (repeats + 1) + len(seconds), total)
            counted = seconds[1:]
            times[name] = {"median_s": statistics.median(counted), "min_s": min(counted), "max_s": max(counted)}
    return times


def _waits(folder: Path, checkpoint: str) -> dict[str, Callable[[], float]]:
    """What is timed; each gives its seconds."""
    latents, sound, model = str(folder / "a.npz"), str(folder / "a.wav"), ("--checkpoint", checkpoint)
    commands = {
        "--help": ("--help",),
        "encode --fit-steps 0": ("encode", NOTES[0], "-o", latents, "--fit-steps", "0", *model),
        "decode": ("decode", latents, "-o", sound, *model),
        "morph --fit-steps 0": ("morph", *NOTES, "-o", sound, "--fit-steps", "0", *model),
        "edit --fit-steps 0": ("edit", NOTES[0], "--gain-db", "-6", "-o", sound, "--fit-steps", "0", *model),
        "encode": ("encode", NOTES[0], "-o", latents, *model),
        "morph": ("morph", *NOTES, "-o", sound, *model),
        "edit": ("edit", NOTES[0], "--gain-db", "-6", "-o", sound, *model),
    }
    waits: dict[str, Callable[[], float]] = {
        name: lambda words=words: _command(words) for name, words in commands.items()
    }
    return waits | {"page, until it answers": lambda: _page(("page", *model), folder)}


def _command(words: Sequence[str]) -> float:
    """Seconds of a command as a process."""
    start = time.perf_counter()
    done = subprocess.run(_words(words), capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if done.returncode:
        raise SynthExplorerError(f"`{' '.join(words)}` could not be timed: {done.stderr.strip()}")
    return seconds


def _page(words: Sequence[str], folder: Path) -> float:
    """Seconds until the page has told its address and answers there."""
    start = time.perf_counter()
    with (
        tempfile.TemporaryFile("w+", dir=folder) as errors,
        subprocess.Popen(_words(words), stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            address = _address(process.stdout)
            if address is None:
                errors.seek(0)
                raise SynthExplorerError(f"The page could not be timed: {errors.read().strip()}")
            _wait_for(address, until_s=start + PAGE_LIMIT_S)
            return time.perf_counter() - start
        finally:
            process.terminate()


def _address(lines: IO[str]) -> str | None:
    """The address that the page prints."""
    for line in lines:
        for word in line.split():
            if word.startswith("http://"):
                return word
    return None


def _wait_for(address: str, *, until_s: float) -> None:
    while True:
        try:
            with urllib.request.urlopen(address, timeout=PAGE_LIMIT_S) as answer:
                answer.read()
            return
        except (urllib.error.URLError, ConnectionError) as error:
            if time.perf_counter() > until_s:
                raise SynthExplorerError(f"The page at {address} does not answer: {error}") from error
            time.sleep(POLLED_S)


def _words(words: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "synth_explorer", *words]
