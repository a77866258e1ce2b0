"""The shell over a model that is none."""

from __future__ import annotations

import pytest

from synth_explorer import rendering
from synth_explorer.cli import common
from synth_explorer.explorer import Explorer
from tests.fake_family import LongFamily, fake_explorer


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Explorer:
    """What the commands get instead of a checkpoint, whatever its name."""
    explorer = fake_explorer(LongFamily)
    monkeypatch.setattr(common, "load_explorer", lambda checkpoint: explorer)
    monkeypatch.setattr(rendering, "renderer_of", lambda patch: rendering.Renderer(explorer))
    return explorer
