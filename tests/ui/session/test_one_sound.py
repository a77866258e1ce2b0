"""One patch, one sound: the page, the shell and Python give the same samples."""

from __future__ import annotations

import io
import json
import shlex
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import soundfile
from fastapi import FastAPI
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from synth_explorer import rendering
from synth_explorer.cli import app, common
from synth_explorer.rendering import Renderer, load_patch, render
from synth_explorer.ui.request.settings import Settings
from synth_explorer.ui.routes.sound import PATH, sound_route
from synth_explorer.ui.session.slot_note import SlotNote
from synth_explorer.ui.session.studios import Studios
from tests.fake_family import fake_explorer, fake_notes

KNOBS = {
    "between": Settings(count=2, mix=0.3),
    "on the pad, at a pitch": Settings(count=4, x=0.2, y=0.7, set_pitch=True, pitch_midi=62.0),
    "by pitch": Settings(count=3, by_pitch=True, set_pitch=True, pitch_midi=57.0),
    "solved": Settings(count=3, x=0.4, y=0.6, brightness=0.3, gain_db=-4.0),
    "toward": Settings(count=2, mix=0.1, toward="B", amount=0.4),
}


@pytest.fixture(scope="module")
def studios(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studios]:
    opened = Studios(lambda name: fake_explorer(), ["fake"], notes=fake_notes(tmp_path_factory.mktemp("notes")))
    yield opened
    opened.sound_folder.close()


@pytest.fixture
def opened(studios: Studios) -> list[SlotNote]:
    """Four notes in the page's slots."""
    studio = studios.studio("fake")
    return [studio.open_example(name) for name in list(studio.notes)[2:6]]


@pytest.fixture(autouse=True)
def _shell(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell with a model of its own."""
    monkeypatch.setattr(common, "load_explorer", lambda checkpoint: fake_explorer())
    monkeypatch.setattr(rendering, "renderer_of", lambda patch: Renderer(fake_explorer()))


def of_page(studios: Studios, opened: list[SlotNote], settings: Settings) -> np.ndarray:
    """What the page's route of sounds answers."""
    tokens = [note.token for note in opened]
    asked = json.dumps({"sources": tokens, "knobs": asdict(settings), "checkpoint": "fake"})
    answer = TestClient(FastAPI(routes=[sound_route(studios)])).get(PATH, params={"request": asked})
    assert answer.status_code == 200, answer.text
    return wav(answer.content)


def test_the_words_of_a_link_are_an_address_of_its_sound(studios: Studios, opened: list[SlotNote]) -> None:
    words = {"checkpoint": "fake", "a": opened[0].token, "b": opened[1].token, "mix": 0.3, "fit": 0}
    client = TestClient(FastAPI(routes=[sound_route(studios)]))
    heard = wav(client.get(PATH, params=words).content)
    patch = studios.studio("fake").patch(opened, Settings(count=2, mix=0.3), fit_steps=0)
    assert np.array_equal(heard, render(patch, explorer=fake_explorer()).audio)
    assert "says no sound" in client.get(PATH).text


def of_shell(out: Path, *words: object) -> np.ndarray:
    done = CliRunner().invoke(app, [*(str(word) for word in words), "-o", str(out)])
    assert done.exit_code == 0, done.output
    return wav(out.read_bytes())


def wav(content: bytes) -> np.ndarray:
    return soundfile.read(io.BytesIO(content), dtype="float32")[0]


@pytest.mark.parametrize("settings", KNOBS.values(), ids=KNOBS)
def test_page_shell_and_python_give_the_same_samples(
    studios: Studios, opened: list[SlotNote], tmp_path: Path, settings: Settings
) -> None:
    page = of_page(studios, opened, settings)
    patch = studios.studio("fake").patch(opened, settings)
    python = render(patch, explorer=fake_explorer())
    assert np.array_equal(python.audio, page) and np.ptp(page) > 0.01
    shell = of_shell(tmp_path / "a.wav", "render", patch.save(tmp_path / "p.json"))
    assert np.array_equal(shell, page)
    python.save(tmp_path / "b.wav")
    assert (tmp_path / "b.wav").read_bytes() == (tmp_path / "a.wav").read_bytes()


WORDS = {
    "morph A B --mix 0.3": Settings(count=2, mix=0.3, quantise="off"),
    "morph A B --mix 0.3 --quantise semitone": Settings(count=2, mix=0.3),
    "morph A B --mix 0.3 --quantise 'Eb minor'": Settings(count=2, mix=0.3, quantise="key", key="D# minor"),
    "morph A B C D --x 0.2 --y 0.7 --pitch 62": KNOBS["on the pad, at a pitch"],
    "edit A --brightness-octaves 0.3 --gain-db -4": Settings(
        count=2, mix=0.0, quantise="off", brightness=0.3, gain_db=-4.0
    ),
    "edit A --toward B --amount 0.4": Settings(count=2, mix=0.0, quantise="off", toward="B", amount=0.4),
}


@pytest.mark.parametrize("line", WORDS)
def test_the_shells_words_are_the_pages_knobs(
    studios: Studios, opened: list[SlotNote], tmp_path: Path, line: str
) -> None:
    files = dict(zip("ABCD", (note.path for note in opened), strict=True))
    page, saved = of_page(studios, opened, WORDS[line]), tmp_path / "p.json"
    shell = of_shell(tmp_path / "a.wav", *(files.get(word, word) for word in shlex.split(line)), "--save-patch", saved)
    assert np.array_equal(shell, page)
    assert np.array_equal(render(load_patch(saved), explorer=fake_explorer()).audio, page)
