"""The script that measures a GPU, rehearsed on the processor."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.long
def test_check_gpu_measures_every_part_on_a_processor(tmp_path: Path) -> None:
    out = tmp_path / "gpu.json"
    given = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    environment = {**given, "PYTHON": sys.executable, "QUICK": "1", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run([ROOT / "scripts" / "check_gpu.sh", out], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    report = json.loads(out.read_text())
    assert [name.split()[0] for name in report["devices"]] == ["jax"]
    assert [row["batch"] for row in report["fast decoder"]] == [1, 4]
    assert all(row["largest_difference"] < 1e-3 for row in report["fast decoder"])
    assert report["training"][0]["steps_per_s"] > 0.0
    assert [row["batch"] for row in report["wavenet"]] == [1, 8]


def test_check_gpu_says_how_it_is_used() -> None:
    done = subprocess.run([ROOT / "scripts" / "check_gpu.sh"], capture_output=True, text=True)
    assert done.returncode == 2 and "check_gpu.sh OUT.json" in done.stderr
