"""The library on disk: an index in SQLite and files by their content beside it.

    library.sqlite            entries, measures, tags and verdicts on them, parents, words; write-ahead log, so that
                              readers never wait; `told` are the tags that nobody has found wrong, `changes` counts
                              those of points
    files/ab/abcdef... .wav   the files, by the SHA-256 of their content

A file lies in its place before a row tells of it, and a row is gone before its file is: whatever stops a program, every
row has its file, and a file without a row is in nobody's way until it is swept. Any number of processes may share a
library; each write is one transaction that waits for the others.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from synth_explorer.errors import LibraryError
from synth_explorer.files import atomic_path, data_folder
from synth_explorer.rendering.sources import content_hash

INDEX, FILES = "library.sqlite", "files"
PATIENCE_S = 60.0  # that a write waits for those of other processes
ABANDONED_S = 3600.0  # after which a file without a row is nobody's
SUFFIX = re.compile(r"\.[a-z0-9]{1,5}")

_STEPS = (
    """
CREATE TABLE entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sha256 TEXT NOT NULL UNIQUE,
    suffix TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    origin TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    added_s REAL NOT NULL,
    used_s REAL NOT NULL,
    duration_s REAL,
    sample_rate_hz INTEGER,
    favourite INTEGER NOT NULL DEFAULT 0,
    note TEXT NOT NULL DEFAULT '',
    patch TEXT,
    patch_id TEXT,
    loudness_db REAL, brightness_octaves REAL, noisiness_db REAL, attack_s REAL, pitch_midi REAL,
    decay_db_s REAL, hollow_db REAL
);
CREATE INDEX entries_by_patch ON entries (patch_id);
CREATE INDEX entries_by_name ON entries (name);
CREATE TABLE tags (
    entry INTEGER NOT NULL REFERENCES entries ON DELETE CASCADE,
    tag TEXT NOT NULL,
    who TEXT NOT NULL,
    probability REAL NOT NULL,
    PRIMARY KEY (entry, tag, who)
) WITHOUT ROWID;
CREATE INDEX tags_by_tag ON tags (tag);
CREATE TABLE parents (
    entry INTEGER NOT NULL REFERENCES entries ON DELETE CASCADE,
    place INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (entry, place)
) WITHOUT ROWID;
CREATE INDEX parents_by_content ON parents (sha256);
CREATE TABLE imported (
    path TEXT PRIMARY KEY,
    bytes INTEGER NOT NULL,
    changed_ns INTEGER NOT NULL,
    entry INTEGER NOT NULL REFERENCES entries ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX imported_by_entry ON imported (entry);
CREATE TABLE words (
    word TEXT NOT NULL,
    entry INTEGER NOT NULL REFERENCES entries ON DELETE CASCADE,
    PRIMARY KEY (word, entry)
) WITHOUT ROWID;
CREATE INDEX words_by_entry ON words (entry);
""",
    """
CREATE TABLE points (
    entry INTEGER PRIMARY KEY REFERENCES entries ON DELETE CASCADE,
    ears TEXT NOT NULL,
    embedding BLOB NOT NULL
);
CREATE INDEX points_by_ears ON points (ears);
""",
    """
CREATE TABLE places (
    entry INTEGER PRIMARY KEY REFERENCES entries ON DELETE CASCADE,
    ears TEXT NOT NULL,
    x REAL NOT NULL,
    y REAL NOT NULL,
    landmark INTEGER NOT NULL
);
""",
    """
ALTER TABLE entries ADD COLUMN instrument TEXT NOT NULL DEFAULT '';
ALTER TABLE entries ADD COLUMN labelled INTEGER NOT NULL DEFAULT 0;
CREATE TABLE verdicts (
    entry INTEGER NOT NULL REFERENCES entries ON DELETE CASCADE,
    tag TEXT NOT NULL,
    is_right INTEGER NOT NULL,
    decided_s REAL NOT NULL,
    PRIMARY KEY (entry, tag)
) WITHOUT ROWID;
CREATE VIEW told AS SELECT entry, tag, who, probability FROM tags WHERE NOT EXISTS (
    SELECT 1 FROM verdicts WHERE verdicts.entry = tags.entry AND verdicts.tag = tags.tag AND NOT is_right
);
""",
    """
DROP INDEX tags_by_tag;
CREATE INDEX tags_by_tag ON tags (tag, who, probability);
CREATE TABLE changes (points INTEGER NOT NULL);
INSERT INTO changes VALUES (0);
CREATE TRIGGER point_made AFTER INSERT ON points BEGIN UPDATE changes SET points = points + 1; END;
CREATE TRIGGER point_moved AFTER UPDATE ON points BEGIN UPDATE changes SET points = points + 1; END;
CREATE TRIGGER point_gone AFTER DELETE ON points BEGIN UPDATE changes SET points = points + 1; END;
""",
)
"""What each version of the index adds to the one before."""

FORMAT_VERSION = len(_STEPS)


def default_folder() -> Path:
    """Where this user's library lies: `library` in the data folder."""
    return data_folder() / "library"


class Store:
    """A library's folder. Threads may share it, and so may processes. Raises LibraryError: it cannot be opened."""

    def __init__(self, folder: Path | None = None) -> None:
        """`folder`: None: the user's own. It is made where it is not there."""
        self.folder = default_folder() if folder is None else Path(folder)
        self._lock = threading.RLock()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._index = sqlite3.connect(
                self.folder / INDEX, timeout=PATIENCE_S, isolation_level=None, check_same_thread=False
            )
            self._index.row_factory = sqlite3.Row
            for setting in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
                self._index.execute(f"PRAGMA {setting}")
            self._begin()
        except (OSError, ValueError, sqlite3.Error) as error:
            raise LibraryError(f"{self.folder} cannot be opened as a library: {error}.") from error

    def _begin(self) -> None:
        with self.writing() as index:
            (version,) = index.execute("PRAGMA user_version").fetchone()
            if version > FORMAT_VERSION:
                raise LibraryError(
                    f"{self.folder} is a library of version {version}; this program reads {FORMAT_VERSION}: update it."
                )
            for statement in "".join(_STEPS[version:]).split(";\n"):
                index.execute(statement)
            index.execute(f"PRAGMA user_version = {FORMAT_VERSION}")

    def close(self) -> None:
        """Let the index go."""
        self._index.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of the block, or nothing. Raises LibraryError: another process writes for too long, or
        the disk is full or broken."""
        with self._lock:
            try:
                self._index.execute("BEGIN IMMEDIATE")
                try:
                    yield self._index
                    self._index.execute("COMMIT")
                except BaseException:
                    self._index.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                raise LibraryError(f"{self.folder} cannot be written: {error}.") from error

    def read(self, query: str, *values: object) -> list[sqlite3.Row]:
        """The rows that a query finds. Raises LibraryError: the index is damaged."""
        with self._lock:
            try:
                return self._index.execute(query, values).fetchall()
            except sqlite3.Error as error:
                raise LibraryError(f"{self.folder / INDEX} cannot be read: {error}.") from error

    def revision(self) -> tuple[int, int]:
        """Changes whenever the index does, by whomever."""
        with self._lock:
            (others,) = self._index.execute("PRAGMA data_version").fetchone()
            return others, self._index.total_changes

    def place(self, sha256: str, suffix: str) -> Path:
        """Where the file of a content lies, or would."""
        return self.folder / FILES / sha256[:2] / f"{sha256}{suffix}"

    def put(self, path: Path) -> tuple[str, str]:
        """Copy a file to its place unless it is there. Returns its SHA-256 and the suffix it has there.

        Raises AudioError: it cannot be read; OSError: it cannot be written.
        """
        digest, suffix = content_hash(path), path.suffix.lower()
        suffix = suffix if SUFFIX.fullmatch(suffix) else ""
        target = self.place(digest, suffix)
        there = _status(target)
        if there is None or there.st_size != path.stat().st_size:
            with atomic_path(target) as temporary:
                shutil.copyfile(path, temporary)
        return digest, suffix

    def known(self, path: Path, *, ears: str) -> tuple[str, str] | None:
        """SHA-256 and suffix of the entry that has a file's content; None where there is none, its file is gone, or
        it is a sound that these ears have not heard.

        Raises AudioError: the file cannot be read.
        """
        digest = content_hash(path)
        rows = self.read(
            "SELECT suffix FROM entries LEFT JOIN points ON entry = id "
            "WHERE sha256 = ? AND (ears = ? OR kind = 'latents')",
            digest,
            ears,
        )
        return (digest, rows[0]["suffix"]) if rows and self.place(digest, rows[0]["suffix"]).is_file() else None

    def sweep(self) -> int:
        """Delete files that no row tells of and nobody is about to tell of. Returns how many."""
        swept, old_s = 0, time.time() - ABANDONED_S
        with self.writing() as index:
            kept = {f"{row['sha256']}{row['suffix']}" for row in index.execute("SELECT sha256, suffix FROM entries")}
            for path in (self.folder / FILES).glob("*/*"):
                there = _status(path)
                if path.name not in kept and there is not None and there.st_mtime < old_s:
                    path.unlink(missing_ok=True)
                    swept += 1
        return swept


def _status(path: Path) -> os.stat_result | None:
    """Of a file; None where there is none, which another process may delete at any moment."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None
