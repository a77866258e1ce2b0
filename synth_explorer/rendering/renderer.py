"""The one way from a patch to its sound, with all that is remembered on the way: notes, mixes, solutions, sounds.

Shapes: T samples.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from threading import RLock
from typing import Any

import numpy as np

from synth_explorer import checkpoints, measure
from synth_explorer.audio import Recording
from synth_explorer.closed_loop import ClosedLoop, mean_sound
from synth_explorer.closed_loop.loop import split
from synth_explorer.edits import EditChain, Gain, MeanSound, SetPitch
from synth_explorer.errors import CheckpointError, SpecError, SynthExplorerError
from synth_explorer.explorer import Explorer
from synth_explorer.explorer.family import Progress, Stop
from synth_explorer.files import LATENTS_SUFFIXES
from synth_explorer.latents import Latents, midi_to_hz, under_loudest_db
from synth_explorer.lru import LruCache
from synth_explorer.rendering.patch import Patch
from synth_explorer.rendering.quantise import OFF, nearest
from synth_explorer.rendering.rendered import Rendered
from synth_explorer.rendering.sources import Source
from synth_explorer.runtime import side_by_side

LATENTS_KEPT, RENDERS_KEPT, RENDERERS_KEPT = 192, 48, 2  # a fitted note of 4 s takes 0.5 MB
RENDERS_BYTES = 256 << 20  # of their sounds; each may have that without its edits beside it
MOST_GAIN_DB = 48.0  # that a soft recording is raised by
NOTHING = np.zeros(0, np.float32)


class Renderer:
    """Renders patches of one checkpoint. Safe to call from several threads: who asks the same waits for one answer."""

    def __init__(self, explorer: Explorer) -> None:
        self.explorer = explorer
        self._loop = ClosedLoop(explorer)
        self._latents: LruCache[Latents] = LruCache(LATENTS_KEPT)
        self._renders: LruCache[Rendered] = LruCache(
            RENDERS_KEPT, most_bytes=RENDERS_BYTES, bytes_of=lambda made: made.audio.nbytes
        )
        self._turn = RLock()

    def known(self, source: Source, *, fit_steps: int) -> Latents | None:
        """Latents of a source, if they are remembered."""
        return self._latents.get(_key(source, fit_steps))

    def remember(self, source: Source, latents: Latents, *, fit_steps: int) -> None:
        """Take these for the latents of a source, which `latents` made of it elsewhere."""
        self._latents.put(_key(source, fit_steps), latents)

    def patch(self, *notes: Source, **further: Any) -> Patch:
        """A patch of this checkpoint, see `Patch.of`; `checkpoint` may say where it was found. Raises SpecError."""
        values = {"checkpoint": self.explorer.checkpoint_name, "checkpoint_hash": self.explorer.checkpoint_hash}
        values |= {"decoder": self.explorer.decoder(further.pop("decoder", None)).name}
        return Patch.make(what="The patch", error=SpecError, sources=notes, **(values | further))

    def latents(
        self, source: Source, *, fit_steps: int, progress: Progress | None = None, recording: Recording | None = None
    ) -> Latents:
        """Latents of a source: those of a latents file, or the note encoded, unless they are remembered.

        `fit_steps`, `progress`: as of `Explorer.encode`. `recording`: what was read of the note already. Raises
        AudioError, LatentsError: a note that is not there or cannot be used.
        """
        found = self.known(source, fit_steps=fit_steps)
        if found is not None:
            return found
        path = source.locate()
        if recording is None and path.suffix.lower() in LATENTS_SUFFIXES:
            found = self.explorer.load_latents(path, pitch=source.pitch_midi)
        else:
            found = self.explorer.encode(
                recording or path, source=source.name, pitch=source.pitch_midi, fit_steps=fit_steps, progress=progress
            )
        return self._latents.put(_key(source, fit_steps), found)

    def mean_sound(self, source: Source, *, fit_steps: int) -> MeanSound:
        """What other notes may be moved toward of a source, heard at its own pitch. Raises as `latents`."""
        return mean_sound(self.explorer, self.latents(source, fit_steps=fit_steps))

    def recording(self, source: Source) -> np.ndarray | None:
        """The part of a source's own sound that its latents stand for [T]; None where the source is latents."""
        path = source.locate()
        if path.suffix.lower() in LATENTS_SUFFIXES:
            return None
        latents = self.known(source, fit_steps=0) or self.latents(source, fit_steps=0)
        return latents.heard_of(self.explorer.read(path))

    def notes(self, patch: Patch) -> list[Latents]:
        """Latents of each source of a patch, over all cores; see `latents`."""
        return side_by_side(lambda source: self.latents(source, fit_steps=patch.fit_steps), patch.sources)

    def mix(self, patch: Patch) -> tuple[Latents, tuple[float, ...]]:
        """The mix of a patch without its edits, and the weights of its sources, their means where it moves."""
        self.check(patch)
        notes = self.notes(patch)
        if patch.mix.by_pitch:
            under_db, weights = self._by_pitch(notes, patch)
            levelled = [
                self.explorer.edit(note, EditChain((Gain(min(-db, MOST_GAIN_DB)),))) if db and weight else note
                for note, db, weight in zip(notes, under_db, weights, strict=True)
            ]
            mixed = self.explorer.morph(levelled, weights)
            if patch.pitch_midi is not None:
                mixed = self.explorer.edit(mixed, EditChain((SetPitch(patch.pitch_midi),)))
            return _quantised(mixed, patch), weights
        if len(notes) == 1 or patch.mix.stands(len(notes)):
            weights = (1.0,) if len(notes) == 1 else patch.mix.standing(len(notes))
            return _quantised(self.explorer.morph(notes, weights, pitch=patch.pitch_midi), patch), weights
        times_s = np.arange(max(note.frames for note in notes)) / notes[0].frame_rate_hz
        moving = patch.mix.weights_at(times_s, len(notes))
        mixed = self.explorer.morph_path(
            notes, list(zip(times_s.tolist(), moving, strict=True)), pitch=patch.pitch_midi
        )
        return _quantised(mixed, patch), tuple(float(mean) for mean in np.mean(moving, axis=0))

    def told_db(self, patch: Patch) -> float:
        """How much of a mix's `touch_db` its recordings tell by their timbre, at most 0. Raises as `mix`."""
        self.check(patch)
        return float(np.dot(*self._by_pitch(self.notes(patch), patch)))

    def _by_pitch(self, notes: Sequence[Latents], patch: Patch) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Of recordings of one instrument: by how much each lies under the loudest of its pitch, all 0 where nobody
        asks how hard a note is struck; and their weights."""
        pitches_midi, under_db = [note.pitch_midi for note in notes], (0.0,) * len(notes)
        if patch.mix.touch_db is not None:
            loudness = self.explorer.controls.require_loudness()
            levels_db = [float(note.z[:, loudness.channel].max()) / loudness.units_per_db for note in notes]
            under_db = under_loudest_db(pitches_midi, levels_db)
        return under_db, patch.mix.at_pitch(pitches_midi, patch.pitch_midi, under_db=under_db)

    def begin(self, patch: Patch, *, engine: str = "auto", sounded: bool = True) -> Rendered:
        """A patch up to its decoder: mixed, edited and solved. A decoder that answers at once has made its sound.

        `sounded`: False leaves the sound out where solving did not make it anyway.

        Raises SynthExplorerError: sources, a mix, edits or a decoder that cannot be.
        """
        started_s = time.perf_counter()
        before, weights = self.mix(patch)
        chain = patch.edits.at_work()
        chain.check(before)
        solution, after, audio = None, before, NOTHING
        if len(chain) and self._loop.available and not patch.open_loop:
            solution = self._loop.solve(before, chain, **_listening(patch, engine))
            after, audio = solution.latents, solution.audio
        elif len(chain):
            after = self.explorer.edit(before, chain)
        if not self._is_heard_by_loop(patch):
            audio = NOTHING
        elif solution is None and sounded:
            audio = self._loop.sound(after, **_listening(patch, engine))
        took_s = time.perf_counter() - started_s
        return Rendered(
            patch, before, after, weights, solution, audio, self.explorer.sample_rate_hz, took_s, engine, renderer=self
        )

    def render(self, patch: Patch, *, engine: str = "auto", progress: Progress | None = None) -> Rendered:
        """The sound of a patch, whole.

        `engine`: what computes the decoder, see `Explorer.decode`. Raises SynthExplorerError: as of `begin` and
        `Explorer.decode`.
        """
        with self._turn:  # whoever asks the same a moment later waits for this answer
            found = self.remembered(patch, engine=engine)
            if found is not None:
                return found
            begun = self.begin(patch, engine=engine)
            if begun.audio.size:
                return self.keep(begun)
        started_s = time.perf_counter()
        audio = np.concatenate(list(self.stream(begun, progress=progress)))
        return self.keep(replace(begun, audio=audio, took_s=begun.took_s + time.perf_counter() - started_s))

    def render_many(
        self, patches: Sequence[Patch], *, engine: str = "auto", progress: Progress | None = None
    ) -> list[Rendered | Exception]:
        """As `render` of each: the sound, or the SynthExplorerError that it ends with.

        A decoder that does not answer at once, and any on the engine `keras`, which may have a device for it, makes
        those together that it can, see `Explorer.decode_many`.
        """
        found: list[Rendered | Exception] = []
        for patch in patches:
            try:
                alone = engine != "keras" and self.explorer.decoder(patch.decoder).answers_at_once
                render = self.render if alone else partial(self.begin, sounded=False)
                found.append(render(patch, engine=engine))
            except SynthExplorerError as error:
                found.append(error)
        groups: dict[tuple[str, float], list[int]] = {}
        for i, sound in enumerate(found):
            if isinstance(sound, Rendered) and not sound.audio.size:
                groups.setdefault((sound.patch.decoder, sound.patch.temperature), []).append(i)
        for (decoder, temperature), group in groups.items():
            begun = [one for i in group if isinstance(one := found[i], Rendered)]
            sounds = self.explorer.decode_many(
                [one.after for one in begun],
                decoder=decoder,
                seed=[one.patch.seed for one in begun],
                temperature=temperature,
                engine=engine,
                progress=progress,
            )
            for i, one, audio in zip(group, begun, sounds, strict=True):
                found[i] = audio if isinstance(audio, SynthExplorerError) else replace(one, audio=audio)
        return found

    def keep(self, rendered: Rendered) -> Rendered:
        """Remember a sound that is whole; it is not to be written to from then on."""
        rendered.audio.flags.writeable = False
        return self._renders.put(_asked(rendered.patch, rendered.engine), rendered)

    def remembered(self, patch: Patch, *, engine: str = "auto") -> Rendered | None:
        """The sound of a patch, if it was made before."""
        return self._renders.get(_asked(patch, engine))

    def stream(
        self, begun: Rendered, *, stop: Stop | None = None, progress: Progress | None = None
    ) -> Generator[np.ndarray]:
        """The sound of a patch that was begun, in chunks [n]; see `Explorer.stream`."""
        return self.explorer.stream(
            begun.after,
            decoder=begun.patch.decoder,
            seed=begun.patch.seed,
            temperature=begun.patch.temperature,
            engine=begun.engine,
            stop=stop,
            progress=progress,
        )

    def decode(
        self, latents: Latents, patch: Patch, *, engine: str = "auto", progress: Progress | None = None
    ) -> np.ndarray:
        """The sound [T] of latents as a patch decodes them."""
        how = _listening(patch, engine)
        if self._is_heard_by_loop(patch):
            return self._loop.sound(latents, **how)
        return self.explorer.decode(latents, decoder=patch.decoder, progress=progress, **how)

    def before(self, rendered: Rendered, *, progress: Progress | None = None) -> np.ndarray:
        """The sound [T] of a rendered patch without its edits, by the same engine."""
        if not len(rendered.chain):
            return rendered.audio
        return self.decode(rendered.before, rendered.patch, engine=rendered.engine, progress=progress)

    def report(self, rendered: Rendered, *, progress: Progress | None = None) -> dict[str, Any]:
        """Requested against measured; with the recording where the patch is of one; with the outcomes where solved.

        `progress`: called while a slow decoder makes the sound before the edits.
        """
        patch, solution = rendered.patch, rendered.solution
        known_hz = None
        if rendered.before.has_pitch:
            known_hz = midi_to_hz(rendered.before.pitch_midi), midi_to_hz(rendered.after.pitch_midi)
        first = next((edit for edit in patch.edits if edit.kind == "oscillate"), None)  # the one that is reported
        is_solved = solution is not None and any(edit is first for edit in split(patch.edits)[1])
        found = measure.report(
            patch.edits,
            rendered.audio_before if progress is None else self.before(rendered, progress=progress),
            rendered.audio,
            sample_rate_hz=rendered.sample_rate_hz,
            pitch_hz=known_hz,
            swings_from=solution.reference.audio if solution is not None and is_solved else None,
            source=self.recording(patch.sources[0]) if len(patch.sources) == 1 else None,
        )
        if solution is None:
            return found
        outcomes = [outcome.to_dict() for outcome in solution.outcomes]
        return found | {"reached": solution.reached, "outcomes": outcomes}

    def _is_heard_by_loop(self, patch: Patch) -> bool:
        """Whether the loop listens to the patch's own decoder, so that a solved sound is the patch's."""
        return self._loop.available and self.explorer.decoder(patch.decoder) is self.explorer.decoders[0]

    def check(self, patch: Patch) -> None:
        """Raises CheckpointError: a patch of another checkpoint."""
        if patch.checkpoint_hash != self.explorer.checkpoint_hash:
            raise CheckpointError(
                f"The patch was made with the checkpoint {patch.checkpoint!r} ({patch.checkpoint_hash[:12]}); this one "
                f"is {self.explorer.checkpoint_name!r} ({self.explorer.checkpoint_hash[:12]}). Load that one."
            )


def _quantised(mixed: Latents, patch: Patch) -> Latents:
    """A mix whose median pitch lies on a note of its patch's quantiser; vibrato and glides stay, in cents."""
    if patch.quantise == OFF or patch.pitch_midi is not None or not mixed.has_pitch:
        return mixed
    semitones = nearest(mixed.pitch_midi, patch.quantise) - mixed.pitch_midi
    return mixed.at_pitch(mixed.pitch_hz * 2.0 ** (semitones / 12.0))


def _key(source: Source, fit_steps: int) -> tuple[Any, ...]:
    return source.sha256, source.pitch_midi, source.name, fit_steps


def _asked(patch: Patch, engine: str) -> tuple[Any, ...]:
    """What a sound is remembered by: its notes' names stand in its latents."""
    return patch.id, tuple(source.name for source in patch.sources), engine


def _listening(patch: Patch, engine: str) -> dict[str, Any]:
    return {"seed": patch.seed, "temperature": patch.temperature, "engine": engine}


@lru_cache(RENDERERS_KEPT)
def _renderer(checkpoint: Path) -> Renderer:
    return Renderer(Explorer.load(checkpoint))


def renderer_of(patch: Patch) -> Renderer:
    """The renderer of a patch's checkpoint, loaded by its name, once. Raises CheckpointError."""
    return _renderer(checkpoints.find(patch.checkpoint))


def render(patch: Patch, *, explorer: Explorer | None = None, engine: str = "auto") -> Rendered:
    """The sound of a patch, its edits solved.

    `explorer`: of its checkpoint; None: loaded by the patch's name of it, once. `engine`: what computes the decoder,
    see `Explorer.decode`. Returns `audio` [T] at `sample_rate_hz`, latents `before` and `after` the edits, `outcomes`,
    `report`. Raises SynthExplorerError: what the patch says cannot be, in a sentence.
    """
    renderer = renderer_of(patch) if explorer is None else Renderer(explorer)
    return renderer.render(patch, engine=engine)
