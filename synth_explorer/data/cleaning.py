"""What rendered notes need before they are fit to learn from: no rumble, and a label that names the pitch one hears.

Shapes: N notes, T samples, P spectral peaks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

RUMBLE_HZ = 16.0
OCTAVE_SHIFTS = (24, 12, 0, -12, -24)
HARMONIC_SHARE = 0.95  # of the energy; instruments with less on any pitch's harmonics keep their label
SLACK_UP, SLACK_DOWN = 0.02, 0.1  # energy that may lie off the harmonics of the pitch taken
TOLERANCE_CENTS = 35.0
TOLERANCE_SPACINGS = 0.2  # of the distance between harmonics
PEAKS = 24
LOWEST_RATIO, HIGHEST_RATIO = 0.2, 6.0  # of the written pitch: what lies beyond says nothing about its octave


def remove_rumble(audio: np.ndarray, *, sample_rate_hz: int) -> np.ndarray:
    """Take away what lies below hearing: some SoundFont samples have offsets as strong as their tone.

    Second-order Butterworth high-pass at 16 Hz, forwards in time; -0.4 dB at the lowest key of a piano.

    `audio`: float [T]. Returns float [T].
    """
    from scipy.signal import butter, sosfilt

    return sosfilt(butter(2, RUMBLE_HZ, "highpass", fs=sample_rate_hz, output="sos"), audio)


def octave_shift(notes: Sequence[np.ndarray], pitches: Sequence[float], *, sample_rate_hz: int) -> int:
    """How many semitones the notes of an instrument sound from what their keys say: a number of octaves.

    Organs with a 16' stop sound an octave or two below the key, guitar harmonics two above. The pitch taken is the
    highest one whose harmonics hold nearly all the energy; where there is none (bells, drums) the label stays.

    `notes`: sounds of one instrument, each float [T], from the onset on. `pitches`: MIDI pitch that each was labelled
    with. Returns 24, 12, 0, -12 or -24.
    """
    shares = [
        _harmonic_shares(note, 440.0 * 2 ** ((pitch - 69) / 12), sample_rate_hz)
        for note, pitch in zip(notes, pitches, strict=True)
    ]
    mean = np.mean(shares, axis=0)
    if mean.max() < HARMONIC_SHARE:
        return 0
    return next(
        shift
        for shift, share in zip(OCTAVE_SHIFTS, mean, strict=True)
        if share >= mean.max() - (SLACK_UP if shift > 0 else SLACK_DOWN)
    )


def _harmonic_shares(note: np.ndarray, f0_hz: float, sample_rate_hz: int) -> np.ndarray:
    """Share of the energy of the note's peaks that lies on the harmonics of each of the shifted pitches."""
    start = min(len(note) // 8, round(0.1 * sample_rate_hz))
    part = note[start : start + round(1.5 * sample_rate_hz)]
    size = 1 << 17
    hz_a_bin = sample_rate_hz / size
    lowest = int(LOWEST_RATIO * f0_hz / hz_a_bin)
    power = np.abs(np.fft.rfft(part * np.hanning(len(part)), size))[lowest : int(HIGHEST_RATIO * f0_hz / hz_a_bin)] ** 2
    peak_hz, energy = [], []
    for _ in range(PEAKS):
        top = int(power.argmax())
        peak_hz.append((lowest + top) * hz_a_bin)
        energy.append(power[top])
        reach = int(0.06 * f0_hz / hz_a_bin) + 1
        power[max(0, top - reach) : top + reach] = 0
    share = []
    for shift in OCTAVE_SHIFTS:
        ratios = np.array(peak_hz) / (f0_hz * 2 ** (shift / 12))
        nearest = np.maximum(np.round(ratios), 1)
        on = np.abs(1200 * np.log2(ratios / nearest)) < TOLERANCE_CENTS
        on &= np.abs(ratios - nearest) < TOLERANCE_SPACINGS  # or any high partial would be near some harmonic
        share.append(np.sum(np.array(energy)[on]) / max(np.sum(energy), 1e-20))
    return np.array(share)
