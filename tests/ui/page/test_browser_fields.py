"""Fields of numbers in a real browser: Enter, arrows and leaving them count once, and what is no pitch is said."""

from __future__ import annotations

import json

import pytest

from tests.ui.open_page import NEEDS_CHROMIUM, OpenPage, rms_db

pytestmark = [*NEEDS_CHROMIUM, pytest.mark.slow]


def plays_after(open_page: OpenPage, act) -> int:
    """How often the result begins to play within a second of doing something."""
    before = open_page.page.evaluate("window.plays")
    act()
    open_page.page.wait_for_timeout(1000)
    return open_page.page.evaluate("window.plays") - before


def test_enter_and_arrows_in_a_sliders_field_are_heard_and_leaving_it_then_is_not(open_page):
    plain, field = open_page.fetch(), open_page.page.locator("#gain-db input[type=number]")
    field.fill("-12")
    entered = open_page.after(lambda: field.press("Enter"))
    assert rms_db(entered) - rms_db(plain) == pytest.approx(-12.0, abs=0.05)
    stepped = open_page.after(lambda: field.press("ArrowUp"))
    assert rms_db(stepped) - rms_db(plain) == pytest.approx(-11.5, abs=0.05)
    assert plays_after(open_page, field.blur) == 0
    assert plays_after(open_page, field.click) == 0
    field.fill("99")
    open_page.after(lambda: field.press("Enter"))
    assert field.input_value() == "12"
    open_page.after(lambda: open_page.type_into("gain-db", "-3"))


def test_leaving_the_field_of_a_pitch_counts_once(open_page):
    field, words = open_page.page.locator("#pitch-a input"), open_page.page.locator("#pitch-text-a")
    field.fill("60")
    open_page.after(field.blur)
    assert field.input_value() == "C4" and "set" in words.inner_text()
    field.fill("Eb3")
    open_page.after(lambda: field.press("Enter"))
    assert field.input_value() == "D♯3"
    assert plays_after(open_page, field.blur) == 0
    field.fill("")
    open_page.after(field.blur)
    assert words.inner_text().endswith("detected")


def test_a_pitch_that_is_none_is_one_sentence_in_its_slot(open_page):
    field, message = open_page.page.locator("#pitch-b input"), open_page.page.locator("#message-b")
    before = field.input_value()
    wrong = {"200": "pitch=200 must be a MIDI note from 18 to 111", "-5": "pitch=-5 must", "H4": "'H4' is no pitch"}
    for pitch, words in wrong.items():
        field.fill(pitch)
        field.press("Enter")
        message.locator("p", has_text=words).wait_for()
        assert open_page.page.locator(".toast-body").count() == 0
        open_page.page.wait_for_function(
            "before => document.querySelector('#pitch-b input').value === before", arg=before
        )
    assert plays_after(open_page, field.blur) == 0 and message.locator("p").count() == 1
    assert json.loads(open_page.page.evaluate("window.synthExplorerRequest"))["sources"][1]
