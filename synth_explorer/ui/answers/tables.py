"""What edits did, as tables of HTML: asked against heard."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from synth_explorer.edits import COARSE_DIGITS, SHORT_UNITS, UNSIGNED_UNITS, figures

if TYPE_CHECKING:
    from synth_explorer.closed_loop import Outcome
    from synth_explorer.edits import EditChain

SWING = "oscillation"


def report_table(report: dict[str, Any]) -> str:
    """What `measure.report` says, as an HTML table."""
    asked, heard = report.get("requested", {}), report.get("measured", {})
    rows = []
    for key, figure in figures().items():
        if key in asked or key in heard:
            look = {"decimals": COARSE_DIGITS.get(figure.unit, 2), "signed": figure.signed}
            words = figure.title or figure.name.capitalize().replace(",", "")
            rows.append(_row(words, figure.unit, *(_cell(values.get(key), **look) for values in (asked, heard))))
    return _table(rows)


def outcome_table(outcomes: Sequence[Outcome], chain: EditChain) -> str:
    """What the closed loop says, as an HTML table; what was not reached is said in sentences beneath it."""
    from synth_explorer.closed_loop.loop import split

    rows = []
    for outcome in sorted(outcomes, key=_place):
        swing = outcome.control.startswith(SWING)
        decimals, unsigned = COARSE_DIGITS.get(outcome.unit, 2), swing or outcome.unit in UNSIGNED_UNITS
        asked, heard = (_cell(value, decimals, signed=not unsigned) for value in (outcome.requested, outcome.measured))
        asked = "stays" if outcome.requested == 0.0 else asked
        rows.append(_row(outcome.control.capitalize(), outcome.unit, asked, heard, missed=not outcome.reached))
    missed = [_sentence(outcome.sentence) for outcome in outcomes if not outcome.reached]
    said = f'<ul class="missed">{"".join(missed)}</ul>' if missed else ""
    before, solved = split(chain)
    others = [edit for edit in before if not edit.transposes and (solved or not edit.solved_apart)]
    first = list(dict.fromkeys(edit.kind.replace("_", " ") for edit in others))
    words = f"Measured from the sound with {_listed(first)} already in it." if first else ""
    return _table(rows) + said + (f'<p class="note">{words}</p>' if words else "")


def _place(outcome: Outcome) -> tuple[bool, str]:
    """Oscillations stand last, each with its rate; what else there is, in its order."""
    return (True, outcome.control) if outcome.control.startswith(SWING) else (False, "")


def _table(rows: list[str]) -> str:
    head = '<tr><th scope="col">The edit</th><th scope="col">asked</th><th scope="col">heard</th></tr>'
    return f'<table class="report"><thead>{head}</thead><tbody>{"".join(rows)}</tbody></table>'


def _row(words: str, unit: str, asked: str, heard: str, *, missed: bool = False) -> str:
    name = html.escape(words) + (f" <i>{SHORT_UNITS.get(unit, unit)}</i>" if unit else "")
    mark = ' class="is-missed"' if missed else ""
    return f'<tr{mark}><th scope="row">{name}</th><td>{asked}</td><td>{heard}</td></tr>'


def _sentence(text: str) -> str:
    return f"<li>{html.escape(text).replace(' -', ' −')}</li>"


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _cell(value: Any, decimals: int, *, signed: bool = True) -> str:
    if isinstance(value, int | float) and math.isfinite(value):
        text = f"{value:{'+' if signed else ''}.{decimals}f}".replace("-", "−")
        return text[1:] if signed and not float(f"{value:.{decimals}f}") else text
    return html.escape(str(value)) if isinstance(value, str) else "·"
