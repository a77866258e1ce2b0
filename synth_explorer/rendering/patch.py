"""A sound as one value: checkpoint, sources, mix, pitch, edits, decoder, seed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, PlainSerializer, PlainValidator, field_validator, model_validator

from synth_explorer import checkpoints
from synth_explorer.edits import Edit, EditChain, SetPitch
from synth_explorer.errors import SpecError
from synth_explorer.explorer import FIT_STEPS
from synth_explorer.explorer.decoders import OF_FAMILY, Decoder, choose
from synth_explorer.files import write_text
from synth_explorer.pitch import check_midi
from synth_explorer.rendering.mix import Mix
from synth_explorer.rendering.quantise import OFF, quantiser
from synth_explorer.rendering.sources import Source
from synth_explorer.schema import Schema

FORMAT_VERSION = 1
ID_DIGITS = 12
NO_SOUND = {"format_version", "checkpoint", "sources", "mix", "edits"}
"""Fields that stand in another form in a patch's meaning."""

Edits = Annotated[
    EditChain,
    PlainValidator(lambda given: given if isinstance(given, EditChain) else EditChain.from_list(given)),
    PlainSerializer(EditChain.to_list, return_type=list[dict[str, Any]]),
]


class Patch(Schema):
    """All that a sound is made of. Two patches that mean the same sound are equal and have the same `id`.

    `checkpoint`, `checkpoint_hash`: the model, by its name here and by what gives latents their meaning. `fit_steps`:
    how often each note is listened to again, see `Explorer.encode`.
    """

    format_version: int = FORMAT_VERSION  # of its JSON
    checkpoint: str
    checkpoint_hash: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    sources: Annotated[tuple[Source, ...], Field(min_length=1, max_length=4)]  # one to four notes
    mix: Mix = Mix.at(0.5, 0.5)  # where between them
    pitch_midi: float | None = None  # of the result; None: between those of the sources
    quantise: str = OFF  # on which notes a pitch between them comes to lie, see `quantise`
    edits: Edits = EditChain()  # in the order in which they are applied
    decoder: str = "fast"  # by its name; `of` says the checkpoint's first one where none is given
    seed: Annotated[int, Field(ge=0)] = 0  # of the decoder's noise or draws
    temperature: Annotated[float, Field(ge=0.0)] = 1.0  # see `Explorer.decode`
    fit_steps: Annotated[int, Field(ge=0, le=200)] = FIT_STEPS
    open_loop: bool = False  # whether edits are applied by their formulas, unsolved

    @field_validator("format_version")
    @classmethod
    def _known_format(cls, version: int) -> int:
        if version > FORMAT_VERSION:
            raise ValueError(f"version {version} is newer than this program reads ({FORMAT_VERSION}); update it")
        if version < 1:
            raise ValueError(f"version {version} never existed; this program reads 1 to {FORMAT_VERSION}")
        return FORMAT_VERSION

    @model_validator(mode="after")
    def _sane_mix(self) -> Self:
        self.mix.check(len(self.sources))
        return self

    @field_validator("pitch_midi")
    @classmethod
    def _sane_pitch(cls, midi: float | None) -> float | None:
        return None if midi is None else check_midi(midi)

    @field_validator("quantise")
    @classmethod
    def _sane_quantiser(cls, text: str) -> str:
        return quantiser(text)

    @classmethod
    def of(
        cls,
        *notes: Source | str | os.PathLike[str],
        mix: Mix | float | Sequence[float] | None = None,
        edits: EditChain | Iterable[Edit] = (),
        checkpoint: str = "default",
        decoder: str | Decoder | None = None,
        **further: Any,
    ) -> Patch:
        """A patch of notes.

        Args:
            notes: names of bundled notes, paths of sound files or latents, or sources.
            mix: a `Mix`; a number goes from the first of two notes (0) to the second (1), several are weights; None
                is the middle.
            checkpoint: by name or folder.
            decoder: of the checkpoint; None: its first.

        Raises AudioError: a note that is not there; CheckpointError: no such checkpoint, or it has no such decoder;
        SpecError: a field that cannot be.
        """
        info = checkpoints.read_info(checkpoints.find(checkpoint))
        sources = tuple(note if isinstance(note, Source) else Source.of(note) for note in notes)
        chain = edits if isinstance(edits, EditChain) else EditChain(tuple(edits))
        named = {"checkpoint": os.fspath(checkpoint), "checkpoint_hash": info.hash, "sources": sources}
        named["decoder"] = choose(decoder, OF_FAMILY[info.family], checkpoint=info.name).name
        where = Mix.at(0.5, 0.5) if mix is None else Mix.of(mix)
        return cls.make(what="The patch", error=SpecError, **named, mix=where, edits=chain, **further)

    def meaning(self) -> dict[str, Any]:
        """What is equal for patches that mean the same sound: not where files lie or what they are called."""
        plain = self.model_dump(mode="json", exclude=NO_SOUND)
        plain["edits"] = self.edits.at_work().to_list()
        if self.quantise == OFF or self.pitch_midi is not None:
            del plain["quantise"]
        mix, notes = self.mix.meaning(len(self.sources)), [[one.sha256, one.pitch_midi] for one in self.sources]
        if self.mix.by_pitch:
            return plain | {"sources": notes, "mix": mix}
        if self.mix.stands(len(notes)):  # a note of weight zero takes no part
            notes, mix = zip(*((note, weight) for note, weight in zip(notes, mix, strict=True) if weight), strict=True)
        return plain | {"sources": list(notes), "mix": list(mix)}

    @property
    def id(self) -> str:
        """A short name of the sound, of twelve hexadecimal digits."""
        text = json.dumps(self.meaning(), sort_keys=True, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()[:ID_DIGITS]

    def __eq__(self, other: object) -> bool:
        return self.meaning() == other.meaning() if isinstance(other, Patch) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.id)

    def but(self, **changes: Any) -> Patch:
        """The same patch with other fields, checked. Raises SpecError."""
        values = {name: getattr(self, name) for name in type(self).model_fields} | changes
        return self.make(what="The patch", error=SpecError, **values)

    def at_key(self, midi: float) -> Patch:
        """The patch as a key plays it: its mix has this pitch, its edits, transposition included, come upon that.

        The key is set as an edit, since the brightness then goes with it as it does in real instruments; where the
        mix goes by pitch it says where between the sources the sound lies.
        """
        midi = check_midi(midi, name="key")
        if self.mix.by_pitch:
            return self.but(pitch_midi=midi)
        return self.but(edits=EditChain((SetPitch(midi=midi), *self.edits)))

    def to_json(self) -> str:
        """The patch as JSON text, whole floats and all."""
        return json.dumps(self.model_dump(mode="json"), indent=2, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Patch:
        """Read what `to_json` wrote. Raises SpecError with the place of what is wrong."""
        return cls.parse(text, what="The patch", error=SpecError)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the patch as JSON, whole or not at all. Raises SpecError."""
        try:
            return write_text(path, self.to_json())
        except OSError as error:
            raise SpecError(f"{path} cannot be written: {error.strerror or error}.") from error
