"""Targets on the fast decoder's phases: the transform, the magnitudes, the phases."""

from __future__ import annotations

import numpy as np

from synth_explorer.train.locked import WINDOW, istft, lock, stft


def test_the_transform_is_that_of_scipy_and_goes_back(rng) -> None:
    audio = rng.standard_normal((2, 5000)).astype(np.float32)
    spectrum = stft(audio)
    np.testing.assert_allclose(istft(spectrum, samples=5000), audio, atol=1e-5)
    hop = WINDOW // 8
    frame = np.pad(audio[0], WINDOW)[10 * hop : 10 * hop + WINDOW]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    np.testing.assert_allclose(spectrum[0, 10], np.fft.rfft(frame * window), atol=1e-3)


def test_a_locked_note_has_its_own_spectrum_and_the_guides_phases() -> None:
    t = np.arange(16000) / 16000
    parts = [np.sin(2 * np.pi * k * 300 * t) for k in range(1, 6)]
    guide = sum(p / k for k, p in enumerate(parts, 1))[None].astype(np.float32) * 0.1
    shifted = [np.sin(2 * np.pi * k * 300 * t + k * k) for k in range(1, 6)]
    target = sum(p / k**2 for k, p in enumerate(shifted, 1))[None].astype(np.float32) * 0.1
    locked = lock(target, guide)
    magnitudes = [np.abs(stft(x))[0, 20:-20] for x in (target, locked)]
    assert np.mean(np.abs(magnitudes[0] - magnitudes[1])) < 0.03 * np.mean(magnitudes[0])
    wanted = sum(p / k**2 for k, p in enumerate(parts, 1)) * 0.1  # the target's levels on the guide's phases
    inner = slice(2000, -2000)
    assert np.sqrt(np.mean((locked[0] - wanted)[inner] ** 2)) < 0.1 * np.sqrt(np.mean(wanted[inner] ** 2))


def test_a_note_that_is_its_guide_stays(rng) -> None:
    audio = 0.1 * rng.standard_normal((1, 4000)).astype(np.float32)
    np.testing.assert_allclose(lock(audio, audio), audio, atol=1e-5)
