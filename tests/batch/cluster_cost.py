"""What a sound costs on a Ray cluster, for docs/cluster.md: `python -m tests.batch.cluster_cost [REPEATS]`.

Times of the processor are what a busy machine changes least; rates are told beside its load, and ratios of rates are of
executors that took turns.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from threadpoolctl import threadpool_limits

from synth_explorer.batch import manifest, plan
from synth_explorer.batch.executors import Executor, Here, Processes
from synth_explorer.batch.notes import Notes
from synth_explorer.batch.plan import Plan
from synth_explorer.batch.ray_executor import RayCluster
from synth_explorer.batch.run import run
from synth_explorer.batch.worker import Answer, Listen, Made, Make, Setup, Task, Worker

NOTES = "sources: [Cello, Flute, Marimba, Trumpet]\nfit_steps: 0\nformat: flac\n"
PAIRS = NOTES + "morphs: [{pairs: all, at: [0.2, 0.4, 0.6, 0.8]}]\n"
KINDS = {
    "a morph": PAIRS + "pitches: [40, 52, 64]\n",
    "the same, two edits solved": PAIRS + "pitches: [40, 52, 64]\nedits: [gain: -6, brightness: 0.5]\n",
    "the same, decoder final": PAIRS + "pitches: [40, 52, 64]\ndecoders: final\n",
}
MANY = NOTES + "morphs: [{corners: all, grid: 9 x 9}]\npitches: {from: 36, to: 83}\nseeds: {from: 1, to: %d, step: 1}\n"
SOUND_BYTES = 100_000


class Idle(Worker):
    """Listens, but has its sounds at once."""

    def __call__(self, task: Task) -> Answer:
        if isinstance(task, Listen):
            return super().__call__(task)
        return [Made(job.address, bytes(SOUND_BYTES), _record(job)) for job in task.jobs]


def _record(job: plan.Job) -> dict:
    heard = {"loudness_db": -20.0, "brightness_octaves": 10.0, "noisiness_db": -20.0, "attack_s": 0.1, "pitch_midi": 60}
    told = {"id": job.patch.id, "address": job.address, "duration_s": 3.43, "sample_rate_hz": 16000, "peak_db": -3.0}
    told |= {"bytes": SOUND_BYTES, "level_change_db": 0.0, "checkpoint_hash": job.patch.checkpoint_hash, "asked": {}}
    return told | {"heard": [], "reached": True, "descriptors": heard, "patch": job.patch.model_dump(mode="json")}


def planned(folder: Path, text: str) -> Plan:
    (folder / "spec.yaml").write_text(text)
    return plan.of_spec(folder / "spec.yaml")


def tasks(plan: Plan) -> list[Make]:
    return [Make(lot, frozenset(job.address for job in lot)) for lot in plan.lots]


def listened(plan: Plan, folder: Path) -> Setup:
    setup = Setup(Notes(folder / "notes").folder, plan.output)
    for _, heard in Here(setup).run(Listen(note) for note in plan.listenings(plan.jobs)):
        Notes(setup.notes).keep(heard.key, heard.content)
    return setup


def rate(executor: Executor, what: Iterable[Task]) -> float:
    started_s, count = time.perf_counter(), 0
    for _ in executor.run(what):
        count += 1
    return count / (time.perf_counter() - started_s)


def say(text: str) -> None:
    print(f"{text} (load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores)", flush=True)  # noqa: T201


def sounds(folder: Path) -> None:
    for kind, text in KINDS.items():
        plan = planned(folder, text)
        here, what = Here(listened(plan, folder)), tasks(plan)
        list(here.run(what[:5]))
        started_s = time.process_time()
        with threadpool_limits(1):  # as Ray has it for actors of one core
            made = [answer[0] for _, answer in here.run(what[5:])]
        took_s = (time.process_time() - started_s) / len(made)
        length_s = statistics.mean(sound.record["duration_s"] for sound in made)
        large = statistics.mean(len(sound.content) for sound in made)
        say(f"{kind}: {1000 * took_s:.0f} ms of a processor for {length_s:.2f} s of sound, {large / 1000:.0f} kB")


def driver(folder: Path) -> None:
    for seeds in (1, 12):
        started_s = time.process_time()
        plan = planned(folder, MANY % seeds)
        each_ms = 1000 * (time.process_time() - started_s) / len(plan.jobs)
        say(f"planning: {each_ms:.2f} ms of a processor a sound, of {len(plan.jobs):,}")
    plan, out = planned(folder, MANY % 1), folder / "out"
    cpu_s, started_s = time.process_time(), time.perf_counter()
    run(plan, out, executor=lambda setup, _: RayCluster(setup, 2, address="auto", worker=Idle))
    cpu_ms, took_s = 1000 * (time.process_time() - cpu_s) / len(plan.jobs), time.perf_counter() - started_s
    line = (out / manifest.MANIFEST).stat().st_size / len(plan.jobs)
    say(f"the driver: {cpu_ms:.2f} ms of a processor a sound, {len(plan.jobs) / took_s:.0f} sounds a second")
    say(f"{line:.0f} bytes of manifest a sound, of {len(plan.jobs):,} whose workers have nothing to do")


def scaling(folder: Path, repeats: int) -> None:
    plan = planned(folder, PAIRS + "pitches: {from: 40, to: 43}\n")
    setup, what = listened(plan, folder), tasks(plan)[:80]
    places: dict[str, Executor] = {f"Ray, {n}": RayCluster(setup, n, address="auto") for n in (1, 2)}
    places |= {f"processes, {n}": Processes(setup, n) for n in (1, 2)}
    for name, executor in places.items():
        say(f"{name}: begun and 8 sounds made after {8 / rate(executor, what[:8]):.1f} s")
    rates = {name: [] for name in places}
    for _ in range(repeats):
        for name, executor in places.items():
            rates[name].append(rate(executor, what))
    for name, found in rates.items():
        ratio = statistics.median(a / b for a, b in zip(found, rates["Ray, 1"], strict=True))
        say(f"{name}: {statistics.median(found):.1f} sounds a second, {ratio:.2f} times one actor's")
    for executor in places.values():
        executor.__exit__()


def main() -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    with TemporaryDirectory() as name:
        sounds(Path(name))
        started_s = time.perf_counter()
        ray.init("local", num_cpus=4, include_dashboard=False, log_to_driver=False)
        say(f"Ray: started after {time.perf_counter() - started_s:.1f} s")
        driver(Path(name))
        scaling(Path(name), int(sys.argv[1]) if sys.argv[1:] else 3)


if __name__ == "__main__":
    main()
