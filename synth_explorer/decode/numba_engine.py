"""The CPU engine: sessions of the Numba kernel, on one or several cores.

Shapes: B notes, T samples, F frames, C conditioning channels, W width, S skip width, Q levels.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from synth_explorer.decode import kernel
from synth_explorer.decode.levels import input_table
from synth_explorer.decode.packing import DTYPES, PackedStack, aligned, pack, padded
from synth_explorer.decode.session import Block
from synth_explorer.model.stack import Stack

COLUMNS = 16  # samples ahead times notes that one product of old taps takes
SHARED_BYTES = 4e6  # larger weights are shared by a team on all notes; smaller ones suit a core of their own


class NumbaEngine:
    """Packed weights, and threads to run sessions on."""

    name = "numba"

    def __init__(self, stack: Stack, *, precision: str = "float32", threads: int | None = None) -> None:
        self.precision = precision
        self.packed = pack(stack, precision)
        self.inputs = stack.inputs
        self.threads = threads or cores()
        self.pool = ThreadPoolExecutor(max(1, self.threads - 1), thread_name_prefix="wavenet")

    def open(self, conditioning: np.ndarray, *, temperature: float) -> NumbaSession:
        """A session at time 0: conditioning [B, F, C]."""
        return NumbaSession(self, conditioning, temperature)


class NumbaSession:
    """A batch in progress."""

    def __init__(self, engine: NumbaEngine, conditioning: np.ndarray, temperature: float) -> None:
        self.engine = engine
        self.temperature = temperature
        groups = self._groups(len(conditioning))
        self.groups = [
            Group(engine.packed, conditioning[a:b], inputs=engine.inputs, team=team, rows=slice(a, b))
            for a, b, team in groups
        ]

    def _groups(self, notes: int) -> list[tuple[int, int, int]]:
        """First note, last note and number of threads of each group."""
        threads = self.engine.threads
        if self.engine.packed.layer_bytes > SHARED_BYTES or notes == 1:
            return [(0, notes, threads)]
        count = min(threads, notes)
        return [(notes * i // count, notes * (i + 1) // count, 1) for i in range(count)]

    def advance(self, block: Block) -> None:
        """Generate the samples of a block; see `Block`."""
        jobs = [(group, member) for group in self.groups for member in range(group.team)]
        others = [self.engine.pool.submit(group.run, block, self.temperature, member) for group, member in jobs[1:]]
        group, member = jobs[0]
        group.run(block, self.temperature, member)
        for other in others:
            other.result()
        for group in self.groups:
            group.time += block.samples


class Group:
    """Some notes of a batch, their state, and the tables that the kernel reads."""

    def __init__(self, packed: PackedStack, frames: np.ndarray, *, inputs: int, team: int, rows: slice) -> None:
        self.team, self.rows, self.time = team, rows, 0
        self.packed = packed
        notes = len(frames)
        width, skip, levels = packed.width, packed.skip, padded(packed.levels)
        dtype = DTYPES[packed.precision]
        self.kind = dtype(0)
        size = np.dtype(dtype).itemsize

        def room(*shape: int, kind: type = np.float32) -> np.ndarray:
            return aligned(np.zeros(shape, kind))

        self.stream = room(notes, width + skip)
        self.gated = room(notes, width)
        self.staged = room(team, notes, width, kind=np.uint8 if size == 1 else dtype)
        self.staged_scale = room(team, notes)
        self.hidden, self.logits, self.weights = room(notes, skip), room(notes, levels), room(notes, levels)
        self.condition = room(notes, packed.condition.shape[1])
        self.history = room(team, notes, len(packed.start))
        self.previous = room(notes)
        self.nothing = room(max(2 * width + skip, levels))
        self.counter = room(16, kind=np.int64)
        self.frames = np.ascontiguousarray(frames)
        self.table_of_inputs = input_table(packed.levels)
        table = np.zeros(kernel.FIELDS, np.int64)
        table[:5] = width, skip, packed.levels, packed.hop, size
        for field, array in {
            kernel.STREAM: self.stream,
            kernel.GATED: self.gated,
            kernel.STAGED: self.staged,
            kernel.STAGED_SCALE: self.staged_scale,
            kernel.HIDDEN: self.hidden,
            kernel.LOGITS: self.logits,
            kernel.CONDITION: self.condition,
            kernel.SKIP_START_W: packed.skip_start.weights,
            kernel.SKIP_START_BIAS: packed.skip_start.bias,
            kernel.OUT_W: packed.out.weights,
            kernel.LOGITS_W: packed.logits.weights,
            kernel.LOGITS_BIAS: packed.logits.bias,
            kernel.NOTHING: self.nothing,
            kernel.COUNTER: self.counter,
            kernel.WEIGHTS: self.weights,
        }.items():
            table[field] = array.ctypes.data
        self.table = table
        self.layers = np.zeros((len(packed.layers), kernel.LAYER_FIELDS), np.int64)
        self.kept: list[np.ndarray] = []
        for row, layer in zip(self.layers, packed.layers, strict=True):
            ahead = samples_ahead(layer.dilation, notes)
            slots = (layer.taps - 1) * layer.dilation + ahead
            ring = room(slots, notes, width, kind=np.uint8 if size == 1 else dtype)
            if size == 1:
                ring += 128  # zero
            ring_scale, gates = room(slots, notes), room(ahead, notes, 2 * width)
            old_scale = aligned(np.stack([tap.scale for tap in layer.old])) if layer.old else self.nothing
            old_init = aligned(np.stack([tap.init for tap in layer.old])) if layer.old else self.nothing
            self.kept += [ring, ring_scale, gates, old_scale, old_init]
            row[:4] = layer.dilation, layer.taps, ahead, slots
            for field, array in {
                kernel.RING: ring,
                kernel.RING_SCALE: ring_scale,
                kernel.GATES: gates,
                kernel.GATE_W: layer.gates.weights,
                kernel.SUM_W: layer.sums.weights,
                kernel.GATE_SCALE: layer.gates.scale,
                kernel.GATE_INIT: layer.gates.init,
                kernel.SUM_BIAS: layer.sums.bias,
                kernel.SUM_SCALE: layer.sums.scale,
                kernel.SUM_INIT: layer.sums.init,
                kernel.OLD_SCALE: old_scale,
                kernel.OLD_INIT: old_init,
                kernel.ZEROS: self.nothing,
            }.items():
                row[field] = array.ctypes.data
            old_w = aligned(np.stack([tap.weights for tap in layer.old])) if layer.old else self.nothing
            self.kept.append(old_w)
            row[kernel.OLD_W] = old_w.ctypes.data

    def run(self, block: Block, temperature: float, member: int) -> None:
        """One member's part of a block."""
        rows, packed = self.rows, self.packed
        nothing = np.empty((len(block.uniforms), 0, packed.levels), np.float32)
        kept = nothing if block.logits is None else block.logits
        arrays = (
            packed.start, packed.start_bias, packed.condition, packed.condition_bias, self.frames, self.condition,
            self.history, self.stream, self.previous, self.logits, self.weights, self.table_of_inputs,
        )  # fmt: skip
        io = tuple(a[rows] for a in (block.uniforms, block.extra, block.forced, block.levels, kept))
        kernel.run(self.kind, self.table, self.layers, arrays, io, self.time, temperature, member, self.team)


def samples_ahead(dilation: int, notes: int) -> int:
    """For how many samples old taps are computed at once: a divisor of the dilation, about `COLUMNS` columns in all."""
    most = max(1, COLUMNS // notes)
    return max(n for n in range(1, min(dilation, most) + 1) if dilation % n == 0)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
