"""The page's server side: sources that are open, the sound that the knobs ask for, and what is remembered of both.

It knows the Explorer and no Gradio: answers call it, and so may tests.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import numpy as np

from synth_explorer.closed_loop import mean_sound
from synth_explorer.errors import AudioError, EditError, SynthExplorerError
from synth_explorer.explorer import FIT_STEPS
from synth_explorer.lru import LruCache
from synth_explorer.measure import MEL_CENTRES_HZ
from synth_explorer.pitch import check_midi
from synth_explorer.rendering import Patch, Rendered, Renderer, Source
from synth_explorer.rendering.sources import content_hash
from synth_explorer.runtime import side_by_side
from synth_explorer.ui.request.chains import DECODING_KNOBS, edit_chain
from synth_explorer.ui.request.knobs import LETTERS, NO_SOURCE, PRESET_SOUND
from synth_explorer.ui.request.settings import Settings
from synth_explorer.ui.request.sound_request import SoundRequest
from synth_explorer.ui.session.background import Background
from synth_explorer.ui.session.job import Job
from synth_explorer.ui.session.keys import Keys
from synth_explorer.ui.session.line import Line
from synth_explorer.ui.session.note_store import NoteStore
from synth_explorer.ui.session.slot_note import HEARD, SlotNote
from synth_explorer.ui.session.sound_folder import SoundFolder

if TYPE_CHECKING:
    from synth_explorer.assets import ExampleNote
    from synth_explorer.audio import Recording
    from synth_explorer.edits import MeanSound
    from synth_explorer.explorer import Explorer
    from synth_explorer.latents import Latents

GIVE_WAY_S, GIVE_WAY_MOST_S = 0.4, 2.0
NOTES_KEPT, MEANS_KEPT, PICTURES_KEPT = 256, 64, 256


class NotRendered(SynthExplorerError):
    """A sound that a slow decoder has yet to be asked for."""


class Studio:
    """Sources, renders and the sounds that the page plays, over one Explorer that loads in the background."""

    def __init__(
        self,
        load: Callable[[], Explorer],
        *,
        name: str = "",
        notes: Sequence[ExampleNote] = (),
        sound_folder: SoundFolder | None = None,
        store: NoteStore | None = None,
    ) -> None:
        """
        `load`: makes the Explorer; runs once, in a thread of its own. `name`: what pages call it by. `sound_folder`:
        where sounds to play are kept; None: a new one. `store`: where the notes that people bring are kept; None: the
        user's.
        """
        self.name = name
        self.notes = {note.name: note for note in notes}
        self.pictures: LruCache[dict[str, Any]] = LruCache(PICTURES_KEPT)  # what slots show of notes
        self.sound_folder = SoundFolder() if sound_folder is None else sound_folder
        self.store = NoteStore() if store is None else store
        self._explorer: Future[Explorer] = Future()
        self._notes: LruCache[SlotNote] = LruCache(NOTES_KEPT)
        self._tokens: LruCache[SlotNote] = LruCache(NOTES_KEPT)
        self._files: LruCache[Path] = LruCache(NOTES_KEPT)  # to play notes as they were heard
        self._means: LruCache[MeanSound] = LruCache(MEANS_KEPT)
        self._slow = Line()
        self._fitter = Background("fit")
        self._moved_s = 0.0  # when a knob or a key last asked for a sound
        self.keys = Keys(lambda: self.renderer)
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
    def renderer(self) -> Renderer:
        """What renders patches, and remembers sounds."""
        return Renderer(self.explorer)

    @property
    def is_ready(self) -> bool:
        """Whether the Explorer is loaded."""
        return self._explorer.done() and not self.has_failed

    def touch(self) -> None:
        """Somebody waits for a sound: what can be done later gives way."""
        self._moved_s = time.perf_counter()

    @property
    def is_moving(self) -> bool:
        """Whether somebody has waited for a sound a moment ago."""
        return time.perf_counter() - self._moved_s < GIVE_WAY_S

    @property
    def has_failed(self) -> bool:
        """Whether the Explorer could not be loaded."""
        return self._explorer.done() and self._explorer.exception() is not None

    @property
    def is_slow(self) -> bool:
        """Whether a sound takes so long that it is made when asked for, not at every move of a knob."""
        return not self.explorer.decoders[0].answers_at_once

    def open_example(self, note_id: str) -> SlotNote:
        """Open one of the bundled notes by its name."""
        if note_id not in self.notes:
            raise AudioError(f"There is no example note {note_id!r}; choose one from the list.")
        note = self.notes[note_id]
        source = self.open_file(note.path, title=note.name, note_id=note_id)
        if source.heard_midi is not None and abs(source.heard_midi - note.pitch) > 0.75:  # its label knows better
            source = replace(self.with_pitch(source, note.pitch), as_opened=True)
        return source

    def open_own(self, path: str | Path, *, title: str = "") -> SlotNote:
        """Open a file that somebody brought, and keep it. Raises AudioError, and as `open_file` does."""
        path = Path(path)
        title = title or path.name
        self._record(path, title)  # what is no sound is not kept
        return self.open_file(self.store.put(path), title=title)

    def open_file(self, path: str | Path, *, title: str = "", note_id: str = "") -> SlotNote:
        """Read a sound file, estimate its pitch and encode it, unless that was done before.

        Raises AudioError: no sound in it; the message calls the file by `title`.
        """
        path = Path(path)
        title = title or path.name
        key = content_hash(path)
        known = self._notes.get((key, title))
        if known is not None and Path(known.path).is_file():
            return known
        recording = self._record(path, title)
        given = recording.root_midi if self.explorer.has_pitch else None
        stated = Source(sha256=key, name=title, path=str(path), pitch_midi=given)
        latents = self.renderer.latents(stated, fit_steps=0, recording=recording)
        heard = latents.heard_pitch if given is None else self.explorer.estimate_pitch(recording.audio)
        midi = None if heard is None else round(float(heard.midi), 2)
        note = SlotNote(
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
        self._listen_again(note)
        return self._notes.put((key, title), note)

    def with_pitch(self, source: SlotNote, midi: float | None) -> SlotNote:
        """The same note with its pitch as the user says; None goes back to the estimate.

        Raises AudioError: a pitch that cannot be encoded.
        """
        if not self.explorer.has_pitch:
            raise AudioError("This checkpoint keeps pitch inside its latents; it cannot be set.")
        pitch = source.heard_midi if midi is None else check_midi(midi)
        changed = replace(source, pitch_midi=pitch, as_opened=False)
        self.latents(changed)
        self._listen_again(changed)
        return changed

    def find(self, token: str) -> SlotNote | None:
        """The source that a page calls by a token, see `SlotNote.token`; None for an empty one.

        Raises AudioError: it is no bundled note and is not kept, or its pitch cannot be.
        """
        if not token:
            return None
        known = self._tokens.get(token)
        if known is not None and Path(known.path).is_file():
            return known
        name, _, title = token.partition("/")
        name, at, pitch = name.partition("@")
        if name in self.notes and not title:
            note = self.open_example(name)
        else:
            path = self.store.find(name)
            if path is None:
                raise AudioError(f"The note {title or name!r} is not kept here any more; choose or upload it again.")
            note = self.open_file(path, title=title)
        if at and self.explorer.has_pitch:
            note = self.with_pitch(note, None if at + pitch == HEARD else _pitch(pitch))
        return self._tokens.put(token, note)

    def latents(self, note: SlotNote, *, fit_steps: int | None = None) -> Latents:
        """Latents of a note that was listened to again so often; None: the best that there are yet."""
        steps = self.fitted_steps([note]) if fit_steps is None else fit_steps
        return self.renderer.latents(note.source, fit_steps=steps)

    def fitted_steps(self, notes: Sequence[SlotNote | None]) -> int:
        """How often all of these notes were listened to again: what a sound is made of that says nothing of it."""
        return FIT_STEPS if all(self._is_fitted(note) for note in notes if note) else 0

    def _is_fitted(self, note: SlotNote) -> bool:
        return self.renderer.known(note.source, fit_steps=FIT_STEPS) is not None

    def _listen_again(self, note: SlotNote) -> None:
        """Better latents of a note, while nothing moves; sounds that are asked for from then on are made of them."""
        if not self.is_slow:
            given = {"fit_steps": FIT_STEPS, "progress": lambda done, steps: self._give_way()}
            self._fitter.submit(self.renderer.latents, note.source, **given).add_done_callback(_complain)

    def _listen_now(self, notes: Sequence[SlotNote], fit_steps: int) -> None:
        """Listen to notes so often, unless that was done: before the renderer's turn, for which others wait."""
        sources = [note.source for note in notes]
        new = list(dict.fromkeys(one for one in sources if self.renderer.known(one, fit_steps=fit_steps) is None))
        given = {"fit_steps": fit_steps, "progress": lambda done, steps: self.touch()}  # the background gives way
        side_by_side(lambda source: self.renderer.latents(source, **given), new)

    def _give_way(self) -> None:
        """Wait until no knob has moved for a moment, but not for ever: of many visitors one always moves a knob."""
        until_s = time.monotonic() + GIVE_WAY_MOST_S
        while self.is_moving and time.monotonic() < until_s:
            time.sleep(GIVE_WAY_S / 4)

    def _record(self, path: Path, title: str) -> Recording:
        try:
            return self.explorer.record(path)
        except AudioError as error:
            raise AudioError(str(error).replace(str(path), title)) from error

    def heard(self, note: SlotNote) -> np.ndarray:
        """The part of a note's own sound that its latents stand for, at its own level [T]."""
        return self.latents(note).heard_of(self._record(Path(note.path), note.title).audio)

    def heard_file(self, note: SlotNote) -> Path:
        """The same as a file to play."""
        known = self._files.get(note.key)
        if known is not None and known.is_file():
            return known
        made = self.sound_folder.put(self.heard(note), sample_rate_hz=self.explorer.sample_rate_hz)
        return self._files.put(note.key, made)

    def means(
        self,
        sources: Sequence[SlotNote],
        wanted: str,
        preset_mean: MeanSound | None,
        *,
        midi: float | None = None,
        fit_steps: int | None = None,
    ) -> dict[str, MeanSound]:
        """The mean sound of a source by its letter, heard at a pitch, or of a preset, by the name that is wanted.

        `fit_steps`: as of `latents`.
        """
        if wanted == PRESET_SOUND:
            return {wanted: preset_mean} if preset_mean else {}
        by_letter: dict[str, SlotNote] = dict(zip(LETTERS, sources, strict=False))
        source = by_letter.get(wanted)
        if source is None:
            return {}
        latents = self.latents(source, fit_steps=fit_steps)
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

    def patch(
        self,
        notes: Sequence[SlotNote | None],
        settings: Settings,
        *,
        preset_mean: MeanSound | None = None,
        fit_steps: int | None = None,
    ) -> Patch:
        """All that the knobs ask for, in one value.

        `notes`: those in the slots A, B, ...; only the first `settings.count` take part. `preset_mean`: mean sound that
        a loaded preset goes toward. `fit_steps`: how often each note was listened to again; None makes it of the best
        latents that there are of all notes yet. Raises SynthExplorerError: an empty slot, or knobs that ask for what
        cannot be.
        """
        used = self._used(notes, settings)
        steps = self.fitted_steps(used) if fit_steps is None or self.is_slow else fit_steps
        self._listen_now(used, steps)
        plain = self.renderer.patch(
            *(note.source for note in used),
            mix=settings.place(),
            pitch_midi=settings.pitch_midi if settings.set_pitch else None,
            quantise=settings.quantiser,
            fit_steps=steps,
            **{name: getattr(settings, name) for name in DECODING_KNOBS},
        )
        midi = None
        if settings.toward != NO_SOURCE:  # at whose pitch the sound is heard toward which it goes
            before, _ = self.renderer.mix(plain)
            midi = before.pitch_midi if before.has_pitch else None
        means = self.means(used, settings.toward, preset_mean, midi=midi, fit_steps=steps)
        chain = edit_chain(settings, means)
        return plain.but(edits=chain) if len(chain) else plain

    def used(self, request: SoundRequest) -> list[SlotNote | None]:
        """The notes of a request that take part. Raises as `find` does."""
        return [self.find(token) for token in request.tokens[: request.settings.count]]

    def asked(self, request: SoundRequest) -> Patch:
        """The patch that a page asks for, see `patch`."""
        mean, steps = request.preset_mean, request.fit_steps
        return self.patch(self.used(request), request.settings, preset_mean=mean, fit_steps=steps)

    def render(
        self, notes: Sequence[SlotNote | None], settings: Settings, *, preset_mean: MeanSound | None = None
    ) -> Rendered:
        """The sound that the knobs ask for; arguments and errors as of `patch`, and as of `rendered`."""
        return self.rendered(self.patch(notes, settings, preset_mean=preset_mean))

    def rendered(self, patch: Patch) -> Rendered:
        """The sound of a patch, for somebody who waits for it.

        Raises NotRendered: the decoder is slow, and this was not rendered yet.
        """
        self.touch()
        if not self.is_slow:
            return self.renderer.render(patch)
        known = self.renderer.remembered(patch)
        if known is None:
            raise NotRendered("The knobs have moved since; press Render to hear it.")
        return known

    def start(self, patch: Patch, *, visitor: str = "") -> Job:
        """Begin to render what a slow decoder takes long for, in the line of all that do. Raises SynthExplorerError."""
        renderer = self.renderer
        begun = renderer.begin(patch)

        def chunks(stop: Event, progress: Callable[[int, int], None]) -> Iterator[np.ndarray]:
            return renderer.stream(begun, stop=stop, progress=progress)

        def keep(audio: np.ndarray, took_s: float, is_whole: bool) -> Rendered:
            made = replace(begun, audio=audio, took_s=took_s)
            return renderer.keep(made) if is_whole else made

        return Job(chunks, keep, total=begun.after.duration_samples, place=self._slow.join(visitor))

    def _used(self, notes: Sequence[SlotNote | None], settings: Settings) -> list[SlotNote]:
        used = list(notes)[: settings.count]
        empty = [letter for letter, note in zip(LETTERS, used, strict=False) if note is None]
        if empty:
            raise AudioError(f"Slot {' and '.join(empty)} has no sound yet; choose a note or upload one.")
        return [note for note in used if note is not None]


def _complain(done: Future[Any]) -> None:
    """Raises what went wrong, unless whoever asks for the same is told (a note that is gone by now), or the program is
    ending."""
    error = done.exception()
    is_ending = isinstance(error, RuntimeError) and "after" in str(error) and "shutdown" in str(error)
    if error is not None and not isinstance(error, SynthExplorerError) and not is_ending:
        raise error


def _pitch(words: str) -> float:
    """A pitch as a token says it. Raises AudioError."""
    try:
        return float(words)
    except ValueError:
        raise AudioError(f"The pitch {words!r} of a note is no number; write a MIDI note, as in Cello@60.5.") from None
