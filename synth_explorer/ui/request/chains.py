"""The edit chain that the knobs ask for, and the knobs that stand for a chain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

from synth_explorer.edits import (
    KINDS,
    TARGETS,
    Curve,
    Direction,
    Edit,
    EditChain,
    Freeze,
    MeanSound,
    Oscillate,
    OscillateChannels,
    Reverse,
    Toward,
    commute,
    in_order,
)
from synth_explorer.errors import EditError
from synth_explorer.ui.request.knobs import (
    CURVES,
    DIRECTIONS,
    MORPH_CURVES,
    NO_SOURCE,
    OSCILLATION_PARTS,
    POINTS_MOST,
    PRESET_SOUND,
    RANGES,
)
from synth_explorer.ui.request.settings import Settings

MORPH_KNOBS = ("count", "mix", "x", "y", "by_pitch", "set_pitch", "pitch_midi", "quantise", "key")
DECODING_KNOBS = ("seed", "temperature", "open_loop")


def edit_chain(settings: Settings, means: Mapping[str, MeanSound]) -> EditChain:
    """The edits that the knobs ask for, in their order; those at rest are left out.

    `means`: mean sound of each source by its letter, and of "Preset" where one was loaded. Raises EditError: `toward`
    names a source that is not there, or as the edits say.
    """
    steps = _toward(settings, means)
    for kind in ORDER:
        steps += _plain(kind, settings) if kind in SIMPLE else MADE[kind](settings) if kind in MADE else []
    return EditChain(tuple(steps))


def _toward(settings: Settings, means: Mapping[str, MeanSound]) -> list[Edit]:
    if settings.toward == NO_SOURCE or not settings.amount:
        return []
    if settings.toward not in means:
        raise EditError(f"There is no source {settings.toward} to go toward; choose another one.")
    return [Toward(amount=settings.amount, **means[settings.toward]._asdict())]


def _plain(kind: str, settings: Settings) -> list[Edit]:
    """An edit whose knobs are its numbers, unless all of them are at rest."""
    rest, knobs = Settings(), SIMPLE[kind]
    on = {"channels": settings.raw_channels} if _has_channels(KINDS[kind]) else {}
    if all(getattr(settings, knob) == getattr(rest, knob) for knob in knobs) or on == {"channels": ()}:
        return []
    return [KINDS[kind].of(**on, **{name: getattr(settings, knob) for knob, name in knobs.items()})]


def _has_channels(edit: type[Edit]) -> bool:
    return "channels" in (item.name for item in fields(edit))


def _swinging_channels(settings: Settings) -> list[Edit]:
    swing = {"rate_hz": settings.raw_rate_hz, "depth": settings.raw_depth}
    return [OscillateChannels(settings.raw_channels, **swing)] if settings.raw_channels and settings.raw_depth else []


def _directions(settings: Settings) -> list[Edit]:
    amounts = {number: getattr(settings, f"direction_{number}") for number in range(1, DIRECTIONS + 1)}
    return [Direction(number, amount) for number, amount in amounts.items() if amount]


def _curves(settings: Settings) -> list[Edit]:
    drawn = [(target, points) for target, points in settings.curves if target not in MORPH_CURVES]
    return [Curve(target, points) for target, points in drawn if any(value for _, value in points)]


def _oscillations(settings: Settings) -> list[Edit]:
    parts = {target: [getattr(settings, f"osc_{target}_{part}") for part in OSCILLATION_PARTS] for target in TARGETS}
    swings = [Oscillate(target, *parts[target]) for target in settings.osc_targets]
    return [edit for edit in swings if edit.depth]


MADE: dict[str, Callable[[Settings], list[Edit]]] = {
    "oscillate_channels": _swinging_channels,
    "direction": _directions,
    "reverse": lambda settings: [Reverse()] if settings.reverse else [],
    "freeze": lambda settings: [Freeze(settings.freeze_at_s, settings.freeze_hold_s)] if settings.freeze else [],
    "curve": _curves,
    "oscillate": _oscillations,
}
"""Edits whose knobs are more than their numbers."""

SIMPLE = {  # kind of edit -> {knob: its field}
    edit.kind: {fact.knob.name: name for name, fact in edit.numbers().items() if fact.knob}
    for edit in in_order()
    if edit.knobs() and edit.kind not in (*MADE, "toward")
}
ORDER = tuple(edit.kind for edit in in_order() if edit.kind in (*SIMPLE, *MADE, "toward"))
"""The order in which the page applies edits, by their kinds."""


def turned(settings: Settings, chain: EditChain) -> tuple[Settings, MeanSound | None]:
    """Turn the edit knobs to what a preset says; the morph, its curves included, and the decoding stay as they are.

    Returns the knobs, and the mean sound that the preset goes toward, if it does. Raises EditError: the preset has an
    edit that the page has no knob for, one twice, or edits in another order.
    """
    rest = Settings()
    kept = tuple((target, points) for target, points in settings.curves if target in MORPH_CURVES)
    others = (*MORPH_KNOBS, *DECODING_KNOBS)
    changes: dict[str, Any] = {name: getattr(rest, name) for name in rest.names() if name not in others}
    drawn: dict[str, Any] = {}
    swinging: set[str] = set()
    mean, seen = None, set()
    for edit in chain:
        kind, name = type(edit).__name__, (edit.kind, getattr(edit, "target", ""), getattr(edit, "number", 0))
        found = _knobs(edit)
        if not found or name in seen:
            what = "has more than one" if name in seen else "has"
            raise EditError(f"The preset {what} {kind}, which the page has no knob for; apply it in the shell.")
        seen.add(name)
        drawn |= found.pop("curves", {})
        swinging |= set(found.pop("osc_targets", ()))
        mean = found.pop("mean", mean)
        _check_reach(kind, found)
        if changes["raw_channels"] not in ((), found.get("raw_channels", changes["raw_channels"])):
            raise EditError("The preset's raw edits move different channels; apply it in the shell.")
        changes |= found
    _check_order(chain)
    changes["curves"] = kept + tuple((target, drawn[target]) for target in TARGETS if target in drawn)
    changes["osc_targets"] = tuple(target for target in TARGETS if target in swinging)
    return replace(settings, **changes), mean


def _knobs(edit: Edit) -> dict[str, Any]:
    """Which knobs stand for an edit; none for an edit that the page does not know."""
    if edit.kind in SIMPLE:
        knobs = SIMPLE[edit.kind] | ({"raw_channels": "channels"} if _has_channels(type(edit)) else {})
        others = [item for item in fields(edit) if item.name not in knobs.values()]
        if any(getattr(edit, item.name) != item.default for item in others):
            return {}
        return {knob: getattr(edit, name) for knob, name in knobs.items()}
    if isinstance(edit, Oscillate) and not edit.seed:
        parts = {f"osc_{edit.target}_{part}": getattr(edit, part) for part in OSCILLATION_PARTS}
        return {"osc_targets": (edit.target,)} | parts
    if isinstance(edit, Toward) and edit.keep_loudness and not edit.octaves and not edit.offsets:
        mean = MeanSound(edit.mean, edit.spectrum_db, edit.midi)
        return {"toward": PRESET_SOUND, "amount": edit.amount, "mean": mean}
    if isinstance(edit, OscillateChannels) and edit.shape == "sine" and not edit.phase_turns:
        return {"raw_channels": edit.channels, "raw_rate_hz": edit.rate_hz, "raw_depth": edit.depth}
    if isinstance(edit, Direction) and edit.unit == "steps" and edit.number <= DIRECTIONS:
        return {f"direction_{edit.number}": edit.amount}
    if isinstance(edit, Reverse):
        return {"reverse": True}
    if isinstance(edit, Freeze):
        return {"freeze": True, "freeze_at_s": edit.at_s, "freeze_hold_s": edit.hold_s}
    if isinstance(edit, Curve) and len(edit.points) <= POINTS_MOST:
        return {"curves": {edit.target: edit.points}, f"curve_{edit.target}": edit.points}
    return {}


def _check_reach(kind: str, found: dict[str, Any]) -> None:
    """Refuse an edit that goes further than the page's knobs turn; the points of a curve are only looked at here."""
    drawn = [name for name in found if name.startswith("curve_")]
    asked = [(value, *CURVES[name.removeprefix("curve_")]) for name in drawn for _, value in found.pop(name)]
    asked += [(found[name], *range_) for name, range_ in RANGES.items() if name in found]
    for value, low, high in asked:
        if not low <= value <= high:
            raise EditError(
                f"The preset asks for {kind} with {value:g}, and the page's knob goes from {low:g} to {high:g}; "
                "apply it in the shell."
            )


def _check_order(chain: EditChain) -> None:
    """Refuse a preset that does in another order what is not the same in the page's."""
    kinds = [edit.kind for edit in chain]
    for index, second in enumerate(kinds):
        for first in kinds[:index]:
            if ORDER.index(first) > ORDER.index(second) and not commute(KINDS[first], KINDS[second]):
                raise EditError(
                    f"The preset has {_words(first)} before {_words(second)}, and the page applies them the other way "
                    "round; apply it in the shell."
                )


def _words(kind: str) -> str:
    return kind.replace("_", " ")
