"""What the page keeps: a bounded folder of the sounds that it plays."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np

from synth_explorer import audio as sound
from synth_explorer.files import temporary_folder
from synth_explorer.lru import LruCache


class SoundFolder:
    """A temporary folder of WAV files that the page plays, the newest `size` of them, if they are not too large
    together; it goes with the process.

    Files are 32-bit float at the level of the sound: nothing is normalised, and nothing clips in the file.
    """

    def __init__(self, *, size: int = 200, most_bytes: int = 2 << 30) -> None:
        self.folder = temporary_folder("synth_explorer_sounds-")
        self._files: LruCache[Path] = LruCache(
            size, most_bytes=most_bytes, bytes_of=size_of, forget=lambda path: path.unlink(missing_ok=True)
        )

    def put(self, audio: np.ndarray, *, sample_rate_hz: int) -> Path:
        """Write a sound under a name made of its content, unless it is there."""
        digest = hashlib.sha256(np.ascontiguousarray(audio).tobytes() + str(sample_rate_hz).encode()).hexdigest()[:20]
        path = self._files.get(digest)
        if path is None or not path.is_file():
            path = sound.save(self.folder / f"{digest}.wav", audio, sample_rate_hz=sample_rate_hz)
            self._files.put(digest, path)
        return path

    def keep(self, path: Path) -> Path:
        """Keep a copy of a file, by its content and its suffix."""
        content = path.read_bytes()
        key = f"{hashlib.sha256(content).hexdigest()[:20]}{path.suffix}"
        kept = self._files.get(key)
        if kept is None or not kept.is_file():
            kept = self.folder / key
            kept.write_bytes(content)
            self._files.put(key, kept)
        return kept

    def file(self, path: Path) -> Path | None:
        """A file of this folder by its path; None for what is none, wherever else it lies."""
        found = self.folder / path.name
        return found if path.resolve() == found and found.is_file() else None

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def size_of(path: Path) -> int:
    """Bytes of a file, 0 where another thread has taken it away meanwhile."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
