"""Attempts at doors: an input is opened in a fence of time and memory, and what must not come of it is a `Finding`."""

from __future__ import annotations

import faulthandler
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from synth_explorer.errors import SynthExplorerError
from tests.fuzz.mutators import mutated

LONGEST_S = 20.0  # of computing
WAITING_S = 60.0  # for what computes nothing, or too little on a busy machine
HANGING_S = 180.0  # for what hears no signal: the process ends, with a traceback
LARGEST_BYTES = 1 << 30  # by which the process may grow
HEADROOM_BYTES = 4 << 30  # at which it is stopped
LONGEST_SENTENCE = 3000  # characters of an error
PACKAGE = "synth_explorer"


class TooLong(BaseException):
    """No error of a program: nothing catches it."""


@dataclass(frozen=True)
class Attempt:
    """An input, and where it may be written. What lies in `folder` beside the input and `out` is a leftover."""

    given: Any
    folder: Path

    @property
    def out(self) -> Path:
        """A folder for results."""
        return self.folder / "out"

    def file(self, suffix: str, name: str = "given") -> Path:
        """The input as a file."""
        path = self.folder / "in" / f"{name}{suffix}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(self.given)
        return path

    def tree(self) -> Path:
        """The input as a folder."""
        root = self.folder / "in"
        for name, content in self.given.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)
        return root


@dataclass(frozen=True)
class Door:
    """Something that is opened by what comes from outside. `open` raises a SynthExplorerError, or all is well."""

    name: str
    seeds: Sequence[Any]  # valid inputs, see `mutators`
    open: Callable[[Attempt], Any]
    heavy: bool = False  # takes seconds, or needs what takes seconds to load
    mutate: Callable[[Random, Any], Any] = mutated


@dataclass(frozen=True)
class Finding:
    """What came of an input that must not; `kind` is the same for those that have one cause."""

    door: str
    seed: int
    number: int
    kind: str
    detail: str

    def __str__(self) -> str:
        again = f"python -m tests.fuzz --door '{self.door}' --seed {self.seed} --only {self.number}"
        return f"{self.door}: {self.kind}\n    {again}\n{self.detail}"


def inputs(door: Door, seed: int, number: int) -> Any:
    """An input of a door: the valid ones first, then mutations."""
    rng = Random(f"{door.name}/{seed}/{number}")
    return door.seeds[number] if number < len(door.seeds) else door.mutate(rng, rng.choice(door.seeds))


def attempt(door: Door, seed: int, number: int) -> Finding | None:
    """Open a door once."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as above:
        folder = Path(above) / "deep" / "deeper"
        (folder / "temporary").mkdir(parents=True)
        (folder / "out").mkdir()
        kind, detail, refusal = "", "", ""
        try:
            with _elsewhere(folder), _fence() as grown:
                door.open(Attempt(inputs(door, seed, number), folder))
        except SynthExplorerError as error:
            refusal = str(error)
            if not refusal.strip() or "Traceback" in refusal or len(refusal) > LONGEST_SENTENCE:
                kind, detail = "an error that says nothing, or too much", f"{refusal[:3000]!r}"
        except TooLong as error:
            kind, detail = f"too long, {_where(error)}", traceback.format_exc(limit=-6)
        except Exception as error:
            kind, detail = f"{type(error).__name__}, {_where(error)}", traceback.format_exc(limit=-8)
        if number < len(door.seeds) and refusal:
            kind, detail = "a valid input is refused", refusal
        if not kind and grown and grown[0] > LARGEST_BYTES:
            kind, detail = "too much memory", f"{grown[0] / 2**20:.0f} MiB"
        if not kind and (left := _left(folder, bool(refusal))):
            kind, detail = (
                "left behind: " + re.sub(r"[0-9a-z_]{8}(?=\.|$)", "*", left[0].name),
                "\n".join(map(str, left)),
            )
        return Finding(door.name, seed, number, kind, detail) if kind else None


def _left(folder: Path, is_refused: bool) -> list[Path]:
    """What must not lie there afterwards."""
    found = [path for path in (folder / "temporary").rglob("*") if path.is_file()]
    results = [path for path in (folder / "out").rglob("*") if path.is_file()]
    hidden = [path for path in (*results, *(folder / "user").rglob("*")) if path.name.startswith(".")]
    escaped = [path for path in folder.parents[1].glob("*") if path != folder.parent]
    escaped += [path for path in folder.parent.glob("*") if path != folder]
    found = [path for path in found if not path.name.startswith("__autograph_")]  # TensorFlow's, until the process ends
    return found + hidden + escaped + (results if is_refused else [])


@contextmanager
def _elsewhere(folder: Path) -> Iterator[None]:
    """In a folder, with its own place for temporary files and for the user's."""
    names = ("SYNTH_EXPLORER_CACHE", "SYNTH_EXPLORER_DATA")
    before, here, old = {name: os.environ.get(name) for name in names}, Path.cwd(), tempfile.tempdir
    os.environ.update({name: str(folder / "user" / name) for name in names})
    tempfile.tempdir = str(folder / "temporary")
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(here)
        tempfile.tempdir = old
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


@contextmanager
def _fence() -> Iterator[list[int]]:
    """Limits to time and memory; then holds by how many bytes the process grew, where that is known."""

    def stop(*_: object) -> None:
        raise TooLong

    grown: list[int] = []
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    handlers = [signal.signal(number, stop) for number in (signal.SIGPROF, signal.SIGALRM)]
    before = _status("VmRSS")
    if before:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew
        resource.setrlimit(resource.RLIMIT_AS, (_status("VmSize") + HEADROOM_BYTES, hard))
    signal.setitimer(signal.ITIMER_PROF, LONGEST_S)
    signal.setitimer(signal.ITIMER_REAL, WAITING_S)
    faulthandler.dump_traceback_later(HANGING_S, exit=True, file=sys.__stderr__)
    try:
        yield grown
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in zip((signal.SIGPROF, signal.SIGALRM), handlers, strict=True):
            signal.signal(number, handler)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        if before:
            grown.append(_status("VmHWM") - before)


def _status(name: str) -> int:
    """Bytes of this process' memory by Linux' name for it; 0 elsewhere."""
    if sys.platform != "linux":
        return 0
    found = re.search(rf"{name}:\s+(\d+)", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(found[1]) * 1024 if found else 0


def _where(error: BaseException) -> str:
    """The innermost line of the package that an error went through."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f"/{PACKAGE}/" in f.filename]
    if not frames:
        return "outside of the package"
    return f"{frames[-1].filename.rpartition(f'/{PACKAGE}/')[2]}:{frames[-1].name}"


def run(
    doors: Sequence[Door], *, seed: int, count: int, first: int = 0, say: Callable[[str], None] | None = None
) -> list[Finding]:
    """Make `count` attempts at each door; the first finding of each kind."""
    found: dict[tuple[str, str], Finding] = {}
    for door in doors:
        times, began_s = 0, time.process_time()
        for number in range(first, first + count):
            finding = attempt(door, seed, number)
            if finding is None:
                continue
            times += 1
            if (door.name, finding.kind) not in found:
                found[door.name, finding.kind] = finding
                if say:
                    say(str(finding))
        if say:
            say(f"{door.name}: {count} inputs, {times} findings, {time.process_time() - began_s:.1f} s")
    return list(found.values())


def emptied(folder: Path) -> Path:
    """A folder with nothing in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
