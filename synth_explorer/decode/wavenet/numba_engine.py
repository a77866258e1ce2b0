"""The CPU engine: sessions of the Numba kernel, on one or several cores.

Shapes: B notes, T samples, F frames, C conditioning channels.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import Lock

import numpy as np

from synth_explorer.decode.wavenet import kernel
from synth_explorer.decode.wavenet.crew import Crew
from synth_explorer.decode.wavenet.group import Group, Quads
from synth_explorer.decode.wavenet.packing import PackedStack, in_quads, pack
from synth_explorer.decode.wavenet.session import Block, Scheme, Way
from synth_explorer.decode.wavenet.transforms import Saving, from_memory, saving, usual_way
from synth_explorer.model.stack import Stack
from synth_explorer.runtime import cores

LATE_S = 0.03  # a team that needs longer for a slice of 15 ms has lost its cores to other programs


class NumbaEngine:
    """Packed weights, and threads to run sessions on.

    A session holds past inputs, 4 (K - 1) d W bytes a note and layer, and for many notes in float32 the products of
    `minimal` (at most `transforms.KEPT_BYTES` a group), whatever the time: 1.6 GB for 64 notes of NSynth's network,
    0.8 GB without them. Their transformed weights are made when first wanted and stay: for NSynth 252 MB for filtering
    alone and 520 MB with Strassen's products, beside the 237 MB of the plain ones.

    `choose`: says from the packed weights and the number of a group's notes which products it takes.
    """

    name = "numba"

    def __init__(
        self,
        stack: Stack,
        *,
        precision: str = "float32",
        threads: int | None = None,
        choose: Callable[[PackedStack, int], Way] = usual_way,
    ) -> None:
        self.precision = precision
        self.packed = pack(stack, precision)
        self.threads = threads or cores()
        self.budget = int(LATE_S * ticks_a_second())
        self.choose = choose
        self._quads: Quads = ()
        self._savings: dict[Scheme, Saving] = {}
        self._packing = Lock()
        self.alone = Lock()  # two teams at once would wait for each other's threads
        self.pool = ThreadPoolExecutor(max(1, self.threads - 1), thread_name_prefix="wavenet")

    def groups(self, notes: int) -> list[tuple[int, int, int]]:
        """First note, last note and number of threads of each group that a batch is decoded in."""
        if from_memory(self.packed) or notes == 1:
            return [(0, notes, self.threads)]
        count = min(self.threads, notes)
        return [(notes * i // count, notes * (i + 1) // count, 1) for i in range(count)]

    def way(self, notes: int) -> Way:
        """Which products a batch takes, and why: its first group."""
        first, last, _ = self.groups(notes)[0]
        return self.choose(self.packed, last - first)

    def saving(self, notes: int) -> Saving | None:
        """The transformed weights that a group of so many notes takes; None: plain products."""
        scheme = self.choose(self.packed, notes).scheme
        if scheme == "plain":
            return None
        with self._packing:
            if scheme not in self._savings:
                self._savings[scheme] = saving(self.packed, seven=scheme == "seven")
        return self._savings[scheme]

    def quads(self, notes: int) -> Quads:
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
        groups = engine.groups(len(conditioning))
        self.crew = Crew(groups[0][2])
        self.groups = [
            Group(
                engine.packed, conditioning[a:b], engine.saving(b - a), engine.quads(b - a),
                team=team, rows=slice(a, b),
            )
            for a, b, team in groups
        ]  # fmt: skip

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


@cache
def ticks_a_second() -> float:
    """Measured rate of the processor's clock; 0 where there is none."""
    kernel.clock()
    began, first = time.perf_counter(), kernel.clock()
    time.sleep(0.005)
    last, ended = kernel.clock(), time.perf_counter()
    return (last - first) / (ended - began)
