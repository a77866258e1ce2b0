"""Many different sounds of one process, and whether its memory stays as it is."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from synth_explorer.rendering import Renderer

LOOKS, WARM = 10, 200


def patches(renderer: Renderer, sources: list[Any], count: int) -> Iterator[Any]:
    """Patches that all differ: of two to four notes, with edits that are solved in every tenth one."""
    from synth_explorer.edits import Brightness, EditChain, Gain
    from synth_explorer.rendering import Mix

    chance = random.Random(7)
    for number in range(count):
        notes = chance.sample(sources, chance.randint(2, 4))
        edits = EditChain((Gain(db=round(chance.uniform(-9, 3), 3)), Brightness(round(chance.uniform(-1, 1), 3))))
        yield renderer.patch(
            *notes,
            mix=Mix.at(chance.random(), chance.random()),
            edits=EditChain() if number % 10 else edits,
            fit_steps=0,
            seed=number,
        )


def measured(count: int) -> Iterator[str]:
    """Render so many, and say what the process takes after each tenth of them."""
    from synth_explorer.assets import example_notes
    from synth_explorer.explorer import Explorer
    from synth_explorer.rendering import Renderer, Source

    renderer, process = Renderer(Explorer.load("default")), psutil.Process()
    sources = [Source.of(note.name) for note in example_notes()]
    began_s = time.perf_counter()
    for number, patch in enumerate(patches(renderer, sources, count), 1):
        renderer.render(patch)
        if number % max(1, count // LOOKS) == 0 or number == WARM:
            rss_mb, took_s = process.memory_info().rss / 2**20, time.perf_counter() - began_s
            taken = f"{rss_mb:6.0f} MB, {process.num_fds()} files, {process.num_threads()} threads"
            yield f"{number:6} renders, {took_s:5.0f} s: {taken}"
