"""A larger model that begins from a smaller one sounds like it, and says what cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synth_explorer import checkpoints
from synth_explorer.errors import CheckpointError, SpecError
from synth_explorer.mel import hz_to_mel, mel_to_hz
from synth_explorer.model.autoencoder import Autoencoder
from synth_explorer.model.config import ModelConfig
from synth_explorer.train.growth import begin_from
from tests.model.small import SIZES, small_model

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A small checkpoint on disk."""
    folder = tmp_path_factory.mktemp("growth") / "small"
    model = small_model()
    _save(model, folder)
    return model, folder


def _save(model: Autoencoder, folder: Path) -> None:
    heads = tuple(checkpoints.find("default") / name for name in checkpoints.PITCH)
    checkpoints.save(model, folder, description="", controls={}, card="", pitch_files=heads, dtype="float32")


def _model(**changes: int) -> Autoencoder:
    model = Autoencoder(ModelConfig(**SIZES | changes), name="training_model")
    model.build_weights()
    return model


def _controls(model: Autoencoder, partials: int) -> dict[str, np.ndarray]:
    config = model.config
    t = np.arange(12 * config.hop) / config.sample_rate_hz
    audio = (0.2 * np.sin(2 * np.pi * 330.0 * t) * np.exp(-3 * t)).astype(np.float32)[None]
    track = np.full((1, 12), 330.0, np.float32)
    controls = {name: np.asarray(v) for name, v in model.decoder(model.encoder(audio, track), track).items()}
    return controls | {"harmonic": controls["harmonic"][..., :partials]}


def test_new_blocks_and_wider_heads_change_nothing_at_first(small) -> None:
    model, folder = small
    grown = _model(decoder_blocks=2, fine_blocks=3, half_partials=9)
    new = begin_from(grown, str(folder))
    assert any("fine_block_2" in name for name in new) and not any("fine_head" in name for name in new)
    before, after = (_controls(m, SIZES["harmonics"] + SIZES["half_partials"]) for m in (model, grown))
    for name in ("noise", "short_noise", "harmonic"):
        np.testing.assert_allclose(after[name], before[name], rtol=0.02, atol=1e-5)


def test_a_model_cannot_shrink_or_lose_parts(small, tmp_path: Path) -> None:
    _, folder = small
    with pytest.raises(SpecError, match="shrink"):
        begin_from(_model(decoder_width=8), str(folder))
    _save(_model(decoder_blocks=2), tmp_path / "larger")
    with pytest.raises(SpecError, match="lacks"):
        begin_from(_model(), str(tmp_path / "larger"))
    with pytest.raises(CheckpointError, match="no checkpoint"):
        begin_from(_model(), "nowhere")


def test_a_model_of_another_rate_begins_with_the_same_spectra(small) -> None:
    from tests.model.test_band import WIDE

    model, folder = small
    low, high = hz_to_mel(model.config.envelope_hz[[0, -1]])
    top_hz = float(mel_to_hz(low + (high - low) * 20 / 15))  # so that the bands of both meet
    wide = Autoencoder(ModelConfig(**WIDE | {"band_hz": top_hz, "envelope_bands": 21}), name="training_model")
    wide.build_weights()
    assert begin_from(wide, str(folder)) == []
    rng = np.random.default_rng(0)
    z, track = rng.standard_normal((1, 6, 6)).astype(np.float32), np.full((1, 6), 330.0, np.float32)
    before, after = ({k: np.asarray(v) for k, v in m.decoder.shape_of(z, track).items()} for m in (model, wide))
    below = slice(0, int(6000 / 330))
    np.testing.assert_allclose(after["harmonic"][..., below], before["harmonic"][..., below], atol=0.3)
    for name, places in (("noise", "noise_hz"), ("short_noise", "short_noise_hz")):
        old_hz, new_hz = getattr(model.config, places), getattr(wide.config, places)
        at = np.interp(old_hz[old_hz < 7000], new_hz, np.arange(len(new_hz)))
        moved = after[name][..., np.round(at).astype(int)].mean()
        assert moved - before[name][..., old_hz < 7000].mean() == pytest.approx(0.5 * np.log(3.0), abs=0.15)
