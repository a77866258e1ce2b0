"""Recordings of one instrument at several pitches: a pitch lies between those next to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from synth_explorer.cli import app
from synth_explorer.errors import SpecError
from synth_explorer.explorer import Explorer
from synth_explorer.instruments.maker import Maker
from synth_explorer.instruments.zones import layers
from synth_explorer.latents import weights_by_pitch
from synth_explorer.measure import brightness_octaves
from synth_explorer.rendering import Mix, Patch, Renderer, Source


@pytest.mark.parametrize(
    ("midi", "weights"),
    [
        (40.0, (0, 0, 1)),
        (48.0, (0, 0, 1)),
        (51.0, (0.5, 0, 0.5)),
        (54.0, (1, 0, 0)),
        (60.0, (0.75, 0.25, 0)),
        (90.0, (0, 1, 0)),
    ],
)
def test_a_pitch_lies_between_its_neighbours(midi: float, weights: tuple[float, ...]) -> None:
    assert weights_by_pitch((54.0, 78.0, 48.0), midi) == pytest.approx(weights)


def test_recordings_of_one_pitch_share() -> None:
    assert weights_by_pitch((60.0, 72.0, 60.2), 50.0) == pytest.approx((0.5, 0, 0.5))
    assert weights_by_pitch((60.0, 72.0, 60.2), 66.05) == pytest.approx((0.25, 0.5, 0.25))
    assert weights_by_pitch((60.0, 60.1), 66.0) == pytest.approx((0.5, 0.5))


@pytest.mark.parametrize("count", [1, 2, 4, 7])
def test_weights_sum_to_one_and_give_the_pitch_within_the_range(count: int, rng: np.random.Generator) -> None:
    for _ in range(50):
        pitches = rng.permutation(40.0 + 3.0 * rng.permutation(12)[:count])
        midi = float(rng.uniform(30.0, 90.0))
        weights = np.array(weights_by_pitch(pitches.tolist(), midi))
        assert weights.min() >= 0.0 and weights.sum() == pytest.approx(1.0) and np.count_nonzero(weights) <= 2
        assert weights @ pitches == pytest.approx(np.clip(midi, pitches.min(), pitches.max()))


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A dark note at C3 and a bright one at C4."""
    import soundfile

    folder, paths = tmp_path_factory.mktemp("notes"), []
    at_s = np.arange(24_000) / 16_000
    for name, hz, fall in (("low", 130.8128, 2.0), ("high", 261.6256, 0.5)):
        wave = sum(np.sin(2 * np.pi * k * hz * at_s) / k**fall for k in range(1, 20)) * np.exp(-at_s)
        paths.append(folder / f"{name}.wav")
        soundfile.write(paths[-1], 0.3 * wave / np.abs(wave).max(), 16_000)
    return paths[0], paths[1]


@pytest.fixture(scope="module")
def renderer(explorer: Explorer) -> Renderer:
    return Renderer(explorer)


@pytest.fixture(scope="module")
def patch(renderer: Renderer, notes: tuple[Path, Path]) -> Patch:
    return renderer.patch(*map(Source.of, notes), mix=Mix(by_pitch=True), fit_steps=0)


def test_between_the_recordings_it_is_their_mix_and_beyond_the_nearest_alone(renderer: Renderer, patch: Patch) -> None:
    low, high = renderer.notes(patch)
    for midi, weights in ((54.0, (0.5, 0.5)), (36.0, (1.0, 0.0)), (72.0, (0.0, 1.0))):
        mixed, shares = renderer.mix(patch.at_key(midi))
        assert shares == pytest.approx(weights, abs=0.01)
        assert mixed.pitch_midi == pytest.approx(midi, abs=0.01)
        expected = weights[0] * np.pad(low.z, ((0, 1), (0, 0)), "edge")[:20] + weights[1] * high.z[:20]
        beyond = 0.512 / 12.0 * (midi - np.clip(midi, 48.0, 60.0))  # octaves of brightness that go with the pitch
        assert np.abs(mixed.z[:20, 2:] - expected[:, 2:]).max() < 0.02
        assert np.mean(mixed.z[:20, 1] - expected[:, 1]) == pytest.approx(beyond, abs=0.1)


def test_without_a_pitch_it_lies_in_the_middle(renderer: Renderer, patch: Patch) -> None:
    mixed, weights = renderer.mix(patch)
    assert weights == pytest.approx((0.5, 0.5), abs=0.01)
    assert mixed.pitch_midi == pytest.approx(54.0, abs=0.1)


def test_keys_are_heard_brighter_between_than_below(renderer: Renderer, patch: Patch) -> None:
    maker = Maker(renderer, patch)
    rate_hz = maker.sample_rate_hz
    from synth_explorer.instruments.sample import Slot

    dark, between, bright = (
        brightness_octaves(maker.sample(Slot(key, layers(1)[0], 0)).audio, sample_rate_hz=rate_hz)
        for key in (48, 54, 60)
    )
    assert dark + 0.2 < between < bright - 0.2


def test_it_is_another_sound_than_the_middle_and_comes_back_from_json(patch: Patch) -> None:
    assert Patch.from_json(patch.to_json()) == patch
    assert patch.id != patch.but(mix=Mix.at(0.5)).id
    assert patch.id != patch.at_key(50.0).id
    with pytest.raises(SpecError, match="by_pitch"):
        Mix.make(what="The mix", error=SpecError, by_pitch=True, weights=(1.0,))


def test_no_wheel_moves_between_them(renderer: Renderer, patch: Patch) -> None:
    with pytest.raises(SpecError, match="by pitch"):
        Maker(renderer, patch, morph_steps=3)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("morph", "LOW", "HIGH", "--by-pitch", "--mix", "0.5"), "only one of"),
        (("instrument", "LOW", "--by-pitch"), "two to four notes"),
        (("instrument", "LOW", "HIGH", "--by-pitch", "--morph-steps", "3"), "keys choose"),
    ],
)
def test_what_means_nothing_is_refused(
    notes: tuple[Path, Path], tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    named = {"LOW": str(notes[0]), "HIGH": str(notes[1])}
    out = tmp_path / ("out.wav" if words[0] == "morph" else "out")
    result = CliRunner().invoke(app, [named.get(word, word) for word in words] + ["-o", str(out)])
    assert result.exit_code == 2 and said in " ".join(result.stderr.split()), result.stderr
    assert not list(tmp_path.iterdir())


def test_from_the_shell_to_a_pitch_between(notes: tuple[Path, Path], tmp_path: Path) -> None:
    words = ["--by-pitch", "--pitch", "F3", "--fit-steps", "0", "--checkpoint", "default-16k"]
    saved = tmp_path / "p.json"
    result = CliRunner().invoke(
        app, ["morph", *map(str, notes), *words, "-o", str(tmp_path / "f.wav"), "--save-patch", str(saved)]
    )
    assert result.exit_code == 0, result.output
    assert Patch.from_json(saved.read_text()).mix == Mix(by_pitch=True)
    assert (tmp_path / "f.wav").stat().st_size > 10_000
