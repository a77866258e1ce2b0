"""Writes the smallest SoundFont that has something to find out: sines, key ranges, a drum kit, a silent preset."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

RATE_HZ = 44_100
ROOT_KEY = 60
PERIODS = 800  # whole periods, so that the loop is seamless

KEY_RANGE, LOOPED, SCALE_TUNING, INSTRUMENT, SAMPLE, COARSE = 43, 54, 56, 41, 53, 51
#: name, bank, program, key range, generators of the instrument, sample
PRESETS = (
    ("Sine Piano", 0, 0, (48, 72), [], 0),
    ("Low Organ", 0, 19, (30, 127), [], 1),  # its sample holds an octave below the key
    ("Unpitched", 0, 40, (0, 127), [(SCALE_TUNING, 0)], 0),
    ("Silent Flute", 0, 73, (60, 62), [], 2),
    ("Gun Shot", 0, 127, (0, 127), [], 0),
    ("Violin Expr.", 17, 40, (55, 60), [], 0),
    ("Kit", 128, 0, (0, 127), [], 0),
)


def write(path: Path) -> Path:
    """Write the SoundFont and return its path."""
    sounds = _sounds()
    data, headers, position = b"", b"", 0
    for name, sound in sounds:
        data += sound.tobytes() + bytes(2 * 46)  # 46 zeros between samples, as the specification wants
        headers += struct.pack(
            "<20s5IBbHH", name, position, position + len(sound), position + 8, position + len(sound) - 8,
            RATE_HZ, ROOT_KEY, 0, 0, 1,
        )  # fmt: skip
        position += len(sound) + 46
    headers += struct.pack("<20s5IBbHH", b"EOS", 0, 0, 0, 0, 0, 0, 0, 0, 0)
    body = _list(b"INFO", _chunk(b"ifil", struct.pack("<HH", 2, 1)) + _chunk(b"isng", b"EMU8000\0")
                 + _chunk(b"INAM", b"Tiny\0\0")) + _list(b"sdta", _chunk(b"smpl", data)) + _tables(headers)  # fmt: skip
    path.write_bytes(_chunk(b"RIFF", b"sfbk" + body))
    return path


def _sounds() -> list[tuple[bytes, np.ndarray]]:
    hz = 440 * 2 ** ((ROOT_KEY - 69) / 12)
    t = np.arange(round(PERIODS * RATE_HZ / hz)) / RATE_HZ
    sine = 0.3 * np.sin(2 * np.pi * hz * t)
    low = 0.1 * sum(np.sin(2 * np.pi * hz * ratio * t) for ratio in (0.5, 1.0, 1.5))
    to_int = [
        (name, np.round(32767 * s).astype("<i2")) for name, s in ((b"sine", sine), (b"low", low), (b"zero", 0 * t))
    ]
    return to_int


def _tables(sample_headers: bytes) -> bytes:
    phdr = pbag = pgen = inst = ibag = igen = b""
    generators = 0
    for number, (name, bank, program, keys, extra, sample) in enumerate(PRESETS):
        phdr += struct.pack("<20sHHHIII", name.encode(), program, bank, number, 0, 0, 0)
        pbag += struct.pack("<HH", number, 0)
        pgen += struct.pack("<Hh", INSTRUMENT, number)
        inst += struct.pack("<20sH", name.encode(), number)
        ibag += struct.pack("<HH", generators, 0)
        amounts = [(KEY_RANGE, keys[0] | keys[1] << 8), (LOOPED, 1), *extra, (SAMPLE, sample)]
        igen += b"".join(struct.pack("<HH", operator, amount) for operator, amount in amounts)
        generators += len(amounts)
    count = len(PRESETS)
    phdr += struct.pack("<20sHHHIII", b"EOP", 0, 0, count, 0, 0, 0)
    pbag += struct.pack("<HH", count, 0)
    inst += struct.pack("<20sH", b"EOI", count)
    ibag += struct.pack("<HH", generators, 0)
    chunks = (
        (b"phdr", phdr), (b"pbag", pbag), (b"pmod", bytes(10)), (b"pgen", pgen + bytes(4)), (b"inst", inst),
        (b"ibag", ibag), (b"imod", bytes(10)), (b"igen", igen + bytes(4)), (b"shdr", sample_headers),
    )  # fmt: skip
    return _list(b"pdta", b"".join(_chunk(name, data) for name, data in chunks))


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def _list(name: bytes, data: bytes) -> bytes:
    return _chunk(b"LIST", name + data)
