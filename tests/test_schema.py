"""What comes from outside: rows of CSV, YAML by version 1.2, sentences with the place of what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth_explorer.errors import DataError
from synth_explorer.schema import Midi, Schema, read_yaml


class Row(Schema):
    name: str
    pitch: Midi | None = None
    count: int = 1


def test_yaml_is_read_by_its_core_schema(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(
        "a: 6e-4\nb: 5.0e-4\nc: 12e03\nd: .5\ne: 60\nf: -3E+2\ng: [1e3, yes, true]\nh: 1:30\ni: no\n"
        "j: 2026-01-02\nk: 1e5x\nl: '6e-4'\nm: ~\nn:\no: .inf\np: 0x10\n"
    )
    assert read_yaml(path, what="numbers", error=DataError) == {
        **{"a": 6e-4, "b": 5e-4, "c": 12e3, "d": 0.5, "e": 60, "f": -300.0, "g": [1e3, "yes", True], "h": "1:30"},
        **{"i": "no", "j": "2026-01-02", "k": "1e5x", "l": "6e-4", "m": None, "n": None, "o": float("inf"), "p": 16},
    }


@pytest.mark.parametrize(
    "text", ["a: [", "a: !!python/object:os.system {}", "[" * 5000, "\0"], ids=["open", "object", "deep", "null"]
)
def test_what_is_no_yaml_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(DataError, match=r"a\.yaml can't be read as numbers: "):
        read_yaml(path, what="numbers", error=DataError)


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
