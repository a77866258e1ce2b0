"""Products for the CPU engine: weights in blocks of 16 outputs by columns of inputs, plain and by Strassen's scheme.

Strassen (1969) multiplies matrices of two by two parts in seven products instead of eight; here the parts are halves of
the notes, of the inputs and of the outputs (blocks that alternate, p and q for gates), so every unit of 32 outputs is
whole by itself and a team may share units as it likes.

Shapes: B notes, H half of them, rounded up, N inputs, M outputs. Addresses are plain integers.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from synth_explorer.decode.wavenet.tiles import quad, tile
from synth_explorer.decode.wavenet.vectors import mix


@njit(nogil=True, cache=True)
def narrow(kind, w, w_stride, steps, count, x, x_stride, columns, y, y_stride, bias, scale, init, x_scale, add):
    """`product` for up to eight blocks and fewer than eight columns."""
    c = 0
    while c < columns:
        left = columns - c
        xc, yc, sc = x + c * x_stride, y + c * y_stride, x_scale + 4 * c
        width = 4 if left >= 4 else 2 if left >= 2 else 1
        o = 0
        while o < count:
            rest, r = count - o, 64 * o
            wo, yo, bo, so, io = w + o * w_stride, yc + r, bias + r, scale + r, init + r
            if width == 4:
                if rest >= 4:
                    on, go = wo + 4 * w_stride, 256
                    tile(kind, wo, w_stride, steps, xc, x_stride, yo, y_stride, bo, so, io, sc, add, on, go, 4, 4, 1)
                    o += 4
                elif rest >= 2:
                    on, go = wo + 2 * w_stride, 128
                    tile(kind, wo, w_stride, steps, xc, x_stride, yo, y_stride, bo, so, io, sc, add, on, go, 2, 4, 1)
                    o += 2
                else:
                    on, go = wo + w_stride, 64
                    tile(kind, wo, w_stride, steps, xc, x_stride, yo, y_stride, bo, so, io, sc, add, on, go, 1, 4, 1)
                    o += 1
            elif width == 2:
                if rest >= 8:
                    on, go = wo + 8 * w_stride, 512
                    tile(kind, wo, w_stride, steps, xc, x_stride, yo, y_stride, bo, so, io, sc, add, on, go, 8, 2, 1)
                    o += 8
                elif rest >= 4:
                    on, go = wo + 4 * w_stride, 256
                    tile(kind, wo, w_stride, steps, xc, x_stride, yo, y_stride, bo, so, io, sc, add, on, go, 4, 2, 1)
                    o += 4
                else:
                    on, go = wo + w_stride, 64
                    tile(kind, wo, w_stride, steps, xc, x_stride, yo, y_stride, bo, so, io, sc, add, on, go, 1, 2, 1)
                    o += 1
            else:
                if rest >= 8:
                    on, go = wo + 8 * w_stride, 512
                    tile(kind, wo, w_stride, steps, xc, x_stride, yo, y_stride, bo, so, io, sc, add, on, go, 8, 1, 1)
                    o += 8
                elif rest >= 4:
                    on, go = wo + 4 * w_stride, 256
                    tile(kind, wo, w_stride, steps, xc, x_stride, yo, y_stride, bo, so, io, sc, add, on, go, 4, 1, 1)
                    o += 4
                elif rest >= 2:
                    on, go = wo + 2 * w_stride, 128
                    tile(kind, wo, w_stride, steps, xc, x_stride, yo, y_stride, bo, so, io, sc, add, on, go, 2, 1, 1)
                    o += 2
                else:
                    on, go = wo + w_stride, 64
                    tile(kind, wo, w_stride, steps, xc, x_stride, yo, y_stride, bo, so, io, sc, add, on, go, 1, 1, 1)
                    o += 1
        c += width


@njit(nogil=True, cache=True)
def quads(kind, w, steps, first, last, x, y, bias, scale, init, x_scale, add):
    """`product` for one column and weights in quads of blocks, see `tiles.quad`; first and last are multiples of 4."""
    for b in range(first, last, 4):
        r = 64 * b
        quad(kind, w + r * steps, steps, x, y + r, bias + r, scale + r, init + r, x_scale, add)


@njit(nogil=True, cache=True)
def product(kind, w, w_stride, steps, first, last, x, x_stride, columns, y, y_stride, bias, scale, init, x_scale, add):
    """Blocks first..last of 16 outputs for all columns: see `tiles.tile`. Addresses are those of block 0.

    Blocks lie one after another. Eight columns at a time take two blocks; all such groups together fetch the two blocks
    that come next, so that memory is read evenly.
    """
    b = first
    groups = columns // 8
    while b < last:
        count = min(8, last - b)
        o = b
        while groups > 0 and o < b + count:
            r = 64 * o
            two = b + count - o >= 2
            wo, bo, so, io = w + o * w_stride, bias + r, scale + r, init + r
            go = 128 // groups
            for g in range(groups):
                xc, yo, sc = x + 8 * g * x_stride, y + 8 * g * y_stride + r, x_scale + 32 * g
                on = wo + 2 * w_stride + g * go * steps
                if two:
                    tile(kind, wo, w_stride, steps, xc, x_stride, yo, y_stride, bo, so, io, sc, add, on, go, 2, 8, 1)
                else:
                    tile(kind, wo, w_stride, steps, xc, x_stride, yo, y_stride, bo, so, io, sc, add, on, go, 1, 8, 1)
            o += 2
        if columns % 8 > 0:
            c, r = 8 * groups, 64 * b
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
    groups, rest, row = columns // 8, columns % 8, 4 * steps
    share = 128 // max(1, groups)
    for k in range(count):
        wk, xk, yk = w + 64 * k * blocks * steps, x + k * columns * row, y + 64 * k * columns * blocks
        for o in range(0, blocks, 2):
            two, yo = wk + 64 * o * steps, yk + 64 * o
            for g in range(groups):
                tile(
                    unit, two, 64 * steps, steps, xk + 8 * g * row, row, yo + 512 * g * blocks, 64 * blocks, zeros,
                    zeros, zeros, zeros, 0, two + (128 + g * share) * steps, share, 2, 8, 1,
                )  # fmt: skip
        if rest > 0:
            xk, yk = xk + 8 * groups * row, yk + 512 * groups * blocks
            product(
                unit, wk, 64 * steps, steps, 0, blocks, xk, row, rest, yk, 64 * blocks, zeros, zeros, zeros, zeros, 0
            )


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
