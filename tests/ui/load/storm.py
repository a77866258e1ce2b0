"""Storms: reloads by the dozen, a server that is killed and started again, final renders all asked for at once."""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import soundfile

from synth_explorer.ui.request import link
from synth_explorer.ui.request.sound_request import SoundRequest
from tests.ui.load.page import Book, Page, told
from tests.ui.server import Server

RELOADS_A_SECOND = 20
HANDS = 40  # that ask at once
LEAVES_S = 0.5  # after which a page is reloaded that waits for an answer


def reloads(address: str, book: Book, *, seconds: float, a_second: int = RELOADS_A_SECOND) -> int:
    """Pages that are opened and reloaded before they are whole, so many a second; returns how many."""

    def reload() -> None:
        page = Page(address, book, wait_s=LEAVES_S)
        try:
            page.open()
        except httpx.TimeoutException:
            pass  # it is left
        except Exception as error:
            book.wrong("reload", f"{type(error).__name__}: {error}")
        finally:
            page.close()

    began_s, count = time.monotonic(), 0
    with ThreadPoolExecutor(HANDS) as hands:
        while (now_s := time.monotonic() - began_s) < seconds:
            if count < now_s * a_second:
                hands.submit(reload)
                count += 1
            else:
                time.sleep(0.005)
    return count


def kept(address: str, request: SoundRequest) -> dict[str, bytes]:
    """What a link, a question and a page that is opened with either answer."""
    words, book = link.encoded(request), Book()
    asked = {"request": request.to_json()}
    with httpx.Client(base_url=address, timeout=120.0) as client:
        found = {
            "link": client.get(f"sound/result.wav?{words}").content,
            "question": client.get("sound/result.wav", params=asked).content,
            "key": client.get("sound/note.wav", params=asked | {"midi": 57}).content,
            "final": client.get("sound/final.wav", params=asked).content,
        }
    for name, state in (("opened link", {"link": words}), ("opened question", asked)):
        page = Page(address, book)
        found[name] = page.open(state)[0]["request"].encode()
        page.close()
    assert not book.errors, book.errors
    return found


def brought(address: str, folder: Path, book: Book) -> SoundRequest:
    """A page that a sound was uploaded to: what it asks then."""
    page = Page(address, book)
    request = SoundRequest.from_json(page.open()[0]["request"])
    path, at = folder / "mine.wav", np.arange(44100) / 44100
    soundfile.write(path, 0.3 * np.sin(2 * np.pi * 330 * at) * np.exp(-at), 44100)
    event = page.of("upload-a", "upload")
    token, *_ = page.event("brought", event, [request.checkpoint, page.upload(path), request.tokens[0]])
    page.close()
    return replace(request, tokens=(token, *request.tokens[1:]), fit_steps=0)


def weathered(folder: Path, *, seconds: float, server: Server | None = None) -> tuple[int, list[str]]:
    """Reloads for so long, then a server that is killed and started again; how much went wrong, and what was seen."""
    server, book = server or Server(folder / "server"), Book()
    try:
        request = brought(server.address, folder, book)
        before, facts = kept(server.address, request), [server.facts]
        count = reloads(server.address, book, seconds=seconds)
        calm = Book()
        for _ in range(2):
            page = Page(server.address, calm)
            page.open()
            page.close()
        facts.append(server.facts)
        server.kill()
        server.start()
        after = kept(server.address, request)
    finally:
        server.end()
    lost = [name for name, content in before.items() if after[name] != content]
    return len(book.errors) + len(calm.errors) + server.tracebacks + len(lost), [
        f"{count} reloads in {seconds:.0f} s; {len(book.errors)} errors; {server.tracebacks} tracebacks",
        *book.lines(),
        *(f"afterwards {line}" for line in calm.lines()),
        *(", ".join(f"{name} {value:.0f}" for name, value in one.items()) for one in facts),
        f"after the restart {len(before)} answers are compared; {lost or 'none'} differ",
        *book.errors[:5],
        *(server.said.split("Traceback")[-1:] if server.tracebacks else []),
    ]


def finals(folder: Path, count: int, server: Server | None = None) -> tuple[int, list[str]]:
    """So many final renders of different sounds at once, each of a visitor of its own; how much went wrong, how long
    each waits.
    """
    from synth_explorer.assets import example_notes

    server, book = server or Server(folder / "server"), Book()
    names = [note.name for note in example_notes()]

    def ask(number: int) -> float:
        tokens = tuple(names[(number + step) % len(names)] for step in range(4))
        asked = replace(request, tokens=tokens, fit_steps=0)
        page, began_s = Page(server.address, book), time.perf_counter()
        page.ask("final", "sound/final.wav", request=asked.to_json())
        page.close()
        return time.perf_counter() - began_s

    try:
        page = Page(server.address, book)
        request = SoundRequest.from_json(page.open()[0]["request"])
        page.ask("final", "sound/final.wav", request=request.to_json())
        page.close()
        book.times_s.clear()
        with ThreadPoolExecutor(count) as hands:
            waited_s = list(hands.map(ask, range(count)))
    finally:
        server.end()
    waited: dict[str, Any] = {"first": min(waited_s), "median": statistics.median(waited_s), "last": max(waited_s)}
    said = [told(waited_s), ", ".join(f"{name} {s:.1f} s" for name, s in waited.items()), *book.errors[:5]]
    return len(book.errors), said
