"""What the page becomes for a checkpoint: notes encoded by it, and the knobs that it obeys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr

from synth_explorer.errors import SynthExplorerError
from synth_explorer.ui import handlers
from synth_explorer.ui.abilities import Abilities
from synth_explorer.ui.panels.edits import TARGETS, channel_choices
from synth_explorer.ui.settings import NO_OSCILLATION, NO_SOURCE, Settings

if TYPE_CHECKING:
    from synth_explorer.ui.rack import Rack
    from synth_explorer.ui.studio import Source
    from synth_explorer.ui.wiring import Panels


def outputs(panels: Panels) -> list[gr.Component]:
    """What `values` goes to."""
    edits, morph, result = panels.edits, panels.morph, panels.result
    slots = [component for slot in panels.sources.slots for component in slot.shown]
    gain = [edits.gain_db, edits.brightness, edits.osc_target, edits.osc_rate_hz, edits.osc_depth, edits.osc_shape]
    pitch = [morph.transpose, morph.set_pitch, morph.pitch_midi]
    timbre = [edits.toward, edits.amount, edits.preset_mean]
    made = [panels.checkpoint.slow, result.making, result.autoplay]
    return [*slots, morph.pad, *gain, *pitch, *timbre, edits.raw_channels, edits.missing, *made]


def values(rack: Rack, name: str, sources: Sequence[Source | None], count: int, pad: dict[str, Any]) -> list[Any]:
    """The page for a checkpoint, in the order of `outputs`.

    Knobs that it does not obey go to rest and are greyed; a sentence says why. One that cannot be loaded leaves the
    slots empty and says so in each.

    Args:
        rack: of the studios.
        name: of the checkpoint.
        sources: in the slots until now; none opens the default notes.
        count: of the sources that take part.
        pad: value of the pad.
    """
    try:
        studio = rack.studio(name)
        able = Abilities.of(studio.explorer)
    except SynthExplorerError as error:
        views = [handlers.SlotView.empty(str(error)) for _ in sources]
        able = Abilities(False, False, False, False, 16, "")
    else:
        views = handlers.reopen(studio, sources)
    shown = []
    for view in views:
        source, picker, screen, text, midi, message = view.values()
        shown += [source, picker, screen, text, gr.update(value=midi, visible=able.has_pitch), message]
    names = [view.source.title if view.source else "" for view in views]
    return [*shown, {**pad, "names": names}, *_knobs(able, count)]


def _knobs(able: Abilities, count: int) -> list[Any]:
    rest = Settings()
    targets = [(label, name) for label, name in TARGETS if name == NO_OSCILLATION or name in able.oscillations]
    return [
        _available(able.has_loudness, rest.gain_db),
        _available(able.has_brightness, rest.brightness),
        gr.update(choices=targets, value=NO_OSCILLATION, interactive=bool(able.oscillations)),
        *(gr.update(visible=False) for _ in range(3)),
        _available(able.has_pitch, rest.transpose),
        _available(able.has_pitch, rest.set_pitch),
        gr.update(visible=False),
        gr.update(choices=handlers.toward_choices(count, preset=False), value=NO_SOURCE),
        gr.update(visible=False),
        None,
        gr.update(choices=channel_choices(able.channels), value=[]),
        f'<p class="note">{able.missing}</p>' if able.missing else "",
        able.is_slow,
        gr.update(visible=able.is_slow),
        gr.update(label="Play when it is made" if able.is_slow else "Play every change"),
    ]


def _available(is_there: bool, rest: Any) -> dict[str, Any]:
    """A knob that a checkpoint obeys, or one at rest that cannot be turned."""
    return gr.update(interactive=True) if is_there else gr.update(value=rest, interactive=False)
