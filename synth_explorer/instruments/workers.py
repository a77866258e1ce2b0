"""The samples of an instrument over several processes: all layers of a key, a step and a place in the round robin go
together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from synth_explorer.batch.executors import Processes
from synth_explorer.batch.worker import Failed
from synth_explorer.errors import SpecError
from synth_explorer.instruments.maker import Maker
from synth_explorer.instruments.sample import Sample, Slot
from synth_explorer.latents import Latents
from synth_explorer.rendering import Patch, renderer_of
from synth_explorer.runtime import cores

LEAST_EACH = 60
"""Samples a process, for which its start is worth it."""


@dataclass(frozen=True)
class Setup:
    """What every process knows: as of `Maker`, and the latents of the patch's notes, so that none is heard twice."""

    patch: Patch
    latents: tuple[Latents, ...]
    morph_steps: int
    release_s: float | None


class Worker:
    """Makes samples in a process of its own."""

    def __init__(self, setup: Setup) -> None:
        renderer = renderer_of(setup.patch)
        for source, latents in zip(setup.patch.sources, setup.latents, strict=True):
            renderer.remember(source, latents, fit_steps=setup.patch.fit_steps)
        self.maker = Maker(renderer, setup.patch, morph_steps=setup.morph_steps, release_s=setup.release_s)

    def __call__(self, slots: tuple[Slot, ...]) -> list[Sample]:
        return [self.maker.sample(slot) for slot in slots]


def made(maker: Maker, slots: list[Slot], *, workers: int | None = None) -> Iterator[Sample]:
    """The samples of these slots, as they are made: here, or over as many processes as are worth it.

    `workers`: processes; None: as many as are worth it. Raises SynthExplorerError: as `Maker.sample`.
    """
    count = max(1, min(cores(), len(slots) // LEAST_EACH)) if workers is None else workers
    if count == 1:
        yield from map(maker.sample, slots)
        return
    patch = maker.patch
    latents = tuple(maker.renderer.latents(source, fit_steps=patch.fit_steps) for source in patch.sources)
    setup = Setup(patch, latents, maker.morph_steps, maker.release_s)
    lots = [tuple(lot) for _, lot in groupby(slots, key=lambda slot: (slot.root, slot.step, slot.robin))]
    with Processes(setup, count, worker=Worker) as pool:
        for _, answer in pool.run(lots):
            if isinstance(answer, Failed):
                raise SpecError(f"Samples could not be made: {answer.reason}")
            for sample in answer:
                maker.keep(sample)
                yield sample
