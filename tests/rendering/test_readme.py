"""What the README promises of Python, run as it stands there, with the bundled model."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from synth_explorer import audio
from synth_explorer.explorer import Explorer
from synth_explorer.latents import Latents, midi_to_hz
from synth_explorer.rendering import Patch, Renderer, renderer, sampler_of
from tests.audio.test_writing import smpl_of


@pytest.fixture
def example(repository: Path) -> str:
    """The README's example."""
    found = re.findall(r"^From Python.*?:\n\n```python\n(.*?)^```", (repository / "README.md").read_text(), re.M | re.S)
    assert len(found) == 1
    return found[0]


@pytest.mark.slow
def test_the_example_runs(
    example: str,
    full_band: Explorer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    loaded = Renderer(full_band)
    monkeypatch.setattr(renderer, "_renderer", lambda folder: loaded)
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(compile(example, "README.md", "exec"), names)
    sound = names["sound"]
    said = capsys.readouterr().out.splitlines()
    assert said == [outcome.sentence for outcome in sound.outcomes] and len(said) >= 2
    assert {outcome.control for outcome in sound.outcomes if outcome.reached} >= {"pitch", "gain"}
    assert isinstance(sound.patch, Patch) and [note.name for note in sound.patch.sources] == ["Marimba", "Cello"]
    kept = audio.load("between.wav", sample_rate_hz=sound.sample_rate_hz)
    assert kept.tolist() == sound.audio.tolist()
    assert sound.sampler == sampler_of(sound.after) and smpl_of(Path("between.wav").read_bytes())


def test_a_sampler_is_told_a_pitch_that_is_known(note) -> None:
    latents: Latents = note("cello")
    told = sampler_of(latents)
    assert told is not None and midi_to_hz(told.midi) == pytest.approx(midi_to_hz(latents.pitch_midi))
    for kind, is_told in (("note", True), ("moving", True), ("chord", False), ("noise", False)):
        assert (sampler_of(latents.replace(pitch_kind=kind)) is not None) == is_told


@pytest.mark.long
def test_the_examples_of_the_papers_run(
    repository: Path, full_band: Explorer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Those of docs/python.md, one after the other, in an empty folder."""
    examples = re.findall(r"^```python\n(.*?)^```", (repository / "docs" / "python.md").read_text(), re.M | re.S)
    monkeypatch.chdir(tmp_path)
    for example in examples:
        exec(example, {})
    assert len(examples) == 3
    assert {path.name for path in tmp_path.iterdir()} == {"between.wav", "longer.npz", "library"}
    assert Latents.load("longer.npz").duration_s > 1.0
