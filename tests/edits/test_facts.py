"""A fact has one home: what `edits/` says of an edit is what shell, page, closed loop, verdicts and sweeps say."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import synth_explorer
from synth_explorer import closed_loop, edits
from synth_explorer.edits import KINDS, TARGETS, UNITS, Gain, Noisiness, Oscillate, commute, in_order
from synth_explorer.latents.morph import MAX_WEIGHT, MIN_WEIGHT

PACKAGE = Path(synth_explorer.__file__).parent

TOLD = """
import json
from typer.main import get_command
from synth_explorer import cli, edits
from synth_explorer.cli.edit_options import plain_steps
from synth_explorer.closed_loop.request import _level_knob
from synth_explorer.edits import EditChain, Gain
from synth_explorer.inspection import verdicts
from synth_explorer.evaluation.sweeps import SWEEPS
from synth_explorer.ui.answers import tables as report
from synth_explorer.ui.request import knobs
from synth_explorer.ui.request.chains import ORDER, edit_chain, turned
from synth_explorer.ui.request.settings import Settings

def refused(ask):
    try:
        ask()
    except Exception as error:
        return str(error)

options = {option.name: option.help for option in get_command(cli.app).commands["edit"].params}
judged = {"requested": {"gain_db": 3.0}, "measured": {"gain_db": 3.6}}
chain = edit_chain(Settings(gain_db=-3.0, brightness=0.5), {})
print(json.dumps({
    "help": options["gain_db"],
    "depth": options["osc_depth"],
    "limit": refused(lambda: plain_steps({"gain_db": 1e3})),
    "label": knobs.NUMBERS["gain_db"].label,
    "range": knobs.RANGES["gain_db"],
    "rest": Settings().gain_db,
    "preset": refused(lambda: turned(Settings(), EditChain((Gain(-28.0),)))),
    "verdict": verdicts(judged, EditChain((Gain(3.0),)))[0].words,
    "sweep": SWEEPS["gain"].figure.tolerance,
    "loop": [_level_knob(0.0, 0.0, 0.0).low, _level_knob(0.0, 0.0, 0.0).aim],
    "curve": knobs.CURVE_UNITS["loudness"],
    "order": [edit.kind for edit in chain],
    "table": report.report_table({"requested": {"gain_db": 3.0}, "measured": {"gain_db": 3.6}}),
}))
"""


def copied(folder: Path) -> Path:
    """A copy of the package, to change."""
    shutil.copytree(PACKAGE, folder / "synth_explorer", ignore=shutil.ignore_patterns("__pycache__"))
    return folder / "synth_explorer" / "edits"


def run(folder: Path, program: str) -> str:
    """What a program says with the package of this folder."""
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_one_line_changes_a_fact_everywhere(tmp_path: Path) -> None:
    room = copied(tmp_path)
    before = json.loads(run(tmp_path, TOLD))
    assert "-96..48" in before["limit"] and "-24 to 12" in before["preset"] and before["range"] == [-24.0, 12.0]
    assert before["verdict"] == "off by 0.60 dB" and before["order"] == ["brightness", "gain"]
    changes = (  # in which file, what, into what
        ("named.py", "(-96.0, 48.0)", "(-90.0, 48.0)"),
        ("named.py", '"Gain ({unit})", -24.0, 12.0', '"Gain ({unit})", -30.0, 12.0'),
        ("named.py", 'UNITS["loudness"], 0.5, aim=0.1, title', 'UNITS["loudness"], 0.7, aim=0.2, title'),
        ("named.py", "order = 160", "order = 145"),
        ("facts.py", '"loudness": "dB"', '"loudness": "phon"'),
    )
    for name, one, other in changes:
        path = room / name
        text = path.read_text(encoding="utf-8")
        assert one in text, one
        path.write_text(text.replace(one, other, 1), encoding="utf-8")
    after = json.loads(run(tmp_path, TOLD))
    assert after["help"] == "Louder or softer, in phon." and after["label"] == "Gain (phon)"
    assert after["depth"].startswith("Peak deviation to either side: phon of loudness (default 3)")
    assert "-90..48" in after["limit"] and after["range"] == [-30.0, 12.0] and after["preset"] is None
    assert after["verdict"] == "met" and after["sweep"] == 0.7 and after["loop"] == [-90.0, 0.2]
    assert after["curve"] == "phon" and "<i>phon</i>" in after["table"]
    assert after["order"] == ["gain", "brightness"]


ECHO = """
from __future__ import annotations

from dataclasses import dataclass

from synth_explorer.edits.base import Edit
from synth_explorer.edits.facts import Figure, Knob, Option, ranged


@dataclass(frozen=True)
class Echo(Edit):
    'A sound that comes back.'

    db: float = ranged(
        (-60.0, 0.0), "dB", option=Option("echo_db", "How loud it comes back, in {unit}."),
        knob=Knob("echo_db", "Echo ({unit})", -40.0, 0.0, 0.5, -40.0, group="time"),
    )
    kind = "echo"
    order = 125
    figure = Figure("echo_db", "echo", "dB", 0.5)
    needs = "loudness"

    def apply(self, latents, controls):
        return latents
"""
ADDED = """
import gradio as gr
from typer.main import get_command
from synth_explorer import cli
from synth_explorer.cli.edit_options import plain_steps
from synth_explorer.edits import EditChain, Gain
from synth_explorer.edits.echo import Echo
from synth_explorer.inspection import verdicts
from synth_explorer.ui.answers import switching, tables as report
from synth_explorer.ui.request import knobs
from synth_explorer.ui.request.chains import edit_chain, turned
from synth_explorer.ui.page.panels import edits
from synth_explorer.ui.request.settings import Settings

options = {option.name: option.help for option in get_command(cli.app).commands["edit"].params}
assert options["echo_db"] == "How loud it comes back, in dB."
assert plain_steps({"echo_db": -6.0, "gain_db": -1.0}) == [Echo(-6.0), Gain(-1.0)]
chain = EditChain((Echo(-6.0),))
assert chain.requested() == {"echo_db": -6.0} and EditChain.from_json(chain.to_json()) == chain
assert edit_chain(Settings(echo_db=-6.0), {}) == chain and turned(Settings(), chain)[0].echo_db == -6.0
assert Settings().echo_db == -40.0 and Settings.from_mapping({"echo_db": 9}).echo_db == 0.0
assert switching.NEEDS["echo_db"] == "loudness"
asked = {"requested": {"echo_db": -6.0}, "measured": {"echo_db": -5.0}}
assert verdicts(asked, chain)[0].words == "off by 1.00 dB" and "Echo" in report.report_table(asked)
with gr.Blocks():
    slider = edits.build().knobs["echo_db"]
assert (slider.minimum, slider.maximum, slider.step, slider.label) == (-40.0, 0.0, 0.5, "Echo (dB)")
"""


@pytest.mark.long
def test_an_edit_is_a_file_and_a_line(tmp_path: Path) -> None:
    """With no more than that it is an option, a knob, a part of chains and presets, and judged."""
    room = copied(tmp_path)
    (room / "echo.py").write_text(ECHO, encoding="utf-8")
    with (room / "__init__.py").open("a", encoding="utf-8") as file:
        file.write("from synth_explorer.edits.echo import Echo\n")
    run(tmp_path, ADDED)


def test_every_edit_has_its_place() -> None:
    orders = [edit.order for edit in in_order()]
    assert min(orders) > 0 and len(set(orders)) == len(orders)
    assert all(edit.figure for edit in KINDS.values() if edit.solved or edit.solved_apart)
    assert all(edit.moves <= set(TARGETS) for edit in KINDS.values() if isinstance(edit.moves, frozenset))


def test_knobs_stay_within_the_edits() -> None:
    for edit in in_order():
        for name, fact in edit.knobs().items():
            low, high = fact.range
            assert fact.knob.low >= low or name == "attack_s", name  # 0 leaves the attack as it is
            assert fact.knob.high <= high and fact.knob.low <= fact.knob.rest <= fact.knob.high, name
    for facts in (Oscillate.DEPTHS, edits.Curve.VALUES):
        for target, fact in facts.items():
            assert fact.range[0] <= fact.knob.low and fact.knob.high <= fact.range[1] and fact.unit == UNITS[target]


def test_what_may_change_places() -> None:
    assert commute(Gain, edits.Reverse) and commute(Gain, edits.Curve) and commute(Oscillate, edits.Curve)
    assert not commute(Gain, edits.Scale) and not commute(edits.Stretch, edits.Trim)
    assert not commute(edits.Toward, Noisiness) and not commute(Oscillate, edits.Reverse)


def test_outcomes_have_the_tolerances_of_the_edits() -> None:
    from synth_explorer.closed_loop.request import depth_outcome

    outcome = depth_outcome(Oscillate("pitch", 5.0, 40.0), 46.0)
    assert (outcome.unit, outcome.tolerance) == ("cents", Oscillate.figure.within(40.0)) and outcome.reached
    assert closed_loop.Outcome(*Gain(-3.0).promise, -2.6, Gain.figure.tolerance).reached


def numbers(node: ast.expr) -> list[float]:
    """The numbers of a tuple or list of nothing else."""
    if not isinstance(node, ast.Tuple | ast.List):
        return []
    try:
        values = ast.literal_eval(node)
    except ValueError:
        return []
    return list(values) if all(isinstance(value, int | float) for value in values) else []


def units(node: ast.Dict) -> bool:
    """Whether a dictionary has nothing but what is heard and its units."""
    names, values = ([getattr(item, "value", "") for item in items] for items in (node.keys, node.values))
    return [UNITS.get(name) for name in names] == values


def test_no_other_room_repeats_a_fact() -> None:
    """Ranges of edits and their knobs, and the units of what is heard, stand in `edits/` alone."""
    facts = [fact for edit in in_order() for fact in (*edit.numbers().values(), *edit.knobs().values())]
    ranges = {fact.range for fact in facts} | {(fact.knob.low, fact.knob.high) for fact in facts if fact.knob}
    ranges |= {fact.range for table in (Oscillate.DEPTHS, edits.Curve.VALUES) for fact in table.values()}
    ranges -= {range_ for range_ in ranges if set(range_) <= {-1.0, 0.0, 1.0}}  # which mean much else
    ranges.remove((MIN_WEIGHT, MAX_WEIGHT))  # of any morph
    found = []
    for room in ("cli", "closed_loop", "inspection", "measure", "ui", "calibration"):
        for path in (PACKAGE / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if tuple(numbers(node)) in ranges:
                    found.append(f"{path.name}:{node.lineno} has {ast.unparse(node)}")
                if isinstance(node, ast.Dict) and node.keys and units(node):
                    found.append(f"{path.name}:{node.lineno} has {ast.unparse(node)}")
    assert found == []
