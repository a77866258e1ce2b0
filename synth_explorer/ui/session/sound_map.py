"""The sounds that the page's map shows: the user's library, with the bundled notes in it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from synth_explorer.errors import LibraryError
from synth_explorer.library import bundled
from synth_explorer.library.ears import Ears
from synth_explorer.library.entry import EARS, ID_DIGITS, LABELS, PERSON, Entry
from synth_explorer.library.importing import import_all
from synth_explorer.library.labels import suspects
from synth_explorer.library.library import Library
from synth_explorer.library.listening import Task
from synth_explorer.library.places import Places
from synth_explorer.library.search import Reference, Search, heard
from synth_explorer.lru import LruCache
from synth_explorer.ui.session import kept, walk
from synth_explorer.ui.session.kept import Change
from synth_explorer.ui.session.slot_note import SlotNote
from synth_explorer.ui.session.studio import Studio
from synth_explorer.ui.session.walk import Walk

if TYPE_CHECKING:
    from synth_explorer.assets import ExampleNote
    from synth_explorer.rendering import Rendered

EXAMPLE = "example"  # the tag of bundled notes
SHOWN = ("brightness_octaves", "noisiness_db", "attack_s", "decay_db_s", "pitch_midi", "loudness_db")
DIGITS = 4
KEPT = 64
DOUBTFUL_MOST = 20  # labels that are shown at once
MOST = 20_000  # sounds that a page draws: the newest


class SoundMap:
    """A library, opened and placed when somebody first asks for it. Threads may share it."""

    def __init__(self, notes: Sequence[ExampleNote], *, folder: Path | None = None, is_kept: bool = True) -> None:
        """`folder`: of the library; None: the user's. `is_kept`: whether sounds can be kept in it, and changed."""
        self.is_kept = is_kept
        self._notes, self._folder = notes, folder
        self._lock = Lock()
        self._library: Library | None = None
        self._points: LruCache[np.ndarray] = LruCache(KEPT)  # of sources, by their content

    def _opened(self) -> tuple[Library, Search, Places]:
        """Raises LibraryError: the library cannot be opened or written."""
        if self._library is None:
            library = Library(self._folder)
            tasks = [Task(note.path.absolute(), "note", note.name, tags=(EXAMPLE, note.family)) for note in self._notes]
            names = {task.name for task in tasks}
            with kept.writable(library.folder):
                import_all(library, tasks, workers=1)
                import_all(library, [task for task in library.unheard() if task.name in names], workers=1)
            self._library, self._search, self._places = library, Search(library), Places(library)
            self._places.lay(bundled.places())
        return self._library, self._search, self._places

    def facts(self) -> dict[str, Any]:
        """All that lies on the map, or the newest of it: {"families": [...], "values": names of measures, "sounds":
        [[id, name, x, y, number of its family or -1, values ...], ...], "doubtful": how many labels are}. Raises
        LibraryError."""
        with self._lock:
            library, _, places = self._opened()
            numbers, where = places.all()
            families = sorted(Ears.bundled().families)
            said = library.read(
                "SELECT entry, tag FROM told WHERE who IN (?, ?, ?) ORDER BY who = ?, who = ?, probability",
                *(EARS, *LABELS, *LABELS),
            )
            family = {row["entry"]: row["tag"] for row in said if row["tag"] in families}  # a person has the last word
            columns = ", ".join(SHOWN)
            rows = {row["id"]: row for row in library.read(f"SELECT id, sha256, name, {columns} FROM entries")}
            doubtful = len(suspects(library))
        sounds = [
            [
                row["sha256"][:ID_DIGITS],
                row["name"],
                *np.round(place, DIGITS).tolist(),
                families.index(family[number]) if number in family else -1,
                *(None if row[name] is None else round(row[name], DIGITS) for name in SHOWN),
            ]
            for number, place in zip(numbers[-MOST:].tolist(), where[-MOST:], strict=True)
            if (row := rows.get(number))
        ]
        return {"families": families, "values": list(SHOWN), "sounds": sounds, "doubtful": doubtful}

    def doubtful(self) -> dict[str, Any]:
        """The labels that are most probably wrong, see `library.labels`: {"labels": [{"id", "name", "tag", "reason"},
        ...], "count": of all}. Raises LibraryError."""
        with self._lock:
            found = suspects(self._opened()[0])
        told = [
            {"id": one.entry.id, "name": one.entry.name, "tag": one.tag, "reason": one.reason}
            for one in found[:DOUBTFUL_MOST]
        ]
        return {"labels": told, "count": len(found)}

    def judge(self, name: str, tag: str, *, right: bool) -> None:
        """Say whether a tag of a sound is right, by its id. Raises LibraryError: there is none, or not for you."""
        library = self._own()
        library.judge(library.entry(name), tag, right=right)

    def keep(self, sound: Rendered, name: str) -> dict[str, Any]:
        """Keep a sound, see `session.kept`. Raises LibraryError, AudioError."""
        return kept.keep(self._own(), sound, name)

    def about(self, name: str) -> dict[str, Any]:
        """What is said of a sound, by its id, see `session.kept`; the tags with which bundled notes come are among
        those that are heard. Raises LibraryError."""
        library = self._own()
        return self._told(library, library.entry(name))

    def change(self, name: str, given: Change) -> dict[str, Any]:
        """Change what is said of a sound, by its id; answers what then is. Raises LibraryError."""
        library = self._own()
        entry = library.entry(name)
        add, remove = given.check().add, given.remove
        library.change([entry], add=add, remove=remove, favourite=given.favourite, note=given.note)
        return self._told(library, library.entry(entry.sha256))

    def _told(self, library: Library, entry: Entry) -> dict[str, Any]:
        told = kept.about(library, entry)
        bundled_tags = next(
            ([EXAMPLE, note.family] for note in self._notes if note.name == entry.name and EXAMPLE in told["tags"]), []
        )
        own = [tag for tag in told["tags"] if tag not in bundled_tags]
        return told | {"tags": own, "heard": [*bundled_tags, *told["heard"]]}

    def check(self) -> None:
        """Raises LibraryError: it is not for you to change."""
        if not self.is_kept:
            raise LibraryError("The library is for who sits at the computer that serves the page, or is logged in.")

    def _own(self) -> Library:
        """The library, for who may change it. Raises LibraryError."""
        self.check()
        with self._lock:
            return self._opened()[0]

    def sound(self, name: str) -> Path:
        """The file of a sound by its id. Raises LibraryError: there is none."""
        with self._lock:
            return self._opened()[0].entry(name).path

    def token(self, studio: Studio, name: str) -> str:
        """What the page calls a sound by that is taken for a source, by its id. Raises LibraryError, AudioError."""
        with self._lock:
            library, *_ = self._opened()
            entry = library.entry(name)
            is_example = any(tag == EXAMPLE and who == PERSON for tag, who, _ in library.tags(entry))
        if is_example and entry.name in studio.notes:
            return studio.open_example(entry.name).token
        return studio.open_own(entry.path, title=f"{entry.name}{entry.path.suffix}").token

    def walked(self, studio: Studio, given: Walk) -> dict[str, Any]:
        """What a walk over the map makes, see `session.walk`: {"tokens": what the page calls its sounds by, in the
        order of the slots, "names": in the order in which they are passed, "curves"}. Raises LibraryError, AudioError,
        EditError."""
        points = given.array()
        with self._lock:
            library, _, places = self._opened()
            numbers, where = places.all()
            found = walk.stops(points, where[-MOST:], aspect=given.aspect)
            entries = {stop.number: library.entries([int(numbers[-MOST:][stop.number])])[0] for stop in found}
        tokens = [self.token(studio, entries[number].id) for number in walk.slots(found)]
        lasts = [studio.latents(note).duration_samples for note in map(studio.find, tokens) if note]
        return {
            "tokens": tokens,
            "names": [entries[stop.number].name for stop in found],
            "curves": walk.curves(found, sound_s=sum(lasts) / len(lasts) / studio.explorer.sample_rate_hz),
        }

    def place(self, audio: np.ndarray, *, sample_rate_hz: int) -> list[float]:
        """Where a sound [T] lies: x, y. Raises LibraryError, AudioError."""
        return self._place(Ears.bundled().hear(audio, sample_rate_hz=sample_rate_hz).embedding)

    def place_of(self, studio: Studio, note: SlotNote) -> list[float]:
        """Where a source lies: x, y. Raises LibraryError, AudioError."""
        rate = studio.explorer.sample_rate_hz
        point = self._points.get(note.key)
        if point is None:
            point = Ears.bundled().hear(studio.heard(note), sample_rate_hz=rate).embedding
        return self._place(self._points.put(note.key, point))

    def _place(self, point: np.ndarray) -> list[float]:
        with self._lock:
            *_, places = self._opened()
            return np.round(places.of(point), DIGITS).tolist()

    def find(
        self,
        words: str,
        *,
        this: tuple[np.ndarray, int] | str | None = None,
        limit: int = 12,
        spread: float = 0.0,
        without: Collection[str] = (),
    ) -> dict[str, Any]:
        """What words say, see `library.words`: {"ids": [...], "understood": sentence, "count": how many fit}.

        `this`: what is compared with: a sound [T] and its rate in Hz, or an id. `without`: ids that are left out.
        Raises LibraryError, AudioError.
        """
        sound: Reference | None = None
        if isinstance(this, tuple):
            sound = heard("this sound", this[0], sample_rate_hz=this[1])
        with self._lock:
            library, search, _ = self._opened()
            if isinstance(this, str):
                sound = search.reference(this)
            marks = ", ".join("?" * len(without))
            gone = library.read(f"SELECT id FROM entries WHERE substr(sha256, 1, {ID_DIGITS}) IN ({marks})", *without)
            found = search.find(words, this=sound, limit=limit, spread=spread, without=[row["id"] for row in gone])
        return {"ids": [entry.id for entry in found.entries], "understood": found.understood, "count": found.count}
