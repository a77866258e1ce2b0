"""How long the page takes from a knob's release to its sound: `python -m tests.ui.latency`, on a quiet machine.

It starts `app.py` as people do, drags sliders in a real Chromium and prints, over all releases: when the new sound's
address is in the player, when its bytes are there, and when it plays. Clocks are the browser's.
"""

from __future__ import annotations

import json
import time
from typing import Any

from tests.ui import served
from tests.ui.open_page import CHROMIUM, FLAGS, still

KNOBS = ("x", "y", "gain-db", "brightness", "transpose")
WATCH = """() => {
  const player = document.querySelector('#screen-result audio');
  const now = {};
  window.latency = now;
  window.addEventListener('pointerup', () => { now.released = performance.now(); }, true);
  const note = (name) => { if (now.released && !(name in now)) now[name] = performance.now() - now.released; };
  new MutationObserver(() => { note('address'); now.src = player.getAttribute('src'); })
    .observe(player, { attributes: true, attributeFilter: ['src'] });
  player.addEventListener('loadeddata', () => note('loaded'));
  player.addEventListener('playing', () => note('playing'));
  const picture = document.querySelector('#screen-result img');
  new MutationObserver(() => note('picture')).observe(picture, { attributes: true, attributeFilter: ['src'] });
}"""
TIMES = ("address", "loaded", "playing", "picture")


def measure(address: str, *, releases: int, pause_s: float = 1.2) -> dict[str, list[float]]:
    """Milliseconds from each release to each of TIMES.

    Args:
        address: of a page that is being served.
        releases: how many sliders are let go of.
        pause_s: between two of them.
    """
    from playwright.sync_api import sync_playwright

    found: dict[str, list[float]] = {name: [] for name in TIMES}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(120_000)
        page.goto(address)
        page.wait_for_selector("#screen-result .screen[data-state=ready]")
        time.sleep(2.0)
        page.evaluate(WATCH)
        for index in range(releases + 2):  # the first two warm up
            times = _release(page, KNOBS[index % len(KNOBS)], at=0.15 + 0.7 * (index * 0.381966 % 1.0))
            time.sleep(pause_s)
            for name in TIMES if index >= 2 else ():
                found[name].append(times[name])
        browser.close()
    return found


def _release(page: Any, knob: str, *, at: float) -> dict[str, float]:
    """Drag a slider to a place 0..1 of its width, let go, and wait until the sound plays and its picture is there."""
    box = still(page, f"#{knob} input[type=range]")
    page.evaluate(f"for (const name of {json.dumps([*TIMES, 'released', 'src'])}) delete window.latency[name]")
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.5, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * at, middle, steps=4)
    time.sleep(0.15)
    page.mouse.up()
    page.wait_for_function(f"{json.dumps(TIMES)}.every((name) => name in window.latency)")
    return page.evaluate("({...window.latency})")


if __name__ == "__main__":
    served.main(
        lambda address, releases: measure(address, releases=releases),
        about=str(__doc__),
        port="7931",
        of="releases",
        count=40,
    )
