"""Requested against measured, one verdict a promise: met, off by so much, or not measurable and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from synth_explorer.edits import HELD, KINDS, UNITS, EditChain, Figure, Gain, Oscillate, figures

MET, OFF, UNKNOWN, FREE = "met", "off", "not measurable", "free"


@dataclass(frozen=True)
class Verdict:
    """One promise and what was heard of it."""

    name: str  # what it is about
    requested: str  # with its unit; "stays" for what nobody asked to move
    measured: str  # with its unit; "" where there is none
    state: str  # "met", "off", "not measurable", or "free" where nothing was promised
    words: str  # the verdict as people read it


LOUDNESS = HELD["loudness"]
FIGURES = figures()
"""What is judged, by its key in a report."""


def tolerances() -> str:
    """Within which a figure is met, in words."""
    return "; ".join(f"{figure.name} within {figure.tolerance_words}" for figure in FIGURES.values())


MOVING = ("moves", "swings")
CLOSE_SHARE = 0.9  # of the frames within 30 cents of the source


def source_verdict(source: Mapping[str, Any]) -> Verdict:
    """Judge what `measure.against_source` found: does the sound without edits have the recording's pitch?"""
    if source.get("movement") is None:
        return Verdict("pitch against the source", "follows", "", UNKNOWN, "not measurable in this sound")
    share = source["pitch_within_30_cents"]
    measured = f"{100 * share:.0f} % of frames within 30 cents"
    state = MET if share >= CLOSE_SHARE else OFF
    return Verdict("pitch against the source", "follows", measured, state, source_words(source))


def source_words(source: Mapping[str, Any]) -> str:
    """What the source's pitch does, and how closely the result follows it; see `measure.against_source`."""
    share, cents = source["pitch_within_30_cents"], source["pitch_abs_cents"]
    if cents is None:
        return f"{source['movement']}; the result's pitch is not heard"
    frames = f"in {100 * share:.0f} % of frames (median {cents:.1f} cents)"
    follows = f"before its edits it follows the source within 30 cents {frames}"
    return f"{source['movement']}; {follows}"


def verdicts(report: Mapping[str, Mapping[str, Any]], chain: EditChain) -> list[Verdict]:
    """Judge what `measure.report` wrote of a chain: first what was asked, then what should have stayed."""
    asked, heard = report["requested"], report["measured"]
    held = {figure.key: _movers(target, chain) for target, figure in HELD.items()}
    movers = held | {Gain.figure.key: held[LOUDNESS.key]}
    found = [_judged(key, asked[key], heard.get(key), asked, movers.get(key, [])) for key in FIGURES if key in asked]
    for key, name, where in (edit.untold for edit in KINDS.values() if edit.untold):
        if key in asked and asked[key] is not False:
            found.append(Verdict(name, _asked(asked[key]), "", UNKNOWN, f"not measurable as one figure: {where}"))
    others = sum(isinstance(edit, Oscillate) for edit in chain) - 1
    if others > 0:
        words = "not measured here: only the first one is"
        found.append(Verdict("more oscillations", str(others), "", UNKNOWN, words))
    goals = {LOUDNESS.key: asked.get(Gain.figure.key, 0.0)}
    found += [
        _held(figure, heard.get(figure.key), held[figure.key], goal=goals.get(figure.key, 0.0))
        for figure in HELD.values()
        if figure.key not in asked
    ]
    source = report.get("source")
    if source is None:
        return found
    if (source.get("movement") or "").startswith(MOVING):
        words = f"as the source: {source['movement']}"
        kept = (row.name == "pitch" and row.requested == "stays" and row.state == MET for row in found)
        found = [
            replace(row, requested="stays as it moves", words=words) if it else row
            for row, it in zip(found, kept, strict=True)
        ]
    return [*found, source_verdict(source)]


def _judged(key: str, goal: float, value: float | None, asked: Mapping[str, Any], movers: list[str]) -> Verdict:
    """What was asked for."""
    promise = FIGURES[key]
    name, unit = promise.name, promise.unit
    if key.startswith("osc_"):
        name = name.replace("oscillation", f"oscillation of {asked['osc_target']}")
        unit = unit or UNITS[asked["osc_target"]]
    wanted = _number(goal, promise, unit)
    if value is None:
        return Verdict(name, wanted, "", UNKNOWN, "not measurable in this sound")
    miss = value - goal
    if abs(miss) <= promise.within(goal):
        return Verdict(name, wanted, _number(value, promise, unit), MET, "met")
    words = f"off by {abs(miss):.{promise.digits}f} {unit}" + (f"; {', '.join(movers)} moves it too" if movers else "")
    return Verdict(name, wanted, _number(value, promise, unit), OFF, words)


def _held(promise: Figure, value: float | None, movers: list[str], *, goal: float = 0.0) -> Verdict:
    """What should have stayed, or have moved with the level."""
    wanted = "stays" if goal == 0.0 else _number(goal, promise, promise.unit)
    if value is None:
        return Verdict(promise.name, wanted, "", UNKNOWN, "not measurable in this sound")
    measured = _number(value, promise, promise.unit)
    miss = value - goal
    stayed = abs(miss) <= promise.tolerance
    if movers:
        words = "hardly moved" if stayed else f"moves with {', '.join(movers)}"
        return Verdict(promise.name, "not promised", measured, FREE, words)
    if stayed:
        return Verdict(promise.name, wanted, measured, MET, "met")
    return Verdict(promise.name, wanted, measured, OFF, f"off by {abs(miss):.{promise.digits}f} {promise.unit}")


def _movers(target: str, chain: EditChain) -> list[str]:
    """The kinds in a chain that may move this, once each."""
    return list(dict.fromkeys(edit.kind.replace("_", " ") for edit in chain if target in edit.may_move))


def _number(value: float, promise: Figure, unit: str) -> str:
    return f"{value:{'+' if promise.signed else ''}.{promise.digits}f} {unit}".replace("-", "−")


def _asked(value: Any) -> str:
    """A request that is not one figure, in short."""
    if isinstance(value, bool):
        return "yes"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {item:g}" for name, item in value.items())
    return f"{len(value)}" if isinstance(value, list) else f"{value:g}"
