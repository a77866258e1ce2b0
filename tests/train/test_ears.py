"""Ears in Keras against numpy, a few steps of training, and the scores against plain loops."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
import pytest

from synth_explorer.data.dataset import DatasetWriter, Sizes, split_of
from synth_explorer.errors import DataError
from synth_explorer.library import ears
from synth_explorer.train import ears as training
from synth_explorer.train import ears_scores as scores
from tests.cli.shell import ok

SMALL = (8, 5), (16, 3)  # levels of a network that is quickly trained


def notes_of(rng: np.random.Generator, *, instruments: int = 6, each: int = 5) -> training.Notes:
    """Noise that is coloured by its instrument, two instruments a group, two groups a family."""
    number = np.repeat(np.arange(instruments), each)
    colour = np.exp(np.cos(np.arange(ears.BANDS) * (1 + number[:, None]) / 9.0))
    grain = np.abs(rng.standard_normal((len(number), 100, ears.BANDS)))
    instrument, group, family = (np.array([f"{i // by}" for i in number]) for by in (1, 2, 4))
    bands = training.changed((colour[:, None] * grain).astype(np.float16), rng).astype(np.float16)
    return training.Notes(bands, instrument, family, group, np.tile(np.arange(each) // 2, instruments), instrument)


@pytest.mark.parametrize("logarithm", [True, False])
def test_numpy_hears_what_keras_hears(logarithm: bool) -> None:
    notes = notes_of(np.random.default_rng(0)).bands.astype(np.float32)
    model = training.network(3, 2, logarithm=logarithm)
    model(notes, training=True)  # so that its normalisations are not what they begin as
    levels = ears.Levels(training.weights_of(model), logarithm=logarithm)
    theirs = keras.Model(model.input, model.get_layer("standard").input)(notes[:2])
    assert np.allclose(np.stack([levels.features(one) for one in notes[:2]]), theirs, atol=1e-5)


@pytest.mark.slow
def test_families_and_instruments_are_told_by_all_levels(tmp_path) -> None:
    """Of a network whose weights are chance: nearest notes are of the same instrument, families are right."""
    rng = np.random.default_rng(5)
    train, new = notes_of(rng, instruments=12, each=20), notes_of(rng, instruments=12)
    weights, before = {}, 1
    for i, (channels, taps) in enumerate(ears.LEVELS):
        kernel = rng.standard_normal((taps, taps, before, channels), np.float32)
        weights |= {f"level_{i}/kernel": kernel / taps / before**0.5, f"level_{i}/bias": np.zeros(channels, np.float32)}
        before = channels
    heard = ears.Ears.load(training.settled(weights, train, new, tmp_path / "ears.npz"))
    seen = training.features(heard, new)
    assert heard.families == ("0", "1", "2") and np.allclose(heard.likely(seen).sum(axis=1), 1.0, atol=1e-5)
    assert scores.told_families(heard, seen, new)["mean"] > 0.8
    assert scores.retrieval(heard.embedded(seen), new)["nearest"]["mean"] > 0.6  # of 12


def test_changes_keep_the_loudest_frame_and_may_cut() -> None:
    bands = notes_of(np.random.default_rng(1)).bands
    changed = training.changed(np.tile(bands, (4, 1, 1)), np.random.default_rng(2))
    assert np.allclose(np.square(changed).sum(axis=2).max(axis=1), 1.0, atol=1e-3)
    assert (np.square(changed[:, -5:]).sum(axis=(1, 2)) < 1e-4).any() and np.isfinite(changed).all()


def test_scores_are_what_plain_loops_say() -> None:
    rng = np.random.default_rng(3)
    notes = notes_of(rng)
    points = rng.standard_normal((len(notes.key), 5))
    found = scores.retrieval(points, notes)
    nearest, precision = [], []
    for i, point in enumerate(points):
        ranked = []
        for j, other in enumerate(points):
            own = notes.instrument[j] == notes.instrument[i]
            if (own and notes.key[j] == notes.key[i]) or (not own and notes.group[j] == notes.group[i]):
                continue
            ranked.append((point @ other / np.linalg.norm(point) / np.linalg.norm(other), own))
        right = [own for _, own in sorted(ranked, reverse=True)]
        nearest.append(right[0])
        precision.append(np.mean([sum(right[: k + 1]) / (k + 1) for k in range(len(right)) if right[k]]))
    assert found["nearest"]["mean"] == pytest.approx(np.mean(nearest), abs=1e-4)
    assert found["instrument"]["mean"] == pytest.approx(np.mean(precision), abs=1e-4)
    low, high = found["instrument"]["interval"]
    assert low <= found["instrument"]["mean"] <= high and found["instrument"]["instruments"] == 6


def test_a_discriminant_brings_instruments_together() -> None:
    rng = np.random.default_rng(4)
    names = np.repeat(np.arange(20), 10)
    points = rng.standard_normal((20, 30))[names] * 0.3 + rng.standard_normal((200, 30)) * ([1.0] * 15 + [0.1] * 15)
    directions, mean = training.discriminant(points, names)
    told = (points - mean) @ directions[:, :8]
    assert _nearest(told, names) > _nearest(points, names) + 0.2


def _nearest(points: np.ndarray, names: np.ndarray) -> float:
    apart = np.square(points[:, None] - points).sum(axis=2) + np.diag(np.full(len(points), np.inf))
    return float(np.mean(names[apart.argmin(axis=1)] == names))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half-second notes of sixteen instruments in two families, each with a spectrum of its own, over all splits."""
    rng, folder = np.random.default_rng(6), tmp_path_factory.mktemp("notes")
    times_s = np.arange(ears.SAMPLE_RATE_HZ // 2) / ears.SAMPLE_RATE_HZ
    writer = DatasetWriter(folder, Sizes(ears.SAMPLE_RATE_HZ, len(times_s), 0), sources={"test": {}}, settings={})
    for number, split in enumerate(["train"] * 8 + ["validation"] * 4 + ["test"] * 4):
        name, family = f"instrument {number}", ("plucked", "held")[number % 2]
        group = next(one for one in (f"{name} {i}" for i in range(1000)) if split_of(one) == split)
        keys = range(48, 48 + (16 if split == "train" else 4))
        gains = rng.uniform(0.0, 1.0, 12) / np.arange(1, 13)
        fall = np.exp(-8.0 * times_s) if family == "plucked" else np.ones_like(times_s)
        audio = np.stack(
            [
                fall * (gains @ np.sin(np.outer(np.arange(1, 13), 2 * np.pi * 8.18 * 2 ** (k / 12) * times_s)))
                for k in keys
            ]
        )
        about = {"family": family, "source": "test", "group": group, "velocity": 100}
        rows = [{"id": f"{number}-{key}", "pitch": float(key), "key": key, **about} for key in keys]
        writer.write_shard(name, (0.2 * audio).astype(np.float32), rows)
    writer.finish()
    return folder


@pytest.mark.long
def test_training_learns_and_goes_on_where_it_was_stopped(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "BATCH", 16)
    monkeypatch.setattr(ears, "LEVELS", SMALL)
    out, said = tmp_path / "ears.npz", list[str]()

    def stop(line: str) -> None:
        said.append(line)
        if line.startswith("epoch 2"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        training.train_ears([dataset], out, epochs=4, say=stop)
    assert not out.exists() and said[0] == "128 notes of 8 instruments in 2 families"
    with pytest.raises(DataError, match="epochs 4, not 5"):
        training.train_ears([dataset], out, epochs=5, resume=True, say=said.append)
    training.train_ears([dataset], out, epochs=4, resume=True, say=said.append)
    told = [line.split(": loss ") for line in said if line.startswith("epoch")]
    assert [epoch for epoch, _ in told] == ["epoch 1", "epoch 2", "epoch 3", "epoch 4"]
    losses = [float(loss.split(",")[0]) for _, loss in told]
    assert losses == sorted(losses, reverse=True) and losses[-1] < 0.8 * losses[0]
    assert ears.Ears.load(out).families == ("held", "plucked")


@pytest.mark.long
def test_the_command_leaves_ears_that_hear_and_a_report(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "STANDARDISING", 2)
    monkeypatch.setattr(ears, "LEVELS", SMALL)
    ok("train-ears", dataset, "-o", tmp_path, "--epochs", 1)
    heard = ears.Ears.load(tmp_path / "ears.npz")
    note = np.sin(np.arange(8000) * 0.2).astype(np.float32)
    found = heard.hear(note, sample_rate_hz=ears.SAMPLE_RATE_HZ)
    assert found.embedding.shape == (ears.EMBEDDING,) and set(found.families) == {"plucked", "held"}
    report = json.loads((tmp_path / "ears.json").read_text())
    assert {"trained", "untrained", "mean cepstra"} <= set(report) and report["notes"] == 16
