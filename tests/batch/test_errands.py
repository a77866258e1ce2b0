"""Errands: what other rooms let executors do; the same answers here, in processes, and from parcels."""

from __future__ import annotations

import pickle
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from synth_explorer import checkpoints
from synth_explorer.batch import errands
from synth_explorer.batch.errands import Errand, Receiver, Sender, Site, answers, executor_for, workers_for
from synth_explorer.batch.worker import Failed
from synth_explorer.errors import DataError
from synth_explorer.explorer import Explorer
from synth_explorer.files import CACHE_VARIABLE


def size_of(factor: int, site: Site, path: Path) -> int:
    """Of a file, times a factor."""
    if not site.path(path).is_file():
        raise DataError(f"{site.path(path)} does not exist.")
    if "bad" in path.name:
        raise DataError(f"{site.path(path)} is bad.")
    return factor * site.path(path).stat().st_size


def these(path: Path) -> tuple[Path, ...]:
    return (path,)


ERRAND = Errand(partial(size_of, 3), reads=these)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    found = [tmp_path / "notes" / name for name in ("a.wav", "bad.wav", "b.wav", "missing.wav")]
    found[0].parent.mkdir()
    for size, path in enumerate(found[:3], 1):
        path.write_bytes(b"." * size)
    return found


def expected(files: list[Path]) -> dict[int, Any]:
    return {0: 3, 1: Failed(f"{files[1]} is bad."), 2: 9, 3: Failed(f"{files[3]} does not exist.")}


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_answers_come_with_their_numbers(files: list[Path], workers: int) -> None:
    told: list[tuple[int, int]] = []
    with executor_for(ERRAND, workers) as at_work:
        assert dict(answers(at_work, files, lambda *done: told.append(done))) == expected(files)
    assert told == [(done, 4) for done in range(5)]


def test_what_is_sent_lies_nowhere_else(files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(errands, "LARGE_BYTES", 3)  # of the third
    kept: list[bytes] = []

    def put(value: object) -> int:
        kept.append(pickle.dumps(value))
        return len(kept) - 1

    sender = Sender(ERRAND, put)
    sent = [pickle.dumps(sender.parcel(numbered)) for numbered in enumerate(files)] * 2
    (tmp_path / "notes").rename(tmp_path / "hidden")
    receiver = Receiver(pickle.loads(pickle.dumps(sender.setup)), lambda i: pickle.loads(kept[i]))
    found = [receiver(pickle.loads(parcel)) for parcel in sent]
    assert found == [*expected(files).values()] * 2
    assert len(kept) == 1 and [path.name for path in (tmp_path / "cache").rglob("*.wav")] == ["b.wav"]


def heard_hash(site: Site, task: int) -> tuple[str, int]:
    return site.explorer.checkpoint_hash, task


def test_a_checkpoint_goes_along(explorer: Explorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    errand = Errand(heard_hash, explorer=explorer)
    sender = Sender(errand, lambda value: value)
    receiver = Receiver(sender.setup, lambda value: value)
    assert pickle.loads(pickle.dumps(explorer)).checkpoint_hash == explorer.checkpoint_hash
    assert sender.setup.explorer is None  # it is loaded there
    elsewhere = str(tmp_path / "nowhere")
    with monkeypatch.context() as there:
        real = checkpoints.find
        there.setattr(checkpoints, "find", lambda name: real(elsewhere))
        assert receiver(sender.parcel((0, 7))) == (explorer.checkpoint_hash, 7)
    assert list(tmp_path.rglob("config.json"))
    assert receiver(sender.parcel((1, 8))) == (explorer.checkpoint_hash, 8)


def test_a_few_tasks_need_no_processes(explorer: Explorer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errands, "cores", lambda: 4)
    assert [workers_for(count, explorer) for count in (1, 23, 24, 1000)] == [1, 1, 2, 4]
