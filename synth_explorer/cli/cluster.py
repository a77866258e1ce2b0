"""Where the work of a command is done: here, or on a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from synth_explorer.batch.errands import Errand
    from synth_explorer.batch.executors import Executor
    from synth_explorer.batch.worker import Setup

Ray = Annotated[
    str | None,
    typer.Option("--ray", metavar="ADDRESS|local", help="Work on a Ray cluster (docs/cluster.md), or one here."),
]


Workers = Annotated[
    int | None, typer.Option("--workers", min=1, max=1024, help="Processes; else as many as are worth their start.")
]


@dataclass(frozen=True)
class Place:
    """Where it is done, and by how many."""

    workers: Workers = None
    ray: Ray = None  # address of a cluster

    def executor(self) -> Callable[[Setup, int], Executor]:
        """What makes a batch there. Raises SpecError: Ray is not installed."""
        if self.ray is None:
            from synth_explorer.batch.run import executor_for

            return executor_for
        from synth_explorer.batch import ray_executor

        ray_executor.check()
        return partial(self._cluster, self.ray)

    def errands(self) -> Callable[[Errand[Any, Any], int], Executor]:
        """What does errands there. Raises SpecError: Ray is not installed."""
        from synth_explorer.batch import errands

        if self.ray is None:
            return errands.executor_for
        from synth_explorer.batch import ray_executor

        ray_executor.check()
        return partial(
            self._cluster, self.ray, worker=errands.Errands, sender=errands.Sender, receiver=errands.Receiver
        )

    def _cluster(self, address: str, setup: Any, _: int, **how: Any) -> Executor:
        from synth_explorer.batch.ray_executor import RayCluster

        return RayCluster(setup, self.workers, address=address, **how)
