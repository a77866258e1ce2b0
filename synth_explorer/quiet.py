"""Importing Keras without the banners of its backend.

TensorFlow says on stderr that it uses oneDNN, twice, before it reads the setting that would silence it. A shell that
prints errors in one line cannot have that, so what the import says is held back, and shown only when it fails. A person
who stops the program meanwhile has no use for it.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_ALONE = threading.RLock()  # stderr is the whole program's


def import_keras() -> None:
    """Import Keras and its backend, if that has not happened yet. Raises what the import raises."""
    if "keras" in sys.modules:
        return
    with held_back():
        try:
            import keras  # noqa: F401
        except ImportError as error:
            if interrupted(error):
                raise KeyboardInterrupt from error
            raise
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # its advice about retracing is for developers


def interrupted(error: BaseException | None) -> bool:
    """Whether a person stopped the program meanwhile, which C code that is being imported tells as an ImportError."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


@contextmanager
def held_back(lines: bytes | None = None) -> Iterator[None]:
    """Hold back what C code writes to stderr; show it after all when the block raises an error.

    `lines`: a pattern of lines that are never shown; all others then are, afterwards, for they may be other threads'.
    """
    with _ALONE:
        try:
            stderr = os.dup(2)
        except OSError:  # a program without stderr, such as pythonw
            yield
            return
        sys.stderr.flush()
        with tempfile.TemporaryFile() as said:
            os.dup2(said.fileno(), 2)
            shown = lines is not None
            try:
                yield
            except Exception:
                shown = True
                raise
            finally:
                os.dup2(stderr, 2)
                if shown:
                    said.seek(0)
                    os.write(stderr, re.sub(lines or b"(?!)", b"", said.read()))
                os.close(stderr)
