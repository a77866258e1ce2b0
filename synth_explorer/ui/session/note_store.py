"""The notes that people bring, kept on disk under the hash of their content: links and reloads find them again."""

from __future__ import annotations

import os
import re
import shutil
import time
from pathlib import Path
from threading import Lock

from synth_explorer.errors import AudioError
from synth_explorer.files import atomic_path, data_folder
from synth_explorer.rendering.sources import content_hash

DIGITS = 24
"""Of a content's hash that name it: 96 bits, which nobody guesses who has neither the sound nor a link to it."""

LARGEST_BYTES, MOST_BYTES = 2**26, 2**30  # of one note, and of all
SUFFIX = re.compile(r"\.[a-z0-9]{1,5}")
ABANDONED_S = 3600.0  # after which an unfinished file is nobody's


class NoteStore:
    """A folder of sound files by their content, those that were used last, up to a number of bytes.

    Several servers may share it: files are written beside and renamed, and one that is gone counts as not kept.
    """

    def __init__(self, folder: Path | None = None, *, most_bytes: int = MOST_BYTES) -> None:
        """`folder`: None: `notes` in the user's data folder, made when a note is put there."""
        self._folder, self.most_bytes = folder, most_bytes
        self._lock = Lock()

    @property
    def folder(self) -> Path:
        return data_folder() / "notes" if self._folder is None else self._folder

    def put(self, path: Path) -> Path:
        """Keep a copy of a file, unless its content is kept. Returns the copy.

        Raises AudioError: the file is too large, or cannot be copied.
        """
        size, digest = path.stat().st_size, content_hash(path)[:DIGITS]
        if size > min(LARGEST_BYTES, self.most_bytes):
            raise AudioError(
                f"{path.name} has {size / 2**20:.0f} MB, a note at most {LARGEST_BYTES / 2**20:.0f}; cut it shorter."
            )
        with self._lock:
            kept = self.find(digest)
            if kept is not None:
                return kept
            suffix = path.suffix.lower()
            target = self.folder / f"{digest}{suffix if SUFFIX.fullmatch(suffix) else ''}"
            try:
                with atomic_path(target) as temporary:
                    shutil.copyfile(path, temporary)
                self._forget_oldest(but=target)
            except OSError as error:
                raise AudioError(f"{path.name} cannot be kept: {error.strerror or error}.") from error
        return target

    def find(self, digest: str) -> Path | None:
        """The file whose content has a hash that begins so; None where it is not kept, or damaged."""
        if not re.fullmatch(rf"[0-9a-f]{{{DIGITS}}}", digest):
            return None
        for path in self.folder.glob(f"{digest}*"):
            try:
                if content_hash(path).startswith(digest):
                    os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))
                    return path
                path.unlink(missing_ok=True)
            except (OSError, AudioError):  # another server has just let it go
                continue
        return None

    def _forget_oldest(self, *, but: Path) -> None:
        """Delete what was used longest ago, as far as there is too much."""
        left_bytes, used = self.most_bytes, []
        for path in self.folder.iterdir():
            found = path.stat()
            if path.name.startswith("."):
                if time.time() - found.st_mtime > ABANDONED_S:
                    path.unlink(missing_ok=True)
            else:
                used.append((path == but, found.st_atime_ns, found.st_size, path))
        for _, _, size, path in sorted(used, reverse=True):
            left_bytes -= size
            if left_bytes < 0:
                path.unlink(missing_ok=True)
