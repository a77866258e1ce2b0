"""`manifest.jsonl`: a line for each sound of a folder; what is made, and all that is known of it.

While sounds are made, lines are added, whole ones. A file's last line counts; one without an address says that the file
is about to change. In the end the lines are put in the order of the plan, so that the same plan has the same bytes
whatever happened on the way, and a table of them is written, `manifest.csv`. Lines of sounds that no longer belong to
the plan go to `.batch/earlier.jsonl`, so that they need not be made again either.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated, Any

from synth_explorer.audio.writing import LONGEST_S
from synth_explorer.batch.descriptors import NAMES
from synth_explorer.batch.plan import Job
from synth_explorer.errors import SpecError
from synth_explorer.files import flush
from synth_explorer.index import Inside
from synth_explorer.rendering import Patch
from synth_explorer.schema import LENIENT, AfterValidator, Field, Index, RateHz, Schema, parse

MANIFEST, TABLE, PRIVATE = "manifest.jsonl", "manifest.csv", ".batch"
EARLIER = f"{PRIVATE}/earlier.jsonl"
COLUMNS = (
    *("file", "id", "sources", "mix", "pitch", "edits", "decoder", "seed"),
    *("duration_s", "sample_rate_hz", "peak_db", "reached", *NAMES),
)


def _described(given: dict[str, float | None]) -> dict[str, float | None]:
    if set(given) != set(NAMES):
        raise ValueError(f"must hold {', '.join(NAMES)}")
    return given


Heard = Annotated[float, Field(ge=-1e3, le=1e3)]


class _Gone(Schema):
    """A line of a file that is about to change."""

    file: Inside
    address: None


class Line(Schema):
    """What is read of a line of a file that was made."""

    model_config = LENIENT

    file: Inside
    address: str
    id: str
    bytes: Index
    duration_s: Annotated[float, Field(ge=0.0, le=LONGEST_S)]
    sample_rate_hz: RateHz
    peak_db: Heard | None
    reached: bool
    descriptors: Annotated[dict[str, Heard | None], AfterValidator(_described)]


class _Whole(Line):
    """With its patch, which is read of finished folders only: that takes ten times as long."""

    patch: Patch


@dataclass(frozen=True)
class Entry:
    """A file that was made, and where its line stands."""

    file: str
    address: str
    size: int  # of the file in bytes
    lines: Path
    offset: int


class Manifest:
    """The manifest of a folder; a context in which it is gone on with."""

    def __init__(self, folder: Path) -> None:
        """Read what is there. Damaged lines are dropped: their sounds are made again."""
        self.folder, self.path = folder, folder / MANIFEST
        self.entries: dict[str, Entry] = {}
        self._file: IO[bytes] | None = None
        for path in (folder / EARLIER, self.path):
            if path.is_file():
                self._read(path)

    def __enter__(self) -> Manifest:
        self._cut()
        self._file = self.path.open("ab")
        return self

    def __exit__(self, *error: object) -> None:
        assert self._file is not None
        self._file.close()

    def _read(self, path: Path) -> None:
        offset = 0
        with path.open("rb") as file:
            for line in file:
                self._note(path, offset, line)
                offset += len(line)

    def _note(self, path: Path, offset: int, line: bytes) -> None:
        try:
            encoded(json.loads(line))  # as it will be written again
            told: Line | _Gone = parse(Line | _Gone, line, what="The line", error=SpecError)
        except (ValueError, RecursionError):
            return
        self.entries.pop(told.file, None)
        if isinstance(told, Line):
            self.entries[told.file] = Entry(told.file, told.address, told.bytes, path, offset)

    def _cut(self) -> None:
        """Take away a last line that a stop cut off."""
        if self.path.is_file():
            with self.path.open("r+b") as file:
                *_, last = [0, *(file.tell() for line in iter(file.readline, b"") if line.endswith(b"\n"))]
                file.truncate(last)

    def has(self, job: Job) -> bool:
        """Whether a job's file is there, as it is to be."""
        entry = self.entries.get(job.file)
        return entry is not None and entry.address == job.address and self._is_whole(entry)

    def _is_whole(self, entry: Entry) -> bool:
        try:
            return (self.folder / entry.file).stat().st_size == entry.size
        except OSError:
            return False

    def elsewhere(self) -> dict[str, Entry]:
        """Whole files by their addresses."""
        return {entry.address: entry for entry in self.entries.values() if self._is_whole(entry)}

    def record(self, entry: Entry) -> dict[str, Any]:
        """What is known of a file."""
        return json.loads(self._line(entry))

    @staticmethod
    def _line(entry: Entry) -> bytes:
        with entry.lines.open("rb") as file:
            file.seek(entry.offset)
            return file.readline()

    def put(self, file: str, content: Path, record: dict[str, Any]) -> bool:
        """Move a file to its name in the folder and tell of it: a stop in between leaves no line that is wrong.

        Nor does a power cut: the file is on the disk before there is a line. A line that is lost is made again.
        Returns whether it replaced a file that no line told of.
        """
        target = self.folder / file
        is_new = file not in self.entries
        replaced = is_new and target.exists()
        if not is_new:
            self._add({"file": file, "address": None})
        target.parent.mkdir(parents=True, exist_ok=True)
        flush(content)
        content.replace(target)
        self._add({"file": file} | record)
        return replaced

    def _add(self, record: dict[str, Any]) -> None:
        assert self._file is not None, "a manifest is a context"
        offset, line = self._file.tell(), encoded(record)
        self._file.write(line)
        self._file.flush()
        self._note(self.path, offset, line)

    def finish(self, jobs: Sequence[Job], *, scratch: Path) -> int:
        """Put the lines in the order of a plan, and write the table. Returns how many sounds are not of the plan.

        `scratch`: a folder for files that are not whole yet.
        """
        wanted = {job.file for job in jobs}
        others = [entry for file, entry in sorted(self.entries.items()) if file not in wanted and self._is_whole(entry)]
        earlier, lines, table = (scratch / Path(name).name for name in (EARLIER, MANIFEST, TABLE))
        with earlier.open("wb") as file:
            file.writelines(self._line(entry) for entry in others)
        with lines.open("wb") as file, table.open("w", newline="", encoding="utf-8") as cells:
            rows = csv.writer(cells, lineterminator="\n")
            rows.writerow(COLUMNS)
            for record in self._told(jobs):
                file.write(encoded(record))
                rows.writerow(_row(record))
        flush(self.path)  # what it names, in case the next lines go no further
        for new, old in ((earlier, self.folder / EARLIER), (lines, self.path), (table, self.folder / TABLE)):
            flush(new)
            new.replace(old)
        for folder in {(self.folder / file).parent for file in (MANIFEST, EARLIER, *self.entries)}:
            flush(folder)
        return len(others)

    def _told(self, jobs: Sequence[Job]) -> Iterator[dict[str, Any]]:
        """The records of those jobs that are done, with the patch as the plan has it."""
        for job in jobs:
            entry = self.entries.get(job.file)
            if entry is not None and entry.address == job.address:
                yield self.record(entry) | {"patch": job.patch.model_dump(mode="json")}


def encoded(record: dict[str, Any]) -> bytes:
    """A line of the manifest."""
    return json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def read(folder: Path) -> Iterator[dict[str, Any]]:
    """The records of a finished folder, in the order of its plan. Raises OSError; SpecError: a damaged line."""
    with (folder / MANIFEST).open("rb") as file:
        for line in file:
            if isinstance(parse(_Whole | _Gone, line, what="The line", error=SpecError), _Whole):
                yield json.loads(line)


def _row(record: dict[str, Any]) -> list[Any]:
    patch = record["patch"]
    mix = patch["mix"]["weights"] or patch["mix"]["places"]
    told = {
        "sources": " + ".join(source["name"] for source in patch["sources"]),
        "mix": json.dumps(mix) if len(patch["sources"]) > 1 else "",
        "pitch": patch["pitch_midi"],
        "edits": json.dumps(patch["edits"]) if patch["edits"] else "",
        "decoder": patch["decoder"],
        "seed": patch["seed"],
    }
    values = record | record["descriptors"] | told
    return ["" if values[name] is None else values[name] for name in COLUMNS]
