"""Two threads for the rows of a matrix.

OpenBLAS has threads of its own, but they spin while they wait, which costs more than it gains where products are small
and other things are done between them. It is told to use one, by the environment (see `synth_explorer`) and, where
numpy was imported before, by `calm`; rows are shared out here, in two parts on every machine, so that the sums are the
same.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from synth_explorer.runtime import Helpers

_POOL = Helpers(2, thread_name_prefix="halves")  # nothing that runs in it waits for it
LEAST_ROWS = 32


def in_halves(work: Callable[[slice], object], rows: int) -> None:
    """Do some work on so many rows, each half in a thread of its own; few rows at once."""
    if rows < LEAST_ROWS:
        work(slice(0, rows))
        return
    second = _POOL.submit(work, slice(rows // 2, rows))
    try:
        work(slice(0, rows // 2))
    finally:
        second.result()


@cache
def calm() -> None:
    """Let the process' BLAS use one thread a call, from now on."""
    from threadpoolctl import ThreadpoolController

    ThreadpoolController().limit(limits=1, user_api="blas")
