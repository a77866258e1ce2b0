"""A studio over the fake Explorer with notes that the tests wrote, and one server and one browser for all of them."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.ui.desk import Desk

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


@pytest.fixture(scope="session")
def rack(fake: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """A quick checkpoint and a slow one."""
    from synth_explorer.ui.rack import Rack

    patched = pytest.MonkeyPatch()
    patched.setenv("SYNTH_EXPLORER_CACHE", str(tmp_path_factory.mktemp("cache")))
    kinds = {"fake": fake.FakeExplorer, "slow": fake.SlowExplorer}
    opened = Rack(lambda name: kinds[name](), list(kinds), notes=fake.fake_notes(tmp_path_factory.mktemp("notes")))
    yield opened
    opened.jukebox.close()
    patched.undo()


@pytest.fixture(scope="session")
def studio(rack: object) -> object:
    return rack.studio("fake")


@pytest.fixture(scope="session")
def address(rack: object) -> Iterator[str]:
    """Where the page is served."""
    from synth_explorer.ui.page import build_page, serve

    page = build_page(rack)
    _, local, _ = serve(page, rack, server_name="127.0.0.1", prevent_thread_lock=True, quiet=True)
    yield local
    page.close()


@pytest.fixture(scope="session")
def shared_desk(browser: object, address: str) -> Iterator[Desk]:
    opened = Desk(browser, address)
    yield opened
    opened.page.close()


@pytest.fixture
def desk(shared_desk: Desk) -> Iterator[Desk]:
    """A page that tests share, its edits at rest; for those that leave its sources and their number alone."""
    shared_desk.troubles.clear()
    yield shared_desk
    shared_desk.reset()
    assert shared_desk.troubles == []


@pytest.fixture
def fresh(browser: object, address: str) -> Iterator[Callable[..., Desk]]:
    """Opens a page of one's own: fresh(). With quiet=False it may complain."""
    opened: list[tuple[Desk, bool]] = []

    def open_page(*, quiet: bool = True) -> Desk:
        opened.append((Desk(browser, address), quiet))
        return opened[-1][0]

    yield open_page
    for desk, _ in opened:
        desk.page.close()
    assert [desk.troubles for desk, quiet in opened if quiet and desk.troubles] == []
