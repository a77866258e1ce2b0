"""The sheet from the shell, and in a real browser: it opens from the disk, sorts, and plays."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from synth_explorer.batch import manifest
from tests.cli.shell import failing, ok, refused
from tests.ui.open_page import NEEDS_CHROMIUM, VIEWPORT

Batch = Callable[[], Path]
EMPTY = {"meta", "input", "img"}


class Tags(HTMLParser):
    """What a page is made of; every element must be closed, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.pictures: list[str] = []
        self.rows: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert len(given) == len(attrs), f"<{tag}> has an attribute twice"
        if tag not in EMPTY:
            self.open.append(tag)
        if tag == "a":
            self.links.append(unquote(given["href"] or ""))
        if tag == "img":
            self.pictures.append(given["src"] or "")
            assert given["loading"] == "lazy"
        if tag == "tr":
            self.rows.append(given.get("class") or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_decl(self, decl: str) -> None:
        assert decl == "doctype html"


def test_a_sheet_names_every_sound_where_it_lies(batch: Batch, tmp_path: Path) -> None:
    folder = batch()
    said = ok("sheet", folder).stdout.splitlines()
    assert said == [str(folder / "sheet.html")]
    text = (folder / "sheet.html").read_text(encoding="utf-8")
    page = Tags(text)
    assert not page.open and "http:" not in text and "https:" not in text
    files = {record["file"] for record in manifest.read(folder)}
    assert len(files) == 18 and set(page.links) == files
    assert all(picture.startswith("data:image/png;base64,iVBOR") for picture in page.pictures)
    assert page.rows.count("twin") == 6
    ok("sheet", folder, "-o", tmp_path / "elsewhere" / "s.html")
    page = Tags((tmp_path / "elsewhere" / "s.html").read_text(encoding="utf-8"))
    assert all((tmp_path / "elsewhere" / link).is_file() for link in page.links)


def test_the_same_folder_has_the_same_sheet(batch: Batch, tmp_path: Path) -> None:
    folder = batch()
    ok("sheet", folder)
    first = (folder / "sheet.html").read_bytes()
    assert "note: replaced" in ok("sheet", folder).stderr
    assert (folder / "sheet.html").read_bytes() == first


def test_the_first_ones_that_are_no_duplicates_are_kept(batch: Batch, tmp_path: Path) -> None:
    folder = batch()
    _, *kept = ok("sheet", folder, "--keep", 5).stdout.splitlines()
    assert len(kept) == 5 and all(Path(file).is_file() for file in kept)
    _, *more = ok("sheet", folder, "--keep", 8).stdout.splitlines()
    assert more[:5] == kept
    result = ok("sheet", folder, "--keep", 100, "--copy-to", tmp_path / "best")
    copies = result.stdout.splitlines()[1:]
    assert len(copies) == 12 and "only 12 of 18" in result.stderr
    for copy in copies:
        assert Path(copy).read_bytes() == (folder / Path(copy).relative_to(tmp_path / "best")).read_bytes()


def test_the_nearest_to_a_sound_come_first(batch: Batch) -> None:
    folder = batch()
    wanted = sorted(folder.rglob("*.wav"))[4]
    _, nearest = ok("sheet", folder, "--like", wanted, "--keep", 1).stdout.splitlines()
    page = (folder / "sheet.html").read_text(encoding="utf-8")
    assert (
        Path(nearest) == wanted
        and "Distance" in page
        and f"nearest to {wanted.stem} first" in page.replace("&#34;", '"')
    )


def test_a_sound_that_is_gone_is_said_and_the_others_shown(batch: Batch) -> None:
    folder = batch()
    first, *_ = sorted(folder.rglob("*.wav"))
    first.unlink()
    said, errors = failing("sheet", folder)
    assert said == [str(folder / "sheet.html")] and len(errors) == 1 and first.name in errors[0]
    assert len(Tags((folder / "sheet.html").read_text(encoding="utf-8")).links) == 17


def test_what_is_no_batch_is_refused(batch: Batch, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "has no manifest.jsonl" in refused("sheet", tmp_path / "empty")
    (tmp_path / "empty" / "manifest.jsonl").write_text("")
    assert "names no sound" in refused("sheet", tmp_path / "empty")
    (tmp_path / "empty" / "manifest.jsonl").write_text("{]")
    assert "is damaged" in refused("sheet", tmp_path / "empty")
    folder = batch()
    refused("sheet", tmp_path / "nowhere", code=2)
    assert "--keep" in refused("sheet", folder, "--copy-to", tmp_path / "best", code=2)
    refused("sheet", folder, "--keep", 1, "--copy-to", folder, code=2)
    refused("sheet", folder, "-o", tmp_path / "x.txt", code=2)
    refused("sheet", folder, "--like", tmp_path / "nothing.wav")
    assert not (folder / "sheet.html").exists()


class TestInABrowser:
    pytestmark = NEEDS_CHROMIUM

    @pytest.mark.slow
    def test_it_sorts_and_plays(self, browser, batch: Batch) -> None:
        folder = batch()
        ok("sheet", folder)
        page = browser.new_page(viewport=VIEWPORT)
        troubles: list[str] = []
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda entry: troubles.append(entry.text) if entry.type == "error" else None)
        page.on("request", lambda request: troubles.append(request.url) if "http" in request.url[:4] else None)
        page.goto((folder / "sheet.html").as_uri())
        names = "[...document.querySelectorAll('tbody tr')].map(row => row.cells[1].dataset.value)"
        column = "at => [...document.querySelectorAll('tbody tr')].map(row => +row.cells[at].dataset.value)"
        by_diversity = page.evaluate(names)
        assert page.evaluate("document.querySelectorAll('.picture img')[0].naturalHeight") == 40

        page.click("th:has-text('Loudness')")
        levels = page.evaluate(column, 4)
        assert levels == sorted(levels) and levels[0] < levels[-1]
        page.click("th:has-text('Loudness')")
        assert page.evaluate(column, 4) == sorted(levels, reverse=True)
        page.click("th:has-text('Name')")
        assert page.evaluate(names) == sorted(by_diversity)
        page.click("th:has-text('Order')")
        assert page.evaluate(names) == by_diversity

        page.check("#hide")
        assert page.locator("tbody tr:visible").count() == 12
        page.fill("#find", "C3")
        assert 0 < page.locator("tbody tr:visible").count() < 12
        page.fill("#find", "")

        page.locator(".play").nth(1).click()
        page.wait_for_function("document.getElementById('player').currentTime > 0")
        assert page.locator("tr.playing").count() == 1
        assert page.inner_text("#playing") == by_diversity[1]
        page.wait_for_function("document.getElementById('player').ended")
        (folder / by_diversity[0]).unlink()
        page.locator(".play").first.click()
        page.wait_for_function("document.getElementById('playing').textContent.includes('is not there')")
        assert not [trouble for trouble in troubles if "ERR_FILE_NOT_FOUND" not in trouble]
        page.close()
