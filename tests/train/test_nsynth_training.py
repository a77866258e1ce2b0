"""Training of NSynth's network: its figure against a naive one, learning, a checkpoint that encodes and draws."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy.special import log_softmax

from synth_explorer.explorer import Explorer
from synth_explorer.train.export import export
from synth_explorer.train.nsynth import NSynthRun, NSynthTrainConfig
from synth_explorer.train.start import load, train
from synth_explorer.train.validation import crops
from tests.train.conftest import PRE_ROLL

SIZES = {
    "encoder_stages": 4, "encoder_layers": 4, "encoder_width": 8, "stages": 4, "layers": 4, "width": 8,
    "skip_width": 16, "pre_roll_samples": PRE_ROLL,
}  # fmt: skip


def _config(tmp_path: Path, dataset: Path, **changes: object) -> Path:
    values = {
        "family": "nsynth", "datasets": {str(dataset): 1.0}, "batch": 2, "frames": 6, "steps": 20, "warm_up_steps": 2,
        "validate_every": 10, "validation_notes": 5, "learning_rate": 1e-2, "jit_compile": False,
        "augmentation": {"room": 0.0, "chorus": 0.0, "cross_pitch": 0.0}, "model": SIZES,
    } | changes  # fmt: skip
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


@pytest.mark.slow
def test_its_figure_is_what_the_levels_cost(tmp_path, tiny_dataset) -> None:
    config = load(_config(tmp_path, tiny_dataset, validation_notes=2))
    assert isinstance(config, NSynthTrainConfig)
    run = NSynthRun(config, tmp_path, resume=False)
    audio = np.stack([sound for sound, _ in crops(run.batches.sources, 2, frames=6, hop=512)])
    network = config.plain_model()
    network.build_weights()
    network.set_weights(run.model.get_weights())
    out = {name: np.asarray(values) for name, values in network(audio).items()}
    nats = 0.0
    for logits, levels in zip(log_softmax(out["logits"], axis=-1), out["levels"], strict=True):
        nats -= sum(row[int(level) + 128] for row, level in zip(logits, levels, strict=True))
    np.testing.assert_allclose(run.validate(), nats / np.log(2.0) / audio.size, rtol=1e-4)


@pytest.mark.slow
def test_a_run_learns_and_leaves_a_checkpoint_that_encodes_and_draws(tmp_path, tiny_dataset) -> None:
    train(_config(tmp_path, tiny_dataset), tmp_path / "run", report=lambda _: None)
    with (tmp_path / "run" / "log.csv").open() as file:
        bits = [float(row["loss_or_db"]) for row in csv.DictReader(file) if row["kind"] == "validation"]
    assert bits[-1] < bits[0] < 8.0  # 8 bits are what an untrained network needs
    info = export(tmp_path / "run", tmp_path / "small")
    assert info.family == "nsynth"
    assert "single-precision" in (info.path / "card.md").read_text()
    explorer = Explorer.load(tmp_path / "small")
    heard = explorer.encode(np.zeros(4096, np.float32), align=False)
    assert heard.z.shape == (8, 16)
    assert np.isfinite(explorer.decode(heard)).all()
