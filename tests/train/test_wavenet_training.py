"""Training of the WaveNet autoencoder: it learns, and it resumes to the bit."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import yaml

from synth_explorer.model.wavenet_config import WaveNetConfig
from synth_explorer.train.start import load, train
from synth_explorer.train.wavenet import WaveNetRun, WaveNetTrainConfig, heard_partials
from tests.model.small_wavenet import SIZES
from tests.train.conftest import PRE_ROLL, RATE


def _config(tmp_path: Path, dataset: Path, **changes: object) -> Path:
    values = {
        "family": "wavenet", "datasets": {str(dataset): 1.0}, "batch": 2, "frames": 6, "steps": 30, "warm_up_steps": 2,
        "validate_every": 30, "validation_notes": 4, "learning_rate": 5e-3, "save_every_s": 0.0, "jit_compile": False,
        "augmentation": {"room": 0.0, "chorus": 0.0}, "model": SIZES | {"pre_roll_samples": PRE_ROLL},
    } | changes  # fmt: skip
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


@pytest.mark.slow
def test_a_batch_holds_all_that_the_steps_are_told(tmp_path, tiny_dataset) -> None:
    config = load(_config(tmp_path, tiny_dataset))
    assert isinstance(config, WaveNetTrainConfig)
    (tmp_path / "run").mkdir()
    run = WaveNetRun(config, tmp_path / "run", resume=False)
    batch = run.batch(0)
    samples = config.frames * config.model.hop
    assert batch["flat"].shape == batch["past"].shape == batch["source"].shape == batch["cycles"].shape == (2, samples)
    assert not {name: values for name, values in batch.items() if not np.isfinite(values).all()}
    noise = (batch["past"] - batch["flat"]).std(axis=1)  # of so much as the steps are told
    np.testing.assert_allclose(noise, batch["doubt"], rtol=0.1)
    for name, values in run.batch(0).items():
        np.testing.assert_array_equal(values, batch[name])


@pytest.mark.long
def test_a_run_learns_and_a_killed_one_goes_on_exactly(tmp_path, tiny_dataset) -> None:
    config = _config(tmp_path, tiny_dataset)
    best = train(config, tmp_path / "whole", report=lambda _: None)
    with (tmp_path / "whole" / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["kind"] for row in rows] == ["train", "validation"]
    assert float(rows[1]["loss_or_db"]) < 12.0  # of 16, of which an untrained network needs most
    state = load(tmp_path / "whole" / "config.json")
    assert isinstance(state, WaveNetTrainConfig)

    halves = _config(tmp_path, tiny_dataset, validate_every=15)

    def kill(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(halves, tmp_path / "parts", report=kill)
    train(halves, tmp_path / "parts", resume=True, report=lambda _: None)
    with np.load(best) as a, np.load(tmp_path / "parts" / "last.npz") as b:
        for name in a.files:
            np.testing.assert_allclose(a[name], b[name], rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_partials_are_heard_with_their_phases() -> None:
    """Their sum is the sound, however the track errs a little; what lies between them is not a part of it."""
    config, hz = WaveNetConfig(), 220.0
    t = np.arange(RATE // 2) / RATE
    tones = np.sum([np.cos(2.0 * np.pi * (k * hz * t + 0.1 * k * k)) / k for k in (1, 2, 3, 7)], axis=0)
    noise = 0.05 * np.random.default_rng(0).standard_normal(len(t))
    frames = len(t) // config.hop
    track = np.full(frames, hz * 2.0 ** (2.0 / 1200.0))
    source, cycles = heard_partials((tones + noise)[: frames * config.hop], track, config)
    inside = slice(1500, -1500)
    missing = (tones[: len(source)] - source)[inside]
    assert missing.std() < 0.1 * tones.std()
    assert 0.6 < (tones + noise)[: len(source)][inside].std() / source[inside].std() < 1.1
    assert np.diff(cycles[:40]).max() == pytest.approx(track[0] / RATE, rel=1e-3)


@pytest.mark.slow
def test_partials_of_noise_are_a_part_of_it() -> None:
    """As wide as the window is long, so that noise stays noise: about a third of its power at six periods."""
    config = WaveNetConfig()
    noise = np.random.default_rng(1).standard_normal(20 * config.hop)
    source, _ = heard_partials(noise, np.full(20, 200.0), config)
    assert 0.1 < np.mean(source[2000:-2000] ** 2) < 0.45


def test_what_the_decoder_says_nothing_of_is_no_partial() -> None:
    config, hz = WaveNetConfig(), 220.0
    t = np.arange(20 * config.hop) / RATE
    first, second = (np.sin(2.0 * np.pi * k * hz * t) for k in (1, 2))
    source, _ = heard_partials(first + second, np.full(20, hz), config, first + 0.1 * second)
    inside = slice(1500, -1500)
    np.testing.assert_allclose(source[inside], (first + 0.2 * second)[inside], atol=0.02)
