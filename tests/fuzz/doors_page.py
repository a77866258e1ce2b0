"""Doors that questions come in by: links, addresses, what programs ask for."""

from __future__ import annotations

import json
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np
import pytest

from synth_explorer.errors import EditError, SynthExplorerError
from synth_explorer.instruments import Plan
from synth_explorer.pitch import pitch_given
from synth_explorer.rendering.quantise import quantiser
from tests.fuzz.attack import Attempt, Door
from tests.fuzz.doors_files import EVERY_EDIT
from tests.fuzz.world import World, encoded
from tests.ui.knobs import sent


def doors(world: World) -> list[Door]:
    """All of them."""
    from synth_explorer.ui.request.settings import Settings
    from synth_explorer.ui.session.note_store import NoteStore
    from synth_explorer.ui.session.sound_map import SoundMap
    from synth_explorer.ui.session.studios import Studios

    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SYNTH_EXPLORER_DATA", str(world.folder / "data"))
        store = NoteStore()
    from tests.fake_family import fake_notes

    (world.folder / "notes").mkdir()
    studios = Studios(lambda name: world.explorer, ["default"], notes=fake_notes(world.folder / "notes"), store=store)
    for name, is_kept in (("sound_map", True), ("guest_map", False)):
        notes = list(studios.notes.values())
        setattr(studios, name, SoundMap(notes, folder=world.folder / name, is_kept=is_kept))
    names = list(studios.notes)[:2]
    question = json.dumps(
        {"checkpoint": "default", "sources": [*names, "", ""], "knobs": sent(Settings(count=2)), "mean": None, "fit": 0}
    )
    link = f"a={quote(names[0])}&b={quote(names[1])}&mix=0.3&gain_db=-6&osc_targets=pitch&curve_loudness=0:0,1:-6&fit=0"
    return [
        Door(
            "link",
            [link.encode(), b"a=" + quote(names[0]).encode() + b"&fit=0&count=2&b=" + quote(names[1]).encode()],
            lambda given: _linked(studios, given),
        ),
        Door("question of a page", [question.encode()], lambda given: _asked(studios, given)),
        *_addresses(world, studios, question, names),
        _endpoints(world, studios, names),
        Door("walk over the map", [b'{"checkpoint": "default", "points": [[0, 0.1, 0.2], [1.5, 0.9, 0.4]]}'], _walked),
        Door("pitch", [b"C4", b"60.5", b"F#3", b"C4 +12", b"C major"], _pitch),
    ]


def _walked(given: Attempt) -> None:
    from synth_explorer.ui.session import walk

    read = walk.Walk.parse(given.given, what="The walk", error=EditError)
    found = walk.stops(read.array(), np.array([[0.1, 0.2], [0.9, 0.4], [0.5, 0.5]]), aspect=read.aspect)
    walk.slots(found), walk.curves(found, sound_s=3.0)


def _linked(studios: Any, given: Attempt) -> None:
    from synth_explorer.ui.request import link

    request = link.decoded(given.given.decode("utf-8", "replace"))
    studio = studios.studio(request.checkpoint)
    assert link.decoded(link.encoded(request)) == request
    studio.rendered(studio.asked(request))


def _asked(studios: Any, given: Attempt) -> None:
    from synth_explorer.ui.answers import states
    from synth_explorer.ui.request.sound_request import SoundRequest

    text = given.given.decode("utf-8", "replace")
    states.opened(studios, {"request": text})
    states.loaded(studios, {"request": text}, str(given.file(".json")))
    request = SoundRequest.from_json(text)
    studio = studios.studio(request.checkpoint)
    studio.rendered(studio.asked(request))


def _addresses(world: World, studios: Any, question: str, names: list[str]) -> list[Door]:
    from fastapi import FastAPI
    from fastapi.testclient import TestClient
    from starlette.testclient import httpx

    from synth_explorer.ui.page.page import ROUTES

    client = TestClient(FastAPI(routes=[make(studios) for make in ROUTES]), client=("127.0.0.1", 50000))
    few = json.dumps({"notes": names, "mix": 0.5, "fit_steps": 0})

    def get(given: Attempt) -> None:
        asked = given.given if isinstance(given.given, dict) else {}
        path, method = str(asked.get("path")), str(asked.get("method", "GET"))
        query = asked.get("query")
        words = query if isinstance(query, dict) else {"request": query}
        asked_words = urlencode({str(key): str(word) for key, word in words.items()}, errors="replace")
        address = f"/{quote(path, errors='replace')}?{asked_words}"
        body = asked.get("body", "")
        send(method, address, (body if isinstance(body, str) else json.dumps(body)).encode("utf-8", "replace"))

    def send(method: str, address: str, body: bytes) -> None:
        try:
            method = method if method.isalpha() and method.isascii() else "GET"
            answer = client.request(method, address, content=body)
        except httpx.InvalidURL as error:  # no client sends it
            raise SynthExplorerError(f"not sent: {error}") from error
        if answer.status_code >= 400:
            assert answer.status_code != 500
            raise SynthExplorerError(answer.text or "refused")

    words = {"a": names[0], "b": names[1], "mix": 0.3, "fit": 0}
    seeds = [
        {"path": "sound/result.wav", "query": {"request": question}},
        {"path": "sound/result.wav", "query": words},
        {"path": "sound/result.wav", "query": {"patch": few}},
        {"path": "sound/final.wav", "query": {"request": question}},
        {"path": "sound/note.wav", "query": {"request": question, "midi": 60, "hold": "true", "first": "false"}},
        {"path": "sound/note.wav", "query": {"request": question, "midi": 60, "from_s": 0.1}},
        *({"path": path.PATH.strip("/"), "query": {"request": question}} for path in _others()),
        {"path": "sound/source.wav", "query": {"checkpoint": "default", "token": names[0]}},
        {"path": "export", "method": "POST", "query": {"request": question, "kind": "latents"}},
    ]
    sound = studios.sound_map.facts()["sounds"][0][0]
    walk = {"checkpoint": "default", "points": [[0, 0.1, 0.2], [1.5, 0.9, 0.4]]}
    change = {"add": ["late night"], "remove": ["noisy"], "favourite": True, "note": "from the roof"}
    kept = [
        {"path": "map"},
        {"path": "map/sound", "query": {"id": sound}},
        {"path": "map/take", "method": "POST", "query": {"checkpoint": "default", "id": sound}},
        {"path": "map/here", "query": {"request": question}},
        {"path": "map/find", "query": {"words": "brighter, not noisy", "request": question}},
        {"path": "map/doubtful"},
        {"path": "map/judge", "method": "POST", "query": {"id": sound, "tag": "example", "right": "1"}},
        {"path": "map/walk", "method": "POST", "body": walk},
        {"path": "library"},
        {"path": "library/keep", "method": "POST", "query": {"request": question, "name": "mine"}},
        {"path": "library/about", "query": {"id": sound}},
        {"path": "library/change", "method": "POST", "query": {"id": sound}, "body": change},
    ]
    recording = world.note.read_bytes(), encoded("FLAC"), encoded("WAV", "PCM_16", seconds=2.0)
    return [
        Door("addresses", seeds, get),
        Door("addresses of the library", kept, get),
        Door(
            "recordings",
            recording,
            lambda given: send("POST", "/recording?name=a.wav&checkpoint=default", given.given),
            heavy=True,
        ),
    ]


def _others() -> list[Any]:
    from synth_explorer.ui.routes import inspection, patch, picture

    return [inspection, patch, picture]


def _endpoints(world: World, studios: Any, names: list[str]) -> Door:
    import gradio as gr

    from synth_explorer.ui import api
    from synth_explorer.ui.session import exporting

    endpoints = api._Endpoints(studios)
    edits = [edit for edit in EVERY_EDIT if edit["kind"] not in ("freeze", "stretch")]

    def call(given: Attempt) -> None:
        asked = given.given if isinstance(given.given, dict) else {}
        name, values = asked.get("endpoint"), asked.get("values")
        if name not in ("morph", "render", "export", "encode") or not isinstance(values, dict):
            return
        make = getattr(endpoints, name)
        known = {key: value for key, value in values.items() if key in make.__annotations__}
        try:
            with pytest.MonkeyPatch.context() as patched:
                patched.setenv("GRADIO_TEMP_DIR", str(world.note.parent))  # where uploads lie
                patched.setattr(exporting, "Plan", partial(Plan, 48, 54, velocity_layers=1))
                api._told(make)(**known)
        except gr.Error as error:
            raise SynthExplorerError(str(error)) from error
        except TypeError as error:
            if "required positional argument" not in str(error):
                raise

    morph = {
        "notes": names,
        "mix": 0.3,
        "pitch": "C4",
        "edits": edits[:3],
        "decoder": "fast",
        "seed": 3,
        "checkpoint": "default",
    }
    render = {
        "notes": names,
        "mix": [0.5, 0.5],
        "edits": edits[5:8],
        "fit_steps": 0,
        "temperature": 0.5,
        "open_loop": True,
    }
    few = {"notes": names, "fit_steps": 0}
    whole = api._Endpoints(studios).render({"notes": names, "fit_steps": 0})[1]["patch"]
    seeds = [
        {"endpoint": "morph", "values": morph},
        *(
            {
                "endpoint": "render",
                "values": {"patch": {"notes": names, "fit_steps": 0, "edits": [edit], "open_loop": True}},
            }
            for edit in (*edits, world.toward)
        ),
        {"endpoint": "render", "values": {"patch": render}},
        {"endpoint": "render", "values": {"patch": whole}},
        *(
            {"endpoint": "render", "values": {"patch": whole | {"mix": json.loads(one.to_json())["mix"]}}}
            for one in world.mixes
        ),
        *({"endpoint": "export", "values": {"patch": few, "kind": kind}} for kind in exporting.KINDS),
        {"endpoint": "encode", "values": {"sound": {"path": str(world.note), "orig_name": "a.wav"}}},
        {"endpoint": "encode", "values": {"sound": {"path": str(world.note)}, "pitch": "C4", "checkpoint": "default"}},
    ]
    return Door("endpoints", seeds, call)


def _pitch(given: Attempt) -> None:
    for read in (pitch_given, quantiser):
        try:
            read(given.given.decode("utf-8", "replace"))
        except (SynthExplorerError, ValueError) as error:
            assert str(error)
