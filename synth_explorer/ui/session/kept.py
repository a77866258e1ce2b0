"""What a person keeps in the library from the page, and says of its sounds: tags, a favourite's mark, a note."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from synth_explorer.errors import AudioError, LibraryError
from synth_explorer.explorer.decoders import FINAL
from synth_explorer.library.entry import PERSON, Entry
from synth_explorer.library.library import Library
from synth_explorer.library.listening import Task, take_in
from synth_explorer.library.search import LIKELY
from synth_explorer.rendering import Rendered
from synth_explorer.schema import Schema, Texts

ORIGIN = "the page"
NAME_MOST, TAG_MOST, NOTE_MOST = 120, 60, 2000  # characters
TAGS_MOST = 20  # that are given or taken at once


class Change(Schema):
    """What a page wants changed of a sound; None leaves it as it is."""

    add: Texts = ()  # tags
    remove: Texts = ()
    favourite: bool | None = None
    note: str | None = None

    def check(self) -> Change:
        """The same. Raises LibraryError: it says too much."""
        if len(self.add) + len(self.remove) > TAGS_MOST:
            raise LibraryError(f"At most {TAGS_MOST} tags are changed at once; say fewer.")
        if longest := max((len(tag) for tag in self.add if len(tag) > TAG_MOST), default=0):
            raise LibraryError(f"A tag has {longest} characters; {TAG_MOST} are the most.")
        if self.note is not None and len(self.note) > NOTE_MOST:
            raise LibraryError(f"The note has {len(self.note):,} characters; {NOTE_MOST:,} are the most.")
        return self


def keep(library: Library, sound: Rendered, name: str) -> dict[str, Any]:
    """Keep a sound with its patch and parents: {"id", "name", "is_new": whether its content was not there}.

    `name`: what to call it; "": its notes and their weights. Raises LibraryError, AudioError.
    """
    title = f"{sound.title}, final render" if sound.patch.decoder == FINAL.name else sound.title
    called = " ".join(name.split())[:NAME_MOST] or title
    with writable(library.folder), TemporaryDirectory() as folder:
        path = sound.save(Path(folder) / f"{sound.file_stem}.wav")
        task = Task(path, "render", called, sound.patch, origin=ORIGIN)
        try:
            ((entry, is_new),) = library.keep([take_in(library.folder, task)])
        except AudioError as error:
            raise AudioError(str(error).replace(str(path), called)) from error
    return {"id": entry.id, "name": entry.name, "is_new": is_new}


def about(library: Library, entry: Entry) -> dict[str, Any]:
    """What is said of a sound: {"id", "name", "favourite", "note", "tags": a person's, "heard": those that data set,
    ears and measures say of it}."""
    said = library.tags(entry)
    own = [tag for tag, who, _ in said if who == PERSON]
    heard = dict.fromkeys(tag for tag, who, likely in said if who != PERSON and likely >= LIKELY and tag not in own)
    return {
        "id": entry.id,
        "name": entry.name,
        "favourite": entry.is_favourite,
        "note": entry.note,
        "tags": own,
        "heard": list(heard),
    }


@contextmanager
def writable(folder: Path) -> Iterator[None]:
    """What cannot be written into a library is an error for people: LibraryError."""
    try:
        yield
    except OSError as error:
        raise LibraryError(f"The library in {folder} cannot be written: {error.strerror or error}.") from error
