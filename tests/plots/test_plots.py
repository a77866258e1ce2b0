"""Pictures: sizes, levels and where things are drawn."""

from __future__ import annotations

import io

import numpy as np
import pytest

from synth_explorer import plots

RATE_HZ = 16000


def tone(hz: float, *, seconds: float = 1.0, peak: float = 1.0) -> np.ndarray:
    return (peak * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE_HZ)) / RATE_HZ)).astype(np.float32)


@pytest.mark.parametrize("peak_db", [0.0, -20.0, -40.0])
def test_spectrogram_reads_the_level_of_a_tone(peak_db):
    level_db = plots.spectrogram_db(tone(1000, peak=10 ** (peak_db / 20)), sample_rate_hz=RATE_HZ)
    assert level_db[:, 20:40].max() == pytest.approx(peak_db, abs=2.5)


@pytest.mark.parametrize("hz", [100.0, 440.0, 3000.0])
def test_a_tone_lies_where_the_scale_says(hz):
    level_db = plots.spectrogram_db(tone(hz), sample_rate_hz=RATE_HZ)
    height = (level_db[:, 30].argmax() + 0.5) / level_db.shape[0]
    assert height == pytest.approx(plots.frequency_position(hz, sample_rate_hz=RATE_HZ), abs=0.02)


def test_gain_can_be_seen():
    loud, soft = (
        plots.spectrogram_db(tone(500, peak=peak), sample_rate_hz=RATE_HZ)[:, 30].max() for peak in (0.4, 0.1)
    )
    assert loud - soft == pytest.approx(12.04, abs=0.1)


@pytest.mark.parametrize("samples", [1, 300, RATE_HZ, 5 * RATE_HZ])
def test_png_of_any_length_has_one_pixel_a_frame(samples):
    from PIL import Image

    png = plots.spectrogram_png(tone(300, seconds=6)[:samples], sample_rate_hz=RATE_HZ, bands=96)
    image = Image.open(io.BytesIO(png))
    assert image.height == 96 and image.width == pytest.approx(samples / RATE_HZ / 0.016, abs=2)


def test_palette_goes_from_dark_to_light():
    brightness = plots.palette("#45b8a6").astype(int).sum(axis=1)
    assert np.all(np.diff(brightness) >= 0) and brightness[0] < 90 and brightness[-1] > 600


def test_colours_mix():
    assert plots.mix_colour(["#ff0000", "#0000ff"], [0.5, 0.5]) == "#800080"
    assert plots.mix_colour(["#ff0000", "#0000ff"], [1.3, -0.3]) == "#ff0000"
