"""A server that is killed and started again while a page is open: nothing of the page is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.ui.open_page import NEEDS_CHROMIUM, OpenPage
from tests.ui.server import Server

pytestmark = NEEDS_CHROMIUM


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    started = Server.of_fakes(tmp_path / "server")
    yield started
    started.kill()


@pytest.mark.long  # it starts two servers
def test_an_open_page_and_a_reloaded_one_go_on_after_a_restart(browser, server, tmp_path):
    mine = tmp_path / "mine.wav"
    at = np.arange(22050) / 22050
    soundfile.write(mine, 0.2 * np.sin(2 * np.pi * 330 * at) * np.exp(-at), 22050)
    open_page = OpenPage(browser, server.address)
    first = open_page.turned(lambda: open_page.page.set_input_files("#slot-a input[type=file]", mine))
    heard = open_page.after(lambda: open_page.type_into("gain-db", "-6"))
    second = open_page.state()
    mine.unlink()
    server.kill()
    server.start()
    assert np.array_equal(open_page.fetch(), heard)
    open_page.reloaded()  # as Gradio does by itself where it has noticed
    assert np.array_equal(open_page.reached(second), heard)
    open_page.page.keyboard.press("Control+z")
    plain = open_page.reached(first)
    assert plain.size and not np.array_equal(plain, heard)
    open_page.page.keyboard.press("Control+Shift+Z")
    assert np.array_equal(open_page.reached(second), heard)
    assert open_page.page.locator("#picker-a option:checked").inner_text() == "mine.wav"
    louder = open_page.after(lambda: open_page.type_into("gain-db", "3"))
    assert np.abs(louder).max() > np.abs(heard).max()
    open_page.page.close()
