"""A page that is open in no browser: the questions that a browser asks for it, over plain HTTP, each one timed."""

from __future__ import annotations

import json
import secrets
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import httpx

WAIT_S = 300.0
API = "gradio_api/"


class Book:
    """What all visitors saw: how long each kind of question took, and what went wrong."""

    def __init__(self) -> None:
        self.times_s: dict[str, list[float]] = defaultdict(list)
        self.errors: list[str] = []
        self.refused: dict[str, int] = defaultdict(int)  # by kind: told to come back later, as it is meant
        self._lock = Lock()

    def took(self, kind: str, seconds: float) -> None:
        with self._lock:
            self.times_s[kind].append(seconds)

    def wrong(self, kind: str, what: object) -> None:
        with self._lock:
            self.errors.append(f"{kind}: {what}"[:400])

    def later(self, kind: str) -> None:
        with self._lock:
            self.refused[kind] += 1

    def lines(self) -> list[str]:
        """A line for each kind of question."""
        return [f"{kind:14} {told(times)}" for kind, times in sorted(self.times_s.items())]


def told(times_s: list[float]) -> str:
    """Times in words."""
    if len(times_s) < 2:
        return f"{len(times_s)} times"
    tenth = statistics.quantiles(times_s, n=10)[-1]
    return (
        f"median {statistics.median(times_s):6.2f}  p90 {tenth:6.2f}  longest {max(times_s):6.2f} s, of {len(times_s)}"
    )


class Page:
    """One page of one visitor."""

    def __init__(self, address: str, book: Book, *, wait_s: float = WAIT_S) -> None:
        """`wait_s`: for an answer, before it is left."""
        self._book, self._session = book, secrets.token_hex(6)
        self._client = httpx.Client(base_url=address, timeout=wait_s)
        self._heart: httpx.Response | None = None
        self._config: dict[str, Any] = {}

    def open(self, kept: dict[str, str] | None = None) -> list[Any]:
        """Open it, with what a browser kept if anything, and return what its first event answers."""
        with self.timed("page"):
            self._checked("page", self._client.get("/"))
            self._config = self._checked("config", self._client.get("config")).json()
        request = self._client.build_request("GET", f"{API}heartbeat/{self._session}")
        self._heart = self._client.send(request, stream=True)
        return self.event("open", self._load(), [kept])

    def close(self) -> None:
        if self._heart is not None:
            self._heart.close()
        self._client.close()

    @contextmanager
    def timed(self, kind: str) -> Iterator[None]:
        began_s = time.perf_counter()
        yield
        self._book.took(kind, time.perf_counter() - began_s)

    def _checked(self, kind: str, answer: httpx.Response) -> httpx.Response:
        if answer.status_code == 503:
            self._book.later(kind)
        elif answer.status_code >= 400:
            self._book.wrong(kind, f"{answer.status_code} {answer.text[:200]}")
        return answer

    def ask(self, kind: str, path: str, /, *, method: str = "GET", **query: Any) -> httpx.Response:
        """A question to one of the page's own routes, timed and checked."""
        with self.timed(kind):
            answer = self._client.request(method, path, params=query or None)
        return self._checked(kind, answer)

    def attack(self, path: str) -> httpx.Response:
        """A question that is none of the page's."""
        return self._client.get(path)

    def upload(self, path: Path) -> dict[str, Any]:
        """Send a file, and return it as Gradio's events take it."""
        with path.open("rb") as file, self.timed("upload"):
            answer = self._client.post(f"{API}upload", files={"files": (path.name, file, "audio/wav")})
        sent = self._checked("upload", answer).json()[0]
        meta = {"_type": "gradio.FileData"}
        return {"path": sent, "orig_name": path.name, "size": path.stat().st_size, "meta": meta}

    def event(self, kind: str, event: dict[str, Any], given: list[Any]) -> list[Any]:
        """What an event of Gradio's answers."""
        asked = {"data": given, "fn_index": event["id"], "session_hash": self._session, "event_data": None}
        with self.timed(kind):
            found = self._at_once(kind, asked) if not event["queue"] else self._in_line(kind, asked)
        return found

    def server(self, kind: str, elem_id: str, name: str, given: Any) -> Any:
        """What a widget's function on the server answers."""
        asked = {"data": given, "fn_name": name, "session_hash": self._session, "component_id": self._number(elem_id)}
        with self.timed(kind):
            answer = self._client.post(f"{API}component_server", json=asked)
        return self._checked(kind, answer).json()

    def of(self, elem_id: str, what: str) -> dict[str, Any]:
        """The event of a component that the server answers."""
        target = [self._number(elem_id), what]
        found = [one for one in self._config["dependencies"] if target in one["targets"] and one["backend_fn"]]
        return found[0]

    def _load(self) -> dict[str, Any]:
        loads = [one for one in self._config["dependencies"] if any(what == "load" for _, what in one["targets"])]
        return next(one for one in loads if one["backend_fn"])

    def _number(self, elem_id: str) -> int:
        return next(one["id"] for one in self._config["components"] if one["props"].get("elem_id") == elem_id)

    def _at_once(self, kind: str, asked: dict[str, Any]) -> list[Any]:
        return self._checked(kind, self._client.post(f"{API}run/predict", json=asked)).json().get("data", [])

    def _in_line(self, kind: str, asked: dict[str, Any]) -> list[Any]:
        number = self._checked(kind, self._client.post(f"{API}queue/join", json=asked)).json().get("event_id")
        with self._client.stream("GET", f"{API}queue/data", params={"session_hash": self._session}) as answer:
            for line in answer.iter_lines():
                if not line.startswith("data:"):
                    continue
                said = json.loads(line.removeprefix("data:"))
                if said.get("msg") == "process_completed" and said.get("event_id") == number:
                    if not said["success"]:
                        self._book.wrong(kind, said["output"])
                    return said["output"].get("data", [])
        self._book.wrong(kind, "the queue ended without an answer")
        return []
