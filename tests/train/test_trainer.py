"""Training: it learns, it resumes to the bit, and it says what is wrong with a configuration."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from synth_explorer.errors import DataError, SpecError
from synth_explorer.train.start import load, train
from synth_explorer.train.trainer import TrainConfig
from tests.model.small import SIZES


def _config(tmp_path: Path, dataset: Path, **changes: object) -> Path:
    values = {
        "datasets": {str(dataset): 1.0},
        "batch": 4,
        "frames": 16,
        "steps": 8,
        "warm_up_steps": 2,
        "validate_every": 8,
        "validation_notes": 8,
        "save_every_s": 0.0,
        "jit_compile": False,
        "model": SIZES,
    } | changes
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def _weights(folder: Path, name: str = "best.npz") -> list[np.ndarray]:
    with np.load(folder / name) as file:
        return [file[n] for n in sorted(file.files) if n.startswith("w")]


def _quiet(_: str) -> None:
    pass


@pytest.mark.long
def test_a_killed_run_goes_on_exactly(tmp_path, tiny_dataset) -> None:
    whole = train(_config(tmp_path, tiny_dataset), tmp_path / "whole", report=_quiet)
    killed: list[str] = []

    def kill(line: str) -> None:
        killed.append(line)
        raise KeyboardInterrupt

    # the schedule depends on `steps`, so the first half is the same run, stopped by its own log line at step 8
    config = _config(tmp_path, tiny_dataset, validate_every=4)
    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path / "parts", report=kill)
    assert killed
    train(config, tmp_path / "parts", resume=True, report=_quiet)
    for a, b in zip(_weights(whole.parent, "last.npz"), _weights(tmp_path / "parts", "last.npz"), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.long
def test_training_lowers_the_loss(tmp_path, tiny_dataset) -> None:
    config = _config(tmp_path, tiny_dataset, steps=120, learning_rate=3e-3, validate_every=120, save_every_s=999.0)
    train(config, tmp_path / "run", report=_quiet)
    with (tmp_path / "run" / "log.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "train"]
    first, last = (float(rows[i]["spectra"]) for i in (0, -1))
    assert last < 0.85 * first
    assert json.loads((tmp_path / "run" / "config.json").read_text())["steps"] == 120


def test_a_run_is_not_overwritten(tmp_path, tiny_dataset) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "state.npz").write_bytes(b"of a run")
    with pytest.raises(SpecError, match="--resume"):
        train(_config(tmp_path, tiny_dataset), tmp_path / "run", report=_quiet)
    assert (tmp_path / "run" / "state.npz").read_bytes() == b"of a run"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("]", "is no YAML"),
        ("steps: 3", "datasets"),
        ("datasets: {a: 1}\nstepz: 3", "stepz"),
        ("datasets: 3", "datasets"),
        ("datasets: {}", "datasets"),
        ("datasets: {a: 1}\nfamily: magenta", "family: should be one of default, wavenet, nsynth; received 'magenta'"),
        ("datasets: {a: 1}\nlearning_rate: fast", "learning_rate: should be a finite number; received 'fast'"),
        ("datasets: {a: 1}\nbatch: 1000000000", "batch: should be less than or equal to 1024"),
        ("datasets: {a: 1}\nmodel: {colour: 1}", "model configuration has an unknown field 'colour'"),
        ("datasets: {a: 1}\nmodel: {encoder_width: 10000000}", "encoder_width: should be less than or equal to"),
        ("datasets: {a: 1}\naugmentation: {rooms: 1}", "augmentation has an unknown field 'rooms'"),
        ("datasets: {a: 1}\naugmentation: {room: 2}", "room: should be less than or equal to 1"),
        ("datasets: {a: 1}\nloss: {mels: 1}", "loss of the training has an unknown field 'mels'"),
        ("datasets: {a: 1}\nloss: 1", "loss"),
        ("datasets: {a: 1}\nbatch: 1024\nframes: 4096", "2,147,483,648 samples"),
        ("datasets: {a: 1}\nmodel: {decoder_width: 2048, decoder_blocks: 64}", "a network of some 2,68"),
        ("datasets: {a: 1}\nfamily: wavenet\nmodel: {width: 2048, gates: 2048}", "a network of some 251,699,200"),
        ("datasets: {a: 1}\nfamily: wavenet\nframes: 4", "frames=4 must be at least 5"),
    ],
)
def test_bad_configurations_are_named(tmp_path, text: str, message: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(SpecError, match=message):
        load(path)


def test_numbers_are_those_of_yaml_1_2(tmp_path) -> None:
    """`6e-4` has no dot, so that YAML 1.1 reads it as text."""
    path = tmp_path / "config.yaml"
    path.write_text("datasets: {a: 1}\nlearning_rate: 6e-4\nloss: {mel: 2}\nmodel: {latent_noise: 2E-2}\n")
    config = load(path)
    assert (config.learning_rate, config.loss.mel, config.model.latent_noise) == (6e-4, 2.0, 0.02)


@pytest.mark.long
def test_a_dataset_of_another_rate_is_refused(tmp_path, tiny_dataset) -> None:
    config = _config(tmp_path, tiny_dataset, model=SIZES | {"sample_rate_hz": 22050})
    with pytest.raises(DataError, match="22050"):
        train(config, tmp_path / "run", report=_quiet)


def test_the_rate_warms_up_and_comes_down() -> None:
    config = TrainConfig(
        datasets={"a": 1.0}, steps=1000, warm_up_steps=100, decay_fraction=0.5, learning_rate=1.0, final_rate=0.1
    )
    rates = [config.rate(step) for step in (0, 50, 100, 500, 750, 1000)]
    assert rates == pytest.approx([0.01, 0.51, 1.0, 1.0, 0.55, 0.1])


@pytest.mark.long
def test_a_run_becomes_a_checkpoint(tmp_path, tiny_dataset) -> None:
    """Trained, exported, loaded: the Explorer encodes and decodes with it."""
    from synth_explorer.explorer import Explorer
    from synth_explorer.train.export import export
    from tests.conftest import make_note

    train(_config(tmp_path, tiny_dataset, steps=2, validate_every=2), tmp_path / "run", report=_quiet)
    info = export(tmp_path / "run", tmp_path / "run" / "tiny", figures="None yet.")
    explorer = Explorer.load(info.path)
    assert explorer.checkpoint_name == "tiny"
    latents = explorer.encode(make_note(60.0), pitch=60.0)
    assert latents.channels == SIZES["channels"]
    assert np.isfinite(explorer.decode(latents)).all()
    card = (info.path / "card.md").read_text()
    assert "licence: none" in card
    assert "2 steps" in card


def test_a_folder_without_a_run_is_not_exported(tmp_path) -> None:
    from synth_explorer.train.export import export

    with pytest.raises(DataError, match="no validated run"):
        export(tmp_path, tmp_path / "out")
