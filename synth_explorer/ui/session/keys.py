"""The notes that keys play: a patch at a pitch, held as long as the key is, and the stretches that follow the hand."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from synth_explorer.edits import Trim
from synth_explorer.errors import CheckpointError, SynthExplorerError
from synth_explorer.instruments.held import HeldNote, beginning, held, stretch
from synth_explorer.lru import LruCache
from synth_explorer.runtime import urgent

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from synth_explorer.rendering import Patch, Renderer

Made = TypeVar("Made")
NOTES_KEPT, KEPT_BYTES = 128, 256 << 20  # a note of 4 s at 48 kHz takes 0.8 MB
STRETCH_S = 0.8
FIRST_S = 0.6  # of a note that is not ready, which is heard before the rest is made
SEEN_S = 0.4  # beyond that, which a decoder looks at
HANDS = 2  # notes that are made at once: what else the page asks for is not kept waiting
WAITING_MOST = 64


class Crowded(SynthExplorerError):
    """More notes are asked for than can be made soon."""


class Keys:
    """Plays patches on keys, a few notes at a time in threads of their own, and remembers those that it made."""

    def __init__(self, renderer: Callable[[], Renderer]) -> None:
        """`renderer`: called when a note is made."""
        self._renderer = renderer
        self._notes: LruCache[HeldNote] = LruCache(
            NOTES_KEPT, most_bytes=KEPT_BYTES, bytes_of=lambda note: note.audio.nbytes
        )
        self._hands = ThreadPoolExecutor(HANDS, thread_name_prefix="key")
        self._spare = ThreadPoolExecutor(1, thread_name_prefix="spare")
        self._asked, self._idle, self._lock = 0, 0, Lock()

    def __len__(self) -> int:
        """How many notes are remembered."""
        return len(self._notes)

    @property
    def is_busy(self) -> bool:
        """Whether a note is being made."""
        return self._asked + self._idle > 0

    def begin(self, make: Callable[[], Made], *, spare: bool = False) -> Future[Made]:
        """Make a note, or what is as quick, in one of the threads. Raises Crowded: too many wait already.

        `spare`: nobody waits for it, so it is made in a thread beside those.
        """
        with self._lock:
            if (self._idle if spare else self._asked) >= WAITING_MOST:
                raise Crowded(f"{WAITING_MOST} notes are waiting to be made; play again in a moment.")
            self._count(1, spare=spare)
        begun = (self._spare if spare else self._hands).submit(make)
        begun.add_done_callback(lambda _: self._ended(spare=spare))
        return begun

    def _ended(self, *, spare: bool) -> None:
        with self._lock:
            self._count(-1, spare=spare)

    def _count(self, change: int, *, spare: bool) -> None:
        self._asked, self._idle = self._asked + change * (not spare), self._idle + change * spare

    def note(self, patch: Patch, *, midi: float | None, always: bool = False, first: bool = False) -> HeldNote:
        """A patch as a key plays it, its edits solved, unless it is remembered.

        `midi`: the pitch of the key; None: the patch's own. `always`: see `held`. `first`: answers the first `FIRST_S`
        unless the note is remembered: the same samples, but for edits, which are applied by their formulas. Raises
        SynthExplorerError: as `Renderer.begin`, and where the checkpoint plays no keys.
        """
        patch = self._at(patch, midi)
        key = patch.id, always
        known = self._notes.get(key)
        if first and known is None:
            with urgent():
                audio, _, midi = self._part(patch, 0.0, FIRST_S + SEEN_S)
            rate_hz = self._renderer().explorer.sample_rate_hz
            return beginning(audio[: round(FIRST_S * rate_hz)], midi=midi, sample_rate_hz=rate_hz)
        return known or self._notes.put(key, self._made(patch, always=always))

    def _made(self, patch: Patch, *, always: bool) -> HeldNote:
        made = self._renderer().begin(patch)
        rate_hz = made.sample_rate_hz
        return held(made.audio, midi=made.after.pitch_midi, sample_rate_hz=rate_hz, always=always)

    def moving(self, patch: Patch, *, midi: float | None, from_s: float) -> HeldNote:
        """`STRETCH_S` of a patch from a moment on, looped: what a held note goes on with while a knob is turned.

        Edits are applied by their formulas; nothing is remembered. Arguments and errors as of `note`.
        """
        with urgent():
            audio, start_s, midi = self._part(self._at(patch, midi), from_s, STRETCH_S)
            return stretch(audio, midi=midi, from_s=start_s, sample_rate_hz=self._renderer().explorer.sample_rate_hz)

    def _part(self, patch: Patch, from_s: float, length_s: float) -> tuple[np.ndarray, float, float]:
        """So much of a patch's sound [T], from a moment on at the latest, its edits applied by their formulas; where it
        begins, and its pitch."""
        renderer, patch = self._renderer(), patch.but(open_loop=True)
        made = renderer.begin(patch, sounded=False)
        start_s = min(max(from_s, 0.0), max(0.0, made.after.duration_s - length_s))
        part = Trim(start_s, min(start_s + length_s, made.after.duration_s))
        latents = part.apply(made.after, renderer.explorer.controls)
        return renderer.decode(latents, patch), start_s, latents.pitch_midi

    def _at(self, patch: Patch, midi: float | None) -> Patch:
        """A patch whose mix has the pitch of a key; its edits, transposition included, come upon that."""
        explorer = self._renderer().explorer
        if not explorer.has_pitch:
            raise CheckpointError(f"{explorer.checkpoint_name} keeps pitch inside its latents: it plays no keys.")
        if not explorer.decoder(patch.decoder).answers_at_once:
            raise CheckpointError(f"The decoder {patch.decoder} is too slow to play keys.")
        if midi is None:
            return patch
        return patch.at_key(midi)
