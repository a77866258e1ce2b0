"""The model at 48 kHz: what ends at its band's top, what a recording's end leaves unlearned, what stays."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer.errors import CheckpointError
from synth_explorer.model.config import ModelConfig
from tests.model.small import SIZES, small_config

WIDE = SIZES | {
    "sample_rate_hz": 48_000, "hop": 768, "pre_roll_samples": 768, "n_fft": 3072, "short_n_fft": 768,
    "harmonic_n_fft": 6144, "harmonics": 150, "band_hz": 20_047.0, "magnitude_scale": 1 / 3, "attribute_floor": 0.3,
    "mel_bands": 33, "short_mel_bands": 11, "envelope_bands": 22, "noise_bands": 22, "short_noise_bands": 11,
    "distance_bands": 128,
}  # fmt: skip
FRAMES = 8


def wide_config() -> ModelConfig:
    """Sizes of the small model at 48 kHz."""
    return ModelConfig(**WIDE)


def _given(config: ModelConfig) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    z = rng.standard_normal((2, FRAMES, config.channels)).astype(np.float32)
    z[..., 1] = 1.0
    return z, np.full((2, FRAMES), 150.0, np.float32)


def _noise(samples: int, rate_hz: int, end_hz: float) -> np.ndarray:
    spectrum = np.fft.rfft(np.random.default_rng(1).standard_normal((2, samples)) * 0.05)
    spectrum[:, np.linspace(0, rate_hz / 2, spectrum.shape[1]) > end_hz] = 0
    return np.fft.irfft(spectrum, samples).astype(np.float32)


def test_band_must_fit_the_rate() -> None:
    assert small_config().top_hz == 8000 and small_config().widening == 1
    assert wide_config().top_hz == 20_047 and wide_config().widening == 3
    with pytest.raises(CheckpointError, match="band_hz"):
        ModelConfig(**WIDE | {"band_hz": 30_000.0})


@pytest.mark.slow
def test_nothing_is_made_above_the_band() -> None:
    from synth_explorer.model.fast_decoder import FastDecoder

    config = wide_config()
    decoder = FastDecoder(config)
    controls = decoder(*_given(config))
    hz = 150.0 * config.multiples
    partials = np.asarray(controls["harmonic"])[0, 0]
    assert partials[hz > config.band_hz].max() < 1e-9 * partials.max()
    bins_hz = np.linspace(0, 24_000, decoder.noise_matrix.shape[1])
    assert decoder.noise_matrix[:, bins_hz > config.band_hz].max() == 0
    assert decoder.noise_matrix[:, (bins_hz > 100) & (bins_hz < config.band_hz)].sum(axis=0).min() > 0.99


def test_what_a_recording_lacks_is_not_heard_of_and_not_counted() -> None:
    from synth_explorer.model.fast_decoder import FastDecoder
    from synth_explorer.model.spectral import SpectralLoss

    config = wide_config()
    decoder, end_hz = FastDecoder(config), np.array([10_000.0, 20_047.0], np.float32)
    z, pitch_hz = _given(config)
    whole, ended = decoder.controls(z, pitch_hz), decoder.controls(z, pitch_hz, bandwidth_hz=end_hz)
    above = 150.0 * config.multiples > 10_000
    assert np.asarray(ended["harmonic"])[0][:, above].max() == 0
    assert np.asarray(ended["noise"])[0][:, config.noise_hz > 10_000].max() == 0
    for name in whole:
        np.testing.assert_allclose(np.asarray(ended[name])[1], np.asarray(whole[name])[1], rtol=1e-4, atol=1e-7)
    loss = SpectralLoss(config)
    samples = FRAMES * config.hop
    low, high = _noise(samples, 48_000, 9_000.0), _noise(samples, 48_000, 19_000.0)
    masked, plain = (np.asarray(loss.log_mel(low, high, ends)) for ends in (end_hz, None))
    assert masked[0] < 0.2 * plain[0] and masked[1] == pytest.approx(plain[1], rel=1e-5)


def test_the_plain_loss_counts_nothing_above_the_end_either() -> None:
    from synth_explorer.model.spectral import SpectralLoss
    from synth_explorer.plain.loss import PARTS
    from synth_explorer.plain.loss import SpectralLoss as PlainLoss
    from tests.model.keras_fit import gradient

    config, weights = wide_config(), {"linear": 1.0, "log": 0.5, "mel": 1.0}
    ends_hz = np.full(1, 10_000.0, np.float32)
    low, high = (_noise(FRAMES * config.hop, 48_000, end_hz)[:1] for end_hz in (9_000.0, 19_000.0))
    low, loss = 0.5 * low, SpectralLoss(config, **weights)  # so that no bin is met but for rounding
    _, theirs = gradient(lambda high, low, ends: loss(low, high, ends))(high, low, ends_hz)
    plain = PlainLoss(config, low[0], bandwidth_hz=10_000.0, **weights)
    ours = np.mean([plain.slope(high[0], part=part) for part in range(PARTS)], axis=0)
    assert np.linalg.norm(ours - theirs[0]) <= 1e-3 * np.linalg.norm(theirs[0])


def test_the_loss_is_the_distance_over_the_whole_band() -> None:
    from synth_explorer.measure import band_distances_db
    from synth_explorer.model.spectral import SpectralLoss

    a = _noise(48_000, 48_000, 18_000.0)
    b = (0.5 * a).astype(np.float32)
    config = ModelConfig(**WIDE | {"band_hz": 24_000.0})
    got = np.asarray(SpectralLoss(config).log_mel(a, b)) * 20 / np.log(10)
    expected = [band_distances_db(x, y, sample_rate_hz=48_000).whole for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(got, expected, rtol=0.05)


def test_features_of_one_sound_are_alike_at_both_rates() -> None:
    import soxr

    from synth_explorer.model.frontend import FrontEnd

    low, wide = small_config(), ModelConfig(**WIDE | {"band_hz": 8000.0, "mel_bands": 24, "short_mel_bands": 8})
    audio = _noise(32 * low.hop, 16_000, 7_000.0)
    finer = np.stack([soxr.resample(sound, 16_000, 48_000, quality="VHQ") for sound in audio]).astype(np.float32)
    track = np.full((2, 32), 220.0, np.float32)
    for name, tolerance in {"mel": 0.1, "harmonic": 0.1, "attributes": 0.1}.items():
        a, b = (np.asarray(FrontEnd(c)(x, track)[name])[:, 4:-4] for c, x in ((low, audio), (wide, finer)))
        np.testing.assert_allclose(b.mean(axis=1), a.mean(axis=1), atol=tolerance)


def test_enhancement_lasts_as_long_at_both_rates() -> None:
    from synth_explorer.model import enhancement

    sizes = {"hop": 1536, "sample_rate_hz": 48_000}
    tones = _noise(20 * 1536, 48_000, 20_000.0)
    heard = enhancement.hear(2.0 * tones, tones, 0.0 * tones, **sizes)
    assert heard.shape == (2, 20, enhancement.bands(48_000))
    np.testing.assert_allclose(heard[:, 2:-2, :60], np.log(2.0), atol=0.05)
    better = enhancement.apply(tones, heard, **sizes)
    middle = slice(4 * 1536, -4 * 1536)
    assert np.std(better[:, middle] - 2.0 * tones[:, middle]) < 0.1 * np.std(tones)


def test_engines_agree_at_48_khz() -> None:
    from synth_explorer.decode import synthesis as fast
    from synth_explorer.model import synthesis
    from synth_explorer.model.fast_decoder import FastDecoder

    config = wide_config()
    decoder = FastDecoder(config)
    z, pitch_hz = _given(config)
    controls = {name: np.asarray(value)[:1] for name, value in decoder(z, pitch_hz).items()}
    phases = fast.noise_phases(FRAMES, hop=config.hop, subframes=config.subframes, seed=0)
    slow = np.asarray(synthesis.render(controls, pitch_hz[:1], *(phase[None] for phase in phases), decoder))[0]
    quick = fast.render(
        {name: value[0] for name, value in controls.items()}, pitch_hz[0], noise_matrix=decoder.noise_matrix,
        short_matrix=decoder.short_matrix, half_partials=config.half_partials, hop=config.hop,
        subframes=config.subframes, sample_rate_hz=config.sample_rate_hz, seed=0,
    )  # fmt: skip
    assert np.abs(quick - slow).max() < 2e-3 * np.abs(slow).max()
