"""The CPU engine: sessions of the Numba kernel, on one or several cores.

Shapes: B notes, T samples, F frames, C conditioning channels, W width, S skip width, Q levels.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import Lock
from typing import Any, Literal

import numpy as np

from synth_explorer.decode.wavenet import kernel
from synth_explorer.decode.wavenet.levels import input_table
from synth_explorer.decode.wavenet.packing import DTYPES, STAGED, PackedStack, aligned, in_quads, pack, padded
from synth_explorer.decode.wavenet.session import Block
from synth_explorer.decode.wavenet.transforms import (
    SavingLayer,
    can_filter,
    can_take_seven,
    filtered,
    from_memory,
    phases,
    saving_layers,
)
from synth_explorer.model.stack import Stack
from synth_explorer.runtime import cores

COLUMNS = 16  # samples ahead times notes that one product of old taps takes
LATE_S = 0.03  # a team that needs longer for a slice of 15 ms has lost its cores to other programs
TRY_AGAIN_S = 2.0  # how often the slower number of threads is tried again
FILTER_NOTES = 4, 8  # from how many notes of a group on filtering pays, for weights from caches and from memory
SEVEN_NOTES = 32  # and Strassen's products


class NumbaEngine:
    """Packed weights, and threads to run sessions on.

    A session holds past inputs, 4 (K - 1) d W bytes a note and layer, and for many notes in float32 the products of
    `minimal` (at most `transforms.KEPT_BYTES` a group), whatever the time: 1.6 GB for 64 notes of NSynth's network,
    0.8 GB without them. Their transformed weights are made when first wanted and stay: for NSynth 252 MB below
    `SEVEN_NOTES` notes, 520 MB from there on, beside the 237 MB of the plain ones.
    """

    name = "numba"

    def __init__(self, stack: Stack, *, precision: str = "float32", threads: int | None = None) -> None:
        self.precision = precision
        self.packed = pack(stack, precision)
        self.threads = threads or cores()
        self.budget = int(LATE_S * ticks_a_second())
        self._quads: tuple[tuple[np.ndarray, np.ndarray], ...] = ()
        self._savings: dict[bool, tuple[SavingLayer, ...]] = {}
        self._packing = Lock()
        self.alone = Lock()  # two teams at once would wait for each other's threads
        self.pool = ThreadPoolExecutor(max(1, self.threads - 1), thread_name_prefix="wavenet")

    def saving(self, notes: int) -> tuple[bool, tuple[SavingLayer, ...]] | None:
        """Whether a group of so many notes takes Strassen's products, and its transformed weights; None: plain ones."""
        scheme = saving_scheme(self.packed, notes)
        if scheme == "plain":
            return None
        seven = scheme == "seven"
        with self._packing:
            if seven not in self._savings:
                self._savings[seven] = saving_layers(self.packed, seven=seven)
        return seven, self._savings[seven]

    def quads(self, notes: int) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
        """Weights of each layer's gates and sums as one note reads them from caches; () where that is not so."""
        packed = self.packed
        if notes > 1 or from_memory(packed) or packed.width % 64 or packed.skip % 64:
            return ()
        with self._packing:
            self._quads = self._quads or in_quads(packed)
        return self._quads

    def open(self, conditioning: np.ndarray, *, temperature: float) -> NumbaSession:
        """A session at time 0: conditioning [B, F, C]."""
        return NumbaSession(self, conditioning, temperature)


class NumbaSession:
    """A batch in progress."""

    def __init__(self, engine: NumbaEngine, conditioning: np.ndarray, temperature: float) -> None:
        self.engine = engine
        self.temperature = temperature
        groups = self._groups(len(conditioning))
        self.crew = Crew(groups[0][2])
        self.groups = [
            Group(
                engine.packed, conditioning[a:b], engine.saving(b - a), engine.quads(b - a), team=team, rows=slice(a, b)
            )
            for a, b, team in groups
        ]

    def _groups(self, notes: int) -> list[tuple[int, int, int]]:
        """First note, last note and number of threads of each group."""
        threads = self.engine.threads
        if from_memory(self.engine.packed) or notes == 1:
            return [(0, notes, threads)]
        count = min(threads, notes)
        return [(notes * i // count, notes * (i + 1) // count, 1) for i in range(count)]

    def advance(self, block: Block) -> None:
        """Generate the samples of a block; see `Block`."""
        if len(self.groups) > 1:
            self._run(block, 1)
            return
        begin = 0
        while begin < block.samples:
            part = block.part(begin, begin + self.crew.samples(block.samples - begin))
            with self.engine.alone:
                began = time.perf_counter()
                done = self._run(part, self.crew.size)
                self.crew.took(time.perf_counter() - began, done, part.samples)
            begin += done

    def _run(self, block: Block, team: int) -> int:
        """Run the groups side by side, each with a team of its own; returns the samples done by the first."""
        for group in self.groups:
            group.begin(block)
        jobs = [(group, member) for group in self.groups for member in range(team)]
        words = team, self.temperature, self.engine.budget
        others = [self.engine.pool.submit(group.run, member, *words) for group, member in jobs[1:]]
        done = [jobs[0][0].run(0, *words), *(other.result() for other in others)]
        for (group, member), samples in zip(jobs, done, strict=True):
            if member == 0:
                group.end(samples)
        return done[0]


class Group:
    """Some notes of a batch, their state, and the tables that the kernel reads."""

    def __init__(
        self,
        packed: PackedStack,
        frames: np.ndarray,
        saving: tuple[bool, tuple[SavingLayer, ...]] | None,
        quads: tuple[tuple[np.ndarray, np.ndarray], ...],
        *,
        team: int,
        rows: slice,
    ) -> None:
        self.team, self.rows, self.time = team, rows, 0
        self.packed = packed
        notes = len(frames)
        width, skip, levels = packed.width, packed.skip, padded(packed.levels)
        self.kind = DTYPES[packed.precision](0)
        staged = np.dtype(STAGED[packed.precision])

        def room(*shape: int, kind: type = np.float32) -> np.ndarray:
            return aligned(np.zeros(shape, kind))

        self.stream = room(notes, width + skip)
        self.gated = room(notes, width)
        self.staged = room(team, notes, width, kind=staged.type)
        self.staged_scale = room(team, notes)
        self.hidden, self.logits, self.weights = room(notes, skip), room(notes, levels), room(notes, levels)
        self.condition = room(notes, packed.condition.shape[1])
        self.history = room(team, notes, packed.start.weights.shape[1])
        self.previous = room(notes)
        self.nothing = room(max(2 * width + skip, levels))
        self.counter = room(16, kind=np.int64)
        self.quit_at = room(1, kind=np.int64)
        self.frames = np.ascontiguousarray(frames)
        self.inputs_of_levels = input_table(packed.levels)
        table = np.zeros(kernel.FIELDS, np.int64)
        table[:5] = width, skip, packed.levels, packed.hop, self.kind.itemsize
        table[kernel.STAGED_BYTES], table[kernel.CONDITION_STRIDE] = staged.itemsize, self.condition.strides[0]
        for field, array in {
            kernel.STREAM: self.stream,
            kernel.GATED: self.gated,
            kernel.STAGED: self.staged,
            kernel.STAGED_SCALE: self.staged_scale,
            kernel.HIDDEN: self.hidden,
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
        }.items():
            table[field] = array.ctypes.data
        if saving is not None:
            seven = saving[0]
            most = max(layer.taps for layer in packed.layers) * (7 if seven else 1)
            columns = (notes + 1) // 2 if seven else notes
            terms = room(team, most, columns, width // 2 if seven else width)
            products, rows_of = room(team, most, columns, 32 if seven else 64), room(team, 6, width)
            self.scratch = terms, products, rows_of
            table[kernel.SEVEN : kernel.START_W] = (
                seven, *(a.ctypes.data for a in self.scratch), terms.nbytes // team, products.nbytes // team,
            )  # fmt: skip
        table[kernel.QUADS] = len(quads) > 0
        self.table = table
        self.layers = np.zeros((len(packed.layers), kernel.LAYER_FIELDS), np.int64)
        self.kept: list[Any] = [quads]
        savings = saving[1] if saving is not None else [SavingLayer(None, None, None)] * len(packed.layers)
        pairs = filtered(packed, notes) if saving is not None else [False] * len(packed.layers)
        moments = phases([layer.dilation for layer in packed.layers])
        for row, layer, less, paired, phase in zip(self.layers, packed.layers, savings, pairs, moments, strict=True):
            ahead = 1 if paired else samples_ahead(layer.dilation, notes)
            slots = (layer.taps - 1) * layer.dilation + ahead
            ring = room(slots, notes, width, kind=staged.type)
            if staged == np.uint8:
                ring += 128  # zero
            ring_scale, gates = room(slots, notes), room(ahead, notes, 2 * width)
            self.kept += [ring, ring_scale, gates]
            if paired:
                assert less.first is not None and less.second is not None
                self.kept.append(room(layer.dilation, width // 32, notes, 64))
                row[kernel.FIRST_W], row[kernel.SECOND_W] = less.first.ctypes.data, less.second.ctypes.data
                row[kernel.KEPT], row[kernel.PHASE] = self.kept[-1].ctypes.data, phase
            if less.sums is not None:
                row[kernel.SEVEN_SUM_W] = less.sums.ctypes.data
            old = layer.old or layer.gates
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
                kernel.OLD_W: old.weights,
                kernel.OLD_SCALE: old.scale,
                kernel.OLD_INIT: old.init,
                kernel.ZEROS: self.nothing,
            }.items():
                row[field] = array.ctypes.data
        for row, (gates, sums) in zip(self.layers, quads, strict=False):  # none, or one for each
            row[kernel.GATE_W], row[kernel.SUM_W] = gates.ctypes.data, sums.ctypes.data

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


class Crew:
    """Whether all threads or one alone advance a group: whichever was faster of late.

    Threads that share a layer wait for one another twice a layer. Where other programs keep a core busy, that costs
    more than it gains, so both ways are timed, and the slower one is tried again now and then. Samples stay the same.
    """

    def __init__(self, most: int) -> None:
        self.sizes = (most, 1) if most > 1 else (1,)
        self.size = most
        self.one_s: dict[int, float] = {}
        self._calls = 0
        self._tried = time.perf_counter()

    def samples(self, wanted: int) -> int:
        """Choose `size` for the next samples; returns for how many."""
        untimed = [size for size in self.sizes if size not in self.one_s]
        if untimed:
            self.size = untimed[0]
            return min(wanted, max(1, wanted // 2))
        best = min(self.sizes, key=lambda size: self.one_s[size])
        self.size = best
        if len(self.sizes) > 1 and time.perf_counter() - self._tried > TRY_AGAIN_S:
            self._tried = time.perf_counter()
            self.size = next(size for size in self.sizes if size != best)
            return max(1, wanted // 8)
        return wanted

    def took(self, seconds: float, done: int, wanted: int) -> None:
        """Note how long `done` of `wanted` samples took; the first call, which may compile, does not count."""
        self._calls += 1
        if self._calls == 1:
            return
        one_s = seconds / done
        before = self.one_s.get(self.size, one_s)
        self.one_s[self.size] = one_s if done < wanted else 0.7 * before + 0.3 * one_s


def saving_scheme(packed: PackedStack, notes: int) -> Literal["plain", "pairs", "seven"]:
    """Which products a group of so many notes takes: plain ones, minimal filtering, or that and Strassen's."""
    if notes < FILTER_NOTES[from_memory(packed)] or not can_filter(packed):
        return "plain"
    return "seven" if notes >= SEVEN_NOTES and can_take_seven(packed) else "pairs"


def samples_ahead(dilation: int, notes: int) -> int:
    """For how many samples old taps are computed at once: a divisor of the dilation, about `COLUMNS` columns in all."""
    most = max(1, COLUMNS // notes)
    return max(n for n in range(1, min(dilation, most) + 1) if dilation % n == 0)


@cache
def ticks_a_second() -> float:
    """Measured rate of the processor's clock; 0 where there is none."""
    kernel.clock()
    began, first = time.perf_counter(), kernel.clock()
    time.sleep(0.005)
    last, ended = kernel.clock(), time.perf_counter()
    return (last - first) / (ended - began)
