"""On which notes a mixed pitch lies: against a search that knows nothing, and in the sound."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer.errors import SynthExplorerError
from synth_explorer.pitch import hz_to_midi, midi_of, note_name
from synth_explorer.rendering import Mix, Patch, Renderer, Source
from synth_explorer.rendering.quantise import KEYS, nearest, quantiser
from tests.fake_family import fake_explorer, fake_notes

NAMES = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]
STEPS = {"major": [2, 2, 1, 2, 2, 2, 1], "minor": [2, 1, 2, 2, 1, 2, 2]}


def notes_of(to: str) -> set[int]:
    """Every note that there is of a quantiser, walked from its tonic in whole and half steps."""
    if to == "semitone":
        return set(range(18, 112))
    tonic, kind = to.split()
    found, note = set(), NAMES.index(tonic)
    while note < 112:
        for step in STEPS[kind]:
            found.add(note)
            note += step
    return {note for first in (0, -12) for note in (one + first for one in found) if 18 <= note <= 111}


@pytest.mark.parametrize("to", ["semitone", *KEYS])
def test_nearest_is_what_a_search_finds(to: str) -> None:
    notes = sorted(notes_of(to))
    for midi in np.round(np.random.default_rng(3).uniform(18.0, 111.0, 60), 2).tolist():
        found = nearest(midi, to)
        assert found in notes and abs(found - midi) == min(abs(note - midi) for note in notes)
    assert nearest(60.5, "semitone") == 60.0 and nearest(61.5, "semitone") == 61.0
    assert nearest(60.37, "off") == 60.37


def test_names_of_keys() -> None:
    assert quantiser("Eb minor") == "D# minor" and quantiser(" c  major ") == "C major" and quantiser("off") == "off"
    assert len(set(KEYS)) == 24 and all(quantiser(key) == key for key in KEYS)
    for wrong in ("H major", "C", "dorian", "", "C lydian"):
        with pytest.raises(SynthExplorerError):
            quantiser(wrong)


@pytest.fixture(scope="module")
def renderer(tmp_path_factory: pytest.TempPathFactory) -> Renderer:
    made = Renderer(fake_explorer())
    made.files = [note.path for note in fake_notes(tmp_path_factory.mktemp("notes"))]
    return made


@pytest.fixture
def patch(renderer: Renderer) -> Patch:
    """A mix of E2, A2, C4 and E4, a good deal beside any note."""
    notes = [Source.of(path) for path in renderer.files[:4]]
    return renderer.patch(*notes, mix=Mix.at(0.37, 0.41), fit_steps=0)


def test_the_mix_lies_on_the_note_and_keeps_what_moves(renderer: Renderer, patch: Patch) -> None:
    plain, _ = renderer.mix(patch)
    for to in ("semitone", "C major", "F# minor"):
        mixed, _ = renderer.mix(patch.but(quantise=to))
        assert mixed.pitch_midi == pytest.approx(nearest(plain.pitch_midi, to), abs=0.002)
        moved = hz_to_midi(mixed.pitch_hz.astype(float)) - hz_to_midi(plain.pitch_hz.astype(float))
        assert np.ptp(moved) < 1e-3
        np.testing.assert_array_equal(mixed.z, plain.z)


def test_a_pitch_that_is_set_stays_and_glides_stay_glides(renderer: Renderer, patch: Patch) -> None:
    given, _ = renderer.mix(patch.but(pitch_midi=60.3, quantise="semitone"))
    assert given.pitch_midi == pytest.approx(60.3, abs=0.01)
    gliding = patch.but(mix=Mix.along([(0.0, 0.0, 0.0), (0.8, 1.0, 1.0)]))
    plain, snapped = (renderer.mix(gliding.but(quantise=to))[0] for to in ("off", "semitone"))
    assert snapped.pitch_midi == pytest.approx(nearest(plain.pitch_midi, "semitone"), abs=0.002)
    assert np.ptp(hz_to_midi(snapped.pitch_hz.astype(float))) == pytest.approx(
        float(np.ptp(hz_to_midi(plain.pitch_hz.astype(float)))), abs=1e-3
    )


def test_off_means_what_patches_meant_before(patch: Patch) -> None:
    assert "quantise" not in patch.meaning() and patch.but(quantise="off").id == patch.id
    assert patch.but(quantise="semitone").id != patch.id != patch.but(quantise="C major").id
    assert patch.but(quantise="Db major") == patch.but(quantise="C# major")
    assert patch.but(pitch_midi=60.0, quantise="semitone") == patch.but(pitch_midi=60.0)
    assert Patch.from_json(patch.but(quantise="semitone").to_json()).quantise == "semitone"
    with pytest.raises(SynthExplorerError, match="C major"):
        patch.but(quantise="H major")


def test_names_are_read_as_they_are_written() -> None:
    from synth_explorer.pitch import pitch_given, pitch_words

    for midi in (60.0, 60.12, 59.5, 51.0, 18.0, 110.77):
        assert pitch_given(pitch_words(midi)) == pytest.approx(midi, abs=0.005)
        assert pitch_given(pitch_words(midi, unit="")) == pytest.approx(midi, abs=0.005)
    assert pitch_words(66.0) == "F♯4" and pitch_words(59.97) == f"{note_name(60)} −3 cents"
    assert pitch_given("Eb3") == midi_of("D#3") == 51.0 and pitch_given(" 60.5 ") == 60.5 and midi_of("c4-3ct") == 59.97
    for wrong in ("H4", "C4 + cents", "", "C4 +123"):
        with pytest.raises(SynthExplorerError):
            pitch_given(wrong)
