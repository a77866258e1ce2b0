"""The map of sounds, its routes and its widget: found by likeness and words, heard, taken for a source."""

from __future__ import annotations

import json
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from synth_explorer import audio
from synth_explorer.library.importing import import_all
from synth_explorer.library.library import Library
from synth_explorer.ui.answers import states
from tests.library.conftest import RATE_HZ, tone
from tests.ui.open_page import NEEDS_CHROMIUM, VIEWPORT, still
from tests.ui.page.test_browser_looks import BRIGHTNESS


def ask(address: str, path: str, method: str = "GET", **given: str) -> dict:
    with urlopen(Request(f"{address}{path}?{urlencode(given)}", method=method)) as answer:
        return json.load(answer)


def test_the_notes_lie_on_the_map_and_are_found_and_taken(address, studios, studio) -> None:
    facts = ask(address, "map")
    ids = {name: (id, family) for id, name, _, _, family, *_ in facts["sounds"]}
    assert set(ids) == set(studios.notes) and all(0 <= x <= 1 and 0 <= y <= 1 for _, _, x, y, *_ in facts["sounds"])
    assert {facts["families"][family] for _, family in ids.values()} == {"bass", "reed", "string", "mallet"}
    assert all(len(sound) == 5 + len(facts["values"]) for sound in facts["sounds"])
    bass = ids["Bass 40"][0]
    found = ask(address, "map/find", words="higher", id=bass)
    assert found["count"] == len(found["ids"]) == 7 and "MIDI pitch at least 41" in found["understood"]
    assert bass not in ask(address, "map/find", id=bass)["ids"]
    left = ask(address, "map/find", id=bass, spread="1", seen=",".join(found["ids"][:5]))
    assert set(left["ids"]) == set(found["ids"][5:])
    assert ask(address, "map/take", "POST", id=bass, checkpoint="fake") == {
        "token": studio.open_example("Bass 40").token
    }
    with urlopen(f"{address}map/sound?id={bass}") as answer:
        assert answer.read() == studios.notes["Bass 40"].path.read_bytes()
    request = states.first(studios).to_json()
    here = ask(address, "map/here", request=request)
    assert len(here["place"]) == 2 and len(here["sources"]) == 4
    first = next(sound for sound in facts["sounds"] if sound[1] == states.first(studios).tokens[0])
    assert here["sources"][0] == pytest.approx(first[2:4], abs=0.05)
    assert len(ask(address, "map/find", request=request)["ids"]) == 8
    for path, given in (("map/find", {"words": "warmer"}), ("map/sound", {"id": "nothing"}), ("map/here", {})):
        with pytest.raises(HTTPError) as refused:
            ask(address, path, **given)
        assert refused.value.code == 422 and refused.value.read().decode().endswith(".")


def mislabel(name: str, tag: str) -> str:
    """Give a sound of the map a tag; returns its id."""
    with Library() as library:
        library.change([library.entry(name)], add=[tag])
        return library.entry(name).id


def test_doubtful_labels_are_listed_and_judged(address) -> None:
    ask(address, "map")
    name = mislabel("Mallet 79", "low")
    (label,) = ask(address, "map/doubtful")["labels"]
    assert (label["id"], label["tag"]) == (name, "low") and label["reason"] == "MIDI pitch 79; low is below 45"
    assert ask(address, "map")["doubtful"] == 1 and name in ask(address, "map/find", words="low")["ids"]
    assert ask(address, "map/judge", "POST", id=name, tag="low", right="0") == {"labels": [], "count": 0}
    assert name not in ask(address, "map/find", words="low")["ids"]
    with pytest.raises(HTTPError) as refused:
        ask(address, "map/judge", "POST", id=name, tag="lovely", right="1")
    assert refused.value.code == 422


def test_a_stranger_sees_the_bundled_notes_alone_and_judges_nothing(address, studios, tmp_path) -> None:
    path = tmp_path / "mine.wav"
    audio.write(path, tone(60.0), sample_rate_hz=RATE_HZ)
    ask(address, "map")
    with Library() as library:
        mine = library.add(path).id
        import_all(library, library.unheard(), workers=1)
    stranger = {"X-Forwarded-For": "203.0.113.5"}

    def seen(path: str, method: str = "GET", **given: str) -> dict:
        asked = Request(f"{address}{path}?{urlencode(given)}", method=method, headers=stranger)
        with urlopen(asked) as answer:
            return json.load(answer)

    assert mine in [sound[0] for sound in ask(address, "map")["sounds"]]
    there = {sound[1]: sound[0] for sound in seen("map")["sounds"]}
    assert set(there) == set(studios.notes)
    assert mine not in seen("map/find", id=there["Bass 40"])["ids"]
    for path, method, given in (
        ("map/sound", "GET", {"id": mine}),
        ("map/take", "POST", {"id": mine, "checkpoint": "fake"}),
        ("map/judge", "POST", {"id": there["Bass 40"], "tag": "bass", "right": "0"}),
    ):
        with pytest.raises(HTTPError) as refused:
            seen(path, method, **given)
        assert refused.value.code == 422 and refused.value.read().decode().endswith(".")


def test_a_walk_becomes_a_morph_of_the_sounds_that_it_passes(address, studios, studio) -> None:
    sounds = [(name, x, y) for _, name, x, y, *_ in ask(address, "map")["sounds"]]
    (first, *a), (last, *b) = sounds[0], max(sounds, key=lambda one: abs(one[1] - sounds[0][1]))
    body = json.dumps({"checkpoint": "fake", "points": [[0.0, *a], [0.8, *b]]}).encode()
    with urlopen(Request(f"{address}map/walk", data=body, method="POST")) as answer:
        walked = json.load(answer)
    assert walked["names"][0] == first and walked["names"][-1] == last and len(walked["tokens"]) == len(walked["names"])
    assert studio.open_example(first).token == walked["tokens"][0]
    assert walked["curves"]["across"][0] == [0.0, 0.0] and walked["curves"]["across"][-1][0] == pytest.approx(0.8)
    for wrong in (
        b"{}",
        b'{"checkpoint": "fake", "points": [[0, 0, 0], [1, 0, 0]]}',
        b'{"checkpoint": "x", "points": []}',
        b" " * 300_000,
    ):
        with pytest.raises(HTTPError) as refused:
            urlopen(Request(f"{address}map/walk", data=wrong, method="POST"))
        assert refused.value.code == 422


def on_screen(page, x: float, y: float) -> tuple[float, float]:
    """Where a place of the map lies on the screen."""
    box = still(page, ".map canvas")
    return box["x"] + box["width"] * (0.5 + 0.88 * (x - 0.5)), box["y"] + box["height"] * (0.5 - 0.88 * (y - 0.5))


@pytest.mark.browser
class TestPage:
    pytestmark = NEEDS_CHROMIUM

    @pytest.mark.long
    def test_three_clicks_find_a_sound_like_the_result_and_one_more_takes_it(self, open_page) -> None:
        open_page.quiet = False  # a browser complains of what is refused
        page = open_page.page
        page.click("#sounds > button")
        page.wait_for_selector(".map[data-state=ready]")
        page.click(".map-like")
        with page.expect_request(lambda request: "map/sound" in request.url):
            page.click(".map-list button >> nth=0")
        name = page.inner_text(".map-list button >> nth=0")
        assert page.inner_text(".map-chosen").startswith(name)
        page.focus(".map canvas")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        other = page.inner_text(".map-chosen").split(",")[0]
        sounds = page.evaluate("fetch('map').then((answer) => answer.json())")["sounds"]
        (x, y) = next((x, y) for _, name, x, y, *_ in sounds if name == other)
        place = on_screen(page, x, y)
        page.mouse.move(*place)
        page.wait_for_function(
            "name => [document.querySelector('.map-name')].every((one) => !one.hidden && one.textContent === name)",
            arg=other,
        )
        page.mouse.down()
        target = page.locator(".map-take [data-slot='0']").bounding_box()
        page.mouse.move(target["x"] + 9, target["y"] + 9, steps=5)
        page.mouse.up()
        page.wait_for_function(
            "name => document.querySelector('#picker-a select').selectedOptions[0].textContent === name", arg=other
        )
        page.focus(".map canvas")
        page.keyboard.press("2")
        page.wait_for_function(
            "name => document.querySelector('#picker-b select').selectedOptions[0].textContent === name", arg=other
        )
        page.fill(".map-words", "warmer")
        page.keyboard.press("Enter")
        page.wait_for_function("document.querySelector('.map-said').textContent.includes('means nothing measurable')")
        assert page.locator(".map-list button").count() == 0

    @pytest.mark.long
    def test_where_the_result_lies_is_asked_while_the_hand_moves(self, open_page) -> None:
        page, asked = open_page.page, list[str]()
        open_page.open("sounds")
        page.wait_for_selector(".map[data-state=ready]")
        page.evaluate(
            "window.addEventListener('sound-shown', (event) => (window.shownLast = event.detail), { once: true })"
        )
        open_page.turned(lambda: page.press(".pad-field", "ArrowRight"))
        page.wait_for_function("window.shownLast")
        page.on("request", lambda request: "map/here" in request.url and asked.append(request.url))
        page.evaluate(
            """async () => {
              for (let at = 0; at < 30; at++) {
                window.dispatchEvent(new CustomEvent('sound-shown', { detail: window.shownLast }));
                await new Promise((done) => setTimeout(done, 100));
              }
            }"""
        )
        assert 3 <= len(asked) <= 13

    @pytest.mark.long
    def test_words_find_what_fits_also_what_came_since(self, open_page, tmp_path) -> None:
        page = open_page.page
        open_page.open("sounds")
        page.wait_for_selector(".map[data-state=ready]")

        def found(words: str) -> list[str]:
            page.fill(".map-words", words)
            with page.expect_response(lambda answer: "map/find" in answer.url):
                page.keyboard.press("Enter")
            page.wait_for_function("document.querySelector('.map-said').textContent.startsWith('Understood')")
            return page.locator(".map-list button").all_inner_texts()

        assert found("example, mallet") and all(name.startswith("Mallet") for name in found("example, mallet"))
        assert "tagged example; tagged mallet; the nearest " in page.inner_text(".map-said")
        with Library() as library:
            new = library.add(audio.save(tmp_path / "new.wav", tone(300.0), sample_rate_hz=RATE_HZ), tags=["fresh"])
        try:
            assert found("fresh") == ["new"]
            page.click(".map-list button")
            assert page.inner_text(".map-chosen").startswith("new")
            page.route("**/map", lambda route: route.fulfill(json={"families": [], "doubtful": 0, "sounds": []}))
            page.route(
                "**/map/find**", lambda route: route.fulfill(json={"ids": ["f" * 12], "understood": "", "count": 5})
            )
            assert not found("bright")
            assert "the nearest 1 of 5 that fit. 0 are shown" in page.inner_text(".map-said")
        finally:
            page.unroute_all()
            with Library() as library:
                library.remove([new])

    @pytest.mark.long
    def test_surprises_are_few_and_others_each_time(self, open_page) -> None:
        page, shown = open_page.page, list[list[str]]()
        page.evaluate("localStorage.removeItem('synth-explorer-map-seen')")
        open_page.open("sounds")
        page.wait_for_selector(".map[data-state=ready]")
        for _ in range(2):
            page.focus(".map canvas")
            page.keyboard.press("Escape")
            page.click(".map-surprise")
            page.wait_for_selector(".map-list button[aria-pressed=true]")
            shown.append(page.locator(".map-list button").all_inner_texts())
            assert page.inner_text(".map-chosen").startswith(shown[-1][0])
            assert f"the nearest {len(shown[-1])} of " in page.inner_text(".map-said")
        assert len(shown[0]) == 6 and set(shown[0][-4:]).isdisjoint(shown[1])  # half of eight are remembered

    @pytest.mark.long
    def test_a_sound_is_dragged_to_a_corner_of_the_pad(self, open_page) -> None:
        page = open_page.page
        page.set_viewport_size({"width": 1440, "height": 4800})  # the pad and the map at once
        try:
            open_page.open("sounds")
            page.wait_for_selector(".map[data-state=ready]")
            name, x, y = page.evaluate("fetch('map').then((answer) => answer.json())")["sounds"][-1][1:4]
            place = on_screen(page, x, y)
            page.mouse.click(*place)
            assert page.inner_text(".map-chosen").startswith(name)
            corner = still(page, ".pad-corner[data-corner='1']")
            page.mouse.move(*place)
            page.mouse.down()
            page.mouse.move(corner["x"] - 4, corner["y"] + corner["height"] / 2, steps=8)
            page.wait_for_selector(".pad-corner[data-corner='1'].is-target")
            page.mouse.up()
            page.wait_for_function(
                "name => document.querySelector('#picker-b select').selectedOptions[0].textContent === name", arg=name
            )
        finally:
            page.set_viewport_size(VIEWPORT)

    @pytest.mark.long
    def test_a_doubtful_label_is_heard_and_judged(self, open_page, address) -> None:
        page = open_page.page
        ask(address, "map")
        name = mislabel("Bass 40", "high")
        open_page.reloaded()
        open_page.open("sounds")
        page.click(".map-doubt")
        assert "high is above 76" in page.inner_text(".map-doubts li")
        with page.expect_request(lambda request: "map/sound" in request.url):
            page.click(".map-doubts li button >> nth=0")
        assert page.inner_text(".map-chosen").startswith("Bass 40")
        page.click(".map-doubts li button:has-text('Wrong')")
        page.wait_for_function("document.querySelector('.map-said').textContent === 'Every doubtful label was judged.'")
        assert page.locator(".map-doubts li").count() == 0
        with Library() as library:
            assert library.verdicts(library.entry(name)) == {"high": False}

    @pytest.mark.long
    def test_a_walk_is_drawn_by_hand_and_by_keys_and_undone(self, open_page) -> None:
        page = open_page.page
        open_page.open("sounds")
        page.wait_for_selector(".map[data-state=ready]")
        sounds = page.evaluate("fetch('map').then((answer) => answer.json())")["sounds"]
        places = {name: (x, y) for _, name, x, y, *_ in sounds}
        first, last = min(places, key=lambda one: places[one][0]), max(places, key=lambda one: places[one][0])

        def at(name: str) -> tuple[float, float]:
            return on_screen(page, *places[name])

        def walked() -> dict:
            page.wait_for_function("document.querySelector('.map-chosen').textContent.startsWith('Walked: ')")
            return json.loads(open_page.state())

        before = open_page.state()
        page.click(".map-walk")
        page.mouse.move(*at(first))
        page.mouse.down()
        page.mouse.move(*at(last), steps=12)
        page.mouse.up()
        names = walked() and page.inner_text(".map-chosen").removeprefix("Walked: ").removesuffix(".").split(", ")
        assert names[0] == first and names[-1] == last and 2 <= len(names) <= 4
        page.wait_for_function(
            "count => document.querySelectorAll('.pad-corner:not([hidden])').length === count", arg=len(names)
        )
        made = json.loads(open_page.state())
        assert made["sources"][0].startswith(first) and made["knobs"]["curves"]["points"]["across"][0][1] == 0
        assert page.get_attribute(".map-walk", "aria-pressed") == "false"
        open_page.turned(lambda: page.keyboard.press("Control+z"))
        open_page.reached(before)
        page.mouse.click(*at(first))
        page.focus(".map canvas")
        page.keyboard.press("Shift+ArrowRight")
        page.keyboard.press("Shift+ArrowRight")
        page.keyboard.press("Enter")
        by_keys = walked()
        assert by_keys["sources"][0].startswith(first) and "across" in by_keys["knobs"]["curves"]["points"]

    @pytest.mark.slow
    def test_the_map_is_light_where_the_page_is(self, open_page) -> None:
        page = open_page.page
        open_page.open("sounds")
        page.wait_for_selector(".map[data-state=ready]")
        dots = set()
        for scheme, low, high in (("light", 0.8, 1.0), ("dark", 0.0, 0.2)):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_function("(dark) => document.body.classList.contains('dark') === dark", arg=scheme == "dark")
            assert low <= page.evaluate(BRIGHTNESS, ".map-field") <= high
            page.evaluate("() => new Promise(requestAnimationFrame)")
            dots.add(page.evaluate("document.querySelector('.map-legend span').style.getPropertyValue('--dot')"))
        page.emulate_media(color_scheme="null")
        assert len(dots) == 2
