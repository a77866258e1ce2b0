"""Which handler answers which component.

Sound comes first: a knob that is let go of puts its question in the browser (`request.js`), the result's player fetches
the answer from the route of sounds, and only then do picture and figures follow by Gradio's events.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.blocks import BlockContext

from synth_explorer.errors import SynthExplorerError
from synth_explorer.ui.answers import presets, results, slots, states, switching
from synth_explorer.ui.answers.knob_values import toward_choices
from synth_explorer.ui.answers.rendering import Renders
from synth_explorer.ui.answers.results import Heard
from synth_explorer.ui.answers.words import alert
from synth_explorer.ui.page.panels.checkpoint import Checkpoint
from synth_explorer.ui.page.panels.deck import Deck
from synth_explorer.ui.page.panels.edits import Edits
from synth_explorer.ui.page.panels.inspection import Inspection
from synth_explorer.ui.page.panels.morph import Morph
from synth_explorer.ui.page.panels.pitch import Pitch
from synth_explorer.ui.page.panels.result import Result
from synth_explorer.ui.page.panels.sources import Slot, Sources
from synth_explorer.ui.request.knobs import IN_KEY, LONGEST_S, NO_SOURCE
from synth_explorer.ui.request.settings import Settings
from synth_explorer.ui.request.sound_request import SoundRequest
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
APPLY = Path(__file__).with_name("apply.js").read_text(encoding="utf-8")
OPEN = Path(__file__).with_name("open.js").read_text(encoding="utf-8")

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
    deck: Deck
    sources: Sources
    morph: Morph
    pitch: Pitch
    edits: Edits
    result: Result
    inspection: Inspection

    @cached_property
    def knobs(self) -> dict[str, gr.Component]:
        """Components by the names of Settings, in its order."""
        found = {"count": self.sources.count} | vars(self.morph) | vars(self.pitch) | self.edits.knobs
        return {name: found[name] for name in Settings.names()}

    @property
    def asking(self) -> list[gr.Component]:
        """What `request.js` takes, in its order."""
        chosen, tokens = [self.checkpoint.name, self.checkpoint.slow], self.sources.tokens
        return [self.morph.pad, self.edits.preset_mean, self.result.autoplay, *chosen, *tokens, *self.knobs.values()]

    @property
    def applied(self) -> list[gr.Component | BlockContext]:
        """What `apply.js` turns, in its order."""
        columns = [slot.column for slot in self.sources.slots[2:]]
        morph = [self.morph.pad, self.edits.preset_mean, *self.edits.blocks.values(), *columns]
        return [self.checkpoint.name, *self.knobs.values(), *morph, self.result.screen, self.result.question]

    @property
    def switched(self) -> list[gr.Component | BlockContext]:
        """What `switching.values` goes to, in its order."""
        edits, tuned, result = self.edits, self.pitch, self.result
        shown = [component for slot in self.sources.slots for component in slot.shown]
        knobs = [edits.directions, *(edits.knobs[name] for name in switching.KNOBS)]
        pitch = [tuned.transpose, tuned.by_pitch, tuned.set_pitch, tuned.quantise]
        made = [self.checkpoint.slow, result.making, result.autoplay, result.final_render]
        return [*shown, *knobs, *pitch, edits.missing, *made]


def wire(page: gr.Blocks, panels: Panels) -> None:
    """Connect everything."""
    for index, slot in enumerate(panels.sources.slots):
        _wire_slot(panels, index, slot)
    _wire_count(panels)
    _wire_morph(panels)
    _wire_pitch(panels)
    _wire_edits(panels)
    _wire_states(page, panels)
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
    inputs = [result.question]

    def answer(question: Any) -> tuple[Any, ...]:
        return results.answer(studios, question).values()

    def compare(question: Any) -> tuple[Any, ...]:
        before, table = results.compare(studios, question)
        return gr.update(visible=before is not None), before, table

    heard = result.screen.heard(answer, inputs, result.shown, **SOON)
    times = [panels.edits.knobs[name] for name in ("stretch", "trim_start_s", "trim_end_s", "freeze_at_s")]
    heard.then(None, [result.screen, *times], times, js=ENDS, **QUIET)
    outputs = [result.comparison, result.before, result.table]
    heard.then(compare, inputs, outputs, **QUIET, trigger_mode="always_last", concurrency_id="compare")


def _wire_render(page: gr.Blocks, panels: Panels) -> None:
    """The button of slow decoders, and the one that stops them."""
    result, renders = panels.result, Renders(panels.studios)

    def render(browser: gr.Request, question: Any, play: bool) -> Iterator[tuple[Any, ...]]:
        for step in renders.run(browser.session_hash or "", question, play=bool(play)):
            heard = step.heard or Heard(None, "")
            screen = gr.skip() if heard.screen is None else heard.screen
            buttons = gr.update(interactive=not step.is_running), gr.update(interactive=step.is_running)
            yield screen, heard.message, step.words, *buttons

    def stop(browser: gr.Request) -> None:
        renders.stop(browser.session_hash or "")

    outputs = [*result.shown, result.progress, result.render, result.stop]
    inputs = [result.question, result.autoplay]
    result.render.click(render, inputs, outputs, **QUIET, concurrency_id="render", concurrency_limit=RENDERS_WATCHED)
    result.stop.click(stop, None, None, **QUIET, queue=False)
    page.unload(stop)


def _wire_inspection(panels: Panels) -> None:
    inside, asked = panels.inspection, panels.result.question
    for event in (inside.group.expand, inside.look.click):
        event(None, asked, inside.page, js=LOOK, **QUIET)


def _wire_slot(panels: Panels, index: int, slot: Slot) -> None:
    studios = panels.studios

    def choose(name: str, picked: Any, current: Any) -> tuple[Any, ...]:
        studio = studios.studio(name)
        view = slots.choose_note(studio, index, picked, slots.held(studio, current))
        token, picker, *rest = view.values()
        has_it = view.source is not None and view.source.note_id == picked["selected"]
        return token, gr.skip() if has_it else picker, *rest  # by now the menu may say what is chosen next

    def open_own(name: str, path: Any, current: Any) -> tuple[Any, ...]:
        studio = studios.studio(name)
        return slots.open_own(studio, index, path, slots.held(studio, current)).values()

    def set_pitch(name: str, pitch: Any, current: Any) -> tuple[Any, ...]:
        studio = studios.studio(name)
        return slots.set_pitch(studio, index, str(pitch or ""), slots.held(studio, current)).values()

    name, shown = panels.checkpoint.name, slot.shown
    changes = (
        slot.picker.choose(choose, [name, slot.picker, slot.source], shown, **LATEST),
        slot.upload.upload(open_own, [name, slot.upload, slot.source], shown, **MODEL),
        slot.pitch.blur(set_pitch, [name, slot.pitch, slot.source], shown, **LATEST),
    )
    for change in changes:
        _name(panels, change.then)
        _hear(panels, change.then)


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
    for moved in (morph.pad.move, morph.pad.release):
        moved(None, [morph.pad, *places], places, js=PAD_TO_SLIDERS, **QUIET)
    _hear(panels, morph.pad.release, at_pad=True)
    for slider in places:
        slider.input(None, [morph.pad, *places], morph.pad, js=SLIDERS_TO_PAD, **QUIET)
        _hear(panels, slider.release)


def _wire_pitch(panels: Panels) -> None:
    pitch = panels.pitch
    _hear(panels, pitch.transpose.release)
    _hear(panels, pitch.pitch_midi.blur)
    in_key = VISIBLE % f"to === '{IN_KEY}'"
    pitch.quantise.input(None, pitch.quantise, pitch.key, js=f"(to) => [{in_key}]", **QUIET)
    _hear(panels, pitch.quantise.input)
    _hear(panels, pitch.key.input)
    pitch.set_pitch.input(None, pitch.set_pitch, pitch.pitch_midi, js=f"(wanted) => [{VISIBLE % 'wanted'}]", **QUIET)
    _hear(panels, pitch.set_pitch.input)
    _hear(panels, pitch.by_pitch.input)


def _wire_edits(panels: Panels) -> None:
    edits = panels.edits
    knobs: dict[str, Any] = edits.knobs  # whose kinds have events of their own
    for name, knob in knobs.items():
        if isinstance(knob, gr.Slider) or name == "curves":
            _hear(panels, knob.release)
        elif isinstance(knob, gr.Number):
            _hear(panels, knob.blur)
        else:
            _hear(panels, knob.input)
    toward, swinging = knobs["toward"], knobs["osc_targets"]
    far = VISIBLE % f"toward !== '{NO_SOURCE}'"
    toward.input(None, toward, knobs["amount"], js=f"(toward) => [{far}]", **QUIET)
    blocks = ", ".join(VISIBLE % f"targets.includes('{target}')" for target in edits.blocks)
    swinging.input(None, swinging, list(edits.blocks.values()), js=f"(targets) => [{blocks}]", **QUIET)


def _wire_states(page: gr.Blocks, panels: Panels) -> None:
    """What turns the whole page: it goes to the deck as a request, is dressed by the server where its notes or its
    checkpoint may be others, and the knobs are turned by `apply.js`.
    """
    studios, deck, edits, chosen = panels.studios, panels.deck, panels.edits, panels.checkpoint.name
    question, switched = panels.result.question, panels.switched

    def dressed(asked: SoundRequest, message: str, *, play: bool, **further: Any) -> list[Any]:
        asked, looks = switching.values(studios, asked)
        request = states.pinned(studios, asked).to_json()
        return [{"request": request, "play": play, "dressed": True} | further, message, *looks]

    def refused(message: str) -> list[Any]:
        return [{"dressed": True}, message, *(gr.skip() for _ in switched)]

    def opening(kept: Any) -> list[Any]:
        return dressed(*states.opened(studios, kept), play=False)

    def dress(state: Any) -> list[Any]:
        try:
            return dressed(states.kept(studios, state), "", play=bool(state.get("play")), stamp=state.get("stamp"))
        except SynthExplorerError as error:
            return refused(alert(str(error)))

    def switch(name: Any, asked: Any) -> list[Any]:
        return dressed(states.under(studios, asked, name), "", play=False)

    def load(path: str | None, asked: Any) -> list[Any]:
        found, message = states.loaded(studios, asked, path)
        return refused(message) if found is None else dressed(found, message, play=True)

    def reset(asked: Any) -> dict[str, Any] | None:
        if not asked:
            return None
        rest = states.at_rest(SoundRequest.from_json(asked["request"]))
        return {"request": states.pinned(studios, rest).to_json(), "play": True}

    def save(asked: Any) -> tuple[str, str]:
        return presets.preset(studios, asked)

    outputs = [deck.state, deck.message, *switched]
    said = '<p class="caption">Loading the checkpoint</p>'
    loading = chosen.input(lambda: said, None, panels.result.message, **QUIET)
    dressing = (
        page.load(opening, deck.state, outputs, js=OPEN, **MODEL),
        deck.state.dress(dress, deck.state, outputs, **SOON | {"trigger_mode": "multiple"}),
        loading.then(switch, [chosen, question], outputs, **MODEL),
        deck.load.upload(load, [deck.load, question], outputs, **MODEL),
    )
    turn = APPLY.replace("%knobs%", json.dumps(list(panels.knobs)))
    turning = [deck.state, panels.morph.pad, edits.knobs["curves"], panels.result.autoplay, panels.checkpoint.slow]
    deck.state.apply(None, turning, panels.applied, js=turn, **QUIET, trigger_mode="multiple")
    for event in dressing:
        _name(panels, event.then(None, turning, panels.applied, js=turn, **QUIET).then)
    rest = edits.reset.click(reset, question, deck.state, **SOON)
    rest.then(None, turning, panels.applied, js=turn, **QUIET)
    saved = edits.save.click(save, question, [edits.preset, edits.message], **SOON)
    saved.then(None, edits.preset, None, js=SAVE, **QUIET)
