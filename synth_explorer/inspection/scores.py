"""The report's figures of latents: heat maps, curves of each channel, how much each is used, the map of the examples.

Shapes: F frames, C channels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from synth_explorer import plots
from synth_explorer.inspection.channels import ChannelUse, over
from synth_explorer.inspection.examples import Examples, plane
from synth_explorer.inspection.sounds import title
from synth_explorer.latents import Latents

HEAT_LIMIT = 3.0
"""Spreads at which a heat map's colour is full."""

DB_PER_NEPER = 20.0 / np.log(10.0)
HERTZ = ((20, "20"), (50, "50"), (125, "125"), (300, "300"), (800, "800"), (2000, "2k"), (5000, "5k"))
MULTIPLES = tuple((2.0**power, f"{2.0**power:g}") for power in range(7))
ENHANCEMENT_LIMIT_DB = 12.0
LEAST_DIFFERENCE = 0.25
MOST_ROWS = 16
"""Names beside a heat map; of more channels every second, third, ... is named."""


def differences(latents: Mapping[str, Latents]) -> np.ndarray | None:
    """z after less z before, over the frames that both have, [F, C]; None where there are no edits."""
    if "after" not in latents:
        return None
    before, after = latents["before"].z.astype(np.float64), latents["after"].z.astype(np.float64)
    frames = min(len(before), len(after))
    return after[:frames] - before[:frames]


def heat_maps(latents: Mapping[str, Latents], examples: Examples, names: Sequence[str]) -> str:
    """All channels over time, in spreads of the example notes: before, after, and the difference."""
    count = len(names)
    step = -(-count // MOST_ROWS)
    y = plots.Scale("", 0.0, count, tuple((count - index - 0.5, names[index]) for index in range(0, count, step)))
    x, rate_hz = _time(latents), latents["before"].frame_rate_hz
    figures = []
    for role, score in latents.items():
        png = plots.heat_map_png(over(score.z - examples.centre, examples.spread), limit=HEAT_LIMIT)
        name = f"{_title(role, latents)}, ±{HEAT_LIMIT:g} spreads"
        figures.append(plots.image_chart(name, png, x=x, y=y, size="named", role="exact", end=score.frames / rate_hz))
    difference = differences(latents)
    if difference is not None:
        moved = over(difference, examples.spread)
        limit = max(float(np.abs(np.nan_to_num(moved)).max()), LEAST_DIFFERENCE)
        png, end = plots.heat_map_png(moved, limit=limit), len(moved) / rate_hz
        name = f"Difference, ±{limit:.2g} spreads"
        figures.append(plots.image_chart(name, png, x=x, y=y, size="named", role="exact", end=end))
    return _row(figures)


def curves(latents: Mapping[str, Latents], names: Sequence[str]) -> str:
    """Each channel over time in its own units, and under it what the edits added."""
    x, rate_hz = _time(latents), latents["before"].frame_rate_hz
    difference = differences(latents)
    figures = []
    for index, name in enumerate(names):
        lines = [
            plots.Line(np.arange(score.frames) / rate_hz, score.z[:, index], role, role)
            for role, score in reversed([*latents.items()])
        ]
        y = plots.scale(*(line.y for line in lines), label="", least=0.2, most_ticks=4)
        chart = plots.line_chart(_channel(name), lines, x=x, y=y, size="low")
        if difference is not None and not difference[:, index].any():
            chart += '<p class="note">Unchanged.</p>'
        elif difference is not None:
            moved = difference[:, index]
            line = plots.Line(np.arange(len(moved)) / rate_hz, moved, "difference", "difference")
            y = plots.scale(moved, label="", least=0.02, symmetric=True, most_ticks=3)
            chart += plots.line_chart("", [line], x=x, y=y, size="strip")
        figures.append(f"<div>{chart}</div>")
    return f'<div class="row small">{"".join(figures)}</div>'


def detail(latents: Mapping[str, Latents], places: Mapping[str, np.ndarray]) -> str:
    """The note's own spectra beyond its channels, in dB, the mean over time: each part over where it stands."""
    figures, start = [], 0
    for name, at in places.items():
        what, unit = name.rsplit(", ", 1)
        span, start = slice(start, start + len(at)), start + len(at)
        lines = [
            plots.Line(np.log2(at), DB_PER_NEPER * score.detail[:, span].mean(axis=0), role, role)
            for role, score in reversed([*latents.items()])
            if score.details
        ]
        if not len(at) or not lines:
            continue
        marks = HERTZ if unit == "Hz" else MULTIPLES
        ticks = tuple((float(np.log2(value)), text) for value, text in marks if at[0] <= value <= at[-1])
        x = plots.Scale(unit, float(np.log2(at[0])), float(np.log2(at[-1])), ticks)
        y = plots.scale(*(line.y for line in lines), label="dB", least=3.0, symmetric=True, most_ticks=4)
        figures.append(plots.line_chart(what.capitalize(), lines, x=x, y=y, size="low"))
    return f'<div class="row small">{"".join(f"<div>{figure}</div>" for figure in figures)}</div>'


def enhancement(latents: Mapping[str, Latents], *, sample_rate_hz: int) -> str:
    """What the final render adds to the fast decoder's spectrum: bands over time, lowest at the bottom."""
    hertz = [hz for hz in (100, 250, 500, 1000, 2000, 4000, 8000) if hz <= sample_rate_hz / 2]
    at = [plots.frequency_position(hz, sample_rate_hz=sample_rate_hz) for hz in hertz]
    y = plots.Scale("Hz", 0.0, 1.0, tuple((place, f"{hz:g}") for place, hz in zip(at, hertz, strict=True)))
    x, figures = _time(latents), []
    for role, score in latents.items():
        if not score.enhancements:
            continue
        values = DB_PER_NEPER * score.enhancement[:, ::-1]
        png, end = plots.heat_map_png(values, limit=ENHANCEMENT_LIMIT_DB), score.frames / score.frame_rate_hz
        name = f"{_title(role, latents)}, ±{ENHANCEMENT_LIMIT_DB:g} dB"
        figures.append(plots.image_chart(name, png, x=x, y=y, size="tall", role="exact", end=end))
    return _row(figures)


def use_table(use: Mapping[str, ChannelUse], examples: Examples, names: Sequence[str]) -> str:
    """Variance of each channel in this note, beside its spread over the example notes."""
    most = max([1.5] + [float(np.nanmax(part.use, initial=0.0)) for part in use.values()])
    roles = list(use)
    heads = "".join(f'<th scope="col">variance {_short(role, roles)}</th>' for role in roles)
    rows = []
    for index, name in enumerate(names):
        variances = "".join(f"<td>{use[role].variance[index]:.3g}</td>" for role in roles)
        bars = "".join(_bar(float(use[role].use[index]), most, role) for role in roles)
        rows.append(
            f'<tr><th scope="row">{escape(name)}</th>{variances}<td>{examples.spread[index]:.3g}</td>'
            f'<td class="bars">{bars}</td></tr>'
        )
    return (
        '<div class="scroll"><table class="use"><thead><tr><th scope="col">channel</th>'
        f'{heads}<th scope="col">spread</th><th scope="col">use: deviation over spread</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _bar(value: float, most: float, role: str) -> str:
    if not np.isfinite(value):
        return f'<span class="{role}"><em>no spread</em></span>'
    return f'<span class="{role}"><i style="width:{80.0 * value / most:.1f}%"></i><em>{value:.2f}</em></span>'


def example_map(means: Mapping[str, np.ndarray], examples: Examples) -> str:
    """Where the note lies among the examples: the plane of their mean sounds, and the nearest of them."""
    flat = plane(examples.means)
    colours = family_colours(examples)
    places = flat.at(examples.means)
    points = [
        plots.Point(float(x), float(y), str(name), "example", colours[str(family)])
        for (x, y), name, family in zip(places, examples.names, examples.families, strict=True)
    ]
    edited = "after" in means
    for role, mean in means.items():
        x, y = flat.at(mean)
        points.append(plots.Point(float(x), float(y), role if edited else "this note", role, always=True))
    count = len(examples.names)
    first, second = (f"{100 * share:.0f} % of the variance" for share in flat.share)
    chart = plots.map_chart(
        f"Mean sounds of {count} example notes",
        points,
        x_label=f"first principal axis, {first}",
        y_label=f"second, {second}",
        arrow=(count, count + 1) if edited else None,
    )
    keys = "".join(
        f'<li><b class="key" style="background:{colour}"></b>{escape(family.replace("_", " "))}</li>'
        for family, colour in colours.items()
    )
    near = "".join(f"<li>{_nearest(role, means, examples)}</li>" for role in means)
    return f'{chart}<ul class="keys">{keys}</ul><ul class="near">{near}</ul>'


def _nearest(role: str, means: Mapping[str, np.ndarray], examples: Examples) -> str:
    found = ", ".join(f"{escape(name)} ({distance:.2f})" for name, distance in examples.nearest(means[role]))
    who = role.capitalize() if "after" in means else "This note"
    return f"{who}: nearest over all channels are {found}."


def family_colours(examples: Examples) -> dict[str, str]:
    """Family -> CSS colour, hues evenly apart, light and dark in turn."""
    families = list(dict.fromkeys(str(family) for family in examples.families))
    return {
        family: f"hsl({360 * index / len(families):.0f} 60% {(46, 62)[index % 2]}%)"
        for index, family in enumerate(families)
    }


def _title(role: str, latents: Mapping[str, Latents]) -> str:
    return title(role, edited=True) if "after" in latents else "Latents"


def _short(role: str, roles: list[str]) -> str:
    return role if len(roles) > 1 else ""


def _channel(name: str) -> str:
    return f"Channel {name}" if name.isdigit() else name.capitalize()


def _time(latents: Mapping[str, Latents]) -> plots.Scale:
    return plots.seconds(max(score.frames / score.frame_rate_hz for score in latents.values()))


def _row(figures: list[str]) -> str:
    return f'<div class="row">{"".join(figures)}</div>'
