"""What the page answers: plain functions from the studio and values to values, each callable without a browser.

They take the studio first and return what the components show. Errors that are meant for people come back as one
sentence on the page; nothing here raises them.
"""

from __future__ import annotations

import base64
import html
import itertools
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from synth_explorer import plots
from synth_explorer.edits import MeanSound
from synth_explorer.errors import SynthExplorerError
from synth_explorer.pitch import note_name
from synth_explorer.ui.ask import Ask
from synth_explorer.ui.chains import turned
from synth_explorer.ui.colours import SLOT_COLOURS
from synth_explorer.ui.knobs import LETTERS, PRESET_SOUND
from synth_explorer.ui.rack import Rack
from synth_explorer.ui.render import NotRendered, Render
from synth_explorer.ui.report import outcome_table, report_table
from synth_explorer.ui.settings import Settings
from synth_explorer.ui.source import Source
from synth_explorer.ui.studio import Studio

SCALE_HZ = ((125, "125"), (500, "500"), (1000, "1k"), (2000, "2k"), (4000, "4k"), (8000, "8k"), (16000, "16k"))
DEFAULT_NOTES = ("Cello", "Trumpet", "Vibraphone", "Choir Aahs")
_stamps = itertools.count(int(time.time() * 1000))


@dataclass(frozen=True)
class SlotView:
    """What one slot shows, in the order of its components."""

    source: Source | None
    picker: dict[str, str]
    screen: dict[str, Any] | None
    pitch_text: str
    pitch_midi: float | None
    message: str

    @classmethod
    def empty(cls, message: str = "") -> SlotView:
        """A slot without a source."""
        return cls(None, {"selected": "", "own": ""}, None, "", None, alert(message))

    def values(self) -> tuple[Any, ...]:
        return (self.source, self.picker, self.screen, self.pitch_text, self.pitch_midi, self.message)


@dataclass(frozen=True)
class Heard:
    """What the result shows: a screen and a line of words."""

    screen: dict[str, Any] | None
    message: str

    def values(self) -> tuple[Any, ...]:
        return (self.screen, self.message)


def pitch_text(source: Source) -> str:
    """Pitch of a source in words: name, cents, and where it comes from."""
    if source.pitch_midi is None:
        return "<i>pitch is inside its latents</i>"
    nearest = round(source.pitch_midi)
    cents = round(100 * (source.pitch_midi - nearest))
    origin = "heard" if source.is_estimate else f"set, heard {note_name(source.heard_midi)}"
    return f'<b>{note_name(nearest)}</b> <span title="cents">{_signed(cents)} ct</span> <i>{origin}</i>'


def cut_text(studio: Studio, source: Source) -> str:
    """Of how much a note was cut to what its checkpoint takes, in words; nothing where it is whole."""
    most_s = studio.explorer.config.max_s
    if source.whole_s <= most_s + 0.005:
        return ""
    return f'<p class="caption">The first {most_s:.3g} s of {source.whole_s:.3g} s</p>'


def alert(text: str) -> str:
    """An inline message; an empty text shows nothing."""
    return f'<p class="message" role="alert">{html.escape(text)}</p>' if text else ""


def screen(
    studio: Studio, audio: np.ndarray, *, label: str, colour: str, play: bool = False, file_name: str = ""
) -> dict[str, Any]:
    """Value of a Screen: the sound as a file at its own level, and its picture.

    Args:
        studio: keeps the file.
        audio: [T], at the model's sample rate.
        label: what it is, for those who cannot see it.
        colour: of the picture, "#rrggbb".
        play: whether it starts to play as soon as it is there.
        file_name: name offered for download; empty offers none.
    """
    rate_hz = studio.explorer.sample_rate_hz
    peak = float(np.abs(audio).max())
    png = plots.spectrogram_png(audio, sample_rate_hz=rate_hz, colour=colour)
    scale = [(name, plots.frequency_position(hz, sample_rate_hz=rate_hz)) for hz, name in SCALE_HZ if hz < rate_hz / 2]
    return {
        "path": str(studio.jukebox.put(audio, sample_rate_hz=rate_hz)),
        "picture": "data:image/png;base64," + base64.b64encode(png).decode(),
        "label": label,
        "file_name": file_name,
        "duration_s": audio.size / rate_hz,
        "level": level_text(peak),
        "clips": peak > 1.0,
        "hz": scale,
        "colour": colour,
        "play": play,
        "stamp": next(_stamps),
    }


def level_text(peak: float) -> str:
    """Peak level in words, with a warning above full scale."""
    if peak < 1e-5:
        return "silent"
    peak_db = 20 * math.log10(peak)
    return f"clips by {peak_db:.1f} dB" if peak > 1.0 else f"peak {peak_db:.1f} dB".replace("-", "−")


def slot_view(studio: Studio, slot: int, source: Source | None, message: str = "") -> SlotView:
    """Everything that slot number `slot` shows of a source."""
    if source is None:
        return SlotView.empty(message)
    try:
        shown = screen(
            studio, studio.heard(source), label=f"{LETTERS[slot]}, {source.title}", colour=SLOT_COLOURS[slot]
        ) | {"token": studio.show(source)}
    except SynthExplorerError as error:
        return slot_view(studio, slot, None, str(error))
    picker = {"selected": source.note_id, "own": "" if source.note_id else source.title}
    midi = None if source.pitch_midi is None else round(source.pitch_midi, 2)
    return SlotView(source, picker, shown, pitch_text(source), midi, alert(message) + cut_text(studio, source))


def choose_note(studio: Studio, slot: int, picked: Any, current: Source | None) -> SlotView:
    """An example note was chosen from the menu."""
    note_id = str(picked.get("selected", "")) if isinstance(picked, dict) else ""
    try:
        return slot_view(studio, slot, studio.open_example(note_id))
    except SynthExplorerError as error:
        return slot_view(studio, slot, current, str(error))


def open_own(studio: Studio, slot: int, path: str | None, current: Source | None) -> SlotView:
    """The user's own file or recording arrived; a bad one leaves the slot as it was and says why.

    Browsers send a quotation mark in the name of a file as %22.
    """
    if not path:
        return slot_view(studio, slot, current)
    try:
        return slot_view(studio, slot, studio.open_file(path, title=Path(path).name.replace("%22", '"')))
    except SynthExplorerError as error:
        return slot_view(studio, slot, current, str(error))


def set_pitch(studio: Studio, slot: int, midi: float | None, current: Source | None) -> SlotView:
    """The user says which pitch a source has; an emptied field goes back to the estimate."""
    if current is None:
        return slot_view(studio, slot, None)
    try:
        return slot_view(studio, slot, studio.with_pitch(current, midi))
    except SynthExplorerError as error:
        return slot_view(studio, slot, current, str(error))


def default_notes(studio: Studio) -> list[str]:
    """Names of the notes that the slots hold at first: well-known ones where they are there, one of each family."""
    chosen = [name for name in DEFAULT_NOTES if name in studio.notes]
    families = {studio.notes[name].family for name in chosen}
    for name, note in studio.notes.items():
        if note.family not in families:
            families.add(note.family)
            chosen.append(name)
    return (chosen + [name for name in studio.notes if name not in chosen])[: len(LETTERS)]


def open_defaults(studio: Studio) -> list[SlotView]:
    """What the slots hold when the page opens."""
    names = default_notes(studio)
    views = [choose_note(studio, slot, {"selected": name}, None) for slot, name in enumerate(names)]
    return views + [slot_view(studio, slot, None) for slot in range(len(views), len(LETTERS))]


def reopen(studio: Studio, sources: Sequence[Source | None]) -> list[SlotView]:
    """The same notes in the slots under another checkpoint; where there are none yet, the default ones."""
    if not any(sources):
        return open_defaults(studio)
    views = []
    for slot, source in enumerate(sources):
        try:
            opened = None if source is None else studio.reopen(source)
            views.append(slot_view(studio, slot, opened))
        except SynthExplorerError as error:
            views.append(slot_view(studio, slot, None, str(error)))
    return views


def pad_value(sources: Sequence[Source | None], settings: Settings) -> dict[str, Any]:
    """Value of the Pad."""
    x, y = settings.point()
    names = [source.title if source else "" for source in sources]
    return {"x": x, "y": y, "count": settings.count, "names": names, "colours": list(SLOT_COLOURS)}


def curves_value(settings: Settings, targets: Sequence[str]) -> dict[str, Any]:
    """Value of the widget that draws curves.

    Args: settings: the knobs. targets: what can be drawn beside the morph, among loudness, brightness and pitch.
    """
    return settings.curves_value() | {"count": settings.count, "targets": list(targets)}


def hear(
    studio: Studio,
    sources: Sequence[Source | None],
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


def heard_render(studio: Studio, render: Render, *, play: bool) -> Heard:
    """A sound that was made, on the result's screen."""
    shown = screen(
        studio, render.audio, label="the result", colour=render.colour, play=play, file_name="synth_explorer.wav"
    )
    shown["note_s"] = render.before.duration_samples / studio.explorer.sample_rate_hz
    midi = render.after.pitch_midi
    words = f"<b>{note_name(midi)}</b> {_signed(round(100 * (midi - round(midi))))} cents" if midi == midi else ""
    took = f"{1000 * render.took_s:.0f} ms" if render.took_s < 1 else f"{render.took_s:.1f} s"
    return Heard(shown, f'<p class="caption">{words}<span>made in {took}</span></p>')


def answer(rack: Rack, request: Any, held: Sequence[Source | None]) -> Heard:
    """What the result's screen shows of a sound that it is playing, or why there is none.

    Args:
        rack: whose studio renders it, or remembers it from when the player asked.
        request: what `ask.js` wrote: the question, its stamp, whether it is to play, whether the decoder is slow.
        held: the sources that the session holds.

    Returns:
        The screen is None where nothing on it is to change.
    """
    request = request if isinstance(request, dict) else {}
    marks = {name: request.get(name) for name in ("ask", "stamp", "play")}
    try:
        studio, asked, sources = asked_for(rack, request, held)
        render = studio.render(sources, asked.settings, preset_mean=asked.preset_mean)
    except NotRendered as error:
        return Heard(None, f'<p class="caption">{error}</p>')
    except SynthExplorerError as error:
        return Heard({"path": ""} | marks, alert(str(error)))
    heard = heard_render(studio, render, play=bool(request.get("play")))
    return heard if studio.is_slow else Heard(heard.screen | marks, heard.message)


def asked_for(rack: Rack, request: Any, held: Sequence[Source | None]) -> tuple[Studio, Ask, list[Source | None]]:
    """The studio, the question and the sources of a request. Raises SynthExplorerError where it makes no sense."""
    asked = Ask.from_json(request.get("ask") if isinstance(request, dict) else None)
    studio = rack.studio(asked.checkpoint)
    pairs = zip(asked.tokens, held, strict=True)
    return studio, asked, [studio.find(token, otherwise=source) for token, source in pairs]


def compare(rack: Rack, request: Any, held: Sequence[Source | None]) -> tuple[dict[str, Any] | None, str]:
    """After the sound: the sound before the edits, and requested against measured.

    Args: as of `answer`.

    Returns:
        Value of the screen "before" (None without edits, and where it would take long), and the table as HTML.
    """
    try:
        studio, asked, sources = asked_for(rack, request, held)
        render = studio.render(sources, asked.settings, preset_mean=asked.preset_mean)
        if not len(render.chain) or studio.is_slow:
            return None, ""
        before = screen(studio, studio.before(render), label="the morph before the edits", colour="#8b8e94")
        outcomes = studio.outcomes(render)
        table = outcome_table(outcomes, render.chain) if outcomes else report_table(studio.report(render))
        return before, table
    except SynthExplorerError:  # the screen has said it
        return None, ""


def preset(rack: Rack, request: Any, held: Sequence[Source | None]) -> tuple[str, str]:
    """The edits of a request as JSON, as a preset file has them, and a message; the JSON is empty where there is none.

    Args: as of `answer`.
    """
    try:
        studio, asked, sources = asked_for(rack, request, held)
        return studio.chain(sources, asked.settings, preset_mean=asked.preset_mean).to_json(), ""
    except SynthExplorerError as error:
        return "", alert(str(error))


def load_preset(studio: Studio, path: str | None, settings: Settings) -> tuple[Settings, MeanSound | None, str]:
    """Turn the edit knobs to what a preset file says, if the studio's checkpoint can follow it.

    Returns:
        The knobs (as they were, if the file is no preset), the mean sound it goes toward, and a message.
    """
    from synth_explorer.edits import EditChain

    if not path:
        return settings, None, ""
    try:
        changed, mean = turned(settings, EditChain.load(path))
        if mean is not None:
            studio.check_mean(mean)
    except SynthExplorerError as error:
        return settings, None, alert(str(error).replace(str(path), Path(path).name))
    if mean is not None:  # it goes into addresses
        mean = mean._replace(mean=tuple(float(f"{value:.7g}") for value in mean.mean))
    return changed, mean, ""


def toward_choices(count: int, *, preset: bool) -> list[str]:
    """What the timbre can go toward."""
    return ["Off", *LETTERS[:count], *([PRESET_SOUND] if preset else [])]


def _signed(cents: int) -> str:
    return f"+{cents}" if cents > 0 else f"−{-cents}" if cents < 0 else "±0"
