"""The page in a real browser under quick hands: what is shown, said and asked for ends on the last thing done."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from tests.ui.open_page import NEEDS_CHROMIUM, OpenPage, drag

pytestmark = [*NEEDS_CHROMIUM, pytest.mark.slow]

NAMES = "[...document.querySelectorAll('.pad-corner:not([hidden]) i')].map((name) => name.textContent)"


SLOW = """() => {
  window.quickly = window.fetch;
  window.fetch = async (...asked) => {
    await new Promise((wake) => setTimeout(wake, 500));
    return window.quickly(...asked);
  };
}"""
"""Every request to the server takes half a second longer."""


@pytest.fixture
def open_page(fresh: Callable[..., OpenPage]) -> OpenPage:
    """A page of each test's own: what quick hands leave on the way would reach the next one."""
    return fresh()


@pytest.fixture
def slow(open_page: OpenPage) -> Iterator[OpenPage]:
    """A page whose server is far away."""
    open_page.page.evaluate(SLOW)
    yield open_page
    open_page.page.evaluate("() => { window.fetch = window.quickly; }")


def asked(open_page: OpenPage) -> dict:
    """The knobs of the newest question."""
    return json.loads(open_page.page.evaluate("window.synthExplorerRequest"))["knobs"]


def settle(open_page: OpenPage, words: str, value: object) -> None:
    """Wait until an expression of the page is something, and a moment longer."""
    open_page.page.wait_for_function(f"value => JSON.stringify({words}) === JSON.stringify(value)", arg=value)
    open_page.page.wait_for_timeout(1000)
    assert open_page.page.evaluate(words) == value


def test_notes_chosen_at_once_are_all_named_on_the_pad(slow, studio):
    open_page, notes = slow, list(studio.notes)
    for slot, note in zip("abcd", notes, strict=False):
        open_page.page.select_option(f"#picker-{slot} select", note)
    settle(open_page, NAMES, notes[:4])


def test_the_last_of_quick_choices_in_a_slot_is_the_one(slow, studio):
    open_page, notes = slow, list(studio.notes)
    for note in (*notes[:4], notes[6]):
        open_page.page.select_option("#picker-a select", note)
    settle(open_page, NAMES + "[0]", notes[6])
    assert open_page.page.locator("#picker-a option:checked").inner_text() == notes[6]
    settle(open_page, "document.querySelector('#screen-a img').alt", f"Spectrogram of A, {notes[6]}")


def test_a_drag_while_a_note_is_opened_stays_where_it_ends(slow, studio):
    open_page, notes = slow, list(studio.notes)
    open_page.page.select_option("#picker-b select", notes[7])
    drag(open_page, ".pad-field", 0.9, 0.1)
    settle(open_page, NAMES + "[1]", notes[7])
    knobs, field = asked(open_page), open_page.page.locator(".pad-field")
    assert (knobs["x"], knobs["y"]) == (pytest.approx(0.9, abs=0.02), pytest.approx(0.9, abs=0.02))
    assert float(field.get_attribute("aria-valuenow")) == pytest.approx(100 * knobs["x"], abs=1)
    assert float(open_page.page.locator("#x input[type=number]").input_value()) == pytest.approx(knobs["x"], abs=0.01)


@pytest.mark.parametrize(
    "counts", [(2, 4), (2, 3, 2), *(pytest.param(two, marks=pytest.mark.long) for two in ((2, 3), (3, 2)))]
)
def test_quick_numbers_of_sounds_end_on_the_last(slow, counts):
    open_page, page = slow, slow.page
    for count in counts:
        open_page.choose("count", str(count))
    last = counts[-1]
    settle(open_page, "JSON.parse(window.synthExplorerRequest).knobs.count", last)
    assert page.get_attribute(".pad-field", "data-count") == str(last)
    shown = [page.locator(f"#slot-{slot}").is_visible() for slot in "abcd"]
    assert shown == [index < last for index in range(4)]
    assert page.locator("#mix").is_visible() == (last == 2) and page.locator("#x").is_visible() == (last > 2)
    assert page.locator("#toward label").count() == last + 1


def test_quick_switches_leave_no_knob_of_what_is_off(slow):
    open_page, page = slow, slow.page
    for _ in range(2):
        page.click("#set-pitch input")
    for letter in ("B", "C"):
        open_page.choose("toward", letter)
    open_page.open("oscillation")
    for target in ("Loudness", "Brightness", "Pitch", "Loudness"):
        open_page.choose("osc-targets", target)
    settle(open_page, "JSON.parse(window.synthExplorerRequest).knobs.osc_targets", ["brightness", "pitch"])
    blocks = [page.locator(f"#osc-{name}").is_visible() for name in ("loudness", "brightness", "pitch")]
    assert blocks == [False, True, True]
    knobs = asked(open_page)
    assert (knobs["toward"], knobs["set_pitch"]) == ("C", False)
    assert page.locator("#amount").is_visible() and not page.locator("#pitch-midi").is_visible()
    open_page.choose("toward", "Off")
    page.wait_for_function("JSON.parse(window.synthExplorerRequest).knobs.toward === 'Off'")
    assert not page.locator("#amount").is_visible()


def test_fewer_sounds_leave_nothing_to_go_toward_that_is_not_there(open_page):
    open_page.after(lambda: open_page.choose("toward", "D"))
    open_page.after(lambda: open_page.choose("count", "2"))
    settle(open_page, "JSON.parse(window.synthExplorerRequest).knobs.toward", "Off")
    assert not open_page.page.locator("#amount").is_visible()
    open_page.after(lambda: open_page.choose("count", "4"))
    open_page.after(lambda: open_page.choose("toward", "C"))
    open_page.after(lambda: open_page.choose("count", "3"))
    assert asked(open_page)["toward"] == "C" and open_page.page.locator("#amount").is_visible()
