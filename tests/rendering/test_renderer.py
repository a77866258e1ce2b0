"""Rendering: solved, decoded no more than it needs, judged when asked, remembered; by a model that counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from synth_explorer import audio, measure
from synth_explorer.edits import Brightness, EditChain, Gain, Noisiness, Oscillate, Reverse, Scale, Transpose
from synth_explorer.errors import CheckpointError, SynthExplorerError
from synth_explorer.explorer import Explorer
from synth_explorer.explorer.family import Decoding
from synth_explorer.latents import Latents
from synth_explorer.rendering import Mix, Patch, Rendered, Renderer, Source
from tests.fake_family import FakeFamily, SlowFamily, fake_explorer, fake_notes


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[Source]:
    return [Source.of(note.path) for note in fake_notes(tmp_path_factory.mktemp("notes"))]


@pytest.fixture
def explorer() -> Explorer:
    return fake_explorer()


@pytest.fixture
def renderer(explorer: Explorer) -> Renderer:
    return Renderer(explorer)


@pytest.fixture
def plain(renderer: Renderer, sources: list[Source]) -> Patch:
    return renderer.patch(sources[2], fit_steps=0)


def with_edits(patch: Patch, *edits) -> Patch:
    return patch.but(edits=EditChain(edits))


def octaves(before: np.ndarray, after: np.ndarray) -> float:
    return float(np.diff([measure.brightness_octaves(part, sample_rate_hz=16000) for part in (before, after)])[0])


class TestSolving:
    def test_the_plain_sound_is_what_an_edit_is_compared_with(self, renderer: Renderer, plain: Patch) -> None:
        family = renderer.explorer.family
        before = renderer.render(plain)
        edited = renderer.render(with_edits(plain, Brightness(0.4)))
        trials = family.decoded - 1
        assert 1 <= trials <= 3 and octaves(before.audio, edited.audio) == pytest.approx(0.4, abs=0.05)
        assert edited.outcomes and edited.solution.reached and edited.audio_before is before.audio
        assert family.decoded == 1 + trials
        with pytest.raises(ValueError, match="read-only"):
            before.audio[0] = 1.0

    def test_by_its_formula_it_would_be_off(self, renderer: Renderer, plain: Patch) -> None:
        formula = renderer.render(with_edits(plain, Brightness(0.4)).but(open_loop=True))
        assert formula.solution is None and formula.outcomes == () and "outcomes" not in formula.report
        assert abs(octaves(formula.audio_before, formula.audio) - 0.4) > 0.05

    def test_what_nobody_asked_for_is_not_judged_against_itself(self, renderer: Renderer, plain: Patch) -> None:
        done = renderer.render(with_edits(plain, Transpose(3.0), Reverse()))
        assert [outcome.control for outcome in done.outcomes] == ["pitch"]

    def test_noise_is_solved_while_level_and_brightness_are_held(self, renderer: Renderer, plain: Patch) -> None:
        found = {item.control: item for item in renderer.render(with_edits(plain, Noisiness(6.0))).outcomes}
        assert found["noisiness"].measured == pytest.approx(6.0, abs=1.0)
        assert found["loudness"].reached and found["brightness"].reached

    def test_report_is_of_the_sounds_that_were_decoded(self, renderer: Renderer, plain: Patch) -> None:
        report = renderer.render(with_edits(plain, Gain(-6.0), Oscillate("loudness", 4.0, 3.0))).report
        assert report["requested"]["gain_db"] == -6.0
        assert report["measured"]["osc_depth"] == pytest.approx(3.0, rel=0.15)
        assert report["reached"] and report["source"]["movement"]

    def test_the_report_of_a_mix_has_no_source(self, renderer: Renderer, sources: list[Source]) -> None:
        assert "source" not in renderer.render(renderer.patch(*sources[:2], fit_steps=0)).report


class TestMemory:
    def test_the_same_patch_is_rendered_once(self, renderer: Renderer, sources: list[Source]) -> None:
        patch = renderer.patch(*sources[:2], mix=Mix.at(0.25), fit_steps=0)
        first, family = renderer.render(patch), renderer.explorer.family
        counts = family.encoded, family.decoded
        assert renderer.render(patch.but(mix=Mix.of([3, 1]))) is first
        assert renderer.remembered(patch) is first and renderer.remembered(patch.but(seed=1)) is None
        renderer.render(patch.but(mix=Mix.at(0.5)))
        assert (family.encoded, family.decoded) == (counts[0], counts[1] + 1)

    def test_a_fit_is_made_once_and_kept_apart(self, renderer: Renderer, sources: list[Source]) -> None:
        patch, family = renderer.patch(sources[0]), renderer.explorer.family
        done = renderer.render(patch)
        assert family.fitted == 1 and done.after.details == 3
        assert renderer.known(sources[0], fit_steps=patch.fit_steps) is not None
        assert renderer.known(sources[0], fit_steps=0) is None
        assert renderer.render(patch.but(fit_steps=0)).after.details == 0 and family.encoded == 1

    def test_a_renderer_that_starts_anew_makes_the_same_samples(self, plain: Patch) -> None:
        patch = with_edits(plain, Brightness(0.3), Gain(-2.0))
        first = Renderer(fake_explorer()).render(patch).audio
        other = Renderer(fake_explorer())
        other.render(plain.but(seed=3))
        assert np.array_equal(other.render(patch).audio, first)


class TestMixing:
    def test_a_way_passes_its_sources(self, renderer: Renderer, sources: list[Source]) -> None:
        way = Mix.along([(0.2, 0.0, 0.0), (0.8, 1.0, 0.0)])
        moved = renderer.render(renderer.patch(*sources[:2], mix=way, fit_steps=0))
        first, last = (renderer.latents(source, fit_steps=0) for source in sources[:2])
        assert np.allclose(moved.after.z[0], first.z[0], atol=1e-5)
        assert np.allclose(moved.after.z[-1], last.z[-1], atol=1e-5)
        assert sum(moved.weights) == pytest.approx(1.0)

    def test_weights_and_pad_agree(self, renderer: Renderer, sources: list[Source]) -> None:
        pads = [Mix.at(0.3, 0.6), Mix.of([0.28, 0.12, 0.42, 0.18])]
        sounds = [renderer.render(renderer.patch(*sources[:4], mix=mix, fit_steps=0)).after.z for mix in pads]
        np.testing.assert_allclose(*sounds, atol=1e-6)

    def test_a_note_of_weight_zero_takes_no_part(self, explorer: Explorer, sources: list[Source]) -> None:
        both = Renderer(explorer).patch(*sources[:2], mix=Mix.at(0.0), pitch_midi=50, fit_steps=0)
        alone = both.but(sources=tuple(sources[:1]))
        assert both == alone
        np.testing.assert_array_equal(*(Renderer(explorer).render(one).audio for one in (both, alone)))

    def test_latents_are_sources_too(self, renderer: Renderer, sources: list[Source], tmp_path: Path) -> None:
        path = renderer.latents(sources[1], fit_steps=0).save(tmp_path / "note.npz")
        note, file = renderer.render(renderer.patch(sources[1], fit_steps=0)), Source.of(path)
        again = renderer.render(renderer.patch(file, fit_steps=0))
        assert np.array_equal(again.audio, note.audio) and renderer.recording(file) is None
        assert "source" not in again.report


class TestOther:
    def test_a_slow_decoder_is_begun_streamed_and_kept(self, sources: list[Source], monkeypatch) -> None:
        monkeypatch.setattr(SlowFamily, "CHUNK_S", 0.0)
        renderer = Renderer(fake_explorer(SlowFamily))
        patch = renderer.patch(sources[0], fit_steps=0)
        assert patch.decoder == "wavenet"
        begun, done = renderer.begin(patch), []
        assert begun.audio.size == 0 and renderer.explorer.family.decoded == 0
        parts = list(renderer.stream(begun, stop=_never(), progress=lambda at, total: done.append(at / total)))
        whole = np.concatenate(parts)
        assert len(parts) > 1 and done[-1] == 1.0 and whole.size == begun.after.duration_samples

    def test_final_is_another_decoder_of_the_same_latents(self, renderer: Renderer, plain: Patch) -> None:
        fast, final = renderer.render(plain), renderer.render(plain.but(decoder="final"))
        np.testing.assert_allclose(final.audio, 0.5 * fast.audio, atol=1e-7)

    def test_the_sound_before_comes_by_the_same_engine_and_says_how_far_it_is(
        self, sources: list[Source], monkeypatch
    ) -> None:
        monkeypatch.setattr(SlowFamily, "CHUNK_S", 0.0)
        renderer, told = Renderer(fake_explorer(SlowFamily)), []
        patch = renderer.patch(sources[0], fit_steps=0, edits=EditChain((Scale((0,), 0.9),)))
        done = renderer.render(patch, engine="numba-int8")
        renderer.report(done, progress=lambda at, total: told.append(at / total))
        assert [how.engine for how in renderer.explorer.family.made] == ["numba-int8"] * 2 and told[-1] == 1.0
        with pytest.raises(ValueError, match="read-only"):
            done.audio[0] = 1.0

    def test_a_patch_of_another_checkpoint_is_refused(self, plain: Patch) -> None:
        with pytest.raises(CheckpointError, match=r"'fake' .*'slow'"):
            Renderer(fake_explorer(SlowFamily)).render(plain)

    @pytest.mark.parametrize("wrong", [{"mix": Mix.at(2.0)}, {"decoder": "none"}, {"mix": Mix.of([1.0])}])
    def test_what_cannot_be_is_one_sentence_and_leaves_nothing(
        self, renderer: Renderer, sources: list[Source], wrong: dict
    ) -> None:
        patch = renderer.patch(*sources[:2], fit_steps=0)
        with pytest.raises(SynthExplorerError) as found:
            renderer.render(patch.but(**wrong))
        assert "\n" not in str(found.value)
        assert renderer.render(patch).audio.size

    def test_the_recording_is_that_of_the_latents_time(self, renderer: Renderer, tmp_path: Path) -> None:
        sound = np.zeros(16000, np.float32)
        sound[4000:12000] = 0.3 * np.sin(np.arange(8000) * 0.2)
        path = audio.save(tmp_path / "late.wav", sound, sample_rate_hz=16000)
        source = Source.of(path)
        heard, latents = renderer.recording(source), renderer.latents(source, fit_steps=0)
        assert latents.meta.lead_in_samples > 3000
        np.testing.assert_allclose(heard, sound[latents.meta.lead_in_samples :][: heard.size], atol=1e-2)


def _never():
    from threading import Event

    return Event()


def test_the_family_of_the_tests_is_a_family() -> None:
    from synth_explorer.explorer.family import Family

    wanted = {name for name in vars(Family) if not name.startswith("_")} | set(Family.__annotations__)
    assert all(hasattr(kind, name) for kind in (FakeFamily, SlowFamily) for name in wanted - {"stream_together"})


class TogetherFamily(SlowFamily):
    """The slow one, which makes up to three notes at once and tells how many it made."""

    CHUNK_S = 0.0

    def __init__(self) -> None:
        super().__init__()
        self.groups: list[list[int]] = []

    def together(self, engine: str) -> int:
        return 3

    def stream_together(self, latents: Sequence[Latents], hows: Sequence[Decoding]) -> Iterator[np.ndarray]:
        self.groups.append([how.seed for how in hows])
        sounds = [np.concatenate(list(self.stream(one, how))) for one, how in zip(latents, hows, strict=True)]
        longest = max(map(len, sounds))
        yield np.stack([np.pad(sound, (0, longest - len(sound))) for sound in sounds])


def test_many_of_a_slow_decoder_are_made_together(tmp_path: Path) -> None:
    explorer = fake_explorer(TogetherFamily)
    renderer, family = Renderer(explorer), explorer.family
    assert isinstance(family, TogetherFamily)
    notes = [Source.of(note.path) for note in fake_notes(tmp_path)[:2]]
    patches = [renderer.patch(*notes, mix=Mix.at(x), seed=seed, fit_steps=0) for seed, x in enumerate((0, 0.5, 1, 0.2))]
    wrong = patches[0].but(pitch_midi=60.0)  # pitch is inside these latents
    other = patches[1].but(temperature=0.5)
    found = renderer.render_many([*patches, wrong, other])
    assert sorted(map(len, family.groups)) == [1, 1, 3]
    assert isinstance(found[4], SynthExplorerError)
    alone = Renderer(fake_explorer(TogetherFamily))
    for patch, sound in zip([*patches, other], [*found[:4], found[5]], strict=True):
        assert isinstance(sound, Rendered) and sound.patch == patch
        np.testing.assert_array_equal(sound.audio, alone.render(patch).audio)
