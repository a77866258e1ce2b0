"""Small sounds, and a library of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from synth_explorer import audio
from synth_explorer.latents import Latents
from synth_explorer.latents.meta import LatentsMeta
from synth_explorer.library.library import Library

RATE_HZ = 16_000


def tone(
    hz: float, *, seconds: float = 0.5, partials: int = 6, decay_db_s: float = 0.0, odd: bool = False
) -> np.ndarray:
    """A tone of harmonics 1/k that falls by so many dB a second."""
    times_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    numbers = range(1, partials + 1, 2 if odd else 1)
    sound = sum(np.sin(2 * np.pi * k * hz * times_s) / k for k in numbers)
    return (0.2 * sound * 10 ** (-decay_db_s * times_s / 20)).astype(np.float32)


@pytest.fixture
def sounds(tmp_path: Path) -> Callable[[int], list[Path]]:
    """Makes sound files in a folder with a folder in it, each of another content."""

    def make(count: int) -> list[Path]:
        folder = tmp_path / "mine"
        (folder / "inside").mkdir(parents=True)
        paths = [folder / ("inside" if i % 2 else ".") / f"tone {i:03d}.wav" for i in range(count)]
        return [audio.save(path, tone(110.0 * 2 ** (i / 12)), sample_rate_hz=RATE_HZ) for i, path in enumerate(paths)]

    return make


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library(tmp_path / "library") as made:
        yield made


@pytest.fixture
def latents() -> Latents:
    """Three seconds of nothing much."""
    meta = LatentsMeta(checkpoint="fake", checkpoint_hash="0" * 64, sample_rate_hz=RATE_HZ, hop=512)
    return Latents(np.zeros((94, 16), np.float32), np.full(94, 220.0, np.float32), meta)
