"""Writing files whole or not at all, and where this user's programs keep theirs."""

from __future__ import annotations

import atexit
import errno
import lzma
import os
import shutil
import struct
import sys
import tempfile
import time
import tokenize
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

UNREADABLE = (
    *(ValueError, OSError, EOFError, KeyError, MemoryError, OverflowError, RuntimeError, SyntaxError),
    *(BadZipFile, struct.error, zlib.error, lzma.LZMAError, tokenize.TokenError),
)
"""What reading a damaged .npz, .npy or JSON raises: RuntimeError where it is nested too deeply, or locked; headers of
arrays are read as Python."""

LARGEST_TEXT_BYTES = 2**26
UNFINISHED = ".unfinished-"  # in the name of every temporary file, between those of its target and its own
ABANDONED_S = 60.0
LATENTS_SUFFIXES = (".npz", ".npy")
CACHE_VARIABLE, DATA_VARIABLE = "SYNTH_EXPLORER_CACHE", "SYNTH_EXPLORER_DATA"

_UMASK = os.umask(0)
os.umask(_UMASK)


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path`, which becomes `path` when the block ends well.

    The temporary file has the same suffix (writers that choose a format by suffix see the right one) and lies in
    the same folder (so that the rename is atomic). Missing parent folders are made. When the block raises, the
    temporary file is deleted and an older `path` stays as it was. Once the block has ended, the file survives a power
    cut: its content was on the disk before it had its name, and its name is. What a process that was killed left in the
    folder is deleted by the next one that writes there.

    `path`: where the finished file belongs. Yields the path to write to. It does not have to be written by one call,
    but it must exist when the block ends. Raises OSError: the folder cannot be made or written, or the block ended
    without writing the file.
    """
    target = Path(path)
    with _naming(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        _clear(target.parent)
        prefix = f".{target.stem[:64]}{UNFINISHED}"
        handle, name = tempfile.mkstemp(prefix=prefix, suffix=target.suffix, dir=target.parent)
    temporary = Path(name)
    held = _hold(handle)
    try:
        yield temporary
        with _naming(target):
            temporary.chmod(0o666 & ~_UMASK)  # mkstemp makes files that only their owner may read
            flush(temporary)
            temporary.replace(target)
        flush(target.parent)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is None:  # numpy's, where the disk is full
            raise OSError(errno.EIO, f"It cannot be written whole ({error})", os.fspath(target)) from error
        raise
    finally:
        if held:
            os.close(handle)


def _hold(handle: int) -> bool:
    """Lock a file for as long as it is open here, so that others know that somebody lives who writes it; closes what
    cannot be locked, and says whether it could."""
    try:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except (ImportError, OSError):  # Windows, some network drives, or somebody else's
        os.close(handle)
        return False


@lru_cache  # of the folders written to lately
def _clear(folder: Path) -> None:
    """Delete the temporary files whose writers were killed: nobody holds them, nor has touched them lately."""
    for path in folder.glob(f".*{UNFINISHED}*"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime < ABANDONED_S:
                continue  # nor is it locked here, which its writer is about to do
            handle = os.open(path, os.O_RDWR)
            if _hold(handle):
                path.unlink()
                os.close(handle)


@contextmanager
def _naming(target: Path) -> Iterator[None]:
    """Let an OSError name the file that was to be written, not the temporary one, of which nobody knows."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, os.fspath(target)) from error
    except ValueError as error:
        raise OSError(errno.EINVAL, "No file can have this name", ascii(os.fspath(target))[:80]) from error


def is_file(path: str | os.PathLike[str]) -> bool:
    """Whether there is a file of this name; none has a name that no file can have, such as one that is too long."""
    return _is(Path.is_file, path)


def is_dir(path: str | os.PathLike[str]) -> bool:
    """Whether there is a folder of this name, see `is_file`."""
    return _is(Path.is_dir, path)


def exists(path: str | os.PathLike[str]) -> bool:
    """Whether there is anything of this name, see `is_file`."""
    return _is(Path.exists, path)


def _is(ask: Callable[[Path], bool], path: str | os.PathLike[str]) -> bool:
    try:
        return ask(Path(path))
    except (OSError, ValueError):
        return False


def read_bytes(path: str | os.PathLike[str], *, most_bytes: int = LARGEST_TEXT_BYTES) -> bytes:
    """A file's content, which ends whatever the file is.

    Raises OSError: it cannot be read, is larger than `most_bytes`, or no file can have this name.
    """
    try:
        with Path(path).open("rb") as file:
            content = file.read(most_bytes + 1)
    except ValueError:
        raise OSError(errno.EINVAL, "No file can have this name", ascii(os.fspath(path))[:80]) from None
    if len(content) > most_bytes:
        raise OSError(errno.EFBIG, f"Larger than {most_bytes / 2**20:g} MiB", os.fspath(path))
    return content


def read_text(path: str | os.PathLike[str]) -> str:
    """A text in UTF-8. Raises OSError: see `read_bytes`; UnicodeDecodeError: it is none."""
    return read_bytes(path).decode("utf-8-sig")


def text_of(array: Any) -> str:
    """The text that an array of an .npz holds. Raises ValueError: it holds none, or what is no character, which numpy
    would not notice."""
    if getattr(array, "shape", None) != () or array.dtype.kind != "U":
        raise ValueError("it holds something else in place of a text")
    return array.astype(array.dtype.newbyteorder("<")).tobytes().decode("utf-32-le").rstrip("\0")


def flush(path: Path) -> None:
    """Have the content of a file, or the names in a folder, written to the disk. Raises OSError: it is full, or broken.

    Folders cannot be flushed on Windows, nor on some network drives.
    """
    is_folder = path.is_dir()
    if is_folder and sys.platform == "win32":
        return
    opened = os.open(path, os.O_RDONLY if is_folder else os.O_RDWR)
    try:
        os.fsync(opened)
    except OSError as error:
        if not (is_folder and error.errno == errno.EINVAL):
            raise
    finally:
        os.close(opened)


def exchange(one: Path, other: Path) -> bool:
    """Have two folders or files of one disk change places at once; False where the system cannot: all is as it was."""
    import ctypes

    here, exchanging = -100, 2  # Linux' AT_FDCWD, RENAME_EXCHANGE
    try:
        rename = ctypes.CDLL(None).renameat2
    except (OSError, TypeError, AttributeError):  # Windows has no such library, others no such function
        return False
    return sys.platform == "linux" and rename(here, os.fsencode(one), here, os.fsencode(other), exchanging) == 0


def temporary_folder(prefix: str) -> Path:
    """A new folder for temporary files, which goes with the process.

    Those of this prefix that killed processes left behind go now: nobody holds them, nor has touched them lately.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime < ABANDONED_S:
                continue  # nor is it held, which its maker is about to do
            handle = os.open(left, os.O_RDONLY)
            if _hold(handle):
                shutil.rmtree(left, ignore_errors=True)
                os.close(handle)
    folder = Path(tempfile.mkdtemp(prefix=prefix)).resolve()
    with suppress(OSError):  # Windows opens no folders
        _hold(os.open(folder, os.O_RDONLY))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def write_text(path: str | os.PathLike[str], text: str) -> Path:
    """Write `text` as UTF-8 to `path`, whole or not at all, and return the path."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return Path(path)


def cache_folder() -> Path:
    """Where this user's programs keep what they can make again; SYNTH_EXPLORER_CACHE names another folder."""
    return _users_folder(CACHE_VARIABLE, mac="Caches", xdg="XDG_CACHE_HOME", home=".cache")


def data_folder() -> Path:
    """Where this user's programs keep what cannot be made again; SYNTH_EXPLORER_DATA names another folder."""
    return _users_folder(DATA_VARIABLE, mac="Application Support", xdg="XDG_DATA_HOME", home=".local/share")


def _users_folder(variable: str, *, mac: str, xdg: str, home: str) -> Path:
    """The folder that an environment variable names, else the program's own where the system has such folders."""
    if os.environ.get(variable):
        return Path(os.environ[variable])
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / mac
    else:
        try:
            base = Path(os.environ.get(xdg) or Path.home() / home)
        except RuntimeError:  # a user without a home, as containers have
            raise OSError(errno.ENOENT, f"There is no home folder; name another by {variable}") from None
    return base / "synth_explorer"
