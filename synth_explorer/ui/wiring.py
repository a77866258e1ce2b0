"""Which handler answers which component.

Sound comes first: a knob that is let go of puts its question in the browser (`ask.js`), the result's player fetches the
answer from the route of sounds, and only then do picture and figures follow by Gradio's events.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import gradio as gr

from synth_explorer.edits import EditChain
from synth_explorer.ui import handlers, switching
from synth_explorer.ui.chains import turned
from synth_explorer.ui.handlers import Heard
from synth_explorer.ui.knobs import NO_SOURCE, PRESET_SOUND
from synth_explorer.ui.panels.checkpoint import Checkpoint
from synth_explorer.ui.panels.edits import Edits
from synth_explorer.ui.panels.inspection import Inspection
from synth_explorer.ui.panels.morph import Morph
from synth_explorer.ui.panels.result import Result
from synth_explorer.ui.panels.sources import Slot, Sources
from synth_explorer.ui.rack import Rack
from synth_explorer.ui.rendering import Renders
from synth_explorer.ui.settings import Settings

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
MODEL: dict[str, Any] = {**QUIET, "concurrency_id": "model", "concurrency_limit": 1}
LATEST: dict[str, Any] = {**MODEL, "trigger_mode": "always_last"}
SOON: dict[str, Any] = {**QUIET, "trigger_mode": "always_last", "queue": False}
"""One request and its answer instead of Gradio's queue and event stream; the studio's lock keeps renders in line."""

RENDERS_WATCHED = 32
"""Browsers that may wait for a slow render at once; the renders themselves take turns."""

ASK = Path(__file__).with_name("ask.js").read_text(encoding="utf-8")

SAVE = Path(__file__).with_name("save.js").read_text(encoding="utf-8")

PAD_TO_SLIDERS = "(pad, mix, x, y) => pad.count === 2 ? [pad.x, x, y] : [mix, pad.x, pad.y]"
LOOK = "(request) => request && { ask: request.ask, stamp: Date.now() }"
SLIDERS_TO_PAD = "(pad, mix, x, y) => ({...pad, x: pad.count === 2 ? mix : x, y: pad.count === 2 ? 0 : y})"


@dataclass(frozen=True)
class Panels:
    """All that is on the page."""

    rack: Rack
    checkpoint: Checkpoint
    sources: Sources
    morph: Morph
    edits: Edits
    result: Result
    inspection: Inspection

    @cached_property
    def knobs(self) -> dict[str, gr.Component]:
        """Components by the names of Settings, in its order."""
        found = {"count": self.sources.count} | self.morph.knobs | self.edits.knobs
        return {name: found[name] for name in Settings.names()}

    @property
    def asking(self) -> list[gr.Component]:
        """What `ask.js` takes, in its order."""
        screens = [slot.screen for slot in self.sources.slots]
        chosen = [self.checkpoint.name, self.checkpoint.slow]
        return [self.morph.pad, self.edits.preset_mean, self.result.autoplay, *chosen, *screens, *self.knobs.values()]


def wire(page: gr.Blocks, panels: Panels) -> None:
    """Connect everything."""
    _wire_opening(page, panels)
    for index, slot in enumerate(panels.sources.slots):
        _wire_slot(panels, index, slot)
    _wire_count(panels)
    _wire_morph(panels)
    _wire_edits(panels)
    _wire_presets(panels)
    _wire_result(panels)
    _wire_render(page, panels)
    _wire_inspection(panels)


def _hear(panels: Panels, event: Callable[..., Any], *, at_pad: bool = False, play: bool = True) -> None:
    """Let an event put the question of the knobs to the result's screen, which plays it by itself.

    Args:
        panels: all that is on the page.
        event: of a component.
        at_pad: whether the place of the morph is the pad's, not the sliders'.
        play: False never plays it.
    """
    script = ASK
    for name, value in {"knobs": list(panels.knobs), "at_pad": at_pad, "play": play}.items():
        script = script.replace(f"%{name}%", json.dumps(value))
    event(None, panels.asking, [panels.result.screen, panels.result.request], js=script, **QUIET)


def _wire_result(panels: Panels) -> None:
    result, rack = panels.result, panels.rack
    inputs = [result.request, *panels.sources.states]

    def answer(request: Any, *held: Any) -> tuple[Any, ...]:
        heard = handlers.answer(rack, request, held)
        return gr.skip() if heard.screen is None else heard.screen, heard.message

    def compare(request: Any, *held: Any) -> tuple[Any, ...]:
        before, table = handlers.compare(rack, request, held)
        return gr.update(visible=before is not None), before, table

    heard = result.screen.heard(answer, inputs, result.shown, **SOON)
    outputs = [result.comparison, result.before, result.table]
    heard.then(compare, inputs, outputs, **QUIET, trigger_mode="always_last", concurrency_id="compare")


def _wire_render(page: gr.Blocks, panels: Panels) -> None:
    """The button of slow decoders, and the one that stops them."""
    result, renders = panels.result, Renders(panels.rack)

    def render(browser: gr.Request, request: Any, play: bool, *held: Any) -> Iterator[tuple[Any, ...]]:
        for step in renders.run(browser.session_hash or "", request, held, play=bool(play)):
            heard = step.heard or Heard(None, "")
            screen = gr.skip() if heard.screen is None else heard.screen
            buttons = gr.update(interactive=not step.is_running), gr.update(interactive=step.is_running)
            yield screen, heard.message, step.words, *buttons

    def stop(browser: gr.Request) -> None:
        renders.stop(browser.session_hash or "")

    outputs = [*result.shown, result.progress, result.render, result.stop]
    inputs = [result.request, result.autoplay, *panels.sources.states]
    result.render.click(render, inputs, outputs, **QUIET, concurrency_id="render", concurrency_limit=RENDERS_WATCHED)
    result.stop.click(stop, None, None, **QUIET, queue=False)
    page.unload(stop)


def _wire_inspection(panels: Panels) -> None:
    inside, asked = panels.inspection, panels.result.request
    for event in (inside.group.expand, inside.look.click):
        event(None, asked, inside.glass, js=LOOK, **QUIET)


def _wire_opening(page: gr.Blocks, panels: Panels) -> None:
    chosen, morph, count = panels.checkpoint.name, panels.morph, panels.sources.count
    inputs, outputs = [chosen, count, morph.pad, *panels.sources.states], switching.outputs(panels)

    def open_page(name: str, count: int, pad: dict[str, Any], *sources: Any) -> list[Any]:
        return switching.values(panels.rack, name, sources, count, pad)

    opened = page.load(open_page, inputs, outputs, **MODEL)
    _hear(panels, opened.then, play=False)
    loading = chosen.input(
        lambda: '<p class="caption">Loading the checkpoint</p>', None, panels.result.message, **QUIET
    )
    switched = loading.then(open_page, inputs, outputs, **MODEL)
    _hear(panels, switched.then, play=False)


def _wire_slot(panels: Panels, index: int, slot: Slot) -> None:
    rack = panels.rack

    def named(view: handlers.SlotView, pad: dict[str, Any]) -> tuple[Any, ...]:
        names = list(pad["names"])
        names[index] = view.source.title if view.source else ""
        return *view.values(), {**pad, "names": names}

    def choose(name: str, picked: Any, current: Any, pad: dict[str, Any]) -> tuple[Any, ...]:
        return named(handlers.choose_note(rack.studio(name), index, picked, current), pad)

    def open_own(name: str, path: Any, current: Any, pad: dict[str, Any]) -> tuple[Any, ...]:
        return named(handlers.open_own(rack.studio(name), index, path, current), pad)

    def set_pitch(name: str, midi: Any, current: Any, pad: dict[str, Any]) -> tuple[Any, ...]:
        return named(handlers.set_pitch(rack.studio(name), index, midi, current), pad)

    pad, name = panels.morph.pad, panels.checkpoint.name
    outputs = [*slot.shown, pad]
    changes = (
        slot.picker.choose(choose, [name, slot.picker, slot.source, pad], outputs, **LATEST),
        slot.upload.upload(open_own, [name, slot.upload, slot.source, pad], outputs, **MODEL),
        slot.microphone.stop_recording(open_own, [name, slot.microphone, slot.source, pad], outputs, **MODEL),
        slot.pitch_midi.submit(set_pitch, [name, slot.pitch_midi, slot.source, pad], outputs, **LATEST),
    )
    for change in changes:
        _hear(panels, change.then)
    slot.record.click(lambda: gr.update(visible=True), None, slot.microphone, **QUIET)
    changes[2].then(lambda: gr.update(visible=False, value=None), None, slot.microphone, **QUIET)


def _wire_count(panels: Panels) -> None:
    morph, slots = panels.morph, panels.sources.slots

    def show(count: int, pad: dict[str, Any], mix: float, x: float, y: float, *more: Any) -> list[Any]:
        toward, mean, drawn = more
        settings = Settings(count=count, mix=mix, x=x, y=y)
        at_x, at_y = settings.point()
        choices = handlers.toward_choices(count, preset=bool(mean))
        kept = toward if toward in choices else NO_SOURCE
        columns = [gr.update(visible=index < count) for index in range(2, len(slots))]
        sliders = [gr.update(visible=count == 2), gr.update(visible=count > 2), gr.update(visible=count > 2)]
        timbre = [gr.update(choices=choices, value=kept), gr.update(visible=kept != NO_SOURCE)]
        return [*columns, {**pad, "count": count, "x": at_x, "y": at_y}, *sliders, *timbre, {**drawn, "count": count}]

    knobs, edits = [morph.mix, morph.x, morph.y], panels.edits.knobs
    mean, drawing = panels.edits.preset_mean, edits["curves"]
    changed = panels.sources.count.input(
        show,
        [panels.sources.count, morph.pad, *knobs, edits["toward"], mean, drawing],
        [*(slot.column for slot in slots[2:]), morph.pad, *knobs, edits["toward"], edits["amount"], drawing],
        **QUIET,
    )
    _hear(panels, changed.then)


def _wire_morph(panels: Panels) -> None:
    morph = panels.morph
    places = [morph.mix, morph.x, morph.y]
    morph.pad.release(None, [morph.pad, *places], places, js=PAD_TO_SLIDERS, **QUIET)
    _hear(panels, morph.pad.release, at_pad=True)
    for slider in places:
        slider.input(None, [morph.pad, *places], morph.pad, js=SLIDERS_TO_PAD, **QUIET)
        _hear(panels, slider.release)
    _hear(panels, morph.transpose.release)
    _hear(panels, morph.pitch_midi.release)
    shown = morph.set_pitch.input(lambda wanted: gr.update(visible=wanted), morph.set_pitch, morph.pitch_midi, **QUIET)
    _hear(panels, shown.then)


def _wire_edits(panels: Panels) -> None:
    edits = panels.edits
    for name, knob in edits.knobs.items():
        if isinstance(knob, gr.Slider) or name == "curves":
            _hear(panels, knob.release)
        elif name != "toward":
            _hear(panels, knob.input)
    toward = edits.knobs["toward"].input(
        lambda toward: gr.update(visible=toward != NO_SOURCE), edits.knobs["toward"], edits.knobs["amount"], **QUIET
    )
    _hear(panels, toward.then)
    swinging = edits.knobs["osc_targets"]
    swinging.input(
        lambda targets: [gr.update(visible=target in targets) for target in edits.blocks],
        swinging,
        list(edits.blocks.values()),
        **QUIET,
    )


def _wire_presets(panels: Panels) -> None:
    edits, names = panels.edits, list(panels.edits.knobs)

    def show(settings: Settings, drawn: dict[str, Any], mean: Any, message: str) -> list[Any]:
        updates = {name: gr.update(value=getattr(settings, name)) for name in names}
        choices = handlers.toward_choices(settings.count, preset=bool(mean))
        updates["toward"] = gr.update(choices=choices, value=settings.toward)
        updates["amount"] = gr.update(value=settings.amount, visible=settings.toward != NO_SOURCE)
        for name in ("raw_channels", "osc_targets"):
            updates[name] = gr.update(value=list(getattr(settings, name)))
        updates["curves"] = drawn | settings.curves_value()
        blocks = [gr.update(visible=target in settings.osc_targets) for target in edits.blocks]
        return [*updates.values(), *blocks, settings.transpose, mean, message]

    def reset(_: Any, drawn: dict[str, Any], *values: Any) -> list[Any]:
        settings, _ = turned(Settings.from_values(values), EditChain())
        return show(replace(settings, curves=()), drawn, None, "")

    def load(path: str, mean: Any, drawn: dict[str, Any], *values: Any) -> list[Any]:
        changed, new_mean, message = handlers.load_preset(path, Settings.from_values(values))
        kept = new_mean or (mean if changed.toward == PRESET_SOUND else None)
        return show(changed, drawn, kept, message)

    outputs = [*edits.knobs.values(), *edits.blocks.values(), panels.morph.transpose, edits.preset_mean, edits.message]
    knobs = [edits.preset_mean, edits.knobs["curves"], *panels.knobs.values()]

    def save(request: Any, *held: Any) -> tuple[str, str]:
        return handlers.preset(panels.rack, request, held)

    asked = [panels.result.request, *panels.sources.states]
    saved = edits.save.click(save, asked, [edits.preset, edits.message], **SOON)
    saved.then(None, edits.preset, None, js=SAVE, **QUIET)
    _hear(panels, edits.reset.click(reset, knobs, outputs, **QUIET).then)
    _hear(panels, edits.load.upload(load, [edits.load, *knobs], outputs, **QUIET).then)
