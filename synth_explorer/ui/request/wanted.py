"""A sound as programs ask for it over HTTP: notes by their names, and of all else what a patch says, in few words."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, Strict

from synth_explorer.errors import AudioError, SpecError
from synth_explorer.explorer import FIT_STEPS
from synth_explorer.pitch import midi_of
from synth_explorer.schema import Floats, Schema

LONGEST = 65_536
"""Characters of a sound in JSON; more is refused unread."""

WHAT = "The sound"


def _pitch(given: Any) -> Any:
    """A MIDI number, from the name of a note where it is one."""
    if not isinstance(given, str):
        return given
    try:
        return midi_of(given)
    except AudioError as error:
        raise ValueError(str(error)) from None


Pitch = Annotated[float, BeforeValidator(_pitch)]


class Wanted(Schema):
    """What is wanted. Nothing in it is a path."""

    notes: Annotated[tuple[str, ...], Strict(False), Field(min_length=1, max_length=4)]  # see `SlotNote.token`
    mix: float | Floats | None = None  # from the first of two (0) to the second (1), or weights; None: the middle
    pitch: Pitch | None = None  # C4 or 60; None: between those of the notes
    edits: Annotated[tuple[dict[str, Any], ...], Strict(False)] = ()  # as of a preset
    decoder: str | None = None  # None: the checkpoint's first
    seed: Annotated[int, Field(ge=0)] = 0
    temperature: Annotated[float, Field(ge=0.0)] = 1.0
    fit_steps: Annotated[int, Field(ge=0, le=200)] = FIT_STEPS
    open_loop: bool = False
    checkpoint: str | None = None  # None: the page's first


def read(text: str) -> dict[str, Any]:
    """An object from its JSON. Raises SpecError: it is none, or too long."""
    if len(text) > LONGEST:
        raise SpecError(f"{WHAT} has {len(text):,} characters; {LONGEST:,} are the most.")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SpecError(f"{WHAT} must be JSON: {error}.") from None
    if not isinstance(found, dict):
        raise SpecError(f'{WHAT} must be an object, such as {{"notes": ["Cello", "Flute"]}}.')
    return found
