"""What every test shares: a quiet environment, notes made on the spot, and the bundled model loaded once."""

from __future__ import annotations

import os

# Before anything imports Keras, TensorFlow or Gradio, here and in the processes that tests start.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.pop("SYNTH_EXPLORER_DEBUG", None)

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from synth_explorer.explorer import Explorer
    from synth_explorer.latents import Latents

REPOSITORY = Path(__file__).resolve().parents[1]
SAMPLE_RATE_HZ = 16_000
NETWORKS = {"checkpoints", "decode", "model", "parity", "plain", "train", "wavenet"}


@pytest.hookimpl(tryfirst=True)  # before the plugin reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """For runs on several cores (`-n 2 --dist loadgroup`): a file's tests stay together, for they share fixtures.

    Those that drive a browser are one group: two that play at once starve each other of sound. Those of networks are
    another, so that what TensorFlow and Numba compile is compiled once. These two come first, for they take longest
    (`--no-loadscope-reorder`). A test of a browser that fails is tried once more (`-r R` lists these): what it plays is
    heard in real time, and a machine that is busy elsewhere for half a second leaves gaps in it.
    """
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))
        if item.get_closest_marker("browser") is not None:
            item.add_marker(pytest.mark.flaky(reruns=1))
    first = ("page", "networks")
    items.sort(key=lambda item: (*first, _group(item)).index(_group(item)))


def _group(item: pytest.Item) -> str:
    folder, name = item.path.parent.name, item.path.name
    if item.get_closest_marker("browser") is not None:
        return "page"
    return "networks" if folder in NETWORKS or "nsynth" in name else f"{folder}/{name}"


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the repository."""
    return REPOSITORY


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """A real Chromium, one for all tests of a process: Playwright runs once in each."""
    from tests.ui.open_page import CHROMIUM, FLAGS

    sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install -r requirements-dev.txt")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def rng() -> np.random.Generator:
    """A random generator that starts alike in each test."""
    return np.random.default_rng(0)


def make_note(
    midi: float = 60.0, *, seconds: float = 2.0, level: float = 0.3, harmonics: int = 8, silence_s: float = 0.1
) -> np.ndarray:
    """A decaying harmonic note after a short silence, float32 [T] at 16 kHz."""
    time_s = np.arange(int(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    f0_hz = 440.0 * 2 ** ((midi - 69) / 12)
    count = min(harmonics, int(0.45 * SAMPLE_RATE_HZ / f0_hz))
    wave = sum(np.sin(2 * np.pi * k * f0_hz * time_s) / k for k in range(1, count + 1))
    wave = wave / np.max(np.abs(wave)) * level * np.exp(-1.5 * time_s) * np.minimum(time_s / 0.01, 1.0)
    return np.concatenate([np.zeros(int(silence_s * SAMPLE_RATE_HZ)), wave]).astype(np.float32)


@pytest.fixture
def note_file(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes a synthetic note and returns its path: note_file("a.wav", midi=60.0, ...)."""
    import soundfile

    def write(name: str = "note.wav", midi: float = 60.0, **kwargs: float) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        subtype = "FLOAT" if path.suffix == ".wav" else None
        soundfile.write(path, make_note(midi, **kwargs), SAMPLE_RATE_HZ, subtype=subtype)
        return path

    return write


@pytest.fixture
def on_disk(monkeypatch: pytest.MonkeyPatch) -> dict[int, bytes]:
    """What a power cut would leave, as it is flushed: contents of files, and names in folders, by their inodes."""
    found: dict[int, bytes] = {}
    real = os.fsync

    def fsync(opened: int) -> None:
        real(opened)
        path, inode = Path(f"/proc/self/fd/{opened}").readlink(), os.fstat(opened).st_ino
        found[inode] = repr(sorted(path.iterdir())).encode() if path.is_dir() else path.read_bytes()

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("no /proc here")
    monkeypatch.setattr(os, "fsync", fsync)
    return found


@pytest.fixture(scope="session")
def explorer() -> Explorer:
    """The bundled model at 16 kHz, the quicker one; `full_band` is the default."""
    if not (REPOSITORY / "checkpoints" / "default-16k" / "config.json").exists():
        pytest.skip("checkpoints/default-16k is not here")
    from synth_explorer.explorer import Explorer

    return Explorer.load("default-16k")


@pytest.fixture(scope="session")
def full_band() -> Explorer:
    """The default model, at 48 kHz."""
    if not (REPOSITORY / "checkpoints" / "default" / "config.json").exists():
        pytest.skip("checkpoints/default is not here")
    from synth_explorer.explorer import Explorer

    return Explorer.load("default")


@pytest.fixture(scope="session")
def note(explorer: Explorer) -> Callable[[str], Latents]:
    """Example notes by their names, encoded once by `explorer`."""
    from synth_explorer.assets import example_notes

    known: dict[str, Latents] = {}

    def find(name: str) -> Latents:
        if name not in known:
            known[name] = explorer.encode(next(item.path for item in example_notes() if item.path.stem == name))
        return known[name]

    return find
