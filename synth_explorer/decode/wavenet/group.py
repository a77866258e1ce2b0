"""Some notes of a batch in the CPU engine: their state, and the tables of addresses that the kernel reads.

Shapes: B notes, T samples, F frames, W width, S skip width, Q levels.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from synth_explorer.decode.wavenet import kernel
from synth_explorer.decode.wavenet.levels import input_table
from synth_explorer.decode.wavenet.packing import DTYPES, STAGED, PackedLayer, PackedStack, aligned, padded
from synth_explorer.decode.wavenet.session import Block
from synth_explorer.decode.wavenet.transforms import Saving, SavingLayer, filtered, phases

COLUMNS = 16  # samples ahead times notes that one product of old taps takes

Quads = tuple[tuple[np.ndarray, np.ndarray], ...]
"""Weights of each layer's gates and sums as one note reads them, see `packing.in_quads`; () where it does not."""


class Group:
    """State and tables for frames [B, F, C]; `rows` says which notes of the batch these are.

    `saving`: transformed weights, None for plain products. `team`: most threads that may advance it.
    """

    def __init__(
        self,
        packed: PackedStack,
        frames: np.ndarray,
        saving: Saving | None,
        quads: Quads,
        *,
        team: int,
        rows: slice,
    ) -> None:
        self.packed, self.rows, self.time = packed, rows, 0
        self.kind = DTYPES[packed.precision](0)
        self.staged = np.dtype(STAGED[packed.precision])
        self.kept: list[Any] = [packed, saving, quads]  # whatever the tables hold addresses of
        notes, levels = len(frames), padded(packed.levels)
        self.frames = np.ascontiguousarray(frames)
        self.logits, self.weights = self._room(notes, levels), self._room(notes, levels)
        self.condition = self._room(notes, packed.condition.shape[1])
        self.history = self._room(team, notes, packed.start.weights.shape[1])
        self.previous = self._room(notes)
        self.nothing = self._room(max(2 * packed.width + packed.skip, levels))
        self.counter = self._room(16, kind=np.int64)
        self.quit_at = self._room(1, kind=np.int64)
        self.inputs_of_levels = input_table(packed.levels)
        self.table = self._table(team)
        self.table[kernel.QUADS] = len(quads) > 0
        if saving is not None:
            self._add_scratch(saving, team)
        self.layers = np.zeros((len(packed.layers), kernel.LAYER_FIELDS), np.int64)
        savings = saving.layers if saving else [SavingLayer(None, None, None)] * len(packed.layers)
        pairs = filtered(packed, notes) if saving else [False] * len(packed.layers)
        moments = phases([layer.dilation for layer in packed.layers])
        for row, layer, less, paired, phase in zip(self.layers, packed.layers, savings, pairs, moments, strict=True):
            self._fill(row, layer, paired=paired)
            if paired:
                self._filter(row, layer, less, phase)
            if less.sums is not None:
                row[kernel.SEVEN_SUM_W] = less.sums.ctypes.data
        for row, (gates, sums) in zip(self.layers, quads, strict=False):  # none, or one for each
            row[kernel.GATE_W], row[kernel.SUM_W] = gates.ctypes.data, sums.ctypes.data

    def _room(self, *shape: int, kind: type = np.float32) -> np.ndarray:
        """Zeros that stay as long as the group does."""
        self.kept.append(aligned(np.zeros(shape, kind)))
        return self.kept[-1]

    def _table(self, team: int) -> np.ndarray:
        """The table of everything but layers."""
        packed, notes = self.packed, len(self.frames)
        width, skip = packed.width, packed.skip
        table = np.zeros(kernel.FIELDS, np.int64)
        table[:5] = width, skip, packed.levels, packed.hop, self.kind.itemsize
        table[kernel.STAGED_BYTES], table[kernel.CONDITION_STRIDE] = self.staged.itemsize, self.condition.strides[0]
        _enter(
            table,
            {
                kernel.STREAM: self._room(notes, width + skip),
                kernel.GATED: self._room(notes, width),
                kernel.STAGED: self._room(team, notes, width, kind=self.staged.type),
                kernel.STAGED_SCALE: self._room(team, notes),
                kernel.HIDDEN: self._room(notes, skip),
                kernel.LOGITS: self.logits,
                kernel.CONDITION: self.condition,
                kernel.START_W: packed.start.weights,
                kernel.START_BIAS: packed.start.bias,
                kernel.HISTORY: self.history,
                kernel.OUT_W: packed.out.weights,
                kernel.LOGITS_W: packed.logits.weights,
                kernel.LOGITS_BIAS: packed.logits.bias,
                kernel.NOTHING: self.nothing,
                kernel.COUNTER: self.counter,
                kernel.WEIGHTS: self.weights,
            },
        )
        return table

    def _add_scratch(self, saving: Saving, team: int) -> None:
        """Room for the products of `minimal`."""
        notes, width, seven = len(self.frames), self.packed.width, saving.seven
        most = max(layer.taps for layer in self.packed.layers) * (7 if seven else 1)
        columns = (notes + 1) // 2 if seven else notes
        terms = self._room(team, most, columns, width // 2 if seven else width)
        products = self._room(team, most, columns, 32 if seven else 64)
        _enter(self.table, {kernel.TERMS: terms, kernel.PRODUCTS: products, kernel.ROWS: self._room(team, 6, width)})
        self.table[kernel.SEVEN] = seven
        self.table[kernel.TERMS_BYTES], self.table[kernel.PRODUCTS_BYTES] = terms.strides[0], products.strides[0]

    def _fill(self, row: np.ndarray, layer: PackedLayer, *, paired: bool) -> None:
        """A layer's row of the table, for plain products; one that is filtered computes no sample ahead."""
        notes, width = len(self.frames), self.packed.width
        ahead = 1 if paired else samples_ahead(layer.dilation, notes)
        slots = (layer.taps - 1) * layer.dilation + ahead
        ring = self._room(slots, notes, width, kind=self.staged.type)
        if self.staged == np.uint8:
            ring += 128  # zero
        old = layer.old or layer.gates
        row[:4] = layer.dilation, layer.taps, ahead, slots
        _enter(
            row,
            {
                kernel.RING: ring,
                kernel.RING_SCALE: self._room(slots, notes),
                kernel.GATES: self._room(ahead, notes, 2 * width),
                kernel.GATE_W: layer.gates.weights,
                kernel.SUM_W: layer.sums.weights,
                kernel.GATE_SCALE: layer.gates.scale,
                kernel.GATE_INIT: layer.gates.init,
                kernel.SUM_BIAS: layer.sums.bias,
                kernel.SUM_SCALE: layer.sums.scale,
                kernel.SUM_INIT: layer.sums.init,
                kernel.OLD_W: old.weights,
                kernel.OLD_SCALE: old.scale,
                kernel.OLD_INIT: old.init,
                kernel.ZEROS: self.nothing,
            },
        )

    def _filter(self, row: np.ndarray, layer: PackedLayer, less: SavingLayer, phase: int) -> None:
        """What a filtered layer has beside: see `minimal`."""
        assert less.first is not None and less.second is not None
        kept = self._room(layer.dilation, self.packed.width // 32, len(self.frames), 64)
        _enter(row, {kernel.FIRST_W: less.first, kernel.SECOND_W: less.second, kernel.KEPT: kept})
        row[kernel.PHASE] = phase

    def begin(self, block: Block) -> None:
        """Make ready for a block and a team of any size: nobody waits, nobody quits, all know the same past.

        The kernel sees arrays of one memory layout only, so that it is compiled once.
        """
        self.counter[:] = 0
        self.quit_at[:] = 0
        self.history[1:] = self.history[0]
        self.block = block
        notes, kept = len(self.previous), block.samples if block.logits is not None else 0
        self.given = tuple(np.array(a[self.rows]) for a in (block.uniforms, block.extra, block.forced))
        self.made = np.zeros((notes, block.samples), np.int32), np.zeros((notes, kept, self.packed.levels), np.float32)

    def run(self, member: int, team: int, temperature: float, budget: int) -> int:
        """One member's part of the block; returns how many samples are done."""
        packed = self.packed
        arrays = (
            packed.condition, packed.condition_bias, self.frames, self.condition,
            self.history, self.previous, self.logits, self.weights, self.inputs_of_levels,
        )  # fmt: skip
        return kernel.run(
            self.kind, self.table, self.layers, arrays, (*self.given, *self.made), self.time, temperature, member, team,
            budget if team > 1 else 0, self.quit_at,
        )  # fmt: skip

    def end(self, done: int) -> None:
        """Hand over what was made."""
        self.time += done
        self.block.levels[self.rows, :done] = self.made[0][:, :done]
        if self.block.logits is not None:
            self.block.logits[self.rows, :done] = self.made[1][:, :done]


def samples_ahead(dilation: int, notes: int) -> int:
    """For how many samples old taps are computed at once: a divisor of the dilation, about `COLUMNS` columns in all."""
    most = max(1, COLUMNS // notes)
    return max(n for n in range(1, min(dilation, most) + 1) if dilation % n == 0)


def _enter(row: np.ndarray, arrays: dict[int, np.ndarray]) -> None:
    """Write the addresses of arrays into a table, by field."""
    for field, array in arrays.items():
        row[field] = array.ctypes.data
