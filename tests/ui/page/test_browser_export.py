"""Exports of the page: made in the background, found again after a reload."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from tests.ui.open_page import NEEDS_CHROMIUM, WAIT_MS

pytestmark = [*NEEDS_CHROMIUM, pytest.mark.slow]


def test_an_export_survives_a_reload_and_is_taken_away(open_page, tmp_path) -> None:
    page = open_page.page
    open_page.open("export")
    page.select_option(".exports-kind", "wav")
    page.click(".exports-begin")
    page.wait_for_selector(".exports-list li[data-state=done]", timeout=WAIT_MS)
    expected = open_page.fetch()
    page.select_option(".exports-kind", "grid")
    page.click(".exports-begin")
    page.wait_for_selector(".exports-list li:nth-child(2)[data-state]")
    open_page.reloaded()
    open_page.open("export")
    page.wait_for_selector(".exports-list li:nth-child(2)[data-state=done]", timeout=WAIT_MS)
    with page.expect_download() as saved:
        page.click(".exports-list li:first-child a")
    assert saved.value.suggested_filename.endswith(".wav")
    saved.value.save_as(tmp_path / "x.wav")
    np.testing.assert_array_equal(soundfile.read(tmp_path / "x.wav", dtype="float32")[0], expected)
    for left in (1, 0):
        page.click(".exports-list li:first-child button")
        page.wait_for_function(f"document.querySelectorAll('.exports-list li').length === {left}")
    assert page.evaluate("localStorage.getItem('synth_explorer exports')") == "[]"


def test_an_export_that_the_server_lost_says_so_once(open_page) -> None:
    open_page.quiet = False
    page = open_page.page
    page.evaluate("localStorage.setItem('synth_explorer exports', '[\"of-another-server\"]')")
    open_page.reloaded()
    open_page.open("export")
    row = page.locator(".exports-list li")
    row.get_by_text("not here any more; make it again").wait_for()
    assert row.locator("progress").is_hidden()
    assert page.evaluate("localStorage.getItem('synth_explorer exports')") == "[]"
    row.get_by_role("button", name="Remove").click()
    assert row.count() == 0
