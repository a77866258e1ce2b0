"""Two threads for the rows of a matrix.

OpenBLAS has threads of its own, but they spin while they wait, which costs more than it gains where products are small
and other things are done between them. It is told to use one, by the environment (see `synth_explorer`) and, where
numpy was imported before, by `calm`; rows are shared out here, in two parts on every machine, so that the sums are the
same.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache

from synth_explorer.runtime import Helpers

_POOL = Helpers(2, thread_name_prefix="halves")  # nothing that runs in it waits for it
LEAST_ROWS = 32
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
KEPT_BYTES = 32 << 20


def in_halves(work: Callable[[slice], object], rows: int, *, least: int = LEAST_ROWS) -> None:
    """Do some work on so many rows, each half in a thread of its own; fewer than `least` at once."""
    if rows < least:
        work(slice(0, rows))
        return
    second = _POOL.submit(work, slice(rows // 2, rows))
    try:
        work(slice(0, rows // 2))
    finally:
        second.result()


@cache
def calm() -> None:
    """Let the process' BLAS use one thread a call, from now on, and glibc keep the memory of arrays that are done with:
    otherwise it goes back to the system and is cleared anew, page by page, for the next ones, a sixth of the time."""
    import ctypes

    from threadpoolctl import ThreadpoolController

    ThreadpoolController().limit(limits=1, user_api="blas")
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        for parameter in (M_MMAP_THRESHOLD, M_TRIM_THRESHOLD):
            libc.mallopt(parameter, KEPT_BYTES)
