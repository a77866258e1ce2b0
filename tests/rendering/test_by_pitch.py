"""Recordings of one instrument at several pitches: a pitch lies between those next to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from synth_explorer.audio import load
from synth_explorer.cli import app
from synth_explorer.errors import SpecError
from synth_explorer.explorer import Explorer
from synth_explorer.instruments.maker import Maker
from synth_explorer.instruments.sample import Slot
from synth_explorer.instruments.zones import layers
from synth_explorer.latents import under_loudest_db, weights_by_pitch
from synth_explorer.measure import brightness_octaves, loudness_db
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


@pytest.mark.parametrize(
    ("touch_db", "weights"),
    [
        (0.0, (0, 0.5, 0, 0.25, 0.25)),
        (-6.125, (0.25, 0.5 * 17.875 / 24, 0.5 * 6.125 / 24, 0.125, 0.125)),
        (-12.0, (0.5, 0.25, 0.25, 0, 0)),
        (-50.0, (0.5, 0, 0.5, 0, 0)),
    ],
)
def test_of_one_pitch_those_struck_as_hard_share(touch_db: float, weights: tuple[float, ...]) -> None:
    pitches, levels_db = (60.0, 72.0, 72.1, 60.0, 60.3), (-20.0, -30.0, -54.0, -8.5, -8.0)
    under_db = under_loudest_db(pitches, levels_db)
    assert under_db == (-12.0, 0.0, -24.0, -0.5, 0.0)  # the two that lie 0.5 dB apart were struck alike
    assert weights_by_pitch(pitches, 66.075, under_db=under_db, touch_db=touch_db) == pytest.approx(weights)


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
def soft_note(notes: tuple[Path, Path]) -> Path:
    """The dark note's pitch struck softly, 20 dB softer: a sine with little beside it."""
    import soundfile

    at_s = np.arange(24_000) / 16_000
    wave = sum(np.sin(2 * np.pi * k * 130.8128 * at_s) / k**5 for k in range(1, 20)) * np.exp(-at_s)
    soundfile.write(path := notes[0].with_name("soft.wav"), 0.03 * wave / np.abs(wave).max(), 16_000)
    return path


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
    dark, between, bright = (
        brightness_octaves(maker.sample(Slot(key, layers(1)[0], 0)).audio, sample_rate_hz=rate_hz)
        for key in (48, 54, 60)
    )
    assert dark + 0.2 < between < bright - 0.2


def test_a_soft_layer_is_as_dark_as_the_soft_recording_and_as_loud_as_any(
    renderer: Renderer, notes: tuple[Path, Path], soft_note: Path
) -> None:
    patch = renderer.patch(*map(Source.of, (*notes, soft_note)), mix=Mix(by_pitch=True), fit_steps=0)
    maker, one_layer = Maker(renderer, patch), Maker(renderer, patch.but(sources=patch.sources[:2]))
    soft, loud = layers(4)[0], layers(1)[0]
    heard = {
        name: made.renderer.render(made.patch_of(Slot(48, layer, 0)))
        for name, made, layer in (("loud", maker, loud), ("soft", maker, soft), ("generic", one_layer, soft))
    }
    level_db = {name: loudness_db(one.audio, sample_rate_hz=one.sample_rate_hz) for name, one in heard.items()}
    octaves = {name: brightness_octaves(one.audio, sample_rate_hz=one.sample_rate_hz) for name, one in heard.items()}
    assert heard["loud"].weights == pytest.approx((1.0, 0.0, 0.0), abs=1e-3)
    assert heard["soft"].weights == pytest.approx((0.0, 0.0, 1.0), abs=0.1)
    assert level_db["soft"] - level_db["loud"] == pytest.approx(soft.level_db, abs=1.0)
    assert level_db["soft"] == pytest.approx(level_db["generic"], abs=1.0)
    recorded = brightness_octaves(load(soft_note, sample_rate_hz=16_000), sample_rate_hz=16_000)
    assert abs(octaves["soft"] - recorded) < abs(octaves["generic"] - recorded)
    assert maker.renderer.told_db(maker.patch_of(Slot(48, soft, 0))) == pytest.approx(-20.0, abs=2.0)


def test_a_patch_that_is_struck_softly_is_played_softly_and_hardly_heard_recordings_do_no_harm(
    renderer: Renderer, notes: tuple[Path, Path], tmp_path: Path
) -> None:
    import soundfile

    heard = load(notes[0], sample_rate_hz=16_000)
    soundfile.write(faint := tmp_path / "faint.wav", 0.0008 * heard, 16_000, subtype="FLOAT")
    patch = renderer.patch(*map(Source.of, (notes[0], faint)), mix=Mix(by_pitch=True, touch_db=-3.0), fit_steps=0)
    maker, softest = Maker(renderer, patch), layers(4)[0]
    whole, soft = (maker.patch_of(Slot(48, layer, 0)) for layer in (layers(1)[0], softest))
    assert whole.mix.touch_db == -3.0 and soft.mix.touch_db == pytest.approx(softest.level_db - 3.0)
    assert [edit.kind for edit in whole.edits.at_work()] == ["set_pitch"]  # as loud and as bright as it is
    for made in (whole, soft):
        assert np.isfinite(renderer.render(made).audio).all()


def test_a_touch_is_of_recordings_by_pitch_and_at_most_the_loudest() -> None:
    for wrong in ({"by_pitch": True, "touch_db": 1.0}, {"weights": (1.0,), "touch_db": -3.0}):
        with pytest.raises(SpecError, match="touch_db"):
            Mix.make(what="The mix", error=SpecError, **wrong)
    soft, any_ = Mix(by_pitch=True, touch_db=-6.0), Mix(by_pitch=True)
    assert soft.meaning(2) != any_.meaning(2) != Mix(by_pitch=True, touch_db=0.0).meaning(2)


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
