"""A patch: what is equal, what it survives, what it refuses, and that it opens where its notes are not."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from synth_explorer import audio
from synth_explorer.assets import find_note
from synth_explorer.edits import Brightness, EditChain, Gain, Noisiness, Oscillate, Stretch, Toward, Transpose
from synth_explorer.errors import AudioError, CheckpointError, SpecError, SynthExplorerError
from synth_explorer.rendering import Mix, Patch, Source, load_patch, pack


@pytest.fixture
def patch() -> Patch:
    return Patch.of("Marimba", "Cello", mix=0.25, edits=[Gain(-3.0), Brightness(0.2)], pitch_midi=55, seed=7)


def copied(name: str, folder: Path) -> Path:
    """A bundled note as a file of another name."""
    path = folder / "own.flac"
    path.write_bytes(find_note(name).path.read_bytes())
    return path


class TestEquality:
    def test_the_same_sound_is_one_patch_whatever_it_is_called(self, patch: Patch, tmp_path: Path) -> None:
        marimba = copied("Marimba", tmp_path)
        for mix in (Mix.at(0.25, 0.9), (0.75, 0.25), (3, 1), Mix(places=((0.0, 0.25, 0.0), (2.0, 0.25, 0.5)))):
            other = Patch.of(marimba, "cello", mix=mix, edits=patch.edits, pitch_midi=55.0, seed=7)
            assert other == patch and other.id == patch.id and hash(other) == hash(patch)

    def test_a_note_of_weight_zero_is_none(self, patch: Patch) -> None:
        alone = Patch.of("Cello", edits=patch.edits, pitch_midi=55, seed=7)
        assert patch.but(mix=Mix.at(1.0)) == alone != patch

    def test_an_edit_that_asks_for_nothing_is_none(self, patch: Patch) -> None:
        idle = (Noisiness(0.0), Transpose(0.0), *patch.edits, Oscillate("pitch", 5.0, 0.0))
        assert patch.but(edits=EditChain(idle)) == patch
        assert patch.but(edits=EditChain((Stretch(1.5), *patch.edits))) != patch

    @pytest.mark.parametrize(
        "changes",
        [
            {"mix": Mix.at(0.26)},
            {"pitch_midi": None},
            {"edits": EditChain((Brightness(0.2), Gain(-3.0)))},
            {"decoder": "final"},
            {"seed": 8},
            {"temperature": 0.5},
            {"fit_steps": 0},
            {"open_loop": True},
            {"checkpoint_hash": "0" * 64},
            {"sources": (Source.of("Marimba"), Source.of("Cello", pitch_midi=60))},
            {"sources": (Source.of("Cello"), Source.of("Marimba"))},
        ],
        ids=lambda changes: next(iter(changes)),
    )
    def test_another_sound_is_another_patch(self, patch: Patch, changes: dict) -> None:
        assert patch.but(**changes) != patch and patch.but(**changes).id != patch.id

    def test_a_former_name_of_a_decoder_means_it(self) -> None:
        assert Patch.of("Cello", decoder="wavenet") == Patch.of("Cello", decoder="final")
        with pytest.raises(CheckpointError, match="fast, final"):
            Patch.of("Cello", decoder="slow")


class TestJson:
    def test_round_trip(self, patch: Patch) -> None:
        again = Patch.from_json(patch.to_json())
        assert again == patch and again.to_json() == patch.to_json() and again.sources == patch.sources

    @pytest.mark.slow
    def test_in_another_process(self, patch: Patch, tmp_path: Path) -> None:
        path = patch.save(tmp_path / "patch.json")
        code = "import sys; from synth_explorer.rendering import load_patch; print(load_patch(sys.argv[1]).id)"
        told = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
        assert told.stdout.strip() == patch.id

    def test_its_edits_are_a_preset(self, patch: Patch) -> None:
        edits = json.loads(patch.to_json())["edits"]
        assert EditChain.from_json(json.dumps({"format_version": 1, "edits": edits})) == patch.edits

    @pytest.mark.parametrize(
        ("before", "after", "words"),
        [
            ('"format_version": 1', '"format_version": 2', "newer than this program reads"),
            ('"format_version": 1', '"format_version": 0', "never existed"),
            ('"seed": 7', '"seed": "7"', "seed: should be a valid integer; received '7'"),
            ('"seed": 7', '"sed": 7', "unknown field 'sed'"),
            ('"seed": 7', '"seed": -1', "seed"),
            ('"kind": "gain"', '"kind": "gian"', "Unknown edit kind 'gian'"),
            ('"db": -3.0', '"db": 400', "db=400"),
            ('"pitch_midi": 55.0', '"pitch_midi": 5.0', "from 18 to 111"),
            ('"name": "Cello",', "", "lacks the field 'sources.1.name'"),
            ('"sha256": "', '"sha256": "x', "sources.0.sha256"),
            ('"weights": [],', '"weights": [1.0],', "either weights or places"),
            ("{", "[", "must be JSON"),
        ],
    )
    def test_what_is_wrong_is_said_with_its_place(self, patch: Patch, before: str, after: str, words: str) -> None:
        text = patch.to_json()
        assert before in text
        with pytest.raises(SpecError) as found:
            Patch.from_json(text.replace(before, after, 1))
        assert words in str(found.value) and "\n" not in str(found.value)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"mix": float("nan")},
            {"mix": ()},
            {"mix": 2.0},
            {"mix": [1.0]},
            {"mix": [1.0, -1.0]},
            {"seed": 1.5},
            {"fit_steps": 201},
            {"pitch_midi": 500},
        ],
    )
    def test_what_cannot_be_is_refused_when_it_is_made(self, wrong: dict) -> None:
        with pytest.raises(SynthExplorerError) as found:
            Patch.of("Marimba", "Cello", **wrong)
        assert "\n" not in str(found.value)

    def test_there_are_one_to_four_sources(self) -> None:
        for notes in ((), ("Cello",) * 5):
            with pytest.raises(SpecError, match="sources"):
                Patch.of(*notes)


class TestSources:
    def test_a_note_is_known_by_its_content(self, tmp_path: Path) -> None:
        path = copied("Cello", tmp_path)
        source = Source.of(path)
        assert (source.origin, source.name) == ("file", "own.flac") and source.locate() == path
        path.unlink()
        assert source.locate() == find_note("Cello").path  # it is bundled too

    def test_a_file_that_changed_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "note.wav"
        audio.save(path, np.full(8000, 0.1, np.float32), sample_rate_hz=16000)
        source = Source.of(path)
        audio.save(path, np.full(9000, 0.2, np.float32), sample_rate_hz=16000)
        with pytest.raises(AudioError, match="no longer the sound"):
            source.locate()
        path.unlink()
        with pytest.raises(AudioError, match="not at"):
            source.locate()

    def test_nothing_of_that_name(self) -> None:
        with pytest.raises(AudioError, match="Celloo"):
            Source.of("Celloo")

    def test_notes_that_moved_with_their_patch_are_found_beside_it(self, tmp_path: Path) -> None:
        first, second = tmp_path / "first", tmp_path / "second"
        first.mkdir()
        audio.save(first / "note.wav", np.linspace(-0.5, 0.5, 8000, dtype=np.float32), sample_rate_hz=16000)
        patch = Patch.of(first / "note.wav")
        patch.save(first / "patch.json")
        first.rename(second)
        moved = load_patch(second / "patch.json")
        assert moved == patch and moved.sources[0].locate() == second / "note.wav"


class TestPack:
    @pytest.fixture(autouse=True)
    def _cache(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SYNTH_EXPLORER_CACHE", str(tmp_path / "cache"))

    def test_it_opens_where_its_notes_are_not(self, tmp_path: Path) -> None:
        note = tmp_path / "note.wav"
        audio.save(note, np.linspace(-0.5, 0.5, 8000, dtype=np.float32), sample_rate_hz=16000)
        content, patch = note.read_bytes(), Patch.of(note, "Cello", mix=0.4)
        packed = pack(patch, tmp_path / "patch.zip")
        note.unlink()
        assert str(tmp_path).encode() not in packed.read_bytes()
        opened = load_patch(packed)
        assert opened == patch and opened.sources[0].locate().read_bytes() == content

    def test_damage_is_told(self, tmp_path: Path) -> None:
        patch = Patch.of("Cello")
        good = pack(patch, tmp_path / "good.zip")
        with zipfile.ZipFile(good) as file:
            members = {name: file.read(name) for name in file.namelist()}
        note = next(name for name in members if name.startswith("sources/"))
        changed = {
            "damaged": members | {note: b"other"},
            "not in it": {name: data for name, data in members.items() if name != note},
            "unknown field": members | {"patch.json": members["patch.json"].replace(b'"seed"', b'"seeed"')},
            "patch.json": {note: members[note]},
        }
        for words, content in changed.items():
            path = tmp_path / "bad.zip"
            with zipfile.ZipFile(path, "w") as file:
                for name, data in content.items():
                    file.writestr(name, data)
            with pytest.raises(SynthExplorerError, match=words):
                load_patch(path)
        for name, data in (("cut.zip", good.read_bytes()[:1000]), ("none.json", b"\xff\xfe")):
            (tmp_path / name).write_bytes(data)
            with pytest.raises(SpecError, match=name):
                load_patch(tmp_path / name)
        with pytest.raises(SpecError, match="missing"):
            load_patch(tmp_path / "missing.json")

    def test_a_note_that_is_gone_packs_nothing(self, tmp_path: Path) -> None:
        note = tmp_path / "note.wav"
        audio.save(note, np.linspace(-0.5, 0.5, 8000, dtype=np.float32), sample_rate_hz=16000)
        patch = Patch.of(note)
        note.unlink()
        with pytest.raises(AudioError):
            pack(patch, tmp_path / "patch.zip")
        assert not (tmp_path / "patch.zip").exists()


def test_a_move_toward_another_note_is_kept_to_the_last_digit(patch: Patch) -> None:
    mean = tuple(float(x) for x in np.random.default_rng(0).normal(size=16))
    moved = patch.but(edits=EditChain((Toward(mean, 0.3),)))
    assert Patch.from_json(moved.to_json()).edits == moved.edits
