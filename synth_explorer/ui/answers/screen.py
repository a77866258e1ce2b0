"""What a screen shows of a sound: its file, its picture and its level.

Shapes: T samples.
"""

from __future__ import annotations

import base64
import itertools
import math
import time
from typing import Any

import numpy as np

from synth_explorer import plots
from synth_explorer.ui.session.studio import Studio

SCALE_HZ = ((125, "125"), (500, "500"), (1000, "1k"), (2000, "2k"), (4000, "4k"), (8000, "8k"), (16000, "16k"))
_stamps = itertools.count(int(time.time() * 1000))


def screen(
    studio: Studio,
    audio: np.ndarray,
    *,
    label: str,
    colour: str,
    play: bool = False,
    file_name: str = "",
    address: str = "",
) -> dict[str, Any]:
    """Value of a Screen: the sound as a file at its own level, and its picture.

    Args:
        studio: keeps the file.
        audio: [T], at the model's sample rate.
        label: what it is, for those who cannot see it.
        colour: of the picture, "#rrggbb".
        play: whether it starts to play as soon as it is there.
        file_name: name offered for download; empty offers none.
        address: of the sound, where it has one that makes it again; else it is written as a file.
    """
    rate_hz = studio.explorer.sample_rate_hz
    peak = float(np.abs(audio).max())
    png = plots.spectrogram_png(audio, sample_rate_hz=rate_hz, colour=colour)
    scale = [(name, plots.frequency_position(hz, sample_rate_hz=rate_hz)) for hz, name in SCALE_HZ if hz < rate_hz / 2]
    return {
        "path": "" if address else str(studio.sound_folder.put(audio, sample_rate_hz=rate_hz)),
        "address": address,
        "picture": "data:image/png;base64," + base64.b64encode(png).decode(),
        "label": label,
        "file_name": file_name,
        "duration_s": audio.size / rate_hz,
        "level": level_text(peak),
        "clips": peak > 1.0,
        "hz": scale,
        "colour": colour,
        "play": play,
        "stamp": next(_stamps),
    }


def level_text(peak: float) -> str:
    """Peak level in words, with a warning above full scale."""
    if peak < 1e-5:
        return "silent"
    peak_db = 20 * math.log10(peak)
    return f"clips by {peak_db:.1f} dB" if peak > 1.0 else f"peak {peak_db:.1f} dB".replace("-", "−")
