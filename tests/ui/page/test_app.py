"""The page as people start it, `python app.py` with the bundled model, in a real browser."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest
import soundfile

from tests.ui.open_page import NEEDS_CHROMIUM

START_S = 180

pytestmark = NEEDS_CHROMIUM


@pytest.fixture
def address(repository: Path) -> Iterator[str]:
    """Where a fresh `python app.py` serves, read from what it prints."""
    environment = os.environ | {"GRADIO_SERVER_PORT": "7930", "PYTHONUNBUFFERED": "1"}
    environment.pop("SYNTH_EXPLORER_CHECKPOINT", None)
    app = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=repository,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        said = []
        for line in app.stdout:
            said.append(line)
            found = re.search(r"http://[\w.:]+", line)
            if found:
                yield found[0]
                break
        else:
            pytest.fail("app.py ended without an address: " + "".join(said))
    finally:
        app.terminate()
        app.wait(30)
        app.stdout.close()


@pytest.mark.slow
def test_the_page_plays_the_bundled_model_at_the_asked_level(browser, address: str) -> None:
    def served(page) -> tuple[str, np.ndarray]:
        source = page.locator("#screen-result audio").get_attribute("src")
        with urlopen(source) as answer:
            return source, soundfile.read(io.BytesIO(answer.read()), dtype="float32")[0]

    page = browser.new_page()
    page.set_default_timeout(1000 * START_S)
    page.goto(address)
    page.wait_for_selector("#screen-result .screen[data-state=ready]")
    source, before = served(page)
    page.locator("#gain-db input[type=number]").fill("-12")
    page.locator("#gain-db input[type=number]").blur()
    page.wait_for_function(
        "before => document.querySelector('#screen-result audio').getAttribute('src') !== before", arg=source
    )
    _, after = served(page)
    page.close()
    heard_db = 10 * np.log10(np.mean(after.astype(float) ** 2) / np.mean(before.astype(float) ** 2))
    assert heard_db == pytest.approx(-12.0, abs=0.8)  # a source may have been fitted between the two


@pytest.mark.parametrize("environment", [{}, {"SYNTH_EXPLORER_AUTH": "nobody"}])
def test_it_takes_what_the_command_takes(repository: Path, environment: dict[str, str]) -> None:
    words = [sys.executable, "app.py", *([] if environment else ["--help"])]
    done = subprocess.run(words, cwd=repository, env=os.environ | environment, capture_output=True, text=True)
    if environment:
        assert done.returncode == 2 and "a user and a password" in done.stderr and not done.stdout
    else:
        assert done.returncode == 0 and "GRADIO_SERVER_PORT say what" in done.stdout and "--auth" in done.stdout
