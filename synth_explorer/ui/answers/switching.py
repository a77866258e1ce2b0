"""What the page becomes for a checkpoint: notes encoded by it, and the knobs that it obeys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from synth_explorer.edits import in_order
from synth_explorer.errors import SynthExplorerError
from synth_explorer.ui.answers import slots
from synth_explorer.ui.answers.abilities import Abilities
from synth_explorer.ui.answers.knob_values import (
    channel_choices,
    curves_value,
    direction_label,
    target_choices,
    toward_choices,
)
from synth_explorer.ui.request.knobs import DIRECTION_KNOBS, NO_SOURCE, TARGETS
from synth_explorer.ui.request.settings import Settings

if TYPE_CHECKING:
    from synth_explorer.ui.session.slot_note import SlotNote
    from synth_explorer.ui.session.studios import Studios

NEEDS = {knob: edit.needs for edit in in_order() if edit.needs for knob in edit.knobs()}
"""Knobs that a checkpoint may not obey, and what it needs to."""

KNOBS = (*NEEDS, "osc_targets", "toward", "amount", "curves", *DIRECTION_KNOBS, "raw_channels")


def values(studios: Studios, name: str, sources: Sequence[SlotNote | None], count: int) -> list[Any]:
    """The page for a checkpoint, in the order of `Panels.switched`.

    Knobs that it does not obey go to rest and are greyed; a sentence says why. One that cannot be loaded leaves the
    slots empty and says so in each.

    `studios`: by the names of their checkpoints. `sources`: in the slots until now; none opens the default notes.
    """
    try:
        studio = studios.studio(name)
        able = Abilities.of(studio.explorer)
    except SynthExplorerError as error:
        views = [slots.SlotView.empty(str(error)) for _ in sources]
        able = Abilities.none()
    else:
        views = slots.reopen(studio, sources)
    shown = []
    for view in views:
        source, picker, screen, text, midi, message = view.values()
        shown += [source, picker, screen, text, gr.update(value=midi, visible=able.has_pitch), message]
    return [*shown, *_knobs(able, count)]


def _knobs(able: Abilities, count: int) -> list[Any]:
    rest = Settings()
    there = {"loudness": able.has_loudness, "brightness": able.has_brightness, "noise": able.has_noise}
    knobs = {name: _available(there[what], getattr(rest, name)) for name, what in NEEDS.items()}
    targets = able.targets
    knobs["osc_targets"] = gr.update(choices=target_choices(targets), value=[], interactive=bool(targets))
    knobs["toward"] = gr.update(choices=toward_choices(count, preset=False), value=NO_SOURCE)
    knobs["amount"] = gr.update(visible=False)
    knobs["curves"] = curves_value(replace(rest, count=count), targets)
    for index, name in enumerate(DIRECTION_KNOBS):
        is_there = index < len(able.directions)
        label = direction_label(able.directions[index]) if is_there else ""
        knobs[name] = gr.update(value=getattr(rest, name), visible=is_there, label=label)
    knobs["raw_channels"] = gr.update(choices=channel_choices(able.channels), value=[])
    return [
        gr.update(visible=bool(able.directions)),
        *(knobs[name] for name in KNOBS),
        *(gr.update(visible=False) for _ in TARGETS),
        _available(able.has_pitch, rest.transpose),
        _available(able.has_pitch, rest.set_pitch),
        gr.update(visible=False),
        None,
        f'<p class="note">{able.missing}</p>' if able.missing else "",
        able.is_slow,
        gr.update(visible=able.is_slow),
        gr.update(label="Play when it is made" if able.is_slow else "Play every change"),
        {"available": able.has_final},
    ]


def _available(is_there: bool, rest: Any) -> dict[str, Any]:
    """A knob that a checkpoint obeys, or one at rest that cannot be turned."""
    return gr.update(interactive=True) if is_there else gr.update(value=rest, interactive=False)
