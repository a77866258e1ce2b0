"""What the page keeps: a bounded memory of what was computed, and a bounded folder of the sounds that it plays."""

from __future__ import annotations

import atexit
import hashlib
import shutil
import tempfile
from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

import numpy as np

from synth_explorer import audio as sound

Value = TypeVar("Value")


class LruCache(Generic[Value]):
    """Remembers the `size` values that were used last. Threads may share it."""

    def __init__(self, size: int, *, forget: Callable[[Value], None] | None = None) -> None:
        """Args: size: how many values to keep. forget: called with each value that is dropped."""
        self.size = size
        self._forget = forget
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Hashable) -> Value | None:
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: Hashable, value: Value) -> Value:
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            dropped = [self._values.popitem(last=False)[1] for _ in range(len(self._values) - self.size)]
        if self._forget is not None:
            for old in dropped:
                self._forget(old)
        return value


class Jukebox:
    """A temporary folder of WAV files that the page plays, the newest `size` of them; it goes with the process.

    Files are 32-bit float at the level of the sound: nothing is normalised, and nothing clips in the file.
    """

    def __init__(self, *, size: int = 200) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="synth_explorer-")).resolve()
        self._files: LruCache[Path] = LruCache(size, forget=lambda path: path.unlink(missing_ok=True))
        atexit.register(self.close)

    def put(self, audio: np.ndarray, *, sample_rate_hz: int) -> Path:
        """Write a sound under a name made of its content, unless it is there."""
        digest = hashlib.sha256(np.ascontiguousarray(audio).tobytes() + str(sample_rate_hz).encode()).hexdigest()[:20]
        path = self._files.get(digest)
        if path is None or not path.is_file():
            path = sound.save(self.folder / f"{digest}.wav", audio, sample_rate_hz=sample_rate_hz)
            self._files.put(digest, path)
        return path

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
