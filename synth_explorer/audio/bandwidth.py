"""Where the band of a recording ends, as opposed to where its sound does.

A sample that was taken at 22 kHz ends at 11 kHz whatever the instrument did above. Such an end is a cliff: what was
still there is gone within a few hundred hertz and stays gone. A sound that ends by itself fades.

Shapes: T samples, N notes, M bands.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

TOP_HZ = 20_000.0  # what is beyond is nobody's
BAND_HZ = 200.0
LOWEST_HZ = 2_000.0
PARTIALS = 6  # below the cliff at least: a pure tone with few partials is not cut off, it is pure
CLIFF_DB = 24.0  # lost across the cliff
GENTLE_DB = 14.0  # at most lost in as wide a stretch just below it
INAUDIBLE_DB = -105.0  # of a band's loudest bin, a sine of full scale being 0: what lies lower has no end to be found
EMPTY_DB = -40.0  # of what is above, against the octave below
COMMON_SHARE = 0.6  # of an instrument's notes with a cliff: then the others have it too, unseen


def top_hz(sample_rate_hz: int) -> float:
    """Above this no end is sought: 20 kHz, or 0.45 of a lower rate."""
    return min(TOP_HZ, 0.45 * sample_rate_hz)


def bandwidth_hz(audio: np.ndarray, *, f0_hz: float, sample_rate_hz: int) -> float:
    """The frequency of the cliff at which a recording ends, or the top of hearing (or of the rate) where there is none.

    `audio`: one note, float [T]. `f0_hz`: its pitch; a gap between two partials is no cliff. Returns Hz, at most 20,000
    and 0.45 of the rate.
    """
    from scipy.fft import rfft

    top = top_hz(sample_rate_hz)
    size = 1 << int(np.ceil(np.log2(0.08 * sample_rate_hz)))
    if len(audio) < size:
        return top
    frames = np.lib.stride_tricks.sliding_window_view(np.asarray(audio, np.float64), size)[:: size // 2]
    window = np.blackman(size)  # its side lobes fall below 16 bits soon enough not to hide a cliff
    power = np.mean(np.abs(rfft(frames * window)) ** 2, axis=0) * (2.0 / window.sum()) ** 2
    level_db = 10.0 * np.log10(power + 1e-20)
    bins_per_band = max(1, round(BAND_HZ * size / sample_rate_hz))
    count = len(level_db) // bins_per_band
    bands = level_db[: count * bins_per_band].reshape(count, bins_per_band)
    width_hz = bins_per_band * sample_rate_hz / size
    partial_bands = int(np.ceil(1.3 * f0_hz / width_hz))
    first = int(max(LOWEST_HZ, PARTIALS * f0_hz) / width_hz)
    found = [_cliff(_from_above(bands.max(axis=1)), first, max(3, partial_bands), width_hz, top)]
    found.append(_cliff(_from_above(np.percentile(bands, 30, axis=1)), first, 3, width_hz, top))
    return float(min(found))


def is_empty_above(audio: np.ndarray, end_hz: float, *, sample_rate_hz: int) -> bool:
    """Whether a sound [T] has next to nothing above an end, against the octave below it: who is to leave out all that
    lies there must be surer than who leaves it uncounted."""
    from scipy.fft import next_fast_len, rfft

    size = next_fast_len(len(audio), real=True)
    power = np.square(np.abs(rfft(audio, size)))
    low, end, above = (round(hz * size / sample_rate_hz) for hz in (end_hz / 2.0, end_hz, end_hz + BAND_HZ))
    return bool(power[above:].sum() <= 10.0 ** (EMPTY_DB / 10.0) * power[low:end].sum())


def common_bandwidths_hz(bandwidths_hz: Sequence[float]) -> np.ndarray:
    """Bandwidths of an instrument's notes: where most have an end, those too that were too soft to show theirs, [N]."""
    values = np.asarray(bandwidths_hz, np.float64)
    if not len(values):
        return values
    limited = values < values.max() - 1.0
    if np.mean(limited) < COMMON_SHARE:
        return values
    return np.where(limited, values, np.median(values[limited]))


def _from_above(level_db: np.ndarray) -> np.ndarray:
    """The highest level at or above each band, [M]."""
    return np.maximum.accumulate(level_db[::-1])[::-1]


def _cliff(level_db: np.ndarray, first: int, span: int, width_hz: float, top: float) -> float:
    """The lowest cliff, from the band `first` on and `span` bands wide, of levels that only fall, [M]."""
    last = int(top / width_hz)
    for band in range(first, min(last, len(level_db) - span)):
        here, beyond = level_db[band], level_db[band + span]
        if here < INAUDIBLE_DB:
            break
        before = level_db[max(0, band - 2 * span)]
        if here - beyond > CLIFF_DB and before - here < GENTLE_DB:
            steepest = band + int(np.argmax(level_db[band : band + span] - level_db[band + 1 : band + span + 1]))
            return min((steepest + 1.5) * width_hz, top)
    return top
