"""Tiles of the CPU engine's products, for Numba: a few blocks of 16 outputs for a few columns of inputs.

The shapes are those of the processor, see `lanes.WIDE`. Only the 8- and 16-bit products ask for instructions by name:
AVX512-VNNI's, or pmaddwd on 16 bits with AVX2, for which 8-bit weights are widened as they are read (pmaddubsw would
saturate). Elsewhere they are spelt out, with the same integers. Nothing is checked: callers are.

`kind` is a number whose type chooses the weights: float32, int16 (inputs int16) or int8 (inputs int16, or with VNNI
uint8, offset by 128).
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from synth_explorer.decode.wavenet import lanes
from synth_explorer.decode.wavenet.lanes import F32, I8, I16, I32, I64, LANES, MADD, VF, VI, VNNI, WIDE

PER_STEP = {"float32": 1, "int16": 2, "int8": 4 if VNNI else 2}  # inputs that one step of a tile consumes: 4 bytes
STEP_BYTES = {"float32": 64, "int16": 64, "int8": 64 if VNNI else 32}  # of weights, a block and step
COLUMNS, BLOCKS = (8, 2) if WIDE else (6, 1)  # of the tile that many notes take: as many sums as registers hold


def _weights(builder: Any, kind: str, address: Any, offset: Any) -> Any:
    """One step's weights of a block; 8 bits are made 16 where products of 16 are the smallest."""
    if kind == "float32":
        return lanes.load(builder, address, VF, offset)
    if kind == "int8" and VNNI:
        return lanes.load(builder, address, VI, offset)
    small = ir.VectorType(I8 if kind == "int8" else I16, 2 * LANES)
    return builder.sext(lanes.load(builder, address, small, offset), ir.VectorType(I16, 2 * LANES))


def _products(builder: Any, kind: str, total: Any, weights: Any, inputs: Any) -> Any:
    """total + weights * inputs, one step: the inputs' 4 bytes in every lane."""
    if kind == "float32":
        return lanes.muladd(builder, weights, inputs, total)
    if VNNI:
        name = "llvm.x86.avx512.vpdpbusd.512" if kind == "int8" else "llvm.x86.avx512.vpdpwssd.512"
        return lanes.call(builder, name, VI, total, inputs, builder.bitcast(weights, VI))
    inputs = builder.bitcast(inputs, weights.type)
    if MADD:
        halves = []
        for first in (0, LANES):
            places = ir.Constant(VI, [first + i for i in range(LANES)])
            w, x = (builder.shuffle_vector(whole, whole, places) for whole in (weights, inputs))
            halves.append(lanes.call(builder, "llvm.x86.avx2.pmadd.wd", ir.VectorType(I32, LANES // 2), w, x))
        return builder.add(total, builder.shuffle_vector(*halves, ir.Constant(VI, list(range(LANES)))))
    for k in range(2):
        places = ir.Constant(VI, [2 * i + k for i in range(LANES)])
        w, x = (builder.sext(builder.shuffle_vector(whole, whole, places), VI) for whole in (weights, inputs))
        total = builder.add(total, builder.mul(w, x))
    return total


def _write(builder: Any, values: list[tuple[Any, Any, Any]], add: Any) -> None:
    """Store (value, address, offset), or add them to what is there."""
    with builder.if_else(builder.icmp_signed("!=", add, ir.Constant(I64, 0))) as (adding, setting):
        with adding:
            for value, out, row in values:
                lanes.store(builder, builder.fadd(value, lanes.load(builder, out, VF, row)), out, row)
        with setting:
            for value, out, row in values:
                lanes.store(builder, value, out, row)


@intrinsic(prefer_literal=True)
def tile(
    typingctx, kind, w, w_stride, steps, x, x_stride, y, y_stride, bias, scale, init, x_scale, add, fetch, fetch_stride,
    no, nb,
):  # fmt: skip
    """`no` blocks of 16 outputs for `nb` columns: y = [y if add] + bias + scale * x_scale * (init + w x).

    Weights lie as [block][step][16][inputs a step]; `w_stride` is bytes from block to block. Columns of inputs and of y
    are `x_stride` and `y_stride` bytes apart. bias, scale, init: one per output; x_scale: one per column. float32 knows
    bias only. From eight columns on, `no` lines at `fetch` are fetched at each step, `fetch_stride` bytes on each time.
    The sum runs over the inputs in their order whatever the tile, so it does not depend on the batch.
    """
    if not (isinstance(no, types.IntegerLiteral) and isinstance(nb, types.IntegerLiteral)):
        return None
    blocks, columns = no.literal_value, nb.literal_value
    kind_name = str(kind)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _, w, w_stride, steps, x, x_stride, y, y_stride, bias, scale, init, x_scale, add, fetch, fetch_stride, *_ = args
        lane = VF if kind_name == "float32" else VI
        ws = [builder.add(w, builder.mul(w_stride, ir.Constant(I64, o))) for o in range(blocks)]
        xs = [builder.add(x, builder.mul(x_stride, ir.Constant(I64, c))) for c in range(columns)]
        rows = [ir.Constant(I64, 64 * o) for o in range(blocks)]
        if kind_name == "float32":
            start = [lanes.const(0.0)] * (blocks * columns)
        else:
            start = [value for o in range(blocks) for value in [lanes.load(builder, init, VI, rows[o])] * columns]
        step, sums, close = lanes.loop(builder, steps, start)
        w_at, x_at = builder.mul(step, ir.Constant(I64, STEP_BYTES[kind_name])), builder.mul(step, ir.Constant(I64, 4))
        weights = [_weights(builder, kind_name, ws[o], w_at) for o in range(blocks)]
        if columns >= COLUMNS:  # fewer columns read as fast as they can, fetching would only take their place
            lanes.prefetch(builder, builder.add(fetch, builder.mul(step, fetch_stride)), blocks)
        totals = list(sums)
        for c in range(columns):
            inputs = lanes.splat(builder, lanes.load(builder, xs[c], lane.element, x_at))
            for o in range(blocks):
                at = o * columns + c
                totals[at] = _products(builder, kind_name, sums[at], weights[o], inputs)
        totals = close(totals)
        biases = [lanes.load(builder, bias, VF, rows[o]) for o in range(blocks)]
        outs = [builder.add(y, builder.mul(y_stride, ir.Constant(I64, c))) for c in range(columns)]
        scales, factors = [], []
        if kind_name != "float32":
            scales = [lanes.load(builder, scale, VF, rows[o]) for o in range(blocks)]
            factors = [
                lanes.splat(builder, lanes.load(builder, x_scale, F32, ir.Constant(I64, 4 * c))) for c in range(columns)
            ]
        values = []
        for o in range(blocks):
            for c in range(columns):
                value = totals[o * columns + c]
                if kind_name != "float32":
                    value = builder.fmul(builder.sitofp(value, VF), builder.fmul(scales[o], factors[c]))
                values.append((builder.fadd(value, biases[o]), outs[c], rows[o]))
        _write(builder, values, add)
        return context.get_dummy_value()

    signature = types.void(kind, *[types.int64] * 14, types.IntegerLiteral(blocks), types.IntegerLiteral(columns))
    return signature, codegen


@intrinsic
def quad(typingctx, kind, w, steps, x, y, bias, scale, init, x_scale, add):
    """`tile` for one column and four blocks that lie step by step, [step][4][16][inputs a step]: one stream to read."""
    kind_name = str(kind)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _, w, steps, x, y, bias, scale, init, x_scale, add = args
        lane, rows = VF if kind_name == "float32" else VI, [ir.Constant(I64, 64 * o) for o in range(4)]
        start = [lanes.const(0.0) if kind_name == "float32" else lanes.load(builder, init, VI, row) for row in rows]
        step, sums, close = lanes.loop(builder, steps, start)
        size = STEP_BYTES[kind_name]
        w_at, x_at = builder.mul(step, ir.Constant(I64, 4 * size)), builder.mul(step, ir.Constant(I64, 4))
        inputs = lanes.splat(builder, lanes.load(builder, x, lane.element, x_at))
        totals = []
        for o, total in enumerate(sums):
            weights = _weights(builder, kind_name, w, builder.add(w_at, ir.Constant(I64, size * o)))
            totals.append(_products(builder, kind_name, total, weights, inputs))
        values = []
        for row, total in zip(rows, close(totals), strict=True):
            if kind_name != "float32":
                factor = builder.fmul(
                    lanes.load(builder, scale, VF, row), lanes.splat(builder, lanes.load(builder, x_scale, F32))
                )
                total = builder.fmul(builder.sitofp(total, VF), factor)
            values.append((builder.fadd(total, lanes.load(builder, bias, VF, row)), row))
        _write(builder, [(value, y, row) for value, row in values], add)
        return context.get_dummy_value()

    return types.void(kind, *[types.int64] * 9), codegen
