"""What `check_gpu.sh` runs."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from synth_explorer import runtime
from synth_explorer.bench import decoding, device, machine
from synth_explorer.explorer import Explorer
from synth_explorer.files import write_text
from synth_explorer.model.config import ModelConfig

STEPS = 20


def training(config: ModelConfig, *, batch: int, frames: int) -> dict[str, float]:
    """Time steps of the training of encoder and fast decoder, on noise."""
    from synth_explorer.train.trainer import TrainConfig, make_training_model

    model = make_training_model(TrainConfig({"noise": 1.0}, model=config, batch=batch, frames=frames))
    rng, samples = np.random.default_rng(0), frames * config.hop
    audio = 0.1 * rng.standard_normal((batch, samples))
    pitch_hz = np.full((batch, frames), 220.0)
    inputs = {
        "source": audio,
        "source_pitch_hz": pitch_hz,
        "target": audio,
        "target_pitch_hz": pitch_hz,
        "weight": np.ones(batch),
        "latent_noise": rng.standard_normal((batch, frames, config.channels - 2)),
        "noise_phase": rng.random((batch, frames, config.hop + 1)),
        "short_noise_phase": rng.random((batch, frames * config.subframes, config.hop // config.subframes + 1)),
    }
    given = {name: values.astype(np.float32) for name, values in inputs.items()}
    begun = time.perf_counter()
    model.train_on_batch(given)
    start = time.perf_counter()
    for _ in range(STEPS):
        model.train_on_batch(given)
    end = time.perf_counter()
    return {"batch": batch, "frames": frames, "first_s": start - begun, "steps_per_s": STEPS / (end - start)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    report: dict[str, Any] = {"machine": machine.facts(), "devices": runtime.devices()}
    print(*report["devices"], sep="\n", flush=True)

    def say(part: str, row: dict[str, Any]) -> None:
        report.setdefault(part, []).append(row)
        figures = (
            f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in row.items()
        )
        print(f"{part}:", ", ".join(figures), flush=True)
        write_text(given.out, json.dumps(report, indent=2) + "\n")

    explorer = Explorer.load("default")
    for row in device.run(explorer, batches=(1, 4) if given.quick else device.BATCHES):
        say("fast decoder", row)
    for batch in (8,) if given.quick else (16, 128):
        say("training", training(explorer.config, batch=batch, frames=32))
    for network, batches in (
        (("small", (1, 8)),) if given.quick else (("small", (1, 64, 512)), ("nsynth", (1, 64, 256)))
    ):
        for batch in batches:
            rows = decoding.run(
                networks=[network], batches=[batch], engines=[("keras", "float32")], seconds=0.5, magenta=False
            )
            say("wavenet", {name: rows[0][name] for name in ("network", "batch", "samples_per_s", "times_real_time")})


if __name__ == "__main__":
    main()
