"""Building blocks for Numba's intrinsics: LLVM code on vectors of 16 lanes, at addresses that are plain integers.

LLVM lowers the 16 lanes to whatever the processor has, so this is portable.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba.core import codegen, config

LANES = 16
F32, I8, I16, I32, I64 = ir.FloatType(), ir.IntType(8), ir.IntType(16), ir.IntType(32), ir.IntType(64)
VF, VI = ir.VectorType(F32, LANES), ir.VectorType(I32, LANES)
X86 = llvm.get_process_triple().startswith(("x86_64", "i686", "amd64"))
PROCESSOR = config.CPU_NAME or llvm.get_host_cpu_name()
FEATURES = set((codegen.get_host_cpu_features() if config.CPU_FEATURES is None else config.CPU_FEATURES).split(","))
"""What Numba compiles for, `+name` and `-name`: this processor, or what NUMBA_CPU_FEATURES says."""

WIDE = "+avx512f" in FEATURES  # 32 registers of 16 lanes; else 16 of 8 (AVX2) or 32 of 4 (NEON), which like one shape
VNNI = WIDE and "+avx512vnni" in FEATURES
MADD = X86 and "+avx2" in FEATURES


def at(builder: Any, address: Any, element: Any, offset_bytes: Any = None) -> Any:
    """A pointer to `element` at an integer address."""
    if offset_bytes is not None:
        address = builder.add(address, offset_bytes)
    return builder.inttoptr(address, element.as_pointer())


def load(builder: Any, address: Any, element: Any, offset_bytes: Any = None, *, align: int = 4) -> Any:
    return builder.load(at(builder, address, element, offset_bytes), align=align)


def store(builder: Any, value: Any, address: Any, offset_bytes: Any = None, *, align: int = 4) -> None:
    builder.store(value, at(builder, address, value.type, offset_bytes), align=align)


def splat(builder: Any, scalar: Any, lanes: int = LANES) -> Any:
    vector = ir.VectorType(scalar.type, lanes)
    one = builder.insert_element(ir.Constant(vector, ir.Undefined), scalar, ir.Constant(I32, 0))
    zeros = ir.Constant(ir.VectorType(I32, lanes), [0] * lanes)
    return builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), zeros)


def const(value: float) -> Any:
    return ir.Constant(VF, [value] * LANES)


def call(builder: Any, name: str, kind: Any, *args: Any) -> Any:
    """A call of an LLVM function on values of its own types."""
    function = ir.FunctionType(kind, [a.type for a in args])
    declared = builder.module.globals.get(name) or ir.Function(builder.module, function, name)
    return builder.call(declared, args)


def muladd(builder: Any, a: Any, b: Any, c: Any) -> Any:
    """a b + c, fused where the processor can."""
    return builder.fadd(builder.fmul(a, b, flags=("contract",)), c, flags=("contract",))


def loop(builder: Any, count: Any, values: list[Any]) -> tuple[Any, list[Any], Any]:
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


def prefetch(builder: Any, address: Any, lines: int) -> None:
    """Ask for `lines` cache lines that will be wanted next."""
    name = "llvm.prefetch.p0"
    function = ir.FunctionType(ir.VoidType(), [I8.as_pointer(), I32, I32, I32])
    declared = builder.module.globals.get(name) or ir.Function(builder.module, function, name)
    read, near, data = ir.Constant(I32, 0), ir.Constant(I32, 2), ir.Constant(I32, 1)
    for line in range(lines):
        builder.call(declared, [at(builder, address, I8, ir.Constant(I64, 64 * line)), read, near, data])
