"""A calibration as people read it, in Markdown."""

from __future__ import annotations

from typing import Any

from synth_explorer.calibration.hearing import NAMES
from synth_explorer.edits import UNITS

SIDES = {name: UNITS[name] for name in NAMES}


def markdown(report: dict[str, Any]) -> str:
    """The report of `calibrate` as Markdown."""
    checked = "others" if report["other_notes"] else "the same ones, since there are so few"
    lines = [
        f"# Calibration of {report['checkpoint']}",
        "",
        f"{report['notes']} notes; what is heard was measured through the decoder `{report['decoder']}` on the first "
        f"{report['stretch_s']:g} s of some of them: curves are made from {report['made_from']} notes and checked on "
        f"{report['checked_on']}, {checked}.",
        "",
        "## Controls",
        "",
        "How each answers when it alone is applied by its formula (the closed loop, where there is one, comes after). "
        "Spearman and slope: heard against what the curve says, median over notes. R²: of all renders together.",
        "",
        "| control | moved by | range heard | Spearman | slope | error, median | R² | notes | answers |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [_control(name, item) for name, item in report["controls"].items()]
    lines += [f"| {name} | - | - | - | - | - | - | - | no |" for name in _never(report)]
    lines += _reasons(report)
    lines += ["", "## What else moves", ""]
    lines += ["Median change per 1 of the control's own unit, and the 90th percentile of its size, over notes.", ""]
    lines += [f"| control | {' | '.join(f'{name}, {unit}' for name, unit in SIDES.items())} |"]
    lines += ["| --- |" + " --- |" * len(SIDES)]
    lines += [
        f"| {name}, per {item['unit'].removesuffix('s') if item['unit'] != 'dB' else 'dB'} | "
        + " | ".join(_side(item["side"].get(other)) for other in SIDES)
        + " |"
        for name, item in report["controls"].items()
    ]
    lines += ["", "## What the latents tell", "", "R² of reading it from the latents (PLS), on notes held out.", ""]
    lines += [f"- {name}: {_number(value)}" for name, value in report["readable_r2"].items()]
    lines += _principal(report)
    if report["left_out"]:
        lines += ["", "## Left out", ""] + [f"- {name}: {why}" for name, why in report["left_out"].items()]
    return "\n".join(lines) + "\n"


def _control(name: str, item: dict[str, Any]) -> str:
    heard = item["heard"]
    reach = f"{heard[0]:+.2f} to {heard[-1]:+.2f} {item['unit']}" if heard else "-"
    error = "-" if item["error"] is None else f"{_number(item['error'])} {item['unit']}"
    figures = " | ".join(_number(item[key]) for key in ("spearman", "slope"))
    last = f"{_number(item['r2'])} | {item['notes']} | {'yes' if item['answers'] else 'no'}"
    return f"| {name} | {item['by']} | {reach} | {figures} | {error} | {last} |"


def _never(report: dict[str, Any]) -> list[str]:
    return [name for name in report["unanswered"] if name not in report["controls"]]


def _reasons(report: dict[str, Any]) -> list[str]:
    reasons = {name: item["reason"] for name, item in report["controls"].items() if item.get("reason")}
    reasons |= report["unanswered"]
    return ["", *(f"- {name} does not answer: {why}." for name, why in reasons.items())] if reasons else []


def _principal(report: dict[str, Any]) -> list[str]:
    lines = ["", "## Principal directions", ""]
    if not report["principal"]:
        return [*lines, "None: the notes do not lie apart."]
    lines += ["A step is a standard deviation of the mean sounds of the notes along it; named by what it moves.", ""]
    return lines + [f"- {axis['name']} ({axis['share']:.0%} of the variance)" for axis in report["principal"]]


def _side(item: dict[str, float] | None) -> str:
    return "-" if item is None else f"{item['median']:+.3g} ({item['90']:.2g})"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
