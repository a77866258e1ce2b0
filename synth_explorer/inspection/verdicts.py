"""Requested against measured, one verdict a promise: met, off by so much, or not measurable and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from synth_explorer.edits import EditChain, Oscillate

MET, OFF, UNKNOWN, FREE = "met", "off", "not measurable", "free"


@dataclass(frozen=True)
class Verdict:
    """One promise and what was heard of it.

    Attributes:
        name: what it is about.
        requested: with its unit; "stays" for what nobody asked to move.
        measured: with its unit; "" where there is none.
        state: "met", "off", "not measurable", or "free" where nothing was promised.
        words: the verdict as people read it.
    """

    name: str
    requested: str
    measured: str
    state: str
    words: str


@dataclass(frozen=True)
class _Promise:
    """How a figure is judged: its name, unit, digits, and tolerance, in its unit and as a part of the request."""

    name: str
    unit: str
    digits: int
    tolerance: float
    part: float = 0.0
    signed: bool = True


PROMISES = {
    "gain_db": _Promise("level", "dB", 2, 0.5),
    "loudness_db": _Promise("loudness", "dB", 2, 1.0),
    "brightness_octaves": _Promise("brightness", "octaves", 2, 0.1),
    "pitch_cents": _Promise("pitch", "cents", 1, 5.0),
    "osc_rate_hz": _Promise("oscillation, rate", "Hz", 2, 0.0, part=0.01, signed=False),
    "osc_depth": _Promise("oscillation, depth", "", 2, 0.0, part=0.15, signed=False),
    "attack_s": _Promise("attack", "s", 3, 0.005, part=0.1, signed=False),
    "duration_factor": _Promise("duration", "times", 3, 0.0, part=0.01, signed=False),
    "noisiness_db": _Promise("noisiness", "dB", 2, 1.0),
}
DEPTH_UNITS = {"loudness": "dB", "brightness": "octaves", "pitch": "cents"}
HELD = ("loudness_db", "brightness_octaves", "pitch_cents")

EVERYTHING = frozenset(HELD)
MOVES: dict[str, frozenset[str]] = {
    "transpose": frozenset({"brightness_octaves"}),
    "set_pitch": frozenset({"brightness_octaves"}),
    "toward": frozenset({"brightness_octaves"}),
    "attack": frozenset({"loudness_db", "brightness_octaves"}),
    "envelope": frozenset({"loudness_db", "brightness_octaves"}),
    "stretch": frozenset({"loudness_db", "brightness_octaves"}),
    "reverse": frozenset({"loudness_db", "brightness_octaves"}),
} | dict.fromkeys(("freeze", "trim", "scale", "add", "oscillate_channels"), EVERYTHING)
"""What an edit may move without having been asked to, by its kind: none of it is a promise."""

CURVES = {"loudness": "loudness_db", "brightness": "brightness_octaves", "pitch": "pitch_cents"}
UNMEASURED = {
    "toward": ("moved toward a note", "see the map"),
    "curves": ("curves over time", "see the tracks"),
    "envelope": ("envelope", "see the loudness"),
    "freeze": ("freeze", "see the tracks"),
    "trim": ("trim", "see the duration"),
    "reversed": ("reversed", "listen"),
}


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
    movers = {key: _movers(key, chain) for key in HELD}
    movers["gain_db"] = movers["loudness_db"]
    found = [_judged(key, asked[key], heard.get(key), asked, movers.get(key, [])) for key in PROMISES if key in asked]
    for key, (name, where) in UNMEASURED.items():
        if key in asked and asked[key] is not False:
            found.append(Verdict(name, _asked(asked[key]), "", UNKNOWN, f"not measurable as one figure: {where}"))
    others = sum(isinstance(edit, Oscillate) for edit in chain) - 1
    if others > 0:
        words = "not measured here: only the first one is"
        found.append(Verdict("more oscillations", str(others), "", UNKNOWN, words))
    if "gain_db" in asked:
        found.append(_held("loudness_db", heard.get("loudness_db"), movers["loudness_db"], goal=asked["gain_db"]))
    found += [
        _held(key, heard.get(key), movers[key])
        for key in HELD
        if key not in asked and not (key == "loudness_db" and "gain_db" in asked)
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
    promise = PROMISES[key]
    name, unit = promise.name, promise.unit
    if key.startswith("osc_"):
        name = name.replace("oscillation", f"oscillation of {asked['osc_target']}")
        unit = unit or DEPTH_UNITS[asked["osc_target"]]
    wanted = _number(goal, promise, unit)
    if value is None:
        return Verdict(name, wanted, "", UNKNOWN, "not measurable in this sound")
    miss, tolerance = value - goal, promise.tolerance + promise.part * abs(goal)
    if promise.part:
        tolerance = max(promise.tolerance, promise.part * abs(goal))
    if abs(miss) <= tolerance:
        return Verdict(name, wanted, _number(value, promise, unit), MET, "met")
    words = f"off by {abs(miss):.{promise.digits}f} {unit}" + (f"; {', '.join(movers)} moves it too" if movers else "")
    return Verdict(name, wanted, _number(value, promise, unit), OFF, words)


def _held(key: str, value: float | None, movers: list[str], *, goal: float = 0.0) -> Verdict:
    """What should have stayed, or have moved with the level."""
    promise = PROMISES[key]
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


def _movers(key: str, chain: EditChain) -> list[str]:
    """The kinds in a chain that may move this, once each."""
    kinds = []
    for edit in chain:
        content = edit.to_dict()
        kind = content["kind"]
        moves = MOVES.get(kind, frozenset())
        if kind == "curve":
            moves = frozenset({CURVES[content["target"]]})
        if kind == "toward" and not content["keep_loudness"]:
            moves = moves | {"loudness_db"}
        if key in moves:
            kinds.append(kind.replace("_", " "))
    return list(dict.fromkeys(kinds))


def _number(value: float, promise: _Promise, unit: str) -> str:
    return f"{value:{'+' if promise.signed else ''}.{promise.digits}f} {unit}".replace("-", "−")


def _asked(value: Any) -> str:
    """A request that is not one figure, in short."""
    if isinstance(value, bool):
        return "yes"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {item:g}" for name, item in value.items())
    return f"{len(value)}" if isinstance(value, list) else f"{value:g}"
