"""Where sounds lie, in which order they differ most, and which are as good as one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synth_explorer import measure
from synth_explorer.audio import save
from synth_explorer.batch import manifest
from synth_explorer.batch.descriptors import NAMES, describe
from synth_explorer.sheet import Heard, Space, farthest_first, hear, hear_note, near_duplicates
from synth_explorer.sheet.space import SPECTRUM_TOLERANCE_DB, TOLERANCES
from tests.conftest import make_note

BANDS = 80


def some(rng: np.random.Generator, count: int = 40) -> list[Heard]:
    spread = 4 * np.array([TOLERANCES[name] for name in NAMES])
    return [Heard(rng.normal(size=len(NAMES)) * spread, rng.normal(size=BANDS) * 4) for _ in range(count)]


def of(audio: np.ndarray) -> Heard:
    """What is heard of a sound that is in no folder."""
    told = describe(audio, sample_rate_hz=16000, pitch_hz=None)
    values = [np.nan if told[name] is None else told[name] for name in NAMES]
    values[NAMES.index("attack_s")] = np.log2(values[NAMES.index("attack_s")])
    return Heard(np.array(values), measure.mean_spectrum_db(audio, sample_rate_hz=16000))


def test_farthest_first_is_what_brute_force_finds(rng: np.random.Generator) -> None:
    points = rng.normal(size=(30, 7))
    points[11] = points[4]
    chosen = [min(range(30), key=lambda i: np.linalg.norm(points[i] - points.mean(axis=0)))]
    while len(chosen) < 30:
        left = [i for i in range(30) if i not in chosen]
        chosen.append(max(left, key=lambda i: min(np.linalg.norm(points[i] - points[j]) for j in chosen)))
    assert farthest_first(points).tolist() == chosen
    assert chosen[-1] == 11  # a point that is there twice comes last


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_points_have_an_order(count: int) -> None:
    assert farthest_first(np.zeros((count, 3))).tolist() == list(range(count))


def test_the_order_does_not_hang_on_where_sounds_stand(rng: np.random.Generator) -> None:
    points, shuffled = rng.normal(size=(50, 5)), rng.permutation(50)
    assert shuffled[farthest_first(points[shuffled])].tolist() == farthest_first(points).tolist()
    assert farthest_first(points.copy()).tolist() == farthest_first(points).tolist()


def test_a_choice_covers_at_least_half_as_well_as_the_best(rng: np.random.Generator) -> None:
    """Gonzalez's bound, against every choice of four points that begins with the same one."""
    from itertools import combinations

    points = rng.normal(size=(14, 3))
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)

    def radius(chosen: list[int]) -> float:
        return apart[:, chosen].min(axis=1).max()

    best = min(radius(list(chosen)) for chosen in combinations(range(14), 4))
    assert radius(farthest_first(points)[:4].tolist()) <= 2 * best


def test_descriptors_and_spectrum_count_alike(rng: np.random.Generator) -> None:
    points = Space(some(rng)).points
    np.testing.assert_allclose(points.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(points[:, : len(NAMES)].std(axis=0), 1)
    np.testing.assert_allclose(points[:, len(NAMES) :].var(axis=0).sum(), len(NAMES))


def test_what_hardly_varies_is_not_blown_up_and_what_is_not_there_is_the_mean(rng: np.random.Generator) -> None:
    sounds = some(rng)
    pitch, level = NAMES.index("pitch_midi"), NAMES.index("loudness_db")
    for i, sound in enumerate(sounds):
        sound.descriptors[level] = -20 + 1e-6 * i
        if i < 3:
            sound.descriptors[pitch] = np.nan
    points = Space(sounds).points
    assert np.abs(points[:, level]).max() < 1e-4
    assert (points[:3, pitch] == 0).all() and np.isfinite(points).all()
    np.testing.assert_allclose(points[3:, pitch].std(), 1)


def test_likeness_is_distance_in_the_space(rng: np.random.Generator) -> None:
    sounds = some(rng)
    space = Space(sounds)
    found = space.distances(sounds[7])
    assert found[7] == 0 and found.argmin() == 7
    np.testing.assert_allclose(found[3], np.linalg.norm(space.points[3] - space.points[7]))


def test_near_duplicates_are_what_brute_force_finds(rng: np.random.Generator) -> None:
    sounds = some(rng, 12)
    for sound in sounds[:12]:
        for factor in (0.6, 1.4):
            nudge = factor * np.array([TOLERANCES[name] for name in NAMES]) * rng.choice([-1, 1], len(NAMES))
            sounds.append(replace(sound, descriptors=sound.descriptors + nudge))
        sounds.append(replace(sound, spectrum_db=sound.spectrum_db + 1.4))
        sounds.append(replace(sound, spectrum_db=sound.spectrum_db + 1.6))
    order = rng.permutation(len(sounds)).tolist()
    expected: dict[int, int] = {}
    kept: list[int] = []
    for i in order:
        for j in kept:
            near = all(
                abs(a - b) <= TOLERANCES[name]
                for name, a, b in zip(NAMES, sounds[i].descriptors, sounds[j].descriptors, strict=True)
            )
            rms_db = float(np.sqrt(np.mean((sounds[i].spectrum_db - sounds[j].spectrum_db) ** 2)))
            if near and rms_db <= SPECTRUM_TOLERANCE_DB:
                expected[i] = j
                break
        else:
            kept.append(i)
    assert near_duplicates(sounds, order) == expected
    assert 20 <= len(expected) <= 40 and not set(expected) & set(expected.values())


def test_near_duplicates_as_a_listener_would_have_them(rng: np.random.Generator) -> None:
    note = make_note(60)
    hiss = (0.1 * rng.normal(size=32000)).astype(np.float32)
    alike = {"softer": note * 0.95, "a little sharp": make_note(60.05)}
    other = {"much softer": note * 0.5, "sharp": make_note(60.5), "darker": make_note(60, harmonics=3), "noise": hiss}
    sounds = [of(sound) for sound in (note, *alike.values(), *other.values())]
    assert near_duplicates(sounds, range(len(sounds))) == {1: 0, 2: 0}
    assert near_duplicates([of(hiss), of(0.98 * hiss)], [1, 0]) == {0: 1}  # what has no pitch may be alike too


def test_a_sound_is_heard_from_its_file_and_a_note_alike(made: Path, tmp_path: Path) -> None:
    record = next(manifest.read(made))
    heard = hear(made, record)
    assert heard.picture.startswith(b"\x89PNG") and len(heard.picture) < 4000
    assert heard.descriptors[0] == record["descriptors"]["loudness_db"]
    assert heard.descriptors[3] == pytest.approx(np.log2(record["descriptors"]["attack_s"]))
    note = hear_note(made / record["file"], sample_rate_hz=record["sample_rate_hz"])
    np.testing.assert_allclose(note.descriptors, heard.descriptors, atol=0.2)
    np.testing.assert_allclose(note.spectrum_db, heard.spectrum_db, atol=0.5)


def test_silence_is_heard_too(tmp_path: Path) -> None:
    save(tmp_path / "s.wav", np.zeros(16000, np.float32), sample_rate_hz=16000)
    silent = {"file": "s.wav", "sample_rate_hz": 16000, "duration_s": 1.0, "descriptors": dict.fromkeys(NAMES)}
    heard = hear(tmp_path, silent)
    assert np.isnan(heard.descriptors).all() and np.isfinite(heard.spectrum_db).all()
    assert np.isfinite(Space([heard, of(make_note(60))]).points).all()
