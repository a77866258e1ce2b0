"""Presets of the page in a real browser: what goes out, comes back, and is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.ui.desk import NEEDS_CHROMIUM, Desk, rms_db

pytestmark = NEEDS_CHROMIUM


def saved(desk: Desk, path: Path) -> Path:
    """The preset that the page offers, as a file."""
    with desk.page.expect_download() as download:
        desk.page.click("#save-preset")
    download.value.save_as(path)
    return path


def load(desk: Desk, path: Path) -> None:
    desk.page.set_input_files(".buttons input[type=file]", path)


def test_a_reset_forgets_the_mean_sound_of_a_preset(desk, tmp_path):
    plain = desk.fetch()
    desk.after(lambda: desk.type_into("gain-db", "-6"))
    desk.after(lambda: desk.choose("toward", "B"))
    edited = desk.after(lambda: desk.type_into("amount", "0.7"))
    preset = saved(desk, tmp_path / "preset.json")
    assert np.array_equal(desk.after(lambda: desk.page.click("#reset")), plain)
    assert rms_db(desk.after(lambda: load(desk, preset))) == pytest.approx(rms_db(edited), abs=0.1)
    assert desk.page.locator("#toward label.selected").inner_text() == "Preset"
    assert np.array_equal(desk.after(lambda: desk.page.click("#reset")), plain)
    assert desk.page.locator("#toward label", has_text="Preset").count() == 0
    desk.after(lambda: desk.type_into("gain-db", "-3"))


def test_a_refused_preset_leaves_the_knobs_and_its_words_go_with_the_next(desk, tmp_path):
    edited, message = desk.after(lambda: desk.type_into("gain-db", "-6")), desk.page.locator("#message-edits")
    good, bad = saved(desk, tmp_path / "good.json"), tmp_path / "bad.json"
    bad.write_text(good.read_text().replace("-6.0", '"loud"'))
    load(desk, bad)
    message.locator("p").wait_for()
    assert "bad.json" in message.inner_text() and desk.page.locator(".toast-body").count() == 0
    assert np.array_equal(desk.fetch(), edited)
    load(desk, good)
    message.locator("p").wait_for(state="detached")
