"""A stack's weights as the CPU engine reads them: padded to 16, in blocks of 16 outputs, in the order of use.

Shapes: W width, S skip width, C conditioning channels, K taps, Q levels, N inputs, M outputs of a product.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from synth_explorer.decode.wavenet.lanes import LANES, VNNI
from synth_explorer.decode.wavenet.tiles import PER_STEP
from synth_explorer.decode.wavenet.vectors import MOST
from synth_explorer.model.stack import Stack

DTYPES = {"float32": np.float32, "int16": np.int16, "int8": np.int8}
STAGED = {"float32": np.float32, "int16": np.int16, "int8": np.uint8 if VNNI else np.int16}  # inputs of products
HUGE_BYTES = 4 << 20  # from this size on NumPy asks for large pages
LIMITS = {"int16": 32767, "int8": 127}


@dataclass(frozen=True, eq=False)
class Packed:
    """One product: weights [M / 16, N / k, 16, k] and, per output, bias, scale and the start of the integer sum."""

    weights: np.ndarray
    bias: np.ndarray  # [M] float32
    scale: np.ndarray  # [M] float32
    init: np.ndarray  # [M] int32


@dataclass(frozen=True, eq=False)
class PackedLayer:
    """The products of a layer; gates alternate 16 of p and 16 of q."""

    dilation: int
    taps: int
    old: Packed | None  # the other taps, oldest first, on an axis of their own
    gates: Packed  # newest tap: W -> 2W
    sums: Packed  # residual and skip: W -> W + S


@dataclass(frozen=True, eq=False)
class PackedStack:
    """Everything of a stack."""

    precision: str
    width: int  # padded
    skip: int  # padded
    levels: int  # as they are
    hop: int
    start: Packed  # K0 * X -> W + S, with `skip_start` multiplied in
    condition: np.ndarray  # [C, layers * 2W + S]
    condition_bias: np.ndarray
    layers: tuple[PackedLayer, ...]
    out: Packed
    logits: Packed

    @property
    def layer_bytes(self) -> int:
        """Bytes of the layers' weights: what a step has to read."""
        parts = [part for layer in self.layers for part in (layer.old, layer.gates, layer.sums)]
        return sum(part.weights.nbytes for part in parts if part is not None)


def pack(stack: Stack, precision: str) -> PackedStack:
    """Lay a stack out. Start, head and conditioning stay in float32 (under 2 % of NSynth's weights)."""
    width, skip = padded(stack.width), padded(stack.skip_width)

    def alternate(array: np.ndarray) -> np.ndarray:
        """[..., 2W] -> [..., 2W padded], 16 of p, then 16 of q, and so on."""
        halves = [_pad(half, half.ndim - 1, width) for half in np.split(array, 2, axis=-1)]
        blocks = [half.reshape(*half.shape[:-1], width // LANES, 1, LANES) for half in halves]
        return np.concatenate(blocks, axis=-2).reshape(*array.shape[:-1], 2 * width)

    layers = []
    for layer in stack.layers:
        taps = [_product(_pad(alternate(tap), 0, width), precision) for tap in layer.dilated]
        sums = np.concatenate([_pad(layer.residual, 1, width), _pad(layer.skip, 1, skip)], axis=1)
        bias = np.concatenate([_pad(layer.residual_bias, 0, width), _pad(layer.skip_bias, 0, skip)])
        packed = _product(_pad(sums, 0, width), precision, bias)
        layers.append(PackedLayer(layer.dilation, len(taps), _stacked(taps[:-1]), taps[-1], packed))
    taps0, inputs, _ = stack.start.shape
    starts = np.concatenate([stack.start.reshape(taps0 * inputs, -1), stack.start_bias[None]])
    skips = starts.astype(np.float64) @ stack.skip_start
    skips[-1] += stack.skip_start_bias
    starts = np.concatenate([_pad(starts, 1, width), _pad(skips.astype(np.float32), 1, skip)], axis=1)
    out = _head(stack.out, np.zeros_like(stack.out_bias), skip, skip)
    logits = _head(stack.logits, stack.logits_bias, skip, padded(stack.levels))
    parts = [*(part for layer in layers for part in (layer.gates, layer.sums)), out, logits]
    *laid, out, logits = in_a_row(parts)
    pairs = zip(layers, laid[::2], laid[1::2], strict=True)
    layers = [replace(layer, gates=gates, sums=sums) for layer, gates, sums in pairs]
    gates = [alternate(layer.condition) for layer in stack.layers]
    biases = [alternate(layer.condition_bias + layer.dilated_bias) for layer in stack.layers]
    out_bias = _pad(stack.out_bias + stack.out_condition_bias, 0, skip)
    return PackedStack(
        precision=precision,
        width=width,
        skip=skip,
        levels=stack.levels,
        hop=stack.hop,
        start=_product(starts[:-1], "float32", starts[-1]),
        condition=aligned(np.concatenate([*gates, _pad(stack.out_condition, 1, skip)], axis=1)),
        condition_bias=aligned(np.concatenate([*biases, out_bias])),
        layers=tuple(layers),
        out=out,
        logits=logits,
    )


def in_a_row(products: list[Packed]) -> list[Packed]:
    """The same products with their weights one after another in memory, so that each fetches the next one's."""
    size = sum(product.weights.nbytes for product in products)
    room = aligned(np.zeros(max(size, HUGE_BYTES), np.uint8))
    out, begin = [], 0
    for product in products:
        weights = product.weights
        place = room[begin : begin + weights.nbytes].view(weights.dtype).reshape(weights.shape)
        place[...] = weights
        out.append(replace(product, weights=place))
        begin += weights.nbytes
    return out


def in_quads(packed: PackedStack) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """Weights of the gates and sums of each layer in quads, [M / 64, N / k, 4, 16, k]: what one note reads in a row.

    Width and skip width must be multiples of 64.
    """
    parts = []
    for part in (part for layer in packed.layers for part in (layer.gates, layer.sums)):
        blocks, steps, *rest = part.weights.shape
        weights = part.weights.reshape(blocks // 4, 4, steps, *rest).swapaxes(1, 2)
        parts.append(replace(part, weights=np.ascontiguousarray(weights)))
    laid = [part.weights for part in in_a_row(parts)]
    return tuple(zip(laid[::2], laid[1::2], strict=True))


def quantised(weights: np.ndarray, precision: str) -> tuple[np.ndarray, np.ndarray]:
    """Weights [N, M] -> whole numbers [N, M] and a scale per output [M] float32.

    `int8`: 127 steps to the largest weight of an output; inputs are rounded to 127 steps of the largest of a vector.
    `int16`: so many steps that no sum over inputs of 4,095 steps can overflow 32 bits, about 2,500 to 32,767.
    """
    largest = np.maximum(np.abs(weights).max(axis=0), 1e-30)
    steps = LIMITS[precision] / largest
    if precision == "int16":
        room = (2**31 - 1) / MOST["int16"] - 0.5 * len(weights)  # each weight may round up by half a step
        steps = np.minimum(steps, room / np.maximum(np.abs(weights).sum(axis=0), 1e-30))
    return np.rint(weights * steps).astype(DTYPES[precision]), (1.0 / steps).astype(np.float32)


def padded(count: int) -> int:
    """`count` rounded up to whole vectors."""
    return -(-count // LANES) * LANES


def aligned(array: np.ndarray, dtype: type | None = None) -> np.ndarray:
    """A copy that begins at a multiple of 64 bytes, so that no vector straddles two cache lines."""
    array = np.asarray(array, dtype)
    room = np.empty(array.nbytes + 64, np.uint8)
    begin = -room.ctypes.data % 64
    out = room[begin : begin + array.nbytes].view(array.dtype).reshape(array.shape)
    out[...] = array
    return out


def _stacked(parts: list[Packed]) -> Packed | None:
    """Products of one shape as one, on a new first axis."""
    if not parts:
        return None
    names = ("weights", "bias", "scale", "init")
    return Packed(*(aligned(np.stack([getattr(part, name) for part in parts])) for name in names))


def _head(weights: np.ndarray, bias: np.ndarray, inputs: int, outputs: int) -> Packed:
    """A float32 product of padded size."""
    return _product(_pad(_pad(weights, 0, inputs), 1, outputs), "float32", _pad(bias, 0, outputs))


def _product(weights: np.ndarray, precision: str, bias: np.ndarray | None = None) -> Packed:
    """[N, M] -> blocks."""
    inputs, outputs = weights.shape
    scale, init = np.ones(outputs, np.float32), np.zeros(outputs, np.int32)
    if precision != "float32":
        weights, scale = quantised(weights, precision)
    if STAGED[precision] is np.uint8:  # inputs come with an offset of 128
        init = -128 * weights.sum(axis=0, dtype=np.int32)
    k = PER_STEP[precision]
    blocks = weights.reshape(inputs // k, k, outputs // LANES, LANES).transpose(2, 0, 3, 1)
    bias = np.zeros(outputs, np.float32) if bias is None else bias
    return Packed(aligned(blocks), aligned(bias), aligned(scale), aligned(init))


def _pad(array: np.ndarray, axis: int, size: int) -> np.ndarray:
    """Zeros after an axis, up to `size`."""
    widths = [(0, 0)] * array.ndim
    widths[axis] = (0, size - array.shape[axis])
    return np.pad(array, widths)
