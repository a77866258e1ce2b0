"""From a spec to its sounds: how many, which patches, what they are called."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import soundfile

from synth_explorer import rendering
from synth_explorer.batch import plan as plans
from synth_explorer.batch.plan import Plan
from synth_explorer.edits import Brightness, EditChain, Gain, Oscillate, Stretch, Toward
from synth_explorer.errors import SpecError
from synth_explorer.latents import Latents, LatentsMeta
from synth_explorer.rendering import Mix, Patch, Source
from tests.batch.conftest import BundledFamily
from tests.conftest import REPOSITORY, make_note

Planned = Callable[[str], Plan]
EXAMPLES = sorted((REPOSITORY / "examples" / "batch").glob("*.yaml"))


def files(plan: Plan) -> list[str]:
    return [job.file for job in plan.jobs]


def test_notes_alone_are_what_a_patch_of_them_is(planned: Planned) -> None:
    plan = planned("sources: [Cello, {note: flute, pitch: C4, name: low}]")
    assert files(plan) == ["Cello.wav", "low.wav"]
    assert plan.jobs[0].patch == Patch.of("Cello")
    assert plan.jobs[1].patch == Patch.of(Source.of("Flute", pitch_midi=60))


def test_all_pairs_in_steps(planned: Planned) -> None:
    plan = planned("sources: [Cello, Flute, Harp]\nmorphs: [{pairs: all, steps: 3}]\npitches: [C4, Eb3, 50.5]")
    names = [
        f"{a}+{b}_{x}_{pitch}.wav"
        for a, b in combinations(("Cello", "Flute", "Harp"), 2)
        for x in ("0", "0.5", "1")
        for pitch in ("C4", "D#3", "D3+50")
    ]
    assert files(plan) == names
    assert plan.jobs[4].patch == Patch.of("Cello", "Flute", mix=0.5, pitch_midi=51)


def test_mixed_pitches_lie_where_the_spec_says(planned: Planned) -> None:
    text = "sources: [Cello, Flute]\nmorphs: [{pairs: all, steps: 3}]\nquantise: %s"
    plain, snapped = planned(text % '"off"'), planned(text % "Eb minor")
    assert plain.jobs[1].patch == Patch.of("Cello", "Flute", mix=0.5)
    assert snapped.jobs[1].patch == Patch.of("Cello", "Flute", mix=0.5, quantise="D# minor")
    assert files(plain) == files(snapped)
    with pytest.raises(SpecError, match=r"line 3.*'H major' is nothing to quantise to"):
        planned(text % "H major")


def test_nsynth_supers_grid_takes_twelve_lines() -> None:
    text = (REPOSITORY / "examples" / "batch" / "nsynth-super-grid.yaml").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 12
    plan = plans.of_spec(REPOSITORY / "examples" / "batch" / "nsynth-super-grid.yaml")
    assert len(plan.jobs) == len({job.patch.id for job in plan.jobs}) == 9 * 9 * 15
    corners = [plan.jobs[15 * place].patch for place in (0, 8, 72, 80)]
    for patch, name in zip(corners, ("Cello", "Trumpet", "Marimba", "Choir Aahs"), strict=True):
        assert patch == Patch.of(name, pitch_midi=24)


@pytest.mark.parametrize(
    ("morph", "mixes"),
    [
        ("{notes: all}", [Mix.at(0.5, 0.5)]),
        ("{corners: all, grid: 2 x 2}", [Mix.at(x, y) for y in (0, 1) for x in (0, 1)]),
        ("{corners: all, places: [[0.2, 0.3]]}", [Mix.at(0.2, 0.3)]),
        ("{notes: all, weights: [1, 2, 3, 4]}", [Mix.of([1.0, 2.0, 3.0, 4.0])]),
        ("{notes: all, weights: [[1, 0, 0, 1], [1, 1, 1, 1]]}", [Mix.of([1.0, 0.0, 0.0, 1.0]), Mix.of([1.0] * 4)]),
        ("{notes: all, path: {0: [0, 0], 1.5: [1, 0.5]}}", [Mix.along([(0, 0, 0), (1.5, 1, 0.5)])]),
    ],
)
def test_places(planned: Planned, morph: str, mixes: list[Mix]) -> None:
    plan = planned(f"sources: [Cello, Flute, Harp, Tuba]\nmorphs: [{morph}]")
    assert [job.patch.mix for job in plan.jobs] == mixes


def test_random_places_come_from_their_seed(planned: Planned) -> None:
    text = "sources: [Cello, Flute, Harp]\nmorphs: [{{notes: all, random: {{count: 5, seed: {}}}}}]"
    one, again, other = (planned(text.format(seed)) for seed in (1, 1, 2))
    assert files(one) == files(again) and not set(files(one)) & set(files(other))
    assert all(abs(sum(job.patch.mix.weights) - 1) < 0.001 for job in one.jobs)


def test_edits_in_their_product(planned: Planned) -> None:
    plan = planned(
        "sources: [Cello]\nedits:\n  - brightness: {from: -1, to: 1, steps: 3}\n  - gain: [-6, 0]\n"
        "  - oscillate: {target: pitch, rate_hz: 5, depth: 20}\nname: '{brightness}_{gain}_{oscillate_depth}'"
    )
    swing = Oscillate("pitch", 5.0, 20.0)
    expected = [EditChain((Brightness(b), Gain(g), swing)) for b in (-1, 0, 1) for g in (-6, 0)]
    assert [job.patch.edits for job in plan.jobs] == expected
    assert files(plan)[1] == "-1_0_20.wav"


def test_edits_zipped_and_presets(planned: Planned, tmp_path: Path) -> None:
    for name, db in (("soft", -12), ("loud", 3)):
        preset = {"format_version": 1, "edits": [{"kind": "gain", "db": db}]}
        (tmp_path / f"{name}.json").write_text(json.dumps(preset))
    plan = planned(
        "sources: [Cello]\nedits:\n  - preset: [soft.json, loud.json]\n  - brightness: [0.5, 1]\n"
        "  - stretch: {factor: 2, keep_s: 0.1}\ncombine: zip"
    )
    stretch = Stretch(2.0, 0.1)
    expected = [EditChain((Gain(db), Brightness(b), stretch)) for db, b in ((-12, 0.5), (3, 1))]
    assert [job.patch.edits for job in plan.jobs] == expected
    assert files(plan) == ["Cello_soft_brightness0.5.wav", "Cello_loud_brightness1.wav"]


def test_toward_other_notes(planned: Planned, fake: BundledFamily) -> None:
    """A source by its name, bundled notes, half of the way where nothing is said; each is listened to once."""
    plan = planned(
        "sources: [{note: Cello, name: low}]\nfit_steps: 0\n"
        "edits:\n  - toward: {note: [Flute, low], amount: [0.25, 1], keep_loudness: false}\n"
        "  - toward: Trumpet\nname: '{toward_note}_{toward_amount}_{edits}'"
    )
    assert fake.encoded == 3
    renderer = rendering.renderer_of(plan.jobs[0].patch)
    means = {
        note: renderer.mean_sound(Source.of(note), fit_steps=0)._asdict() for note in ("Flute", "Cello", "Trumpet")
    }
    expected = [
        EditChain((Toward(amount=amount, keep_loudness=False, **means[note]), Toward(amount=0.5, **means["Trumpet"])))
        for note in ("Flute", "Cello")
        for amount in (0.25, 1)
    ]
    assert [job.patch.edits for job in plan.jobs] == expected
    assert means["Flute"]["mean"] != means["Trumpet"]["mean"]
    assert plan.jobs[1].file == "Trumpet_1_toward-Flute_toward_amount1.wav"


def test_edits_drawn(planned: Planned) -> None:
    text = (
        "sources: [Cello]\nedits:\n  - gain: {from: -6, to: 0}\n  - brightness: [0, 1]\ncombine: {random: {count: 40}}"
    )
    plan = planned(text)
    drawn = np.array([[edit.wanted for edit in job.patch.edits] for job in plan.jobs])
    assert len(plan.jobs) == 40 and (drawn[:, 0] >= -6).all() and (drawn[:, 0] <= 0).all()
    assert set(drawn[:, 1]) == {0.0, 1.0} and len(set(drawn[:, 0])) == 40
    assert [job.patch.id for job in planned(text).jobs] == [job.patch.id for job in plan.jobs]


def test_velocities_are_level_and_brightness(planned: Planned) -> None:
    plan = planned("sources: [Cello]\nvelocities: {values: [64, 127], level_db: {1: -31.5, 127: 0}}")
    soft, loud = (job.patch.edits for job in plan.jobs)
    assert soft == EditChain((Brightness(-0.4), Gain(-15.75))) and loud == EditChain()
    assert files(plan) == ["Cello_v64.wav", "Cello_v127.wav"]
    assert len(planned("sources: [Cello]\nvelocities: {from: 10, to: 120, step: 10}").jobs) == 12


def test_decoders_and_seeds(planned: Planned) -> None:
    plan = planned("sources: [Cello]\ndecoders: [fast, final]\nseeds: {from: 0, to: 2, step: 1}\nfit_steps: 3")
    assert [(job.patch.decoder, job.patch.seed) for job in plan.jobs] == [
        (decoder, seed) for decoder in ("fast", "final") for seed in (0, 1, 2)
    ]
    assert {job.patch.fit_steps for job in plan.jobs} == {3}
    assert files(plan)[-1] == "Cello_final_s2.wav"


def test_the_same_place_twice_is_one_sound(planned: Planned) -> None:
    plan = planned("sources: [Cello, Flute]\nmorphs:\n  - {pairs: all, steps: 3}\n  - {pairs: all, at: [0.5, 0.7]}")
    assert [job.patch.mix.places[0][1] for job in plan.jobs] == [0, 0.5, 1, 0.7]


def test_files_globs_and_latents(planned: Planned, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    for name in ("b", "a"):
        soundfile.write(tmp_path / "notes" / f"{name}.wav", make_note(60, seconds=0.5), 16000)
    info = Patch.of("Cello")
    meta = LatentsMeta("default", info.checkpoint_hash, 16000, 512)
    Latents(np.zeros((10, 16)), np.full(10, 220.0), meta).save(tmp_path / "known.npz")
    plan = planned("sources: ['notes/*.wav', known.npz]")
    assert files(plan) == ["a.wav", "b.wav", "known.wav"]
    assert [Path(job.patch.sources[0].path).parent.name for job in plan.jobs[:2]] == ["notes", "notes"]


def test_names(planned: Planned) -> None:
    text = "sources: [{{note: Cello, name: 'a/b: c?'}}]\npitches: [60]\nname: '{}'"
    for pattern, name in {
        "{source}": "a-b- c-",
        "{pitch}/{number:04d}_{id}": None,
        "x/../x": "",
        "{midi:.2f}": "60.00",
        "con": "_con",
        " .{pitch}. ": "C4",
    }.items():
        if name == "":
            with pytest.raises(ValueError, match="stay in the folder"):
                planned(text.format(pattern))
            continue
        job = planned(text.format(pattern)).jobs[0]
        assert job.file == f"{name or f'C4/0001_{job.patch.id}'}.wav"


def test_names_that_differ_in_case_alone_are_refused(planned: Planned) -> None:
    sources = "[{note: Cello, name: A}, {note: Flute, name: B}]"
    with pytest.raises(ValueError, match=r"sounds 1 and 2 would both be x\.wav; name what tells them apart"):
        planned(f"sources: {sources}\nname: x")
    with pytest.raises(ValueError, match="two sources are called"):
        planned("sources: [{note: Cello, name: A}, {note: Flute, name: a}]")


def test_an_address_is_all_that_a_file_depends_on(planned: Planned) -> None:
    base = "sources: [Cello]\n"
    addresses = {
        text: planned(base + text).jobs[0].address
        for text in ("", "bits: 24", "format: flac", "peak: limit", "rate_hz: 44100", "length_s: 1", "seeds: 1")
    }
    assert len(set(addresses.values())) == len(addresses)
    for same in ("bits: 32", "format: wav", "name: other", "edits: [gain: 0]"):
        assert planned(base + same).jobs[0].address == addresses[""]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_are_short_and_say_what_they_are(path: Path) -> None:
    first, *lines = path.read_text(encoding="utf-8").splitlines()
    assert first.startswith("# ") and first.endswith(".") and len(lines) <= 15
    plan = plans.of_spec(path)
    assert len(plan.jobs) > 1
    assert all(source.origin == "bundled" for job in plan.jobs for source in job.patch.sources)


def test_there_are_six_examples() -> None:
    assert len(EXAMPLES) == 6


def test_lots_are_the_same_whatever_is_missing(planned: Planned, monkeypatch: pytest.MonkeyPatch) -> None:
    from synth_explorer.explorer.decoders import WAVENET

    plan = planned("sources: [Cello]\nseeds: {from: 1, to: 40, step: 1}\nedits: [gain: [0, -6]]")
    assert [len(lot) for lot in plan.lots] == [1] * 80
    monkeypatch.setattr(plans, "decoder_of", lambda patch: WAVENET)
    lots = list(plans.lots_of(plan.jobs, "auto"))
    assert [len(lot) for lot in lots] == [plans.TOGETHER] * 5
    assert [job.file for lot in lots for job in lot] == files(plan)
