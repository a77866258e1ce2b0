"""A finished batch of a model that is none, to choose from."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from synth_explorer import rendering
from synth_explorer.batch import plan, run
from tests.batch.conftest import BundledFamily
from tests.fake_family import fake_explorer

SPEC = """
sources: [Cello, Flute, Marimba]
morphs: [{pairs: all}]
fit_steps: 0
pitches: [C3, C4]
edits: [{gain: [0, -0.5, -6]}]
open_loop: true
name: "{source}/{pitch} #{edits}"
"""


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """18 sounds, of which six are half a dB softer than others."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "spec.yaml").write_text(SPEC, encoding="utf-8")
    renderer = rendering.Renderer(fake_explorer(BundledFamily))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rendering, "renderer_of", lambda patch: renderer)
        run.run(plan.of_spec(folder / "spec.yaml"), folder / "batch", workers=1)
    return folder / "batch"


@pytest.fixture
def batch(made: Path, tmp_path: Path) -> Callable[[], Path]:
    """A function that makes a copy of it, to write into."""
    return lambda: Path(shutil.copytree(made, tmp_path / "batch"))
