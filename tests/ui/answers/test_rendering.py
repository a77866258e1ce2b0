"""Slow decoders: jobs, their progress and their end, and what a checkpoint without named controls lacks."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from synth_explorer.errors import CheckpointError
from synth_explorer.ui.answers import presets, rendering, results, slots
from synth_explorer.ui.answers.abilities import Abilities
from synth_explorer.ui.answers.rendering import Renders, duration
from synth_explorer.ui.request import link
from synth_explorer.ui.request.settings import Settings
from synth_explorer.ui.request.sound_request import SoundRequest
from synth_explorer.ui.session.job import Job
from synth_explorer.ui.session.line import Line
from tests.ui.knobs import sent


@pytest.fixture(autouse=True)
def quick(fake, monkeypatch):
    monkeypatch.setattr(fake.SlowFamily, "CHUNK_S", 0.02)
    monkeypatch.setattr(rendering, "LOOK_S", 0.02)


@pytest.fixture
def sources(studios):
    return [view.source for view in slots.open_defaults(studios.studio("slow"))]


def question(sources, **knobs):
    """What the page's script writes under the slow checkpoint."""
    settings = sent(Settings(count=2, **knobs))
    tokens = [source.token for source in sources[:2]] + ["", ""]
    asked = {"checkpoint": "slow", "sources": tokens, "mean": None, "knobs": settings}
    return {"request": json.dumps(asked), "stamp": 7, "play": True, "slow": True}


def test_a_knob_renders_nothing_until_it_is_asked_to(studios, sources):
    asked = question(sources, mix=0.11)
    before = results.answer(studios, asked)
    assert "path" not in before.screen and "press Render" in before.message
    studio, linked = studios.studio("slow"), link.decoded(before.screen["link"])
    assert studio.asked(linked) == studio.asked(SoundRequest.from_json(asked["request"]))
    *running, last = Renders(studios).run("me", asked)
    assert all(step.is_running for step in running) and any("left" in step.words for step in running)
    assert not last.is_running and last.heard.screen["path"] and last.heard.screen["play"]
    assert results.answer(studios, asked).screen["path"] == last.heard.screen["path"]


def test_raw_edits_reach_the_sound_and_named_ones_are_refused(studios, sources):
    plain = list(Renders(studios).run("me", question(sources)))[-1].heard
    louder = list(Renders(studios).run("me", question(sources, raw_channels=[0], raw_add=0.5)))[-1].heard
    assert louder.screen["path"] != plain.screen["path"]
    refused = list(Renders(studios).run("me", question(sources, gain_db=-6.0)))
    assert len(refused) == 1 and "loudness" in refused[0].heard.message


def test_a_stopped_render_gives_what_was_made(studios, sources, fake, monkeypatch):
    monkeypatch.setattr(fake.SlowFamily, "CHUNK_S", 0.1)
    renders, asked = Renders(studios), question(sources, mix=0.77)
    steps = renders.run("me", asked)
    while "left" not in next(steps).words:
        pass
    renders.stop("me")
    last = list(steps)[-1]
    assert "Stopped at" in last.heard.message and 0 < last.heard.screen["duration_s"] < 1.0
    assert "path" not in results.answer(studios, asked).screen


def test_one_browser_does_not_stop_another(studios, sources, fake, monkeypatch):
    monkeypatch.setattr(fake.SlowFamily, "CHUNK_S", 0.05)
    renders = Renders(studios)
    mine = renders.run("me", question(sources, mix=0.21))
    yours = renders.run("you", question(sources, mix=0.22))
    next(mine), next(yours)
    assert "Waiting" in next(yours).words
    renders.stop("me")
    assert "Stopped" in list(mine)[-1].heard.message
    assert "made in" in list(yours)[-1].heard.message


def test_a_browser_that_goes_away_ends_its_job(studios, sources, fake, monkeypatch):
    monkeypatch.setattr(fake.SlowFamily, "CHUNK_S", 5.0)
    steps = Renders(studios).run("me", question(sources, mix=0.31))
    next(steps)
    steps.close()
    with studios.studio("slow")._slow.join() as place:
        assert place.wait(2.0)  # less than the 5 s of the chunk that was being made


def test_a_job_says_how_long_it_still_takes_and_hands_on_errors():
    def chunks(stop, progress):
        for index in range(5):
            time.sleep(0.05)
            yield np.zeros(10, np.float32)
            progress(10 * index + 10, 50)
        raise ValueError("no")

    job = Job(chunks, lambda *made: made, total=50, place=Line().join())
    while job.left_s is None:
        assert not job.wait(0.01)
    assert 0.05 < job.left_s < 2.0
    assert job.wait(5.0) and isinstance(job.error, ValueError) and job.result is None


def test_durations_in_words():
    assert [duration(s) for s in (0.2, 42, 200, 7500)] == ["1 s", "42 s", "3 min 20 s", "2 h 5 min"]


def test_what_a_checkpoint_cannot_do_is_said(studios):
    quick, slow = (Abilities.of(studios.studio(name).explorer) for name in ("fake", "slow"))
    assert quick.missing == "" and quick.targets == ["loudness", "brightness", "pitch"]
    assert slow.is_slow and not slow.has_pitch and slow.targets == []
    assert "loudness and brightness" in slow.missing and "Pitch" in slow.missing


def test_a_source_belongs_to_its_checkpoint(studios, sources):
    quick = slots.open_defaults(studios.studio("fake"))[0].source
    assert quick.key == sources[0].key and quick.checkpoint != sources[0].checkpoint
    again = slots.views(studios.studio("fake"), [source.token for source in sources])
    assert again[0].source == quick
    refused = slots.set_pitch(studios.studio("slow"), 0, "60", sources[0])
    assert "inside its latents" in refused.message and refused.source is sources[0]


@pytest.mark.parametrize("name", ["../fake", "/etc", "", None, ["fake"]])
def test_a_checkpoint_that_is_not_on_the_list_is_refused(studios, name):
    with pytest.raises(CheckpointError, match="choose one of"):
        studios.studio(name)


@pytest.mark.long
def test_an_nsynth_checkpoint_on_the_page(fake, tmp_path):
    """The tiny network as an imported one lies in a folder: opened, moved by raw edits, rendered, and stopped."""
    from synth_explorer.explorer import Explorer
    from synth_explorer.ui.session.studios import Studios
    from tests.model.small_nsynth import small_checkpoint

    folder = str(small_checkpoint(tmp_path / "tiny").path)
    studios = Studios(Explorer.load, [folder], notes=fake.fake_notes(tmp_path))
    studio = studios.studio(folder)
    able = Abilities.of(studio.explorer)
    assert able.is_slow and not able.has_pitch and able.channels == studio.explorer.config.channels
    sources = [view.source for view in slots.open_defaults(studio)]
    knobs = {"raw_channels": [0, 1], "raw_scale": 1.5, "raw_depth": 0.2, "toward": "B", "amount": 0.5}
    asked = question(sources, **knobs)
    asked["request"] = json.dumps(json.loads(asked["request"]) | {"checkpoint": folder})
    *_, whole = Renders(studios).run("me", asked)
    assert whole.heard.screen["duration_s"] == pytest.approx(1.0, abs=0.1), whole.heard.message
    assert results.answer(studios, asked).screen["path"] == whole.heard.screen["path"]
    text, message = presets.preset(studios, asked)
    assert "scale" in text and not message
    studios.sound_folder.close()
