"""Visitors, a storm of reloads and a killed server, over the fake family: nothing goes wrong, nothing is mixed up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import fake_family
from tests.ui.load import judge, storm
from tests.ui.load.__main__ import main, visited
from tests.ui.load.page import Book
from tests.ui.load.visitor import Visitor, World
from tests.ui.server import Server

pytestmark = pytest.mark.long  # it starts servers


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    started = Server.of_fakes(tmp_path / "server")
    yield started
    started.end()


@pytest.fixture
def alone(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Studios here, over the notes of the server."""
    from synth_explorer.ui.session.studios import Studios

    monkeypatch.setenv("SYNTH_EXPLORER_DATA", str(server.data))
    notes = fake_family.fake_notes(server.data.parent / "notes")
    studios = Studios(lambda name: fake_family.fake_explorer(), ["fake"], notes=notes)
    yield studios
    studios.sound_folder.close()


def test_four_visitors_for_a_few_seconds(server: Server, alone: Any, tmp_path: Path) -> None:
    world = World(server.address, tmp_path, Book(), list(alone.notes))
    one = Visitor(world, 99, pause_s=0.0)
    for action in (one.bring, one.finish, one.export, one.share, one.explore, one.reload, one.play):
        action()
    other = Visitor(world, 98, pause_s=0.0)
    other.pry()
    visited(server, world, visitors=4, seconds=6.0, pause_s=0.2, looks=1)
    assert world.book.errors == [] and server.tracebacks == 0
    assert {"sound", "note", "stretch", "final", "link"} <= {answer.kind for answer in world.answers}
    assert judge.differing(alone, world.answers) == []


def test_reloads_and_a_killed_server(server: Server, tmp_path: Path) -> None:
    book = Book()
    request = storm.brought(server.address, tmp_path, book)
    before = storm.kept(server.address, request)
    storm.reloads(server.address, book, seconds=2.0)
    server.kill()
    server.start()
    assert storm.kept(server.address, request) == before
    assert book.errors == [] and server.tracebacks == 0


def test_what_the_judge_finds(server: Server, alone: Any, tmp_path: Path) -> None:
    world = World(server.address, tmp_path, Book(), list(alone.notes))
    visitor = Visitor(world, 1, pause_s=0.0)
    visitor.turn()
    right = world.answers[0]
    wrong = type(right)(right.kind, right.request, right.audio * 0.999)
    assert len(judge.differing(alone, [right, wrong])) == 1


@pytest.mark.parametrize(("option", "name"), [("--storm", "weathered"), ("--finals", "finals")])
def test_a_storm_in_which_something_failed_says_so(monkeypatch: pytest.MonkeyPatch, option: str, name: str) -> None:
    for wrong in (0, 3):
        monkeypatch.setattr(storm, name, lambda *given, wrong=wrong, **options: (wrong, ["seen"]))
        assert main([option, "1"]) == min(1, wrong)
