"""Training of the final render: notes are prepared once, both forms learn, and the checkpoint decodes with them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import yaml

from synth_explorer import checkpoints
from synth_explorer.errors import DataError, SpecError
from synth_explorer.train.guided import GuidedNotes
from synth_explorer.train.wavenet import Crops, WaveNetTraining, prepare, train
from synth_explorer.train.wavenet_export import fullest
from tests.conftest import REPOSITORY, make_note
from tests.model.small import SIZES, small_config, small_model

STACKS = {
    "autoregressive": {"taps": 2, "start_taps": 4, "whitening": 8},
    "parallel": {"form": "parallel", "taps": 3, "start_taps": 5, "whitening": 0},
}
SMALL = {"layers": 3, "stages": 3, "width": 16, "skip_width": 16, "condition_width": 8, "condition_channels": 8}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    """The small model, as a checkpoint."""
    from synth_explorer.train.export import controls

    folder, model = tmp_path_factory.mktemp("checkpoint") / "small", small_model()
    head = tuple(REPOSITORY / "checkpoints" / "default" / name for name in checkpoints.PITCH)
    told = {"description": "small", "controls": controls(model.config, transpose_slope=0.5), "card": "small"}
    return checkpoints.save(model, folder, pitch_files=head, **told).path


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, checkpoint, tiny_dataset) -> Path:
    """A folder with prepared notes and a configuration for each form."""
    folder = tmp_path_factory.mktemp("prepared")
    for form, stack in STACKS.items():
        values = {
            "notes": "notes",
            "validation": "unseen",
            "datasets": {str(tiny_dataset): 1.0},
            "checkpoint": str(checkpoint),
            "shards": 2,
            "validation_shards": 1,
            "prepared_frames": 24,
            "validation_frames": 24,
            "fit_steps": 1,
            "steps": 40,
            "batch": 4,
            "frames": 6,
            "learning_rate": 1e-2,
            "warm_up_steps": 5,
            "validate_every": 40,
            "validation_batches": 2,
            "save_every_s": 999.0,
            "jit_compile": False,
            "model": SMALL | stack,
        }
        (folder / f"{form}.yaml").write_text(yaml.safe_dump(values))
    config, info = WaveNetTraining.load(folder / "parallel.yaml"), checkpoints.verify(checkpoint)
    prepare(config, checkpoints.load_model(info), report=lambda line: None)
    return folder


@pytest.mark.parametrize("form", ["autoregressive", pytest.param("parallel", marks=pytest.mark.slow)])
def test_a_form_learns_and_its_checkpoint_decodes(tmp_path, prepared, checkpoint, form) -> None:
    from synth_explorer.explorer import Explorer

    lines: list[str] = []
    folder = train(prepared / f"{form}.yaml", tmp_path / "run", report=lines.append)
    assert sum(line.startswith("gain") for line in lines) == (36 if form == "autoregressive" else 9)
    with (tmp_path / "run" / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["kind"] for row in rows] == ["train", "validation"]
    if form == "autoregressive":
        assert float(rows[1]["loss"]) < 0.95 * np.log(256)
    explorer = Explorer.load(folder)
    assert explorer.decoders == ("fast", "wavenet", f"wavenet-{form}")
    assert explorer.checkpoint_hash == Explorer.load(checkpoint).checkpoint_hash  # its latents stay valid
    latents = explorer.encode(make_note(60.0, seconds=0.5), pitch=60.0)
    fast, final = (explorer.decode(latents, decoder=name, seed=1) for name in ("fast", "wavenet"))
    assert final.shape == fast.shape
    assert np.abs(final - fast).max() < 1.0
    assert np.array_equal(final, fast) == (explorer.family.wavenet("wavenet").gain == 0.0)
    np.testing.assert_array_equal(np.concatenate(list(explorer.stream(latents, decoder="wavenet", seed=1))), final)
    with pytest.raises(SpecError, match="--resume"):
        train(prepared / f"{form}.yaml", tmp_path / "run", report=lines.append)


def test_prepared_notes_are_what_they_say(prepared, checkpoint) -> None:
    """The sum of the parts is the fast decoder's sound, and the target's spectrum is the original's."""
    from synth_explorer.measure import log_mel_distance_db

    notes = GuidedNotes(prepared / "notes")
    assert notes.hop == SIZES["hop"]
    assert 0 < len(notes) <= 16
    near = []
    for i in range(len(notes)):
        target, original, fast = (
            notes.sounds(i, "target"),
            notes.sounds(i, "original"),
            notes.sounds(i, "tones") + notes.sounds(i, "noise"),
        )
        ends = (log_mel_distance_db(original, sound, sample_rate_hz=16000) for sound in (target, fast))
        near.append(tuple(ends))
    locked, fast = np.mean(near, axis=0)
    assert locked < 0.3 * fast


@pytest.mark.parametrize("form", STACKS)
def test_crops_are_the_notes_own_samples(prepared, form) -> None:
    from synth_explorer.model.wavenet_config import WaveNetConfig

    config = WaveNetTraining.load(prepared / f"{form}.yaml")
    stack, notes = WaveNetConfig.from_dict(config.model), GuidedNotes(prepared / "notes")
    crops = Crops(notes, config, stack, small_config())
    first, again, other = crops.batch(0), crops.batch(0), crops.batch(1)
    for name, array in first.items():
        np.testing.assert_array_equal(array, again[name])
    assert any(not np.array_equal(first[name], other[name]) for name in first)
    begun = first["first_frame"] == 0
    assert np.all(first["weight"][begun] == 1.0)
    assert np.all(first["weight"][~begun, : 2 * notes.hop] == 0.0)
    if form == "autoregressive":
        assert first["level"].min() >= 0
        assert first["level"].max() < stack.levels
        np.testing.assert_array_equal(first["past"][:, 0], 0.0)


def test_wrong_configurations_and_missing_notes_are_named(tmp_path) -> None:
    path = tmp_path / "bad.yaml"
    for text, message in (("]", "can't be read"), ("notes: a", "validation"), ("notes: a\nvalidation: b\nx: 1", "x")):
        path.write_text(text)
        with pytest.raises(SpecError, match=message):
            WaveNetTraining.load(path)
    with pytest.raises(DataError, match="no prepared notes"):
        GuidedNotes(tmp_path)


@pytest.mark.parametrize("version", [None, 1, 4])
def test_notes_of_another_version_are_refused(tmp_path, version) -> None:
    arrays = {"z": np.zeros((1, 2, 16), np.float32), "target": np.zeros((1, 1024), np.float16)}
    about = {} if version is None else {"version": np.int64(version)}
    np.savez(tmp_path / "guided-00000.npz", **arrays, **about)
    with pytest.raises(DataError, match=r"guided-00000\.npz was prepared by another version"):
        GuidedNotes(tmp_path)


@pytest.mark.parametrize(
    ("figures", "chosen"),
    [
        ({(0.0, 0.0): 1.0, (0.1, 0.0): 0.8, (0.2, 0.0): 0.9, (0.5, 0.0): 1.1}, (0.2, 0.0)),
        ({(0.0, 0.0): 1.0, (0.0, 0.4): 1.0, (0.2, 0.0): 0.9, (0.2, 0.4): 0.8}, (0.2, 0.4)),
        ({(0.0, 0.0): 1.0, (0.1, 0.0): 1.2, (0.2, 0.4): 1.1}, (0.2, 0.4)),
    ],
)
def test_the_fullest_residual_that_does_no_harm_is_taken(figures, chosen) -> None:
    assert fullest(figures) == chosen
