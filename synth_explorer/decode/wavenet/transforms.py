"""Weights for products that save multiplications: minimal filtering of the dilated taps, and Strassen's scheme.

Minimal filtering (Winograd 1980; Lavin and Gray 2015, arXiv 1509.09308) takes samples in pairs a dilation d apart. Of
x0 = x[t-2d], x1 = x[t-d], x2 = x[t], x3 = x[t+d] and taps g0 (oldest), g1, g2 the four products

    m1 = (x0 - x2) g0, m2 = (x1 + x2) (g0 + g1 + g2) / 2, m3 = (x2 - x1) (g0 - g1 + g2) / 2, m4 = (x1 - x3) g2

give y[t] = m1 + m2 + m3 and y[t+d] = m2 - m3 - m4, where plain taps take six. Only m4 needs x3, so this suits
decoding: three products at t, with m2 - m3 kept for d samples, one at t + d. For two taps, with x0 = x[t-d], x1 = x[t],
x2 = x[t+d]: m1 = (x0 - x1) g0, m2 = x1 (g0 + g1), m3 = (x1 - x2) g1 give y[t] = m1 + m2 and y[t+d] = m2 - m3.

Sums of weights are computed in float64 and rounded once. Shapes: N inputs, M outputs, K taps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_explorer.decode.wavenet.lanes import LANES
from synth_explorer.decode.wavenet.packing import PackedLayer, PackedStack, aligned
from synth_explorer.decode.wavenet.session import PLAIN, Scheme, Way

SHARED_BYTES = 4e6  # of layers' weights: up to so many they come from a core's caches, and more from memory

FILTER_NOTES = 4, 8  # from how many notes of a group on filtering pays, for weights from caches and from memory
SEVEN_NOTES = 32  # and Strassen's products

KEPT_BYTES = 0.6e6, 1e9
"""Most memory for products kept for the other sample of a pair, for weights from caches and from memory.

From caches: about half of a core's second cache; what is kept longer comes from further away, which costs more time
than its products save. From memory: all of NSynth for 79 notes.
"""


@dataclass(frozen=True, eq=False)
class SavingLayer:
    """A layer's weights, transformed; None where the plain ones serve.

    `first` and `second` are for the gates at the two samples of a pair, `sums` for residual and skip: float32
    [M / 64, products, blocks, steps, 16], see `panels`.
    """

    first: np.ndarray | None
    second: np.ndarray | None
    sums: np.ndarray | None


@dataclass(frozen=True, eq=False)
class Saving:
    """Transformed weights of every layer, for plain products or, if `seven`, for Strassen's."""

    seven: bool
    layers: tuple[SavingLayer, ...]


def saving(packed: PackedStack, *, seven: bool) -> Saving:
    """Transform all weights."""
    return Saving(seven, tuple(_saving(layer, seven) for layer in packed.layers))


def schemes(packed: PackedStack) -> tuple[Scheme, ...]:
    """Which products a stack of this precision and these sizes can take."""
    if not can_filter(packed):
        return ("plain",)
    return ("plain", "pairs", "seven") if can_take_seven(packed) else ("plain", "pairs")


def usual_way(packed: PackedStack, notes: int) -> Way:
    """The way of a group of so many notes where nothing was measured."""
    possible = schemes(packed)
    if len(possible) == 1:
        return PLAIN
    if notes < FILTER_NOTES[from_memory(packed)]:
        return Way("plain", "few notes")
    return Way("seven" if notes >= SEVEN_NOTES and "seven" in possible else "pairs", "usual for so many notes")


def can_filter(packed: PackedStack) -> bool:
    """Whether the stack's sizes suit the panels of 64 outputs, and its weights are float32."""
    return packed.precision == "float32" and packed.width % 32 == 0


def can_take_seven(packed: PackedStack) -> bool:
    """Whether its sizes suit Strassen's scheme too."""
    return can_filter(packed) and packed.width % 64 == 0 and packed.skip % 64 == 0


def from_memory(packed: PackedStack) -> bool:
    """Whether the weights are too large for a core's caches."""
    return packed.layer_bytes > SHARED_BYTES


def filtered(packed: PackedStack, notes: int) -> list[bool]:
    """Which layers are filtered: those of the smallest dilations, as long as kept products fit into `KEPT_BYTES`.

    A layer keeps 8 d W bytes a note: 805 MB in all for 64 notes of NSynth's network, beside 805 MB of past inputs.
    """
    chosen, total, most = [False] * len(packed.layers), 0, KEPT_BYTES[from_memory(packed)]
    for index in sorted(range(len(chosen)), key=lambda index: packed.layers[index].dilation):
        layer = packed.layers[index]
        size = 8 * layer.dilation * packed.width * notes
        if layer.taps in (2, 3) and total + size <= most:
            chosen[index], total = True, total + size
    return chosen


def phases(dilations: list[int]) -> list[int]:
    """Where in its pair each layer begins: 0 or its dilation, so that costly and cheap samples of layers balance."""
    seen: dict[int, int] = {}
    out = []
    for dilation in dilations:
        count = seen.get(dilation, 0)
        seen[dilation] = count + 1
        out.append(dilation * ((count + list(seen).index(dilation)) % 2))
    return out


def filter_weights(taps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Taps [K, N, M], oldest first -> weights of the products at the first [K, N, M] and second [1, N, M] sample."""
    g = taps.astype(np.float64)
    if len(g) == 2:
        return np.stack([g[0], g[0] + g[1]]), g[1:]
    return np.stack([g[0], (g[0] + g[1] + g[2]) / 2, (g[0] - g[1] + g[2]) / 2]), g[2:]


def seven_weights(weights: np.ndarray) -> np.ndarray:
    """[P, N, M] -> [7 P, N / 2, M / 2]: of every product the seven; outputs are halved block by block of 16."""
    count, inputs, outputs = weights.shape
    a, b = np.split(weights.reshape(count, inputs, outputs // (2 * LANES), 2, LANES), 2, axis=1)
    (ap, aq), (bp, bq) = ((part[..., 0, :], part[..., 1, :]) for part in (a, b))
    seven = np.stack([ap + bq, ap, aq - bq, bp - ap, bq, ap + aq, bp + bq], axis=1)
    return seven.reshape(7 * count, inputs // 2, outputs // 2)


def panels(weights: np.ndarray, blocks: int) -> np.ndarray:
    """[P, N, M] -> float32 [M / (16 blocks), P, blocks, N, 16]: panels of outputs, product by product."""
    count, inputs, outputs = weights.shape
    parts = weights.astype(np.float32).reshape(count, inputs, outputs // (LANES * blocks), blocks, LANES)
    return aligned(parts.transpose(2, 0, 3, 1, 4))


def _saving(layer: PackedLayer, seven: bool) -> SavingLayer:
    """One layer's."""

    def laid(weights: np.ndarray) -> np.ndarray:
        return panels(seven_weights(weights), 2) if seven else panels(weights, 4)

    first = second = None
    if layer.old is not None and layer.taps in (2, 3):
        taps = np.concatenate([_plain(layer.old.weights), _plain(layer.gates.weights[None])])
        first, second = (laid(weights) for weights in filter_weights(taps))
    sums = laid(_plain(layer.sums.weights[None]).astype(np.float64)) if seven else None
    return SavingLayer(first, second, sums)


def _plain(blocks: np.ndarray) -> np.ndarray:
    """[P, M / 16, N, 16, 1] -> [P, N, M]."""
    count, outputs, inputs, *_ = blocks.shape
    return blocks[..., 0].transpose(0, 2, 1, 3).reshape(count, inputs, outputs * LANES)
