"""What the whole page becomes, as one request: when it opens, when a file is loaded, when its edits go to rest.

`switching.values` shows a request; the page's script turns the knobs to it.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from synth_explorer.edits import EditChain
from synth_explorer.errors import SpecError, SynthExplorerError
from synth_explorer.explorer.decoders import FINAL
from synth_explorer.latents import normalised
from synth_explorer.rendering import Mix, Patch, Source, load_patch
from synth_explorer.rendering.sources import content_hash
from synth_explorer.ui.answers import presets, slots
from synth_explorer.ui.answers.results import asked_for, fitted
from synth_explorer.ui.answers.words import alert
from synth_explorer.ui.request import link
from synth_explorer.ui.request.chains import DECODING_KNOBS, turned
from synth_explorer.ui.request.knobs import CHOICES, IN_KEY, LETTERS, MORPH_CURVES, NO_SOURCE, PRESET_SOUND
from synth_explorer.ui.request.settings import Settings
from synth_explorer.ui.request.sound_request import SoundRequest
from synth_explorer.ui.session.slot_note import SlotNote
from synth_explorer.ui.session.studio import Studio
from synth_explorer.ui.session.studios import Studios


def first(studios: Studios) -> SoundRequest:
    """What a page shows that nothing is known of."""
    names = slots.default_notes(studios.notes)
    return SoundRequest(tuple((*names, "", "", "", "")[: len(LETTERS)]), Settings(), studios.names[0])


def kept(studios: Studios, saved: Any) -> SoundRequest:
    """What a browser kept: {"request": text} as it was asked, or {"link": text}.

    Raises SynthExplorerError: it cannot be read, or its checkpoint is not here.
    """
    saved = saved if isinstance(saved, dict) else {}
    asked = link.decoded(saved["link"]) if saved.get("link") else SoundRequest.from_json(saved.get("request"))
    studios.studio(asked.checkpoint)
    return asked


def opened(studios: Studios, saved: Any) -> tuple[SoundRequest, str]:
    """What a page shows that opens with what a browser kept, see `kept`, if anything; and a message."""
    try:
        return (kept(studios, saved) if saved else first(studios)), ""
    except SynthExplorerError as error:
        return first(studios), alert(str(error))


def pinned(studios: Studios, asked: SoundRequest) -> SoundRequest:
    """A request that makes one sound: it says how often its notes were listened to again, as often as they were yet."""
    return asked if asked.fit_steps is not None else replace(asked, fit_steps=fitted(studios, asked))


def at_rest(asked: SoundRequest) -> SoundRequest:
    """The same morph without edits, curves included."""
    settings, _ = turned(asked.settings, EditChain())
    return replace(asked, settings=replace(settings, curves=()), preset_mean=None, fit_steps=None)


def under(studios: Studios, question: Any, name: Any) -> SoundRequest:
    """What a question asks for, under another checkpoint: what means something else there goes to rest."""
    try:
        asked = SoundRequest.from_json(question.get("request") if isinstance(question, dict) else None)
    except SynthExplorerError:  # the page has not asked for anything yet
        asked = first(studios)
    rest = Settings()
    foreign = [name for name in rest.names() if name.startswith(("direction_", "raw_"))]
    known: dict[str, Any] = {name: getattr(rest, name) for name in foreign}
    if asked.settings.toward == PRESET_SOUND:
        known["toward"] = NO_SOURCE
    settings = replace(asked.settings, **known)
    return replace(asked, settings=settings, checkpoint=str(name), preset_mean=None, fit_steps=None)


def loaded(studios: Studios, question: Any, path: str | None) -> tuple[SoundRequest | None, str]:
    """What a file asks for: a patch the whole page, a preset the edits. None where it is neither; and a message."""
    if not path:
        return None, ""
    try:
        studio, asked = asked_for(studios, question)
        if not _is_patch(Path(path)):
            settings, mean, message = presets.load_preset(studio, path, asked.settings)
            if message:
                return None, message
            return replace(asked, settings=settings, preset_mean=mean, fit_steps=None), ""
        return _of_patch(studios, load_patch(path), asked)
    except SynthExplorerError as error:
        return None, alert(str(error).replace(str(path), Path(path).name))


def _is_patch(path: Path) -> bool:
    if zipfile.is_zipfile(path):
        return True
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, OSError, RecursionError):
        return False
    return isinstance(content, dict) and "sources" in content


def _of_patch(studios: Studios, patch: Patch, asked: SoundRequest) -> tuple[SoundRequest, str]:
    studio = studios.studio(patch.checkpoint)
    studio.renderer.check(patch)
    decoder, words = studio.explorer.decoders[0].name, ""
    if patch.decoder == FINAL.name != decoder:
        patch, words = patch.but(decoder=decoder), "The patch is a final render: press “Final render” to hear it so."
    return request_of(studio, patch, asked), words and f'<p class="caption">{words}</p>'


def request_of(studio: Studio, patch: Patch, asked: SoundRequest) -> SoundRequest:
    """The request that makes a patch of this studio's checkpoint; slots that it leaves free keep what they hold.

    Raises SynthExplorerError: the page has no knobs for it, or a note is not there.
    """
    tokens = [_opened(studio, source).token for source in patch.sources]
    count = max(2, len(tokens))
    tokens += list(asked.tokens[len(tokens) :])
    tokens[1] = tokens[1] or tokens[0]
    morph: dict[str, Any] = {"count": count, **_place(patch.mix, len(patch.sources))}
    if patch.pitch_midi is not None:
        morph |= {"set_pitch": True, "pitch_midi": patch.pitch_midi}
    in_key = patch.quantise not in CHOICES["quantise"]
    morph |= {"quantise": IN_KEY, "key": patch.quantise} if in_key else {"quantise": patch.quantise}
    morph |= {name: getattr(patch, name) for name in DECODING_KNOBS}
    settings, mean = turned(Settings(**morph), patch.edits)
    request = SoundRequest(tuple(tokens), settings, patch.checkpoint, mean, patch.fit_steps)
    request = SoundRequest.from_json(request.to_json())  # in the ranges of the knobs
    made = studio.asked(request)
    if made != patch:
        lacks = [name for name in ("decoder", *DECODING_KNOBS) if getattr(patch, name) != getattr(made, name)]
        what = " and ".join(f"{name} {getattr(patch, name)}" for name in lacks) or (
            "a mix or values that lie beyond the page's knobs"
        )
        raise SpecError(f"The patch has {what}, which the page cannot show; render it in the shell.")
    return request


def _opened(studio: Studio, source: Source) -> SlotNote:
    bundled = [note.name for note in studio.notes.values() if content_hash(note.path) == source.sha256]
    note = studio.open_example(bundled[0]) if bundled else studio.open_own(source.locate(), title=source.name)
    if note.heard_midi is not None and note.stated_midi != source.pitch_midi:
        note = studio.with_pitch(note, source.pitch_midi)
    return note


def _place(mix: Mix, count: int) -> dict[str, Any]:
    """The knobs of a mix of so many notes. Raises SpecError: it lies on no point of the pad."""
    if mix.by_pitch:
        return {"by_pitch": True}
    if not mix.stands(count):
        drawn = {"across": 1} if count == 2 else dict(zip(MORPH_CURVES, (1, 2), strict=True))
        ways = ((name, tuple((place[0], place[axis]) for place in mix.places)) for name, axis in drawn.items())
        return {"curves": tuple(ways)}
    if mix.places:
        _, x, y = mix.places[0]
    else:
        weights = (*normalised(mix.weights, count=count), 0.0, 0.0, 0.0)
        up = weights[2] + weights[3]
        x, y = (weights[1] + weights[3], up) if count != 3 else (weights[1] / (1 - up) if up < 1 else 0.5, up)
    if count <= 2:
        return {"mix": x if count == 2 else 0.0}
    return {"x": x, "y": y}
