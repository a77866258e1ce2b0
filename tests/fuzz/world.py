"""What doors share: a model that is none, a note, a tiny dataset; made on the spot, once."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import soundfile
from typer.testing import Result

from synth_explorer import rendering
from synth_explorer.cli import common
from synth_explorer.closed_loop import mean_sound
from synth_explorer.edits import Curve, EditChain, Gain, Oscillate, Toward, Transpose
from synth_explorer.errors import SynthExplorerError
from synth_explorer.explorer import Explorer
from synth_explorer.latents import Latents
from synth_explorer.rendering import Mix, Patch, Renderer, Source
from tests.batch.conftest import BundledFamily
from tests.cli import shell
from tests.conftest import SAMPLE_RATE_HZ, make_note
from tests.fake_family import fake_explorer


def encoded(kind: str, subtype: str | None = None, *, seconds: float = 0.4, rate_hz: int = SAMPLE_RATE_HZ) -> bytes:
    """A note as a sound file of a format of libsndfile."""
    file = io.BytesIO()
    soundfile.write(file, make_note(60, seconds=seconds), rate_hz, format=kind, subtype=subtype)
    return file.getvalue()


@dataclass(frozen=True)
class World:
    """`folder`: where all of it lies."""

    folder: Path

    @cached_property
    def explorer(self) -> Explorer:
        """Under the name of the bundled checkpoint."""
        return fake_explorer(BundledFamily)

    @cached_property
    def renderer(self) -> Renderer:
        return Renderer(self.explorer)

    @contextmanager
    def in_charge(self) -> Iterator[None]:
        """Whatever loads a checkpoint gets this one."""
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(rendering, "renderer_of", lambda patch: self.renderer)
            patched.setattr(common, "load_explorer", lambda checkpoint: self.explorer)
            yield

    @cached_property
    def note(self) -> Path:
        """A sound file."""
        path = self.folder / "note.wav"
        path.write_bytes(encoded("WAV", "FLOAT"))
        return path

    @cached_property
    def latents(self) -> Latents:
        """The note's."""
        return self.explorer.encode(self.note, fit_steps=2)

    @cached_property
    def latents_file(self) -> bytes:
        """As it is saved."""
        return self.latents.save(self.folder / "latents.npz").read_bytes()

    @cached_property
    def chain(self) -> EditChain:
        """Edits of several kinds."""
        swing = Oscillate(target="loudness", rate_hz=4.0, depth=3.0)
        return EditChain(
            (Gain(db=-3.0), swing, Curve(target="loudness", points=((0.0, 0.0), (0.3, -6.0))), Transpose(semitones=2.0))
        )

    @cached_property
    def patch(self) -> Patch:
        """Two notes with edits."""
        sources = Source.of(self.note, pitch_midi=60.0), Source.of("Marimba")
        return self.renderer.patch(*sources, mix=Mix.at(0.3), edits=self.chain, fit_steps=0)

    @cached_property
    def mixes(self) -> list[Patch]:
        """Two notes on a way over the pad, between them by a pitch, and by a pitch and a touch."""
        sources = Source.of(self.note, pitch_midi=60.0), Source.of("Marimba")
        ways = Mix.along([(0.0, 0.0, 0.0), (0.2, 1.0, 0.5)]), Mix(by_pitch=True), Mix(by_pitch=True, touch_db=-6.0)
        return [self.renderer.patch(*sources, mix=mix, fit_steps=0, open_loop=True) for mix in ways]

    @cached_property
    def toward(self) -> dict[str, Any]:
        """The edit toward the note's own mean sound."""
        return Toward(amount=0.5, **mean_sound(self.explorer, self.latents)._asdict()).to_dict()

    @cached_property
    def dataset(self) -> dict[str, bytes]:
        """A folder of notes with an index.csv."""
        index = "path,pitch,instrument,family,velocity\na.wav,60,piano,keys,100\nb.wav,64.5,,,\n"
        return {"index.csv": index.encode(), "a.wav": encoded("WAV"), "b.wav": encoded("WAV", "FLOAT")}

    @cached_property
    def nsynth(self) -> dict[str, bytes]:
        """A split of NSynth."""
        about = {
            "instrument_str": "bass",
            "instrument_family_str": "bass",
            "pitch": 40,
            "velocity": 100,
            "qualities": [0],
        }
        return {"examples.json": json.dumps({"bass-040": about}).encode(), "audio/bass-040.wav": encoded("WAV")}


def shell_answers(*words: Any) -> Result:
    """Run a command of the shell; NULs, which no shell passes on, are left out. An unexpected error is raised."""
    result = shell.run(*(str(word).replace("\0", "") for word in words))
    if result.exit_code not in (0, 1, 2) or "(unexpected" in result.stderr or "Traceback" in result.output:
        error = result.exception and (result.exception.__context__ or result.exception)
        raise error if isinstance(error, Exception) else AssertionError(result.output)
    return result


def refuse(result: Result) -> None:
    """Raise what a command says that refuses its arguments."""
    if result.exit_code:
        raise SynthExplorerError(result.stderr[:2000] or "refused")


def shell_runs(*words: Any) -> None:
    """Run a command of the shell, see `shell_answers`; what it refuses is raised."""
    refuse(shell_answers(*words))
