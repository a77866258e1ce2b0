"""A studio over the fake Explorer, with notes that the test wrote."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"


def _load_fake() -> ModuleType:
    """tests/ui/fake.py, wherever pytest was started."""
    name = "tests_ui_fake"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("fake.py"))
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def fake() -> ModuleType:
    return _load_fake()


@pytest.fixture(scope="module")
def rack(fake: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """A quick checkpoint and a slow one."""
    from synth_explorer.ui.rack import Rack

    kinds = {"fake": fake.FakeExplorer, "slow": fake.SlowExplorer}
    opened = Rack(lambda name: kinds[name](), list(kinds), notes=fake.fake_notes(tmp_path_factory.mktemp("notes")))
    yield opened
    opened.jukebox.close()


@pytest.fixture(scope="module")
def studio(rack: object) -> object:
    return rack.studio("fake")
