"""A studio over the fake Explorer with notes that the tests wrote, and one server and one browser for all of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

from tests import fake_family
from tests.ui.open_page import OpenPage

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"


@pytest.fixture(scope="session")
def fake() -> ModuleType:
    return fake_family


@pytest.fixture(scope="session")
def studios(fake: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """A quick checkpoint and a slow one."""
    from synth_explorer.ui.session.studios import Studios

    patched = pytest.MonkeyPatch()
    patched.setenv("SYNTH_EXPLORER_CACHE", str(tmp_path_factory.mktemp("cache")))
    patched.setenv("SYNTH_EXPLORER_DATA", str(tmp_path_factory.mktemp("data")))
    kinds = {"fake": fake.FakeFamily, "slow": fake.SlowFamily}
    opened = Studios(
        lambda name: fake.fake_explorer(kinds[name]),
        list(kinds),
        notes=fake.fake_notes(tmp_path_factory.mktemp("notes")),
    )
    yield opened
    opened.sound_folder.close()
    patched.undo()


@pytest.fixture(scope="session")
def studio(studios: object) -> object:
    return studios.studio("fake")


@pytest.fixture(scope="session")
def address(studios: object) -> Iterator[str]:
    """Where the page is served."""
    from synth_explorer.ui.page import build_page, serve

    page = build_page(studios)
    _, local, _ = serve(page, studios, server_name="127.0.0.1", prevent_thread_lock=True, quiet=True)
    yield local
    page.close()


@pytest.fixture(scope="session")
def shared_page(browser: object, address: str) -> Iterator[OpenPage]:
    opened = OpenPage(browser, address)
    yield opened
    opened.page.close()


@pytest.fixture
def open_page(shared_page: OpenPage) -> Iterator[OpenPage]:
    """A page that tests share, at what it was opened with; with `quiet` False it may complain."""
    shared_page.troubles.clear()
    shared_page.quiet = True
    yield shared_page
    shared_page.restore()
    assert not shared_page.quiet or shared_page.troubles == []


@pytest.fixture
def fresh(browser: object, address: str) -> Iterator[Callable[..., OpenPage]]:
    """Opens a page of one's own in a browser of its own, which takes seconds: fresh(), or fresh("#link")."""
    opened: list[OpenPage] = []

    def open_fresh(link: str = "") -> OpenPage:
        opened.append(OpenPage(browser, address + link))
        return opened[-1]

    yield open_fresh
    for one in opened:
        one.page.context.close()
    assert [one.troubles for one in opened if one.quiet and one.troubles] == []


@pytest.fixture(scope="module")
def guarded(studios: object) -> Iterator[str]:
    """Where a page is served that asks for a login."""
    from synth_explorer.ui.page import build_page, serve

    page = build_page(studios)
    options = {"server_name": "127.0.0.1", "prevent_thread_lock": True, "quiet": True}
    yield serve(page, studios, auth=("ann", "secret"), **options)[1]
    page.close()
