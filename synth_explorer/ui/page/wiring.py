"""Which handler answers which component.

Sound comes first: a knob that is let go of puts its question in the browser (`request.js`), the result's player fetches
the answer from the route of sounds, and only then do picture and figures follow by Gradio's events.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.blocks import BlockContext

from synth_explorer.edits import EditChain
from synth_explorer.ui.answers import presets, results, slots, switching
from synth_explorer.ui.answers.knob_values import toward_choices
from synth_explorer.ui.answers.rendering import Renders
from synth_explorer.ui.answers.results import Heard
from synth_explorer.ui.page.panels.checkpoint import Checkpoint
from synth_explorer.ui.page.panels.edits import Edits
from synth_explorer.ui.page.panels.inspection import Inspection
from synth_explorer.ui.page.panels.morph import Morph
from synth_explorer.ui.page.panels.result import Result
from synth_explorer.ui.page.panels.sources import Slot, Sources
from synth_explorer.ui.request.chains import turned
from synth_explorer.ui.request.knobs import LONGEST_S, NO_SOURCE, PRESET_SOUND
from synth_explorer.ui.request.settings import Settings
from synth_explorer.ui.session.studios import Studios

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
MODEL: dict[str, Any] = {**QUIET, "concurrency_id": "model", "concurrency_limit": 1}
LATEST: dict[str, Any] = {**MODEL, "trigger_mode": "always_last"}
SOON: dict[str, Any] = {**QUIET, "trigger_mode": "always_last", "queue": False}
"""One request and its answer instead of Gradio's queue and event stream; the studio's lock keeps renders in line."""

RENDERS_WATCHED = 32
"""Browsers that may wait for a slow render at once; the renders themselves take turns."""

REQUEST = Path(__file__).with_name("request.js").read_text(encoding="utf-8")

SAVE = Path(__file__).with_name("save.js").read_text(encoding="utf-8")
SAVE_PATCH = Path(__file__).with_name("save_patch.js").read_text(encoding="utf-8")

LAYOUT = Path(__file__).with_name("layout.js").read_text(encoding="utf-8")

ENDS = Path(__file__).with_name("ends.js").read_text(encoding="utf-8").replace("%longest%", str(LONGEST_S))

NAMES_TO_PAD = "(pad, ...slots) => ({...pad, names: slots.map((slot) => (slot && (slot.own || slot.selected)) || '')})"
PAD_TO_SLIDERS = "(pad, mix, x, y) => pad.count === 2 ? [pad.x, x, y] : [mix, pad.x, pad.y]"
SLIDERS_TO_PAD = "(pad, mix, x, y) => ({...pad, x: pad.count === 2 ? mix : x, y: pad.count === 2 ? 0 : y})"
LOOK = "(question) => question && { request: question.request, stamp: Date.now() }"
VISIBLE = "{ __type__: 'update', visible: %s }"
"""What is seen follows a click in the browser itself, so that quick clicks end on the last one."""


@dataclass(frozen=True)
class Panels:
    """All that is on the page."""

    studios: Studios
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
        """What `request.js` takes, in its order."""
        screens = [slot.screen for slot in self.sources.slots]
        chosen = [self.checkpoint.name, self.checkpoint.slow]
        return [self.morph.pad, self.edits.preset_mean, self.result.autoplay, *chosen, *screens, *self.knobs.values()]

    @property
    def switched(self) -> list[gr.Component | BlockContext]:
        """What `switching.values` goes to, in its order."""
        edits, morph, result = self.edits, self.morph, self.result
        shown = [component for slot in self.sources.slots for component in slot.shown]
        knobs = [edits.directions, *(edits.knobs[name] for name in switching.KNOBS)]
        pitch = [morph.transpose, morph.set_pitch, morph.pitch_midi]
        made = [self.checkpoint.slow, result.making, result.autoplay, result.final_render]
        return [*shown, *knobs, *edits.blocks.values(), *pitch, edits.preset_mean, edits.missing, *made]


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

    `at_pad`: whether the place of the morph is the pad's, not the sliders'. `play`: False never plays it.
    """
    script = REQUEST
    for name, value in {"knobs": list(panels.knobs), "at_pad": at_pad, "play": play}.items():
        script = script.replace(f"%{name}%", json.dumps(value))
    event(None, panels.asking, [panels.result.screen, panels.result.question], js=script, **QUIET)


def _name(panels: Panels, event: Callable[..., Any]) -> None:
    """Let an event write the names of the slots on the pad, wherever that stands by then."""
    pad, pickers = panels.morph.pad, [slot.picker for slot in panels.sources.slots]
    event(None, [pad, *pickers], pad, js=NAMES_TO_PAD, **QUIET)


def _wire_result(panels: Panels) -> None:
    result, studios = panels.result, panels.studios
    result.save_patch.click(None, None, result.message, js=SAVE_PATCH, **QUIET)
    inputs = [result.question, *panels.sources.states]

    def answer(question: Any, *held: Any) -> tuple[Any, ...]:
        heard = results.answer(studios, question, held)
        return gr.skip() if heard.screen is None else heard.screen, heard.message

    def compare(question: Any, *held: Any) -> tuple[Any, ...]:
        before, table = results.compare(studios, question, held)
        return gr.update(visible=before is not None), before, table

    heard = result.screen.heard(answer, inputs, result.shown, **SOON)
    times = [panels.edits.knobs[name] for name in ("stretch", "trim_start_s", "trim_end_s", "freeze_at_s")]
    heard.then(None, [result.screen, *times], times, js=ENDS, **QUIET)
    outputs = [result.comparison, result.before, result.table]
    heard.then(compare, inputs, outputs, **QUIET, trigger_mode="always_last", concurrency_id="compare")


def _wire_render(page: gr.Blocks, panels: Panels) -> None:
    """The button of slow decoders, and the one that stops them."""
    result, renders = panels.result, Renders(panels.studios)

    def render(browser: gr.Request, question: Any, play: bool, *held: Any) -> Iterator[tuple[Any, ...]]:
        for step in renders.run(browser.session_hash or "", question, held, play=bool(play)):
            heard = step.heard or Heard(None, "")
            screen = gr.skip() if heard.screen is None else heard.screen
            buttons = gr.update(interactive=not step.is_running), gr.update(interactive=step.is_running)
            yield screen, heard.message, step.words, *buttons

    def stop(browser: gr.Request) -> None:
        renders.stop(browser.session_hash or "")

    outputs = [*result.shown, result.progress, result.render, result.stop]
    inputs = [result.question, result.autoplay, *panels.sources.states]
    result.render.click(render, inputs, outputs, **QUIET, concurrency_id="render", concurrency_limit=RENDERS_WATCHED)
    result.stop.click(stop, None, None, **QUIET, queue=False)
    page.unload(stop)


def _wire_inspection(panels: Panels) -> None:
    inside, asked = panels.inspection, panels.result.question
    for event in (inside.group.expand, inside.look.click):
        event(None, asked, inside.page, js=LOOK, **QUIET)


def _wire_opening(page: gr.Blocks, panels: Panels) -> None:
    chosen, outputs = panels.checkpoint.name, panels.switched
    inputs = [chosen, panels.sources.count, *panels.sources.states]

    def open_page(name: str, count: int, *sources: Any) -> list[Any]:
        return switching.values(panels.studios, name, sources, count)

    opened = page.load(open_page, inputs, outputs, **MODEL)
    _name(panels, opened.then)
    _hear(panels, opened.then, play=False)
    loading = chosen.input(
        lambda: '<p class="caption">Loading the checkpoint</p>', None, panels.result.message, **QUIET
    )
    switched = loading.then(open_page, inputs, outputs, **MODEL)
    _name(panels, switched.then)
    _hear(panels, switched.then, play=False)


def _wire_slot(panels: Panels, index: int, slot: Slot) -> None:
    studios = panels.studios

    def choose(name: str, picked: Any, current: Any) -> tuple[Any, ...]:
        view = slots.choose_note(studios.studio(name), index, picked, current)
        source, picker, *rest = view.values()
        has_it = view.source is not None and view.source.note_id == picked["selected"]
        return source, gr.skip() if has_it else picker, *rest  # by now the menu may say what is chosen next

    def open_own(name: str, path: Any, current: Any) -> tuple[Any, ...]:
        return slots.open_own(studios.studio(name), index, path, current).values()

    def set_pitch(name: str, midi: Any, current: Any) -> tuple[Any, ...]:
        return slots.set_pitch(studios.studio(name), index, midi, current).values()

    name, shown = panels.checkpoint.name, slot.shown
    changes = (
        slot.picker.choose(choose, [name, slot.picker, slot.source], shown, **LATEST),
        slot.upload.upload(open_own, [name, slot.upload, slot.source], shown, **MODEL),
        slot.microphone.stop_recording(open_own, [name, slot.microphone, slot.source], shown, **MODEL),
        slot.pitch_midi.blur(set_pitch, [name, slot.pitch_midi, slot.source], shown, **LATEST),
    )
    for change in changes:
        _name(panels, change.then)
        _hear(panels, change.then)
    slot.record.click(lambda: gr.update(visible=True), None, slot.microphone, **QUIET)
    changes[2].then(lambda: gr.update(visible=False, value=None), None, slot.microphone, **QUIET)


def _wire_count(panels: Panels) -> None:
    count, morph, edits = panels.sources.count, panels.morph, panels.edits
    toward, drawing = edits.knobs["toward"], edits.knobs["curves"]
    columns = [slot.column for slot in panels.sources.slots[2:]]

    def offer(count: int, toward: str, mean: Any) -> tuple[Any, Any]:
        choices = toward_choices(count, preset=bool(mean))
        if toward in choices:
            return gr.update(choices=choices), gr.skip()
        return gr.update(choices=choices, value=NO_SOURCE), gr.update(visible=False)

    places = [morph.mix, morph.x, morph.y]
    laid_out = [morph.pad, drawing, *places, *columns]
    count.input(None, [count, morph.pad, drawing, *places], laid_out, js=LAYOUT, **QUIET)
    offered = count.input(offer, [count, toward, edits.preset_mean], [toward, edits.knobs["amount"]], **SOON)
    _hear(panels, offered.then)


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
    morph.set_pitch.input(None, morph.set_pitch, morph.pitch_midi, js=f"(wanted) => [{VISIBLE % 'wanted'}]", **QUIET)
    _hear(panels, morph.set_pitch.input)


def _wire_edits(panels: Panels) -> None:
    edits = panels.edits
    knobs: dict[str, Any] = edits.knobs  # whose kinds have events of their own
    for name, knob in knobs.items():
        if isinstance(knob, gr.Slider) or name == "curves":
            _hear(panels, knob.release)
        else:
            _hear(panels, knob.input)
    toward, swinging = knobs["toward"], knobs["osc_targets"]
    far = VISIBLE % f"toward !== '{NO_SOURCE}'"
    toward.input(None, toward, knobs["amount"], js=f"(toward) => [{far}]", **QUIET)
    blocks = ", ".join(VISIBLE % f"targets.includes('{target}')" for target in edits.blocks)
    swinging.input(None, swinging, list(edits.blocks.values()), js=f"(targets) => [{blocks}]", **QUIET)


def _wire_presets(panels: Panels) -> None:
    edits, names = panels.edits, list(panels.edits.knobs)

    def show(settings: Settings, drawn: dict[str, Any], mean: Any, message: str) -> list[Any]:
        updates = {name: gr.update(value=getattr(settings, name)) for name in names}
        choices = toward_choices(settings.count, preset=bool(mean))
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

    def load(path: str, name: str, mean: Any, drawn: dict[str, Any], *values: Any) -> list[Any]:
        studio = panels.studios.studio(name)
        changed, new_mean, message = presets.load_preset(studio, path, Settings.from_values(values))
        kept = new_mean or (mean if changed.toward == PRESET_SOUND else None)
        return show(changed, drawn, kept, message)

    outputs = [*edits.knobs.values(), *edits.blocks.values(), panels.morph.transpose, edits.preset_mean, edits.message]
    knobs = [edits.preset_mean, edits.knobs["curves"], *panels.knobs.values()]

    def save(question: Any, *held: Any) -> tuple[str, str]:
        return presets.preset(panels.studios, question, held)

    asked = [panels.result.question, *panels.sources.states]
    saved = edits.save.click(save, asked, [edits.preset, edits.message], **SOON)
    saved.then(None, edits.preset, None, js=SAVE, **QUIET)
    _hear(panels, edits.reset.click(reset, knobs, outputs, **QUIET).then)
    _hear(panels, edits.load.upload(load, [edits.load, panels.checkpoint.name, *knobs], outputs, **QUIET).then)
