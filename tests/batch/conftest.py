"""Batches over a model that is none, under the name of the bundled one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from synth_explorer import checkpoints, rendering
from synth_explorer.batch import plan
from synth_explorer.batch.plan import Plan
from tests.fake_family import FakeFamily, fake_explorer


class BundledFamily(FakeFamily):
    """A quick model that takes itself for the bundled one."""

    name, hash = "default", checkpoints.read_info(checkpoints.find("default")).hash


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> BundledFamily:
    """What renders in this process; it counts what it does."""
    explorer = fake_explorer(BundledFamily)
    renderer = rendering.Renderer(explorer)
    monkeypatch.setattr(rendering, "renderer_of", lambda patch: renderer)
    assert isinstance(explorer.family, BundledFamily)
    return explorer.family


@pytest.fixture
def planned(tmp_path: Path) -> Callable[[str], Plan]:
    """The plan of a spec's text."""

    def read(text: str) -> Plan:
        path = tmp_path / "spec.yaml"
        path.write_text(text, encoding="utf-8")
        return plan.of_spec(path)

    return read
