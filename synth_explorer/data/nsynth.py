"""Bring other people's notes into the dataset format: a split of NSynth, or any folder of sounds with an index."""

from __future__ import annotations

import csv
import json
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from synth_explorer import audio
from synth_explorer.data.dataset import FULL_SCALE, DatasetWriter, read_rows
from synth_explorer.errors import AudioError, DataError

NSYNTH_LICENCE = "CC BY 4.0, NSynth dataset, Magenta (Engel et al. 2017, arXiv 1704.01279)"
UNKNOWN_LICENCE = "unknown: see where the notes came from"
DEFAULT_VELOCITY = 100
_GIVEN = ("id", "family", "source", "group", "pitch", "key", "velocity", "bandwidth_hz")
"""What `DatasetWriter.write_shard` is given of a note."""


class Listed(NamedTuple):
    """One note that a folder lists."""

    path: Path
    id: str
    instrument: str
    family: str
    pitch: float
    velocity: int


def import_nsynth(
    folder: Path | str,
    out: Path | str,
    *,
    sample_rate_hz: int = 16_000,
    samples: int = 64_000,
    pre_roll_samples: int = 512,
    failed: Callable[[AudioError], None] | None = None,
) -> Path:
    """Read a folder of labelled notes into a dataset, each cut to start `pre_roll_samples` before its onset.

    Two kinds of folder are read: a split of NSynth as published (`examples.json` beside `audio/*.wav`), and sounds with
    an `index.csv` of at least `path,pitch`; `instrument`, `family` and `velocity` are used where they are given.
    Silent notes are left out. Instruments are kept whole in one split, as everywhere.

    `samples`: length T of each note; longer ones are cut, shorter ones padded with silence. `failed`: told of each
    sound that cannot be read, which is then left out, and tried again by the next import; None: that is an error.
    Returns the dataset's folder. Raises DataError: when the folder is of neither kind, a line cannot be understood or a
    sound cannot be read.
    """
    folder = Path(folder)
    if (folder / "examples.json").is_file():
        source, licence, notes = "nsynth", NSYNTH_LICENCE, _from_json(folder)
    elif (folder / "index.csv").is_file():
        source, licence, notes = folder.resolve().name, UNKNOWN_LICENCE, _from_csv(folder)
    else:
        raise DataError(f"{folder} has neither examples.json nor index.csv: give a split of NSynth or a NOTES folder.")
    instruments = defaultdict(list)
    for note in notes:
        instruments[note.instrument].append(note)
    sizes = {"sample_rate_hz": sample_rate_hz, "samples": samples, "pre_roll_samples": pre_roll_samples}
    described = {"sources": {source: {"licence": licence}}, "settings": {"kind": "import", "source": source}}
    with _nothing_left(Path(out)):
        writer = DatasetWriter(out, **sizes, **described)
        for instrument, members in sorted(instruments.items()):
            _import_instrument(instrument, members, writer=writer, source=source, failed=failed, **sizes)
        return writer.finish()


@contextmanager
def _nothing_left(out: Path) -> Iterator[None]:
    """Remove a new dataset when the block raises before any note of it is stored; else it can be gone on with."""
    new = [path for path in (out, *out.parents) if not path.exists()]
    empty = bool(new) or (out.is_dir() and not any(out.iterdir()))
    try:
        yield
    except BaseException:
        if empty and not any(out.glob("audio/*.npy")):
            (out / "dataset.json").unlink(missing_ok=True)
            shutil.rmtree(out / "audio", ignore_errors=True)
            for path in new:
                if path.is_dir():
                    path.rmdir()
        raise


def _import_instrument(
    instrument: str,
    members: Iterable[Listed],
    *,
    writer: DatasetWriter,
    source: str,
    sample_rate_hz: int,
    samples: int,
    pre_roll_samples: int,
    failed: Callable[[AudioError], None] | None,
) -> None:
    rows, signals, was_told, finished = [], [], False, writer.finished(instrument)
    stored = read_rows(writer.folder / "audio" / f"{instrument}.csv") if finished else []
    known = {row.id for row in stored}

    def tell(error: AudioError) -> None:
        nonlocal was_told
        was_told = True
        if failed is not None:
            failed(error)

    for note in (one for one in members if one.id not in known):
        signal = _load(
            note.path, sample_rate_hz=sample_rate_hz, max_s=1.0 + samples / sample_rate_hz, failed=failed and tell
        )
        if signal is None:
            continue
        cut = audio.prepare(
            signal, sample_rate_hz=sample_rate_hz, pre_roll_samples=pre_roll_samples, max_samples=samples
        ).audio
        signals.append(np.pad(cut, (0, samples - len(cut))))
        rows.append(
            {
                "id": note.id,
                "family": note.family,
                "source": source,
                "group": instrument,
                "pitch": note.pitch,
                "key": round(note.pitch),
                "velocity": note.velocity,
            }
        )
    if not rows and (was_told or finished):
        return  # to be tried again, or as it was
    if stored:
        shard = np.load(writer.folder / stored[0].shard)
        signals = [*(shard[row.row] * np.float32(row.scale / FULL_SCALE) for row in stored), *signals]
        rows = [*({name: getattr(row, name) for name in _GIVEN} for row in stored), *rows]
    writer.write_shard(instrument, np.stack(signals) if signals else np.zeros((0, samples), np.float32), rows)


def _load(
    path: Path, *, sample_rate_hz: int, max_s: float, failed: Callable[[AudioError], None] | None
) -> np.ndarray | None:
    """The sound, or None when it is silent, or cannot be read and `failed` was told."""
    try:
        return audio.record(path, sample_rate_hz=sample_rate_hz, max_s=max_s).audio
    except AudioError as error:
        if " is silent " in str(error):
            return None
        if failed is None:
            raise DataError(f"A note of the folder cannot be used: {error}") from error
        failed(error)
        return None


def _from_json(folder: Path) -> list[Listed]:
    """Notes of `examples.json`, whose audio lies in audio/<key>.wav."""
    path = folder / "examples.json"
    try:
        examples: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        notes = [
            Listed(
                path=folder / "audio" / f"{key}.wav",
                id=key,
                instrument=_safe(str(example["instrument_str"])),
                family=str(example["instrument_family_str"]),
                pitch=float(example["pitch"]),
                velocity=int(example["velocity"]),
            )
            for key, example in sorted(examples.items())
        ]
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise DataError(f"{path} is not an index of NSynth ({error!r}): get the json-wav archive again.") from error
    return [_checked(note, folder, f"{path}, note {note.id!r}") for note in notes]


def _from_csv(folder: Path) -> list[Listed]:
    """Notes of `index.csv`, whose paths are relative to the folder."""
    index = folder / "index.csv"
    try:
        with index.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            names, lines = reader.fieldnames, list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{index} cannot be read as CSV in UTF-8: {error}.") from error
    if not {"path", "pitch"} <= set(names or ()):
        raise DataError(f"{index} must have the columns path and pitch; it has {names}.")
    return [_from_line(index, number, line) for number, line in enumerate(lines, start=2)]


def _from_line(index: Path, number: int, line: dict[str, str]) -> Listed:
    try:
        pitch, velocity = float(line["pitch"]), round(float(line.get("velocity") or DEFAULT_VELOCITY))
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(f"{index}, line {number}: pitch and velocity must be MIDI numbers ({error}).") from error
    path = Path(line["path"] or "")
    if not path.name:
        raise DataError(f"{index}, line {number}: the path {line['path']!r} must name a file inside the folder.")
    note = Listed(
        path=index.parent / path,
        id=path.with_suffix("").as_posix(),
        instrument=_safe(line.get("instrument") or path.stem),
        family=line.get("family") or "unknown",
        pitch=pitch,
        velocity=velocity,
    )
    return _checked(note, index.parent, f"{index}, line {number}")


def _checked(note: Listed, folder: Path, where: str) -> Listed:
    """The note, if its numbers are MIDI's and its path stays in the folder; a link there may lead where it likes."""
    if not (0 <= note.pitch <= 127 and 1 <= note.velocity <= 127):
        raise DataError(f"{where}: pitch={note.pitch} must be 0 to 127 and velocity={note.velocity} 1 to 127.")
    inside = note.path.is_relative_to(folder) and ".." not in note.path.relative_to(folder).parts
    if "\0" in str(note.path) or not inside:
        raise DataError(f"{where}: the path {note.id!r} must name a file inside the folder.")
    return note


def _safe(name: str) -> str:
    """A name that can be a file's: letters, digits, "-", "_" and "."; never hidden."""
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in name).lstrip(".") or "unnamed"
