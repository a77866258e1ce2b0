"""Checkpoints of magenta's network with random weights, made once, and what is imported of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.parity import magenta


@pytest.fixture(scope="session")
def narrow_prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A narrowed network's checkpoint, with averages and an optimizer's variables, as magenta's training leaves it."""
    if not magenta.available():
        pytest.skip("magenta is not installed: pip install --no-deps -r requirements-parity.txt")
    return magenta.write_checkpoint(tmp_path_factory.mktemp("narrow") / "model.ckpt", sizes=magenta.NARROW)


@pytest.fixture(scope="session")
def full_prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """h512_bo16 at its own size."""
    if not magenta.available():
        pytest.skip("magenta is not installed: pip install --no-deps -r requirements-parity.txt")
    return magenta.write_checkpoint(tmp_path_factory.mktemp("full") / "model.ckpt", optimizer=False)


@pytest.fixture(scope="session")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A function that imports a checkpoint through the shell and returns the folder: imported(prefix, "--averaged")."""
    from typer.testing import CliRunner

    from synth_explorer.cli import app

    def run(source: Path, *options: str) -> Path:
        folder = tmp_path_factory.mktemp("imported")
        words = ["checkpoint", "import-nsynth", str(source), "--name", "theirs", "--into", str(folder), *options]
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, result.output
        return folder / "theirs"

    return run
