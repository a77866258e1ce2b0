"""Products for the CPU engine: weights in blocks of 16 outputs by columns of inputs, plain and by Strassen's scheme.

Strassen (1969) multiplies matrices of two by two parts in seven products instead of eight; here the parts are halves of
the notes, of the inputs and of the outputs (blocks that alternate, p and q for gates), so every unit of 32 outputs is
whole by itself and a team may share units as it likes.

Shapes: B notes, H half of them, rounded up, N inputs, M outputs. Addresses are plain integers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from synth_explorer.decode.wavenet.lanes import WIDE
from synth_explorer.decode.wavenet.tiles import BLOCKS, COLUMNS, quad, tile
from synth_explorer.decode.wavenet.vectors import mix

STRIPS = ((4, 4), (8, 2), (8, 1)) if WIDE else ((1, 4), (2, 2), (4, 1))  # blocks and columns of the other tiles


def _strip(full: int, columns: int) -> Any:
    """`product` for so few columns, `full` blocks at a time, then half as many, then single ones."""
    half = max(1, full // 2)

    @njit(nogil=True)
    def strip(kind, w, w_stride, steps, count, x, x_stride, y, y_stride, bias, scale, init, xs, add):
        o = 0
        while o < count:
            r, wo = 64 * o, w + o * w_stride
            yo, bo, so, io = y + r, bias + r, scale + r, init + r
            if count - o >= full:
                tile(kind, wo, w_stride, steps, x, x_stride, yo, y_stride, bo, so, io, xs, add, w, 0, full, columns)
                o += full
            elif count - o >= half:
                tile(kind, wo, w_stride, steps, x, x_stride, yo, y_stride, bo, so, io, xs, add, w, 0, half, columns)
                o += half
            else:
                tile(kind, wo, w_stride, steps, x, x_stride, yo, y_stride, bo, so, io, xs, add, w, 0, 1, columns)
                o += 1

    return strip


four, two, one = (_strip(blocks, columns) for blocks, columns in STRIPS)


@njit(nogil=True, cache=True)
def narrow(kind, w, w_stride, steps, count, x, x_stride, columns, y, y_stride, bias, scale, init, x_scale, add):
    """`product` for up to eight blocks and fewer than `COLUMNS` columns."""
    c = 0
    while c < columns:
        xc, yc, sc = x + c * x_stride, y + c * y_stride, x_scale + 4 * c
        if columns - c >= 4:
            four(kind, w, w_stride, steps, count, xc, x_stride, yc, y_stride, bias, scale, init, sc, add)
            c += 4
        elif columns - c >= 2:
            two(kind, w, w_stride, steps, count, xc, x_stride, yc, y_stride, bias, scale, init, sc, add)
            c += 2
        else:
            one(kind, w, w_stride, steps, count, xc, x_stride, yc, y_stride, bias, scale, init, sc, add)
            c += 1


@njit(nogil=True, cache=True)
def quads(kind, w, w_stride, steps, first, last, x, y, bias, scale, init, x_scale, add):
    """`product` for one column and weights in quads of blocks, see `tiles.quad`; first and last are multiples of 4."""
    for b in range(first, last, 4):
        r = 64 * b
        quad(kind, w + b * w_stride, steps, x, y + r, bias + r, scale + r, init + r, x_scale, add)


@njit(nogil=True, cache=True)
def product(kind, w, w_stride, steps, first, last, x, x_stride, columns, y, y_stride, bias, scale, init, x_scale, add):
    """Blocks first..last of 16 outputs for all columns: see `tiles.tile`. Addresses are those of block 0.

    Blocks lie one after another. `COLUMNS` columns at a time take `BLOCKS` blocks; all such groups together fetch the
    blocks that come next, so that memory is read evenly.
    """
    b = first
    groups = columns // COLUMNS
    share = BLOCKS * w_stride // max(1, groups)  # of the next blocks, for a group to fetch
    while b < last:
        count = min(8, last - b)
        o = b
        while groups > 0 and o < b + count:
            r = 64 * o
            wo, bo, so, io = w + o * w_stride, bias + r, scale + r, init + r
            for g in range(groups):
                c = COLUMNS * g
                xc, yo, sc = x + c * x_stride, y + c * y_stride + r, x_scale + 4 * c
                on, go = wo + BLOCKS * w_stride + g * share, share // steps
                if BLOCKS == 1 or b + count - o >= BLOCKS:
                    tile(
                        kind, wo, w_stride, steps, xc, x_stride, yo, y_stride, bo, so, io, sc, add, on, go,
                        BLOCKS, COLUMNS,
                    )  # fmt: skip
                else:
                    tile(kind, wo, w_stride, steps, xc, x_stride, yo, y_stride, bo, so, io, sc, add, on, go, 1, COLUMNS)
            o += BLOCKS
        if columns % COLUMNS > 0:
            c, r = COLUMNS * groups, 64 * b
            narrow(
                kind, w + b * w_stride, w_stride, steps, count, x + c * x_stride, x_stride, columns - c,
                y + c * y_stride + r, y_stride, bias + r, scale + r, init + r, x_scale + 4 * c, add,
            )  # fmt: skip
        b += count


@njit(nogil=True, cache=True)
def series(w, count, blocks, steps, x, columns, y, zeros):
    """`count` products that lie one after another: y [count, columns, 16 blocks] = x [count, columns, steps] w.

    w: [count, blocks, steps, 16], so that weights are read, and fetched ahead, in one stream.
    """
    unit = np.float32(0.0)
    for k in range(count):
        wk, xk, yk = w + 64 * k * blocks * steps, x + 4 * k * columns * steps, y + 64 * k * columns * blocks
        product(
            unit, wk, 64 * steps, steps, 0, blocks, xk, 4 * steps, columns, yk, 64 * blocks, zeros, zeros, zeros,
            zeros, 0,
        )  # fmt: skip


@njit(nogil=True, cache=True)
def spread(upper, lower, vectors, y, stride):
    """Inputs of the seven products: from rows of two notes, each two halves of `vectors` * 16 numbers."""
    upper_end, lower_end = upper + 64 * vectors, lower + 64 * vectors
    mix("++", vectors, y, upper, lower_end)
    mix("++", vectors, y + stride, lower, lower_end)
    mix("+", vectors, y + 2 * stride, upper)
    mix("+", vectors, y + 3 * stride, lower_end)
    mix("++", vectors, y + 4 * stride, upper, upper_end)
    mix("+-", vectors, y + 5 * stride, lower, upper)
    mix("+-", vectors, y + 6 * stride, upper_end, lower_end)


@njit(nogil=True, cache=True)
def gather(m, stride, upper, lower):
    """Outputs of two notes, 16 of p and 16 of q each, from the seven products' 16."""
    m1, m2, m3 = m + stride, m + 2 * stride, m + 3 * stride
    m4, m5, m6 = m + 4 * stride, m + 5 * stride, m + 6 * stride
    mix("++-+", 1, upper, m, m3, m4, m6)
    mix("++", 1, upper + 64, m2, m4)
    mix("++", 1, lower, m1, m3)
    mix("+-++", 1, lower + 64, m, m1, m2, m5)
