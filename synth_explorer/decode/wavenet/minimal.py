"""The layers' products with fewer multiplications, for groups of many notes: loops for the weights of `transforms`.

A layer of d with three taps takes three products at d samples and one at the next d, and so on: 4 for 2 samples instead
of 6 (3 instead of 4 for two taps); Strassen's scheme takes an eighth off every product, residual and skip included.

Shapes: B notes, H half of them, rounded up, W width, S skip width, K taps. Scratch of a member: `x` holds inputs
[K, B, W] or [7 K, H, W / 2], `y` products [K, B, 64] or [7 K, H, 32] of a panel, and `rows` a few rows.
"""

from __future__ import annotations

from numba import njit

from synth_explorer.decode.wavenet.products import gather, series, spread
from synth_explorer.decode.wavenet.vectors import gate, gate_of_two, mix

UNITS = 2  # a panel's: 32 outputs each, one block of 16 of p and one of q


@njit(nogil=True, cache=True)
def terms(count, single, vectors, oldest, middle, newest, y, stride):
    """What the products of a sample take, for one note: rows of `vectors` * 16 numbers."""
    if single:
        mix("+-", vectors, y, newest, oldest)  # so that its product is added to what was kept
        return
    mix("+-", vectors, y, oldest, newest)
    if count == 2:
        mix("+", vectors, y + stride, newest)
    else:
        mix("++", vectors, y + stride, middle, newest)
        mix("+-", vectors, y + 2 * stride, newest, middle)


@njit(nogil=True, cache=True)
def gates_of_pairs(
    w, single, taps, seven, notes, width, oldest, middle, newest, newest_stride, kept, condition, condition_stride,
    gated, x, y, rows, zeros, first, last,
):  # fmt: skip
    """Gates of a layer for panels first..last of `UNITS` units: gated [B, W], and kept [W / 32, B, 64] of the pair.

    w: of the pair's first or, if `single`, second sample. oldest, middle: [B, W] of the samples 2 d and d ago (d ago,
    and any, for two taps); newest: [B, W] with `newest_stride` bytes from note to note.
    """
    row, vectors, count, half = 4 * width, width // 16, 1 if single else taps, (notes + 1) // 2
    if seven:
        for n in range(half):
            m = n + half
            at, other = newest + n * newest_stride, newest + m * newest_stride
            terms(taps, single, vectors, oldest + n * row, middle + n * row, at, rows, 2 * row)
            if m < notes:
                terms(taps, single, vectors, oldest + m * row, middle + m * row, other, rows + row, 2 * row)
            else:
                terms(taps, single, vectors, zeros, zeros, zeros, rows + row, 2 * row)
            for k in range(count):
                upper = rows + 2 * k * row
                spread(upper, upper + row, vectors // 2, x + (7 * k * half + n) * (row // 2), half * (row // 2))
        columns, products, blocks, steps = half, 7 * count, UNITS, width // 2
    else:
        for n in range(notes):
            at = newest + n * newest_stride
            terms(taps, single, vectors, oldest + n * row, middle + n * row, at, x + n * row, notes * row)
        columns, products, blocks, steps = notes, count, 2 * UNITS, width
    wide, part = 128 * UNITS, products // count * columns * blocks * 64
    for v in range(first, last):
        wv = w + 64 * v * products * blocks * steps
        if not seven and not single and taps == 2:
            series(wv, 1, blocks, steps, x, columns, y, zeros)
            series(wv + 64 * blocks * steps, 1, blocks, steps, x + notes * row, columns, kept + part * v, zeros)
        else:
            series(wv, products, blocks, steps, x, columns, y, zeros)
            if not single and taps == 2:
                mix("++", part // 64, y, y, y + part)
            elif not single:
                later = y + part if seven else kept + part * v
                mix("+++", part // 64, y, y, y + part, y + 2 * part)
                mix("+-", part // 64, later, y + part, y + 2 * part)
        if seven:
            for n in range(half):
                for u in range(UNITS):
                    m, at = n + half, wide * v + 128 * u
                    alone = m >= notes
                    later = kept + wide * (notes * v + n) + 128 * u
                    later_other = later + wide * half
                    products_at = y + 64 * (UNITS * n + u)
                    gather(products_at, 64 * UNITS * half, rows, rows + 128)
                    if single:
                        mix("++", 2, rows, later, rows)
                    else:
                        spare = rows + 256 if alone else later_other
                        gather(products_at + part, 64 * UNITS * half, later, spare)
                    gate(rows, condition + n * condition_stride + at, gated + n * row + at // 2)
                    if not alone:
                        if single:
                            mix("++", 2, rows + 128, later_other, rows + 128)
                        gate(rows + 128, condition + m * condition_stride + at, gated + m * row + at // 2)
        else:
            for n in range(notes):
                for u in range(UNITS):
                    here, at = wide * n + 128 * u, wide * v + 128 * u
                    rest = kept + part * v + here if single or taps == 2 else zeros
                    gate_of_two(y + here, rest, condition + n * condition_stride + at, gated + n * row + at // 2)


@njit(nogil=True, cache=True)
def sums_by_seven(w, bias, notes, width, gated, stream, stream_stride, x, y, rows, zeros, first, last):
    """stream [B, W + S] += bias + gated [B, W] w, panels first..last of 64 outputs, by Strassen's scheme."""
    row, vectors, half = 4 * width, width // 16, (notes + 1) // 2
    for n in range(half):
        lower = gated + (n + half) * row if n + half < notes else zeros
        spread(gated + n * row, lower, vectors // 2, x + n * (row // 2), half * (row // 2))
    for v in range(first, last):
        series(w + v * 7 * UNITS * 32 * width, 7, UNITS, width // 2, x, half, y, zeros)
        for n in range(half):
            for u in range(UNITS):
                at = 128 * (UNITS * v + u)
                gather(y + 64 * (UNITS * n + u), 64 * UNITS * half, rows, rows + 128)
                out, other = stream + n * stream_stride + at, stream + (n + half) * stream_stride + at
                mix("+++", 2, out, out, bias + at, rows)
                if n + half < notes:
                    mix("+++", 2, other, other, bias + at, rows + 128)
