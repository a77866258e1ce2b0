"""The headers of sound files, read for what libsndfile passes over: sizes that do not agree with the file, root notes
and loops.

`smpl` is the sampler chunk of WAV files (RIFF MCI, Multimedia Data Standards Update, 1994).
"""

from __future__ import annotations

import io
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from synth_explorer.pitch import HIGHEST_MIDI, LOWEST_MIDI

UNKNOWN_SIZES = (0, 0xFFFFFFFF)
OGG_SUFFIXES = (".ogg", ".oga", ".opus")
_OGG_TAIL_BYTES = 1 << 17
MOST_CHUNKS = 1000


@dataclass(frozen=True, eq=False)
class Chunks:
    """What a header says.

    Attributes:
        notices: sentences about sizes that do not agree with the file; they go on after its name.
        mended: the file with the sizes that its header should have had; None where it can be read as it is.
        root_midi: unity note of the sampler chunk, MIDI with its fraction; None without one.
        loop: first and last sample of its first loop; None without one.
    """

    notices: tuple[str, ...] = ()
    mended: IO[bytes] | None = None
    root_midi: float | None = None
    loop: tuple[int, int] | None = None


def read(path: Path) -> Chunks:
    """Read the header of a file; nothing is said of a container that is not known here.

    Raises:
        OSError: the file cannot be opened.
    """
    with path.open("rb") as file:
        head = file.read(64)
        size = os.fstat(file.fileno()).st_size
        if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
            return _read_wave(file, size)
    promised = _promised_size(head)
    return Chunks((_cut_off(size, promised),) if promised is not None and promised > size + 1 else ())


def ogg_is_cut_off(path: Path) -> str:
    """A sentence about an Ogg file whose last page is not marked as the end of its stream (RFC 3533); else ""."""
    with path.open("rb") as file:
        if file.read(4) != b"OggS":
            return ""
        file.seek(max(0, path.stat().st_size - _OGG_TAIL_BYTES))
        tail = file.read()
    last = tail.rfind(b"OggS")
    ends = last >= 0 and len(tail) > last + 5 and tail[last + 5] & 4
    return "" if ends else "is cut off: its last page is not the end of its stream"


def _cut_off(size: int, promised: int) -> str:
    share = 100.0 * size / promised
    return f"is cut off: {size} of the {promised} bytes that its header promises are there ({share:.0f} %)"


def _promised_size(head: bytes) -> int | None:
    """Bytes that the header of an AIFF, AU, RIFX, RF64 or W64 file says the file has; None where it does not say."""
    if len(head) < 32:
        return None
    if head[:4] == b"FORM" or head[:4] == b"RIFX":
        return struct.unpack(">I", head[4:8])[0] + 8
    if head[:4] == b".snd":
        offset, length = struct.unpack(">II", head[4:12])
        return None if length in UNKNOWN_SIZES else offset + length
    if head[:4] == b"RF64" and head[12:16] == b"ds64":
        return struct.unpack("<Q", head[20:28])[0] + 8
    if head[:4] == b"riff" and head[24:28] == b"wave":
        return struct.unpack("<Q", head[16:24])[0]
    return None


def _read_wave(file: IO[bytes], size: int) -> Chunks:
    """The chunks of a WAV file of `size` bytes."""
    at, data, sampler = 12, None, None
    for _ in range(MOST_CHUNKS):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            break
        name, length = head[:4], struct.unpack("<I", head[4:])[0]
        start = at + 8
        if name == b"data":
            data = (start, length)
            if length in UNKNOWN_SIZES and not _is_chunk(file, start, size):
                break  # never finished: all that follows is sound
        elif name == b"smpl":
            sampler = file.read(min(length, 60))
        at = start + length + length % 2
    root_midi, loop = _sampler(sampler) if sampler else (None, None)
    if data is None:
        return Chunks(root_midi=root_midi, loop=loop)
    start, length = data
    there = size - start
    if length in UNKNOWN_SIZES and there > 0 and not _is_chunk(file, start, size):
        notice = "was never finished: its header says that it is empty; the sound that is there is used"
        return Chunks((notice,), _mended(file, start, there), root_midi, loop)
    if 0 < length < there - 1 and not _looks_like_a_chunk(file, start + length + length % 2):
        notice = f"has more sound than its header says ({there} bytes, not {length}); all of it is used"
        return Chunks((notice,), _mended(file, start, there), root_midi, loop)
    notices = (_cut_off(size, start + length),) if length not in UNKNOWN_SIZES and length > there + 1 else ()
    return Chunks(notices, None, root_midi, loop)


def _looks_like_a_chunk(file: IO[bytes], at: int) -> bool:
    """Whether a chunk's name stands here, or nothing at all."""
    file.seek(at)
    return all(32 <= letter < 127 for letter in file.read(4))


def _is_chunk(file: IO[bytes], at: int, size: int) -> bool:
    """Whether chunks, not sound, fill the file from here to its end; also where nothing is left."""
    if at >= size - 1:
        return True
    while at + 8 <= size:
        file.seek(at)
        head = file.read(8)
        if not all(32 <= letter < 127 for letter in head[:4]):
            return False
        length = struct.unpack("<I", head[4:])[0]
        at += 8 + length + length % 2
    return at in (size, size + 1)


def _mended(file: IO[bytes], start: int, there: int) -> IO[bytes]:
    """The file in memory with its sizes as they should be; whole frames are kept."""
    file.seek(0)
    content = bytearray(file.read())
    struct.pack_into("<I", content, 4, min(len(content) - 8, 0xFFFFFFFE))
    struct.pack_into("<I", content, start - 4, min(there, 0xFFFFFFFE))
    return io.BytesIO(bytes(content))


def _sampler(chunk: bytes) -> tuple[float | None, tuple[int, int] | None]:
    """Root note and first loop of a sampler chunk; None for what makes no sense."""
    if len(chunk) < 36:
        return None, None
    unity, fraction = struct.unpack("<II", chunk[12:20])
    root_midi = unity + fraction / 2**32
    root_midi = root_midi if LOWEST_MIDI <= root_midi <= HIGHEST_MIDI else None  # 0 is that of a chunk nobody filled in
    loops = struct.unpack("<I", chunk[28:32])[0]
    if not loops or len(chunk) < 60:
        return root_midi, None
    first, last = struct.unpack("<II", chunk[44:52])
    return root_midi, (first, last) if first < last else None
