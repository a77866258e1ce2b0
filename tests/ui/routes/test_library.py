"""The routes of the library: what is kept, and said of it as the shell says it; for owners alone."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from synth_explorer.library import store
from synth_explorer.library.library import Library
from synth_explorer.ui.answers import states
from synth_explorer.ui.request.sound_request import SoundRequest
from synth_explorer.ui.session.sound_map import SoundMap
from tests.ui.open_page import NEEDS_CHROMIUM, OpenPage
from tests.ui.page.test_browser_looks import AXE, VIOLATIONS

STRANGER = {"X-Forwarded-For": "203.0.113.5"}
OTHER_SITE = {"Sec-Fetch-Site": "cross-site"}


def ask(address: str, path: str, method: str = "GET", body: object = None, headers: Any = None, **given: str) -> Any:
    data = None if body is None else json.dumps(body).encode()
    asked = Request(f"{address}{path}?{urlencode(given)}", data=data, method=method, headers=headers or {})
    with urlopen(asked) as answer:
        return json.load(answer)


def refusal(act: Callable[[], object], code: int = 422) -> str:
    """The sentence with which something is refused."""
    with pytest.raises(HTTPError) as refused:
        act()
    assert refused.value.code == code
    return refused.value.read().decode()


def first(studios) -> SoundRequest:
    """What a page opens with, of notes that were not listened to again."""
    return replace(states.first(studios), fit_steps=0)


@pytest.fixture
def keep(address: str, studios) -> Iterator[Callable[..., dict]]:
    """Keeps the sound that a page opens with, or another, until the test ends."""
    kept = set[str]()

    def ask_for(**given: str) -> dict:
        answer = ask(address, "library/keep", "POST", request=first(studios).to_json(), **given)
        kept.add(answer["id"])
        return answer

    yield ask_for
    with Library() as library:
        library.remove([library.entry(one) for one in kept])


def test_a_sound_is_kept_once_with_patch_and_parents_and_lies_on_the_map(address, studios, keep) -> None:
    assert ask(address, "library") == {"owner": True}
    made = keep(name="  my \n sound ")
    assert made["is_new"] and made["name"] == "my sound"
    assert keep(name="another name") == made | {"is_new": False}
    with Library() as library:
        entry = library.entry(made["id"])
        asked = first(studios)
        assert entry.kind == "render" and entry.origin == "the page" and entry.path.suffix == ".wav"
        assert entry.patch == studios.studio("fake").asked(asked)
        assert [one.name for one in library.parents(entry)] == list(asked.tokens[: asked.settings.count])
        assert all(one.entry is not None for one in library.parents(entry))
        assert not [path for path in library.imported() if "my sound" in path]
    assert made["id"] in [sound[0] for sound in ask(address, "map")["sounds"]]
    assert made["id"] in ask(address, "map/find", request=first(studios).to_json())["ids"]


def test_a_final_render_is_kept_whether_it_is_remembered_or_not(studios, keep) -> None:
    fast, final = keep(), keep(final="1")
    assert final["is_new"] and final["id"] != fast["id"] and keep(final="1") == final | {"is_new": False}
    with Library() as library:
        patch = library.entry(final["id"]).patch
        assert patch is not None and patch.decoder == "final"
        assert library.entry(final["id"]).name == fast["name"] + ", final render"


def test_what_is_said_of_a_sound_is_what_the_shell_says(address, keep) -> None:
    name = keep()["id"]
    assert ask(address, "library/about", id=name) == ask(address, "library/about", id=name) | {
        "favourite": False,
        "note": "",
        "tags": [],
    }
    said = {"add": ["Late  Night", "<b>bold</b>"], "favourite": True, "note": "for the bridge\n& the end"}
    told = ask(address, "library/change", "POST", said, id=name)
    assert told["tags"] == ["<b>bold</b>", "late night"] and told["favourite"] and told["note"] == said["note"]
    with Library() as library:
        entry = library.entry(name)
        assert entry.is_favourite and entry.note == said["note"]
    words = ["--remove", "<b>bold</b>", "--add", "shell", "--no-favourite", "--note", "from the shell"]
    subprocess.run([sys.executable, "-m", "synth_explorer", "library", "tag", name, *words], check=True)
    told = ask(address, "library/about", id=name)
    assert (told["tags"], told["favourite"], told["note"]) == (["late night", "shell"], False, "from the shell")
    ask(address, "library/change", "POST", {"remove": ["late night"], "favourite": True}, id=name)
    assert ask(address, "library/about", id=name)["note"] == "from the shell"
    found = ask(address, "map/find", words="favourite, shell")
    assert found["ids"] == [name] and found["understood"] == "tagged favourite; tagged shell"
    assert name not in ask(address, "map/find", words="not favourite")["ids"]


def test_the_tags_with_which_a_bundled_note_comes_are_not_to_be_taken(address) -> None:
    bass = next(sound[0] for sound in ask(address, "map")["sounds"] if sound[1] == "Bass 40")
    told = ask(address, "library/about", id=bass)
    assert not {"example", "bass"} & set(told["tags"]) and {"example", "bass"} <= set(told["heard"])


@pytest.mark.parametrize(
    ("path", "body", "given", "words"),
    [
        ("library/keep", None, {"request": "nonsense"}, "cannot be read"),
        ("library/about", None, {"id": "../../etc/passwd"}, "is in no library"),
        ("library/change", {"note": "n" * 2001}, {}, "2,001 characters; 2,000 are the most"),
        ("library/change", {"add": ["t" * 61]}, {}, "61 characters; 60 are the most"),
        ("library/change", {"add": ["one", " "]}, {}, "must have a letter"),
        ("library/change", {"add": [f"tag {i}" for i in range(21)]}, {}, "At most 20 tags"),
        ("library/change", {"favourite": "yes"}, {}, "favourite"),
        ("library/change", {"path": "x"}, {}, "path"),
        ("library/change", None, {}, "The change"),
        ("library/change", {"note": "n" * 300_000}, {}, "more than 256 kB"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence_and_changes_nothing(address, keep, path, body, given, words) -> None:
    name = keep()["id"]
    before = ask(address, "library/about", id=name)
    method = "GET" if path.endswith("about") else "POST"
    said = refusal(lambda: ask(address, path, method, body, **({"id": name} | given)))
    assert words in said and said.endswith(".") and "\n" not in said
    assert ask(address, "library/about", id=name) == before


def test_strangers_and_other_sites_are_refused(address, studios, keep) -> None:
    name, request = keep()["id"], first(studios).to_json()
    assert ask(address, "library", headers=STRANGER) == {"owner": False}
    for path, method, body, given in (
        ("library/keep", "POST", None, {"request": request}),
        ("library/about", "GET", None, {"id": name}),
        ("library/change", "POST", {"favourite": True}, {"id": name}),
    ):
        said = refusal(lambda: ask(address, path, method, body, STRANGER, **given))  # noqa: B023 - called at once
        assert said.startswith("The library is for who sits at the computer")
        if method == "POST":
            refusal(lambda: ask(address, path, method, body, OTHER_SITE, **given), 403)  # noqa: B023
    assert not ask(address, "library/about", id=name)["favourite"]
    assert ask(address, "library/about", headers=OTHER_SITE, id=name)["id"] == name  # its answer no other site can read


def test_a_library_that_cannot_be_written_says_so_in_a_sentence(studio, studios, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(store, "PATIENCE_S", 0.1)
    owned, sound = SoundMap([], folder=tmp_path / "library"), studio.rendered(studio.asked(first(studios)))
    owned.facts()
    with Library(tmp_path / "library") as other, other.writing(), pytest.raises(store.LibraryError, match="is locked"):
        owned.keep(sound, "")
    full = OSError(errno.ENOSPC, "No space left on device")
    with monkeypatch.context() as patched, pytest.raises(store.LibraryError, match="written: No space left on device"):
        patched.setattr(store.Store, "put", lambda *_: (_ for _ in ()).throw(full))
        owned.keep(sound, "")
    assert owned.facts()["sounds"] == [] and owned.keep(sound, "")["is_new"]
    assert [path.suffix for path in Path(tmp_path / "library" / "files").glob("*/*")] == [".wav"]


def said(page: Any, place: str, words: str) -> None:
    """Wait until a place of the page says something."""
    page.wait_for_function(
        "([place, words]) => document.querySelector(place)?.textContent.includes(words)", arg=[place, words]
    )


@pytest.fixture
def emptied() -> Iterator[None]:
    """What a test keeps is gone after it."""
    yield
    with Library() as library:
        library.remove([entry for entry in library.entries(library.find()) if entry.kind == "render"])


@pytest.mark.browser
@pytest.mark.usefixtures("emptied")
@pytest.mark.slow
class TestPage:
    pytestmark = NEEDS_CHROMIUM

    def opened(self, open_page: OpenPage) -> Any:
        open_page.open("sounds")
        open_page.page.wait_for_selector(".map[data-state=ready]")
        return open_page.page

    def test_the_result_is_kept_found_on_the_map_tagged_marked_and_noted(self, open_page) -> None:
        page = open_page.page
        open_page.turned(lambda: page.press(".pad-field", "ArrowRight"))
        page.click(".keep-it")
        said(page, ".keep-words", "Kept.")
        page.click(".keep-it")
        said(page, ".keep-words", "already: Bass 40 ")
        page = self.opened(open_page)
        said(page, ".map-chosen", "Bass 40 ")  # what was kept is chosen
        page.focus(".map-star")
        page.keyboard.press("Enter")
        said(page, ".map-about-words", "It is a favourite.")
        page.keyboard.press("Tab")
        page.keyboard.type("Late  night, <i>x</i>")
        page.keyboard.press("Enter")
        said(page, ".map-about-words", "Tagged Late  night, <i>x</i>.")
        assert page.locator(".map-tags li").all_inner_texts() == ["<i>x</i>\n×", "late night\n×"]
        assert page.locator(".map-tags i").count() == 0 and page.input_value(".map-tag") == ""
        page.keyboard.press("Tab")
        page.keyboard.type("for the bridge")
        page.keyboard.press("Control+Enter")
        said(page, ".map-about-words", "The note is saved.")
        page.focus(".map-tags button")
        page.keyboard.press("Enter")
        said(page, ".map-about-words", "The tag <i>x</i> is gone.")
        focused = page.evaluate("document.activeElement.ariaLabel")
        assert focused == "Take the tag late night away"
        open_page.reloaded()
        page = self.opened(open_page)
        assert page.locator(".map-about").is_hidden()
        page.fill(".map-words", "favourite, late night")
        page.keyboard.press("Enter")
        page.click(".map-list button")
        page.wait_for_selector(".map-about:not([hidden])")
        assert page.get_attribute(".map-star", "aria-pressed") == "true"
        assert page.input_value(".map-note textarea") == "for the bridge"
        assert page.locator(".map-tags li").all_inner_texts() == ["late night\n×"]
        page.evaluate(AXE)
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.wait_for_function("(dark) => document.body.classList.contains('dark') === dark", arg=scheme == "dark")
            assert page.evaluate(VIOLATIONS) == [], scheme
        page.emulate_media(color_scheme="null", reduced_motion="null")

    def test_a_note_that_is_being_written_is_saved_where_another_sound_is_chosen(self, open_page) -> None:
        open_page.reloaded()
        page = self.opened(open_page)
        page.fill(".map-words", "example")
        page.keyboard.press("Enter")
        page.click(".map-list button >> nth=0")
        page.wait_for_selector(".map-about:not([hidden])")
        first = page.inner_text(".map-list button >> nth=0")
        page.fill(".map-note textarea", "half a sen")
        with page.expect_response(lambda answer: "library/change" in answer.url):
            page.click(".map-list button >> nth=1")
        page.wait_for_function("document.querySelector('.map-note textarea').value === ''")
        with Library() as library:
            assert library.entry(first).note == "half a sen"
            library.change([library.entry(first)], note="")

    def test_rows_of_the_shelf_are_kept_also_final_renders_under_their_names(self, open_page) -> None:
        page = open_page.page
        open_page.anew()
        open_page.after(lambda: page.press(".pad-field", "ArrowRight"))
        page.wait_for_selector(".shelf-item")
        page.click(".final-render-play")
        page.wait_for_selector(".shelf-final")
        page.fill(".shelf-item:has(.shelf-final) .shelf-name", "the last one")
        page.keyboard.press("Enter")
        page.click(".shelf-item:has(.shelf-final) .shelf-keep")
        said(page, ".shelf-words", "Kept.")
        page.click(".shelf-item:not(:has(.shelf-final)) .shelf-keep")
        said(page, ".shelf-words", "Kept.")
        page.click(".shelf-item:not(:has(.shelf-final)) .shelf-keep")
        said(page, ".shelf-words", "already: Bass 40 ")
        with Library() as library:
            final = library.entry("the last one")
            assert final.patch is not None and final.patch.decoder == "final"
            kept = [entry.name for entry in library.entries(library.find()) if entry.kind == "render"]
            assert len(kept) == 2

    def test_a_stranger_sees_neither_button_nor_panel(self, browser, address) -> None:
        page = browser.new_context(extra_http_headers=STRANGER).new_page()
        with page.expect_response(lambda answer: answer.url.endswith("/library?")):
            page.goto(address)
        page.wait_for_selector("#screen-result .screen[data-state=ready]")
        page.click("#sounds > button")
        page.wait_for_selector(".map[data-state=ready]")
        page.focus(".map canvas")
        page.keyboard.press("ArrowRight")
        said(page, ".map-chosen", ", ")
        assert not page.locator(".keep-it").is_visible() and not page.locator(".map-about").is_visible()
        page.context.close()

    def test_a_library_that_cannot_be_written_is_a_sentence_on_the_page(self, open_page, monkeypatch) -> None:
        open_page.quiet = False  # a browser complains of what is refused
        full = OSError(errno.ENOSPC, "No space left on device")
        monkeypatch.setattr(store.Store, "put", lambda *_: (_ for _ in ()).throw(full))
        open_page.page.click(".keep-it")
        said(open_page.page, ".keep-words", "cannot be written: No space left on device.")
