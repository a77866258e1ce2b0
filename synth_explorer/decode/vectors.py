"""Vector instructions for Numba: the inner loops of the CPU engine, written as LLVM code on 16 lanes.

LLVM lowers the 16 lanes to whatever the processor has, so this is portable; only the 8- and 16-bit products ask for
AVX512-VNNI by name where the processor has it, and are spelt out, with the same integers, where it has not. Memory is
addressed by plain integers (an array's `ctypes.data`), so that calls pass few words. Nothing is checked: callers are.

`kind` is a number whose type chooses the weights: float32, int16 (inputs int16) or int8 (inputs uint8, offset by 128).
"""

from __future__ import annotations

import sys
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 16
LOG2_E = 1.4426950408889634
PER_STEP = {"float32": 1, "int16": 2, "int8": 4}  # inputs that one step of a tile consumes
MOST = {"int16": 4095, "int8": 127}  # the largest magnitude of an activation
F32, I8, I16, I32, I64 = ir.FloatType(), ir.IntType(8), ir.IntType(16), ir.IntType(32), ir.IntType(64)
VF, VI = ir.VectorType(F32, LANES), ir.VectorType(I32, LANES)
X86 = llvm.get_process_triple().startswith(("x86_64", "i686", "amd64"))
VNNI = X86 and bool(llvm.get_host_cpu_features().get("avx512vnni"))


def _at(builder: Any, address: Any, element: Any, offset_bytes: Any = None) -> Any:
    """A pointer to `element` at an integer address."""
    if offset_bytes is not None:
        address = builder.add(address, offset_bytes)
    return builder.inttoptr(address, element.as_pointer())


def _load(builder: Any, address: Any, element: Any, offset_bytes: Any = None, *, align: int = 4) -> Any:
    return builder.load(_at(builder, address, element, offset_bytes), align=align)


def _store(builder: Any, value: Any, address: Any, offset_bytes: Any = None, *, align: int = 4) -> None:
    builder.store(value, _at(builder, address, value.type, offset_bytes), align=align)


def _splat(builder: Any, scalar: Any, lanes: int = LANES) -> Any:
    vector = ir.VectorType(scalar.type, lanes)
    one = builder.insert_element(ir.Constant(vector, ir.Undefined), scalar, ir.Constant(I32, 0))
    zeros = ir.Constant(ir.VectorType(I32, lanes), [0] * lanes)
    return builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), zeros)


def _const(value: float) -> Any:
    return ir.Constant(VF, [value] * LANES)


def _call(builder: Any, name: str, kind: Any, *args: Any) -> Any:
    """A call of an LLVM function on values of its own types."""
    function = ir.FunctionType(kind, [a.type for a in args])
    declared = builder.module.globals.get(name) or ir.Function(builder.module, function, name)
    return builder.call(declared, args)


def _muladd(builder: Any, a: Any, b: Any, c: Any) -> Any:
    """a b + c, fused where the processor can."""
    return builder.fadd(builder.fmul(a, b, flags=("contract",)), c, flags=("contract",))


def _loop(builder: Any, count: Any, values: list[Any]) -> tuple[Any, list[Any], Any]:
    """Open `for i in range(count)` carrying `values`; returns i, the carried values and a function that closes it."""
    before = builder.block
    body, after = builder.append_basic_block("body"), builder.append_basic_block("after")
    builder.cbranch(builder.icmp_signed(">", count, ir.Constant(I64, 0)), body, after)
    builder.position_at_end(body)
    index = builder.phi(I64)
    index.add_incoming(ir.Constant(I64, 0), before)
    carried = []
    for value in values:
        phi = builder.phi(value.type)
        phi.add_incoming(value, before)
        carried.append(phi)

    def close(results: list[Any]) -> list[Any]:
        following = builder.add(index, ir.Constant(I64, 1))
        end = builder.block
        index.add_incoming(following, end)
        for phi, result in zip(carried, results, strict=True):
            phi.add_incoming(result, end)
        builder.cbranch(builder.icmp_signed("<", following, count), body, after)
        builder.position_at_end(after)
        out = []
        for value, result in zip(values, results, strict=True):
            phi = builder.phi(value.type)
            phi.add_incoming(value, before)
            phi.add_incoming(result, end)
            out.append(phi)
        return out

    return index, carried, close


def _prefetch(builder: Any, address: Any, lines: int) -> None:
    """Ask for `lines` cache lines that will be wanted next."""
    name = "llvm.prefetch.p0"
    function = ir.FunctionType(ir.VoidType(), [I8.as_pointer(), I32, I32, I32])
    declared = builder.module.globals.get(name) or ir.Function(builder.module, function, name)
    read, near, data = ir.Constant(I32, 0), ir.Constant(I32, 2), ir.Constant(I32, 1)
    for line in range(lines):
        builder.call(declared, [_at(builder, address, I8, ir.Constant(I64, 64 * line)), read, near, data])


def _products(builder: Any, kind: str, total: Any, weights: Any, inputs: Any, *, fast: bool) -> Any:
    """total + weights * inputs, one step: weights of 64 bytes, the inputs' 4 bytes in every lane."""
    if kind == "float32":
        return _muladd(builder, weights, inputs, total)
    if fast and VNNI and kind == "int8":
        return _call(builder, "llvm.x86.avx512.vpdpbusd.512", VI, total, inputs, weights)
    if fast and VNNI:
        return _call(builder, "llvm.x86.avx512.vpdpwssd.512", VI, total, inputs, weights)
    count = PER_STEP[kind]
    small = ir.VectorType(I8 if kind == "int8" else I16, LANES * count)
    weights, inputs = builder.bitcast(weights, small), builder.bitcast(inputs, small)
    for k in range(count):
        lanes = ir.Constant(VI, [count * i + k for i in range(LANES)])
        w = builder.sext(builder.shuffle_vector(weights, weights, lanes), VI)
        x = builder.shuffle_vector(inputs, inputs, lanes)
        x = builder.zext(x, VI) if kind == "int8" else builder.sext(x, VI)
        total = builder.add(total, builder.mul(w, x))
    return total


def _write(builder: Any, values: list[tuple[Any, Any, Any]], add: Any) -> None:
    """Store (value, address, offset), or add them to what is there."""
    with builder.if_else(builder.icmp_signed("!=", add, ir.Constant(I64, 0))) as (adding, setting):
        with adding:
            for value, out, row in values:
                _store(builder, builder.fadd(value, _load(builder, out, VF, row)), out, row)
        with setting:
            for value, out, row in values:
                _store(builder, value, out, row)


@intrinsic(prefer_literal=True)
def tile(
    typingctx, kind, w, w_stride, steps, x, x_stride, y, y_stride, bias, scale, init, x_scale, add, fetch, fetch_stride,
    no, nb, fast,
):  # fmt: skip
    """`no` blocks of 16 outputs for `nb` columns: y = [y if add] + bias + scale * x_scale * (init + w x).

    Weights lie as [block][step][16][inputs a step]; `w_stride` is bytes from block to block. Columns of inputs and of y
    are `x_stride` and `y_stride` bytes apart. bias, scale, init: one per output; x_scale: one per column. float32 knows
    bias only. From eight columns on, `no` lines at `fetch` are fetched at each step, `fetch_stride` bytes on each time.
    The sum runs over the inputs in their order whatever the tile, so it does not depend on the batch.
    """
    if not (isinstance(no, types.IntegerLiteral) and isinstance(nb, types.IntegerLiteral)):
        return None
    blocks, columns, quick = no.literal_value, nb.literal_value, bool(fast.literal_value)
    kind_name = str(kind)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _, w, w_stride, steps, x, x_stride, y, y_stride, bias, scale, init, x_scale, add, fetch, fetch_stride, *_ = args
        lane = VF if kind_name == "float32" else VI
        ws = [builder.add(w, builder.mul(w_stride, ir.Constant(I64, o))) for o in range(blocks)]
        xs = [builder.add(x, builder.mul(x_stride, ir.Constant(I64, c))) for c in range(columns)]
        rows = [ir.Constant(I64, 64 * o) for o in range(blocks)]
        if kind_name == "float32":
            start = [_const(0.0)] * (blocks * columns)
        else:
            start = [value for o in range(blocks) for value in [_load(builder, init, VI, rows[o])] * columns]
        step, sums, close = _loop(builder, steps, start)
        w_at, x_at = builder.mul(step, ir.Constant(I64, 64)), builder.mul(step, ir.Constant(I64, 4))
        weights = [_load(builder, ws[o], lane, w_at) for o in range(blocks)]
        if columns >= 8:  # fewer columns read as fast as they can, fetching would only take their place
            _prefetch(builder, builder.add(fetch, builder.mul(step, fetch_stride)), blocks)
        totals = list(sums)
        for c in range(columns):
            inputs = _splat(builder, _load(builder, xs[c], lane.element, x_at))
            for o in range(blocks):
                at = o * columns + c
                totals[at] = _products(builder, kind_name, sums[at], weights[o], inputs, fast=quick)
        totals = close(totals)
        biases = [_load(builder, bias, VF, rows[o]) for o in range(blocks)]
        outs = [builder.add(y, builder.mul(y_stride, ir.Constant(I64, c))) for c in range(columns)]
        if kind_name != "float32":
            scales = [_load(builder, scale, VF, rows[o]) for o in range(blocks)]
            factors = [_splat(builder, _load(builder, x_scale, F32, ir.Constant(I64, 4 * c))) for c in range(columns)]
        values = []
        for o in range(blocks):
            for c in range(columns):
                value = totals[o * columns + c]
                if kind_name != "float32":
                    value = builder.fmul(builder.sitofp(value, VF), builder.fmul(scales[o], factors[c]))
                values.append((builder.fadd(value, biases[o]), outs[c], rows[o]))
        _write(builder, values, add)
        return context.get_dummy_value()

    signature = types.void(kind, *[types.int64] * 14, types.IntegerLiteral(blocks), types.IntegerLiteral(columns), fast)
    return signature, codegen


def _exp(builder: Any, x: Any) -> Any:
    """exp of x clamped to [-87, 87], as Cephes' expf: relative error below 2e-7."""
    low = builder.fcmp_ordered("<", x, _const(-87.0))
    x = builder.select(low, _const(-87.0), x)
    high = builder.fcmp_ordered(">", x, _const(87.0))
    x = builder.select(high, _const(87.0), x)
    n = _call(builder, f"llvm.rint.v{LANES}f32", VF, builder.fmul(x, _const(LOG2_E)))
    r = _muladd(builder, n, _const(-0.693359375), x)
    r = _muladd(builder, n, _const(2.12194440e-4), r)
    p = _const(1.9875691500e-4)
    for c in (1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1):
        p = _muladd(builder, p, r, _const(c))
    p = _muladd(builder, p, builder.fmul(r, r), builder.fadd(r, _const(1.0)))
    exponent = builder.add(builder.fptosi(n, VI), ir.Constant(VI, [127] * LANES))
    return builder.fmul(p, builder.bitcast(builder.shl(exponent, ir.Constant(VI, [23] * LANES)), VF))


def _exp2(builder: Any, x: Any) -> Any:
    """2 to the power of x clamped to [-62, 62]: relative error below 2e-7.

    The polynomial is the best of its degree on [-0.5, 0.5] that is 1 at 0.
    """
    x = builder.select(builder.fcmp_ordered("<", x, _const(-62.0)), _const(-62.0), x)
    x = builder.select(builder.fcmp_ordered(">", x, _const(62.0)), _const(62.0), x)
    whole = _call(builder, f"llvm.rint.v{LANES}f32", VF, x)
    part = builder.fsub(x, whole)
    value = _const(0.001326472731307149)
    for c in (0.009671512991189957, 0.05550733581185341, 0.24022242426872253, 0.6931470036506653, 1.0):
        value = _muladd(builder, value, part, _const(c))
    raised = builder.shl(builder.fptosi(whole, VI), ir.Constant(VI, [23] * LANES))
    return builder.bitcast(builder.add(builder.bitcast(value, VI), raised), VF)


@intrinsic
def gate(typingctx, y, condition, g):
    """g = sigmoid(p) tanh(q) for 16 p and 16 q at y, after adding `condition`; absolute error below 3e-7.

    One division: (1 - e^-2q) / ((1 + e^-p) (1 + e^-2q)).
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        y, condition, g = args
        half = ir.Constant(I64, 64)
        p = builder.fadd(_load(builder, y, VF), _load(builder, condition, VF))
        q = builder.fadd(_load(builder, y, VF, half), _load(builder, condition, VF, half))
        a = _exp2(builder, builder.fmul(p, _const(-LOG2_E)))
        b = _exp2(builder, builder.fmul(q, _const(-2.0 * LOG2_E)))
        one = _const(1.0)
        below = builder.fmul(builder.fadd(one, a), builder.fadd(one, b))
        _store(builder, builder.fdiv(builder.fsub(one, b), below), g)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), codegen


@intrinsic
def rectify(typingctx, y, condition):
    """y = max(y + condition, 0) for 16 numbers."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        y, condition = args
        value = builder.fadd(_load(builder, y, VF), _load(builder, condition, VF))
        _store(builder, builder.select(builder.fcmp_ordered(">", value, _const(0.0)), value, _const(0.0)), y)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), codegen


@intrinsic
def weigh(typingctx, logits, top, slope, blocks, out):
    """out = exp((logits - top) * slope), float32, for `blocks` * 16 logits."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        logits, top, slope, blocks, out = args
        top, slope = _splat(builder, top), _splat(builder, slope)
        block, _, close = _loop(builder, blocks, [])
        at = builder.mul(block, ir.Constant(I64, 64))
        value = builder.fmul(builder.fsub(_load(builder, logits, VF, at), top), slope)
        _store(builder, _exp(builder, value), out, at)
        close([])
        return context.get_dummy_value()

    return types.void(types.int64, types.float32, types.float32, types.int64, types.int64), codegen


@intrinsic
def stage(typingctx, kind, x, blocks, out):
    """Make `blocks` * 16 float32 activations ready for a tile; returns their scale.

    float32: copied, scale 1. int16, int8: rounded to multiples of the largest magnitude / `MOST`.
    """
    kind_name = str(kind)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _, x, blocks, out = args
        if kind_name == "float32":
            block, _, close = _loop(builder, blocks, [])
            at = builder.mul(block, ir.Constant(I64, 64))
            _store(builder, _load(builder, x, VF, at), out, at)
            close([])
            return ir.Constant(F32, 1.0)
        block, (largest,), close = _loop(builder, blocks, [_const(0.0)])
        value = _load(builder, x, VF, builder.mul(block, ir.Constant(I64, 64)))
        value = _call(builder, f"llvm.fabs.v{LANES}f32", VF, value)
        larger = builder.select(builder.fcmp_ordered(">", value, largest), value, largest)
        (largest,) = close([larger])
        top = _call(builder, f"llvm.vector.reduce.fmax.v{LANES}f32", F32, largest)
        top = builder.select(builder.fcmp_ordered(">", top, ir.Constant(F32, 1e-30)), top, ir.Constant(F32, 1e-30))
        most = ir.Constant(F32, float(MOST[kind_name]))
        slope = _splat(builder, builder.fdiv(most, top))
        size = 1 if kind_name == "int8" else 2
        block, _, close = _loop(builder, blocks, [])
        value = _load(builder, x, VF, builder.mul(block, ir.Constant(I64, 64)))
        value = builder.fptosi(_call(builder, f"llvm.rint.v{LANES}f32", VF, builder.fmul(value, slope)), VI)
        if kind_name == "int8":
            value = builder.add(value, ir.Constant(VI, [128] * LANES))
        value = builder.trunc(value, ir.VectorType(ir.IntType(8 * size), LANES))
        _store(builder, value, out, builder.mul(block, ir.Constant(I64, LANES * size)), align=1)
        close([])
        return builder.fdiv(top, most)

    return types.float32(kind, types.int64, types.int64, types.int64), codegen


@intrinsic
def quad(typingctx, kind, w, steps, x, y, bias, scale, init, x_scale, add):
    """`tile` for four blocks that lie step by step, [step][4][16][inputs a step], and one column: one stream to read."""
    kind_name = str(kind)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _, w, steps, x, y, bias, scale, init, x_scale, add = args
        lane, rows = VF if kind_name == "float32" else VI, [ir.Constant(I64, 64 * o) for o in range(4)]
        start = [_const(0.0) if kind_name == "float32" else _load(builder, init, VI, row) for row in rows]
        step, sums, close = _loop(builder, steps, start)
        w_at, x_at = builder.mul(step, ir.Constant(I64, 256)), builder.mul(step, ir.Constant(I64, 4))
        inputs = _splat(builder, _load(builder, x, lane.element, x_at))
        totals = []
        for row, total in zip(rows, sums, strict=True):
            weights = _load(builder, w, lane, builder.add(w_at, row))
            totals.append(_products(builder, kind_name, total, weights, inputs, fast=True))
        values = []
        for row, total in zip(rows, close(totals), strict=True):
            if kind_name != "float32":
                factor = builder.fmul(_load(builder, scale, VF, row), _splat(builder, _load(builder, x_scale, F32)))
                total = builder.fmul(builder.sitofp(total, VF), factor)
            values.append((builder.fadd(total, _load(builder, bias, VF, row)), row))
        _write(builder, [(value, y, row) for value, row in values], add)
        return context.get_dummy_value()

    return types.void(kind, *[types.int64] * 9), codegen


@intrinsic(prefer_literal=True)
def mix(typingctx, signs, vectors, y, *sources):
    """y = the sum of `sources`, each with its sign of `signs` ("+-"), for `vectors` * 16 float32; y may be a source."""
    if not isinstance(signs, types.StringLiteral):
        return None
    letters = signs.literal_value

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _, vectors, y, given = args
        addresses = cgutils.unpack_tuple(builder, given, len(letters))
        block, _, close = _loop(builder, vectors, [])
        at = builder.mul(block, ir.Constant(I64, 64))
        total = None
        for sign, address in zip(letters, addresses, strict=True):
            value = _load(builder, address, VF, at)
            if total is None:
                total = builder.fneg(value) if sign == "-" else value
            else:
                total = builder.fsub(total, value) if sign == "-" else builder.fadd(total, value)
        _store(builder, total, y, at)
        close([])
        return context.get_dummy_value()

    rest = types.StarArgTuple([types.int64] * len(letters))
    return types.void(signs, types.int64, types.int64, rest), codegen


@intrinsic
def move(typingctx, source, target, count):
    """Copy `count` bytes."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        source, target, count = args
        pointers = [_at(builder, target, I8), _at(builder, source, I8)]
        name = "llvm.memcpy.p0.p0.i64"
        function = ir.FunctionType(ir.VoidType(), [I8.as_pointer(), I8.as_pointer(), I64, ir.IntType(1)])
        declared = builder.module.globals.get(name) or ir.Function(builder.module, function, name)
        builder.call(declared, [*pointers, count, ir.Constant(ir.IntType(1), 0)])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), codegen


@intrinsic
def copy(typingctx, source, target, vectors):
    """Copy `vectors` * 16 float32, which is less work than the call that `move` is."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        source, target, vectors = args
        block, _, close = _loop(builder, vectors, [])
        at = builder.mul(block, ir.Constant(I64, 64))
        _store(builder, _load(builder, source, VF, at), target, at)
        close([])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), codegen


@intrinsic
def largest(typingctx, x, vectors):
    """The largest of `vectors` * 16 float32, at least one vector."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        x, vectors = args
        block, (most,), close = _loop(builder, vectors, [_load(builder, x, VF)])
        value = _load(builder, x, VF, builder.mul(block, ir.Constant(I64, 64)))
        (most,) = close([builder.select(builder.fcmp_ordered(">", value, most), value, most)])
        return _call(builder, f"llvm.vector.reduce.fmax.v{LANES}f32", F32, most)

    return types.float32(types.int64, types.int64), codegen


@intrinsic
def expect(typingctx, address, lines):
    """Ask for so many cache lines, which will be wanted soon."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        address, lines = args
        line, _, close = _loop(builder, lines, [])
        _prefetch(builder, builder.add(address, builder.mul(line, ir.Constant(I64, 64))), 1)
        close([])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), codegen


@intrinsic
def put(typingctx, address, value):
    """Write a float32 at an address."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _store(builder, args[1], args[0])
        return context.get_dummy_value()

    return types.void(types.int64, types.float32), codegen


@intrinsic
def arrive(typingctx, counter):
    """Add one to the int64 at an address, as one step for all threads; returns what was there."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.atomic_rmw("add", _at(builder, args[0], I64), ir.Constant(I64, 1), "seq_cst")

    return types.int64(types.int64), codegen


@intrinsic
def watch(typingctx, counter):
    """Read the int64 at an address as other threads left it, after telling the processor that this is a wait."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if X86:
            _call(builder, "llvm.x86.sse2.pause", ir.VoidType())
        return builder.load_atomic(_at(builder, args[0], I64), "seq_cst", 8)

    return types.int64(types.int64), codegen


@intrinsic
def ticks(typingctx):
    """The processor's own clock, in its own unit; 0 where it is not to be read."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _call(builder, "llvm.readcyclecounter", I64)

    return types.int64(), codegen


give_way = types.ExternalFunction("SwitchToThread" if sys.platform == "win32" else "sched_yield", types.int32())
