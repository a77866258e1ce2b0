"""Ears in numpy against plain loops, and what no change of level may change."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer import audio
from synth_explorer.assets import example_notes
from synth_explorer.errors import AudioError
from synth_explorer.library import ears
from synth_explorer.library.ears import EMBEDDING, FEATURES, LEVELS, Ears, Level, bands, prepared
from tests.library.conftest import RATE_HZ, tone


def test_a_level_is_a_convolution_of_stride_two() -> None:
    rng = np.random.default_rng(0)
    kernel, bias = rng.standard_normal((3, 3, 2, 4)).astype(np.float32), rng.standard_normal(4).astype(np.float32)
    x = rng.standard_normal((7, 6, 2)).astype(np.float32)
    padded, wanted = np.pad(x, ((1, 1), (1, 1), (0, 0))), np.zeros((4, 3, 4))
    for f, m in np.ndindex(4, 3):
        seen = padded[2 * f : 2 * f + 3, 2 * m : 2 * m + 3]
        wanted[f, m] = np.maximum(0.0, np.einsum("ijc,ijcd->d", seen, kernel) + bias)
    assert np.allclose(Level({"a/kernel": kernel, "a/bias": bias}, "a", taps=3)(x), wanted, atol=1e-5)


def test_what_is_heard_depends_neither_on_the_level_nor_on_what_lies_before() -> None:
    heard, sound = Ears.bundled(), tone(220.0, seconds=1.0, decay_db_s=20.0)
    first = heard.hear(sound, sample_rate_hz=RATE_HZ)
    softer = heard.hear(sound * np.float32(0.01), sample_rate_hz=RATE_HZ)
    later = heard.hear(np.pad(sound, (4000, 0)), sample_rate_hz=RATE_HZ)
    assert first.embedding.shape == (EMBEDDING,) and np.linalg.norm(first.embedding) == pytest.approx(1.0, abs=1e-5)
    assert first.embedding @ softer.embedding > 0.9999 and first.embedding @ later.embedding > 0.98
    assert sum(first.families.values()) == pytest.approx(1.0, abs=1e-5) and "string" in first.families
    assert heard.features(bands(prepared(sound, sample_rate_hz=RATE_HZ))).shape == (FEATURES,) == (3 * 296,)
    assert sum(channels for channels, _ in LEVELS) == 296
    with pytest.raises(AudioError, match="silent"):
        heard.hear(np.zeros(RATE_HZ, np.float32), sample_rate_hz=RATE_HZ)


def test_an_instrument_is_nearer_to_itself_than_to_another() -> None:
    """Parts of bundled notes, whatever their rate: each is most like the same note resampled and cut."""
    notes = [note.path for note in example_notes()[::9]]
    sounds = [audio.record(path, sample_rate_hz=48_000).audio for path in notes]
    points = np.stack([Ears.bundled().hear(sound, sample_rate_hz=48_000).embedding for sound in sounds])
    others = [audio.resample(sound, source_rate_hz=48_000, sample_rate_hz=22_050)[:44_100] for sound in sounds]
    again = np.stack([Ears.bundled().hear(sound, sample_rate_hz=22_050).embedding for sound in others])
    assert (np.argmax(again @ points.T, axis=1) == np.arange(len(points))).all()


def test_a_file_that_is_none_is_refused(tmp_path) -> None:
    np.savez(tmp_path / "x.npz", about="{}")
    with pytest.raises(AudioError, match="cannot be read as ears"):
        Ears.load(tmp_path / "x.npz")
    assert ears.WEIGHTS.stat().st_size < 3e6
