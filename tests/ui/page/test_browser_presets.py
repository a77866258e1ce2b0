"""Presets of the page in a real browser: what goes out, comes back, and is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.ui.open_page import NEEDS_CHROMIUM, OpenPage, rms_db

pytestmark = [*NEEDS_CHROMIUM, pytest.mark.slow]


def saved(open_page: OpenPage, path: Path) -> Path:
    """The preset that the page offers, as a file."""
    with open_page.page.expect_download() as download:
        open_page.page.click("#save-preset")
    assert download.value.suggested_filename.startswith("bass-40-reed-60-")
    assert download.value.suggested_filename.endswith("-preset.json")
    download.value.save_as(path)
    return path


def load(open_page: OpenPage, path: Path) -> None:
    open_page.page.set_input_files(".deck-row input[type=file]", path)


def test_a_reset_forgets_the_mean_sound_of_a_preset(open_page, tmp_path):
    plain = open_page.fetch()
    open_page.after(lambda: open_page.type_into("gain-db", "-6"))
    open_page.after(lambda: open_page.choose("toward", "B"))
    edited = open_page.after(lambda: open_page.type_into("amount", "0.7"))
    preset = saved(open_page, tmp_path / "preset.json")
    assert np.array_equal(open_page.after(lambda: open_page.page.click("#reset")), plain)
    assert rms_db(open_page.after(lambda: load(open_page, preset))) == pytest.approx(rms_db(edited), abs=0.1)
    assert open_page.page.locator("#toward label.selected").inner_text() == "Preset"
    assert np.array_equal(open_page.after(lambda: open_page.page.click("#reset")), plain)
    assert open_page.page.locator("#toward label", has_text="Preset").count() == 0
    open_page.after(lambda: open_page.type_into("gain-db", "-3"))


def test_a_preset_comes_back_and_one_that_is_refused_leaves_the_knobs_until_the_next(open_page, tmp_path):
    edited = open_page.after(lambda: open_page.type_into("brightness", "0.5"))
    message = open_page.page.locator("#message-deck")
    good, bad = saved(open_page, tmp_path / "good.json"), tmp_path / "bad.json"
    bad.write_text(good.read_text().replace("0.5", '"loud"'))
    open_page.after(lambda: open_page.page.click("#reset"))
    assert np.array_equal(open_page.after(lambda: load(open_page, good)), edited)
    load(open_page, bad)
    message.locator("p").wait_for()
    assert "bad.json" in message.inner_text() and open_page.page.locator(".toast-body").count() == 0
    assert np.array_equal(open_page.fetch(), edited)
    load(open_page, good)
    message.locator("p").wait_for(state="detached")
