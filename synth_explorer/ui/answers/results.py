"""The result: the sound that a question asks for, and what its edits did.

Errors that are meant for people come back as one sentence on the page; but for `asked_for`, nothing here raises them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from synth_explorer import measure, plots
from synth_explorer.edits import MeanSound
from synth_explorer.errors import SynthExplorerError
from synth_explorer.explorer import FIT_STEPS
from synth_explorer.pitch import note_name, pitch_words
from synth_explorer.rendering import Patch, Rendered
from synth_explorer.ui.answers.screen import screen
from synth_explorer.ui.answers.tables import outcome_table, report_table
from synth_explorer.ui.answers.words import alert
from synth_explorer.ui.colours import SLOT_COLOURS
from synth_explorer.ui.request import link
from synth_explorer.ui.request.settings import Settings
from synth_explorer.ui.request.sound_request import SoundRequest
from synth_explorer.ui.session.slot_note import SlotNote
from synth_explorer.ui.session.studio import NotRendered, Studio
from synth_explorer.ui.session.studios import Studios


@dataclass(frozen=True)
class Heard:
    """What the result shows: a screen and a line of words."""

    screen: dict[str, Any] | None
    message: str

    def values(self) -> tuple[Any, ...]:
        return (self.screen, self.message)


def hear(
    studio: Studio,
    sources: Sequence[SlotNote | None],
    settings: Settings,
    *,
    preset_mean: MeanSound | None = None,
    play: bool = True,
) -> Heard:
    """The sound that the knobs ask for, on the result's screen."""
    try:
        render = studio.render(sources, settings, preset_mean=preset_mean)
    except SynthExplorerError as error:
        return Heard(None, alert(str(error)))
    return heard_render(studio, render, play=play)


def heard_render(studio: Studio, render: Rendered, *, play: bool) -> Heard:
    """A sound that was made, on the result's screen."""
    colour = plots.mix_colour(list(SLOT_COLOURS[: len(render.weights)]), list(render.weights))
    shown = screen(
        studio, render.audio, label="the result", colour=colour, play=play, file_name=f"{render.file_stem}.wav"
    )
    shown["note_s"] = render.before.duration_samples / studio.explorer.sample_rate_hz
    midi = render.after.pitch_midi
    words = f"<b>{pitch_words(midi)}</b>" if midi == midi else ""
    took = f"{1000 * render.took_s:.0f} ms" if render.took_s < 1 else f"{render.took_s:.1f} s"
    rate = f"{studio.explorer.sample_rate_hz / 1000:g} kHz, mono"
    return Heard(shown, f'<p class="caption">{words}<span>{rate} · made in {took}</span></p>')


def answer(studios: Studios, question: Any) -> Heard:
    """What the result's screen shows of a sound that it is playing, or why there is none.

    Args:
        studios: whose studio renders it, or remembers it from when the player asked.
        question: what `request.js` wrote: the request, its stamp, whether it is to play, whether the decoder is slow.

    With the screen go the sound's link, and how often its notes have been listened to again by now, which the page asks
    for from then on. A sound that waits for a button has these alone, and what is drawn stays.
    """
    question = question if isinstance(question, dict) else {}
    marks = {name: question.get(name) for name in ("request", "stamp", "play")}
    try:
        studio, asked = asked_for(studios, question)
        patch = studio.asked(asked)
    except SynthExplorerError as error:
        return Heard({"path": ""} | marks, alert(str(error)))
    try:
        render = studio.rendered(patch)
    except NotRendered as error:
        return Heard({"waits": True} | marks | linked(studios, asked, patch), f'<p class="caption">{error}</p>')
    except SynthExplorerError as error:
        return Heard({"path": ""} | marks, alert(str(error)))
    heard = heard_render(studio, render, play=bool(question.get("play")))
    assert heard.screen is not None
    marks = {"request": marks["request"]} if studio.is_slow else marks  # which plays the file, and only when it is made
    return Heard(heard.screen | marks | told(studios, asked, render), heard.message)


def told(studios: Studios, asked: SoundRequest, render: Rendered) -> dict[str, Any]:
    """What a page keeps of a sound that it asked for: its link, its name, its notes' weights, how loud it is."""
    loudness_db = measure.loudness_db(render.audio, sample_rate_hz=render.sample_rate_hz)
    names, percents = zip(*((name, f"{weight:.0%}") for name, weight in render.parts), strict=True)
    kinds = dict.fromkeys(edit.kind.replace("_", " ") for edit in render.chain)
    words = ["/".join(percents).replace("%", "")] if len(percents) > 1 else []
    midi = render.after.pitch_midi
    return {
        **linked(studios, asked, render.patch),
        "name": ", ".join(names),
        "weights": [round(weight, 4) for weight in render.weights],
        "facts": " · ".join([*([note_name(midi)] if midi == midi else []), *words, *kinds]),
        "loudness_db": round(loudness_db, 2),
    }


def linked(studios: Studios, asked: SoundRequest, patch: Patch) -> dict[str, Any]:
    """A request's link, which makes the samples of its patch, and how often its notes have been listened to again."""
    return {"link": link.encoded(replace(asked, fit_steps=patch.fit_steps)), "fit": fitted(studios, asked)}


def fitted(studios: Studios, asked: SoundRequest) -> int:
    """How often the notes of a request have been listened to again by now."""
    studio = studios.studio(asked.checkpoint)
    return FIT_STEPS if studio.is_slow else studio.fitted_steps(studio.used(asked))  # slow ones have no fit to wait for


def asked_for(studios: Studios, question: Any) -> tuple[Studio, SoundRequest]:
    """The studio and the request of a question. Raises SynthExplorerError where it makes no sense."""
    asked = SoundRequest.from_json(question.get("request") if isinstance(question, dict) else None)
    return studios.studio(asked.checkpoint), asked


def compare(studios: Studios, question: Any) -> tuple[dict[str, Any] | None, str]:
    """After the sound: the sound before the edits, and requested against measured.

    Args: as of `answer`.

    Returns value of the screen "before" (None without edits, and where it would take long), and the table as HTML.
    """
    try:
        studio, asked = asked_for(studios, question)
        render = studio.rendered(studio.asked(asked))
        if not len(render.chain) or studio.is_slow:
            return None, ""
        before = screen(studio, render.audio_before, label="the morph before the edits", colour="#8b8e94")
        is_solved = render.solution is not None
        table = outcome_table(render.outcomes, render.chain) if is_solved else report_table(render.report)
        return before, table
    except SynthExplorerError:  # the screen has said it
        return None, ""
