"""From a spec, or patches, to the sounds that are to be made: each a patch with the name of its file."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import product
from pathlib import Path
from typing import Any

from synth_explorer import __version__, checkpoints, rendering
from synth_explorer.batch import naming, variants
from synth_explorer.batch.morphs import Morph, Place
from synth_explorer.batch.notes import Listening, listenings
from synth_explorer.batch.origins import Origins, sizes
from synth_explorer.batch.output import Output
from synth_explorer.batch.spec import Spec, read
from synth_explorer.batch.values import listed
from synth_explorer.edits import EditChain, MeanSound
from synth_explorer.errors import CheckpointError, SpecError, SynthExplorerError
from synth_explorer.explorer.decoders import OF_FAMILY, Decoder, choose
from synth_explorer.files import is_dir
from synth_explorer.marked import Marked
from synth_explorer.pitch import note_name
from synth_explorer.rendering import Patch

FORMAT_VERSION = 1  # of what addresses are made of
MOST_SOUNDS = 1_000_000
ADDRESS_DIGITS = 24


@dataclass(frozen=True, eq=False)
class Job:
    """A sound that is to be made."""

    file: str  # its name in the folder
    patch: Patch
    address: str  # of all that its file depends on: what has the same address is the same file


@dataclass(frozen=True, eq=False)
class Plan:
    """Sounds in the order of the spec."""

    jobs: tuple[Job, ...]
    output: Output
    engine: str = "auto"

    @cached_property
    def lots(self) -> list[tuple[Job, ...]]:
        """Jobs that are done in one go, the same ones however many are missing: see `together`."""
        return list(lots_of(self.jobs, self.engine))

    def listenings(self, jobs: Iterable[Job]) -> list[Listening]:
        """The notes of some sounds, once each."""
        return list({note.key: note for job in jobs for note in listenings(job.patch)}.values())


TOGETHER, DEVICE_TOGETHER = 16, 64
"""Sounds of a decoder that does not answer at once, or of the engine `keras`, in a lot: more are hardly faster, and all
are lost by a stop."""


def lots_of(jobs: Sequence[Job], engine: str) -> Iterator[tuple[Job, ...]]:
    """Jobs alone where the decoder answers at once, but for Keras; others together with the next of one decoder."""
    most = DEVICE_TOGETHER if engine == "keras" else TOGETHER
    lots: dict[tuple[Any, ...], list[Job]] = {}
    for job in jobs:
        if engine != "keras" and decoder_of(job.patch).answers_at_once:
            yield (job,)
            continue
        lot = lots.setdefault((job.patch.checkpoint_hash, job.patch.decoder, job.patch.temperature), [])
        lot.append(job)
        if len(lot) == most:
            yield tuple(lot)
            lot.clear()
    yield from (tuple(lot) for lot in lots.values() if lot)


def decoder_of(patch: Patch) -> Decoder:
    """The decoder of a patch, known without loading its checkpoint."""
    known = {one.name: one for family in OF_FAMILY.values() for one in family}
    return known[patch.decoder]


def address(patch: Patch, output: Output, engine: str) -> str:
    """What a file is known by."""
    meaning = [FORMAT_VERSION, __version__, patch.meaning(), output.meaning, engine]
    text = json.dumps(meaning, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:ADDRESS_DIGITS]


def of_patches(named: Mapping[str, Patch], output: Output, *, engine: str = "auto") -> Plan:
    """A plan of patches by the names of their files. Raises CheckpointError: a decoder has no such engine."""
    jobs = (Job(file, patch, address(patch, output, engine)) for file, patch in named.items())
    return _planned(jobs, output, engine)


def _planned(jobs: Iterable[Job], output: Output, engine: str) -> Plan:
    plan = Plan(tuple(jobs), output, engine)
    for decoder in {decoder_of(job.patch) for job in plan.jobs}:
        decoder.check_engine(engine)
    return plan


def of_spec(path: str | os.PathLike[str], *, engine: str = "auto") -> Plan:
    """The plan of a spec, validated whole.

    Raises SpecError: a sentence with file, line and field; CheckpointError: a decoder has no such engine.
    """
    spec, marked = read(path)
    return _Planner(spec, marked, Path(path).absolute().parent, engine).plan()


class _Planner:
    """Turns one spec into a plan."""

    def __init__(self, spec: Spec, marked: Marked, folder: Path, engine: str) -> None:
        self.spec, self.marked, self.folder, self.engine = spec, marked, folder, engine
        self.output = Output(**{name: getattr(spec, name) for name in Output.model_fields})
        self.info = self._checkpoint()

    def _checkpoint(self) -> checkpoints.CheckpointInfo:
        given = self.spec.checkpoint
        near = self.folder / given
        try:
            return checkpoints.read_info(checkpoints.find(near if is_dir(near) else given))
        except CheckpointError as error:
            self.marked.refuse(str(error), ("checkpoint",))

    def plan(self) -> Plan:
        """All of its sounds."""
        origins = Origins(self.spec.sources, self.marked, self.folder, self.info)
        places = self._places(list(origins.sources))
        goal = partial(self._goal, origins)
        chains = variants.expand(self.spec.edits, self.spec.combine, marked=self.marked, folder=self.folder, goal=goal)
        velocities = self._velocities()
        origins.check_edits([*(variant.chain for variant in chains), *(chain for _, chain in velocities)])
        pitches = self._pitches()
        decoders, seeds = self._decoders(), self._seeds()
        count = len(places) * len(chains) * len(velocities) * len(pitches) * len(decoders) * len(seeds)
        if count > MOST_SOUNDS:
            self.marked.refuse(f"it comes to {count:,} sounds; the most are {MOST_SOUNDS:,}")
        pattern = self._pattern(places, chains, velocities, pitches, decoders, seeds)
        jobs: dict[str, Job] = {}
        combined = product(places, chains, velocities, pitches, decoders, seeds)
        for number, (place, variant, (velocity, softer), midi, decoder, seed) in enumerate(combined, 1):
            patch = self._patch(
                place, origins, edits=variant.chain + softer, pitch_midi=midi, decoder=decoder.name, seed=seed
            )
            values = dict(variant.values) | {
                "source": "+".join(place.notes),
                "mix": place.label or "1",
                "x": place.x,
                "y": place.y,
                "pitch": "own" if midi is None else _pitch_name(midi),
                "midi": midi,
                "velocity": velocity,
                "edits": variant.label or "plain",
                "decoder": decoder.name,
                "seed": seed,
                "number": number,
                "id": patch.id,
            }
            file = self._file(pattern, values)
            other = jobs.get(file.casefold())
            if other is not None:
                first = list(jobs).index(file.casefold()) + 1
                self.marked.refuse(
                    f"sounds {first} and {number} would both be {file}; name what tells them apart, or {{number}}",
                    ("name",),
                )
            jobs[file.casefold()] = Job(file, patch, address(patch, self.output, self.engine))
        return _planned(jobs.values(), self.output, self.engine)

    def _goal(self, origins: Origins, note: str, place: tuple[Any, ...]) -> MeanSound:
        """What a note is moved toward of another: the only question of a spec that a checkpoint is loaded for."""
        source, fit_steps = origins.goal(note, place), self.spec.fit_steps
        alone = Patch.make(what="The note", error=SpecError, sources=(source,), **self._model)
        try:
            return rendering.renderer_of(alone).mean_sound(source, fit_steps=fit_steps)
        except SynthExplorerError as error:
            self.marked.refuse(str(error), place)

    def _patch(self, place: Place, origins: Origins, **further: Any) -> Patch:
        spec = self.spec
        values: dict[str, Any] = {"temperature": spec.temperature, "fit_steps": spec.fit_steps}
        values |= {"open_loop": spec.open_loop, "quantise": spec.quantise}
        sources = tuple(origins.sources[name] for name in place.notes)
        values |= {"sources": sources, "mix": place.mix} | self._model | further
        return Patch.make(what="The patch", error=SpecError, **values)

    @property
    def _model(self) -> dict[str, str]:
        return {"checkpoint": self._checkpoint_name, "checkpoint_hash": self.info.hash}

    @cached_property
    def _checkpoint_name(self) -> str:
        """How patches call the checkpoint: by its name, or its folder where it is found by that alone."""
        near = self.folder / self.spec.checkpoint
        return str(near) if is_dir(near) else self.spec.checkpoint

    def _places(self, sources: Sequence[str]) -> list[Place]:
        if self.spec.morphs is None:
            return list(Morph(each="all").expand(sources))
        found: dict[Any, Place] = {}
        for i, morph in enumerate(self.spec.morphs):
            try:
                for place in morph.expand(sources):
                    found.setdefault((place.notes, place.label), place)
            except ValueError as error:
                self.marked.refuse(str(error), ("morphs", i, morph.field_of(error)))
        return list(found.values())

    def _velocities(self) -> list[tuple[int | None, EditChain]]:
        if self.spec.velocities is None:
            return [(None, EditChain())]
        try:
            return [*self.spec.velocities.chains()]
        except ValueError as error:
            self.marked.refuse(str(error), ("velocities",))

    def _pitches(self) -> list[float | None]:
        if self.spec.pitches is None:
            return [None]
        if not sizes(self.info).has_pitch:
            self.marked.refuse(f"the checkpoint {self.info.name} keeps pitch inside its latents", ("pitches",))
        return list(dict.fromkeys(listed(self.spec.pitches)))

    def _decoders(self) -> list[Decoder]:
        names: Sequence[str | None] = self.spec.decoders or (None,)
        found: dict[Decoder, None] = {}
        for i, name in enumerate(names):
            try:
                found[choose(name, OF_FAMILY[self.info.family], checkpoint=self.info.name)] = None
            except SynthExplorerError as error:
                self.marked.refuse(str(error), ("decoders", i))
        return list(found)

    def _seeds(self) -> list[int]:
        try:
            values = listed(self.spec.seeds)
        except ValueError as error:
            self.marked.refuse(str(error), ("seeds",))
        for value in values:
            if value < 0 or value != int(value):
                self.marked.refuse(f"a seed is a whole number from 0 on; received {value:g}", ("seeds",))
        return list(dict.fromkeys(int(value) for value in values))

    def _pattern(self, places: Sequence[Place], chains: Sequence[variants.Variant], *axes: Sequence[Any]) -> str:
        """How files are named: as the spec says, or by what differs."""
        known = dict.fromkeys([*naming.FIELDS, *(name for variant in chains for name in variant.values)])
        if self.spec.name is not None:
            try:
                naming.check(self.spec.name, known)
            except ValueError as error:
                self.marked.refuse(str(error), ("name",))
            return self.spec.name
        velocities, pitches, decoders, seeds = axes
        parts = ["{source}"] + (["{mix}"] if any(place.label for place in places) else [])
        parts += ["{edits}"] if len(chains) > 1 else []
        parts += ["v{velocity}"] if velocities[0][0] is not None else []
        parts += ["{pitch}"] if pitches[0] is not None else []
        parts += ["{decoder}"] if len(decoders) > 1 else []
        return "_".join(parts + (["s{seed}"] if len(seeds) > 1 else []))

    def _file(self, pattern: str, values: Mapping[str, Any]) -> str:
        try:
            return naming.fill(pattern, values, suffix=self.output.suffix)
        except ValueError as error:
            self.marked.refuse(str(error), ("name",))


def _pitch_name(midi: float) -> str:
    """A pitch in a file's name: C4, Eb3 as D#3, with cents where it has a fraction."""
    cents = round(100 * (midi - round(midi)))
    return note_name(midi).replace("♯", "#") + (f"{cents:+d}" if cents else "")
