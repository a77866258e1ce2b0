"""What a decoded sound does against its reference: level, brightness, the depth of oscillations.

Shapes: T samples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from synth_explorer import measure
from synth_explorer.edits import Oscillate, wave

IDEAL_RATE_HZ = 500.0
"""Rate at which a shape is drawn to know the fundamental that it should have."""

APART_HZ = 0.5
"""Oscillations of one target whose rates lie nearer are not told apart."""


@dataclass(frozen=True, eq=False)
class Reference:
    """The sound without the edits that are to be solved, and what can be measured on it once."""

    audio: np.ndarray  # [T]
    sample_rate_hz: int  # of it
    pitch_hz: float  # median of its pitch track
    tones: np.ndarray | None = None  # [T], it without its noise; None where it was not asked for

    def noise_db(self, after: np.ndarray, tones: np.ndarray) -> float:
        """Change of the level of the noise against that of the partials in dB; NaN where there is no noise."""
        parts = [(self.audio - self.tones, self.tones), (after - tones, tones)]
        if any(not part.any() for pair in parts for part in pair):
            return float("nan")
        before_db, after_db = (measure.rms_db(noise) - measure.rms_db(tone) for noise, tone in parts)
        return after_db - before_db

    def level_db(self, after: np.ndarray) -> float:
        """Change of RMS level in dB."""
        return measure.rms_db(after) - measure.rms_db(self.audio)

    def loudness_db(self, after: np.ndarray) -> float:
        """Change of ITU-R BS.1770 loudness in dB."""
        return measure.loudness_change_db(self.audio, after, sample_rate_hz=self.sample_rate_hz)

    def brightness_octaves(self, after: np.ndarray) -> float:
        """Change of the log2 spectral centroid."""
        rate = {"sample_rate_hz": self.sample_rate_hz}
        return measure.brightness_octaves(after, **rate) - measure.brightness_octaves(self.audio, **rate)

    def shape_change(self, after: np.ndarray, name: str) -> float:
        """Change of the "spread" of the spectrum in octaves, or of its "hollowness" in dB; NaN where there is none."""
        rate = {"sample_rate_hz": self.sample_rate_hz}
        if name == "spread":
            return measure.spread_octaves(after, **rate) - measure.spread_octaves(self.audio, **rate)
        pair = (measure.hollowness_db(sound, **rate, pitch_hz=self.pitch_hz) for sound in (self.audio, after))
        before_db, after_db = pair
        return after_db - before_db

    def pitch_cents(self, after: np.ndarray, *, expected_cents: float = 0.0, swings: bool = False) -> float:
        """Change of pitch, sought near `expected_cents`; NaN where nothing periodic is heard.

        Of a pitch that swings the mean over time counts, not that by amplitude: what swings with the pitch would
        pull it.
        """
        moved_hz = self.pitch_hz * 2.0 ** (expected_cents / 1200.0)
        if swings:
            inside = all(measure.LOWEST_HZ <= hz <= measure.HIGHEST_HZ for hz in (self.pitch_hz, moved_hz))
            if not inside:
                return float("nan")
            return expected_cents + self._mean_cents(after, moved_hz) - self._mean_cents(self.audio, self.pitch_hz)
        return measure.pitch_change_cents(
            self.audio, after, sample_rate_hz=self.sample_rate_hz, pitch_hz=(self.pitch_hz, moved_hz)
        )

    def _mean_cents(self, audio: np.ndarray, around_hz: float) -> float:
        """Mean pitch over time in cents above `around_hz`."""
        track = measure.pitch_track_cents(
            audio, sample_rate_hz=self.sample_rate_hz, around_hz=around_hz, track_rate_hz=IDEAL_RATE_HZ
        )
        return float(np.nanmean(track)) if np.isfinite(track).any() else float("nan")

    def attack_s(self, after: np.ndarray) -> float:
        """Seconds from 10 to 90 % of the loudest amplitude; NaN for silence."""
        if not after.any():
            return float("nan")
        return measure.attack_time_ms(after, sample_rate_hz=self.sample_rate_hz) / 1000.0

    def room_below_octaves(self) -> float:
        """How much darker the sound can become, <= 0: until its centroid lies at its pitch.

        Darker than that, only what lies below the fundamental can be raised, and a note turns to rumble.
        """
        centroid = measure.brightness_octaves(self.audio, sample_rate_hz=self.sample_rate_hz)
        return float(min(np.log2(self.pitch_hz) - centroid, 0.0))

    def depths(self, after: np.ndarray, oscillations: Sequence[Oscillate], *, target: str) -> list[float]:
        """Depth of each oscillation of `target` as it is heard, in the unit and the sense of its field `depth`.

        NaN for one that cannot be measured: too few turns, a random walk, or two of nearly one rate.
        """
        counted = Counter(
            i for i, a in enumerate(oscillations) for b in oscillations if abs(a.rate_hz - b.rate_hz) < APART_HZ
        )
        told = [i for i, edit in enumerate(oscillations) if counted[i] == 1 and edit.shape != "walk"]
        depths = [float("nan")] * len(oscillations)
        if told and self._can_follow(target):
            heard = measure.oscillation_depths(
                after,
                before=self.audio,
                sample_rate_hz=self.sample_rate_hz,
                target=target,
                rates_hz=[oscillations[i].rate_hz for i in told],
                around_hz=self.pitch_hz,
            )
            seconds = len(after) / self.sample_rate_hz
            for i, value in zip(told, heard, strict=True):
                depths[i] = float(value / abs(_fundamental(oscillations[i], seconds)))
        return depths

    def level_swings_db(
        self, after: np.ndarray, edits: Sequence[Oscillate], *, beside: Sequence[Oscillate] = ()
    ) -> np.ndarray:
        """How far the RMS level swings with each oscillation of something else, complex128 [R].

        The real part is what swings with it (negative: against it), by the fundamental of its shape.

        `edits`: R oscillations whose rates are told apart. `beside`: oscillations of loudness itself at other rates.
        """
        heard = measure.oscillation_phasors(
            after,
            before=self.audio,
            sample_rate_hz=self.sample_rate_hz,
            target="loudness",
            rates_hz=[edit.rate_hz for edit in (*edits, *beside)],
        )[: len(edits)]
        seconds = len(after) / self.sample_rate_hz
        with np.errstate(invalid="ignore"):  # NaNs stay NaNs
            return heard / np.array([_fundamental(edit, seconds) for edit in edits])

    def _can_follow(self, target: str) -> bool:
        """Whether `target` can be measured over time: a pitch only where `measure` finds it."""
        return target != "pitch" or measure.LOWEST_HZ <= self.pitch_hz <= measure.HIGHEST_HZ

    def rate_hz(self, after: np.ndarray, *, target: str) -> float:
        """Rate of the strongest oscillation of `target`; NaN where its pitch cannot be followed."""
        if not self._can_follow(target):
            return float("nan")
        return measure.oscillation(
            after, before=self.audio, sample_rate_hz=self.sample_rate_hz, target=target, around_hz=self.pitch_hz
        ).rate_hz


def _fundamental(edit: Oscillate, seconds: float) -> complex:
    """What `measure.phasors_at` reads of an ideal oscillation of this shape, phase and fade-in with depth 1."""
    plain = replace(edit, depth=1.0)
    ideal = wave(
        max(16, int(seconds * IDEAL_RATE_HZ)),
        frame_rate_hz=IDEAL_RATE_HZ,
        rate_hz=plain.rate_hz,
        shape=plain.shape,
        phase_turns=plain.phase_turns,
        fade_in_s=plain.fade_in_s,
        kept=1.0,
    )
    return complex(measure.phasors_at(ideal, IDEAL_RATE_HZ, [plain.rate_hz])[0])
