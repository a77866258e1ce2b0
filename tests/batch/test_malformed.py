"""Specs that are wrong: each is refused whole, in one sentence with its line and its field."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import soundfile

from synth_explorer.batch import plan
from synth_explorer.errors import SpecError
from tests.conftest import make_note

# (the spec, the line and the field that are named, words of the reason). `S` stands for a line of good sources.
S = "sources: [Cello, Flute, Harp, Tuba]"
WRONG = [
    ("", 1, "", "a list of fields"),
    ("- Cello", 1, "", "a list of fields"),
    ("Cello", 1, "", "a list of fields"),
    ("sources: [Cello", 1, "", "no YAML"),
    ("sources: [Cello]\n  name: x", 2, "", "no YAML"),
    ("sources: *none", 1, "", "no YAML"),
    (f"{S}\n--- \n{S}", 2, "", "no YAML"),
    (f"{S}\n{S}", 2, "", "stands here twice"),
    (f"{S}\n[a]: 3", 2, "", "a key must be a word"),
    (f"{S}\n3: 3", 2, "[3]", "there is no field 3"),
    (f"{S}\nname: !python/name:os.system x", 2, "name", "tag"),
    (f"{S}\nname: !own x", 2, "name", "tag"),
    (f"{S}\npitch: C4", 2, "pitch", "no such field"),
    ("name: x", 1, "sources", "needed"),
    ("sources: Cello", 1, "sources", "a list"),
    ("sources: []", 1, "sources", "at least 1"),
    ("sources: [3]", 1, "sources[0]", "string"),
    ("sources: [[Cello]]", 1, "sources[0]", "a word or a number or fields in braces"),
    ("sources:\n  - Cello\n  - Theremin", 3, "sources[1]", "neither a file"),
    ("sources: ['*.aiff']", 1, "sources[0]", "no file matches"),
    ("sources: [folder]", 1, "sources[0]", "is a folder"),
    ("sources: [words.wav]", 1, "sources[0]", "not a sound file"),
    ("sources: [empty.wav]", 1, "sources[0]", "empty file"),
    ("sources: [words.npz]", 1, "sources[0]", "not a latents file"),
    ("sources: [other.npz]", 1, "sources[0]", "made by checkpoint"),
    ("sources: [plain.npy]", 1, "sources[0]", "state it"),
    ("sources: [Cello, cello]", 1, "sources[1]", "two sources are called"),
    ("sources: [{note: '*.wav', name: x}]", 1, "sources[0]", "cannot all be called"),
    ("sources: [{pitch: C4}]", 1, "sources[0].note", "needed"),
    ("sources: [{note: Cello, tone: C4}]", 1, "sources[0].tone", "no such field"),
    ("sources: [{note: Cello, pitch: H4}]", 1, "sources[0].pitch", "no pitch"),
    ("sources: [{note: Cello, pitch: 300}]", 1, "sources[0].pitch", "MIDI note"),
    (f"{S}\ncheckpoint: nowhere", 2, "checkpoint", "nowhere"),
    (f"{S}\nmorphs: []", 2, "morphs", "at least 1"),
    (f"{S}\nmorphs:\n  - steps: 3", 3, "morphs[0]", "who takes part"),
    (f"{S}\nmorphs:\n  - each: all\n    pairs: all", 3, "morphs[0]", "who takes part"),
    (f"{S}\nmorphs:\n  - pairs: al", 3, "morphs[0].pairs", "'all'"),
    (f"{S}\nmorphs:\n  - pairs: [[Cello]]", 3, "morphs[0].pairs[0]", "missing"),
    (f"{S}\nmorphs:\n  - pairs: [[Cello, Flute, Harp]]", 3, "morphs[0].pairs[0]", "at most 2"),
    (f"{S}\nmorphs:\n  - pairs: [[Cello, Oboe]]", 3, "morphs[0].pairs", "no source 'Oboe'"),
    (f"{S}\nmorphs:\n  - pairs: all\n    grid: 3 x 3", 3, "morphs[0]", "one line"),
    (f"{S}\nmorphs:\n  - pairs: all\n    steps: 1", 4, "morphs[0].steps", "greater than or equal to 2"),
    (f"{S}\nmorphs:\n  - pairs: all\n    steps: 3\n    at: 0.5", 3, "morphs[0]", "steps"),
    (f"{S}\nmorphs:\n  - pairs: all\n    at: [0, x]", 4, "morphs[0].at[1]", "number"),
    (f"{S}\nmorphs:\n  - pairs: all\n    at: 1.5", 4, "morphs[0].at", "-0.3..1.3"),
    (f"{S}\nmorphs:\n  - pairs: all\n    at: {{from: 0, to: 1}}", 4, "morphs[0].at", "how many"),
    (f"{S}\nmorphs:\n  - each: all\n    steps: 3", 3, "morphs[0]", "alone"),
    (f"{S}\nmorphs:\n  - corners: [Cello, Flute]\n    grid: 9 x 9", 3, "morphs[0].corners", "at least 4"),
    (f"{S}\nmorphs:\n  - corners: all\n    grid: [0, 9]", 4, "morphs[0].grid[0]", "greater than"),
    (f"{S}\nmorphs:\n  - corners: all\n    grid: nine", 4, "morphs[0].grid", "a list"),
    (f"{S}\nmorphs:\n  - corners: all\n    steps: 5", 4, "morphs[0].steps", "between two notes"),
    (f"{S}\nmorphs:\n  - corners: all\n    places: [[0.5, 2]]", 4, "morphs[0].places", "0..1"),
    (f"{S}\nmorphs:\n  - notes: all\n    weights: [1, 2]", 4, "morphs[0].weights", "4 weights"),
    (f"{S}\nmorphs:\n  - notes: all\n    weights: [1, -2, 0, 0]", 4, "morphs[0].weights", "sum"),
    (f"{S}\nmorphs:\n  - notes: all\n    path: {{0: 0, 1: 1}}", 4, "morphs[0].path", "[x, y]"),
    (f"{S}\nmorphs:\n  - notes: [Cello, Flute]\n    path: {{1: 0, 0: 1}}", 4, "morphs[0].path", "rising times"),
    (f"{S}\nmorphs:\n  - notes: [Cello, Flute]\n    path: {{soon: 0}}", 4, "morphs[0].path.soon", "number"),
    (f"{S}\nmorphs:\n  - notes: all\n    random: 0", 4, "morphs[0].random", "greater than"),
    (f"{S}\nmorphs:\n  - notes: all\n    random: {{seed: 3}}", 4, "morphs[0].random.count", "needed"),
    ("sources: [Cello]\nmorphs:\n  - pairs: all", 3, "morphs[0].pairs", "at least two"),
    ("sources: [Cello, Flute, Harp]\nmorphs:\n  - corners: all", 3, "morphs[0].corners", "four sources"),
    ("sources: [Cello, Flute, Harp, Tuba, Oboe]\nmorphs:\n  - notes: all", 3, "morphs[0].notes", "all are 5"),
    (f"{S}\nedits:\n  - gain", 3, "edits[0]", "fields in braces"),
    (f"{S}\nedits: {{gain: 3}}", 2, "edits", "a list"),
    (f"{S}\nedits:\n  - {{gain: 3, brightness: 1}}", 3, "edits[0]", "one entry"),
    (f"{S}\nedits:\n  - gian: 3", 3, "edits[0].gian", "no edit 'gian'"),
    (f"{S}\nedits:\n  - gain: 300", 3, "edits[0].gain", "-96..48"),
    (f"{S}\nedits:\n  - gain: loud", 3, "edits[0].gain", "finite number"),
    (f"{S}\nedits:\n  - gain: []", 3, "edits[0].gain", "at least one"),
    (f"{S}\nedits:\n  - gain: {{octaves: 3}}", 3, "edits[0].gain.octaves", "no field"),
    (f"{S}\nedits:\n  - gain:\n      from: 0\n      too: 3", 5, "edits[0].gain.too", "no such field"),
    (f"{S}\nedits:\n  - gain: {{from: 0, to: 3}}", 3, "edits[0].gain", "how many values"),
    (f"{S}\nedits:\n  - gain: {{from: 0, to: 3, steps: 2, step: 1}}", 3, "edits[0].gain", "either steps"),
    (f"{S}\nedits:\n  - oscillate: 3", 3, "edits[0].oscillate", "needs target and rate_hz and depth"),
    (f"{S}\nedits:\n  - oscillate: {{target: colour, rate_hz: 3, depth: 1}}", 3, "edits[0].oscillate.target", "one of"),
    (f"{S}\nedits:\n  - reverse: 3", 3, "edits[0].reverse", "no values"),
    (f"{S}\nedits:\n  - preset: nowhere.json", 3, "edits[0].preset", "nowhere.json"),
    (f"{S}\nedits:\n  - preset: [good.json, words.json]", 3, "edits[0].preset[1]", "words.json"),
    (f"{S}\nedits:\n  - toward: Nobody", 3, "edits[0].toward", "nor a bundled note 'Nobody'"),
    (f"{S}\nedits:\n  - toward: {{note: words.json}}", 3, "edits[0].toward.note", "words.json"),
    (f"{S}\nedits:\n  - toward: {{note: 3}}", 3, "edits[0].toward.note", "name of a source"),
    (f"{S}\nedits:\n  - toward: []", 3, "edits[0].toward", "at least one"),
    (f"{S}\nedits:\n  - toward: {{note: Flute, mean: [0]}}", 3, "edits[0].toward", "not both"),
    (f"{S}\nedits:\n  - toward: {{note: Flute, far: 1}}", 3, "edits[0].toward.far", "its fields are note, mean"),
    (f"{S}\nedits:\n  - gain: [1, 2]\n  - brightness: [0, 0.5, 1]\ncombine: zip", 5, "combine", "one length"),
    (f"{S}\ncombine: {{random: 3}}", 2, "combine", "to draw from"),
    (f"{S}\ncombine: sum", 2, "combine", "'product' or 'zip'"),
    (f"{S}\npitches: [C4, X]", 2, "pitches[1]", "no pitch"),
    (f"{S}\npitches: []", 2, "pitches", "at least 1"),
    (f"{S}\npitches: {{from: C4}}", 2, "pitches.to", "needed"),
    (f"{S}\npitches: [true]", 2, "pitches[0]", "number"),
    (f"{S}\nvelocities: [0]", 2, "velocities[0]", "greater than or equal to 1"),
    (f"{S}\nvelocities: {{values: [3], level_db: {{loud: 3}}}}", 2, "velocities.level_db.loud", "integer"),
    (f"{S}\nvelocities: {{from: 1, to: 200, steps: 2}}", 2, "velocities", "from 1 to 127"),
    (f"{S}\ndecoders: [fast, slow]", 2, "decoders[1]", "must be one"),
    (f"{S}\nseeds: -1", 2, "seeds", "greater than or equal to 0"),
    (f"{S}\nseeds: {{from: 0, to: 1, steps: 3}}", 2, "seeds", "whole number"),
    (f"{S}\nfit_steps: 6e-4", 2, "fit_steps", "integer"),
    (f"{S}\ntemperature: .nan", 2, "temperature", "finite"),
    (f"{S}\ntemperature: '1'", 2, "temperature", "number"),
    (f"{S}\nopen_loop: yes", 2, "open_loop", "boolean"),
    (f"{S}\nname: '{{pich}}'", 2, "name", "no field {pich}"),
    (f"{S}\nname: '{{pitch'", 2, "name", "braces"),
    (f"{S}\nname: ../{{source}}", 2, "name", "stay in the folder"),
    (f"{S}\nname: same", 2, "name", "would both be same.wav"),
    (f"{S}\nname: '{{velocity}}'", 2, "name", "no value"),
    (f"{S}\nname: '{{source:d}}'", 2, "name", "does not fit"),
    (f"{S}\nformat: mp3", 2, "format", "'wav' or 'flac'"),
    (f"{S}\nbits: 12", 2, "bits", "16, 24 or 32"),
    (f"{S}\nformat: flac\nbits: 32", 1, "", "whole numbers"),
    (f"{S}\nrate_hz: 100", 2, "rate_hz", "8000"),
    (f"{S}\npeak: loud", 2, "peak", "'keep'"),
    (f"{S}\nlength_s: 0", 2, "length_s", "0.001"),
    (f"{S}\nseeds: {{from: 0, to: 99999, step: 1}}\npitches: [C2, C3, C4]", 1, "", "the most are"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the specs find beside them."""
    import numpy as np

    from synth_explorer.latents import Latents, LatentsMeta

    folder = tmp_path_factory.mktemp("specs")
    (folder / "folder").mkdir()
    for name in ("a.wav", "b.wav"):
        soundfile.write(folder / name, make_note(60, seconds=0.5), 16000)
    (folder / "words.wav").write_text("no sound")
    (folder / "words.npz").write_text("no latents")
    (folder / "words.json").write_text("no preset")
    (folder / "empty.wav").touch()
    (folder / "good.json").write_text(json.dumps({"format_version": 1, "edits": [{"kind": "gain", "db": -3}]}))
    np.save(folder / "plain.npy", np.zeros((10, 16), np.float32))
    meta = LatentsMeta("other", "9" * 64, 16000, 512)
    Latents(np.zeros((10, 16)), np.full(10, 220.0), meta).save(folder / "other.npz")
    return folder


def test_there_are_enough() -> None:
    assert len({text for text, *_ in WRONG}) >= 100


@pytest.mark.parametrize(("text", "line", "field", "reason"), WRONG)
def test_is_refused_in_one_sentence(folder: Path, text: str, line: int, field: str, reason: str) -> None:
    path = folder / "spec.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SpecError) as refused:
        plan.of_spec(path)
    said = str(refused.value)
    assert said.startswith(f"{path}, line {line}{f', {field}' if field else ''}: "), said
    assert reason in said and said.endswith(".") and "\n" not in said, said
    assert not re.search(r"\[type=|pydantic|tuple|validator", said), said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"\xff\xfe\x00", "not text in UTF-8"), (b"sources: [a\x00]", "no YAML"), (b"[" * 5000, "nested too deeply")],
)
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "spec.yaml").write_bytes(content)
    with pytest.raises(SpecError, match=reason):
        plan.of_spec(tmp_path / "spec.yaml")


def test_a_spec_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="cannot be read"):
        plan.of_spec(tmp_path / "spec.yaml")


@pytest.mark.slow
def test_a_spec_that_grows_without_end_is_refused(tmp_path: Path) -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]" for a, b in zip("abcdef", "bcdefg", strict=True)]
    (tmp_path / "spec.yaml").write_text("\n".join(lines))
    with pytest.raises(SpecError, match="more than"):
        plan.of_spec(tmp_path / "spec.yaml")
