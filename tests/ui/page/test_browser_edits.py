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
from tests.ui.open_page import NEEDS_CHROMIUM, rms_db

pytestmark = [*NEEDS_CHROMIUM, pytest.mark.slow]


def fill_curve(open_page, words: str) -> None:
    open_page.page.fill(".curves-text", words)
    open_page.page.press(".curves-text", "Enter")


def test_a_note_is_stretched_reversed_frozen_and_trimmed(open_page):
    plain = open_page.fetch()
    open_page.open("time")
    longer = open_page.after(lambda: open_page.type_into("stretch", "2"))
    assert longer.size == 2 * plain.size
    backwards = open_page.after(lambda: open_page.page.click("#reverse input"))
    half = backwards.size // 2
    assert backwards.size == longer.size and rms_db(backwards[half:]) > rms_db(backwards[:half])
    short = open_page.after(lambda: open_page.type_into("trim-end", "0.5"))
    assert short.size == 16000
    held = open_page.after(lambda: (open_page.type_into("freeze-hold", "3"), open_page.page.click("#freeze input")))
    assert held.size == 16000 * 3.5
    open_page.reported("trim, reverse, stretch and f")


def test_moments_end_where_the_note_does(open_page):
    def ends_are(*ends: str) -> None:
        moments = (
            "['trim-start', 'trim-end', 'freeze-at'].map((id) => document.querySelector(`#${id} [type=range]`).max)"
        )
        open_page.page.wait_for_function(f"ends => JSON.stringify({moments}) === JSON.stringify(ends)", arg=list(ends))

    open_page.open("time")
    ends_are("4", "4", "4")
    open_page.after(lambda: open_page.type_into("stretch", "4"))
    ends_are("4", "4", "5")
    open_page.type_into("freeze-at", "4.06")
    open_page.after(lambda: open_page.type_into("stretch", "1"))
    ends_are("4", "4", "4.06")
    open_page.after(lambda: open_page.page.click("#reset"))
    ends_are("4", "4", "4")


def test_an_envelope_and_a_slow_attack_are_heard(open_page):
    plain = open_page.fetch()
    open_page.open("time")
    faded = open_page.after(lambda: open_page.type_into("env-release", "0.5"))
    assert rms_db(faded[-1600:]) < rms_db(plain[-1600:]) - 15
    open_page.after(lambda: open_page.type_into("attack", "0.3"))
    open_page.reported("Attack")


def test_a_principal_direction_says_what_it_moves_and_moves_it(open_page):
    open_page.open("directions")
    words = open_page.page.locator("#direction-1").inner_text()
    assert "1: brighter" in words and "a step: brightness +0.50 octaves" in words
    assert not open_page.page.locator("#direction-2").is_visible()
    still = open_page.fetch()
    moved = open_page.after(lambda: open_page.type_into("direction-1", "1"))
    heard = [measure.brightness_octaves(sound, sample_rate_hz=16000) for sound in (still, moved)]
    assert heard[1] - heard[0] > 0.15


def test_a_curve_is_drawn_typed_and_cleared(fresh):
    open_page = fresh()
    plain = open_page.fetch()
    open_page.open("drawn")
    field = open_page.page.locator(".curves-field")
    field.scroll_into_view_if_needed()
    box = field.bounding_box()
    louder = open_page.after(lambda: field.click(position={"x": 0.5 * box["width"], "y": 0.1 * box["height"]}))
    points = open_page.page.locator(".curves-text").input_value()
    time_s, level_db = (float(part) for part in points.split("="))
    assert time_s == pytest.approx(0.5 * plain.size / 16000, abs=0.05) and level_db == pytest.approx(6.0, abs=0.5)
    assert rms_db(louder) - rms_db(plain) == pytest.approx(level_db, abs=0.05)
    falling = open_page.after(lambda: fill_curve(open_page, "0=0; 0.9 = −30,"))
    assert open_page.page.locator(".curves-text").input_value() == "0=0, 0.9=-30"
    quarter = plain.size // 4
    assert rms_db(falling[3 * quarter :]) - rms_db(plain[3 * quarter :]) < -18
    field.focus()
    open_page.after(lambda: open_page.page.keyboard.press("ArrowDown"))
    back = open_page.after(lambda: open_page.page.click(".curves-clear"))
    assert np.array_equal(back, plain)


def test_what_is_no_curve_is_said_and_leaves_the_one_that_is(open_page):
    open_page.open("drawn")
    drawn = open_page.after(lambda: fill_curve(open_page, "0=0, 0.9=-30"))
    said, before = open_page.page.locator(".curves-words"), ""
    for words in ("garbage", "0=0, 1,5=-12", "0=0=1", "0.5=", "70=-3", "-1=2"):
        fill_curve(open_page, words)
        said.wait_for()
        assert "”" in said.inner_text() and "The curve is as it was." in said.inner_text()
        assert said.inner_text() != before, words
        assert open_page.page.locator(".curves-text").input_value() == words
        assert open_page.page.locator(".curves-points i").count() == 2
        assert np.array_equal(open_page.fetch(), drawn)
        before = said.inner_text()
    open_page.after(lambda: fill_curve(open_page, "0=-6"))
    assert not said.is_visible()


def test_the_morph_moves_along_a_curve(open_page):
    open_page.open("drawn")
    open_page.page.click(".curves-tabs [data-target=across]")
    moved = open_page.after(lambda: fill_curve(open_page, "0=0, 1=1"))
    steady = open_page.after(lambda: fill_curve(open_page, "0=0"))
    assert not np.array_equal(moved, steady)
    led = open_page.page.locator(".pad-led")
    assert led.inner_text() == "The horizontal curve leads; only up and down count here."
    open_page.page.click(".curves-tabs [data-target=up]")
    open_page.after(lambda: fill_curve(open_page, "0=0.25"))
    assert led.inner_text() == "The horizontal and the vertical curve lead; clear one to move the sound here."
    open_page.after(lambda: open_page.page.click("#reset"))
    assert not led.is_visible()
    open_page.page.click(".curves-tabs [data-target=loudness]")


def test_what_is_out_of_reach_says_how_far_it_could_go(open_page):
    open_page.after(lambda: open_page.type_into("transpose", "24"))
    open_page.after(lambda: open_page.type_into("brightness", "-1"))
    open_page.page.wait_for_selector("#report .missed")
    said = open_page.page.locator("#report .missed").inner_text()
    assert "Brightness: −1.00 octaves asked" in said and "this note goes to" in said
    assert open_page.page.locator("#report .is-missed").count() >= 1


def test_noise_is_asked_for_and_heard(open_page):
    open_page.after(lambda: open_page.type_into("noisiness-db", "12"))
    open_page.reported("Noisiness")
    row = open_page.page.locator("#report tr", has_text="Noisiness").inner_text().split()
    assert float(row[-1].replace("−", "-")) == pytest.approx(12.0, abs=1.0)


def test_the_inspection_is_made_when_it_is_opened(open_page):
    page = open_page.page
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "inspection/" in request.url else None)
    open_page.after(lambda: open_page.type_into("gain-db", "-6"))
    assert asked == []
    page.click("#inspection > button")
    page.wait_for_selector("#inspection-page .inspection[data-state=ready]")
    frame = page.frame_locator("#inspection-page iframe")
    assert "met" in frame.locator(".verdicts").inner_text()
    assert frame.locator("h2", has_text="Rainbowgram").count() == 1
    for scheme, low, high in (("light", 200, 255), ("dark", 0, 50)):
        page.emulate_media(color_scheme=scheme)
        red = frame.locator("body").evaluate("body => Number(getComputedStyle(body).backgroundColor.match(/\\d+/)[0])")
        assert low <= red <= high, scheme
    page.emulate_media(color_scheme="null")
    with page.expect_download() as download:
        page.click("#inspection-page a")
    stem = (page.locator("#screen-result .screen-save").get_attribute("download") or "").removesuffix(".wav")
    assert stem.startswith("bass-40-") and download.value.suggested_filename == f"{stem}-inspection.html"
    assert "<h2>Latents</h2>" in Path(download.value.path()).read_text(encoding="utf-8")
    open_page.after(lambda: open_page.type_into("gain-db", "-3"))
    page.wait_for_function("document.querySelector('.inspection-words').innerText.includes('earlier sound')")
    assert len(asked) == 1
    page.click("#look")
    page.wait_for_function("document.querySelector('.inspection-words').innerText === ''")
    assert len(asked) == 2
    page.click("#inspection > button")


@pytest.mark.parametrize("nonsense", ["", "[]", json.dumps({"checkpoint": "../etc", "sources": [""] * 4})])
def test_the_route_of_inspections_answers_nonsense_with_a_sentence(address, nonsense):
    with pytest.raises(HTTPError) as refused:
        urlopen(f"{address}inspection/report.html?request={quote(nonsense)}")
    said = refused.value.read().decode()
    assert refused.value.code == 422 and said.endswith(".") and "Traceback" not in said


def test_another_seed_is_another_take_that_can_be_undone(open_page):
    open_page.open("decoding")
    plain, before = open_page.fetch(), open_page.state()
    other = open_page.after(lambda: open_page.type_into("seed", "3"))
    assert not np.array_equal(other, plain) and rms_db(other) == pytest.approx(rms_db(plain), abs=0.5)
    open_page.page.wait_for_function("location.hash.includes('seed=3')")
    open_page.after(lambda: open_page.type_into("temperature", "0"))
    open_page.page.click("#decoding > button")
    assert open_page.page.locator("#decoding > button > span").first.get_attribute("data-set") == "Seed, Temperature"
    for _ in range(2):
        open_page.turned(lambda: open_page.page.keyboard.press("Control+z"))
    assert np.array_equal(open_page.reached(before), plain)


def test_edits_by_formula_are_not_solved(open_page):
    open_page.after(lambda: open_page.type_into("brightness", "0.5"))
    open_page.open("decoding")
    solved = open_page.fetch()
    by_formula = open_page.after(lambda: open_page.page.click("#open-loop input"))
    assert not np.array_equal(by_formula, solved)
    assert np.array_equal(open_page.after(lambda: open_page.page.click("#open-loop input")), solved)
