"""The networks in numpy say what Keras says of the same weights, and a note needs no Keras."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from synth_explorer.checkpoints import load_autoencoder
from synth_explorer.errors import CheckpointError
from synth_explorer.plain.autoencoder import Autoencoder
from synth_explorer.plain.pitch_head import PitchHead
from synth_explorer.plain.wavenet import Told
from synth_explorer.plain.weights import shapes, wavenet_shapes, weights_of
from tests.model.small import small_model
from tests.model.small_wavenet import small_wavenet


def sound_of(config, frames: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Noise of so many frames, and a pitch that glides."""
    rng = np.random.default_rng(seed)
    audio = (0.1 * rng.standard_normal(frames * config.hop)).astype(np.float32)
    return audio, np.linspace(90.0, 900.0, frames).astype(np.float32)


def compare(model, networks: Autoencoder, frames: int) -> None:
    """Both on one sound, every part on what the part before it said in numpy."""
    audio, pitch_hz = sound_of(model.config, frames)
    z = networks.encoder.finish(*networks.encoder.listen(audio), audio, pitch_hz)
    np.testing.assert_allclose(z, np.asarray(model.encoder(audio[None], pitch_hz[None]))[0], atol=1e-5)
    said = networks.network(z, pitch_hz)
    for ours, theirs in zip(said, model.decoder.network(z[None], pitch_hz[None]), strict=True):
        np.testing.assert_allclose(ours, np.asarray(theirs)[0], rtol=1e-4, atol=5e-5)
    detail = (0.3 * np.random.default_rng(1).standard_normal((frames, model.config.details))).astype(np.float32)
    level = (0.3 * np.random.default_rng(2).standard_normal((frames, model.config.level_points))).astype(np.float32)
    controls = networks.controls(*said, z, pitch_hz, detail, level)
    given = (each[None] for each in (*said, z, pitch_hz, detail))
    for name, theirs in model.decoder.controls_of(*given, fine_level=level[None]).items():
        theirs = np.asarray(theirs)[0]
        if name == "harmonic":  # those beyond the band are left out
            beyond = slice(controls[name].shape[1] - model.config.half_partials, model.config.harmonics)
            assert theirs[:, beyond].max(initial=0.0) < 1e-11
            theirs = np.delete(theirs, beyond, axis=1)
        np.testing.assert_allclose(controls[name], theirs, rtol=2e-4, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("frames", [*(pytest.param(count, marks=pytest.mark.long) for count in (1, 2)), 31])
def test_a_small_model_is_computed_alike(frames: int) -> None:
    model = small_model()
    compare(model, Autoencoder.of(model), frames)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["default", pytest.param("default-16k", marks=pytest.mark.long)])
def test_bundled_models_are_computed_alike(name: str) -> None:
    from synth_explorer import checkpoints

    info = checkpoints.read_info(checkpoints.find(name))
    model = load_autoencoder(info)
    compare(model, Autoencoder.of(model), 40)


def test_the_weights_are_those_of_keras() -> None:
    model, wavenet = small_model(), small_wavenet()
    assert shapes(model.config) == {variable.path: tuple(variable.shape) for variable in model.weights}
    assert wavenet_shapes(wavenet.config) == {variable.path: tuple(variable.shape) for variable in wavenet.weights}


@pytest.mark.parametrize("points", [1, 23])
def test_what_a_wavenet_is_told_is_computed_alike(points: int) -> None:
    model = small_wavenet()
    rng, config, steps = np.random.default_rng(2), model.config, model.steps
    for weight in steps.weights:  # no norm and no bias as it begins
        weight.assign(np.asarray(weight) + 0.1 * rng.standard_normal(weight.shape))
    told = rng.standard_normal((points, config.told)).astype(np.float32)
    ours = Told(weights_of(model))(told)
    np.testing.assert_allclose(ours, steps.norm(steps.block(steps.entry(told[None])))[0], rtol=1e-4, atol=5e-5)


@pytest.mark.slow
@pytest.mark.parametrize("doubt", [pytest.param(0, marks=pytest.mark.long), 16])
def test_a_pitch_head_is_computed_alike(doubt: int, tmp_path: Path) -> None:
    from synth_explorer.model import pitch_head as in_keras
    from synth_explorer.model.pitch_hearing import PitchHeadConfig, note_frames

    config = PitchHeadConfig(width=8, seen=4, doubt_width=doubt, doubt_cues=(20, 6) if doubt else (0, 0))
    head = in_keras.PitchHead(config)
    head.build()
    rng = np.random.default_rng(0)
    head.set_weights([weight + 0.1 * np.abs(rng.standard_normal(weight.shape)) for weight in head.get_weights()])
    head.save_weights(tmp_path / "pitch.weights.h5")
    (tmp_path / "pitch.json").write_text(json.dumps(config.to_dict()))
    head = in_keras.PitchHead.load(tmp_path / "pitch.json", tmp_path / "pitch.weights.h5")  # standardises from now on
    plain = PitchHead.load(tmp_path / "pitch.json", tmp_path / "pitch.weights.h5")
    frames, weights = note_frames(sound_of(small_model().config, 40)[0], config)
    for ours, theirs in zip(plain.listen(frames, weights), head.listen(frames, weights), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)
    if doubt:
        cues = rng.standard_normal(20), rng.standard_normal(6)
        assert plain.doubt is not None
        ours, theirs = (each.doubt.judge(*cues, needed=0.5) for each in (plain, head))
        assert ours[0] == theirs[0] and ours[2] == pytest.approx(theirs[2], rel=1e-5)
        np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-5)
    with pytest.raises(CheckpointError, match="cannot be loaded"):
        PitchHead.load(tmp_path / "pitch.json", tmp_path / "pitch.json")


@pytest.mark.slow
def test_a_note_is_encoded_fitted_edited_and_decoded_without_keras(note_file, tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from synth_explorer.explorer import Explorer\n"
        "from synth_explorer.edits import EditChain, Gain\n"
        "explorer = Explorer.load()\n"
        "latents = explorer.encode(sys.argv[1], fit_steps=1)\n"
        "explorer.decode(explorer.edit(latents, EditChain((Gain(-6),))), decoder=explorer.decoders[1])\n"
        "late = {'keras', 'tensorflow', 'scipy.signal', 'scipy.stats', 'sklearn', 'matplotlib', 'gradio'}\n"
        "print(sorted(late & set(sys.modules)))\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script, str(note_file())], cwd=root, check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]"
