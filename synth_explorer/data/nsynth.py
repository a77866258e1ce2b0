"""Bring other people's notes into the dataset format: a split of NSynth, or any folder of sounds with an index."""

from __future__ import annotations

import hashlib
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from synth_explorer import audio
from synth_explorer.data.dataset import FULL_SCALE, SIZES, DatasetWriter, Sizes, read_rows
from synth_explorer.errors import AudioError, DataError
from synth_explorer.files import UNREADABLE, is_file, read_bytes
from synth_explorer.index import Inside, LabelledRow, read_index
from synth_explorer.schema import LENIENT, Midi, Schema, Velocity, parse

NSYNTH_LICENCE = "CC BY 4.0, NSynth dataset, Magenta (Engel et al. 2017, arXiv 1704.01279)"
LONGEST_NAME = 200  # bytes of an instrument, of which files are named
UNKNOWN_LICENCE = "unknown: see where the notes came from"
_GIVEN = ("id", "family", "source", "group", "pitch", "key", "velocity", "bandwidth_hz")
"""What `DatasetWriter.write_shard` is given of a note."""


class _Example(Schema):
    """What examples.json says of a note."""

    model_config = LENIENT

    instrument_str: str
    instrument_family_str: str
    pitch: Midi
    velocity: Velocity


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
    sizes: Sizes = SIZES,
    failed: Callable[[AudioError], None] | None = None,
) -> Path:
    """Read a folder of labelled notes into a dataset, each cut to start `pre_roll_samples` before its onset.

    Two kinds of folder are read: a split of NSynth as published (`examples.json` beside `audio/*.wav`), and sounds with
    an `index.csv` of at least `path,pitch`; `instrument`, `family` and `velocity` are used where they are given.
    Silent notes are left out. Instruments are kept whole in one split, as everywhere.

    `sizes`: of each note; longer ones are cut, shorter ones padded with silence. `failed`: told of each
    sound that cannot be read, which is then left out, and tried again by the next import; None: that is an error.
    Returns the dataset's folder. Raises DataError: when the folder is of neither kind, a line cannot be understood or a
    sound cannot be read.
    """
    folder = Path(folder)
    if is_file(folder / "examples.json"):
        source, licence, notes = "nsynth", NSYNTH_LICENCE, _from_json(folder)
    elif is_file(folder / "index.csv"):
        source, licence, notes = folder.resolve().name, UNKNOWN_LICENCE, _from_csv(folder)
    else:
        raise DataError(f"{folder} has neither examples.json nor index.csv: give a split of NSynth or a NOTES folder.")
    instruments = defaultdict(list)
    for note in notes:
        instruments[note.instrument].append(note)
    described = {"sources": {source: {"licence": licence}}, "settings": {"kind": "import", "source": source}}
    with _nothing_left(Path(out)):
        writer = DatasetWriter(out, sizes, **described)
        for instrument, members in sorted(instruments.items()):
            _import_instrument(instrument, members, writer=writer, source=source, failed=failed)
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
    failed: Callable[[AudioError], None] | None,
) -> None:
    rate_hz, samples, pre_roll_samples = writer.sizes
    rows, signals, was_told, finished = [], [], False, writer.finished(instrument)
    stored = read_rows(writer.folder / "audio" / f"{instrument}.csv") if finished else []
    known = {row.id for row in stored}

    def tell(error: AudioError) -> None:
        nonlocal was_told
        was_told = True
        if failed is not None:
            failed(error)

    for note in (one for one in members if one.id not in known):
        signal = _load(note.path, sample_rate_hz=rate_hz, max_s=1.0 + samples / rate_hz, failed=failed and tell)
        if signal is None:
            continue
        cut = audio.prepare(
            signal, sample_rate_hz=rate_hz, pre_roll_samples=pre_roll_samples, max_samples=samples
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
        shard = _shard(writer.folder / stored[0].shard)
        signals = [*(shard[row.row] * np.float32(row.scale / FULL_SCALE) for row in stored), *signals]
        rows = [*({name: getattr(row, name) for name in _GIVEN} for row in stored), *rows]
    writer.write_shard(instrument, np.stack(signals) if signals else np.zeros((0, samples), np.float32), rows)


def _shard(path: Path) -> np.ndarray:
    try:
        return np.load(path, allow_pickle=False)
    except UNREADABLE as error:
        raise DataError(f"{path} cannot be read ({error}): give a new folder.") from error


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
    examples: dict[str, _Example]
    examples = parse(dict[Inside, _Example], read_bytes(path), what=str(path), error=DataError)
    return [
        Listed(
            path=folder / "audio" / f"{key}.wav",
            id=key,
            instrument=_safe(example.instrument_str),
            family=example.instrument_family_str,
            pitch=example.pitch,
            velocity=round(example.velocity),
        )
        for key, example in sorted(examples.items())
    ]


def _from_csv(folder: Path) -> list[Listed]:
    """Notes of `index.csv`, whose paths are relative to the folder."""
    return [
        Listed(
            path=row.path,
            id=row.path.relative_to(folder).with_suffix("").as_posix(),
            instrument=_safe(row.instrument or row.path.stem),
            family=row.family,
            pitch=row.pitch,
            velocity=round(row.velocity),
        )
        for row in read_index(folder, LabelledRow)
    ]


def _safe(name: str) -> str:
    """A name that can be a file's: letters, digits, "-", "_" and "."; never hidden, nor too long."""
    safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in name).lstrip(".") or "unnamed"
    is_short = len(safe.encode(errors="replace")) <= LONGEST_NAME
    return safe if is_short else f"{safe[: LONGEST_NAME // 8]}-{hashlib.sha256(ascii(name).encode()).hexdigest()[:16]}"
