"""A visitor: turns knobs, plays keys, uploads, exports, renders finally, reloads; each with numbers of their own."""

from __future__ import annotations

import io
import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event, Lock
from typing import Any

import numpy as np
import soundfile

from synth_explorer.ui.request import link
from synth_explorer.ui.request.sound_request import SoundRequest
from synth_explorer.ui.session.exporting import KINDS
from tests.ui.load.page import API, Book, Page

EXPORT_ENDS_S = 240.0
GLIMPSES = 4  # while a knob turns
KEPT_MOST = 30  # answers of a kind that are compared afterwards
KEYS = (48, 52, 55, 60, 64, 67, 72)


@dataclass(frozen=True)
class Answer:
    """A sound that was answered, and what was asked."""

    kind: str
    request: SoundRequest
    audio: np.ndarray  # [T]
    given: Mapping[str, Any] = field(default_factory=dict)  # beside the request


@dataclass
class World:
    """What all visitors share."""

    address: str
    folder: Path
    book: Book
    notes: list[str]
    stop: Event = field(default_factory=Event)
    answers: list[Answer] = field(default_factory=list)
    uploads: list[str] = field(default_factory=list)  # paths on the server, as whoever sent them was told
    lock: Lock = field(default_factory=Lock)

    def keep(self, answer: Answer) -> None:
        """Some of the answers, of each kind and each visitor."""
        with self.lock:
            if sum(one.kind == answer.kind for one in self.answers) < KEPT_MOST:
                self.answers.append(answer)


class Visitor:
    """One of them, until the world stops."""

    def __init__(self, world: World, number: int, *, pause_s: float) -> None:
        """`pause_s`: between two of the things that they do, on average."""
        self._world, self._number, self._pause_s = world, number, pause_s
        self._chance = random.Random(number)
        self._page = Page(world.address, world.book)
        self._request = SoundRequest.from_json(self._page.open()[0]["request"])
        self._brought = 0

    def run(self) -> None:
        does: list[tuple[float, Callable[[], None]]] = [
            (10.0, self.turn),
            (5.0, self.play),
            (2.0, self.choose),
            (1.0, self.finish),
            (1.0, self.export),
            (1.0, self.share),
            (0.7, self.bring),
            (0.5, self.reload),
            (0.5, self.explore),
            (0.3, self.pry),
        ]
        weights, actions = zip(*does, strict=True)
        while not self._world.stop.wait(self._chance.uniform(0.2, 1.8) * self._pause_s):
            action = self._chance.choices(actions, weights)[0]
            try:
                action()
            except Exception as error:  # whatever it is, it is to be told
                self._world.book.wrong(action.__name__, f"{type(error).__name__}: {error}")
        self._page.close()

    def turn(self) -> None:
        """Drag a knob: glimpses while it turns, then its sound, then what is shown of it."""
        for _ in range(GLIMPSES):
            self._turned()
            self._page.ask("glimpse", "sound/picture.png", request=self._request.to_json())
            time.sleep(0.08)
        self._hear()

    def _turned(self) -> None:
        settings, chance = self._request.settings, self._chance
        knob = chance.choice(["x", "y", "gain_db", "brightness", "transpose"])
        limits = {"gain_db": (-12, 0), "brightness": (-0.5, 0.5), "transpose": (-7, 7)}
        value = round(chance.uniform(*limits.get(knob, (0.0, 1.0))), 2)
        self._request = replace(self._request, settings=replace(settings, **{knob: value}))

    def _hear(self) -> None:
        request = self._request
        answer = self._page.ask("sound", "sound/result.wav", request=request.to_json())
        self._keep("sound", request, answer.content)
        question = {"request": request.to_json(), "stamp": time.time_ns() // 10**6, "play": True, "complete": True}
        screen, _ = self._page.event("figures", self._page.of("screen-result", "heard"), [question | {"slow": False}])
        if isinstance(screen, dict) and self._request is request:
            self._request = replace(request, fit_steps=screen["fit"])

    def _keep(self, kind: str, request: SoundRequest, content: bytes, **given: Any) -> None:
        if content[:4] == b"RIFF":
            audio = soundfile.read(io.BytesIO(content), dtype="float32")[0]
            self._world.keep(Answer(kind, request, audio, given))

    def play(self) -> None:
        """Three keys, each first its beginning; the last one is held while a knob turns."""
        for midi in (keys := self._chance.sample(KEYS, 3)):
            said = {"request": self._request.to_json(), "midi": midi}
            self._page.ask("key", "sound/note.wav", **said, first="true")
            answer = self._page.ask("note", "sound/note.wav", **said)
            self._keep("note", self._request, answer.content, midi=midi)
        for _ in range(3):
            self._turned()
            more = {"midi": keys[-1], "from_s": round(self._chance.uniform(0.2, 1.0), 3)}
            answer = self._page.ask("stretch", "sound/note.wav", request=self._request.to_json(), **more)
            self._keep("stretch", self._request, answer.content, **more)
        for midi in (keys[0] + 1, keys[0] - 1):
            more = {"request": self._request.to_json(), "midi": midi, "ahead": "true"}
            self._page.ask("ahead", "sound/note.wav", **more)

    def choose(self) -> None:
        """Another note in a slot."""
        self._put(self._chance.choice(self._world.notes))

    def _put(self, token: str) -> None:
        tokens = list(self._request.tokens)
        tokens[self._chance.randrange(self._request.settings.count)] = token
        self._request = replace(self._request, tokens=tuple(tokens), fit_steps=0)
        self._hear()

    def bring(self) -> None:
        """A sound of one's own, uploaded into a slot as the page does it."""
        self._brought += 1
        path = self._world.folder / f"visitor {self._number} sound {self._brought}.wav"
        at = np.arange(44100 * 2) / 44100
        hz = 110.0 * 2 ** (self._chance.uniform(0.0, 3.0))
        soundfile.write(path, 0.3 * np.sin(2 * np.pi * hz * at) * np.exp(-2 * at), 44100)
        sent = self._page.upload(path)
        with self._world.lock:
            self._world.uploads.append(sent["path"])
        event = self._page.of("upload-a", "upload")
        token, *_ = self._page.event("brought", event, [self._request.checkpoint, sent, self._request.tokens[0]])
        if not str(token).endswith(f"/{path.name}"):
            self._world.book.wrong("brought", f"{path.name} was answered by {token!r}")
            return
        self._put(token)

    def finish(self) -> None:
        """A final render."""
        request = self._request
        answer = self._page.ask("final", "sound/final.wav", request=request.to_json())
        self._keep("final", request, answer.content)

    def export(self) -> None:
        """A file, made in the background and taken."""
        kind, request = self._chance.choice([kind for kind in KINDS if kind != "instrument"]), self._request
        begun = self._page.ask("export", "export", method="POST", kind=kind, request=request.to_json())
        if begun.status_code != 200:
            return
        began_s, name = time.perf_counter(), begun.json()["name"]
        facts = {"state": "waiting"}
        while facts["state"] in ("waiting", "working") and time.perf_counter() - began_s < EXPORT_ENDS_S:
            time.sleep(0.5)
            facts = self._page.ask("export state", f"export/{name}").json()
        if facts["state"] != "done":
            self._world.book.wrong("export", facts)
            return
        self._world.book.took("export made", time.perf_counter() - began_s)
        content = self._page.ask("export file", f"export/{name}/file").content
        if len(content) != facts["bytes"]:
            self._world.book.wrong("export", f"{len(content)} bytes came of {facts['bytes']}")
        if kind == "wav":
            self._keep("export", request, content)

    def share(self) -> None:
        """The sound by its link's words, as another page or a program asks for it; and as a file of all."""
        words = link.encoded(self._request)
        answer = self._page.ask("link", f"sound/result.wav?{words}")
        self._keep("link", self._request, answer.content)
        if self._page.ask("patch", f"sound/patch.zip?{words}").content[:2] != b"PK":
            self._world.book.wrong("patch", "it is no zip")

    def explore(self) -> None:
        """A surprise, taken."""
        said = json.dumps({"request": self._request.to_json(), "seed": self._chance.randrange(2**31)})
        found = self._page.server("surprise", "explore", "surprise", said)
        if "request" not in found:
            self._world.book.wrong("surprise", found)
            return
        self._request = SoundRequest.from_json(found["request"])
        self._hear()

    def reload(self) -> None:
        """The page is opened anew with what it was left with."""
        self._page.close()
        self._page = Page(self._world.address, self._world.book)
        asked = self._request.to_json()
        shown = self._page.open({"request": asked})[0]
        if SoundRequest.from_json(shown["request"]) != self._request:
            self._world.book.wrong("reload", f"{asked} came back as {shown['request']}")

    def pry(self) -> None:
        """Ask for what another visitor uploaded, by its path."""
        with self._world.lock:
            theirs = [path for path in self._world.uploads if f"visitor {self._number} " not in path]
        if theirs:
            path = self._chance.choice(theirs)
            for way in ("file=", "file/"):
                if self._page.attack(f"{API}{way}{path}").status_code < 400:
                    self._world.book.wrong("leak", f"{way}{path} is served to another visitor")
