"""Encoder and whole model: shapes, invariances, and one sound from both Keras backends."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from synth_explorer.model.autoencoder import untrained
from tests.model.small import small_model

PROGRAM = """
import sys
import numpy as np
from tests.model.small import small_model
from synth_explorer import runtime
model = small_model(seed=7)
rng = np.random.default_rng(0)
audio = rng.normal(0, 0.1, (2, 16 * 256)).astype(np.float32)
pitch_hz = np.full((2, 16), 196.0, np.float32)
z = runtime.compiled(lambda *given: model.encoder(*given), ranks=(2, 2))(audio, pitch_hz)
detail = np.full((*z.shape[:2], model.config.details), 0.1, np.float32)
controls = runtime.compiled(lambda *given: model.decoder(*given), ranks=(3, 2, 3))(z, pitch_hz, detail)
np.savez(sys.argv[1], z=z, **controls)
"""


@pytest.mark.long
def test_both_backends_compute_the_same(tmp_path, repository) -> None:
    running, results = {}, {}
    for backend in ("tensorflow", "jax"):
        environment = os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": str(repository)}
        command = [sys.executable, "-c", PROGRAM, str(tmp_path / f"{backend}.npz")]
        running[backend] = subprocess.Popen(command, env=environment, cwd=repository)
    codes = {backend: process.wait() for backend, process in running.items()}
    assert set(codes.values()) == {0}, codes
    for backend in running:
        with np.load(tmp_path / f"{backend}.npz") as file:
            results[backend] = {name: file[name] for name in file.files}
    for name, value in results["tensorflow"].items():
        np.testing.assert_allclose(results["jax"][name], value, rtol=5e-3, atol=1e-4, err_msg=name)


def test_latents_have_a_frame_a_hop_and_do_not_depend_on_the_batch() -> None:
    model = small_model()
    audio = np.random.default_rng(0).normal(0, 0.1, (3, 20 * 256)).astype(np.float32)
    pitch_hz = np.full((3, 20), 300.0, np.float32)
    z = np.asarray(model.encoder(audio, pitch_hz))
    assert z.shape == (3, 20, model.config.channels)
    alone = np.asarray(model.encoder(audio[1:2], pitch_hz[1:2]))
    np.testing.assert_allclose(z[1:2], alone, atol=1e-5)


def test_a_shift_by_whole_frames_shifts_the_latents() -> None:
    model = small_model()
    burst = np.random.default_rng(0).normal(0, 0.1, 12 * 256)
    audio = np.zeros((2, 60 * 256), np.float32)
    audio[0, 20 * 256 : 32 * 256] = burst
    audio[1, 23 * 256 : 35 * 256] = burst
    z = np.asarray(model.encoder(audio, np.full((2, 60), 300.0, np.float32)))
    np.testing.assert_allclose(z[0, 15:40], z[1, 18:43], atol=1e-4)


@pytest.mark.long
def test_an_untrained_model_is_the_same_each_time() -> None:
    first, again, other = (untrained(small_model().config, seed=seed).get_weights() for seed in (0, 0, 1))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))
