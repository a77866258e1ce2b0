"""NSynth's network against plain loops over its formulas, and what its shapes promise."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer.decode.wavenet.decoder import WaveNetDecoder
from synth_explorer.decode.wavenet.levels import audio_table, inputs_of
from synth_explorer.errors import CheckpointError
from synth_explorer.model.nsynth_config import NSynthConfig
from tests.model.small_nsynth import TINY


@pytest.fixture(scope="module")
def model():
    from tests.model.small_nsynth import small_nsynth

    return small_nsynth()


def sound(model, *, notes: int = 2, frames: int = 4) -> np.ndarray:
    rng = np.random.default_rng(5)
    return np.clip(0.4 * rng.standard_normal((notes, frames * model.config.hop)), -1, 1).astype(np.float32)


def numpy_of(x) -> np.ndarray:
    from keras import ops

    return ops.convert_to_numpy(x)


def weights_of(layer) -> tuple[np.ndarray, np.ndarray]:
    return tuple(numpy_of(weight).astype(np.float64) for weight in (layer.kernel, layer.bias))


def convolve(x: np.ndarray, layer, *, dilation: int, ahead: int) -> np.ndarray:
    """A dilated convolution [T, in] -> [T, out] by a loop over taps; `ahead` taps look into the future."""
    kernel, bias = weights_of(layer)
    out = np.tile(bias, (len(x), 1))
    for tap in range(len(kernel)):
        back = (len(kernel) - 1 - ahead - tap) * dilation
        for t in range(len(x)):
            if 0 <= t - back < len(x):
                out[t] += x[t - back] @ kernel[tap]
    return out


def dense(x: np.ndarray, layer) -> np.ndarray:
    kernel, bias = weights_of(layer)
    return x @ kernel + bias


def test_mu_law_is_that_of_the_engines(model) -> None:
    from synth_explorer.model.nsynth import mu_law

    audio = np.concatenate([np.linspace(-1, 1, 4001), audio_table(256)]).astype(np.float32)
    np.testing.assert_array_equal(numpy_of(mu_law(audio, levels=256)), 128 * inputs_of(audio, levels=256))
    np.testing.assert_array_equal(numpy_of(mu_law(audio_table(256), levels=256)), np.arange(-128, 128))
    np.testing.assert_array_equal(numpy_of(mu_law(np.array([-1.0, 0.0, 1.0], np.float32), levels=256)), [-128, 0, 128])


def test_encoder_is_its_formula(model) -> None:
    net, config = model.encoder, model.config
    audio = sound(model, notes=1)
    x = convolve(inputs_of(audio[0])[:, None].astype(np.float64), net.start, dilation=1, ahead=1)
    for index, (dilated, residual) in enumerate(zip(net.dilated, net.residual, strict=True)):
        dilation = (1, 2, 4)[index % 3]
        x = x + dense(np.maximum(convolve(np.maximum(x, 0), dilated, dilation=dilation, ahead=1), 0), residual)
    expected = dense(x, net.bottleneck).reshape(-1, config.hop, config.channels).mean(axis=1)
    np.testing.assert_allclose(numpy_of(net(audio))[0], expected, atol=1e-5)


def test_the_decoder_is_its_stack(model) -> None:
    """The reference engine is the plain loop over the formulas in `stack.py`."""
    audio = sound(model)
    found = model(audio)
    from keras import ops

    expected = WaveNetDecoder(model.stack(), engine="reference").probabilities(numpy_of(found["z"]), audio)
    np.testing.assert_allclose(numpy_of(ops.softmax(found["logits"])), expected, atol=1e-6)


def test_a_sample_is_heard_by_later_ones_only(model) -> None:
    audio, changed = sound(model, notes=1), sound(model, notes=1)
    at = 100
    changed[0, at] = -changed[0, at]
    z = model.encoder(audio)
    from synth_explorer.model.nsynth import mu_law

    before, after = (numpy_of(model.decoder(mu_law(x, levels=256), z))[0] for x in (audio, changed))
    moved = np.abs(before - after).max(axis=-1) > 1e-7
    assert not moved[: at + 1].any()
    assert moved[at + 1]


def test_conditioning_holds_for_a_hop(model) -> None:
    from synth_explorer.model.nsynth import mu_law

    hop = model.config.hop
    levels, z = mu_law(sound(model, notes=1), levels=256), numpy_of(model.encoder(sound(model, notes=1)))
    other = z.copy()
    other[0, 2] += 1.0
    before, after = (numpy_of(model.decoder(levels, c))[0] for c in (z, other))
    moved = np.abs(before - after).max(axis=-1) > 1e-7
    assert not moved[: 2 * hop].any()
    assert moved[2 * hop : 3 * hop].all()


def test_the_presets() -> None:
    full = NSynthConfig()
    sizes = {name: int(np.prod(shape) + shape[-1]) for name, shape in full.kernels().items()}
    assert len(sizes) == 187
    assert sum(size for name, size in sizes.items() if not name.startswith("ae_")) == pytest.approx(59.7e6, rel=0.005)
    assert (full.hop, full.channels, full.layers, full.width, full.skip_width) == (512, 16, 30, 512, 256)
    assert NSynthConfig(**full.to_dict()) == full


def test_kernels_are_the_models(model) -> None:
    shapes = {weight.path.split("/")[-2]: weight.shape for weight in model.weights if weight.path.endswith("kernel")}
    assert {name: (1,) * (3 - len(shape)) + tuple(shape) for name, shape in shapes.items()} == model.config.kernels()
    assert all(weight.path.startswith(("nsynth/encoder/", "nsynth/decoder/")) for weight in model.weights)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layers": 0}, "should be greater than or equal to 1"),
        ({"colour": 1}, "unknown field 'colour'"),
        ({"width": "wide"}, "width: should be a valid integer"),
        ({"layers": 10**9}, "layers: should be less than or equal to 64"),
        ({"width": 2048, "layers": 64}, "weights; at most 268,435,456 are loaded"),
        ({"encoder_taps": 2}, "odd"),
        ({"levels": 255}, "even"),
    ],
)
def test_wrong_sizes_are_named(change: dict, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        NSynthConfig(**TINY.to_dict() | change)


def test_the_loss_can_be_learned(model) -> None:
    """Gradients reach every layer but the last residual one, which leads nowhere (in magenta's network too)."""
    import tensorflow as tf
    from keras import losses

    audio = sound(model)
    with tf.GradientTape() as tape:
        found = model(audio)
        targets = found["levels"] + model.config.levels // 2
        targets = tf.clip_by_value(targets, 0, model.config.levels - 1)
        loss = tf.reduce_mean(losses.sparse_categorical_crossentropy(targets, found["logits"], from_logits=True))
    gradients = tape.gradient(loss, [weight.value for weight in model.trainable_weights])
    reached = {
        weight.path.split("/")[-2]
        for weight, gradient in zip(model.trainable_weights, gradients, strict=True)
        if gradient is not None and np.isfinite(gradient.numpy()).all() and np.abs(gradient.numpy()).max() > 0
    }
    assert set(model.config.kernels()) - reached == {f"res_{model.config.layers}"}
