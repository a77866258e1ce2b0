"""A page that is open in a real browser, and what one can do with it."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import numpy as np
import pytest
import soundfile

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
WAIT_MS = 180_000  # on a machine that is busy elsewhere
VIEWPORT = {"width": 1440, "height": 900}

NEEDS_CHROMIUM = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="no chromium: install Debian's package `chromium`"),
]

EDIT_KNOBS = """() => {
  const request = new URL(document.querySelector('#screen-result audio').src).searchParams.get('request');
  if (!request) return '';
  const { count, mix, x, y, by_pitch, set_pitch, pitch_midi, amount, ...knobs } = JSON.parse(request).knobs;
  return JSON.stringify({ ...knobs, curves: knobs.curves.points });
}"""


STATE = "window.synthExplorerState && JSON.stringify(window.synthExplorerState().said)"
ASKED = "JSON.stringify(window.synthExplorerThin(JSON.parse(window.synthExplorerRequest)))"
KEPT = """(kept) => [sessionStorage, localStorage].forEach((storage) => {
  storage.clear();
  for (const name of kept === null ? [] : ['undo', 'last', 'compare', 'sounds', 'view']) {
    storage.setItem('synth-explorer-' + name, kept);
  }
})"""
RESTORED = f"""first => {{
  const there = ({STATE}) === first;
  if (!there) window.synthExplorerPut({{ said: JSON.parse(first), fit: null }}); // again, if a late answer came
  return there && {ASKED} === first;
}}"""
FRAMES = """async (part, count) => {
  for (let frame = 0; frame < count; frame++) await new Promise(requestAnimationFrame);
}"""


class OpenPage:
    """A page that is open, and what one can do with it."""

    def __init__(self, browser, address: str, **context: Any) -> None:
        """`context`: what Playwright is told of the browser, of a screen of `VIEWPORT` otherwise."""
        self._address = address
        self.page = browser.new_context(**{"viewport": VIEWPORT} | context).new_page()
        self.page.set_default_timeout(WAIT_MS)
        self.troubles: list[str] = []
        self.page.on(
            "console",
            lambda entry: self._note(entry.type in ("error", "warning"), f"{entry.text} ({entry.location['url']})"),
        )
        self.page.on("pageerror", lambda error: self._note(True, str(error)))
        self.page.on("request", lambda request: self._note(self._leaves(request.url), "left: " + request.url))
        self.page.add_init_script("window.plays = 0; window.addEventListener('screen-plays', () => window.plays++);")
        self.page.goto(address)
        self.page.wait_for_selector("#screen-result .screen[data-state=ready]")
        self.quiet = True  # whether a test of its own complains of troubles
        self._first, self._rest = self.state(), self.edit_knobs()

    def _note(self, is_trouble: bool, text: str) -> None:
        if is_trouble:
            self.troubles.append(text)

    @staticmethod
    def _leaves(url: str) -> bool:
        parts = urlsplit(url)
        return parts.scheme not in ("data", "blob") and parts.hostname not in ("127.0.0.1", "localhost")

    def edit_knobs(self) -> str:
        """What the knobs of the edits are in the question whose sound is played, as JSON."""
        return self.page.evaluate(EDIT_KNOBS)

    def state(self) -> str:
        """What the page says is its state, as JSON."""
        return self.page.evaluate(STATE)

    def turned(self, act: Callable[[], object]) -> str:
        """Do something, wait until the page's state is another one, and return that."""
        before = self.state()
        act()
        self.page.wait_for_function(f"before => ({STATE}) !== before", arg=before)
        return self.state()

    def reached(self, wanted: str) -> np.ndarray:
        """Wait until the page is in a state, its knobs too, and return its sound."""
        self.page.wait_for_function(f"wanted => ({STATE}) === wanted && {ASKED} === wanted", arg=wanted)
        return self.fetch()

    def reloaded(self) -> None:
        """Open the page anew; Gradio tells the console of what it was still waiting for."""
        self.page.reload()
        self.page.wait_for_selector("#screen-result .screen[data-state=ready]")
        self._forgive()

    def _forgive(self) -> None:
        self.troubles[:] = [one for one in self.troubles if "abort" not in one and "errored out" not in one]

    def anew(self, link: str = "", *, kept: str | None = None) -> None:
        """Open the page as whoever comes for the first time, or who left something under all names that it reads."""
        self.page.goto(self._address + "favicon.ico")  # which keeps nothing itself
        self.page.evaluate(KEPT, kept)
        self.page.goto(self._address + link)
        self.page.wait_for_selector("#screen-result .screen[data-state=ready]")
        self._forgive()

    def restore(self) -> None:
        """Turn the page to what it was opened with, its notes and their number too, and wait until that plays."""
        if self.page.evaluate(f"first => ({STATE}) === first && {ASKED} === first", self._first):
            return
        plays = self.page.evaluate("window.plays")
        self.page.wait_for_function(RESTORED, arg=self._first)
        self.page.wait_for_function("before => window.plays > before", arg=plays)
        self.page.wait_for_function(f"rest => ({EDIT_KNOBS})() === rest", arg=self._rest)

    def open(self, group: str) -> None:
        """Open a group of knobs, unless it is."""
        if not self.page.locator(f"#{group} > button.open").count():
            self.page.click(f"#{group} > button")

    def source(self, screen: str = "screen-result") -> str:
        """Address of the file that a screen plays."""
        return self.page.locator(f"#{screen} audio").get_attribute("src") or ""

    def after(self, act, screen: str = "screen-result") -> np.ndarray:
        """Do something, wait until the result is another file, and fetch that file."""
        before = self.source(screen)
        act()
        self.page.wait_for_function(
            "([screen, before]) => document.querySelector(`#${screen} audio`).getAttribute('src') !== before",
            arg=[screen, before],
        )
        return self.fetch(screen)

    def reported(self, words: str) -> None:
        """Wait until the table of what was asked and heard says something."""
        self.page.wait_for_function(
            "words => document.querySelector('#report')?.innerText.replace(/\\s+/g, ' ').includes(words)", arg=words
        )

    def fetch(self, screen: str = "screen-result") -> np.ndarray:
        with urlopen(self.source(screen)) as answer:
            return soundfile.read(io.BytesIO(answer.read()), dtype="float32")[0]

    def type_into(self, knob: str, value: str) -> None:
        field = self.page.locator(f"#{knob} input[type=number]")
        field.fill(value)
        field.evaluate(FRAMES, 2)  # no hand leaves a field within the frame in which it wrote
        field.blur()

    def choose(self, group: str, words: str) -> None:
        self.page.locator(f"#{group} label", has_text=words).click()


def rms_db(audio: np.ndarray) -> float:
    return 10 * float(np.log10(np.mean(audio.astype(np.float64) ** 2)))


def drag(open_page: OpenPage, target: str, x: float, y: float) -> None:
    """Drag from the middle of an element to a place in parts of its width and height."""
    box = still(open_page.page, target)
    open_page.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    open_page.page.mouse.down()
    open_page.page.mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y, steps=6)
    open_page.page.mouse.up()


def still(page: Any, target: str) -> dict[str, float]:
    """Where an element lies on the screen, once it is on it and has not moved for three frames."""
    part = page.locator(target)
    part.evaluate("(part) => part.scrollIntoView({ block: 'center' })")  # the keyboard covers the foot of the window
    part.evaluate("""async (part) => {
      const place = () => { const box = part.getBoundingClientRect(); return `${box.x} ${box.y} ${box.width}`; };
      for (let [before, still] = [place(), 0]; still < 3; before = place()) {
        await new Promise(requestAnimationFrame);
        still = place() === before ? still + 1 : 0;
      }
    }""")
    return part.bounding_box()
