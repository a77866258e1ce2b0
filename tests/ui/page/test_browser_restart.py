"""A server that is killed and started again while a page is open: nothing of the page is lost."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np
import pytest
import soundfile

from tests.ui.open_page import NEEDS_CHROMIUM, OpenPage

pytestmark = NEEDS_CHROMIUM

SERVER = """
import sys
from pathlib import Path
from synth_explorer.ui.page import build_page, serve
from synth_explorer.ui.session.studios import Studios
from tests import fake_family
studios = Studios(lambda name: fake_family.fake_explorer(), ["fake"], notes=fake_family.fake_notes(Path(sys.argv[1])))
serve(build_page(studios), studios, server_name="127.0.0.1", server_port=int(sys.argv[2]), quiet=True)
"""
START_S = 90.0


class Server:
    """A page served by a process of its own, at one port every time."""

    def __init__(self, folder: Path, repository: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}/"
        (folder / "notes").mkdir()
        kept = {"SYNTH_EXPLORER_DATA": str(folder / "data"), "SYNTH_EXPLORER_CACHE": str(folder / "cache")}
        self._environment = os.environ | kept | {"PYTHONPATH": str(repository)}
        self._notes, self._repository = folder / "notes", repository
        self.start()

    def start(self) -> None:
        words = [sys.executable, "-c", SERVER, str(self._notes), str(self.port)]
        self._process = subprocess.Popen(words, cwd=self._repository, env=self._environment)
        last_s = time.monotonic() + START_S
        while True:
            try:
                urlopen(self.address).close()
                return
            except URLError:
                assert time.monotonic() < last_s and self._process.poll() is None, "the server does not start"
                time.sleep(0.2)

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(30)


@pytest.fixture
def server(tmp_path: Path, repository: Path) -> Iterator[Server]:
    started = Server(tmp_path, repository)
    yield started
    started.kill()


@pytest.mark.slow  # it starts two servers
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
