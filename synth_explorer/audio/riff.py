"""The headers of sound files, read for what libsndfile passes over: sizes that do not agree with the file, root notes
and loops.

`smpl` is the sampler chunk of WAV files (RIFF MCI, Multimedia Data Standards Update, 1994).
"""

from __future__ import annotations

import io
import mmap
import os
import re
import struct
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

from synth_explorer.pitch import HIGHEST_MIDI, LOWEST_MIDI

UNKNOWN_SIZES = (0, 0xFFFFFFFF)
OGG_SUFFIXES = (".ogg", ".oga", ".opus")
_OGG_TAIL_BYTES = 1 << 17
MOST_CHUNKS = 1000
_MOST_BYTES = 0xFFFFFF00
_WAVES = (b"RIFF", b"RF64", b"BW64")  # the latter, of one layout, have 64 bits for sizes (EBU Tech 3306, ITU-R BS.2088)
_KNOWN = re.compile(
    rb"fmt |fact|data|smpl|inst|LIST|list|id3 |ID3 |cue |plst|bext|iXML|axml|chna|cart|acid|strc|PEAK|JUNK|junk|PAD "
    rb"|FLLR|DISP|_PMX|levl|link|MD5 |umid|minf|elm1|regn|ovwf|LGWV|SAUR|afsp|SNDM|ResU|tlst|note"
)


@dataclass(frozen=True, eq=False)
class Chunks:
    """What a header says.

    `mended`: the file with the sizes that its header should have had; None where it can be read as it is.
    """

    notices: tuple[str, ...] = ()  # sentences about sizes that do not agree with the file; they go on after its name
    mended: IO[bytes] | None = None
    root_midi: float | None = None  # unity note of the sampler chunk, MIDI with its fraction; None without one
    loop: tuple[int, int] | None = None  # first and last sample of its first loop; None without one


def read(path: Path) -> Chunks:
    """Read the header of a file; nothing is said of a container that is not known here.

    Raises OSError: the file cannot be opened.
    """
    with path.open("rb") as file:
        head = file.read(64)
        size = os.fstat(file.fileno()).st_size
        if head[:4] in _WAVES and head[8:12] == b"WAVE":
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) as content:
                return _read_wave(content)
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


def percent(share: float) -> str:
    """A part of a whole, 0 < share < 1, in per cent; never rounded to all of it, or to nothing."""
    return ">99" if share > 0.99 else "<1" if share < 0.01 else f"{100.0 * share:.0f}"


def _cut_off(size: int, promised: int) -> str:
    share = percent(size / promised)
    return f"is cut off: {size} of the {promised} bytes that its header promises are there ({share} %)"


def _promised_size(head: bytes) -> int | None:
    """Bytes that the header of an AIFF, AU, RIFX or W64 file says the file has; None where it does not say."""
    if len(head) < 32:
        return None
    if head[:4] == b"FORM" or head[:4] == b"RIFX":
        return struct.unpack(">I", head[4:8])[0] + 8
    if head[:4] == b".snd":
        offset, length = struct.unpack(">II", head[4:12])
        return None if length in UNKNOWN_SIZES else offset + length
    if head[:4] == b"riff" and head[24:28] == b"wave":
        return struct.unpack("<Q", head[16:24])[0]
    return None


def _read_wave(content: mmap.mmap) -> Chunks:
    """The chunks of a WAV file, or of one of its relatives for large files."""
    mend, notice, sound = content[:4] == b"BW64", "", None  # libsndfile refuses that one
    form = sampler = sizes = b""
    at = 12
    for _ in range(MOST_CHUNKS):
        if at + 8 > len(content):
            break
        name, length, start = content[at : at + 4], *struct.unpack("<I", content[at + 4 : at + 8]), at + 8
        if name == b"data" and sound is None:
            stated = int.from_bytes(sizes[8:16], "little") if length == UNKNOWN_SIZES[1] else length
            length, notice = _sound_bytes(content, start, stated)
            sound = slice(start, start + length)
            mend |= length != min(stated, len(content) - start)
        elif name == b"fmt ":
            form = content[start : start + length]
        elif name == b"smpl":
            sampler = content[start : start + min(length, 60)]
        elif name == b"ds64":
            sizes = content[start : start + min(length, 28)]
        at = _next(content, start, length)
        mend |= at < start + length + length % 2
    mended = _wave(form, content[sound]) if mend and form and sound else None
    return Chunks((notice,) if notice else (), mended, *_sampler(sampler))


def _next(content: mmap.mmap, start: int, length: int) -> int:
    """Where the chunk after one begins: at an even place, but for writers that leave the filling byte out."""
    end = start + length
    unfilled = length % 2 and not _KNOWN.match(content, end + 1) and _KNOWN.match(content, end)
    return end if unfilled else end + length % 2


def _sound_bytes(content: mmap.mmap, start: int, stated: int) -> tuple[int, str]:
    """Length of the sound from `start` on, and what is to be said where it is not `stated` (0: not known)."""
    there = len(content) - start
    at = _next(content, start, stated)
    after = content[at : at + 4] if 0 < stated < there - 1 else b""
    if 0 < stated <= there + 1 and all(32 <= letter < 127 for letter in after):
        return min(stated, there), ""
    length = _up_to_chunks(content, start)
    if not stated:
        said = "was never finished: its header says that it is empty; the sound that is there is used"
        return length, said if length else ""
    if stated > there and length == there:
        return there, _cut_off(len(content), start + stated)
    which = "more" if length > stated else "less"
    return length, f"has {which} sound than its header says ({length} bytes, not {stated}); all of it is used"


def _up_to_chunks(content: mmap.mmap, start: int) -> int:
    """Bytes from `start` on to the chunks that fill the file to its very end; all where there are none."""
    known = (found.start() for found in islice(_KNOWN.finditer(content, start), MOST_CHUNKS))
    return next((at for at in (start, *known) if _is_chunk(content, at)), len(content)) - start


def _is_chunk(content: mmap.mmap, at: int) -> bool:
    """Whether chunks, not sound, fill the file from here to its end."""
    for _ in range(MOST_CHUNKS):
        head = content[at : at + 8]
        if len(head) < 8 or not all(32 <= letter < 127 for letter in head[:4]):
            return False
        length = struct.unpack("<I", head[4:])[0]
        if len(content) - (at + 8 + length) in (0, length % 2):
            return True
        at = _next(content, at + 8, length)
    return False


def _wave(form: bytes, sound: bytes) -> IO[bytes]:
    """A WAV file in memory of what matters; whole frames of the sound are read."""
    sound = sound[:_MOST_BYTES]
    chunks = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"\0" * (len(form) % 2)
    size = len(chunks) + 8 + len(sound)
    return io.BytesIO(struct.pack("<4sI", b"RIFF", size) + chunks + struct.pack("<4sI", b"data", len(sound)) + sound)


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
