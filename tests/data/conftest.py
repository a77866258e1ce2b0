"""A tiny SoundFont, and whether FluidSynth is here to play it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data import tiny_soundfont as tiny


@pytest.fixture(scope="session")
def tiny_soundfont(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Path of a SoundFont of a few sines."""
    return tiny.write(tmp_path_factory.mktemp("soundfont") / "Tiny.sf2")


@pytest.fixture(scope="session")
def fluidsynth() -> None:
    """Skip the test where the FluidSynth library is not installed."""
    try:
        import fluidsynth  # noqa: F401
    except (ImportError, OSError) as error:
        pytest.skip(f"FluidSynth is not installed: {error}")
