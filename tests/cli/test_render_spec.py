"""Specs in the shell."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth_explorer import rendering
from synth_explorer.batch import run
from tests.batch.conftest import BundledFamily
from tests.cli.shell import failing, ok, refused
from tests.fake_family import fake_explorer

SPEC = "sources: [Cello, Marimba]\nmorphs: [{pairs: all, steps: 3}]\n"


@pytest.fixture(autouse=True)
def _fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    renderer = rendering.Renderer(fake_explorer(BundledFamily))
    monkeypatch.setattr(rendering, "renderer_of", lambda patch: renderer)
    monkeypatch.chdir(tmp_path)
    Path("spec.yaml").write_text(SPEC)


def test_a_spec_to_a_folder_and_again() -> None:
    done = ok("render", "spec.yaml", "-o", "out")
    assert done.stdout == "out/manifest.jsonl\nout/manifest.csv\n"
    assert done.stderr == "note: 3 of 3 sounds made, 0 were there\n"
    assert ok("render", "spec.yaml", "-o", "out").stderr == "note: 0 of 3 sounds made, 3 were there\n"
    Path("spec.yaml").write_text(SPEC.replace("steps: 3", "at: 0.3"))
    said = ok("render", "spec.yaml", "-o", "out").stderr
    assert said.startswith("note: 3 sounds of an earlier run in out are not among these, and stay\n")


def test_a_dry_run_says_what_it_takes() -> None:
    lines = ok("render", "spec.yaml", "-o", "out", "--dry-run").stdout.splitlines()
    assert [line.split(":")[0] for line in lines] == ["sounds", "notes to listen to", "length", "size", "time"]
    assert lines[0] == "sounds: 3, of them 0 are there" and "in 1 process, as timed here" in lines[-1]
    assert not Path("out").exists()
    ok("render", "spec.yaml", "-o", "out")
    assert ok("render", "spec.yaml", "-o", "out", "--dry-run").stdout.endswith("time: nothing is left to do\n")


def test_failures_are_listed_at_the_end() -> None:
    Path("spec.yaml").write_text(SPEC + "edits: [transpose: [-90, 0]]\n")
    said, errors = failing("render", "spec.yaml", "-o", "out")
    assert said == ["out/manifest.jsonl", "out/manifest.csv"]
    assert len(errors) == 4 and all(line.startswith("error: out/Cello+Marimba_") for line in errors[:3])
    assert errors[3] == "note: 3 of 6 sounds made, 0 were there"


def test_what_clips_is_said() -> None:
    Path("spec.yaml").write_text(SPEC + "edits: [gain: 40]\nopen_loop: true\n")
    assert "warning: 3 sounds peak above full scale" in ok("render", "spec.yaml", "-o", "out").stderr


def test_a_stop_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*given: object, **named: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "run", stop)
    assert "the same command goes on from there" in refused("render", "spec.yaml", "-o", "out", code=130)


def test_a_wrong_spec_is_one_line_and_writes_nothing() -> None:
    Path("spec.yaml").write_text(SPEC + "pitches: [H4]")
    assert refused("render", "spec.yaml", "-o", "out").startswith("error: spec.yaml, line 3, pitches[0]: 'H4' is no")
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("render spec.yaml spec.yaml -o out", "one spec alone"),
        ("render spec.yaml -o out --bits 16", "stands in the spec"),
        ("render spec.yaml -o out.wav", "is the name of a file"),
        ("render spec.yaml -o out.opus", "is the name of a file"),
        ("render spec.yaml -o out.sfz", "is the name of a file"),
        ("render spec.yaml -o spec.yaml", "is a file"),
        ("render p.json -o x.wav --workers 2", "sounds in a folder"),
        ("render p.json -o x.wav --dry-run", "sounds in a folder"),
    ],
)
def test_wrong_usage(line: str, message: str) -> None:
    Path("p.json").write_text("{}")
    assert message in " ".join(refused(*line.split(), code=2).replace("│", " ").split())
    assert not Path("out").exists()


def test_patches_into_a_folder_are_a_batch() -> None:
    for number, name in enumerate(("Cello", "Marimba")):
        rendering.Patch.of(name).save(f"p{number}.json")
    assert ok("render", "p0.json", "p1.json", "-o", "out", "--dry-run").stdout.startswith("sounds: 2")
    assert ok("render", "p0.json", "p1.json", "-o", "out").stdout == "out/p0.wav\nout/p1.wav\n"
    done = ok("render", "p0.json", "p1.json", "-o", "out", "--workers", 1)
    assert done.stdout == "out/p0.wav\nout/p1.wav\n" and "0 of 2 sounds made, 2 were there" in done.stderr
