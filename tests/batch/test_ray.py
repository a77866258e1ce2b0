"""Batches on a real Ray cluster of several nodes: the same files as here, whatever is lost on the way."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from synth_explorer.batch import errands, ray_executor
from synth_explorer.batch import plan as plans
from synth_explorer.batch.executors import TRIES
from synth_explorer.batch.ray_executor import RayCluster
from synth_explorer.batch.run import Summary, run
from synth_explorer.batch.worker import Answer, Make, Setup, Task, Worker
from synth_explorer.errors import SpecError
from synth_explorer.files import CACHE_VARIABLE, cache_folder
from tests.cli.shell import failing, ok, refused
from tests.conftest import REPOSITORY
from tests.data import tiny_soundfont

FEW = "sources: [Cello, Flute]\nmorphs: [{notes: all, at: [0.25, 0.75]}]\nfit_steps: 0\n"
MANY = FEW + "edits: [{gain: {from: -12, to: 0, steps: 24}}]\n"
TRACES = "RAY_TEST_TRACES"


class Traced(Worker):
    """A worker that leaves its node's name, and dies of one sound if it is told to: once or often."""

    def __call__(self, task: Task) -> Answer:
        import ray

        traces = Path(os.environ[TRACES])
        (traces / ray.get_runtime_context().get_node_id()).touch()
        if isinstance(task, Make) and task.lot[0].file.startswith("Cello+Flute_0.25"):
            for deadly in traces.glob("deadly*"):
                if deadly.name == "deadly once":
                    deadly.unlink()
                os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(task)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A head without a core, and two nodes with one each; this process is connected to it."""
    ray = pytest.importorskip("ray", reason="no Ray: pip install -r requirements-cluster.txt")
    from ray.cluster_utils import Cluster

    folder = tmp_path_factory.mktemp("cluster")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("PYTHONPATH", str(REPOSITORY))
        patch.setenv(CACHE_VARIABLE, str(folder / "cache"))
        patch.setenv(TRACES, str(folder))
        made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
        try:
            nodes = [made.add_node(num_cpus=1) for _ in range(2)]
            ray.init(made.address, log_to_driver=False)
            yield SimpleNamespace(made=made, nodes=nodes, traces=folder)
        finally:
            ray.shutdown()
            made.shutdown()


def traced(setup: Setup, workers: int) -> RayCluster:
    return RayCluster(setup, None, address="auto", worker=Traced)


def carried_out(folder: Path, spec: str, **how: Any) -> Summary:
    path = folder.with_suffix(".yaml")
    path.write_text(spec)
    return run(plans.of_spec(path), folder, **how)


def contents(folder: Path) -> dict[str, bytes]:
    """All files of a folder; none where there is none."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.long
def test_the_same_files_as_here_by_every_node(cluster: Any, tmp_path: Path) -> None:
    carried_out(tmp_path / "here", MANY, workers=1)
    done = carried_out(tmp_path / "there", MANY, executor=traced)
    assert done.made == 48 and not done.failures
    assert contents(tmp_path / "there") == contents(tmp_path / "here")
    assert {path.name for path in cluster.traces.iterdir()} >= {node.node_id for node in cluster.nodes}


@pytest.mark.long
def test_actors_without_a_core_keep_nobody_waiting(cluster: Any, tmp_path: Path) -> None:
    """More are asked for than the cluster has cores."""
    many = carried_out(tmp_path / "there", FEW, executor=lambda setup, _: RayCluster(setup, 5, address="auto"))
    assert many.made == 2 and not many.failures


@pytest.mark.long
def test_what_waits_for_a_core_says_so(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import ray

    class Taken:
        """Holds a core."""

    monkeypatch.setattr(ray_executor, "PATIENCE_S", 1.0)
    held = [ray.remote(num_cpus=1)(Taken).remote() for _ in range(2)]
    ray.get([one.__ray_ready__.remote() for one in held])

    class Freeing(RayCluster):
        """Ends what holds the cores as soon as somebody was told."""

        def _done(self, begun: Any) -> list[Any]:
            found = super()._done(begun)
            while caplog.records and held:
                ray.kill(held.pop())
            return found

    done = carried_out(tmp_path / "there", FEW, executor=lambda setup, _: Freeing(setup, None, address="auto"))
    assert done.made == 2 and not held and "0 of the cluster's 2 cores are free" in caplog.text


@pytest.mark.long
def test_a_folder_of_notes_is_encoded_to_the_same_files(cluster: Any, note_file: Any, tmp_path: Path) -> None:
    for midi in (50, 60):
        note_file(f"notes/{midi}.wav", midi=midi, seconds=0.5)
    (tmp_path / "notes" / "bad.wav").write_text("no sound")
    words = ("encode", tmp_path / "notes", "--fit-steps", 2, "-o")
    failing(*words, tmp_path / "here")
    said, errors = failing(*words, tmp_path / "there", "--ray", "auto")
    assert sorted(said) == [str(tmp_path / "there" / name) for name in ("50.npz", "60.npz")]
    assert [str(tmp_path / "notes" / "bad.wav") in line for line in errors if line.startswith("error")] == [True]
    assert contents(tmp_path / "there") == contents(tmp_path / "here")


@pytest.fixture
def notes(note_file: Any, tmp_path: Path) -> Path:
    """Four notes of two pitches with their index, and one that is no sound."""
    lines = ["path,pitch"]
    for name, midi in (("a", 60), ("b", 60), ("c", 67), ("d", 67)):
        note_file(f"notes/{name}.wav", midi=midi, seconds=0.5, harmonics=3 + ord(name) % 4)
        lines.append(f"{name}.wav,{midi}")
    (tmp_path / "notes" / "bad.wav").write_text("no sound")
    (tmp_path / "notes" / "index.csv").write_text("\n".join([*lines, "bad.wav,60"]))
    return tmp_path / "notes"


@pytest.mark.long
@pytest.mark.parametrize("words", ["reconstruction", "morph", "controls --controls gain --methods solved,none"])
def test_an_evaluation_has_the_same_figures_and_files(cluster: Any, notes: Path, tmp_path: Path, words: str) -> None:
    kind, *options = words.split()
    if kind == "reconstruction":
        (notes / "index.csv").write_text((notes / "index.csv").read_text() + "\nmissing.wav,60")
    found = []
    for place in ("--workers 1", "--workers 2", "--ray auto"):
        out = tmp_path / place.replace(" ", "")
        kept = () if kind == "controls" else ("--save-audio", out)
        given = ("--fit-steps", 2, *options, *kept, *place.split())
        _, errors = failing("evaluate", kind, notes, "-o", out.with_suffix(".json"), *given)
        assert any("bad.wav" in line for line in errors)
        found.append((json.loads(out.with_suffix(".json").read_text()), contents(out)))
    assert found[0] == found[1] == found[2]
    assert found[0][0]["per_note"] and len(found[0][1]) == {"reconstruction": 4, "morph": 6, "controls": 0}[kind]


@pytest.mark.long
def test_a_dataset_has_the_same_files(cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        import fluidsynth  # noqa: F401
    except (ImportError, OSError) as error:
        pytest.skip(f"FluidSynth is not installed: {error}")
    monkeypatch.setattr(errands, "LARGE_BYTES", 1000)  # as if it were a large one
    font = tiny_soundfont.write(tmp_path / "Tiny.sf2")
    words = ("dataset", "render", font, "--pitch-step", 6, "--velocities", "60,120", "-o")
    for place in ("--workers 1", "--workers 2", "--ray auto"):
        ok(*words, tmp_path / place.replace(" ", ""), *place.split())
    here = contents(tmp_path / "--workers1")
    assert len(here) == 2 + 2 * 2 + 1 and here == contents(tmp_path / "--workers2") == contents(tmp_path / "--rayauto")
    assert [path.name for path in cache_folder().rglob("*.sf2")] == [font.name]


@pytest.mark.long
@pytest.mark.parametrize("name", ["deadly once", "deadly often"])
def test_an_actor_that_dies_is_replaced(cluster: Any, tmp_path: Path, name: str) -> None:
    (cluster.traces / name).touch()
    try:
        done = carried_out(tmp_path / "there", FEW + "seeds: [0, 1, 2]\n", executor=traced)
    finally:
        (cluster.traces / name).unlink(missing_ok=True)
    lost = [] if name == "deadly once" else [f"Cello+Flute_0.25_s{seed}.wav" for seed in range(3)]
    assert [file for file, _ in done.failures] == lost
    assert all(f"lost {TRIES} times" in reason for _, reason in done.failures)
    assert done.made == 6 - len(lost)  # what waited behind it is lost with it, but not given up


@pytest.mark.long
def test_what_is_lost_with_a_node_is_made_elsewhere(cluster: Any, tmp_path: Path) -> None:
    carried_out(tmp_path / "here", MANY, workers=1)
    lost = False

    def tell(what: str, done: int, total: int) -> None:
        nonlocal lost
        if what == "sounds" and done >= 6 and not lost:
            cluster.made.remove_node(cluster.nodes.pop(), allow_graceful=False)
            lost = True

    done = carried_out(tmp_path / "there", MANY, executor=traced, progress=tell)
    assert lost and done.made == 48 and not done.failures
    assert contents(tmp_path / "there") == contents(tmp_path / "here")


def test_without_ray_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "spec.yaml").write_text(FEW)
    monkeypatch.setattr(ray_executor, "find_spec", lambda name: None)
    said = refused("render", tmp_path / "spec.yaml", "-o", tmp_path / "out", "--ray", "local")
    assert "pip install -r requirements-cluster.txt" in said
    assert not (tmp_path / "out").exists()
    with pytest.raises(SpecError, match="not installed"):
        ray_executor.check()


def test_ray_is_for_many_sounds(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text("{}")
    assert "--ray" in refused("render", tmp_path / "p.json", "-o", tmp_path / "x.wav", "--ray", "local", code=2)
    assert "--ray" in refused("encode", "Cello", "-o", tmp_path / "x.npy", "--ray", "local", code=2)


@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1:1", "ray://127.0.0.1:1", "127.0.0.1:99999", "http://x:y"])
def test_an_address_without_a_cluster_is_said_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    ray = pytest.importorskip("ray", reason="no Ray: pip install -r requirements-cluster.txt")
    monkeypatch.setattr(ray, "is_initialized", lambda: False)  # but for the cluster above
    (tmp_path / "spec.yaml").write_text(FEW)
    said = refused("render", tmp_path / "spec.yaml", "-o", tmp_path / "out", "--ray", address)
    assert address in said and ("No Ray cluster answers" in said or "is no address" in said)
