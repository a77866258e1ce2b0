"""How a sound is heard, in five numbers.

Shapes: T samples.
"""

from __future__ import annotations

import math

import numpy as np

from synth_explorer import measure
from synth_explorer.pitch import hz_to_midi

NAMES = ("loudness_db", "brightness_octaves", "noisiness_db", "attack_s", "pitch_midi")
DIGITS = 4


def describe(audio: np.ndarray, *, sample_rate_hz: int, pitch_hz: float | None) -> dict[str, float | None]:
    """Descriptors of a sound [T], None where one does not exist.

    `pitch_hz`: about which it sounds; None: it is sought. Returns `loudness_db` (BS.1770 LUFS), `brightness_octaves`
    (log2 of the spectral centroid in Hz), `noisiness_db` (noise against partials), `attack_s` (10 to 90 % of the
    loudest amplitude) and `pitch_midi`; see `measure`.
    """
    heard: dict[str, float] = dict.fromkeys(NAMES, math.nan)
    if audio.any():
        rate = {"sample_rate_hz": sample_rate_hz}
        heard["loudness_db"] = measure.loudness_db(audio, **rate)
        heard["brightness_octaves"] = measure.brightness_octaves(audio, **rate)
        heard["attack_s"] = measure.attack_time_ms(audio, **rate) / 1000.0
        if pitch_hz is None or measure.LOWEST_HZ <= pitch_hz <= measure.HIGHEST_HZ:
            found_hz = measure.pitch_hz(audio, **rate, around_hz=pitch_hz)
            heard["pitch_midi"] = hz_to_midi(found_hz)
            heard["noisiness_db"] = measure.noisiness_db(audio, **rate, pitch_hz=found_hz)
    return {name: round(float(value), DIGITS) if math.isfinite(value) else None for name, value in heard.items()}
