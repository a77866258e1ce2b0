"""Batches on a Ray cluster of several nodes: the same files as here, whatever is lost on the way."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from synth_explorer.batch import plan as plans
from synth_explorer.batch.run import Summary, run
from synth_explorer.files import CACHE_VARIABLE

ray = pytest.importorskip("ray", reason="no Ray: pip install -r requirements-cluster.txt")

from synth_explorer.batch.ray_executor import RayCluster  # noqa: E402

FEW = "sources: [Cello, Flute]\nmorphs: [{notes: all, at: [0.25, 0.75]}]\nfit_steps: 0\n"
MANY = FEW + "edits: [{gain: {from: -12, to: 0, steps: 24}}]\n"


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A head without a core, and two nodes with one each; this process is connected to it."""
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    )
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    nodes = [made.add_node(num_cpus=1) for _ in range(2)]
    try:
        ray.init(made.address, log_to_driver=False)
        yield SimpleNamespace(made=made, nodes=nodes, address=made.address)
    finally:
        ray.shutdown()
        made.shutdown()


def carried_out(folder: Path, spec: str, **how: Any) -> Summary:
    path = folder.with_suffix(".yaml")
    path.write_text(spec)
    return run(plans.of_spec(path), folder, **how)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_same_files_as_here(cluster: Any, tmp_path: Path) -> None:
    carried_out(tmp_path / "here", FEW, workers=1)
    done = carried_out(tmp_path / "there", FEW, executor=lambda setup, _: RayCluster(setup, None, address="auto"))
    assert done.made == 2 and not done.failures
    assert contents(tmp_path / "there") == contents(tmp_path / "here")


def test_what_is_lost_with_a_node_is_made_elsewhere(cluster: Any, tmp_path: Path) -> None:
    carried_out(tmp_path / "here", MANY, workers=1)
    lost = False

    def tell(what: str, done: int, total: int) -> None:
        nonlocal lost
        if what == "sounds" and done >= 6 and not lost:
            cluster.made.remove_node(cluster.nodes.pop(), allow_graceful=False)
            lost = True

    how = {"executor": lambda setup, _: RayCluster(setup, None, address="auto"), "progress": tell}
    done = carried_out(tmp_path / "there", MANY, **how)
    assert lost and done.made == 48 and not done.failures
    assert contents(tmp_path / "there") == contents(tmp_path / "here")
