"""Sound of a synthetic instrument: plays one note of a `Patch`, without aliasing.

Everything that can be is a sum of partials below half the sample rate; what makes new frequencies (phase modulation,
distortion) runs at four times the rate and comes back through soxr.

Shapes: T samples, F frames of `FRAME` samples, K partials.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from synth_explorer.data.patches import INFINITE_HZ, Patch

FRAME = 64
OVERSAMPLING = 4
INAUDIBLE = 1e-4  # -80 dB below the loudest partial
BAND = (0.95, 0.99)  # partials fade out between these shares of half the sample rate
FASTEST_FADE_S = 0.002


class Clock(NamedTuple):
    """Time of a note: its rate, its length, and when the key is let go."""

    rate_hz: int
    total_samples: int
    held_s: float

    @property
    def times_s(self) -> np.ndarray:
        """Time of each sample [T]."""
        return np.arange(self.total_samples) / self.rate_hz

    @property
    def frame_times_s(self) -> np.ndarray:
        """Time of each frame border [F + 1]."""
        return np.arange(-(-self.total_samples // FRAME) + 1) * FRAME / self.rate_hz


def play(
    patch: Patch,
    *,
    midi: float,
    velocity: int,
    rng: np.random.Generator,
    sample_rate_hz: int,
    total_samples: int,
    held_s: float,
) -> np.ndarray:
    """Play one note from its onset on.

    Args:
        midi: pitch that is heard, fractions allowed.
        velocity: MIDI velocity; moves level and brightness around velocity 100.
        rng: phases and noise of this note.
        total_samples: length T.
        held_s: when the key is let go.

    Returns float64 [T]; its peak is the patch's level, moved by the velocity.
    """
    clock = Clock(sample_rate_hz, total_samples, held_s)
    f0_hz = 440.0 * 2.0 ** ((midi - 69.0) / 12.0)
    effort = (velocity - 100) / 102  # -0.74 at velocity 25, 0.26 at 127
    tone = _fm(patch, f0_hz, effort, clock) if patch.fm_index else _unison(patch, f0_hz, effort, clock, rng)
    tone /= max(float(np.max(np.abs(tone))), 1e-9)
    tone = tone + _noises(patch, f0_hz, clock, rng)
    sound = tone * _level(patch, clock)
    if patch.drive_db is not None:
        sound = _drive(sound, gain_db=patch.drive_db * (1 + effort), rate_hz=sample_rate_hz)
    if patch.reverb_mix:
        sound = _reverb(sound, patch, clock, rng)
    sound *= 10 ** ((patch.level_db + patch.velocity_db * effort) / 20) / max(float(np.max(np.abs(sound))), 1e-9)
    if patch.floor_db is not None:
        sound = sound + 10 ** (patch.floor_db / 20) * rng.standard_normal(total_samples)
    fade = min(round(0.02 * sample_rate_hz), total_samples)
    sound[total_samples - fade :] *= np.linspace(1.0, 0.0, fade)
    return sound


def _phase(patch: Patch, f0_hz: float, clock: Clock) -> np.ndarray:
    """Phase of the fundamental in cycles [T], with glide and vibrato (which are symmetrical in log frequency)."""
    t = clock.times_s
    octaves = np.zeros(clock.total_samples)
    if patch.glide_semitones:
        octaves += patch.glide_semitones / 12 * np.exp(-t / patch.glide_s)
    if patch.vibrato_cents:
        swell = np.clip((t - patch.vibrato_delay_s) / 0.3, 0.0, 1.0)
        octaves += patch.vibrato_cents / 1200 * swell * np.sin(2 * np.pi * patch.vibrato_hz * t)
    return np.cumsum(f0_hz * 2.0**octaves) / clock.rate_hz


def _partials(patch: Patch, f0_hz: float, half_rate_hz: float) -> tuple[np.ndarray, np.ndarray]:
    """Ratios [K] and amplitudes [K] of the partials below half the sample rate, before anything that moves."""
    if patch.ratios:
        ratios = np.array(patch.ratios)
        amplitudes = np.array(patch.levels) if patch.levels else np.ones(len(ratios))
    else:
        ratios = np.arange(1.0, max(2.0, half_rate_hz / f0_hz + 1))
        amplitudes = {
            "series": np.ones_like,
            "saw": lambda k: 1 / k,
            "pulse": np.ones_like,
            "triangle": lambda k: (k % 2) / k**2,
        }[patch.wave](ratios)
        amplitudes = amplitudes * np.where(ratios % 2 == 0, patch.even, 1.0)
        amplitudes[0] *= patch.fundamental if f0_hz < half_rate_hz / 6 else 1.0
    jitter = np.random.default_rng(patch.seed).standard_normal(max(512, len(ratios)))[: len(ratios)]
    amplitudes = amplitudes * 10 ** (
        (patch.jitter_db * jitter + patch.slope_db_oct * np.log2(np.maximum(ratios, 1))) / 20
    )
    if patch.stiffness:
        ratios = ratios * np.sqrt((1 + patch.stiffness * ratios**2) / (1 + patch.stiffness))
    if patch.pluck:
        amplitudes = amplitudes * (0.02 + np.abs(np.sin(np.pi * ratios * patch.pluck)))
    for centre_hz, gain_db, width in patch.formants:
        distance = np.log2(ratios * f0_hz / centre_hz) / width
        amplitudes = amplitudes * 10 ** (gain_db * (np.exp(-0.5 * distance**2) - 0.5) / 20)
    if patch.ring_mix:
        ratios, amplitudes = _ring(ratios, amplitudes, ratio=patch.ring_ratio, mix=patch.ring_mix)
    fade = np.clip((BAND[1] - ratios * f0_hz / half_rate_hz) / (BAND[1] - BAND[0]), 0.0, 1.0)
    keep = amplitudes * fade > INAUDIBLE * np.max(amplitudes)
    if not keep.any():
        return np.ones(1), np.ones(1)
    return ratios[keep], (amplitudes * fade)[keep]


def _ring(ratios: np.ndarray, amplitudes: np.ndarray, *, ratio: float, mix: float) -> tuple[np.ndarray, np.ndarray]:
    """Ring modulation as what it does to partials: each splits into a sum and a difference."""
    side = 0.5 * mix * amplitudes
    return (
        np.concatenate([ratios, ratios + ratio, np.abs(ratios - ratio)]),
        np.concatenate([(1 - mix) * amplitudes, side, side * (ratios != ratio)]),
    )


def _motion(patch: Patch, ratios: np.ndarray, f0_hz: float, effort: float, clock: Clock) -> np.ndarray:
    """Gains [K, F + 1] of the partials over time: decay, pulse width, filter, velocity."""
    t = clock.frame_times_s[None, :]
    r = np.maximum(ratios, 0.25)[:, None]
    gains = np.ones((len(ratios), t.shape[1]))
    if patch.decay_s is not None:
        t60_s = patch.decay_s * (261.6 / f0_hz) ** 0.5 / r**patch.decay_damping
        gains = gains * 10 ** (-3 * t / t60_s)
    if patch.wave == "pulse":
        width = patch.pulse_width + patch.pwm_depth * np.sin(2 * np.pi * patch.pwm_rate_hz * t)
        gains = gains * np.abs(np.sin(np.pi * r * np.clip(width, 0.02, 0.5))) / r
    brightness = patch.velocity_octaves * effort
    if patch.cutoff_hz < INFINITE_HZ:
        gains = gains * _filter(patch, r * f0_hz, f0_hz, brightness, t)
    else:
        gains = gains * 10 ** (6 * brightness * np.log2(np.maximum(r, 1)) / 20)
    return gains


def _filter(patch: Patch, hz: np.ndarray, f0_hz: float, brightness: float, t: np.ndarray) -> np.ndarray:
    """Magnitude of a resonant low-pass filter at `hz` [K, 1] over time, [K, F + 1]."""
    octaves = (
        brightness
        + patch.sweep_octaves * np.exp(-t / patch.sweep_s)
        + patch.wah_octaves * np.sin(2 * np.pi * patch.wah_hz * t)
        + patch.key_follow * np.log2(f0_hz / 261.6)
    )
    cutoff_hz = np.maximum(patch.cutoff_hz * 2**octaves, 0.7 * f0_hz)
    x = (hz / cutoff_hz) ** 2
    response = 1 / np.sqrt((1 - x) ** 2 + x / patch.resonance**2)
    return response / np.sqrt(1 + x**2) if patch.poles == 4 else response


def _bank(
    ratios: np.ndarray, amplitudes: np.ndarray, gains: np.ndarray, phase: np.ndarray, starts: np.ndarray
) -> np.ndarray:
    """Sum of the partials [T]; gains [K, F + 1] run linearly from frame to frame."""
    ramp = np.arange(FRAME, dtype=np.float32) / FRAME
    sound = np.zeros(len(phase), np.float32)
    envelopes = (amplitudes[:, None] * gains).astype(np.float32)
    for ratio, start, envelope in zip(ratios, starts, envelopes, strict=True):
        cycles = ratio * phase + start
        cycles -= np.floor(cycles)
        moving = (envelope[:-1, None] + np.diff(envelope)[:, None] * ramp).ravel()[: len(phase)]
        sound += moving * np.sin(np.float32(2 * np.pi) * cycles.astype(np.float32))
    return sound.astype(np.float64)


def _unison(patch: Patch, f0_hz: float, effort: float, clock: Clock, rng: np.random.Generator) -> np.ndarray:
    """All voices of the partial bank [T], tuned symmetrically around the pitch."""
    ratios, amplitudes = _partials(patch, f0_hz, clock.rate_hz / 2)
    gains = _motion(patch, ratios, f0_hz, effort, clock)
    loud = amplitudes * gains.max(axis=1)
    keep = loud > INAUDIBLE * loud.max()
    phase = _phase(patch, f0_hz, clock)
    spread = np.linspace(-1.0, 1.0, patch.unison) * patch.unison_cents if patch.unison > 1 else np.zeros(1)
    sound = np.zeros(clock.total_samples)
    for cents in spread:
        shared = patch.wave != "series" and patch.unison == 1  # waves keep their shape: all partials start together
        starts = np.zeros(int(keep.sum())) if shared else rng.random(int(keep.sum()))
        sound += _bank(ratios[keep], amplitudes[keep], gains[keep], phase * 2 ** (cents / 1200), starts)
    return sound


def _fm(patch: Patch, f0_hz: float, effort: float, clock: Clock) -> np.ndarray:
    """Phase modulation y = sin(p + I(t) sin(r p + b sin(r p))) [T] (Chowning 1973), four times oversampled."""
    import soxr

    fast = Clock(clock.rate_hz * OVERSAMPLING, clock.total_samples * OVERSAMPLING, clock.held_s)
    phase = 2 * np.pi * _phase(patch, f0_hz, fast)
    t = fast.times_s
    index = (
        patch.fm_index
        * 2 ** (patch.velocity_octaves * effort)
        * (patch.fm_sustain + (1 - patch.fm_sustain) * np.exp(-t / patch.fm_decay_s))
    )
    room = fast.rate_hz / 2 / f0_hz  # sidebands reach to 1 + r (I + 2): keep them below the fast half rate
    ratio = min(patch.fm_ratio, max(1.0, np.floor(room / 3)))
    index = np.minimum(index, max(0.0, (room - 1) / ratio - 2))
    modulator = np.sin(ratio * phase + patch.fm_feedback * np.sin(ratio * phase))
    sound = np.sin(phase + index * modulator)
    if patch.decay_s is not None:
        sound = sound * 10 ** (-3 * t / (patch.decay_s * (261.6 / f0_hz) ** 0.5))
    return soxr.resample(sound, fast.rate_hz, clock.rate_hz)[: clock.total_samples]


def _noises(patch: Patch, f0_hz: float, clock: Clock, rng: np.random.Generator) -> np.ndarray:
    """Breath in a band around the pitch, and a burst at the onset [T], for a tone of peak 1."""
    sound = np.zeros(clock.total_samples)
    if patch.noise_db is not None:
        sound += 10 ** (patch.noise_db / 20) * _band_noise(clock, 1.5 * f0_hz, patch.noise_octaves, rng)
    if patch.click_db is not None:
        burst = _band_noise(clock, min(4.0 * f0_hz, 3000.0), 2.5, rng) * np.exp(-clock.times_s / 0.008)
        sound += 10 ** (patch.click_db / 20) * burst
    return sound


def _band_noise(clock: Clock, centre_hz: float, octaves: float, rng: np.random.Generator) -> np.ndarray:
    """Gaussian noise of RMS 1 with a bell-shaped spectrum over log frequency [T]."""
    spectrum = np.fft.rfft(rng.standard_normal(clock.total_samples))
    hz = np.fft.rfftfreq(clock.total_samples, 1 / clock.rate_hz)
    shape = np.exp(-0.5 * (np.log2(np.maximum(hz, 1.0) / centre_hz) / (0.5 * octaves)) ** 2)
    noise = np.fft.irfft(spectrum * shape, clock.total_samples)
    return noise / max(float(np.sqrt(np.mean(noise**2))), 1e-9)


def _level(patch: Patch, clock: Clock) -> np.ndarray:
    """Envelope [T]: attack, exponential fall to the sustain, exponential release, tremolo."""
    t = clock.times_s
    attack_s = max(patch.attack_s, 1 / clock.rate_hz)
    rise = np.clip(t / attack_s, 0.0, 1.0)
    envelope = rise * (patch.sustain + (1 - patch.sustain) * np.exp(-np.maximum(t - attack_s, 0.0) / patch.fall_s))
    released = np.maximum(t - clock.held_s, 0.0)
    envelope = envelope * np.exp(-released * 4.6 / max(patch.release_s, FASTEST_FADE_S))  # release_s: to -40 dB
    if patch.tremolo_db:
        envelope = envelope * 10 ** (-0.5 * patch.tremolo_db * (1 - np.cos(2 * np.pi * patch.tremolo_hz * t)) / 20)
    return envelope


def _drive(sound: np.ndarray, *, gain_db: float, rate_hz: int) -> np.ndarray:
    """tanh distortion of a sound of peak about 1, four times oversampled [T]."""
    import soxr

    fast = soxr.resample(sound, rate_hz, OVERSAMPLING * rate_hz)
    bent = np.tanh(10 ** (gain_db / 20) * fast)
    return soxr.resample(bent, OVERSAMPLING * rate_hz, rate_hz)[: len(sound)]


def _reverb(sound: np.ndarray, patch: Patch, clock: Clock, rng: np.random.Generator) -> np.ndarray:
    """Mix with a room of exponentially decaying noise (Moorer 1979), its start kept dry for 10 ms [T]."""
    length = len(sound)
    t = clock.times_s
    room = rng.standard_normal(length) * 10 ** (-3 * t / patch.reverb_s) * (t > 0.01)
    room /= np.sqrt(np.sum(room**2))
    wet = np.fft.irfft(np.fft.rfft(sound, 2 * length) * np.fft.rfft(room, 2 * length))[:length]
    return (1 - patch.reverb_mix) * sound + patch.reverb_mix * wet
