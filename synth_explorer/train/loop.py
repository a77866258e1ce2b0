"""The training loop that every model shares: resumable to the step, with an exponential average of the weights.

A run folder holds `config.json`, `log.csv`, `state.npz` (weights, optimiser, average, step) and `best.npz` / `last.npz`
(averaged weights). A batch is a function of (seed, step), so that a killed run goes on exactly where it was.
"""

from __future__ import annotations

import csv
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from synth_explorer.errors import DataError, SpecError
from synth_explorer.files import atomic_path


class Schedule(Protocol):
    """What a configuration says of time. Steps are counted from 0."""

    @property
    def steps(self) -> int: ...
    @property
    def validate_every(self) -> int: ...
    @property
    def save_every_s(self) -> float: ...
    @property
    def average(self) -> float: ...

    def rate(self, step: int) -> float:
        """The learning rate at a step."""
        ...


def read_config(path: Path, *, needs: str) -> dict[str, Any]:
    """The mapping in a YAML or JSON file, the folders of its `datasets` made absolute, relative to the file.

    Args:
        path: of the file.
        needs: a field that must be there.

    Raises:
        SpecError: a file that can't be read, is no mapping, or has datasets that are no folders with their shares.
    """
    import yaml

    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SpecError(f"{path} can't be read as a training configuration: {str(error).splitlines()[0]}.") from None
    if not isinstance(values, dict) or not values.get(needs):
        raise SpecError(f"{path} must be a mapping with at least `{needs}`.")
    named = values.get("datasets") or {}
    try:
        values["datasets"] = {str((path.parent / name).resolve()): float(share) for name, share in named.items()}
    except (AttributeError, TypeError, ValueError):
        raise SpecError(f"{path}: `datasets` must be a mapping {{FOLDER: SHARE}}.") from None
    return values


def make_config(kind: type, values: dict[str, Any], path: Path) -> Any:
    """A configuration of a dataclass from such a mapping. Raises SpecError with the name of what is wrong."""
    unknown = sorted(set(values) - {f.name for f in fields(kind)})
    if unknown:
        raise SpecError(f"{path} has unknown fields: {', '.join(unknown)}.")
    try:
        return kind(**values)
    except (TypeError, ValueError) as error:
        raise SpecError(f"{path}: {error}") from None


class CosineSchedule:
    """`rate` for configurations with these fields: warm-up, a plateau, then a cosine to `final_rate`."""

    steps: int
    warm_up_steps: int
    learning_rate: float
    final_rate: float
    decay_fraction: float

    def rate(self, step: int) -> float:
        """Learning rate at a step."""
        if step < self.warm_up_steps:
            return self.learning_rate * (step + 1) / self.warm_up_steps
        start = self.steps * (1.0 - self.decay_fraction)
        part = min(max((step - start) / max(self.steps - start, 1.0), 0.0), 1.0)
        return self.final_rate + (self.learning_rate - self.final_rate) * 0.5 * (1.0 + np.cos(np.pi * part))


class Loop(ABC):
    """A training run in its folder.

    Args:
        model: compiled; its `track` names the metrics to log beside the loss.
        schedule: steps, rate, intervals.
        out: the folder.
        heads: names of the log's columns after kind and step: the loss and the metrics.
    """

    def __init__(self, model: Any, schedule: Schedule, out: Path, *, heads: tuple[str, ...]) -> None:
        self.model, self.schedule, self.out, self.heads = model, schedule, out, heads
        self.step, self.best = 0, float("inf")
        self.average = [np.array(v) for v in model.get_weights()]

    @abstractmethod
    def batch(self, step: int) -> dict[str, np.ndarray]:
        """The inputs of a step."""

    @abstractmethod
    def validate(self) -> float:
        """A figure of the model as it is (the averaged weights are in place), lower is better."""

    def train(self, report: Callable[[str], None] = print) -> Path:
        """Run to the last step; returns the file of the best weights. Raises DataError when the loss is not finite."""
        schedule, rows = self.schedule, []
        saved, started, first = time.monotonic(), time.monotonic(), self.step
        with ThreadPoolExecutor(1) as feeder:
            waiting = feeder.submit(self.batch, self.step)
            while self.step < schedule.steps:
                batch = waiting.result()
                waiting = feeder.submit(self.batch, self.step + 1)
                self.model.optimizer.learning_rate.assign(schedule.rate(self.step))
                logs = self.model.train_on_batch(batch, return_dict=True)
                if not np.isfinite(logs["loss"]):
                    raise DataError(f"The loss is not finite at step {self.step}; the last state is in {self.out}.")
                rows.append([float(logs[name]) for name in ("loss", *self.model.track)])
                self.step += 1
                if self.step % 10 == 0:
                    self._update_average()
                last = self.step == schedule.steps
                if self.step % 100 == 0 or last:
                    rate = (self.step - first) / (time.monotonic() - started)
                    self._log("train", np.mean(rows, axis=0), rate, report)
                    rows = []
                    self.model.reset_metrics()
                if self.step % schedule.validate_every == 0 or last:
                    self._validate(report)
                if time.monotonic() - saved > schedule.save_every_s or last:
                    self._save()
                    saved = time.monotonic()
        return self.out / "best.npz"

    def resume(self) -> bool:
        """Go on from `state.npz` if there is one; returns whether there was."""
        if not (self.out / "state.npz").exists():
            return False
        with np.load(self.out / "state.npz", allow_pickle=False) as state:
            names = sorted(state.files)
            self.model.set_weights([state[n] for n in names if n[0] == "w"])
            self.average = [state[n].copy() for n in names if n[0] == "a"]
            values = [state[n] for n in names if n[0] == "o"]
            for variable, value in zip(self.model.optimizer.variables, values, strict=True):
                variable.assign(value)
            self.step, self.best = int(state["step"]), float(state["best"])
        return True

    def _update_average(self) -> None:
        """Exponential average of the weights, every tenth step; a plain copy in the beginning."""
        keep = min(self.schedule.average**10, self.step / (self.step + 100.0))
        for mean, value in zip(self.average, self.model.get_weights(), strict=True):
            mean += (1.0 - keep) * (value - mean)

    def _validate(self, report: Callable[[str], None]) -> None:
        """Judge the averaged weights; keep the best."""
        current = self.model.get_weights()
        self.model.set_weights(self.average)
        figure = self.validate()
        self.model.set_weights(current)
        self._log("validation", [figure, *[0.0] * (len(self.heads) - 1)], 0.0, report)
        self._save_weights("last.npz")
        if figure < self.best:
            self.best = figure
            self._save_weights("best.npz")

    def _save_weights(self, name: str) -> None:
        with atomic_path(self.out / name) as temporary:
            weights: dict[str, Any] = {f"w{i:03d}": w for i, w in enumerate(self.average)}
            np.savez(temporary, **weights)

    def _save(self) -> None:
        """Everything that a later process needs to go on."""
        arrays = {f"w{i:03d}": w for i, w in enumerate(self.model.get_weights())}
        arrays |= {f"a{i:03d}": w for i, w in enumerate(self.average)}
        arrays |= {f"o{i:03d}": np.array(v) for i, v in enumerate(self.model.optimizer.variables)}
        with atomic_path(self.out / "state.npz") as temporary:
            np.savez(temporary, step=self.step, best=self.best, **arrays)

    def _log(self, kind: str, values: Any, rate: float, report: Callable[[str], None]) -> None:
        path = self.out / "log.csv"
        fresh = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if fresh:
                writer.writerow(["kind", "step", *self.heads, "steps_per_s"])
            writer.writerow([kind, self.step, *(f"{v:.5f}" for v in values), f"{rate:.3f}"])
        report(f"{kind} {self.step}: " + " ".join(f"{v:.4f}" for v in values) + f" ({rate:.2f} steps/s)")
