"""How long the keyboard takes from a key to its sound, and a held note from a drag: `python -m tests.ui.keys_latency`.

It starts `app.py` as people do, plays in a real Chromium, and prints, over all keys and moves, by the page's own audio
clock: from the key's event to the first sample that is not silent, where the note was ready and where it was not; from
the last move of a pointer to the beginning of the fade into the new sound; and how long the device buffers beside that.
"""

from __future__ import annotations

import time
from typing import Any

from tests.ui import served
from tests.ui.open_page import CHROMIUM, FLAGS

EAR = """async () => {
  const { context, output } = window.synthExplorerAudio;
  const code = `registerProcessor('ear', class extends AudioWorkletProcessor {
    process([[samples]]) {
      const first = samples ? samples.findIndex((sample) => Math.abs(sample) > 1e-5) : -1;
      if (first >= 0 && !this.loud) this.port.postMessage(currentTime + first / sampleRate);
      this.loud = first >= 0;
      return true;
    }
  })`;
  await context.audioWorklet.addModule(URL.createObjectURL(new Blob([code], { type: 'text/javascript' })));
  const ear = new AudioWorkletNode(context, 'ear');
  output.connect(ear).connect(context.destination);
  window.keyed = {};
  window.addEventListener('keydown', (event) => {
    window.keyed = { at: context.currentTime - (performance.now() - event.timeStamp) / 1000 };
  }, true);
  ear.port.onmessage = ({ data }) => {
    if (window.keyed.at && !window.keyed.ms) window.keyed.ms = 1000 * (data - window.keyed.at);
  };
}"""


def measure(address: str, *, keys: int) -> dict[str, list[float]]:
    """Milliseconds, see the module."""
    from playwright.sync_api import sync_playwright

    found: dict[str, list[float]] = {"ready": [], "not ready": [], "follow": [], "rest": [], "device": []}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(120_000)
        page.goto(address)
        page.wait_for_selector("#screen-result .screen[data-state=ready]")
        page.keyboard.press("a")
        page.wait_for_function("window.synthExplorerAudio && window.synthExplorerAudio.log.length")
        page.wait_for_selector(".keys[data-ready=true]")
        page.evaluate(EAR)
        for index in range(keys):
            found["ready"].append(_key(page, "asdfgh"[index % 6]))
        for index in range(keys):
            _turn(page, 0.2 + 0.6 * (index * 0.381966 % 1.0))
            found["not ready"].append(_key(page, "asdfgh"[index % 6]))
        found["follow"], found["rest"] = _drag(page, keys)
        found["device"] = [
            page.evaluate("1000 * (window.synthExplorerAudio.context.outputLatency || 0)") for _ in range(2)
        ]
        browser.close()
    return found


def _key(page: Any, letter: str) -> float:
    """Press a letter until it sounds, and wait until it has died away."""
    page.keyboard.down(letter)
    page.wait_for_function("window.keyed.ms")
    page.keyboard.up(letter)
    milliseconds = page.evaluate("window.keyed.ms")
    page.wait_for_function("document.querySelector('.keys').dataset.voices === '0'")
    time.sleep(1.2)
    return milliseconds


def _turn(page: Any, at: float) -> None:
    """Move the pad, so that no note is ready."""
    page.evaluate("window.keyed = {}")
    box = page.locator(".pad-field").bounding_box()
    before = page.evaluate("window.synthExplorerRequest")
    page.mouse.click(box["x"] + box["width"] * at, box["y"] + box["height"] * 0.4)
    page.wait_for_function("before => window.synthExplorerRequest !== before", arg=before)


def _drag(page: Any, moves: int) -> tuple[list[float], list[float]]:
    """Hold a key and drag the pad about: from each move to its sound, and from letting go to the whole note."""
    box = page.locator(".pad-field").bounding_box()
    page.keyboard.down("d")
    page.wait_for_timeout(1500)
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    page.mouse.down()
    page.evaluate("window.synthExplorerAudio.log.length = 0")
    for index in range(moves * 6):
        page.mouse.move(box["x"] + box["width"] * (0.1 + 0.8 * (index * 0.0371 % 1.0)), box["y"] + box["height"] * 0.5)
        page.wait_for_timeout(30)
    page.wait_for_timeout(500)
    follow = page.evaluate("window.synthExplorerAudio.log.map((entry) => entry.followedMs).filter(Boolean)")
    page.evaluate("window.synthExplorerAudio.log.length = 0")
    page.mouse.up()
    page.wait_for_timeout(1500)
    rest = page.evaluate("window.synthExplorerAudio.log.map((entry) => entry.followedMs).filter(Boolean)")
    page.keyboard.up("d")
    return follow, rest


if __name__ == "__main__":
    served.main(lambda address, keys: measure(address, keys=keys), about=str(__doc__), port="7932", of="keys", count=20)
