"""An instrument as files: samples as WAV, and what maps them for each format."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from synth_explorer.audio.writing import Sampler, quantised, wav_bytes
from synth_explorer.errors import SpecError
from synth_explorer.files import atomic_path, write_text
from synth_explorer.instruments import bitwig, decent, sfz
from synth_explorer.instruments.instrument import Instrument, report
from synth_explorer.instruments.sample import Sample, Slot

Format = Literal["sfz", "decent", "bitwig"]
FORMATS: tuple[str, ...] = get_args(Format)
SUFFIX = {"sfz": ".sfz", "decent": ".dspreset", "bitwig": ".multisample"}
REPORT, SAMPLES, BITS = "instrument.json", "samples", 24


def formats_of(text: str) -> tuple[Format, ...]:
    """`sfz,decent` -> its formats, each once. Raises SpecError."""
    names = [name.strip().lower() for name in text.split(",")]
    found = dict.fromkeys(one for name in names for one in get_args(Format) if one == name)
    if not names or set(names) - set(found):
        raise SpecError(f"{text!r} must be one or several of {', '.join(FORMATS)}, with commas between them.")
    return tuple(found)


def targets(folder: Path, formats: tuple[Format, ...]) -> list[Path]:
    """The files that an instrument is opened by, in the order given, and its report."""
    name = folder.resolve().name
    return [*(folder / f"{name}{SUFFIX[one]}" for one in formats), folder / REPORT]


def sample_path(slot: Slot) -> str:
    """Where a sample lies in an instrument's folder, or in its archive."""
    return f"{SAMPLES}/{slot.stem}.wav"


def write(instrument: Instrument, folder: Path, *, formats: tuple[Format, ...]) -> list[Path]:
    """Write an instrument into a folder: samples first, then what names them; each file whole or not at all.

    Returns `targets`. Raises SpecError: the folder cannot be written.
    """
    waves = {one.slot: wav(instrument, one) for one in instrument.samples}
    files = {slot: sample_path(slot) for slot in waves}
    found = targets(folder, formats)
    try:
        if {"sfz", "decent"} & set(formats):
            for slot, content in waves.items():
                with atomic_path(folder / files[slot]) as temporary:
                    temporary.write_bytes(content)
        for name, target in zip(formats, found, strict=False):
            if name == "bitwig":
                _zipped(target, bitwig.text(instrument, files), {files[slot]: waves[slot] for slot in waves})
            else:
                write_text(target, (sfz if name == "sfz" else decent).text(instrument, files))
        told: dict[str, Any] = {"formats": list(formats)} | report(instrument, files=files)
        told["notes"] = told["notes"] + cannot(instrument, formats)
        write_text(found[-1], json.dumps(told, indent=1, default=_number) + "\n")
    except OSError as error:
        raise SpecError(f"{error.filename or folder} cannot be written: {error.strerror or error}.") from error
    return found


def cannot(instrument: Instrument, formats: tuple[Format, ...]) -> list[str]:
    """What the formats cannot hold of an instrument, in sentences."""
    said = [*(decent.CANNOT if "decent" in formats else ()), *(bitwig.CANNOT if "bitwig" in formats else ())]
    return [*said, bitwig.NO_WHEEL] if "bitwig" in formats and instrument.plan.morph_steps > 1 else said


def wav(instrument: Instrument, one: Sample) -> bytes:
    """A sample as a WAV file of 24 bits, with its key and loop."""
    audio = (one.audio * np.float32(10.0 ** (instrument.gain_db / 20.0))).astype(np.float32)
    loop = None if one.loop is None else (one.loop.start, one.loop.end - 1)
    sampler = Sampler(float(one.slot.root), loop)
    rate_hz = instrument.sample_rate_hz
    return wav_bytes(quantised(audio, bits=BITS), sample_rate_hz=rate_hz, bits=BITS, sampler=sampler)


def _zipped(target: Path, mapping: str, waves: dict[str, bytes]) -> None:
    """An archive without compression, as the format asks; equal content is an equal file."""
    with atomic_path(target) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as file:
        for name, content in ((bitwig.XML_NAME, mapping.encode()), *waves.items()):
            file.writestr(zipfile.ZipInfo(name), content)


def _number(value: Any) -> Any:
    """A number of numpy as Python's."""
    return value.item()
