"""Which products many notes take where the user leaves the engine to us: measured here, once a shape, and remembered.

The engines that give float32 are the ways of the numba engine, see `transforms.Scheme`. Keras' loop is none of them: on
a CPU it took 2.6 to 7 times as long at every batch that was measured, and half a minute to compile.

Shapes: B notes.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock

import numpy as np

from synth_explorer.decode.wavenet.lanes import FEATURES, PROCESSOR
from synth_explorer.decode.wavenet.numba_engine import NumbaEngine
from synth_explorer.decode.wavenet.packing import PackedStack
from synth_explorer.decode.wavenet.session import Block, Scheme, Way
from synth_explorer.decode.wavenet.transforms import schemes, usual_way
from synth_explorer.files import UNREADABLE, cache_folder, write_text
from synth_explorer.model.stack import Stack

VERSION = 1  # of the engine, for what was measured before it changed
FEWEST_NOTES = 4  # fewer are bound by reading weights, which plain products read least of
PROBE_BYTES = 32e6  # of layers that are timed: all of a small network, and of a large one more than caches hold
SLICE_S, ROUNDS, MOST_SAMPLES = 0.025, 5, 4096
CLOCK = time.perf_counter if sys.platform == "win32" else time.thread_time  # the other ticks too slowly there
MARGIN = 1.05  # what takes more memory has to be faster by so much


class Chooser:
    """Chooses for a stack, from this process' memory, the user's cache folder, or a measurement of 0.4 s and more."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._ways: dict[int, Way] = {}
        self._measuring = Lock()

    def __call__(self, packed: PackedStack, notes: int) -> Way:
        """The way for a group of so many notes; what was measured for a power of two holds up to the next."""
        possible = schemes(packed)
        if notes < FEWEST_NOTES or len(possible) == 1:
            return usual_way(packed, notes)
        notes = 1 << notes.bit_length() - 1
        with self._measuring:
            if notes not in self._ways:
                path = cache_folder() / f"wavenet-{_key(self.stack, notes)}.json"
                step_us = _read(path, possible)
                if not step_us:
                    step_us = _measure(self.stack, possible, notes)
                    _remember(path, step_us)
                self._ways[notes] = _best(step_us)
            return self._ways[notes]


def _best(step_us: dict[Scheme, float]) -> Way:
    """The first way, in order of the memory they take, that is about as fast as the fastest."""
    enough = MARGIN * min(step_us.values())
    good: list[Scheme] = [scheme for scheme, step in step_us.items() if step <= enough]
    return Way(good[0], "measured: " + ", ".join(f"{name} {step:.0f} us" for name, step in step_us.items()))


def _measure(stack: Stack, possible: Sequence[Scheme], notes: int) -> dict[Scheme, float]:
    """Microseconds of a step of the stack's first layers by each scheme, in turns, the best of `ROUNDS`.

    One thread's own time, so that other programs' shares of the cores do not decide.
    """
    layer = stack.layers[0]
    each = 4 * (layer.dilated.size + layer.residual.size + layer.skip.size)
    probe = replace(stack, layers=stack.layers[: max(2, int(PROBE_BYTES // each))])
    rng = np.random.default_rng(0)
    frames = rng.standard_normal((notes, MOST_SAMPLES // stack.hop + 1, stack.channels)).astype(np.float32)
    engine, sessions = NumbaEngine(probe, threads=1), {}
    for scheme in possible:
        way = Way(scheme, "timed")
        engine.choose = lambda *_, way=way: way
        sessions[scheme] = engine.open(frames, temperature=1.0)
    counts, times = dict.fromkeys(possible, 1), {scheme: [0.0] for scheme in possible}
    for _ in range(ROUNDS + 2):  # the first compiles, the second says how many samples make a slice
        for scheme, session in sessions.items():
            count = counts[scheme]
            extra = np.zeros((notes, count, stack.inputs - 1), np.float32)
            forced = np.full((notes, count), np.nan, np.float32)
            block = Block(rng.random((notes, count)), extra, forced, np.zeros((notes, count), np.int32))
            began = CLOCK()
            session.advance(block)
            times[scheme].append((CLOCK() - began) / count)
            counts[scheme] = min(MOST_SAMPLES // (ROUNDS + 2), max(2, int(SLICE_S / max(times[scheme][-1], 1e-6))))
    engine.pool.shutdown()
    return {scheme: 1e6 * min(times[scheme][-ROUNDS:]) for scheme in possible}


def _key(stack: Stack, notes: int) -> str:
    """What a measurement holds for: processor, engine, sizes and notes."""
    layers = [(layer.dilation, layer.dilated.shape[0]) for layer in stack.layers]
    sizes = [stack.width, stack.skip_width, stack.levels, stack.inputs, layers]
    text = json.dumps([VERSION, PROCESSOR, sorted(FEATURES), sizes, notes])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _read(path: Path, possible: Sequence[Scheme]) -> dict[Scheme, float]:
    """What was measured before; nothing where there is no file, or none of use."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["step_us"]
        step_us: dict[Scheme, float] = {scheme: float(found[scheme]) for scheme in possible}
    except (*UNREADABLE, TypeError):
        return {}
    return step_us if all(0.0 < step < 1e9 for step in step_us.values()) else {}


def _remember(path: Path, step_us: dict[Scheme, float]) -> None:
    """Keep a measurement for the next process; where nothing can be written, that one measures again."""
    try:
        write_text(path, json.dumps({"step_us": step_us}) + "\n")
    except OSError:
        return
