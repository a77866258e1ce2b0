"""A sound that is made in chunks, brought to the loudness that its latents ask for.

Shapes: F frames, T samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import numpy as np

from synth_explorer.plain.frontend import FrontEnd

QUIETER_DB, LOUDER_DB = -24.0, 6.0  # at the most


def held(chunks: Iterator[np.ndarray], loudness_db: np.ndarray, front_end: FrontEnd) -> Iterator[np.ndarray]:
    """Chunks [n] of a sound [T] -> the same, half a window late, with a gain that runs straight from frame to frame.

    `loudness_db` [F], K-weighted, is met as the front end hears it at each frame, by at most `LOUDER_DB` up. The
    samples do not depend on the chunks.
    """
    hop, size = front_end.config.hop, front_end.config.n_fft
    sound, given, made = np.zeros(size // 2, np.float32), 0, 0
    gains: list[float] = []

    def gain(frame: int) -> float:
        if frame >= len(loudness_db):  # nothing is asked any more, and silence is heard
            return gains[-1]
        heard_db = front_end.loudness_db(sound[frame * hop :][:size])
        return float(10.0 ** (np.clip(loudness_db[frame] - heard_db, QUIETER_DB, LOUDER_DB) / 20.0))

    end = np.zeros(size + hop, np.float32)
    for chunk in chain(chunks, (end,)):
        given += 0 if chunk is end else len(chunk)
        sound = np.concatenate([sound, chunk])
        while len(sound) >= len(gains) * hop + size:
            gains.append(gain(len(gains)))
        until = min((len(gains) - 1) * hop, given)
        if until > made:
            at = np.arange(made, until)
            ramp = np.interp(at / hop, np.arange(len(gains)), gains).astype(np.float32)
            yield sound[size // 2 + made : size // 2 + until] * ramp
            made = until
