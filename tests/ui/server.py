"""A server of the page in a process of its own, that can be killed and started again, and what it takes of the machine.

It has folders of its own for what it keeps and for temporary files, so that what it leaves can be counted.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil

REPOSITORY = Path(__file__).resolve().parents[2]
START_S = 180.0
FAKE = """
import sys
from pathlib import Path
from synth_explorer.ui.page import build_page, serve
from synth_explorer.ui.session.studios import Studios
from tests import fake_family
studios = Studios(lambda name: fake_family.fake_explorer(), ["fake"], notes=fake_family.fake_notes(Path(sys.argv[1])))
serve(build_page(studios), studios, server_name="127.0.0.1", quiet=True)
"""
"""A page over the fake family. Its argument: a folder for its notes."""


class Server:
    """A page that is served at one port, every time that it is started."""

    def __init__(self, folder: Path, words: Sequence[str] | None = None) -> None:
        """`folder`: where all that it writes lies. `words`: what starts it; None: `app.py`, as people do."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}/"
        self.temporary, self.log, self.data = folder / "temporary", folder / "log.txt", folder / "data"
        self.temporary.mkdir(parents=True)
        self._words = [sys.executable, *(words or ["app.py"])]
        self._environment = os.environ | {
            "SYNTH_EXPLORER_DATA": str(self.data),
            "SYNTH_EXPLORER_CACHE": str(folder / "cache"),
            "TMPDIR": str(self.temporary),
            "GRADIO_SERVER_PORT": str(port),
            "GRADIO_ANALYTICS_ENABLED": "False",
            "PYTHONPATH": str(REPOSITORY),
        }
        self.start()

    @classmethod
    def of_fakes(cls, folder: Path) -> Server:
        """A page over the fake family."""
        (folder / "notes").mkdir(parents=True)
        return cls(folder, ["-c", FAKE, str(folder / "notes")])

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._words, cwd=REPOSITORY, env=self._environment, stdout=log, stderr=subprocess.STDOUT
            )
        last_s = time.monotonic() + START_S
        while True:
            try:
                urlopen(self.address).close()
                return
            except (URLError, ConnectionError):
                assert time.monotonic() < last_s and self._process.poll() is None, "the server does not start"
                time.sleep(0.2)

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(30)

    def end(self) -> None:
        """Let it end as people do."""
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()

    @property
    def facts(self) -> dict[str, float]:
        """What it takes of the machine now: memory in MB, open files and sockets, threads, temporary files and MB."""
        process = psutil.Process(self._process.pid)
        files = [path.stat().st_size for path in self.temporary.rglob("*") if path.is_file()]
        return {
            "rss_mb": process.memory_info().rss / 2**20,
            "files": process.num_fds(),
            "threads": process.num_threads(),
            "temporary": len(files),
            "temporary_mb": sum(files) / 2**20,
            "folders": sum(path.is_dir() for path in self.temporary.rglob("*")),
        }

    @property
    def tracebacks(self) -> int:
        """Errors of the program that it wrote of."""
        return self.said.count("Traceback (most recent call last)")

    @property
    def said(self) -> str:
        """All that it wrote."""
        return self.log.read_text(encoding="utf-8", errors="replace")
