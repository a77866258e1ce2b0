"""The words of `edit` become edits; what a note cannot do is said; the report tells what became of each request."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from synth_explorer import audio
from synth_explorer.assets import example_notes
from synth_explorer.cli import app, edit_options
from synth_explorer.closed_loop import ClosedLoop
from synth_explorer.edits import (
    Attack,
    Curve,
    Direction,
    EditChain,
    Envelope,
    Freeze,
    Noisiness,
    Oscillate,
    OscillateChannels,
    Reverse,
    Stretch,
    Trim,
)


def test_words_become_edits_in_their_order() -> None:
    assert edit_options.plain_steps({}) == []
    given = {
        "noisiness_db": -6.0,
        "attack_s": 0.1,
        "trim_s": "0.5:2",
        "reverse": True,
        "stretch": 1.5,
        "freeze_s": "1:3",
        "adsr": "0.1,0.2,-6,0.5",
        "curve": ["pitch:0=0,1.5=-200"],
    }
    assert edit_options.plain_steps(given) == [
        Trim(0.5, 2.0),
        Reverse(),
        Stretch(1.5),
        Freeze(1.0, 3.0),
        Attack(0.1),
        Envelope(0.1, 0.2, -6.0, 0.5),
        Curve("pitch", ((0.0, 0.0), (1.5, -200.0))),
        Noisiness(-6.0),
    ]
    assert edit_options.plain_steps({"trim_s": ":2"}) == [Trim(0.0, 2.0)]
    assert edit_options.plain_steps({"trim_s": "0.5:", "freeze_s": "1"}) == [Trim(0.5), Freeze(1.0)]


def test_swings() -> None:
    assert edit_options.swing_steps({}) == []
    assert edit_options.swing_steps({"swing": ["pitch:5:30", "brightness:0.7:0.3:walk:0:0.5:7"]}) == [
        (Oscillate("pitch", 5.0, 30.0), False),
        (Oscillate("brightness", 0.7, 0.3, "walk", 0.0, 0.5, 7), False),
    ]
    assert edit_options.swing_steps({"osc_channels": "all"}) == [(OscillateChannels((0,), 5.0, 1.0), True)]


@pytest.mark.parametrize(
    ("name", "value"),
    [("trim_s", "a:b"), ("freeze_s", ""), ("adsr", "1,2,3"), ("adsr", "1,2,3,x"), ("curve", ["loudness:0"])],
)
def test_refuses(name: str, value: object) -> None:
    with pytest.raises(typer.BadParameter, match="must be"):
        edit_options.plain_steps({name: value})


def test_refuses_swings() -> None:
    for text in ("pitch", "pitch:5", "pitch:fast:3", "pitch:5:3:sine:0:0:0:0"):
        with pytest.raises(typer.BadParameter, match="must be"):
            edit_options.swing_steps({"swing": [text]})


def test_shell_says_what_it_cannot_do(explorer, tmp_path: Path) -> None:
    note = next(note.path for note in example_notes() if note.path.stem == "flute")
    out, report = tmp_path / "out.wav", tmp_path / "report.json"
    words = [
        "edit",
        str(note),
        "-o",
        str(out),
        "--brightness-octaves",
        "-3",
        "--fit-steps",
        "0",
        "--trim-s",
        "0:1",
        "--report",
        str(report),
    ]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    assert "darker than its own pitch" in result.output
    content = json.loads(report.read_text())
    assert content["reached"] is False
    outcome = next(item for item in content["outcomes"] if item["control"] == "brightness")
    assert outcome["requested"] == -3.0 and -3.0 < outcome["limit"] == outcome["measured"] < 0.0
    assert len(audio.load(out, sample_rate_hz=16_000)) == 16_000


def test_a_swing_of_a_preset_is_measured_and_said_not_to_be_solved(explorer, tmp_path: Path) -> None:
    note = next(note.path for note in example_notes() if note.path.stem == "flute")
    preset, report = tmp_path / "preset.json", tmp_path / "report.json"
    EditChain((Oscillate("pitch", 5.0, 50.0),)).save(preset)
    words = ["edit", str(note), "-o", str(tmp_path / "out.wav"), "--preset", str(preset), "--fit-steps", "0"]
    result = CliRunner().invoke(app, [*words, "--reverse", "--report", str(report)])
    assert result.exit_code == 0 and "reverse stands behind it" in result.output
    content = json.loads(report.read_text())
    assert content["reached"] is False
    assert content["measured"]["osc_depth"] == pytest.approx(50.0, abs=5.0)
    assert content["measured"]["osc_rate_hz"] == pytest.approx(5.0, abs=0.05)


def test_noisiness_is_heard_at_constant_loudness(explorer) -> None:
    from synth_explorer import measure

    latents = explorer.encode(next(note.path for note in example_notes() if note.path.stem == "flute"))
    solution = ClosedLoop(explorer).solve(latents, EditChain((Noisiness(12.0),)))
    edited = solution.latents
    assert solution.reached

    def noise_db(note) -> float:
        """Level of the noise against that of the partials."""
        tones = explorer.decode(note, temperature=0.0)
        return measure.rms_db(explorer.decode(note) - tones) - measure.rms_db(tones)

    assert noise_db(edited) - noise_db(latents) == pytest.approx(12.0, abs=0.5)
    assert np.array_equal(explorer.decode(edited), solution.audio)


def test_directions() -> None:
    assert edit_options.plain_steps({"direction": ["1=-1.5", "2=0.3:brightness"]}) == [
        Direction(1, -1.5),
        Direction(2, 0.3, "brightness"),
    ]
    for text in ("1", "a=2", "1=x", "=1", "²=1", "99999=1"):
        with pytest.raises(typer.BadParameter, match="must be"):
            edit_options.plain_steps({"direction": [text]})
