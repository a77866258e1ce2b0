"""The steps of a slider move, of a better listening and of the final render: how long they take here."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from synth_explorer.explorer import Explorer
    from synth_explorer.explorer.decoders import Decoder
    from synth_explorer.latents import Latents

NOTE_S = 4.0
REPEATS = 15
SLOW_REPEATS = 3


def run(explorer: Explorer, *, note_s: float = NOTE_S, repeats: int = REPEATS) -> dict[str, Any]:
    """Time each step of a slider move on a synthetic note, then the fit and the checkpoint's other decoders.

    What is decoded is new each time, but for "edit and decode": gain and loudness do not go through the fast decoder's
    network, whose last answers are remembered.

    `note_s`: length of the note in seconds. `repeats`: how often each step runs after one warm-up. Returns
    `{"checkpoint": ..., "note_s": ..., "steps": {name: {"median_ms", "min_ms", "max_ms", "times_real_time"}}}`.
    """
    from synth_explorer.edits import EditChain, Gain, Oscillate
    from synth_explorer.explorer import FIT_STEPS

    note = note_of(int(note_s * explorer.sample_rate_hz), explorer.sample_rate_hz)
    latents = explorer.encode(note)
    notes = (note * np.float32(0.999**n) + np.roll(note, n) for n in itertools.count(1))
    others = (latents.replace(z=latents.z + 1e-4 * n) for n in itertools.count(1))
    chain = EditChain((Gain(db=-3.0), Oscillate(target="loudness", rate_hz=5.0, depth=3.0)))
    steps: dict[str, Callable[[], Any]] = {
        "estimate pitch": lambda: explorer.estimate_pitch(note),
        "encode, pitch told": lambda: explorer.encode(note, pitch=latents.pitch_midi),
        "encode": lambda: explorer.encode(note),
        "decode, numba": lambda: explorer.decode(next(others), engine="numba"),
        "decode, keras": lambda: explorer.decode(next(others), engine="keras"),
        "edit and decode": lambda: explorer.decode(explorer.edit(latents, chain)),
        "encode and decode": lambda: explorer.decode(explorer.encode(next(notes))),
        "morph, edit and decode": lambda: explorer.decode(
            explorer.edit(explorer.morph([latents, next(others)], (0.5, 0.5)), chain)
        ),
    }
    slow: dict[str, Callable[[], Any]] = {}
    if explorer.decoders[0].answers_at_once:
        pitch = latents.pitch_midi
        slow[f"encode, {FIT_STEPS} steps of fit"] = lambda: explorer.encode(note, pitch=pitch, fit_steps=FIT_STEPS)
    for decoder in explorer.decoders[1:]:
        listened = explorer.encode(note, enhance=decoder.reads_enhancement)
        kind = steps if decoder.answers_at_once else slow
        kind[f"decode, {decoder}"] = partial(_decoded, explorer, listened, decoder, itertools.count(1))
        if not decoder.answers_at_once:
            slow[f"first chunk, {decoder}"] = partial(_first_chunk, explorer, listened, decoder)
    times = {name: _timed(step, note_s=note_s, repeats=repeats) for name, step in steps.items()}
    times |= {name: _timed(step, note_s=note_s, repeats=min(repeats, SLOW_REPEATS)) for name, step in slow.items()}
    return {
        "checkpoint": explorer.checkpoint_name,
        "note_s": note_s,
        "steps": times,
    }


def _decoded(explorer: Explorer, latents: Latents, decoder: Decoder, turns: Iterator[int]) -> np.ndarray:
    """The sound of latents that are new each time."""
    return explorer.decode(latents.replace(z=latents.z + 1e-4 * next(turns)), decoder=decoder)


def _first_chunk(explorer: Explorer, latents: Latents, decoder: Decoder) -> np.ndarray:
    """The beginning of a stream, which is then left."""
    stream = explorer.stream(latents, decoder=decoder)
    first = next(stream)
    stream.close()
    return first


def note_of(samples: int, sample_rate_hz: int) -> np.ndarray:
    """A decaying note of ten partials at middle C."""
    time_s = np.arange(samples) / sample_rate_hz
    wave = sum(np.sin(2.0 * np.pi * 261.63 * k * time_s) / k for k in range(1, 11))
    return (0.1 * wave * np.exp(-time_s)).astype(np.float32)


def _timed(step: Callable[[], Any], *, note_s: float, repeats: int) -> dict[str, float]:
    """Wall-clock times of a step, after one call to warm up."""
    step()
    times_ms = []
    for _ in range(repeats):
        start = time.perf_counter()
        step()
        times_ms.append(1000.0 * (time.perf_counter() - start))
    median = statistics.median(times_ms)
    return {
        "median_ms": median,
        "min_ms": min(times_ms),
        "max_ms": max(times_ms),
        "times_real_time": 1000.0 * note_s / median,
    }
