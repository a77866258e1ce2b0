"""The edit chain that the knobs ask for, and the knobs that stand for a chain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

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
    TARGETS,
)
from synth_explorer.ui.request.settings import Settings

if TYPE_CHECKING:
    from synth_explorer.edits import Edit, EditChain, MeanSound

MORPH_KNOBS = ("count", "mix", "x", "y", "set_pitch", "pitch_midi")

SIMPLE = {  # kind of edit -> {knob: its field}
    "gain": {"gain_db": "db"},
    "brightness": {"brightness": "octaves"},
    "noisiness": {"noisiness_db": "db"},
    "transpose": {"transpose": "semitones"},
    "attack": {"attack_s": "seconds"},
    "trim": {"trim_start_s": "start_s", "trim_end_s": "end_s"},
    "envelope": {f"env_{name}": name for name in ("attack_s", "decay_s", "sustain_db", "release_s")},
    "scale": {"raw_channels": "channels", "raw_scale": "factor"},
    "add": {"raw_channels": "channels", "raw_add": "amount"},
}

ORDER = ("toward", "scale", "add", "oscillate_channels", "transpose", "direction", "trim", "reverse", "stretch")
ORDER += ("freeze", "attack", "envelope", "curve", "noisiness", "brightness", "gain", "oscillate")
"""The order in which the page applies edits, by their kinds."""

STEADY = {"add", "transpose", "direction", "noisiness", "brightness", "gain"}
"""They add the same to every frame: when that happens matters to `toward` and `scale` alone."""

ADDING = STEADY | {"oscillate_channels", "curve", "oscillate"}


def edit_chain(settings: Settings, means: Mapping[str, MeanSound]) -> EditChain:
    """The edits that the knobs ask for; those at rest are left out.

    Their order is that of the shell: toward, raw edits, pitch, directions, time, curves, and last what the closed loop
    solves.

    Args:
        settings: the knobs.
        means: mean sound of each source by its letter, and of "Preset" where one was loaded.

    Raises:
        EditError: `toward` names a source that is not there, or as the edits say.
    """
    from synth_explorer import edits

    steps: list[Edit] = []
    if settings.toward != NO_SOURCE and settings.amount:
        if settings.toward not in means:
            raise EditError(f"There is no source {settings.toward} to go toward; choose another one.")
        steps.append(edits.Toward(amount=settings.amount, **means[settings.toward]._asdict()))
    steps += _raw(settings)
    if settings.transpose:
        steps.append(edits.Transpose(semitones=settings.transpose))
    for number in range(1, DIRECTIONS + 1):
        amount = getattr(settings, f"direction_{number}")
        if amount:
            steps.append(edits.Direction(number=number, amount=amount))
    steps += _time(settings)
    if settings.noisiness_db:
        steps.append(edits.Noisiness(db=settings.noisiness_db))
    if settings.brightness:
        steps.append(edits.Brightness(octaves=settings.brightness))
    if settings.gain_db:
        steps.append(edits.Gain(db=settings.gain_db))
    for target in settings.osc_targets:
        parts = {part: getattr(settings, f"osc_{target}_{part}") for part in OSCILLATION_PARTS}
        if parts["depth"]:
            steps.append(edits.Oscillate(target=target, **parts))
    return edits.EditChain(tuple(steps))


def _raw(settings: Settings) -> list[Edit]:
    from synth_explorer.edits import Add, OscillateChannels, Scale

    channels = settings.raw_channels
    steps: list[Edit] = []
    if channels and settings.raw_scale != 1.0:
        steps.append(Scale(channels=channels, factor=settings.raw_scale))
    if channels and settings.raw_add:
        steps.append(Add(channels=channels, amount=settings.raw_add))
    if channels and settings.raw_depth:
        steps.append(OscillateChannels(channels=channels, rate_hz=settings.raw_rate_hz, depth=settings.raw_depth))
    return steps


def _time(settings: Settings) -> list[Edit]:
    from synth_explorer import edits

    steps: list[Edit] = []
    if settings.trim_start_s or settings.trim_end_s:
        steps.append(edits.Trim(start_s=settings.trim_start_s, end_s=settings.trim_end_s))
    if settings.reverse:
        steps.append(edits.Reverse())
    if settings.stretch != 1.0:
        steps.append(edits.Stretch(factor=settings.stretch))
    if settings.freeze:
        steps.append(edits.Freeze(at_s=settings.freeze_at_s, hold_s=settings.freeze_hold_s))
    if settings.attack_s:
        steps.append(edits.Attack(seconds=settings.attack_s))
    envelope = {name: getattr(settings, f"env_{name}") for name in ("attack_s", "decay_s", "sustain_db", "release_s")}
    if any(envelope.values()):
        steps.append(edits.Envelope(**envelope))
    drawn = [(target, points) for target, points in settings.curves if target not in MORPH_CURVES]
    return steps + [edits.Curve(target, points) for target, points in drawn if any(value for _, value in points)]


def turned(settings: Settings, chain: EditChain) -> tuple[Settings, MeanSound | None]:
    """Turn the edit knobs to what a preset says; the morph stays where it is, its curves included.

    Returns:
        The knobs, and the mean sound that the preset goes toward, if it does.

    Raises:
        EditError: the preset has an edit that the page has no knob for, one twice, or edits in another order.
    """
    rest = Settings()
    kept = tuple((target, points) for target, points in settings.curves if target in MORPH_CURVES)
    changes: dict[str, Any] = {name: getattr(rest, name) for name in rest.names() if name not in MORPH_KNOBS}
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
    kind = edit.kind
    if kind == "attack" and edit.accent_db:
        return {}
    if kind in SIMPLE:
        return {knob: getattr(edit, name) for knob, name in SIMPLE[kind].items()}
    if kind == "oscillate" and not edit.seed:
        parts = {f"osc_{edit.target}_{part}": getattr(edit, part) for part in OSCILLATION_PARTS}
        return {"osc_targets": (edit.target,)} | parts
    if kind == "toward" and edit.keep_loudness and not edit.octaves and not edit.offsets:
        from synth_explorer.edits import MeanSound

        mean = MeanSound(edit.mean, edit.spectrum_db, edit.midi)
        return {"toward": PRESET_SOUND, "amount": edit.amount, "mean": mean}
    if kind == "oscillate_channels" and edit.shape == "sine" and not edit.phase_turns:
        return {"raw_channels": edit.channels, "raw_rate_hz": edit.rate_hz, "raw_depth": edit.depth}
    if kind == "direction" and edit.unit == "steps" and edit.number <= DIRECTIONS:
        return {f"direction_{edit.number}": edit.amount}
    if kind == "reverse":
        return {"reverse": True}
    if kind == "stretch" and not edit.keep_s:
        return {"stretch": edit.factor}
    if kind == "freeze":
        return {"freeze": True, "freeze_at_s": edit.at_s, "freeze_hold_s": edit.hold_s}
    if kind == "curve" and len(edit.points) <= POINTS_MOST:
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
            if ORDER.index(first) > ORDER.index(second) and not _commute(first, second):
                raise EditError(
                    f"The preset has {_words(first)} before {_words(second)}, and the page applies them the other way "
                    "round; apply it in the shell."
                )


def _commute(one: str, other: str) -> bool:
    kinds = {one, other}
    return kinds <= ADDING or bool(kinds & STEADY and not kinds & {"toward", "scale"})


def _words(kind: str) -> str:
    return kind.replace("_", " ")
