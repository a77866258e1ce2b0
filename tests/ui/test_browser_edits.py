"""Edits of the page in a real browser: time, curves, what is out of reach, and the inspection."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

import numpy as np
import pytest

from synth_explorer import measure
from tests.ui.desk import NEEDS_CHROMIUM, rms_db

pytestmark = NEEDS_CHROMIUM


def fill_curve(desk, words: str) -> None:
    desk.page.fill(".curves-text", words)
    desk.page.press(".curves-text", "Enter")


def test_a_note_is_stretched_reversed_frozen_and_trimmed(desk):
    plain = desk.fetch()
    desk.open("time")
    longer = desk.after(lambda: desk.type_into("stretch", "2"))
    assert longer.size == 2 * plain.size
    backwards = desk.after(lambda: desk.page.click("#reverse input"))
    half = backwards.size // 2
    assert backwards.size == longer.size and rms_db(backwards[half:]) > rms_db(backwards[:half])
    short = desk.after(lambda: desk.type_into("trim-end", "0.5"))
    assert short.size == 16000
    held = desk.after(lambda: (desk.type_into("freeze-hold", "3"), desk.page.click("#freeze input")))
    assert held.size == 16000 * 3.5
    desk.reported("trim, reverse, stretch and f")


def test_moments_end_where_the_note_does(desk):
    def ends_are(*ends: str) -> None:
        moments = (
            "['trim-start', 'trim-end', 'freeze-at'].map((id) => document.querySelector(`#${id} [type=range]`).max)"
        )
        desk.page.wait_for_function(f"ends => JSON.stringify({moments}) === JSON.stringify(ends)", arg=list(ends))

    desk.open("time")
    ends_are("4", "4", "4")
    desk.after(lambda: desk.type_into("stretch", "4"))
    ends_are("4", "4", "5")
    desk.type_into("freeze-at", "4.06")
    desk.after(lambda: desk.type_into("stretch", "1"))
    ends_are("4", "4", "4.06")
    desk.reset()
    ends_are("4", "4", "4")


def test_an_envelope_and_a_slow_attack_are_heard(desk):
    plain = desk.fetch()
    desk.open("time")
    faded = desk.after(lambda: desk.type_into("env-release", "0.5"))
    assert rms_db(faded[-1600:]) < rms_db(plain[-1600:]) - 15
    desk.after(lambda: desk.type_into("attack", "0.3"))
    desk.reported("Attack")


def test_a_principal_direction_says_what_it_moves_and_moves_it(desk):
    desk.open("directions")
    assert "1: brightness +0.50 octaves (steps)" in desk.page.locator("#direction-1").inner_text()
    assert not desk.page.locator("#direction-2").is_visible()
    still = desk.fetch()
    moved = desk.after(lambda: desk.type_into("direction-1", "1"))
    heard = [measure.brightness_octaves(sound, sample_rate_hz=16000) for sound in (still, moved)]
    assert heard[1] - heard[0] > 0.15


def test_a_curve_is_drawn_typed_and_cleared(desk):
    plain = desk.fetch()
    desk.open("drawn")
    field = desk.page.locator(".curves-field")
    field.scroll_into_view_if_needed()
    box = field.bounding_box()
    louder = desk.after(lambda: field.click(position={"x": 0.5 * box["width"], "y": 0.1 * box["height"]}))
    points = desk.page.locator(".curves-text").input_value()
    time_s, level_db = (float(part) for part in points.split("="))
    assert time_s == pytest.approx(0.5 * plain.size / 16000, abs=0.05) and level_db == pytest.approx(6.0, abs=0.5)
    assert rms_db(louder) - rms_db(plain) == pytest.approx(level_db, abs=0.05)
    falling = desk.after(lambda: fill_curve(desk, "0=0; 0.9 = −30,"))
    assert desk.page.locator(".curves-text").input_value() == "0=0, 0.9=-30"
    quarter = plain.size // 4
    assert rms_db(falling[3 * quarter :]) - rms_db(plain[3 * quarter :]) < -18
    field.focus()
    desk.after(lambda: desk.page.keyboard.press("ArrowDown"))
    back = desk.after(lambda: desk.page.click(".curves-clear"))
    assert np.array_equal(back, plain)


@pytest.mark.parametrize("words", ["garbage", "0=0, 1,5=-12", "0=0=1", "0.5=", "70=-3", "-1=2"])
def test_what_is_no_curve_is_said_and_leaves_the_one_that_is(desk, words):
    desk.open("drawn")
    drawn = desk.after(lambda: fill_curve(desk, "0=0, 0.9=-30"))
    fill_curve(desk, words)
    said = desk.page.locator(".curves-words")
    said.wait_for()
    assert "”" in said.inner_text() and "The curve is as it was." in said.inner_text()
    assert desk.page.locator(".curves-text").input_value() == words
    assert desk.page.locator(".curves-points i").count() == 2
    assert np.array_equal(desk.fetch(), drawn)
    desk.after(lambda: fill_curve(desk, "0=-6"))
    assert not said.is_visible()


def test_the_morph_moves_along_a_curve(desk):
    desk.open("drawn")
    desk.page.click(".curves-tabs [data-target=across]")
    moved = desk.after(lambda: fill_curve(desk, "0=0, 1=1"))
    steady = desk.after(lambda: fill_curve(desk, "0=0"))
    assert not np.array_equal(moved, steady)
    led = desk.page.locator(".pad-led")
    assert led.inner_text() == "The curve of Across leads; only Up counts here."
    desk.page.click(".curves-tabs [data-target=up]")
    desk.after(lambda: fill_curve(desk, "0=0.25"))
    assert led.inner_text() == "The curves of Across and Up lead; clear one to move the sound here."
    desk.after(lambda: desk.page.click("#reset"))
    assert not led.is_visible()
    desk.page.click(".curves-tabs [data-target=loudness]")


def test_what_is_out_of_reach_says_how_far_it_could_go(desk):
    desk.after(lambda: desk.type_into("transpose", "24"))
    desk.after(lambda: desk.type_into("brightness", "-1"))
    desk.page.wait_for_selector("#report .missed")
    said = desk.page.locator("#report .missed").inner_text()
    assert "Brightness: −1.00 octaves asked" in said and "this note goes to" in said
    assert desk.page.locator("#report .is-missed").count() >= 1


def test_noise_is_asked_for_and_heard(desk):
    desk.after(lambda: desk.type_into("noisiness-db", "12"))
    desk.reported("Noisiness")
    row = desk.page.locator("#report tr", has_text="Noisiness").inner_text().split()
    assert float(row[-1].replace("−", "-")) == pytest.approx(12.0, abs=1.0)


def test_the_inspection_is_made_when_it_is_opened(desk):
    page = desk.page
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "inspection/" in request.url else None)
    desk.after(lambda: desk.type_into("gain-db", "-6"))
    assert asked == []
    page.click("#inspection > button")
    page.wait_for_selector("#glass .glass[data-state=ready]")
    frame = page.frame_locator("#glass iframe")
    assert "met" in frame.locator(".verdicts").inner_text()
    assert frame.locator("h2", has_text="Rainbowgram").count() == 1
    with page.expect_download() as download:
        page.click("#glass a")
    assert "<h2>Latents</h2>" in Path(download.value.path()).read_text(encoding="utf-8")
    desk.after(lambda: desk.type_into("gain-db", "-3"))
    page.wait_for_function("document.querySelector('.glass-words').innerText.includes('earlier sound')")
    assert len(asked) == 1
    page.click("#look")
    page.wait_for_function("document.querySelector('.glass-words').innerText === ''")
    assert len(asked) == 2
    page.click("#inspection > button")


@pytest.mark.parametrize("ask", ["", "[]", json.dumps({"checkpoint": "../etc", "sources": [""] * 4})])
def test_the_route_of_inspections_answers_nonsense_with_a_sentence(address, ask):
    with pytest.raises(HTTPError) as refused:
        urlopen(f"{address}inspection/report.html?ask={quote(ask)}")
    said = refused.value.read().decode()
    assert refused.value.code == 422 and said.endswith(".") and "Traceback" not in said
