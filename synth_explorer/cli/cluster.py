"""Where the work of a command is done: here, or on a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

if TYPE_CHECKING:
    from synth_explorer.batch.executors import Executor
    from synth_explorer.batch.worker import Setup

Ray = Annotated[
    str | None,
    typer.Option("--ray", metavar="ADDRESS|local", help="Work on a Ray cluster (docs/cluster.md), or one here."),
]


class Place(NamedTuple):
    """Where it is done, and by how many."""

    workers: int | None
    ray: str | None  # address of a cluster

    def executor(self) -> Callable[[Setup, int], Executor]:
        """What makes it be done there. Raises SpecError: Ray is not installed."""
        if self.ray is None:
            from synth_explorer.batch.run import executor_for

            return executor_for
        from synth_explorer.batch import ray_executor

        ray_executor.check()
        address, workers = self.ray, self.workers
        return lambda setup, _: ray_executor.RayCluster(setup, workers, address=address)
