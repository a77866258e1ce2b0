"""Training of the WaveNet autoencoder: it learns, and it resumes to the bit."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import yaml

from synth_explorer.model.wavenet_config import WaveNetConfig
from synth_explorer.train.start import load, train
from synth_explorer.train.wavenet import FADES_HZ, WaveNetTrainConfig, faded, pitch_phase
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


def test_the_phase_is_that_of_the_first_partial() -> None:
    """However the track errs a little, and wherever the sound begins."""
    config, hz = WaveNetConfig(), 440.0
    t = np.arange(RATE // 2) / RATE
    sound = np.cos(2.0 * np.pi * (hz * t + 0.3)) + 0.5 * np.cos(2.0 * np.pi * 2.0 * hz * t)
    track = np.full(len(sound) // config.hop + 1, hz * 2.0 ** (3.0 / 1200.0))
    cycles, period = pitch_phase(sound, track, config)
    wanted = hz * t[:: config.step] + 0.3
    inside = slice(len(cycles) // 4, -len(cycles) // 4)
    off = np.mod(cycles - wanted + 0.5, 1.0) - 0.5
    assert np.abs(off[inside]).max() < 0.02
    assert period[0] == pytest.approx(RATE / track[0])


def test_a_band_of_what_recurs_fades_and_nothing_moves() -> None:
    """By its spectrum: partials inside the band are as much weaker as was asked, those outside and all phases stay."""
    config, period = WaveNetConfig(), 73.37
    t, partials = np.arange(8192), np.arange(1, 36)
    sound = np.cos(2.0 * np.pi * np.outer(partials, t) / period + partials[:, None] ** 2).sum(0).astype(np.float32)
    kinds = np.arange(len(FADES_HZ), dtype=np.int32)
    rows = np.stack([sound] * len(kinds))
    found = faded(
        rows, np.full((len(kinds), 2048), period, np.float32), np.full(len(kinds), 0.4, np.float32), kinds, config
    )
    bins, window = np.round(partials * 4096 / period).astype(int), np.hanning(4096)
    before = np.fft.rfft(sound[2000:6096] * window)[bins]
    for (low_hz, high_hz), row in zip(FADES_HZ, np.asarray(found), strict=True):
        answer = np.fft.rfft(row[2000:6096] * window)[bins] / before
        hz = partials * RATE / period
        inside, outside = (hz > low_hz + 600) & (hz < high_hz - 600), (hz < low_hz - 600) | (hz > high_hz + 600)
        np.testing.assert_allclose(np.abs(answer[inside]), 0.6, atol=0.02)
        np.testing.assert_allclose(np.abs(answer[outside]), 1.0, atol=0.02)
        np.testing.assert_allclose(np.angle(answer[hz < 7000.0]), 0.0, atol=0.05)
