"""The notes of a patch: each is known by its content, wherever its file lies."""

from __future__ import annotations

import hashlib
import os
import stat
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from synth_explorer.assets import example_notes, find_note
from synth_explorer.errors import AudioError
from synth_explorer.files import exists, is_file
from synth_explorer.pitch import check_midi
from synth_explorer.schema import Schema


class Source(Schema):
    """A note of a patch.

    `origin`: whether it is one of the bundled notes, a file, or was kept beside the patch in one file with it.
    """

    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]  # of its file's content, hexadecimal
    name: str  # of the bundled note or the file
    origin: Literal["bundled", "file", "kept"] = "file"
    path: str = ""  # where its file was found; "" for a bundled note
    pitch_midi: float | None = None  # the pitch that is stated for it; None where it is heard

    @field_validator("pitch_midi")
    @classmethod
    def _sane_pitch(cls, midi: float | None) -> float | None:
        return None if midi is None else check_midi(midi)

    @classmethod
    def of(cls, note: str | os.PathLike[str], *, pitch_midi: float | None = None) -> Source:
        """A source from the name of a bundled note, or the path of a sound file or latents.

        Raises AudioError: there is neither a note of that name nor such a file.
        """
        path = Path(note).absolute()
        bundled = next((one for one in example_notes() if one.path == path), None)
        if not exists(path):
            bundled = find_note(os.fspath(note))
        given: dict[str, Any] = {"name": path.name, "path": str(path)}
        if bundled is not None:
            path, given = bundled.path, {"name": bundled.name, "origin": "bundled"}
        given |= {"sha256": content_hash(path), "pitch_midi": pitch_midi}
        return cls.make(what="The note", error=AudioError, **given)

    def locate(self) -> Path:
        """The file with this content. Raises AudioError: it is nowhere, or its content is another one."""
        if self.path and is_file(self.path) and content_hash(Path(self.path)) == self.sha256:
            return Path(self.path)
        for note in example_notes():
            if content_hash(note.path) == self.sha256:
                return note.path
        if self.path and is_file(self.path):
            raise AudioError(f"{self.path} is no longer the sound that the patch was made with; choose the note again.")
        where = f"not at {self.path}" if self.path else "not among the bundled notes"
        raise AudioError(f"The note {self.name!r} of the patch is {where}; give its file, or pack it with the patch.")


def content_hash(path: Path) -> str:
    """SHA-256 of a file's content. Raises AudioError where it cannot be read."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise OSError("it is no file")
        return _hash(path, found.st_mtime_ns, found.st_size)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", "") or error
        raise AudioError(f"{path} cannot be read: {why}; give the path of a sound file.") from error


@lru_cache(4096)
def _hash(path: Path, changed_ns: int, size: int) -> str:
    """The hash of a file as it was then; read again once it changes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
