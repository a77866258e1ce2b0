"""Exports in the background, each known by a name that nobody guesses; they outlive their page.

One of many sounds and one of a single sound are made at a time: no file waits for an instrument.

What is finished is kept until there are too many, they are too large together, or the program ends.
"""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock
from typing import Any

from synth_explorer.errors import SynthExplorerError
from synth_explorer.files import temporary_folder
from synth_explorer.lru import LruCache
from synth_explorer.ui.session.background import Background
from synth_explorer.ui.session.exporting import LONG, Progress
from synth_explorer.ui.session.sound_folder import size_of

KEPT, WAITING_MOST, KEPT_BYTES = 40, 20, 4 << 30
GIVE_WAY_S, GIVE_WAY_MOST_S = 0.1, 1.0  # between two looks; at each step, so that it comes to an end among many

Make = Callable[[Path, Progress], Path]
"""Writes a file into a folder, tells how far it is, and returns the file."""


class TooMany(SynthExplorerError):
    """More is asked for than is done soon."""


class _Stopped(Exception):
    """Somebody does not want it any more."""


@dataclass(eq=False)
class Export:
    """A file that is being made, or is."""

    kind: str
    state: str = "waiting"  # then "working", in the end "done", "failed" or "stopped"
    done: int = 0
    total: int = 1
    reason: str = ""  # why it failed
    file: Path | None = None
    stopping: Event = field(default_factory=Event)

    @property
    def facts(self) -> dict[str, Any]:
        """What a page is told."""
        name, size = ("", 0) if self.file is None else (self.file.name, size_of(self.file))
        told = {"kind": self.kind, "state": self.state, "done": self.done, "total": self.total}
        return told | {"reason": self.reason, "name": name, "bytes": size}


class Exports:
    """Exports by their names."""

    def __init__(self) -> None:
        self.folder = temporary_folder("synth_explorer_exports-")
        self._known: LruCache[tuple[str, Export]] = LruCache(
            KEPT, most_bytes=KEPT_BYTES, bytes_of=lambda known: known[1].facts["bytes"], forget=self._forget
        )
        self._hand, self._long_hand = Background("export"), Background("long export")
        self._waiting, self._lock = 0, Lock()

    def begin(self, kind: str, make: Make, *, busy: Callable[[], bool]) -> str:
        """Make a file in the background; returns the name of its export.

        `busy`: whether somebody waits for a sound, to whom it gives way. Raises TooMany.
        """
        with self._lock:
            if self._waiting >= WAITING_MOST:
                raise TooMany(f"{WAITING_MOST} exports are waiting to be made; try again in a while.")
            self._waiting += 1
        name, export = secrets.token_urlsafe(16), Export(kind)
        self._known.put(name, (name, export))
        hand = self._long_hand if kind in LONG else self._hand
        hand.submit(self._run, name, export, make, busy)
        return name

    def find(self, name: str) -> Export | None:
        """An export; None where there is none of that name any more."""
        known = self._known.get(name)
        return None if known is None else known[1]

    def stop(self, name: str) -> None:
        """Let an export go: what is being made of it ends, what is made is deleted."""
        export = self.find(name)
        if export is not None:
            self._forget((name, export))
            export.state, export.file = "stopped", None

    def _forget(self, known: tuple[str, Export]) -> None:
        name, export = known
        export.stopping.set()
        shutil.rmtree(self.folder / name, ignore_errors=True)

    def _run(self, name: str, export: Export, make: Make, busy: Callable[[], bool]) -> None:
        def progress(done: int, total: int) -> None:
            export.done, export.total = done, total
            until_s = time.monotonic() + GIVE_WAY_MOST_S
            while busy() and time.monotonic() < until_s and not export.stopping.is_set():
                time.sleep(GIVE_WAY_S)
            if export.stopping.is_set():
                raise _Stopped

        folder = self.folder / name
        try:
            if export.stopping.is_set():
                raise _Stopped
            export.state = "working"
            folder.mkdir()
            export.file = make(folder, progress)
            export.state = "done"
            if not export.stopping.is_set():
                self._known.put(name, (name, export))  # now that its size is known
        except _Stopped:
            export.state = "stopped"
        except (SynthExplorerError, OSError) as error:
            export.state, export.reason = "failed", str(error)
        except Exception as error:  # of the program: the page is told, and the next export is made
            export.state, export.reason = "failed", f"{type(error).__name__}: {error} (unexpected)"
        finally:
            with self._lock:
                self._waiting -= 1
            if export.stopping.is_set():
                shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
