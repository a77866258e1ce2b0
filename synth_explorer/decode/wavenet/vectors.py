"""Vector instructions of the CPU engine, for Numba: gates, exponentials, rounding, sums, copies, and waiting.

Memory is addressed by plain integers (an array's `ctypes.data`), so that calls pass few words. Nothing is checked:
callers are. `kind` is as in `tiles`.
"""

from __future__ import annotations

import sys
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from synth_explorer.decode.wavenet import lanes
from synth_explorer.decode.wavenet.lanes import F32, I8, I64, LANES, VF, VI, VNNI, X86

LOG2_E = 1.4426950408889634
MOST = {"int16": 4095, "int8": 127}  # the largest magnitude of an activation


def _exp(builder: Any, x: Any) -> Any:
    """exp of x clamped to [-87, 87], as Cephes' expf: relative error below 2e-7."""
    low = builder.fcmp_ordered("<", x, lanes.const(-87.0))
    x = builder.select(low, lanes.const(-87.0), x)
    high = builder.fcmp_ordered(">", x, lanes.const(87.0))
    x = builder.select(high, lanes.const(87.0), x)
    n = lanes.call(builder, f"llvm.rint.v{LANES}f32", VF, builder.fmul(x, lanes.const(LOG2_E)))
    r = lanes.muladd(builder, n, lanes.const(-0.693359375), x)
    r = lanes.muladd(builder, n, lanes.const(2.12194440e-4), r)
    p = lanes.const(1.9875691500e-4)
    for c in (1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1):
        p = lanes.muladd(builder, p, r, lanes.const(c))
    p = lanes.muladd(builder, p, builder.fmul(r, r), builder.fadd(r, lanes.const(1.0)))
    exponent = builder.add(builder.fptosi(n, VI), ir.Constant(VI, [127] * LANES))
    return builder.fmul(p, builder.bitcast(builder.shl(exponent, ir.Constant(VI, [23] * LANES)), VF))


def _exp2(builder: Any, x: Any) -> Any:
    """2 to the power of x clamped to [-62, 62]: relative error below 2e-7.

    The polynomial is the best of its degree on [-0.5, 0.5] that is 1 at 0.
    """
    x = builder.select(builder.fcmp_ordered("<", x, lanes.const(-62.0)), lanes.const(-62.0), x)
    x = builder.select(builder.fcmp_ordered(">", x, lanes.const(62.0)), lanes.const(62.0), x)
    whole = lanes.call(builder, f"llvm.rint.v{LANES}f32", VF, x)
    part = builder.fsub(x, whole)
    value = lanes.const(0.001326472731307149)
    for c in (0.009671512991189957, 0.05550733581185341, 0.24022242426872253, 0.6931470036506653, 1.0):
        value = lanes.muladd(builder, value, part, lanes.const(c))
    raised = builder.shl(builder.fptosi(whole, VI), ir.Constant(VI, [23] * LANES))
    return builder.bitcast(builder.add(builder.bitcast(value, VI), raised), VF)


def _gate(builder: Any, places: list[Any], g: Any) -> None:
    """g = sigmoid(p) tanh(q), p and q being sums of 16 numbers each at `places`; absolute error below 3e-7.

    One division: (1 - e^-2q) / ((1 + e^-p) (1 + e^-2q)).
    """
    half = ir.Constant(I64, 64)
    p, q = lanes.load(builder, places[0], VF), lanes.load(builder, places[0], VF, half)
    for place in places[1:]:
        p, q = (builder.fadd(p, lanes.load(builder, place, VF)), builder.fadd(q, lanes.load(builder, place, VF, half)))
    a = _exp2(builder, builder.fmul(p, lanes.const(-LOG2_E)))
    b = _exp2(builder, builder.fmul(q, lanes.const(-2.0 * LOG2_E)))
    one = lanes.const(1.0)
    below = builder.fmul(builder.fadd(one, a), builder.fadd(one, b))
    lanes.store(builder, builder.fdiv(builder.fsub(one, b), below), g)


@intrinsic
def gate(typingctx, y, condition, g):
    """g = sigmoid(p) tanh(q) for 16 p and 16 q at y, after adding `condition`; absolute error below 3e-7."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _gate(builder, args[:2], args[2])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), codegen


@intrinsic
def gate_of_two(typingctx, y, rest, condition, g):
    """`gate` of the sum of what lies at y and at `rest`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _gate(builder, args[:3], args[3])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64, types.int64), codegen


@intrinsic
def rectify(typingctx, y, condition):
    """y = max(y + condition, 0) for 16 numbers."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        y, condition = args
        value = builder.fadd(lanes.load(builder, y, VF), lanes.load(builder, condition, VF))
        lanes.store(
            builder, builder.select(builder.fcmp_ordered(">", value, lanes.const(0.0)), value, lanes.const(0.0)), y
        )
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), codegen


@intrinsic
def weigh(typingctx, logits, top, slope, blocks, out):
    """out = exp((logits - top) * slope), float32, for `blocks` * 16 logits."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        logits, top, slope, blocks, out = args
        top, slope = lanes.splat(builder, top), lanes.splat(builder, slope)
        block, _, close = lanes.loop(builder, blocks, [])
        at = builder.mul(block, ir.Constant(I64, 64))
        value = builder.fmul(builder.fsub(lanes.load(builder, logits, VF, at), top), slope)
        lanes.store(builder, _exp(builder, value), out, at)
        close([])
        return context.get_dummy_value()

    return types.void(types.int64, types.float32, types.float32, types.int64, types.int64), codegen


@intrinsic
def stage(typingctx, kind, x, blocks, out):
    """Make `blocks` * 16 float32 activations ready for a tile; returns their scale.

    float32: copied, scale 1. int16, int8: rounded to multiples of the largest magnitude / `MOST`, as int16, or with
    `VNNI` for int8 as uint8 with an offset of 128.
    """
    kind_name = str(kind)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _, x, blocks, out = args
        if kind_name == "float32":
            block, _, close = lanes.loop(builder, blocks, [])
            at = builder.mul(block, ir.Constant(I64, 64))
            lanes.store(builder, lanes.load(builder, x, VF, at), out, at)
            close([])
            return ir.Constant(F32, 1.0)
        block, (largest,), close = lanes.loop(builder, blocks, [lanes.const(0.0)])
        value = lanes.load(builder, x, VF, builder.mul(block, ir.Constant(I64, 64)))
        value = lanes.call(builder, f"llvm.fabs.v{LANES}f32", VF, value)
        larger = builder.select(builder.fcmp_ordered(">", value, largest), value, largest)
        (largest,) = close([larger])
        top = lanes.call(builder, f"llvm.vector.reduce.fmax.v{LANES}f32", F32, largest)
        top = builder.select(builder.fcmp_ordered(">", top, ir.Constant(F32, 1e-30)), top, ir.Constant(F32, 1e-30))
        most = ir.Constant(F32, float(MOST[kind_name]))
        slope = lanes.splat(builder, builder.fdiv(most, top))
        offset = kind_name == "int8" and VNNI
        size = 1 if offset else 2
        block, _, close = lanes.loop(builder, blocks, [])
        value = lanes.load(builder, x, VF, builder.mul(block, ir.Constant(I64, 64)))
        value = builder.fptosi(lanes.call(builder, f"llvm.rint.v{LANES}f32", VF, builder.fmul(value, slope)), VI)
        if offset:
            value = builder.add(value, ir.Constant(VI, [128] * LANES))
        value = builder.trunc(value, ir.VectorType(ir.IntType(8 * size), LANES))
        lanes.store(builder, value, out, builder.mul(block, ir.Constant(I64, LANES * size)), align=1)
        close([])
        return builder.fdiv(top, most)

    return types.float32(kind, types.int64, types.int64, types.int64), codegen


@intrinsic(prefer_literal=True)
def mix(typingctx, signs, vectors, y, *sources):
    """y = the sum of `sources`, each with its sign of `signs` ("+-"), for `vectors` * 16 float32; y may be a source."""
    if not isinstance(signs, types.StringLiteral):
        return None
    letters = signs.literal_value

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _, vectors, y, given = args
        addresses = cgutils.unpack_tuple(builder, given, len(letters))
        block, _, close = lanes.loop(builder, vectors, [])
        at = builder.mul(block, ir.Constant(I64, 64))
        total = None
        for sign, address in zip(letters, addresses, strict=True):
            value = lanes.load(builder, address, VF, at)
            if total is None:
                total = builder.fneg(value) if sign == "-" else value
            else:
                total = builder.fsub(total, value) if sign == "-" else builder.fadd(total, value)
        lanes.store(builder, total, y, at)
        close([])
        return context.get_dummy_value()

    rest = types.StarArgTuple([types.int64] * len(letters))
    return types.void(signs, types.int64, types.int64, rest), codegen


@intrinsic
def move(typingctx, source, target, count):
    """Copy `count` bytes."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        source, target, count = args
        pointers = [lanes.at(builder, target, I8), lanes.at(builder, source, I8)]
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
        block, _, close = lanes.loop(builder, vectors, [])
        at = builder.mul(block, ir.Constant(I64, 64))
        lanes.store(builder, lanes.load(builder, source, VF, at), target, at)
        close([])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), codegen


@intrinsic
def largest(typingctx, x, vectors):
    """The largest of `vectors` * 16 float32, at least one vector."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        x, vectors = args
        block, (most,), close = lanes.loop(builder, vectors, [lanes.load(builder, x, VF)])
        value = lanes.load(builder, x, VF, builder.mul(block, ir.Constant(I64, 64)))
        (most,) = close([builder.select(builder.fcmp_ordered(">", value, most), value, most)])
        return lanes.call(builder, f"llvm.vector.reduce.fmax.v{LANES}f32", F32, most)

    return types.float32(types.int64, types.int64), codegen


@intrinsic
def expect(typingctx, address, lines):
    """Ask for so many cache lines, which will be wanted soon."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        address, lines = args
        line, _, close = lanes.loop(builder, lines, [])
        lanes.prefetch(builder, builder.add(address, builder.mul(line, ir.Constant(I64, 64))), 1)
        close([])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), codegen


@intrinsic
def put(typingctx, address, value):
    """Write a float32 at an address."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes.store(builder, args[1], args[0])
        return context.get_dummy_value()

    return types.void(types.int64, types.float32), codegen


@intrinsic
def arrive(typingctx, counter):
    """Add one to the int64 at an address, as one step for all threads; returns what was there."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.atomic_rmw("add", lanes.at(builder, args[0], I64), ir.Constant(I64, 1), "seq_cst")

    return types.int64(types.int64), codegen


@intrinsic
def watch(typingctx, counter):
    """Read the int64 at an address as other threads left it, after telling the processor that this is a wait."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if X86:
            lanes.call(builder, "llvm.x86.sse2.pause", ir.VoidType())
        return builder.load_atomic(lanes.at(builder, args[0], I64), "seq_cst", 8)

    return types.int64(types.int64), codegen


@intrinsic
def ticks(typingctx):
    """The processor's own clock, in its own unit; 0 where it is not to be read."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return lanes.call(builder, "llvm.readcyclecounter", I64)

    return types.int64(), codegen


give_way = types.ExternalFunction("SwitchToThread" if sys.platform == "win32" else "sched_yield", types.int32())
