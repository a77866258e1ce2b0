"""A tiny dataset: three instruments of sums of sines, with every split."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synth_explorer.data.dataset import DatasetWriter, Sizes, split_of

RATE, SAMPLES, PRE_ROLL = 16000, 12800, 256


def _tone(midi: float, tilt: float) -> np.ndarray:
    hz = 440.0 * 2 ** ((midi - 69) / 12)
    t = np.arange(SAMPLES - PRE_ROLL) / RATE
    wave = sum(np.sin(2 * np.pi * k * hz * t) / k**tilt for k in range(1, 8)) * 0.1 * np.exp(-2 * t)
    return np.concatenate([np.zeros(PRE_ROLL), wave]).astype(np.float32)


def _group(name: str, split: str) -> str:
    """A group whose hash falls into the split."""
    return next(group for group in (f"{name}{i}" for i in range(1000)) if split_of(group) == split)


@pytest.fixture(scope="session")
def tiny_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a dataset of 24 notes."""
    folder = tmp_path_factory.mktemp("notes")
    writer = DatasetWriter(
        folder,
        Sizes(RATE, SAMPLES, PRE_ROLL),
        sources={"test": {"licence": "none"}},
        settings={},
    )
    for number, (name, split) in enumerate({"flat": "train", "steep": "train", "odd": "validation"}.items()):
        pitches = (48.25, 55.0, 60.0, 63.5)
        keys = [(pitch, velocity) for pitch in pitches for velocity in (50, 100)]
        audio = np.stack([_tone(pitch, 1.0 + number) * velocity / 100 for pitch, velocity in keys])
        notes = [
            {
                "id": f"{name}-{pitch}-{velocity}",
                "family": "test",
                "source": "test",
                "group": _group(name, split),
                "pitch": pitch,
                "key": round(pitch),
                "velocity": velocity,
            }
            for pitch, velocity in keys
        ]
        writer.write_shard(name, audio, notes)
    writer.finish()
    return folder


@pytest.fixture(scope="module", autouse=True)
def fewer_spectra():
    """Two resolutions of the training loss instead of five: it is as real, and its graph is built in half the time."""
    from synth_explorer.model import spectral

    patched = pytest.MonkeyPatch()
    patched.setattr(spectral, "SIZES", (512, 128))
    yield
    patched.undo()
