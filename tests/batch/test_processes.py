"""Real processes: the same bytes however many there are, whatever dies, and whenever all of it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from synth_explorer.batch import manifest, run
from synth_explorer.batch.executors import TRIES, Processes
from synth_explorer.batch.plan import Plan
from synth_explorer.batch.worker import Make, Setup, Task, Worker
from synth_explorer.errors import SpecError
from tests.batch.test_run import content

Planned = Callable[[str], Plan]
SPEC = "sources: [Kalimba, Marimba]\nfit_steps: 0\nmorphs: [{{pairs: all, steps: {}}}]\nedits: [gain: [0, -6]]\n"
COMMAND = (sys.executable, "-m", "synth_explorer", "render")


@pytest.mark.slow
def test_the_number_of_processes_changes_no_byte(planned: Planned, tmp_path: Path) -> None:
    plan = planned(SPEC.format(3))
    assert run.run(plan, tmp_path / "one", workers=1).made == 6
    assert run.run(plan, tmp_path / "two", workers=2).made == 6
    assert content(tmp_path / "one") == content(tmp_path / "two")
    assert run.run(plan, tmp_path / "two", workers=2).kept == 6  # starts none


class Mortal(Worker):
    """A worker whose process dies of one sound, the first time or each time."""

    def __call__(self, task: Task):  # type: ignore[no-untyped-def]
        deadly, often = Path(os.environ["DEADLY"]), "often" in os.environ["DEADLY"]
        if isinstance(task, Make) and task.lot[0].patch.mix.places[0][1] == 0.5 and (often or not deadly.exists()):
            deadly.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(task)


class StillbornProcesses(Processes):
    """Processes that cannot begin."""

    def __init__(self, setup: Setup, workers: int) -> None:
        super().__init__(setup, workers, worker=None)  # type: ignore[arg-type]


@pytest.mark.long
def test_processes_that_cannot_begin_end_the_run(planned: Planned, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="end at once"):
        run.run(planned(SPEC.format(3)), tmp_path / "out", workers=2, executor=StillbornProcesses)


class MortalProcesses(Processes):
    """Their processes."""

    def __init__(self, setup: Setup, workers: int) -> None:
        super().__init__(setup, workers, worker=Mortal)


@pytest.mark.long
@pytest.mark.parametrize("name", ["once", "often"])
def test_a_process_that_dies_is_replaced(
    planned: Planned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    plan = planned(SPEC.format(3))
    monkeypatch.setenv("DEADLY", str(tmp_path / name))
    done = run.run(plan, tmp_path / "out", workers=2, executor=MortalProcesses)
    if name == "once":
        assert (done.made, done.failures) == (6, [])
    else:
        lost = [job.file for job in plan.jobs if "_0.5_" in job.file]
        assert lost == [file for file, _ in done.failures]
        assert all(f"died {TRIES} times" in reason for _, reason in done.failures)
        assert done.made + len(done.failures) == 6


@pytest.mark.long
def test_killed_five_times_it_ends_with_the_same_bytes(tmp_path: Path) -> None:
    """The command with its processes, killed as a whole by SIGKILL, at other moments each time."""
    spec = tmp_path / "spec.yaml"
    spec.write_text(SPEC.format(20))
    subprocess.run([*COMMAND, spec, "-o", tmp_path / "whole", "--workers", "2"], check=True, capture_output=True)
    killed = 0
    for wanted in (0, 1, 7, 15, 28):
        process = subprocess.Popen(
            [*COMMAND, spec, "-o", tmp_path / "out", "--workers", "2"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        path = tmp_path / "out" / manifest.MANIFEST
        while process.poll() is None and not (path.exists() and path.read_bytes().count(b"\n") > wanted):
            time.sleep(0.01)
        process.kill()  # the others see that it is gone, and end
        killed += process.wait() == -signal.SIGKILL
        for line in path.read_bytes().splitlines()[:-1]:
            assert line.startswith(b'{"file"') and line.endswith(b"}")
    assert killed == 5
    done = subprocess.run([*COMMAND, spec, "-o", tmp_path / "out"], check=True, capture_output=True, text=True)
    assert content(tmp_path / "out") == content(tmp_path / "whole")
    assert "note: 40 of 40" not in done.stderr


@pytest.mark.long
def test_ctrl_c_ends_it_at_once_and_says_what_to_do(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(SPEC.format(200))
    process = subprocess.Popen(
        [*COMMAND, spec, "-o", tmp_path / "out", "--workers", "2"],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    path = tmp_path / "out" / manifest.MANIFEST
    while not (path.exists() and path.read_bytes().count(b"\n") > 3):
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    _, said = process.communicate(timeout=60)
    assert process.returncode not in (0, None) and "Traceback" not in said
    assert "the same command goes on from there" in said
    assert len(list(manifest.read(tmp_path / "out"))) >= 3
