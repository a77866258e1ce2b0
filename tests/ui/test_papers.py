"""What docs/page.md and README.md promise of programs, run as it stands there, against the page as people start it."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile

from tests.conftest import make_note
from tests.ui.server import Server

pytestmark = pytest.mark.slow
SERVED = "http://127.0.0.1:7860"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("server"))
    yield started
    started.kill()


def _told(repository: Path, page: str, pattern: str) -> list[str]:
    found = re.findall(pattern, (repository / page).read_text(), re.M | re.S)
    return [textwrap.dedent(example) for example in found if SERVED in example]


@pytest.mark.parametrize("page", ["docs/page.md", "README.md"])
def test_python_asks_a_page(server: Server, repository: Path, page: str, tmp_path: Path) -> None:
    examples = _told(repository, page, r"^ *```python\n(.*?)^ *```")
    assert len(examples) == 1
    soundfile.write(tmp_path / "mine.wav", make_note(62.0), 16_000)
    program = examples[0].replace(SERVED, server.address.rstrip("/"))
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    path = done.stdout.strip().splitlines()[-1].split(".wav")[0] + ".wav"
    assert soundfile.info(path).samplerate == 48_000


def test_curl_asks_a_page(server: Server, repository: Path, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("no curl")
    examples = _told(repository, "docs/page.md", r"`(curl [^`]*)`")
    assert len(examples) == 2
    for example in examples:
        words = shlex.split(example.replace(SERVED, server.address.rstrip("/")))
        subprocess.run([*words, "--fail", "--silent", "--show-error"], cwd=tmp_path, check=True)
        assert soundfile.info(tmp_path / words[words.index("-o") + 1]).duration > 1.0
