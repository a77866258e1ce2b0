"""Samples made over processes are those that one makes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pytest

from synth_explorer.batch.worker import Failed
from synth_explorer.errors import SpecError
from synth_explorer.instruments import Instrument, Plan, make, workers
from synth_explorer.rendering import Patch, Renderer, renderer_of
from tests.fake_family import LongFamily, fake_explorer


class InTurns:
    """Stands for `Processes`: as many workers, in this process, that take lots in turns and answer late first."""

    dies = False

    def __init__(self, setup: Any, count: int, *, worker: Any) -> None:
        self.workers = [worker(setup) for _ in range(count)]

    def __enter__(self) -> InTurns:
        return self

    def __exit__(self, *error: object) -> None: ...

    def run(self, tasks: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
        done = [(task, self.workers[at % len(self.workers)](task)) for at, task in enumerate(tasks)]
        yield from done[::-1]
        if self.dies:
            yield done[0][0], Failed("the process that made it died 3 times; is there enough memory?")


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> type[InTurns]:
    monkeypatch.setattr(workers, "Processes", InTurns)
    monkeypatch.setattr(workers, "renderer_of", lambda patch: Renderer(fake_explorer(LongFamily)))
    monkeypatch.setattr(InTurns, "dies", False)
    return InTurns


def same(one: Instrument, other: Instrument) -> bool:
    pairs = list(zip(one.samples, other.samples, strict=True))
    assert [a.slot for a, _ in pairs] == [b.slot for _, b in pairs] == one.plan.slots
    return all(np.array_equal(a.audio, b.audio) and (a.loop, a.cents) == (b.loop, b.cents) for a, b in pairs)


@pytest.mark.slow
def test_several_workers_make_what_one_makes(
    renderer: Renderer, pair: Patch, morphing: Instrument, turns: type[InTurns]
) -> None:
    done: list[tuple[int, int]] = []
    plan = morphing.plan
    made = make(renderer, pair, plan, name="again", processes=3, progress=lambda *at: done.append(at))
    assert same(made, morphing) and made.differences_db == morphing.differences_db
    assert done == [(count, 12) for count in range(1, 13)]


def test_a_worker_that_dies_is_an_error(
    renderer: Renderer, held: Patch, turns: type[InTurns], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "dies", True)
    with pytest.raises(SpecError, match="enough memory"):
        make(renderer, held, Plan(60, 60, 1, 1), name="x", processes=2)


def test_few_samples_need_no_process(renderer: Renderer, held: Patch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "Processes", None)
    assert len(make(renderer, held, Plan(60, 60, 1, 1), name="x", processes=None).samples) == 1


@pytest.mark.long
def test_real_processes_of_the_bundled_model() -> None:
    patch, plan = Patch.of("Cello", "Flute", fit_steps=2), Plan(48, 60, 6, 2, 2, 2)
    alone, shared = (make(renderer_of(patch), patch, plan, name="x", processes=count) for count in (1, 2))
    assert same(alone, shared)
