"""The page's server side: sources that are open, the sound that the knobs ask for, and what is remembered of both.

It knows the Explorer and no Gradio: answers call it, and so may tests.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from threading import Event, Lock, RLock, Thread
from typing import TYPE_CHECKING, Any

import numpy as np

from synth_explorer import audio as sound
from synth_explorer.closed_loop import mean_sound
from synth_explorer.errors import AudioError, EditError
from synth_explorer.explorer import FIT_STEPS
from synth_explorer.lru import LruCache
from synth_explorer.measure import MEL_CENTRES_HZ
from synth_explorer.pitch import check_midi
from synth_explorer.ui.request.chains import edit_chain
from synth_explorer.ui.request.knobs import LETTERS, PRESET_SOUND
from synth_explorer.ui.request.settings import Settings
from synth_explorer.ui.session.job import Job
from synth_explorer.ui.session.render import NotRendered, Render
from synth_explorer.ui.session.solver import Solver
from synth_explorer.ui.session.sound_folder import SoundFolder
from synth_explorer.ui.session.source import Source

if TYPE_CHECKING:
    from synth_explorer.assets import ExampleNote
    from synth_explorer.audio import Recording
    from synth_explorer.closed_loop import Outcome
    from synth_explorer.edits import EditChain, MeanSound
    from synth_explorer.explorer import Explorer
    from synth_explorer.latents import Latents

GIVE_WAY_S = 0.4
SOURCES_KEPT, LATENTS_KEPT, RENDERS_KEPT = 256, 64, 48


class Studio:
    """Sources, renders and the sounds that the page plays, over one Explorer that loads in the background."""

    def __init__(
        self,
        load: Callable[[], Explorer],
        *,
        notes: Sequence[ExampleNote] = (),
        sound_folder: SoundFolder | None = None,
    ) -> None:
        """
        Args:
            load: makes the Explorer; runs once, in a thread of its own.
            notes: example notes to choose from.
            sound_folder: where sounds to play are kept; None: a new one.
        """
        self.notes = {note.name: note for note in notes}
        self.sound_folder = SoundFolder() if sound_folder is None else sound_folder
        self._explorer: Future[Explorer] = Future()
        self._sources: LruCache[Source] = LruCache(SOURCES_KEPT)
        self._tokens: LruCache[Source] = LruCache(SOURCES_KEPT)
        self._latents: LruCache[Latents] = LruCache(LATENTS_KEPT)
        self._means: LruCache[MeanSound] = LruCache(LATENTS_KEPT)
        self._renders: LruCache[Render] = LruCache(RENDERS_KEPT)
        self._model, self._slow = RLock(), Lock()
        self._fitter = ThreadPoolExecutor(1, thread_name_prefix="fit")
        self._moved_s = 0.0  # when a knob last asked for a sound
        Thread(target=self._load, args=(load,), name="load-explorer", daemon=True).start()

    def _load(self, load: Callable[[], Explorer]) -> None:
        try:
            explorer = load()
            explorer.warm_up()
        except BaseException as error:  # handed to whoever asks for the explorer
            self._explorer.set_exception(error)
            return
        self._explorer.set_result(explorer)
        for decoder in explorer.decoders[1:]:
            explorer.warm_up(decoder)

    @property
    def explorer(self) -> Explorer:
        """The Explorer, waiting for it while it loads. Raises what its loading raised."""
        return self._explorer.result()

    @cached_property
    def solver(self) -> Solver:
        """What solves edits, and remembers sounds."""
        return Solver(self.explorer)

    @property
    def has_failed(self) -> bool:
        """Whether the Explorer could not be loaded."""
        return self._explorer.done() and self._explorer.exception() is not None

    @property
    def is_slow(self) -> bool:
        """Whether a sound takes so long that it is made when asked for, not at every move of a knob."""
        return not self.explorer.decoders[0].answers_at_once

    def open_example(self, note_id: str) -> Source:
        """Open one of the bundled notes by its name."""
        if note_id not in self.notes:
            raise AudioError(f"There is no example note {note_id!r}; choose one from the list.")
        note = self.notes[note_id]
        source = self.open_file(note.path, title=note.name, note_id=note_id)
        if source.heard_midi is not None and abs(source.heard_midi - note.pitch) > 0.75:  # its label knows better
            source = self.with_pitch(source, note.pitch)
        return source

    def reopen(self, source: Source) -> Source:
        """A source of another checkpoint's studio, for this one. Raises AudioError where its file is gone."""
        if source.note_id:
            return self.open_example(source.note_id)
        return self.open_file(source.path, title=source.title)

    def open_file(self, path: str | Path, *, title: str = "", note_id: str = "") -> Source:
        """Read a sound file, estimate its pitch and encode it, unless that was done before.

        Raises:
            AudioError: no sound in it; the message calls the file by `title`.
        """
        path = Path(path)
        title = title or path.name
        key = _content_key(path)
        known = self._sources.get((key, title))
        if known is not None and Path(known.path).is_file():
            return known
        recording = self._record(path, title)
        given = recording.root_midi if self.explorer.has_pitch else None
        with self._model:
            latents = self.explorer.encode(recording.audio, pitch=given, source=title)
            heard = latents.heard_pitch if given is None else self.explorer.estimate_pitch(recording.audio)
        midi = None if heard is None else round(float(heard.midi), 2)
        source = Source(
            str(path),
            title,
            key,
            midi,
            0.0 if heard is None else heard.confidence,
            "" if heard is None else heard.kind,
            midi if given is None else given,
            note_id,
            self.explorer.checkpoint_hash,
            recording.notices,
        )
        self._keep(source, latents, recording.audio)
        return self._sources.put((key, title), source)

    def with_pitch(self, source: Source, midi: float | None) -> Source:
        """The same note with its pitch as the user says; None goes back to the estimate.

        Raises:
            AudioError: a pitch that cannot be encoded.
        """
        if not self.explorer.has_pitch:
            raise AudioError("This checkpoint keeps pitch inside its latents; it cannot be set.")
        pitch = source.heard_midi if midi is None else check_midi(midi)
        changed = replace(source, pitch_midi=pitch)
        self.latents(changed)
        return changed

    def show(self, source: Source) -> str:
        """The token of a source, by which `find` knows it from now on."""
        self._tokens.put(source.token, source)
        return source.token

    def find(self, token: str, *, otherwise: Source | None = None) -> Source | None:
        """The source that a page calls by a token; None for an empty one.

        Args:
            token: what `show` gave.
            otherwise: a source that the session holds, in case the token was forgotten.

        Raises:
            AudioError: nobody knows the token.
        """
        if not token:
            return None
        known = self._tokens.get(token)
        if known is None and otherwise is not None and otherwise.token == token:
            known = self._tokens.put(token, otherwise)
        if known is None:
            raise AudioError("A sound of this page is no longer open here; choose it again, or reload the page.")
        return known

    def latents(self, source: Source) -> Latents:
        """Latents of a source, encoded again only when they were forgotten."""
        known = self._latents.get((source.key, source.pitch_midi))
        if known is not None:
            return known
        return self._encode(source, self._read(Path(source.path), source.title))

    def _encode(self, source: Source, audio: np.ndarray) -> Latents:
        with self._model:
            latents = self.explorer.encode(audio, pitch=source.stated_midi, source=source.title)
        return self._keep(source, latents, audio)

    def _keep(self, source: Source, latents: Latents, audio: np.ndarray) -> Latents:
        """Remember the latents of a source, and have it listened to again in the background."""
        self._latents.put((source.key, source.pitch_midi), latents)
        if not self.is_slow:  # only now: what is fitted takes the place of what was put
            self._fitter.submit(self._fit, source, audio).add_done_callback(Future.result)  # an error is logged
        return latents

    def _fit(self, source: Source, audio: np.ndarray) -> None:
        """Better latents of a source, while nothing moves; sounds that are asked for from then on are made of them."""
        fitted = self.explorer.encode(
            audio,
            pitch=source.stated_midi,
            source=source.title,
            fit_steps=FIT_STEPS,
            progress=lambda done, steps: self._give_way(),
        )
        self._latents.put((source.key, source.pitch_midi), fitted)

    def _give_way(self) -> None:
        """Wait until no knob has moved for a moment."""
        while time.perf_counter() - self._moved_s < GIVE_WAY_S:
            time.sleep(GIVE_WAY_S / 4)

    def _read(self, path: Path, title: str) -> np.ndarray:
        return self._record(path, title).audio

    def _record(self, path: Path, title: str) -> Recording:
        try:
            return self.explorer.record(path)
        except AudioError as error:
            raise AudioError(str(error).replace(str(path), title)) from error

    def heard(self, source: Source) -> np.ndarray:
        """The part of a source's own sound that its latents stand for, at its own level [T]."""
        meta = self.latents(source).meta
        whole = self._read(Path(source.path), source.title)
        total = meta.duration_samples or whole.size
        return sound.restore(whole, lead_in_samples=-meta.lead_in_samples, total_samples=total)

    def means(
        self, sources: Sequence[Source], wanted: str, preset_mean: MeanSound | None, *, midi: float | None = None
    ) -> dict[str, MeanSound]:
        """The mean sound of a source by its letter, heard at a pitch, or of a preset, by the name that is wanted."""
        if wanted == PRESET_SOUND:
            return {wanted: preset_mean} if preset_mean else {}
        source = dict(zip(LETTERS, sources, strict=False)).get(wanted)
        if source is None:
            return {}
        latents = self.latents(source)
        key = latents.fingerprint, midi
        return {wanted: self._means.get(key) or self._means.put(key, mean_sound(self.explorer, latents, midi=midi))}

    def check_mean(self, mean: MeanSound) -> None:
        """Raises EditError where no note of this checkpoint can go toward a mean sound of a preset."""
        explorer, heard = self.explorer, (0, len(MEL_CENTRES_HZ))
        channels, details = explorer.config.channels, explorer.family.details
        if len(mean.mean) not in (channels, channels + details) or len(mean.spectrum_db) not in heard:
            raise EditError(
                f"The preset goes toward a sound of {len(mean.mean)} numbers and {len(mean.spectrum_db)} bands; "
                f"{explorer.checkpoint_name} has {channels} channels and a detail of {details}. Save the preset again "
                "with this checkpoint."
            )

    def render(
        self, sources: Sequence[Source | None], settings: Settings, *, preset_mean: MeanSound | None = None
    ) -> Render:
        """The sound that the knobs ask for.

        Args:
            sources: those in the slots A, B, ...; only the first `settings.count` take part.
            settings: the knobs.
            preset_mean: mean sound that a loaded preset goes toward.

        Raises:
            NotRendered: the decoder is slow, and this was not rendered yet.
            SynthExplorerError: an empty slot, or knobs that ask for what cannot be.
        """
        key, used = self._key(sources, settings, preset_mean)
        self._moved_s = time.perf_counter()
        with self._model:  # whoever asks the same a moment later waits for this answer
            known = self._renders.get(key)
            if known is not None:
                return known
            if self.is_slow:
                raise NotRendered("The knobs have moved since; press Render to hear it.")
            started = time.perf_counter()
            plan = self._plan(used, settings, preset_mean)
            if self.solver.available:
                after, audio = self.solver.solve(plan.before, plan.chain)
            else:
                after = self.explorer.edit(plan.before, plan.chain)
                audio = self.explorer.decode(after)
            took_s, is_solved = time.perf_counter() - started, self.solver.available and len(plan.chain) > 0
            made = replace(plan, after=after, audio=audio, took_s=took_s, is_solved=is_solved)
            return self._renders.put(key, made)

    def start(
        self, sources: Sequence[Source | None], settings: Settings, *, preset_mean: MeanSound | None = None
    ) -> Job:
        """Begin to render what a slow decoder takes long for; arguments and errors as of `render`."""
        key, used = self._key(sources, settings, preset_mean)
        with self._model:
            plan = self._plan(used, settings, preset_mean)
            plan = replace(plan, after=self.explorer.edit(plan.before, plan.chain))
        explorer = self.explorer

        def chunks(stop: Event, progress: Callable[[int, int], None]) -> Iterator[np.ndarray]:
            return explorer.stream(plan.after, stop=stop, progress=progress)

        def keep(audio: np.ndarray, took_s: float, is_whole: bool) -> Render:
            made = replace(plan, audio=audio, took_s=took_s)
            return self._renders.put(key, made) if is_whole else made

        return Job(chunks, keep, total=plan.after.duration_samples, turn=self._slow)

    def _key(
        self, sources: Sequence[Source | None], settings: Settings, preset_mean: MeanSound | None
    ) -> tuple[Hashable, list[Source]]:
        """What a render is remembered by, and the sources that take part: once one is fitted, it is made again."""
        used = self._used(sources, settings)
        known = [self._latents.get((source.key, source.pitch_midi)) for source in used]
        fitted = tuple(latents is not None and latents.details > 0 for latents in known)
        heard = tuple((source.key, source.pitch_midi, source.title) for source in used)
        return (heard, fitted, settings, preset_mean), used

    def _plan(self, used: list[Source], settings: Settings, preset_mean: MeanSound | None) -> Render:
        """A render without its sound and without its edits."""
        before, weights = self._morph(used, settings)
        chain = self._chain(used, settings, preset_mean, before)
        title = " ".join(f"{source.title} {weight:.0%}" for source, weight in zip(used, weights, strict=True) if weight)
        return Render(before, before, chain, weights, np.zeros(0, np.float32), title)

    def chain(
        self, sources: Sequence[Source | None], settings: Settings, *, preset_mean: MeanSound | None = None
    ) -> EditChain:
        """The edits that the knobs ask for, whether rendered or not; arguments and errors as of `render`."""
        used = self._used(sources, settings)
        with self._model:
            return self._chain(used, settings, preset_mean, self._morph(used, settings)[0])

    def _chain(
        self, used: list[Source], settings: Settings, preset_mean: MeanSound | None, before: Latents
    ) -> EditChain:
        """The edits of a morph `before`, at whose pitch the sound is heard toward which it may go."""
        midi = before.pitch_midi if before.has_pitch else None
        return edit_chain(settings, self.means(used, settings.toward, preset_mean, midi=midi))

    def _morph(self, used: list[Source], settings: Settings) -> tuple[Latents, tuple[float, ...]]:
        """The morph, and the weights of its sources: their means where it moves over time."""
        pitch = settings.pitch_midi if settings.set_pitch else None
        notes = [self.latents(source) for source in used]
        if not settings.morph_moves:
            return self.explorer.morph(notes, settings.weights(), pitch=pitch), settings.weights()
        times_s = np.arange(max(note.frames for note in notes)) / notes[0].frame_rate_hz
        weights = settings.weights_at(times_s)
        moved = self.explorer.morph_path(notes, list(zip(times_s.tolist(), weights, strict=True)), pitch=pitch)
        return moved, tuple(float(mean) for mean in np.mean(weights, axis=0))

    def _used(self, sources: Sequence[Source | None], settings: Settings) -> list[Source]:
        used = list(sources)[: settings.count]
        empty = [letter for letter, source in zip(LETTERS, used, strict=False) if source is None]
        if empty:
            raise AudioError(f"Slot {' and '.join(empty)} has no sound yet; choose a note or upload one.")
        return [source for source in used if source is not None]

    def before(self, render: Render) -> np.ndarray:
        """The sound of a render without its edits [T], of a decoder that is not slow."""
        if not len(render.chain):
            return render.audio
        with self._model:
            return self.solver.decode(render.before)

    def outcomes(self, render: Render) -> tuple[Outcome, ...]:
        """What became of each thing that its edits asked for; nothing where they were not solved."""
        return self.solver.judge(render.before, render.chain) if render.is_solved else ()

    def report(self, render: Render) -> dict[str, Any]:
        """Requested against measured, of the sounds that were decoded."""
        from synth_explorer import measure

        return measure.report(
            render.chain,
            self.before(render),
            render.audio,
            sample_rate_hz=self.explorer.sample_rate_hz,
            pitch_hz=float(np.nanmedian(render.before.pitch_hz)) if render.before.has_pitch else None,
        )


def _content_key(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise AudioError(f"{path.name} cannot be read; choose or upload it again.") from error
