"""Inputs that went wrong: valid ones, changed by a random generator as damage, malice and other programs change them.

An input is bytes, a folder (a `dict` of bytes by file name), or what JSON holds.
"""

from __future__ import annotations

import io
import json
import re
import struct
import warnings
import zipfile
from random import Random
from typing import Any

from synth_explorer.files import UNREADABLE

Files = dict[str, bytes]

DEEP = 100_000
NASTY_NUMBERS: tuple[Any, ...] = (
    *(0, -1, 1, 2, 127, 128, 255, 65_536, 10**6, 2**31 - 1, 2**31, 2**53, 2**63, 2**64, 10**30, -(10**30)),
    *(-0.0, 0.5, 1e-320, 1e18, 1e39, 1e308, -1e308, float("nan"), float("inf"), float("-inf")),
)
NASTY_TEXTS = (
    *(
        "",
        " ",
        "\0",
        "a\0b",
        "\n",
        "nan",
        "inf",
        "60",
        "-1",
        "true",
        "null",
        "Cello",
        "default",
        "wavenet",
        "C4",
        "..",
        "/",
    ),
    *(
        "../../fuzz-escaped",
        "/dev/zero",
        "a" * 300,
        "b" * 5000,
        "\u202e\u0301\U0001f3bb",
        "\ud800",
        "é" * 200,
        "%s%n",
        "{}",
    ),
)
NASTY_VALUES: tuple[Any, ...] = (
    *NASTY_NUMBERS,
    *NASTY_TEXTS,
    None,
    True,
    False,
    [],
    {},
    [[]],
    [{}],
    {"": {}},
    [[[[[0]]]]],
)
WORDS_AS_NUMBERS = (
    "1e999",
    "-1",
    "0",
    "00",
    "2147483648",
    "9" * 400,
    "9" * 5000,
    "NaN",
    "-Infinity",
    "1e-320",
    "0x10",
    "٣",
)
EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63, 2**64 - 1)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


def mutated(rng: Random, given: Any) -> Any:
    """The input with one to three things wrong."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        if isinstance(given, bytes):
            given = _bytes(rng, given)
        elif isinstance(given, dict) and given and all(isinstance(one, bytes) for one in given.values()):
            given = _folder(rng, given)
        elif given != {}:  # nothing is left of a folder
            given = value(rng, given)
    return given


def _folder(rng: Random, files: Files) -> Files:
    """A folder in which a file is damaged, is gone, or is another one."""
    name = rng.choice(sorted(files))
    change = rng.random()
    if change < 0.08:
        return {other: content for other, content in files.items() if other != name}
    if change < 0.14:
        return files | {name: files[rng.choice(sorted(files))]}
    return files | {name: _bytes(rng, files[name])}


def _bytes(rng: Random, data: bytes) -> bytes:
    if data[:2] == b"PK" and rng.random() < 0.7 and (packed := _member(rng, data)) is not None:
        return packed
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = ""
    if text and "\0" not in text and rng.random() < 0.85:
        return _text(rng, text).encode("utf-8", "surrogatepass")
    return rng.choice((_flipped, _cut, _spliced, _extreme, _extreme, _repeated))(rng, data)


def _place(rng: Random, data: bytes) -> int:
    """Half of the time near the beginning, where headers are."""
    size = len(data) if rng.random() < 0.5 else min(len(data), 256)
    return rng.randrange(max(size, 1))


def _flipped(rng: Random, data: bytes) -> bytes:
    changed = bytearray(data or b"\0")
    for _ in range(rng.choice((1, 1, 4, 32))):
        changed[_place(rng, changed)] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _cut(rng: Random, data: bytes) -> bytes:
    return data[: rng.choice((0, 1, _place(rng, data), rng.randrange(len(data) + 1), max(len(data) - 1, 0)))]


def _spliced(rng: Random, data: bytes) -> bytes:
    a, b = sorted((_place(rng, data), _place(rng, data)))
    return data[:a] + rng.choice((b"", data[b:], rng.randbytes(rng.choice((1, 7, 300))), b"\xff" * 64)) + data[b:]


def _extreme(rng: Random, data: bytes) -> bytes:
    """A number of a header that is as large or as small as can be."""
    size = rng.choice((1, 2, 4, 8))
    number = rng.choice(EXTREMES) % 2 ** (8 * size)
    written = number.to_bytes(size, rng.choice(("little", "big")))
    if rng.random() < 0.15:
        written = struct.pack(rng.choice(("<f", ">f", "<d")), rng.choice((float("nan"), float("inf"), -1e38, 1e-45)))
    at = _place(rng, data)
    return data[:at] + written + data[at + len(written) :]


def _repeated(rng: Random, data: bytes) -> bytes:
    a = _place(rng, data)
    return data[:a] + data[a : a + 64] * rng.choice((2, 50)) + data[a:]


def _member(rng: Random, data: bytes) -> bytes | None:
    """A ZIP of which one file is damaged, is gone or has another name; None: it is no ZIP any more."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            inside = {item.filename: file.read(item) for item in file.infolist()}
    except UNREADABLE:
        return None
    if not inside:
        return None
    name = rng.choice(sorted(inside))
    change = rng.random()
    if change < 0.1:
        del inside[name]
    elif change < 0.2:
        inside[rng.choice(("../fuzz-escaped", "/fuzz-escaped", name + "x", rng.choice(sorted(inside))))] = inside.pop(
            name
        )
    else:
        inside[name] = _bytes(rng, inside[name])
    packed = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(packed, "w", rng.choice((0, 8))) as file:
        warnings.simplefilter("ignore")
        for name, content in inside.items():
            file.writestr(name, content)
    return packed.getvalue()


def _text(rng: Random, text: str) -> str:
    if rng.random() < 0.6 and (structured := _structured(rng, text)) is not None:
        return structured
    return rng.choice((_other_number, _other_number, _other_word, _other_lines, _nested, _odd, _cut_text))(rng, text)


def _structured(rng: Random, text: str) -> str | None:
    """JSON, or lines of it, of which a value is another one; None: it is none."""
    lines = text.split("\n")
    for part in range(1) if len(lines) == 1 else [None, rng.randrange(len(lines))]:
        try:
            content = json.loads(text if part is None else lines[part])
        except (ValueError, RecursionError):
            continue
        if not isinstance(content, (dict, list)):
            continue
        changed = json.dumps(value(rng, content))
        return changed if part is None else "\n".join([*lines[:part], changed, *lines[part + 1 :]])
    return None


def _other_number(rng: Random, text: str) -> str:
    found = list(_NUMBER.finditer(text))
    if not found:
        return _odd(rng, text)
    one = rng.choice(found)
    return text[: one.start()] + rng.choice((*WORDS_AS_NUMBERS, *map(repr, NASTY_NUMBERS))) + text[one.end() :]


def _other_word(rng: Random, text: str) -> str:
    found = list(re.finditer(r"[^\W\d]+", text))
    if not found:
        return _odd(rng, text)
    one = rng.choice(found)
    return text[: one.start()] + rng.choice((*NASTY_TEXTS, rng.choice(found)[0])) + text[one.end() :]


def _other_lines(rng: Random, text: str) -> str:
    lines = text.split("\n")
    at = rng.randrange(len(lines))
    lines[at : at + 1] = rng.choice(([], [lines[at]] * 2, [lines[at]] * 1000, [""], ["  " + lines[at]]))
    return "\n".join(lines)


def _nested(rng: Random, text: str) -> str:
    at = rng.randrange(len(text) + 1)
    return text[:at] + rng.choice("[{(") * rng.choice((1, 60, DEEP)) + text[at:]


def _odd(rng: Random, text: str) -> str:
    at = rng.randrange(len(text) + 1)
    odd = rng.choice(
        ("\0", "\ufeff", "\r", "\t", '"', "'", ":", ",", "&a ", "*a", "!!python/name:os.system ", "\ud800", "\x1b")
    )
    return text[:at] + odd + text[at:]


def _cut_text(rng: Random, text: str) -> str:
    return text[: rng.randrange(len(text) + 1)]


def value(rng: Random, given: Any) -> Any:
    """What JSON holds, of which something is of another type, out of range, too much, missing or unknown."""
    if not isinstance(given, (dict, list)) or not given or rng.random() < 0.06:
        return _replaced(rng, given)
    if isinstance(given, dict):
        key = rng.choice(sorted(given, key=str))
        change = rng.random()
        if change < 0.08:
            return {name: item for name, item in given.items() if name != key}
        if change < 0.16:
            return given | {rng.choice((str(key) + "x", *NASTY_TEXTS)): given[key]}
        return given | {key: value(rng, given[key])}
    at, change = rng.randrange(len(given)), rng.random()
    if change < 0.08:
        return given[:at] + given[at + 1 :]
    if change < 0.16:
        return given[:at] + [given[at]] * rng.choice((2, 5, 2000)) + given[at:]
    return [*given[:at], value(rng, given[at]), *given[at + 1 :]]


def _replaced(rng: Random, given: Any) -> Any:
    if isinstance(given, bool) or rng.random() < 0.5:
        return rng.choice(NASTY_VALUES)
    if isinstance(given, (int, float)):
        return rng.choice((*NASTY_NUMBERS, str(given), [given], -given, given * 1000, given / 3))
    if isinstance(given, str):
        return rng.choice((*NASTY_TEXTS, given + rng.choice(NASTY_TEXTS), [given], given * 300))
    return rng.choice(NASTY_VALUES)
