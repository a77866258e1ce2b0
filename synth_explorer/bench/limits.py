"""What this machine could do at best: how fast it reads weights and multiplies, measured with the kernel's own loops.

Multiplications are those of the plain sums. In float32 the numba engine gets by with fewer for many notes (for NSynth's
network 74 % with minimal filtering, 64 % with Strassen's products too, see `decode.wavenet.minimal`), so there it may
pass the limit that is stated; nothing that multiplies plainly can.

Shapes: B notes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import njit

from synth_explorer.decode.wavenet import kernel
from synth_explorer.decode.wavenet.group import samples_ahead
from synth_explorer.decode.wavenet.packing import DTYPES, STAGED, PackedStack, aligned
from synth_explorer.decode.wavenet.tiles import PER_STEP
from synth_explorer.decode.wavenet.transforms import filtered
from synth_explorer.model.stack import Stack
from synth_explorer.runtime import cores

INPUTS, BLOCKS, COLUMNS = 512, 8, 24  # of the product that is timed: it fits into a core's own caches


def multiplications(stack: Stack) -> int:
    """Multiplications and additions of one sample of one note in plain sums, counted as two operations each."""
    weights = sum(layer.dilated.size + layer.residual.size + layer.skip.size for layer in stack.layers)
    return 2 * (weights + stack.start.size + stack.skip_start.size + stack.out.size + stack.logits.size)


def bytes_read(packed: PackedStack, notes: int, scheme: str) -> float:
    """Bytes of weights that the numba engine reads for one sample of a group of B notes, on average, in a way.

    Old taps serve several samples; filtered layers take K products at one sample of a pair and one at the other, and
    Strassen's scheme has seven quarters of the weights.
    """
    head = packed.start.weights.nbytes + packed.out.weights.nbytes + packed.logits.weights.nbytes
    total = float(head)
    pairs = [False] * len(packed.layers) if scheme == "plain" else filtered(packed, notes)
    more = 7 / 4 if scheme == "seven" else 1.0
    for layer, paired in zip(packed.layers, pairs, strict=True):
        old = 0 if layer.old is None else layer.old.weights.nbytes
        if paired:
            total += more * (layer.taps + 1) / 2 * layer.gates.weights.nbytes
        else:
            total += layer.gates.weights.nbytes + old / samples_ahead(layer.dilation, notes)
        total += more * layer.sums.weights.nbytes
    return total


def reading_bytes_a_second(size: float) -> float:
    """How fast all cores together read an array of `size` bytes again and again, from wherever it fits."""
    array = aligned(np.zeros(max(1, int(size) // 64) * 8, np.int64))
    parts = np.array_split(array, cores())
    repeats = max(2, int(2e8 / array.nbytes))
    seconds = _together([lambda part=part: _read(part, repeats) for part in parts])
    return array.nbytes * repeats / seconds


def operations_a_second(precision: str) -> float:
    """How many operations all cores together do in products of a precision, from their own caches."""
    kind = DTYPES[precision](0)
    size, steps = kind.itemsize, INPUTS // PER_STEP[precision]
    works = []
    kept = []
    for _ in range(cores()):
        w = aligned(np.zeros(BLOCKS * INPUTS * 16, kind.dtype))
        x = aligned(np.zeros((COLUMNS, INPUTS), STAGED[precision]))
        y, rows = aligned(np.zeros((COLUMNS, BLOCKS * 16), np.float32)), aligned(np.zeros(BLOCKS * 16, np.float32))
        kept.append((w, x, y, rows))
        zeros = rows.ctypes.data
        words = (w.ctypes.data, 16 * INPUTS * size, steps, 0, BLOCKS, x.ctypes.data, 4 * steps, COLUMNS)
        words += (y.ctypes.data, BLOCKS * 64, zeros, zeros, zeros, zeros)
        works.append(lambda words=words: _multiply(kind, 200, words))
    return 200 * 2.0 * BLOCKS * 16 * INPUTS * COLUMNS * len(works) / _together(works)


def _together(works: list[Callable[[], object]]) -> float:
    """Seconds that functions take side by side, the best of three after one to warm up."""
    times = []
    with ThreadPoolExecutor(len(works)) as pool:
        for _ in range(4):
            start = time.perf_counter()
            for job in [pool.submit(work) for work in works]:
                job.result()
            times.append(time.perf_counter() - start)
    return min(times[1:])


@njit(nogil=True, cache=True)
def _read(array, repeats):
    total = 0
    for _ in range(repeats):
        for i in range(len(array)):
            total ^= array[i] + i
    return total


@njit(nogil=True, cache=True)
def _multiply(kind, repeats, words):
    for _ in range(repeats):
        kernel.product(
            kind, words[0], words[1], words[2], words[3], words[4], words[5], words[6], words[7], words[8], words[9],
            words[10], words[11], words[12], words[13], 0,
        )  # fmt: skip
