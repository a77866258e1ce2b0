"""The library from the shell: what is taken in is found, shown, tagged, exported and forgotten again."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth_explorer import audio
from synth_explorer.rendering import Patch, Source
from tests.cli.shell import failing, ok, refused
from tests.library.conftest import RATE_HZ, tone


@pytest.mark.slow
def test_the_whole_way_of_a_sound(tmp_path: Path) -> None:
    at = ("--library", tmp_path / "library")
    note, made = (
        audio.save(tmp_path / "in" / f"{name}.wav", tone(hz), sample_rate_hz=RATE_HZ)
        for name, hz in (("low note", 110.0), ("made", 220.0))
    )
    (tmp_path / "in" / "broken.wav").write_bytes(b"x" * 100)
    patch = Patch.of(Source.of(note)).save(tmp_path / "p.json")
    lines, said = failing("library", "add", tmp_path / "in", *at, "--tag", "mine")
    assert len(lines) == 2 and len(said) == 1 and "broken.wav" in said[0]
    assert failing("library", "add", tmp_path / "in", *at, "--tag", "again")[0] == []
    assert ok("library", "find", "--tag", "again", *at).stdout.count("\n") == 2
    render = ok("library", "add", made, "--patch", patch, *at).stdout.strip()
    assert ok("library", "find", "mine", "mad", *at).stdout == f"{render}\trender\t0.50\tmade\n"
    ok("library", "tag", render[:5], "--add", "Bell", "--favourite", "--note", "for later", *at)
    shown = ok("library", "show", "made", *at).stdout
    assert "parents: low note.wav (" in shown and "bell (person)" in shown and "note: for later" in shown
    assert ok("library", "find", "--favourites", "--tag", "bell", *at).stdout.split("\t")[0] == render
    paths = ok("library", "export", "made", "-o", tmp_path / "out", *at).stdout.splitlines()
    assert [Path(path).name for path in paths] == ["made.wav", "made.json"]
    assert Path(paths[0]).read_bytes() == made.read_bytes()
    assert Patch.from_json(Path(paths[1]).read_bytes()) == Patch.from_json(patch.read_bytes())
    again = ok("library", "export", "made", "-o", tmp_path / "out", *at).stdout.splitlines()
    assert again == paths and len(list((tmp_path / "out").iterdir())) == 2
    Path(paths[0]).write_bytes(b"another's")
    again = ok("library", "export", "made", "-o", tmp_path / "out", *at).stdout.splitlines()
    assert [Path(path).name for path in again] == [f"made-{render}.wav", f"made-{render}.json"]
    assert Path(paths[0]).read_bytes() == b"another's"
    found = ok("library", "search", "like Low Note, higher", *at)
    assert found.stdout.split("\t")[::3] == [render, "made\n"] and "MIDI pitch at least 46; 1 fit" in found.stderr
    assert ok("library", "search", "like Low Note, higher", "--without", render, *at).stdout == ""
    assert "is in no library" in refused("library", "search", "--to", note, "--without", "nobody", *at)
    assert "nothing measurable" in refused("library", "search", "warmer", "--to", note, *at)
    ok("library", "rm", render, *at)
    assert "give an id" in refused("library", "show", render, *at) and not ok("library", "find", "made", *at).stdout
    assert ok("library", "trim", "--most-gb", 0, *at).stdout == ""  # notes stay
    refused("library", "find", "--kind", "sonnet", *at, code=2)
    refused("library", "add", tmp_path / "in", "--patch", patch, *at, code=2)


def test_a_library_that_is_not_there_is_refused_and_not_made(tmp_path: Path) -> None:
    at = ("--library", tmp_path / "wrong")
    for words in (("find",), ("search", "bright"), ("show", "a"), ("hear",), ("trim", "--most-gb", 1)):
        assert "There is no library in" in refused("library", *words, *at)
    assert not list(tmp_path.iterdir())


def test_what_a_file_says_of_its_pitch_is_no_loss(tmp_path: Path) -> None:
    note = tmp_path / "c.wav"
    audio.write(note, tone(261.6), sample_rate_hz=RATE_HZ, sampler=audio.Sampler(60.0))
    said = ok("library", "add", note, "--library", tmp_path / "library").stderr
    assert "note: " in said and "as its pitch in its sampler chunk" in said and "warning" not in said


def test_wrong_labels_are_listed_judged_and_counted(tmp_path: Path) -> None:
    at = ("--library", tmp_path / "library")
    sound = audio.save(tmp_path / "sizzle.wav", tone(300.0, partials=30), sample_rate_hz=RATE_HZ)
    other = audio.save(tmp_path / "other.wav", tone(320.0, partials=30), sample_rate_hz=RATE_HZ)
    name = ok("library", "add", sound, "--tag", "dark", *at).stdout.strip()
    ok("library", "add", other, "--tag", "dark", *at)
    listed = ok("library", "suspects", "--limit", 1, *at)
    assert listed.stdout.split("\t")[1:3] == ["dark", "person"] and "1 of 2" in listed.stderr
    ok("library", "judge", name, "--tag", "dark", "--wrong", *at)
    assert name not in ok("library", "suspects", "--tag", "dark", *at).stdout
    assert "judged: dark (wrong)" in ok("library", "show", name, *at).stdout
    assert ok("library", "find", "--tag", "dark", *at).stdout.count("\n") == 1
    table = ok("library", "labels", *at).stdout
    assert "ceiling" in table and "0.00 (0.00 to 1.00)" in table
    ok("library", "judge", name, "--tag", "dark", "--forget", *at)
    assert ok("library", "suspects", *at).stdout.count("\n") == 2
    refused("library", "judge", name, "--tag", "dark", *at, code=2)
    refused("library", "suspects", "--tag", "lovely", *at, code=2)
    assert "has no tag" in refused("library", "judge", name, "--tag", "lovely", "--wrong", *at)
