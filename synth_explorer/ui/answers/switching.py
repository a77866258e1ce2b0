"""What the page becomes for a checkpoint: notes encoded by it, and the knobs that it obeys."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from synth_explorer.edits import in_order
from synth_explorer.errors import SynthExplorerError
from synth_explorer.ui.answers import slots
from synth_explorer.ui.answers.abilities import Abilities
from synth_explorer.ui.answers.knob_values import channel_choices, curves_value, direction_words, target_choices
from synth_explorer.ui.request.knobs import DIRECTION_KNOBS, MORPH_CURVES
from synth_explorer.ui.request.settings import Settings
from synth_explorer.ui.request.sound_request import SoundRequest

if TYPE_CHECKING:
    from synth_explorer.ui.session.studios import Studios

NEEDS = {knob: edit.needs for edit in in_order() if edit.needs for knob in edit.knobs()}
"""Knobs that a checkpoint may not obey, and what it needs to."""

KNOBS = (*NEEDS, "osc_targets", "curves", *DIRECTION_KNOBS, "raw_channels")


def values(studios: Studios, asked: SoundRequest) -> tuple[SoundRequest, list[Any]]:
    """What the page looks like for a request: the request that it can show, and what is shown in the order of
    `Panels.switched`. Its knobs are turned by the page's script.

    Knobs that its checkpoint does not obey go to rest and are greyed; a sentence says why. A checkpoint that cannot be
    loaded leaves the slots empty and says so in each, and so does a note that is not there.
    """
    try:
        studio = studios.studio(asked.checkpoint)
        able = Abilities.of(studio.explorer)
    except SynthExplorerError as error:
        views = [slots.SlotView.empty(str(error)) for _ in asked.tokens]
        able = Abilities.none()
    else:
        views = slots.views(studio, asked.tokens)
    shown = []
    for view in views:
        token, picker, screen, text, pitch, message = view.values()
        shown += [token, picker, screen, text, gr.update(value=pitch, visible=able.has_pitch), message]
    tokens = tuple(view.source.token if view.source else "" for view in views)
    settings = obeyed(asked.settings, able)
    return replace(asked, tokens=tokens, settings=settings), [*shown, *_looks(able, settings)]


def obeyed(settings: Settings, able: Abilities) -> Settings:
    """The knobs, at rest where a checkpoint does not obey them."""
    rest = Settings()
    lost = [name for name, what in NEEDS.items() if not able.obeys(what)] + list(
        DIRECTION_KNOBS[len(able.directions) :]
    )
    lost += [] if able.has_pitch else ["transpose", "by_pitch", "set_pitch", "quantise", "key"]
    targets = able.targets
    return replace(
        settings,
        **{name: getattr(rest, name) for name in lost},
        osc_targets=tuple(target for target in settings.osc_targets if target in targets),
        curves=tuple(drawn for drawn in settings.curves if drawn[0] in (*MORPH_CURVES, *targets)),
        raw_channels=tuple(channel for channel in settings.raw_channels if channel < able.channels),
    )


def _looks(able: Abilities, settings: Settings) -> list[Any]:
    knobs = {name: gr.update(interactive=able.obeys(what)) for name, what in NEEDS.items()}
    targets = able.targets
    knobs["osc_targets"] = gr.update(choices=target_choices(targets), interactive=bool(targets))
    knobs["curves"] = curves_value(settings, targets)
    for index, name in enumerate(DIRECTION_KNOBS):
        is_there = index < len(able.directions)
        label, measured = direction_words(able.directions[index]) if is_there else ("", "")
        knobs[name] = gr.update(visible=is_there, label=label, info=measured)
    knobs["raw_channels"] = gr.update(choices=channel_choices(able.channels))
    return [
        gr.update(visible=bool(able.directions) or able.has_spread or able.has_hollowness),
        *(knobs[name] for name in KNOBS),
        *[gr.update(interactive=able.has_pitch)] * 4,
        f'<p class="note">{able.missing}</p>' if able.missing else "",
        able.is_slow,
        gr.update(visible=able.is_slow),
        gr.update(label="Play when it is made" if able.is_slow else "Play every change"),
        {"available": able.has_final},
    ]
