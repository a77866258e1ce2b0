"""The notes format: levels, splits, several readers, half-written folders."""

from __future__ import annotations

import multiprocessing
import pickle
from pathlib import Path

import numpy as np
import pytest

from synth_explorer.data.dataset import SPLITS, DatasetWriter, NotesDataset, Sizes, split_of
from synth_explorer.errors import DataError

SAMPLES = 400


def writer(folder: Path, **changes: object) -> DatasetWriter:
    given = {"sizes": Sizes(16_000, SAMPLES, 32), "sources": {"s": {"licence": "CC0"}}}
    return DatasetWriter(folder, **{**given, "settings": {"seed": 0}, **changes})


def notes(instrument: str, count: int, **changes: object) -> list[dict[str, object]]:
    common = {"family": "f", "source": "s", "group": instrument, "key": 60, "velocity": 100}
    return [{"id": f"{instrument}-{i}", "pitch": 60.0 + i, **common, **changes} for i in range(count)]


def filled(folder: Path) -> NotesDataset:
    rng = np.random.default_rng(0)
    w = writer(folder)
    for name in ("b", "a"):
        w.write_shard(name, rng.uniform(-1, 1, (3, SAMPLES)), notes(name, 3))
    return NotesDataset(w.finish())


def _sum_of(dataset: NotesDataset) -> float:
    return float(sum(np.abs(dataset.audio(i)).sum() for i in range(len(dataset))))


@pytest.mark.parametrize("level", [3.0, 1.0, 0.1, 1e-3])
def test_levels_survive(tmp_path: Path, level: float) -> None:
    audio = level * np.random.default_rng(0).uniform(-1, 1, (2, SAMPLES))
    w = writer(tmp_path / "d")
    w.write_shard("a", audio, notes("a", 2))
    dataset = NotesDataset(w.finish())
    assert dataset.audio(1).dtype == np.float32
    np.testing.assert_allclose(np.stack([dataset.audio(index) for index in (0, 1)]), audio, atol=level / 60_000)
    assert dataset.rows[0].peak_db == pytest.approx(20 * np.log10(np.max(np.abs(audio[0]))), abs=0.01)


def test_index_holds_what_was_written(tmp_path: Path) -> None:
    dataset = filled(tmp_path / "d")
    assert dataset.instruments() == ["a", "b"]
    assert [row.id for row in dataset.rows] == ["a-0", "a-1", "a-2", "b-0", "b-1", "b-2"]
    np.testing.assert_array_equal(dataset.select(instrument="b"), [3, 4, 5])
    np.testing.assert_array_equal(dataset.column("pitch"), [60, 61, 62] * 2)
    assert {row.onset_samples for row in dataset.rows} == {32}
    assert dataset.sources["s"]["licence"] == "CC0"
    assert "notes=6" in repr(dataset)
    for wrong in ({"split": "dev"},):
        with pytest.raises(DataError, match="train, validation, test"):
            dataset.select(**wrong)
    with pytest.raises(DataError, match="column='tempo'"):
        dataset.column("tempo")


@pytest.mark.slow
def test_several_readers_at_once(tmp_path: Path) -> None:
    dataset = filled(tmp_path / "d")
    expected = _sum_of(dataset)
    assert len(pickle.dumps(dataset)) < 10_000, "memory maps must not travel"
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.map(_sum_of, [dataset, NotesDataset(tmp_path / "d")]) == [expected, expected]


def test_splits_are_stable_and_hold_whole_groups() -> None:
    groups = [f"group {i}" for i in range(5000)]
    shares = {split: np.mean([split_of(group) == split for group in groups]) for split in SPLITS}
    assert shares["validation"] == pytest.approx(0.08, abs=0.01)
    assert shares["test"] == pytest.approx(0.08, abs=0.01)
    assert [split_of(f"gm_{program:03d}") for program in (0, 8, 42, 62, 74)] == [
        "train", "validation", "validation", "test", "test",
    ]  # fmt: skip


def test_instruments_of_one_group_share_their_split(tmp_path: Path) -> None:
    w = writer(tmp_path / "d")
    for name in ("one_gm_042", "two_gm_042"):
        w.write_shard(name, np.ones((1, SAMPLES)), notes(name, 1, group="gm_042"))
    dataset = NotesDataset(w.finish())
    assert set(dataset.column("split")) == {"validation"}
    assert dataset.instruments(split="validation") == ["one_gm_042", "two_gm_042"]
    assert dataset.instruments(split="train") == []


def test_unfinished_rendering_goes_on(tmp_path: Path) -> None:
    w = writer(tmp_path / "d")
    w.write_shard("a", np.ones((1, SAMPLES)), notes("a", 1))
    (tmp_path / "d/audio/.b.x7.csv").write_text("half a l")  # what a killed process leaves behind
    with pytest.raises(DataError, match="did not finish"):
        NotesDataset(tmp_path / "d")
    again = writer(tmp_path / "d")
    assert again.finished("a") and not again.finished("b")
    assert len(NotesDataset(again.finish())) == 1


def test_other_settings_are_refused(tmp_path: Path) -> None:
    filled(tmp_path / "d")
    with pytest.raises(DataError, match="made with another settings"):
        writer(tmp_path / "d", settings={"seed": 1})
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("years of work")
    with pytest.raises(DataError, match="not a dataset"):
        writer(tmp_path / "mine")
    assert (tmp_path / "mine/thesis.txt").read_text() == "years of work"


def test_shapes_are_checked(tmp_path: Path) -> None:
    w = writer(tmp_path / "d")
    with pytest.raises(DataError, match="does not fit 2 notes"):
        w.write_shard("a", np.ones((1, SAMPLES)), notes("a", 2))
    assert not w.finished("a")
    with pytest.raises(DataError, match="No note"):
        w.finish()


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("dataset.json", "{", "must be JSON"),
        (
            "dataset.json",
            '{"format": "synth_explorer notes", "format_version": 99}',
            "format_version: should be 1",
        ),
        ("index.csv", "path,pitch\n", "lacks the columns"),
    ],
)
def test_damaged_folders_are_named(tmp_path: Path, file: str, content: str, message: str) -> None:
    filled(tmp_path / "d")
    (tmp_path / "d" / file).write_text(content)
    with pytest.raises(DataError, match=message):
        NotesDataset(tmp_path / "d")


def test_damaged_shards_and_lines_are_named(tmp_path: Path) -> None:
    dataset = filled(tmp_path / "d")
    (tmp_path / "d/audio/a.npy").write_bytes(b"noise")
    with pytest.raises(DataError, match=r"a\.npy cannot be read"):
        dataset.audio(0)
    index = tmp_path / "d/index.csv"
    index.write_text(index.read_text().replace("60.0", "sixty", 1))
    with pytest.raises(DataError, match="sixty"):
        NotesDataset(tmp_path / "d")
    with pytest.raises(DataError, match="not a notes dataset"):
        NotesDataset(tmp_path / "nowhere")


def test_an_index_of_before_bandwidths_were_noted_is_read(tmp_path: Path) -> None:
    dataset = filled(tmp_path / "d")
    index = tmp_path / "d" / "index.csv"
    lines = [line.rsplit(",", 1)[0] for line in index.read_text().splitlines()]
    assert "bandwidth_hz" not in lines[0]
    index.write_text("\n".join(lines) + "\n")
    again = NotesDataset(tmp_path / "d")
    assert again.rows == dataset.rows and set(again.column("bandwidth_hz")) == {0.0}
