"""What workers elsewhere are sent: all that a task needs, so that nothing of it has to lie where they are."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import soundfile

from synth_explorer import checkpoints
from synth_explorer.batch import parcels, plan
from synth_explorer.batch.notes import Listening, Notes
from synth_explorer.batch.parcels import Receiver, Sender
from synth_explorer.batch.worker import Answer, Failed, Heard, Listen, Made, Make, Setup, Task, Worker
from synth_explorer.errors import AudioError, CheckpointError
from synth_explorer.files import CACHE_VARIABLE
from tests.conftest import make_note

SPEC = "sources: [a.wav, Cello]\nmorphs: [{pairs: all}]\nfit_steps: 0\n"


@pytest.fixture
def planned(tmp_path: Path) -> plan.Plan:
    soundfile.write(tmp_path / "a.wav", make_note(57, seconds=0.5), 16000)
    (tmp_path / "spec.yaml").write_text(SPEC)
    return plan.of_spec(tmp_path / "spec.yaml")


class Elsewhere:
    """A receiver to which parcels go as bytes, where neither the notes nor the checkpoint lie."""

    def __init__(self, setup: Setup, monkeypatch: pytest.MonkeyPatch, away: Path) -> None:
        self.kept: list[bytes] = []
        self._sender, self._receiver = Sender(setup, self._put), Receiver(setup, lambda i: pickle.loads(self.kept[i]))
        self._monkeypatch, self._away = monkeypatch, away

    def _put(self, value: object) -> int:
        self.kept.append(pickle.dumps(value))
        return len(self.kept) - 1

    def __call__(self, task: Task) -> Answer:
        sent = pickle.dumps(self._sender.parcel(task))
        hidden = self._away.rename(self._away.with_name("hidden"))
        with self._monkeypatch.context() as there:
            there.setattr(checkpoints, "find", _not_here)
            answer = self._receiver(pickle.loads(sent))
        hidden.rename(self._away)
        return answer


def _not_here(name: str) -> Path:
    raise CheckpointError("not here")


def _task(planned: plan.Plan) -> Make:
    (lot,) = planned.lots
    return Make(lot, frozenset(job.address for job in lot))


def _of_file(planned: plan.Plan) -> Listening:
    return next(note for note in planned.listenings(planned.jobs) if note.source.origin == "file")


def _content(answer: Answer) -> bytes:
    assert isinstance(answer, list) and isinstance(answer[0], Made), answer
    return answer[0].content


@pytest.mark.slow
def test_the_same_answers_where_nothing_lies(
    planned: plan.Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path.parent / f"{tmp_path.name}-cache"))
    notes = Notes(tmp_path / "notes")
    setup = Setup(notes.folder, planned.output)
    here, elsewhere = Worker(setup), Elsewhere(setup, monkeypatch, tmp_path)
    for note in planned.listenings(planned.jobs):
        heard = elsewhere(Listen(note))
        expected = here(Listen(note))
        assert isinstance(heard, Heard) and isinstance(expected, Heard)
        assert (heard.key, heard.content) == (expected.key, expected.content)
        notes.keep(heard.key, heard.content)
    expected = here(_task(planned))
    found = elsewhere(_task(planned))
    assert _content(found) == _content(expected) and found[0].record == expected[0].record
    assert len(elsewhere.kept) == 3  # a checkpoint, the latents of two notes
    elsewhere(_task(planned))
    assert len(elsewhere.kept) == 3


def test_notes_whose_latents_are_damaged_are_sent_themselves(
    planned: plan.Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = Notes(tmp_path / "notes")
    for note in planned.listenings(planned.jobs):
        notes.keep(note.key, b"PK")
    setup = Setup(notes.folder, planned.output)
    expected = _content(Worker(setup)(_task(planned)))
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path.parent / f"{tmp_path.name}-cache"))
    elsewhere = Elsewhere(setup, monkeypatch, tmp_path)
    assert _content(elsewhere(_task(planned))) == expected
    assert len(elsewhere.kept) == 1


def test_what_cannot_be_used_is_said_of_the_senders_file(
    planned: plan.Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(8000), 16000)
    silent = Listen(_of_file(plan.of_spec(tmp_path / "spec.yaml")))
    setup = Setup(tmp_path, planned.output)
    sender, receiver = Sender(setup, lambda value: value), Receiver(setup, lambda value: value)
    expected = Worker(setup)(silent)
    assert isinstance(expected, Failed) and str(tmp_path / "a.wav") in expected.reason
    assert receiver(sender.parcel(silent)) == expected
    with pytest.raises(AudioError, match="no longer the sound"):
        sender.parcel(Listen(_of_file(planned)))


def test_a_checkpoint_that_is_there_is_not_unpacked(
    planned: plan.Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    setup = Setup(tmp_path, planned.output)
    parcel = Sender(setup, lambda value: value).parcel(_task(planned))
    assert parcels._is_whole(checkpoints.find("default"), parcel.model)
    assert isinstance(Receiver(setup, lambda value: value)(parcel), list)
    assert not (tmp_path / "cache").exists()
