"""Which handler answers which component.

Sound comes first: a knob that is let go of puts its question in the browser (`ask.js`), the result's player fetches the
answer from the route of sounds, and only then do picture and figures follow by Gradio's events.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import gradio as gr

from synth_explorer.ui import handlers
from synth_explorer.ui.panels.edits import Edits, depth_label
from synth_explorer.ui.panels.morph import Morph
from synth_explorer.ui.panels.result import Result
from synth_explorer.ui.panels.sources import Slot, Sources
from synth_explorer.ui.settings import NO_OSCILLATION, NO_SOURCE, OSCILLATIONS, PRESET_SOUND, Settings
from synth_explorer.ui.studio import Studio

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
MODEL: dict[str, Any] = {**QUIET, "concurrency_id": "model", "concurrency_limit": 1}
LATEST: dict[str, Any] = {**MODEL, "trigger_mode": "always_last"}
SOON: dict[str, Any] = {**QUIET, "trigger_mode": "always_last", "queue": False}
"""One request and its answer instead of Gradio's queue and event stream; the studio's lock keeps renders in line."""

ASK = Path(__file__).with_name("ask.js").read_text(encoding="utf-8")

PAD_TO_SLIDERS = "(pad, mix, x, y) => pad.count === 2 ? [pad.x, x, y] : [mix, pad.x, pad.y]"
SLIDERS_TO_PAD = "(pad, mix, x, y) => ({...pad, x: pad.count === 2 ? mix : x, y: pad.count === 2 ? 0 : y})"


@dataclass(frozen=True)
class Panels:
    """All that is on the page."""

    studio: Studio
    sources: Sources
    morph: Morph
    edits: Edits
    result: Result

    @cached_property
    def knobs(self) -> dict[str, gr.Component]:
        """Components by the names of Settings, in its order."""
        found = {"count": self.sources.count} | self.morph.knobs | self.edits.knobs
        return {name: found[name] for name in Settings.names()}

    @property
    def asking(self) -> list[gr.Component]:
        """What `ask.js` takes, in its order."""
        screens = [slot.screen for slot in self.sources.slots]
        return [self.morph.pad, self.edits.preset_mean, self.result.autoplay, *screens, *self.knobs.values()]


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
    result, studio = panels.result, panels.studio
    inputs = [result.request, *panels.sources.states]

    def answer(request: Any, *held: Any) -> tuple[Any, ...]:
        return handlers.answer(studio, request, held).values()

    def compare(request: Any, *held: Any) -> tuple[Any, ...]:
        before, table, preset = handlers.compare(studio, request, held)
        return gr.update(visible=before is not None), before, table, preset

    heard = result.screen.heard(answer, inputs, result.shown, **SOON)
    outputs = [result.comparison, result.before, result.table, panels.edits.save]
    heard.then(compare, inputs, outputs, **QUIET, trigger_mode="always_last", concurrency_id="compare")


def _wire_opening(page: gr.Blocks, panels: Panels) -> None:
    shown = [component for slot in panels.sources.slots for component in slot.shown]

    def open_page() -> list[Any]:
        views = handlers.open_defaults(panels.studio)
        settings = Settings()
        sources = [view.source for view in views]
        pad = handlers.pad_value(sources, settings)
        return [value for view in views for value in view.values()] + [pad]

    opened = page.load(open_page, None, [*shown, panels.morph.pad], **MODEL)
    _hear(panels, opened.then, play=False)


def _wire_slot(panels: Panels, index: int, slot: Slot) -> None:
    studio = panels.studio

    def named(view: handlers.SlotView, pad: dict[str, Any]) -> tuple[Any, ...]:
        names = list(pad["names"])
        names[index] = view.source.title if view.source else ""
        return *view.values(), {**pad, "names": names}

    def choose(picked: Any, current: Any, pad: dict[str, Any]) -> tuple[Any, ...]:
        return named(handlers.choose_note(studio, index, picked, current), pad)

    def open_own(path: Any, current: Any, pad: dict[str, Any]) -> tuple[Any, ...]:
        return named(handlers.open_own(studio, index, path, current), pad)

    def set_pitch(midi: Any, current: Any, pad: dict[str, Any]) -> tuple[Any, ...]:
        return named(handlers.set_pitch(studio, index, midi, current), pad)

    pad = panels.morph.pad
    outputs = [*slot.shown, pad]
    changes = (
        slot.picker.choose(choose, [slot.picker, slot.source, pad], outputs, **LATEST),
        slot.upload.upload(open_own, [slot.upload, slot.source, pad], outputs, **MODEL),
        slot.microphone.stop_recording(open_own, [slot.microphone, slot.source, pad], outputs, **MODEL),
        slot.pitch_midi.submit(set_pitch, [slot.pitch_midi, slot.source, pad], outputs, **LATEST),
    )
    for change in changes:
        _hear(panels, change.then)
    slot.record.click(lambda: gr.update(visible=True), None, slot.microphone, **QUIET)
    changes[2].then(lambda: gr.update(visible=False, value=None), None, slot.microphone, **QUIET)


def _wire_count(panels: Panels) -> None:
    morph, slots = panels.morph, panels.sources.slots

    def show(count: int, pad: dict[str, Any], mix: float, x: float, y: float, toward: str, mean: Any) -> list[Any]:
        settings = Settings(count=count, mix=mix, x=x, y=y)
        at_x, at_y = settings.point()
        choices = handlers.toward_choices(count, preset=mean is not None)
        kept = toward if toward in choices else NO_SOURCE
        columns = [gr.update(visible=index < count) for index in range(2, len(slots))]
        sliders = [gr.update(visible=count == 2), gr.update(visible=count > 2), gr.update(visible=count > 2)]
        timbre = [gr.update(choices=choices, value=kept), gr.update(visible=kept != NO_SOURCE)]
        return [*columns, {**pad, "count": count, "x": at_x, "y": at_y}, *sliders, *timbre]

    knobs, edits = [morph.mix, morph.x, morph.y], panels.edits
    changed = panels.sources.count.input(
        show,
        [panels.sources.count, morph.pad, *knobs, edits.toward, edits.preset_mean],
        [*(slot.column for slot in slots[2:]), morph.pad, *knobs, edits.toward, edits.amount],
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
    for slider in (edits.gain_db, edits.brightness, edits.amount, edits.osc_rate_hz, edits.osc_depth):
        _hear(panels, slider.release)
    _hear(panels, edits.osc_shape.input)
    toward = edits.toward.input(
        lambda toward: gr.update(visible=toward != NO_SOURCE), edits.toward, edits.amount, **QUIET
    )
    _hear(panels, toward.then)
    oscillation = [edits.osc_rate_hz, edits.osc_depth, edits.osc_shape]
    target = edits.osc_target.input(_oscillation, edits.osc_target, oscillation, **QUIET)
    _hear(panels, target.then)


def _oscillation(target: str, depth: float | None = None) -> tuple[Any, Any, Any]:
    """Knobs of an oscillation: shown when there is one, depth in the unit of its target."""
    if target == NO_OSCILLATION:
        return gr.update(visible=False), gr.update(visible=False), gr.update(visible=False)
    unit, largest, usual, step = OSCILLATIONS[target]
    value = usual if depth is None else depth
    scale = gr.update(visible=True, label=depth_label(unit), maximum=max(largest, value), step=step, value=value)
    return gr.update(visible=True), scale, gr.update(visible=True)


def _wire_presets(panels: Panels) -> None:
    edits, names = panels.edits, list(panels.edits.knobs)

    def turned(settings: Settings, mean: Any, message: str) -> list[Any]:
        updates = {name: gr.update(value=getattr(settings, name)) for name in names}
        choices = handlers.toward_choices(settings.count, preset=mean is not None)
        updates["toward"] = gr.update(choices=choices, value=settings.toward)
        updates["amount"] = gr.update(value=settings.amount, visible=settings.toward != NO_SOURCE)
        rate, depth, shape = _oscillation(settings.osc_target, settings.osc_depth)
        updates["osc_rate_hz"] = rate | {"value": settings.osc_rate_hz}
        updates["osc_depth"], updates["osc_shape"] = depth, shape | {"value": settings.osc_shape}
        return [*updates.values(), settings.transpose, mean, message]

    def reset(*values: Any) -> list[Any]:
        settings, _ = Settings.from_values(values[1:]).with_preset(())
        return turned(settings, None, "")

    def load(path: str, mean: Any, *values: Any) -> list[Any]:
        changed, new_mean, message = handlers.load_preset(path, Settings.from_values(values))
        return turned(changed, new_mean or (mean if changed.toward == PRESET_SOUND else None), message)

    outputs = [*edits.knobs.values(), panels.morph.transpose, edits.preset_mean, edits.message]
    knobs = [edits.preset_mean, *panels.knobs.values()]
    _hear(panels, edits.reset.click(reset, knobs, outputs, **QUIET).then)
    _hear(panels, edits.load.upload(load, [edits.load, *knobs], outputs, **QUIET).then)
