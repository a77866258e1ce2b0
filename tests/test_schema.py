"""What comes from outside: rows of CSV, sentences with the place of what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth_explorer.errors import DataError
from synth_explorer.schema import Midi, Schema


class Row(Schema):
    name: str
    pitch: Midi | None = None
    count: int = 1


def test_rows_are_read_by_their_declaration(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\ufeffname,pitch,count\nx,60.5,\ny,,3\n", encoding="utf-8")
    assert Row.read_rows(path, error=DataError) == [Row(name="x", pitch=60.5), Row(name="y", count=3)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pitch\n60\n", "lacks the columns name in its header; it has pitch"),
        ("", "it has none"),
        ("name,pitch\nx,60\n,60\n", "line 3 lacks the field 'name'"),
        ("name,count\nx,many\n", "line 2: count: .*received 'many'"),
        ("name,colour\nx,red\n", "line 2 has an unknown field 'colour'"),
    ],
)
def test_rows_that_are_wrong_are_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        Row.read_rows(tmp_path / "a.csv", error=DataError)
