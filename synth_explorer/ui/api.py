"""Endpoints for programs, named and typed: `gradio_client` calls them, and MCP where the page is launched with it.

Nothing of a session is kept: a note that somebody brought is known to those who know the hash of its content.
"""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.data_classes import FileDataDict
from gradio.events import api
from gradio.utils import get_upload_folder, is_in_or_equal

from synth_explorer.errors import AudioError, SpecError, SynthExplorerError
from synth_explorer.explorer import FIT_STEPS
from synth_explorer.files import is_file
from synth_explorer.rendering.rendered import file_stem
from synth_explorer.runtime import cores
from synth_explorer.schema import Schema
from synth_explorer.ui.request.wanted import Pitch
from synth_explorer.ui.session.exporting import Kind, export
from synth_explorer.ui.session.wanted_patch import wanted_patch, without_paths

if TYPE_CHECKING:
    from synth_explorer.ui.session.studio import Studio
    from synth_explorer.ui.session.studios import Studios


class _Brought(Schema):
    """What `encode` is asked for beside the file."""

    pitch: Pitch | None = None
    checkpoint: str | None = None


class _Export(Schema):
    """What `export` is asked for beside the sound."""

    kind: Kind


def build(studios: Studios) -> None:
    """Register the endpoints on the page that is being built."""
    endpoints = _Endpoints(studios)
    for make in (endpoints.notes, endpoints.encode, endpoints.morph, endpoints.render, endpoints.export):
        api(_told(make), api_name=make.__name__, concurrency_limit=cores(), concurrency_id="api")


def _told(make: Callable[..., Any]) -> Callable[..., Any]:
    """The same function with its types as Gradio reads them; errors for people are told, others are the program's."""

    @wraps(make)
    def endpoint(*given: Any, **named: Any) -> Any:
        try:
            return make(*given, **named)
        except SynthExplorerError as error:
            raise gr.Error(str(error), print_exception=False) from error

    signature = inspect.signature(make, eval_str=True)
    endpoint.__annotations__ = {name: one.annotation for name, one in signature.parameters.items()}
    endpoint.__signature__ = signature  # pyright: ignore[reportAttributeAccessIssue] - inspect reads it
    return endpoint


class _Endpoints:
    """What the endpoints do. Each docstring is what programs read of it."""

    def __init__(self, studios: Studios) -> None:
        self._studios = studios

    def notes(self) -> list[dict[str, Any]]:
        """The bundled notes: name, family of instruments, pitch as a MIDI number, licence."""
        return [
            {"name": note.name, "family": note.family, "pitch_midi": note.pitch, "licence": note.licence}
            for note in self._studios.notes.values()
        ]

    def encode(
        self, sound: FileDataDict, pitch: str | float | None = None, checkpoint: str | None = None
    ) -> tuple[dict[str, Any], FileDataDict]:
        """Listen to a sound file, keep it, and answer its note, which other endpoints take, and its latents (.npz).

        Args:
            sound: a sound file of one note; its first 16 s from the onset count.
            pitch: its pitch where it is known, C4 or 60; else it is heard.
            checkpoint: of those of the page; else its first.
        """
        asked = _Brought.make(what="The request", error=SpecError, pitch=pitch, checkpoint=checkpoint)
        studio = self._studios.studio(asked.checkpoint or self._studios.names[0])
        path, title = _uploaded(sound)
        note = studio.open_own(path, title=title)
        if asked.pitch is not None:
            note = studio.with_pitch(note, asked.pitch)
        latents = studio.latents(note, fit_steps=0 if studio.is_slow else FIT_STEPS)
        facts = {
            "note": note.token,
            "pitch_midi": note.pitch_midi,
            "heard_pitch_midi": note.heard_midi,
            "confidence": note.confidence,
            "doubt": note.doubt,
            "duration_s": latents.duration_s,
            "notices": list(note.notices),
        }
        return facts, _file(studio, latents.save, f"{file_stem([(note.title, 1.0)], latents.pitch_midi)}.npz")

    def morph(
        self,
        notes: list[str],
        mix: list[float] | float | None = None,
        pitch: str | float | None = None,
        edits: list[dict[str, Any]] | None = None,
        decoder: str | None = None,
        seed: int = 0,
        checkpoint: str | None = None,
    ) -> tuple[FileDataDict, dict[str, Any]]:
        """Mix one to four notes, bend the result, and answer the sound (.wav, 32-bit floats) and what is heard of it.

        Args:
            notes: names of bundled notes, or what encode answers; Cello@60.5 says another pitch of a note.
            mix: from the first of two notes (0) to the second (1), or a weight for each; else the middle.
            pitch: of the result, C4 or 60; else between those of the notes.
            edits: as of a preset, such as {"kind": "gain", "db": -6}.
            decoder: of the checkpoint, fast or final; else its first.
            seed: of the noise.
            checkpoint: of those of the page; else its first.
        """
        asked = {"notes": notes, "mix": mix, "pitch": pitch, "decoder": decoder, "seed": seed}
        return self.render(asked | {"edits": [] if edits is None else edits, "checkpoint": checkpoint})

    def render(self, patch: dict[str, Any]) -> tuple[FileDataDict, dict[str, Any]]:
        """Answer the sound of a patch (.wav, 32-bit floats) and what is heard of it.

        Args:
            patch: the fields of morph and temperature, fit_steps, open_loop; or a whole patch, as these facts hold it.
        """
        studio, wanted = wanted_patch(self._studios, patch)
        studio.touch()
        done = studio.renderer.render(wanted)
        facts = {
            "id": done.patch.id,
            "title": done.title,
            "duration_s": done.audio.size / done.sample_rate_hz,
            "sample_rate_hz": done.sample_rate_hz,
            "pitch_midi": done.after.pitch_midi if done.after.has_pitch else None,
            "outcomes": [outcome.to_dict() for outcome in done.outcomes],
            "patch": without_paths(done.patch),
        }
        return _file(studio, done.save, f"{done.file_stem}.wav"), facts

    def export(self, patch: dict[str, Any], kind: Kind = "wav") -> FileDataDict:
        """Answer the sound of a patch as a file.

        Args:
            patch: as of render.
            kind: wav, flac, latents (.npz), patch: packed with its notes (.zip), grid: sounds from all over the pad
                (.zip), or instrument: for samplers, over keys and velocities (.zip).
        """
        asked = _Export.make(what="The request", error=SpecError, kind=kind)
        studio, wanted = wanted_patch(self._studios, patch)
        with tempfile.TemporaryDirectory() as folder:
            return _kept(studio, export(studio.renderer, wanted, asked.kind, Path(folder), lambda done, total: None))


def _uploaded(sound: Any) -> tuple[Path, str]:
    """A file that was uploaded, and its name. Raises AudioError: it is none; no other file of this machine is one."""
    path = sound.get("path") if isinstance(sound, dict) else None
    if not isinstance(path, str) or not is_file(path) or not is_in_or_equal(path, get_upload_folder()):
        raise AudioError("Give a sound file that was uploaded, in Python gradio_client.handle_file(path).")
    name = sound.get("orig_name")
    return Path(path), Path(name).name if isinstance(name, str) and name else Path(path).name


def _file(studio: Studio, write: Callable[[Path], Any], name: str) -> Any:
    """What a function writes, as Gradio answers files."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(path)
        return _kept(studio, path)


def _kept(studio: Studio, path: Path) -> Any:
    """A file as Gradio answers files; it is copied."""
    kept = studio.sound_folder.keep(path)
    return {"path": str(kept), "orig_name": path.name, "meta": {"_type": "gradio.FileData"}}
