"""The patch that the page saves: it opens elsewhere, and makes the same samples."""

from __future__ import annotations

from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

import numpy as np
import pytest

from synth_explorer.rendering import Renderer, load_patch
from tests.fake_family import fake_explorer
from tests.ui.open_page import NEEDS_CHROMIUM

pytestmark = NEEDS_CHROMIUM


@pytest.mark.slow
def test_what_the_page_plays_is_what_its_patch_renders(open_page, studio, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("SYNTH_EXPLORER_CACHE", str(tmp_path / "cache"))
    open_page.after(lambda: open_page.type_into("gain-db", "-5"))
    studio._fitter.submit(lambda: None).result()  # from now on the notes stay as they are
    open_page.after(lambda: open_page.type_into("brightness", "0.3"))
    with open_page.page.expect_download() as saved:
        open_page.page.click(".deck-save")
    patch = load_patch(saved.value.path())
    assert [edit.kind for edit in patch.edits] == ["brightness", "gain"] and len(patch.sources) == 4
    assert {source.origin for source in patch.sources} == {"kept"}
    np.testing.assert_array_equal(Renderer(fake_explorer()).render(patch).audio, open_page.fetch())


def test_what_cannot_be_saved_is_one_sentence(address) -> None:
    with pytest.raises(HTTPError) as found:
        urlopen(f"{address}sound/patch.zip?request={quote('nonsense')}")
    assert found.value.code == 422 and found.value.read().decode().endswith(".")
