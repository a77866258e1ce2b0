"""What a SoundFont 2 file says of its presets: names, banks, and the keys that its samples were recorded for.

Source: SoundFont Technical Specification 2.04, chapter 7 (the "pdta" chunk). Only that chunk is read, so files of
hundreds of megabytes open in milliseconds.
"""

from __future__ import annotations

import itertools
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synth_explorer.errors import DataError
from synth_explorer.files import is_file

KEYS = 128
PRESET_HEADER = np.dtype([("name", "S20"), ("program", "<u2"), ("bank", "<u2"), ("bag", "<u2"), ("rest", "<u4", 3)])
INSTRUMENT_HEADER = np.dtype([("name", "S20"), ("bag", "<u2")])
BAG = np.dtype([("generator", "<u2"), ("modulator", "<u2")])
GENERATOR = np.dtype([("operator", "<u2"), ("amount", "<i2")])
SAMPLE_HEADER = np.dtype(
    [
        ("name", "S20"),
        ("positions", "<u4", 4),
        ("rate_hz", "<u4"),
        ("root_key", "u1"),
        ("correction_cents", "i1"),
        ("link", "<u2"),
        ("type", "<u2"),
    ]
)
TABLES = {
    b"phdr": PRESET_HEADER,
    b"pbag": BAG,
    b"pgen": GENERATOR,
    b"inst": INSTRUMENT_HEADER,
    b"ibag": BAG,
    b"igen": GENERATOR,
    b"shdr": SAMPLE_HEADER,
}

INSTRUMENT, KEY_RANGE, COARSE_TUNE, SAMPLE_ID, SCALE_TUNING, ROOT_KEY = 41, 43, 51, 53, 56, 58
UNKNOWN_ROOT = 255


@dataclass(frozen=True, eq=False)
class Preset:
    """One preset of a SoundFont.

    `shift_semitones`: [128], how far the nearest recorded sample is transposed to sound each key; infinite where no
    sample sounds or where the key does not set the pitch.
    """

    name: str  # as the file spells it
    bank: int  # MIDI bank; 128 is percussion
    program: int  # MIDI program, 0 to 127
    shift_semitones: np.ndarray

    def keys(self, *, lowest: int = 21, highest: int = 108, max_shift_semitones: float = 12.0) -> list[int]:
        """Keys within [lowest, highest] that are played by a sample transposed by at most `max_shift_semitones`."""
        return [key for key in range(lowest, highest + 1) if self.shift_semitones[key] <= max_shift_semitones]


def read_presets(path: str | Path) -> list[Preset]:
    """All presets of a SoundFont, sorted by bank and program.

    Raises DataError: when the file is missing or is not a SoundFont 2 file.
    """
    path = Path(path)
    tables = _read_tables(path)
    headers = tables[b"phdr"]
    try:
        presets = [
            Preset(
                name=_text(header["name"]),
                bank=int(header["bank"]),
                program=int(header["program"]),
                shift_semitones=_preset_shifts(tables, int(header["bag"]), int(following["bag"])),
            )
            for header, following in itertools.pairwise(headers)
        ]
    except (IndexError, ValueError) as error:
        raise DataError(f"{path} is a damaged SoundFont ({error}): get the file again.") from error
    return sorted(presets, key=lambda preset: (preset.bank, preset.program))


def _read_tables(path: Path) -> dict[bytes, np.ndarray]:
    """The seven tables of the "pdta" chunk."""
    if not is_file(path):
        raise DataError(f"SoundFont {path} does not exist: give the path of an .sf2 file.")
    found: dict[bytes, np.ndarray] = {}
    with path.open("rb") as file:
        head = file.read(12)
        if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"sfbk":
            raise DataError(f"{path} is not a SoundFont 2 file (no RIFF/sfbk header): give an .sf2 file.")
        while len(chunk := file.read(12)) == 12:
            size = struct.unpack("<I", chunk[4:8])[0]
            if chunk[:4] == b"LIST" and chunk[8:] == b"pdta":
                found = _split_tables(file.read(size - 4))
                break
            file.seek(size - 4 + size % 2, 1)
    missing = [name.decode() for name in TABLES if name not in found]
    if missing:
        raise DataError(f"{path} is a damaged SoundFont (no {', '.join(missing)}): get the file again.")
    return found


def _split_tables(data: bytes) -> dict[bytes, np.ndarray]:
    found, position = {}, 0
    while position + 8 <= len(data):
        name, size = data[position : position + 4], struct.unpack("<I", data[position + 4 : position + 8])[0]
        if name in TABLES:
            body = data[position + 8 : position + 8 + size]
            found[name] = np.frombuffer(
                body[: len(body) // TABLES[name].itemsize * TABLES[name].itemsize], TABLES[name]
            )
        position += 8 + size + size % 2
    return found


def _zones(bags: np.ndarray, generators: np.ndarray, first: int, last: int, terminal: int) -> list[dict[int, int]]:
    """Generators of the zones [first, last) that end in `terminal`, each with the global zone's as defaults."""
    default: dict[int, int] = {}
    zones = []
    for number in range(first, last):
        start, stop = int(bags[number]["generator"]), int(bags[number + 1]["generator"])
        zone = {int(g["operator"]): int(g["amount"]) for g in generators[start:stop]}
        if terminal in zone:
            zones.append({**default, **zone})
        elif number == first:
            default = zone
    return zones


def _key_range(zone: dict[int, int]) -> tuple[int, int]:
    if KEY_RANGE not in zone:
        return 0, KEYS - 1
    amount = zone[KEY_RANGE] & 0xFFFF
    return amount & 0xFF, amount >> 8


def _preset_shifts(tables: dict[bytes, np.ndarray], first: int, last: int) -> np.ndarray:
    """Transposition of the nearest sample, in semitones, for each of the 128 keys."""
    shifts = np.full(KEYS, np.inf)
    instruments = tables[b"inst"]
    for outer in _zones(tables[b"pbag"], tables[b"pgen"], first, last, INSTRUMENT):
        number = outer[INSTRUMENT]
        first_bag, last_bag = int(instruments[number]["bag"]), int(instruments[number + 1]["bag"])
        for inner in _zones(tables[b"ibag"], tables[b"igen"], first_bag, last_bag, SAMPLE_ID):
            low = max(_key_range(outer)[0], _key_range(inner)[0])
            high = min(_key_range(outer)[1], _key_range(inner)[1], KEYS - 1)
            scale_tuning = inner.get(SCALE_TUNING, 100) + outer.get(SCALE_TUNING, 0)
            root = inner.get(ROOT_KEY, -1)
            if root < 0:
                root = int(tables[b"shdr"][inner[SAMPLE_ID]]["root_key"])
            if scale_tuning != 100 or root == UNKNOWN_ROOT or low > high:
                continue
            coarse = inner.get(COARSE_TUNE, 0) + outer.get(COARSE_TUNE, 0)
            keys = np.arange(low, high + 1)
            shifts[low : high + 1] = np.minimum(shifts[low : high + 1], np.abs(keys - root + coarse))
    return shifts


def _text(name: bytes) -> str:
    return bytes(name).split(b"\0")[0].decode("latin-1").strip()
