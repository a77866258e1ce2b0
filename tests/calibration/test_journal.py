"""A journal keeps what was finished, drops a last line that was cut short, and says where it is damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth_explorer.calibration.journal import Journal
from synth_explorer.errors import DataError

WORK = {"notes": 3}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    journal = Journal(tmp_path / "work.jsonl", WORK)
    assert [journal.item(key, lambda: 0.5) for key in "ab"] == [0.5, 0.5]
    return journal.path


def test_a_line_that_was_cut_short_is_dropped(path: Path) -> None:
    whole = path.read_text()
    path.write_text(whole + '["c", 0.')
    again = Journal(path, WORK)
    assert again.found == 2 and not again.has("c") and path.read_text() == whole


@pytest.mark.parametrize("line", ['["a", 0.', '{"a": 1}', "3", "null", '[["a"], 1]', '["a"]', "", "\0", "[" * 100_000])
def test_a_damaged_line_is_named(path: Path, line: str) -> None:
    head, _, last = path.read_text().splitlines()
    path.write_text("\n".join([head, line, last, ""]))
    before = path.read_bytes()
    with pytest.raises(DataError, match=r"Line 2 of .*work\.jsonl is damaged; delete the file to begin anew"):
        Journal(path, WORK)
    assert path.read_bytes() == before


def test_other_work_begins_anew(path: Path) -> None:
    assert Journal(path, {"notes": 4}).found == 0
