"""The patch of a sound that a program asks for: its notes are those that come with the program, or are kept here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from synth_explorer.edits import EditChain
from synth_explorer.errors import AudioError, SpecError
from synth_explorer.rendering import Mix, Patch, Source
from synth_explorer.ui.request.wanted import LONGEST, WHAT, Wanted
from synth_explorer.ui.session.note_store import DIGITS
from synth_explorer.ui.session.slot_note import SlotNote

if TYPE_CHECKING:
    from synth_explorer.ui.session.studio import Studio
    from synth_explorer.ui.session.studios import Studios


def wanted_patch(studios: Studios, given: Any) -> tuple[Studio, Patch]:
    """The patch of a `Wanted`, or of a whole patch, as objects of JSON; and the studio that makes it.

    Raises SynthExplorerError: a field that cannot be, or a note that is not here.
    """
    if not isinstance(given, dict):
        raise SpecError(f"{WHAT} must be an object of fields; received {type(given).__name__}.")
    if "sources" in given:
        return _whole(studios, given)
    wanted = Wanted.make(what=WHAT, error=SpecError, **{str(name): value for name, value in given.items()})
    studio = studios.studio(wanted.checkpoint or studios.names[0])
    patch = studio.renderer.patch(
        *(found(studio, token).source for token in wanted.notes),
        mix=Mix.at(0.5, 0.5) if wanted.mix is None else Mix.of(wanted.mix),
        pitch_midi=wanted.pitch,
        edits=EditChain.from_list(list(wanted.edits)),
        decoder=wanted.decoder,
        seed=wanted.seed,
        temperature=wanted.temperature,
        fit_steps=wanted.fit_steps,
        open_loop=wanted.open_loop,
    )
    return studio, patch


def _whole(studios: Studios, given: dict[str, Any]) -> tuple[Studio, Patch]:
    text = json.dumps(given)
    if len(text) > LONGEST:
        raise SpecError(f"The patch has {len(text):,} characters; {LONGEST:,} are the most.")
    patch = Patch.from_json(text)
    studio = studios.studio(patch.checkpoint)
    studio.renderer.check(patch)
    return studio, patch.but(sources=tuple(_here(studio, source) for source in patch.sources))


def found(studio: Studio, token: str) -> SlotNote:
    """A note by its token, see `SlotNote.token`. Raises AudioError: it is not here."""
    name = token.partition("/")[0].partition("@")[0]
    note = studio.find(token) if name in studio.notes or studio.store.find(name) else None
    if note is None:
        raise AudioError(f"There is no note {token!r} here; give the name of a bundled one, or encode a file first.")
    return note


def _here(studio: Studio, source: Source) -> Source:
    """A source of a patch as it lies here, wherever the patch says."""
    known = studio.notes.get(source.name)
    token = source.name if known is not None and source.origin == "bundled" else f"{source.sha256[:DIGITS]}/x"
    note = found(studio, token).source
    if note.sha256 != source.sha256:
        raise AudioError(f"The note {source.name} here is another one than that of the patch.")
    return note.model_copy(update={"name": source.name, "pitch_midi": source.pitch_midi})


def without_paths(patch: Patch) -> dict[str, Any]:
    """A patch as an object of JSON that says nothing of where files lie on this machine."""
    plain = patch.model_dump(mode="json")
    for source in plain["sources"]:
        del source["path"]
    return plain
