"""Notes on disk: a folder that any number of readers can open at once.

Shapes: N notes, T samples.

    dataset.json            format version, sample rate, samples a note, pre-roll, sources with their licences
    index.csv               one line a note (the fields of `Note`)
    audio/<instrument>.npy  int16 [N, T], read memory-mapped
    audio/<instrument>.csv  that shard's lines of the index; written last, so it marks the shard as finished

A sample is `int16 / 32767 * scale`: `scale` is the note's own peak, so soft notes keep 16 bits and
levels survive.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np

from synth_explorer.audio.gate import FULL_SCALE_LIMIT
from synth_explorer.errors import DataError
from synth_explorer.files import UNFINISHED, UNREADABLE, atomic_path, is_file, read_bytes
from synth_explorer.schema import ConfigDict, Field, RateHz, Samples, Schema

FORMAT = "synth_explorer notes"
FORMAT_VERSION = 1
SPLITS = ("train", "validation", "test")
VALIDATION_SHARE = 0.08
TEST_SHARE = 0.08
SPLIT_SALT = "synth_explorer 2005"  # a number at which most General MIDI families have someone in each split
FULL_SCALE = 32767.0


class Sizes(NamedTuple):
    """Of every note of a dataset."""

    sample_rate_hz: int = 16_000
    samples: int = 64_000  # T
    pre_roll_samples: int = 512  # of silence before the onset

    @property
    def sounding(self) -> int:
        """Samples from the onset on."""
        return self.samples - self.pre_roll_samples


SIZES = Sizes()


class Note(Schema):
    """One line of the index.

    `bandwidth_hz`: where the recording's own band ends, not the note's (see `bandwidth`); 0: not known, all of it.
    """

    id: str  # unique name of the note within its dataset
    instrument: str  # instrument name; also the name of its shard
    family: str  # instrument family ("string", "brass", ...)
    source: str  # key into the dataset's `sources`
    group: str  # what the split was drawn by; instruments that share a group share their split
    split: str  # "train", "validation" or "test"
    pitch: Annotated[float, Field(ge=0.0, le=150.0)]  # MIDI note heard, detune included (69.0 = 440 Hz)
    key: Annotated[int, Field(ge=0, le=127)]  # MIDI key that was struck
    velocity: Annotated[int, Field(ge=0, le=127)]  # MIDI velocity
    shard: str  # file of the audio, relative to the dataset's folder
    row: int  # row of the shard
    scale: Annotated[float, Field(ge=0.0, le=FULL_SCALE_LIMIT)]  # brings int16 / 32767 back to the rendered level
    peak_db: float  # peak level, dBFS
    onset_samples: int  # sample at which the note starts
    bandwidth_hz: float = 0.0


FIELD_NAMES = tuple(Note.model_fields)


class _Info(Schema):
    """What dataset.json must say; of the rest, a resumed run must say the same."""

    model_config = ConfigDict(extra="allow")

    format: Literal["synth_explorer notes"]
    format_version: Literal[1]
    sample_rate_hz: RateHz
    samples: Annotated[Samples, Field(ge=1)]
    pre_roll_samples: Samples
    sources: dict[str, dict[str, Any]]


def split_of(group: str) -> str:
    """Split of a group of instruments: a stable hash of its name, about 8 % validation and 8 % test."""
    digest = hashlib.sha256(f"{SPLIT_SALT}/{group}".encode()).digest()
    share = int.from_bytes(digest[:8], "big") / 2**64
    if share < VALIDATION_SHARE:
        return "validation"
    return "test" if share < VALIDATION_SHARE + TEST_SHARE else "train"


def _is_empty(folder: Path) -> bool:
    """Whether there is nothing in it but what a killed process left of a file."""
    return all(UNFINISHED in one.name for one in folder.iterdir())


class NotesDataset:
    """Read-only view of a folder of notes.

    Raises DataError: when the folder is not a finished dataset of a known version.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        info = _read_info(self.folder)
        self.sample_rate_hz, self.samples = info.sample_rate_hz, info.samples
        self.pre_roll_samples, self.sources = info.pre_roll_samples, info.sources
        index = self.folder / "index.csv"
        if not index.is_file():
            raise DataError(
                f"{self.folder} has no index.csv: the rendering did not finish; run the same command again."
            )
        self.rows: list[Note] = read_rows(index)
        self._shards: dict[str, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"NotesDataset({str(self.folder)!r}, notes={len(self)}, instruments={len(self.instruments())})"

    def audio(self, index: int) -> np.ndarray:
        """Audio of note `index`, float32 [T] at the level it was rendered at."""
        row = self.rows[index]
        shard = self._shard(row.shard)
        if not 0 <= row.row < len(shard):
            raise DataError(f"The index of {self.folder} names row {row.row} of {row.shard}, which has {len(shard)}.")
        return shard[row.row].astype(np.float32) * np.float32(row.scale / FULL_SCALE)

    def column(self, name: str) -> np.ndarray:
        """One field of all rows as an array [N]."""
        if name not in FIELD_NAMES:
            raise DataError(f"column={name!r} does not exist: choose one of {', '.join(FIELD_NAMES)}.")
        return np.array([getattr(row, name) for row in self.rows])

    def select(self, **wanted: str) -> np.ndarray:
        """Indices [N] of the notes whose split, instrument, family, source, ... are as wanted."""
        if wanted.get("split", "test") not in SPLITS:
            raise DataError(f"split={wanted['split']!r} must be one of {', '.join(SPLITS)}.")
        fits = [all(getattr(row, name) == value for name, value in wanted.items()) for row in self.rows]
        return np.flatnonzero(np.array(fits, bool))

    def instruments(self, *, split: str | None = None) -> list[str]:
        """Sorted names of the instruments, of one split or of all."""
        return sorted({row.instrument for row in self.rows if split is None or row.split == split})

    def _shard(self, name: str) -> np.ndarray:
        if name not in self._shards:
            try:
                shard = np.load(self.folder / name, mmap_mode="r", allow_pickle=False)
                if shard.ndim != 2 or shard.shape[1] != self.samples or shard.dtype != np.int16:
                    raise ValueError(f"it holds {shard.dtype} {shard.shape}")
                self._shards[name] = shard
            except UNREADABLE as error:
                raise DataError(
                    f"Shard {self.folder / name} cannot be read ({error}): render the dataset again."
                ) from error
        return self._shards[name]

    def __getstate__(self) -> dict[str, Any]:
        """Leave the memory maps behind, so that the dataset can travel to worker processes."""
        return {**self.__dict__, "_shards": {}}


class DatasetWriter:
    """Writes a dataset shard by shard; finished shards survive a kill.

    Args:
        folder: where to write. If it already holds a dataset, its description must be the same as this one.
        sources: name -> description with at least "licence".
        settings: whatever decides the content; a resumed run must state the same.
    """

    def __init__(
        self,
        folder: str | Path,
        sizes: Sizes,
        *,
        sources: Mapping[str, Mapping[str, Any]],
        settings: Mapping[str, Any],
    ) -> None:
        self.folder, self.sizes = Path(folder), sizes
        info = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            **sizes._asdict(),
            "seconds": sizes.samples / sizes.sample_rate_hz,
            "sources": sources,
            "settings": settings,
        }
        info = json.loads(json.dumps(info))
        path = self.folder / "dataset.json"
        if path.exists():
            self._check_same(info)
        elif self.folder.exists() and (not self.folder.is_dir() or not _is_empty(self.folder)):
            raise DataError(f"{self.folder} exists and is not a dataset: give a new or empty folder.")
        else:
            with atomic_path(path) as temporary:
                temporary.write_text(json.dumps(info, indent=2) + "\n")

    def _check_same(self, info: Mapping[str, Any]) -> None:
        old = _read_info(self.folder).model_dump()
        different = [key for key in info if old.get(key) != info[key]]
        if different:
            raise DataError(
                f"{self.folder} holds a dataset made with another {', '.join(different)}: "
                "give a new folder, or delete this one to start over."
            )

    def finished(self, instrument: str) -> bool:
        """Whether the instrument's shard is complete."""
        return (self.folder / "audio" / f"{instrument}.csv").is_file()

    def write_shard(self, instrument: str, audio: np.ndarray, notes: Sequence[Mapping[str, Any]]) -> int:
        """Write one instrument, given as to `shard_of`. Returns the number of notes written."""
        return self.keep(shard_of(instrument, audio, notes, self.sizes))

    def keep(self, shard: Shard) -> int:
        """Write one instrument. Returns the number of notes written."""
        if shard.rows:
            with atomic_path(self.folder / shard.rows[0].shard) as temporary, temporary.open("wb") as file:
                np.save(file, shard.stored)
        write_rows(self.folder / "audio" / f"{shard.instrument}.csv", shard.rows)
        return len(shard.rows)

    def finish(self) -> Path:
        """Join the shards' lines into index.csv, sorted by instrument, and return the folder."""
        rows = [row for path in sorted((self.folder / "audio").glob("[!.]*.csv")) for row in read_rows(path)]
        if not rows:
            raise DataError(f"No note was written to {self.folder}: every one was filtered out or silent.")
        write_rows(self.folder / "index.csv", rows)
        return self.folder


class Shard(NamedTuple):
    """One instrument, ready to be written."""

    instrument: str
    stored: np.ndarray  # int16 [N, T]
    rows: list[Note]


def shard_of(instrument: str, audio: np.ndarray, notes: Sequence[Mapping[str, Any]], sizes: Sizes) -> Shard:
    """One instrument's shard.

    `audio`: float [N, T]. `notes`: one mapping a note with id, family, source, group, pitch, key, velocity, perhaps
    bandwidth_hz. Raises DataError: they do not fit one another.
    """
    if len(audio) != len(notes) or (len(notes) and audio.shape[1] != sizes.samples):
        raise DataError(
            f"Shard {instrument!r}: audio of shape {np.shape(audio)} does not fit {len(notes)} notes of "
            f"{sizes.samples} samples."
        )
    rows, stored = [], np.zeros((len(notes), sizes.samples), np.int16)
    for row, (note, signal) in enumerate(zip(notes, audio, strict=True)):
        peak = float(np.max(np.abs(signal)))
        scale = float(f"{max(peak, 1e-6):.9g}")
        stored[row] = np.clip(np.round(signal * (FULL_SCALE / scale)), -FULL_SCALE, FULL_SCALE).astype(np.int16)
        rows.append(
            Note(
                instrument=instrument,
                shard=f"audio/{instrument}.npy",
                row=row,
                scale=scale,
                peak_db=round(20 * float(np.log10(scale)), 2),
                onset_samples=sizes.pre_roll_samples,
                split=split_of(str(note["group"])),
                **note,
            )
        )
    return Shard(instrument, stored, rows)


def read_rows(path: Path) -> list[Note]:
    """Notes listed in a CSV file written by `write_rows`."""
    return Note.read_rows(path, error=DataError)


def write_rows(path: Path, rows: Sequence[Note]) -> None:
    """Write notes as CSV, atomically."""
    with atomic_path(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, FIELD_NAMES)
        writer.writeheader()
        writer.writerows(row.model_dump() for row in rows)


def _read_info(folder: Path) -> _Info:
    path = folder / "dataset.json"
    if not is_file(path):
        raise DataError(f"{folder} is not a notes dataset: it has no dataset.json (make one with `dataset render`).")
    return _Info.parse(read_bytes(path), what=str(path), error=DataError)
