"""A spec: many sounds in a few lines of YAML, declared field by field. `plan` says what they come to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, Strict, ValidationError

from synth_explorer.batch.morphs import Morph
from synth_explorer.batch.output import Output
from synth_explorer.batch.values import Pitch, Pitches, Range, by_shape, choice
from synth_explorer.batch.variants import Combine
from synth_explorer.batch.velocities import VelocitySpec
from synth_explorer.errors import SpecError
from synth_explorer.explorer import FIT_STEPS
from synth_explorer.files import read_bytes
from synth_explorer.marked import Marked
from synth_explorer.rendering.quantise import OFF, quantiser
from synth_explorer.schema import LACKING, Schema, first_wrong

SUFFIXES = (".yaml", ".yml")
LARGEST_BYTES = 2**24
INSIDE = ("one", "list", "range", "[key]")  # what the library puts into a place beside fields and indices


class Note(Schema):
    """A source with what is known of it."""

    note: Annotated[str, Field(min_length=1)]  # a bundled note's name, or a path from the spec's folder on
    pitch: Pitch | None = None  # where it is known; else it is heard
    name: Annotated[str, Field(min_length=1)] | None = None  # in morphs and file names; else the note's


Words = Annotated[tuple[str, ...], Strict(False), Field(min_length=1)]
if TYPE_CHECKING:  # types made by a function are none to a type checker
    SourceSpec = Seeds = Any
else:
    SourceSpec = by_shape(one=Annotated[str, Field(min_length=1)], range=Note)
    Seeds = choice(Annotated[int, Field(ge=0)], Range)


def _own(given: Any) -> Any:
    return None if given == "own" else given


def _as_list(given: Any) -> Any:
    return [given] if isinstance(given, str) else given


class Spec(Output):
    """Every field of a spec but those of `Output`; each sound is made for each value of the others."""

    checkpoint: str = "default"  # by name, or its folder from the spec's folder on
    sources: Annotated[tuple[SourceSpec, ...], Strict(False), Field(min_length=1)]
    morphs: Annotated[tuple[Morph, ...], Strict(False), Field(min_length=1)] | None = None  # None: each source alone
    edits: Annotated[tuple[dict[Any, Any], ...], Strict(False)] = ()  # in the order in which they are applied
    combine: Combine = "product"  # of the values of edits
    pitches: Annotated[Pitches | None, BeforeValidator(_own)] = None  # None, or "own": between those of the sources
    quantise: Annotated[str, AfterValidator(quantiser)] = OFF  # on which notes a mixed pitch comes to lie
    velocities: VelocitySpec | None = None
    decoders: Annotated[Words, BeforeValidator(_as_list)] | None = None  # None: the checkpoint's first
    seeds: Seeds = 0
    temperature: Annotated[float, Field(ge=0.0)] = 1.0
    fit_steps: Annotated[int, Field(ge=0, le=200)] = FIT_STEPS
    open_loop: bool = False
    name: Annotated[str, Field(min_length=1)] | None = None  # None: what tells the sounds apart


def read(path: str | os.PathLike[str]) -> tuple[Spec, Marked]:
    """Read a spec, and where its values stand. Raises SpecError: a sentence with file, line and field."""
    path = Path(path)
    try:
        text = read_bytes(path, most_bytes=LARGEST_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SpecError(f"{path} is not text in UTF-8; save it as that.") from None
    except OSError as error:
        raise SpecError(f"{path} cannot be read: {error.strerror or error}.") from None
    marked = Marked(text, name=os.fspath(path))
    if not isinstance(marked.data, dict):
        marked.refuse("a spec is a list of fields, such as `sources: [Cello, Flute]`")
    for key in marked.data:
        if not isinstance(key, str):
            marked.refuse(f"there is no field {key!r}; leave it out", (key,))
    try:
        return Spec.model_validate(marked.data), marked
    except ValidationError as error:
        place, why = first_wrong(error)
        lacking = place[-1] if why == LACKING and isinstance(place[-1], str) else ""
        if why == LACKING and not lacking:
            why = "a value is missing here"
        why = why.replace("a valid dictionary", "fields in braces")
        marked.refuse(why, [part for part in place if part not in INSIDE], lacking=lacking)
