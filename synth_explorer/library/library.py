"""A library: what page, shell and batch keep of their sounds, found again by words, tags, content and provenance."""

from __future__ import annotations

import re
import sqlite3
import time
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from synth_explorer.errors import LibraryError
from synth_explorer.library.ears import Ears
from synth_explorer.library.entry import DATASET, EARS, ID_DIGITS, LABELS, MEASURED, PERSON, Entry, Parent
from synth_explorer.library.listening import Listened, Task, take_in
from synth_explorer.library.qualities import NAMES
from synth_explorer.library.store import Store
from synth_explorer.library.tags import measured_tags
from synth_explorer.rendering import Patch

LAST = "\U0010ffff"  # after all words that begin alike
LEAST_LIKELY = 0.05  # of a family that is noted
_PASSING = "kind IN ('upload', 'render') AND favourite = 0 AND note = ''"
_UNTAGGED = f"NOT EXISTS (SELECT 1 FROM tags WHERE entry = entries.id AND who = '{PERSON}')"
_CHILDLESS = "NOT EXISTS (SELECT 1 FROM parents WHERE parents.sha256 = entries.sha256)"
_COLUMNS = (
    *("sha256", "suffix", "kind", "name", "origin", "bytes", "added_s", "used_s", "duration_s", "sample_rate_hz"),
    *("patch", "patch_id", *NAMES),
)


class Library(Store):
    """A library's folder, see `Store`."""

    def add(
        self,
        path: Path,
        *,
        kind: str = "note",
        name: str | None = None,
        patch: Patch | None = None,
        tags: Iterable[str] = (),
    ) -> Entry:
        """Keep a sound or latents; a content that is there stays the entry that it was, and learns what it lacked.

        `patch`: the `Patch` that it was rendered from. Raises AudioError, LatentsError, LibraryError, OSError.
        """
        task = Task(path.absolute(), kind, name or path.stem, patch, tags=tuple(tags))
        ((entry, _),) = self.keep([take_in(self.folder, task)])
        return entry

    def keep(self, all_heard: Sequence[Listened]) -> list[tuple[Entry, bool]]:
        """Make entries of files that were listened to, all at once. Returns each, and whether it is new."""
        made, waiting = dict[int, tuple[Entry, bool]](), dict(enumerate(all_heard))
        while waiting:
            with self.writing() as index:  # nobody deletes a file meanwhile
                whole = {i: heard for i, heard in waiting.items() if self._is_there(index, heard)}
                made |= {i: self._row(index, heard) for i, heard in whole.items()}
            waiting = {i: take_in(self.folder, heard.task) for i, heard in waiting.items() if i not in whole}
        return [made[i] for i in sorted(made)]

    def _is_there(self, index: sqlite3.Connection, heard: Listened) -> bool:
        """Whether a file that was listened to is still in its place: another process may have removed the entry."""
        return self.place(heard.sha256, heard.suffix).is_file() and (
            not heard.is_known
            or index.execute("SELECT 1 FROM entries WHERE sha256 = ?", (heard.sha256,)).fetchone() is not None
        )

    def _row(self, index: sqlite3.Connection, heard: Listened) -> tuple[Entry, bool]:
        task, now = heard.task, time.time()
        values = {
            "sha256": heard.sha256,
            "suffix": heard.suffix,
            "kind": heard.kind,
            "name": task.name,
            "origin": task.origin or str(task.path),
            "bytes": heard.size,
            "added_s": now,
            "used_s": now,
            "duration_s": heard.duration_s,
            "sample_rate_hz": heard.sample_rate_hz,
            "patch": task.patch.to_json() if task.patch else None,
            "patch_id": task.patch.id if task.patch else None,
        } | {name: heard.qualities.get(name) for name in NAMES}
        made = index.execute(
            f"INSERT INTO entries ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))}) "
            "ON CONFLICT (sha256) DO NOTHING RETURNING id",
            [values[name] for name in _COLUMNS],
        ).fetchone()
        is_new = made is not None
        (number,) = made or index.execute("SELECT id FROM entries WHERE sha256 = ?", (heard.sha256,)).fetchone()
        if is_new:
            self._tag(index, number, MEASURED, measured_tags(heard.qualities))
        if heard.embedding is not None:
            point = (number, Ears.bundled().name, heard.embedding.tobytes())
            index.execute("INSERT OR REPLACE INTO points VALUES (?, ?, ?)", point)
            index.execute("DELETE FROM tags WHERE entry = ? AND who = ?", (number, EARS))
            self._tag(index, number, EARS, {name: p for name, p in heard.families.items() if p >= LEAST_LIKELY})
        index.execute("UPDATE entries SET used_s = ? WHERE id = ?", (now, number))
        if task.patch is not None:
            index.execute(
                "UPDATE entries SET patch = ?, patch_id = ?, kind = 'render' WHERE id = ? AND patch IS NULL",
                (values["patch"], values["patch_id"], number),
            )
            index.executemany(
                "INSERT OR REPLACE INTO parents VALUES (?, ?, ?, ?)",
                [(number, place, one.sha256, one.name) for place, one in enumerate(task.patch.sources)],
            )
        if not task.origin and not task.path.is_relative_to(self.folder.absolute()):
            came = (str(task.path), heard.size, heard.changed_ns, number)
            index.execute("INSERT OR REPLACE INTO imported VALUES (?, ?, ?, ?)", came)
        self._learn(index, number, task)
        return self._of(index.execute("SELECT * FROM entries WHERE id = ?", (number,)).fetchone()), is_new

    @staticmethod
    def _tag(index: sqlite3.Connection, number: int, who: str, tags: Mapping[str, float]) -> None:
        index.executemany(
            "INSERT OR REPLACE INTO tags VALUES (?, ?, ?, ?)", [(number, tag, who, p) for tag, p in tags.items()]
        )

    def _learn(self, index: sqlite3.Connection, number: int, task: Task) -> None:
        """Let an entry learn what data set and person say of its file. A tag that a person gave before stays judged."""
        if (label := task.label) is not None:
            index.execute("UPDATE entries SET instrument = ?, labelled = 1 WHERE id = ?", (label.instrument, number))
            index.execute("DELETE FROM tags WHERE entry = ? AND who = ?", (number, DATASET))
            self._tag(index, number, DATASET, {_word(tag): 1.0 for tag in label.tags})
        for tag in map(_word, task.tags):
            if index.execute("INSERT OR IGNORE INTO tags VALUES (?, ?, ?, 1.0)", (number, tag, PERSON)).rowcount:
                index.execute("DELETE FROM verdicts WHERE entry = ? AND tag = ?", (number, tag))
        self._words(index, number)

    def learn(self, tasks: Iterable[Task]) -> None:
        """Let the entries of files that were taken in before learn what data set and person say of them."""
        with self.writing() as index:
            for task in tasks:
                for row in index.execute("SELECT entry FROM imported WHERE path = ?", (str(task.path),)).fetchall():
                    self._learn(index, row["entry"], task)

    @staticmethod
    def _words(index: sqlite3.Connection, number: int) -> None:
        """Let the words of an entry be found: its name, note, labels, where it came from."""
        index.execute("DELETE FROM words WHERE entry = ?", (number,))
        (told,) = index.execute(
            "SELECT name || ' ' || note || ' ' || origin || ' ' || coalesce((SELECT group_concat(tag, ' ') FROM told "
            "WHERE entry = entries.id AND who IN (?, ?)), '') FROM entries WHERE id = ?",
            (*LABELS, number),
        ).fetchone()
        index.executemany("INSERT INTO words VALUES (?, ?)", [(word, number) for word in _words_of(told)])

    def unheard(self) -> list[Task]:
        """The sounds that the ears of this program have not heard; `import_all` lets them."""
        rows = self.read(
            "SELECT * FROM entries WHERE kind != 'latents' AND id NOT IN (SELECT entry FROM points WHERE ears = ?)",
            Ears.bundled().name,
        )
        return [Task(entry.path.absolute(), entry.kind, entry.name) for entry in map(self._of, rows)]

    def imported(self) -> dict[str, tuple[int, int]]:
        """Size and time of change of every file that was taken in, by its path."""
        rows = self.read("SELECT path, bytes, changed_ns FROM imported")
        return {row["path"]: (row["bytes"], row["changed_ns"]) for row in rows}

    def __len__(self) -> int:
        return self.read("SELECT count(*) FROM entries")[0][0]

    def entry(self, named: str) -> Entry:
        """The entry of an id, the beginning of one (4 digits or more), or a name. Raises LibraryError: there is none,
        or several."""
        if re.fullmatch(r"[0-9a-f]{4,64}", named):
            rows = self.read("SELECT * FROM entries WHERE sha256 GLOB ? LIMIT 5", f"{named}*")
        else:
            rows = []
        for case in ("", " COLLATE NOCASE"):
            rows = rows or self.read(f"SELECT * FROM entries WHERE name = ?{case} LIMIT 5", named)
        if len(rows) == 1:
            return self._of(rows[0])
        if rows:
            ids = ", ".join(row["sha256"][:ID_DIGITS] for row in rows)
            raise LibraryError(
                f"{named!r} names several entries ({ids}{', ...' if len(rows) == 5 else ''}); give one's id."
            )
        raise LibraryError(f"{named!r} is in no library at {self.folder}: give an id or a name that `find` prints.")

    def _of(self, row: sqlite3.Row) -> Entry:
        return Entry.of(row, self.place(row["sha256"], row["suffix"]))

    def entries(self, numbers: Sequence[int]) -> list[Entry]:
        """Entries by their numbers, in that order; those that are gone meanwhile are left out."""
        marks = ", ".join("?" * len(numbers))
        rows = {row["id"]: row for row in self.read(f"SELECT * FROM entries WHERE id IN ({marks})", *numbers)}
        return [self._of(rows[number]) for number in numbers if number in rows]

    def find(
        self,
        words: str = "",
        *,
        tags: Iterable[str] = (),
        kind: str | None = None,
        favourites: bool = False,
        likely: float = 0.5,
        limit: int | None = None,
    ) -> list[int]:
        """Numbers of the entries that have all of these words (or words that begin so) and tags, newest first.

        `likely`: how likely a tag is to be, at least, that no person gave.
        """
        where, values = ["1"], list[object]()
        for word in sorted(_words_of(words)):
            where.append("id IN (SELECT entry FROM words WHERE word >= ? AND word < ?)")
            values += [word, word + LAST]
        for tag in tags:
            where.append("id IN (SELECT entry FROM told WHERE tag = ? AND probability >= ?)")
            values += [tag, likely]
        if kind is not None:
            where.append("kind = ?")
            values.append(kind)
        if favourites:
            where.append("favourite = 1")
        values.append(-1 if limit is None else limit)
        return [
            row["id"]
            for row in self.read(
                f"SELECT id FROM entries WHERE {' AND '.join(where)} ORDER BY added_s DESC, id DESC LIMIT ?", *values
            )
        ]

    def tags(self, entry: Entry) -> list[tuple[str, str, float]]:
        """An entry's tags, who says them and how likely they are: a person's first, then the likeliest. Those that a
        person has found wrong are none."""
        rows = self.read(
            "SELECT tag, who, probability FROM told WHERE entry = ? ORDER BY who != ?, probability DESC, tag",
            entry.number,
            PERSON,
        )
        return [(row["tag"], row["who"], row["probability"]) for row in rows]

    def own_tags(self) -> list[str]:
        """The tags that people and data sets gave."""
        rows = self.read(
            "WITH RECURSIVE every (tag) AS (SELECT min(tag) FROM tags UNION ALL "
            "SELECT (SELECT min(tag) FROM tags WHERE tag > every.tag) FROM every WHERE tag NOT NULL) "
            "SELECT tag FROM every WHERE EXISTS (SELECT 1 FROM told WHERE told.tag = every.tag AND who IN (?, ?))",
            *LABELS,
        )  # by steps in the index from each tag to the next, whatever many entries have it
        return [row["tag"] for row in rows]

    def verdicts(self, entry: Entry) -> dict[str, bool]:
        """The tags of an entry that a person has judged, and whether they were found right."""
        rows = self.read("SELECT tag, is_right FROM verdicts WHERE entry = ? ORDER BY tag", entry.number)
        return {row["tag"]: bool(row["is_right"]) for row in rows}

    def judge(self, entry: Entry, tag: str, *, right: bool | None) -> None:
        """Say whether a tag of an entry is right, whoever gave it; None takes back what was said.

        Raises LibraryError: the entry has no such tag.
        """
        word = _word(tag)
        with self.writing() as index:
            if not index.execute("SELECT 1 FROM tags WHERE entry = ? AND tag = ?", (entry.number, word)).fetchone():
                raise LibraryError(f"{entry.name} has no tag {word!r}; `library show {entry.id}` tells which it has.")
            index.execute("DELETE FROM verdicts WHERE entry = ? AND tag = ?", (entry.number, word))
            if right is not None:
                judged = (entry.number, word, right, time.time())
                index.execute("INSERT INTO verdicts VALUES (?, ?, ?, ?)", judged)
            self._words(index, entry.number)

    def parents(self, entry: Entry) -> list[Parent]:
        """The sounds that an entry was made from."""
        rows = self.read("SELECT sha256, name FROM parents WHERE entry = ? ORDER BY place", entry.number)
        return [Parent(row["sha256"], row["name"], self._by_content(row["sha256"])) for row in rows]

    def _by_content(self, sha256: str) -> Entry | None:
        rows = self.read("SELECT * FROM entries WHERE sha256 = ?", sha256)
        return self._of(rows[0]) if rows else None

    def children(self, entry: Entry) -> list[Entry]:
        """The entries that were made from one."""
        rows = self.read("SELECT DISTINCT entry FROM parents WHERE sha256 = ? ORDER BY entry", entry.sha256)
        return self.entries([row["entry"] for row in rows])

    def change(
        self,
        entries: Sequence[Entry],
        *,
        add: Iterable[str] = (),
        remove: Iterable[str] = (),
        favourite: bool | None = None,
        note: str | None = None,
        name: str | None = None,
    ) -> None:
        """Tag entries, mark them, say something of them, name them. None leaves it as it is; what is gone stays so."""
        given, taken = {_word(tag): 1.0 for tag in add}, [_word(tag) for tag in remove]
        fields = {"favourite": favourite, "note": note, "name": name}
        with self.writing() as index:
            for entry in entries:
                if not index.execute("SELECT 1 FROM entries WHERE id = ?", (entry.number,)).fetchone():
                    continue
                self._tag(index, entry.number, PERSON, given)
                for table, tags in (
                    ("verdicts", [*given, *taken]),
                    ("tags", taken),
                ):  # who gives a tag says it is right
                    index.executemany(
                        f"DELETE FROM {table} WHERE entry = ? AND tag = ?", [(entry.number, tag) for tag in tags]
                    )
                for column, value in fields.items():
                    if value is not None:
                        index.execute(f"UPDATE entries SET {column} = ? WHERE id = ?", (value, entry.number))
                self._words(index, entry.number)

    def remove(self, entries: Sequence[Entry]) -> None:
        """Forget entries, and delete their files. What was made from them stays."""
        with self.writing() as index:
            for entry in entries:
                index.execute("DELETE FROM entries WHERE id = ?", (entry.number,))
        with self.writing() as index:  # what another process has taken in meanwhile stays
            for entry in entries:
                if not index.execute("SELECT 1 FROM entries WHERE sha256 = ?", (entry.sha256,)).fetchone():
                    entry.path.unlink(missing_ok=True)

    def trim(self, most_bytes: int) -> list[Entry]:
        """Forget uploads and renders as far as there are too many bytes of them, those used longest ago first.

        What has a favourite's mark, a note, a person's tag or children stays. Returns what went.
        """
        rows = self.read(
            f"SELECT * FROM entries WHERE {_PASSING} AND {_UNTAGGED} AND {_CHILDLESS} ORDER BY used_s DESC, id DESC"
        )
        left, gone = most_bytes, list[Entry]()
        for row in rows:
            left -= row["bytes"]
            if left < 0:
                gone.append(self._of(row))
        self.remove(gone)
        return gone


def _words_of(text: str) -> set[str]:
    """The words of a text in small letters, without accents."""
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return set(re.findall(r"[^\W_]+", plain.casefold()))


def _word(tag: str) -> str:
    """A tag as it is kept: in small letters, with single spaces. Raises LibraryError: it is empty."""
    word = " ".join(tag.lower().split())
    if not word:
        raise LibraryError("A tag must have a letter in it.")
    return word
