"""Patches of the synthetic instruments: what a random electronic instrument is made of, as plain numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

INFINITE_HZ = 1e9


@dataclass(frozen=True)
class Patch:
    """One synthetic instrument. Levels are for velocity 100; times in seconds; `None` switches a part off.

    Attributes:
        pulse_width, pwm_depth, pwm_rate_hz: of the pulse wave.
        formants: (centre in Hz, gain in dB, width in octaves), fixed while the pitch moves.
        fm_ratio, fm_index, fm_decay_s, fm_sustain, fm_feedback: phase modulation of a sine (index 0: no FM).
        ring_ratio, ring_mix: ring modulation at a multiple of the fundamental.
        unison, unison_cents: number of voices and the spread of their tuning.
        cutoff_hz, resonance, poles, key_follow, sweep_octaves, sweep_s, wah_octaves, wah_hz: low-pass filter.
        noise_db: breath, relative to the tone; noise_octaves: its band around the pitch; click_db: noise at the onset.
        attack_s, fall_s, sustain, release_s: envelope of the level.
        vibrato_hz, vibrato_cents, vibrato_delay_s, tremolo_hz, tremolo_db, glide_semitones, glide_s: motion.
        drive_db: gain into a tanh; floor_db: noise floor in dBFS; reverb_s, reverb_mix: exponential noise.
    """

    family: str = "synth_lead"  # family of the instrument, as in the datasets
    seed: int = 0  # of all that is random but belongs to the instrument (levels of single partials)
    ratios: tuple[float, ...] = ()  # partial frequencies over the fundamental; empty for the harmonic series
    levels: tuple[float, ...] = ()  # amplitudes of `ratios`; empty for all the same
    slope_db_oct: float = 0.0  # tilt of the spectrum
    jitter_db: float = 0.0  # standard deviation of the partials' random levels
    even: float = 1.0  # level of even harmonics (0 for a closed pipe); fundamental: level of the first one
    fundamental: float = 1.0
    wave: str = "series"  # "series" (all partials alike before the tilt), "saw", "pulse" or "triangle"
    pulse_width: float = 0.5
    pwm_depth: float = 0.0
    pwm_rate_hz: float = 0.5
    formants: tuple[tuple[float, float, float], ...] = ()
    stiffness: float = 0.0  # inharmonicity B of a string, f_k = k f_0 sqrt((1 + B k^2) / (1 + B))
    pluck: float = 0.0  # where the string is struck, as a share of its length (0: nowhere)
    decay_s: float | None = None  # time for the fundamental to fall by 60 dB at MIDI 60 (None: it sustains)
    decay_damping: float = 0.5  # how much faster higher partials fall, as a power of their ratio
    fm_ratio: float = 1.0
    fm_index: float = 0.0
    fm_decay_s: float = 1.0
    fm_sustain: float = 1.0
    fm_feedback: float = 0.0
    ring_ratio: float = 1.0
    ring_mix: float = 0.0
    unison: int = 1
    unison_cents: float = 0.0
    cutoff_hz: float = INFINITE_HZ
    resonance: float = 0.7
    poles: int = 2
    key_follow: float = 0.5
    sweep_octaves: float = 0.0
    sweep_s: float = 0.5
    wah_octaves: float = 0.0
    wah_hz: float = 1.0
    noise_db: float | None = None
    noise_octaves: float = 2.0
    click_db: float | None = None
    attack_s: float = 0.005
    fall_s: float = 0.5
    sustain: float = 1.0
    release_s: float = 0.1
    vibrato_hz: float = 5.0
    vibrato_cents: float = 0.0
    vibrato_delay_s: float = 0.3
    tremolo_hz: float = 5.0
    tremolo_db: float = 0.0
    glide_semitones: float = 0.0
    glide_s: float = 0.03
    drive_db: float | None = None
    floor_db: float | None = None
    reverb_s: float = 0.0
    reverb_mix: float = 0.0
    level_db: float = -6.0  # peak of a note in dBFS; velocity_db: level change over the whole velocity range;
    velocity_db: float = 16.0
    velocity_octaves: float = 1.0  # change of brightness over it


def random_patch(rng: np.random.Generator, *, kind: str | None = None) -> Patch:
    """Draw a patch: its kind (one of `KINDS` unless given), then everything that all kinds share.

    `kind`: a key of `KINDS`.
    """
    kind = kind or str(rng.choice(list(KINDS)))
    return _common(KINDS[kind](rng), rng)


def _log(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _chance(rng: np.random.Generator, probability: float) -> bool:
    return bool(rng.random() < probability)


def _envelope(rng: np.random.Generator) -> dict[str, Any]:
    """Attack, fall, sustain and release of an instrument that is held."""
    attack_s = _log(rng, 0.001, 0.03) if _chance(rng, 0.6) else _log(rng, 0.03, 1.0)
    sustain = 1.0 if _chance(rng, 0.35) else float(rng.uniform(0.1, 1.0))
    return {
        "attack_s": attack_s,
        "fall_s": _log(rng, 0.05, 2.0),
        "sustain": sustain,
        "release_s": _log(rng, 0.005, 0.1) if _chance(rng, 0.5) else _log(rng, 0.1, 1.5),
    }


def _filter(rng: np.random.Generator) -> dict[str, Any]:
    """A resonant low-pass filter with an envelope and sometimes a slow wobble."""
    return {
        "cutoff_hz": _log(rng, 150.0, 6000.0),
        "resonance": _log(rng, 0.6, 8.0),
        "poles": int(rng.choice([2, 4])),
        "key_follow": float(rng.uniform(0.0, 1.0)),
        "sweep_octaves": float(rng.uniform(-1.0, 4.0)),
        "sweep_s": _log(rng, 0.03, 2.0),
        "wah_octaves": float(rng.uniform(0.2, 1.5)) if _chance(rng, 0.2) else 0.0,
        "wah_hz": _log(rng, 0.3, 7.0),
    }


def _common(patch: Patch, rng: np.random.Generator) -> Patch:
    """Motion, dirt, room and dynamics, which any kind may have."""
    changes: dict[str, Any] = {"seed": int(rng.integers(2**31)), "level_db": float(rng.uniform(-14.0, -1.5))}
    changes["velocity_db"] = float(rng.uniform(0.0, 6.0)) if _chance(rng, 0.3) else float(rng.uniform(6.0, 28.0))
    changes["velocity_octaves"] = float(rng.uniform(0.0, 2.0))
    if _chance(rng, 0.3) and patch.vibrato_cents == 0.0:
        changes |= {
            "vibrato_hz": float(rng.uniform(3.5, 7.5)),
            "vibrato_cents": _log(rng, 3.0, 50.0),
            "vibrato_delay_s": float(rng.uniform(0.0, 1.0)),
        }
    if _chance(rng, 0.2):
        changes |= {"tremolo_hz": float(rng.uniform(2.0, 10.0)), "tremolo_db": float(rng.uniform(0.5, 8.0))}
    if _chance(rng, 0.1):
        changes |= {"glide_semitones": float(rng.uniform(-3.0, 3.0)), "glide_s": _log(rng, 0.01, 0.08)}
    if _chance(rng, 0.15):
        changes |= {"drive_db": float(rng.uniform(3.0, 30.0))}
    if _chance(rng, 0.4):
        changes |= {"floor_db": float(rng.uniform(-95.0, -60.0))}
    if _chance(rng, 0.25):
        changes |= {"reverb_s": _log(rng, 0.2, 2.5), "reverb_mix": float(rng.uniform(0.05, 0.4))}
    if _chance(rng, 0.15) and patch.click_db is None:
        changes |= {"click_db": float(rng.uniform(-30.0, -8.0))}
    if _chance(rng, 0.1) and patch.ring_mix == 0.0:
        changes |= {
            "ring_ratio": float(rng.choice([0.01, 1.0, 2.0, 3.0, 5.0, rng.uniform(0.2, 6.0)])),
            "ring_mix": float(rng.uniform(0.05, 0.4)),
        }
    return replace(patch, **changes)


def _additive(rng: np.random.Generator) -> Patch:
    """Random harmonic spectra: steep or flat, odd only, weak or missing fundamental, fixed formants."""
    formants = tuple(
        (_log(rng, 200.0, 6000.0), float(rng.uniform(6.0, 24.0)), float(rng.uniform(0.15, 0.8)))
        for _ in range(int(rng.integers(0, 4)))
    )
    return Patch(
        family="synth_lead",
        slope_db_oct=-float(rng.uniform(0.0, 18.0)),
        jitter_db=float(rng.uniform(0.0, 12.0)),
        even=0.0 if _chance(rng, 0.2) else float(rng.uniform(0.2, 1.0)),
        fundamental=float(rng.uniform(0.0, 0.3)) if _chance(rng, 0.2) else 1.0,
        formants=formants,
        **_envelope(rng),
    )


def _analogue(rng: np.random.Generator) -> Patch:
    """One or two oscillators through a resonant low-pass filter."""
    pwm = _chance(rng, 0.3)
    return Patch(
        family="synth_lead",
        wave=str(rng.choice(["saw", "saw", "pulse", "pulse", "triangle"])),
        pulse_width=float(rng.uniform(0.08, 0.5)) if _chance(rng, 0.6) else 0.5,
        pwm_depth=float(rng.uniform(0.02, 0.2)) if pwm else 0.0,
        pwm_rate_hz=_log(rng, 0.2, 6.0),
        unison=2 if _chance(rng, 0.3) else 1,
        unison_cents=float(rng.uniform(2.0, 15.0)),
        **_filter(rng),
        **_envelope(rng),
    )


def _bass(rng: np.random.Generator) -> Patch:
    """Short filtered waves with a punch."""
    patch = replace(
        _analogue(rng),
        family="bass",
        cutoff_hz=_log(rng, 100.0, 1500.0),
        attack_s=_log(rng, 0.001, 0.01),
        sweep_octaves=float(rng.uniform(0.5, 4.0)),
        sweep_s=_log(rng, 0.03, 0.5),
    )
    return replace(patch, decay_s=_log(rng, 1.0, 8.0), decay_damping=0.2) if _chance(rng, 0.5) else patch


def _super(rng: np.random.Generator) -> Patch:
    """Many detuned saws, with a slow filter more often than not."""
    return Patch(
        family="synth_pad",
        wave=str(rng.choice(["saw", "saw", "pulse"])),
        unison=int(rng.integers(3, 7)),
        unison_cents=_log(rng, 4.0, 40.0),
        **(_filter(rng) if _chance(rng, 0.7) else {}),
        **_envelope(rng),
    )


def _pad(rng: np.random.Generator) -> Patch:
    """Slow, soft, detuned."""
    patch = replace(
        _additive(rng), family="synth_pad", unison=int(rng.integers(2, 4)), unison_cents=_log(rng, 3.0, 20.0)
    )
    return replace(
        patch, attack_s=_log(rng, 0.08, 1.2), release_s=_log(rng, 0.2, 2.0), sustain=float(rng.uniform(0.6, 1))
    )


def _fm(rng: np.random.Generator) -> Patch:
    """Phase modulation with whole-number ratios: the pitch is the carrier's."""
    return Patch(
        family="synth_lead",
        fm_ratio=float(rng.choice([1, 1, 2, 3, 4, 5, 7, 9, 14])),
        fm_index=_log(rng, 0.3, 8.0),
        fm_decay_s=_log(rng, 0.05, 2.0),
        fm_sustain=float(rng.uniform(0.0, 1.0)),
        fm_feedback=float(rng.uniform(0.0, 1.0)) if _chance(rng, 0.3) else 0.0,
        decay_s=_log(rng, 1.0, 10.0) if _chance(rng, 0.4) else None,
        decay_damping=0.0,
        **_envelope(rng),
    )


def _fm_bell(rng: np.random.Generator) -> Patch:
    """Phase modulation with a ratio that is not whole: bells, metal, electric pianos."""
    return Patch(
        family="mallet",
        fm_ratio=float(rng.choice([1.41, 2.76, 3.5, 3.53, 5.19, rng.uniform(1.2, 8.0)])),
        fm_index=_log(rng, 0.2, 1.8),
        fm_decay_s=_log(rng, 0.05, 1.0),
        fm_sustain=float(rng.uniform(0.0, 0.3)),
        decay_s=_log(rng, 1.0, 10.0),
        decay_damping=0.0,
        attack_s=_log(rng, 0.0005, 0.004),
        release_s=_log(rng, 0.05, 1.5),
    )


_BARS = (
    (1.0, 2.756, 5.404, 8.933, 13.344),  # free bar (Fletcher and Rossing, The Physics of Musical Instruments, 2.15)
    (1.0, 3.98, 9.6, 16.1),  # marimba, undercut
    (1.0, 4.0, 10.0, 17.6),  # vibraphone
    (1.0, 3.0, 6.2, 10.3),  # xylophone
    (1.0, 2.0, 2.4, 3.0, 4.0, 5.33, 6.67, 8.0),  # bell, named by its prime
    (1.0, 5.4, 13.2),  # tongue of a kalimba
    (1.0, 2.32, 4.25, 6.63, 9.38),  # wine glass
)


def _modal(rng: np.random.Generator) -> Patch:
    """Struck bars, bells, glasses: few partials that are not harmonic, each with its own decay."""
    bars = _BARS[int(rng.integers(len(_BARS)))]
    ratios = tuple(r * (1 + (0.02 * rng.standard_normal() if i else 0.0)) for i, r in enumerate(bars))
    levels = tuple(10 ** (-float(rng.uniform(0.0, 24.0)) / 20) if i else 1.0 for i in range(len(ratios)))
    return Patch(
        family="mallet",
        ratios=ratios,
        levels=levels,
        decay_s=_log(rng, 0.4, 12.0),
        decay_damping=float(rng.uniform(0.3, 1.5)),
        attack_s=_log(rng, 0.0005, 0.004),
        release_s=_log(rng, 0.03, 1.5),
        click_db=float(rng.uniform(-30.0, -6.0)) if _chance(rng, 0.6) else None,
    )


def _plucked(rng: np.random.Generator) -> Patch:
    """Strings struck or plucked: stiff, with higher partials that die faster."""
    return Patch(
        family=str(rng.choice(["guitar", "keyboard", "plucked"])),
        slope_db_oct=-float(rng.uniform(2.0, 9.0)),
        jitter_db=float(rng.uniform(1.0, 6.0)),
        stiffness=_log(rng, 1e-6, 1e-3),
        pluck=float(rng.uniform(0.05, 0.5)),
        decay_s=_log(rng, 0.7, 15.0),
        decay_damping=float(rng.uniform(0.3, 1.2)),
        attack_s=_log(rng, 0.0005, 0.006),
        release_s=_log(rng, 0.02, 0.6),
        click_db=float(rng.uniform(-34.0, -14.0)) if _chance(rng, 0.5) else None,
    )


def _organ(rng: np.random.Generator) -> Patch:
    """Drawbars. The 16' and 5 1/3' ones stay low, so that the pitch is that of the key."""
    ratios = (0.5, 1.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)
    levels = [float(rng.uniform(0.0, 1.0)) * (rng.random() < 0.7) for _ in ratios]
    levels[0] *= 0.15
    levels[1] *= 0.15
    levels[2] = 1.0
    return Patch(
        family="organ",
        ratios=ratios,
        levels=tuple(levels),
        attack_s=_log(rng, 0.001, 0.03),
        sustain=1.0,
        release_s=_log(rng, 0.005, 0.08),
        click_db=float(rng.uniform(-40.0, -20.0)) if _chance(rng, 0.5) else None,
        vibrato_hz=float(rng.uniform(5.5, 7.0)),
        vibrato_cents=float(rng.uniform(0.1, 15.0)),
        vibrato_delay_s=0.0,
    )


#: Formants of a, e, i, o, u in Hz (Peterson and Barney 1952, rounded).
_VOWELS = ((730, 1090, 2440), (530, 1840, 2480), (270, 2290, 3010), (570, 840, 2410), (300, 870, 2240))


def _vocal(rng: np.random.Generator) -> Patch:
    """A glottal slope through the formants of a vowel, with vibrato."""
    vowel = _VOWELS[int(rng.integers(len(_VOWELS)))]
    size = float(rng.uniform(0.85, 1.25))
    formants = tuple((size * hz, 22.0 - 4.0 * i, float(rng.uniform(0.2, 0.4))) for i, hz in enumerate(vowel))
    return Patch(
        family="vocal",
        slope_db_oct=-float(rng.uniform(4.0, 12.0)),
        jitter_db=1.5,
        formants=formants,
        vibrato_hz=float(rng.uniform(4.5, 6.5)),
        vibrato_cents=_log(rng, 8.0, 50.0),
        unison=3 if _chance(rng, 0.3) else 1,
        unison_cents=float(rng.uniform(5.0, 20.0)),
        noise_db=float(rng.uniform(-50.0, -25.0)),
        noise_octaves=3.0,
        **{**_envelope(rng), "attack_s": _log(rng, 0.02, 0.4)},
    )


def _breath(rng: np.random.Generator) -> Patch:
    """Pipes: few harmonics and the noise of the breath."""
    return Patch(
        family="flute",
        slope_db_oct=-float(rng.uniform(8.0, 24.0)),
        jitter_db=3.0,
        even=float(rng.uniform(0.0, 1.0)),
        noise_db=float(rng.uniform(-40.0, -10.0)),
        noise_octaves=float(rng.uniform(0.7, 4.0)),
        click_db=float(rng.uniform(-30.0, -12.0)),
        attack_s=_log(rng, 0.01, 0.15),
        sustain=float(rng.uniform(0.7, 1.0)),
        release_s=_log(rng, 0.02, 0.3),
    )


def _pure(rng: np.random.Generator) -> Patch:
    """A sine with next to nothing above it."""
    return Patch(family="synth_lead", slope_db_oct=-float(rng.uniform(18.0, 40.0)), **_envelope(rng))


KINDS: dict[str, Callable[[np.random.Generator], Patch]] = {
    "additive": _additive,
    "analogue": _analogue,
    "bass": _bass,
    "super": _super,
    "pad": _pad,
    "fm": _fm,
    "fm_bell": _fm_bell,
    "modal": _modal,
    "plucked": _plucked,
    "organ": _organ,
    "vocal": _vocal,
    "breath": _breath,
    "pure": _pure,
}
