"""The report's figures of sounds: spectrograms, rainbowgrams, tracks over time, modulation spectra, players.

Shapes: T samples, F frames.
"""

from __future__ import annotations

import base64
import io
import math
import wave
from collections.abc import Callable, Mapping

import numpy as np

from synth_explorer import plots
from synth_explorer.edits import TARGETS, UNITS
from synth_explorer.inspection.hearing import HIGHEST_RATE_HZ, Heard, modulation_spectrum
from synth_explorer.latents import Latents
from synth_explorer.measure.modulation import TRACK_RATE_HZ
from synth_explorer.plots.rainbow import LOWEST_HZ, constant_q
from synth_explorer.plots.spectrogram import HOP_S

ROLE_TITLES = {"original": "Original", "before": "Before the edits", "after": "After the edits"}
RANGE_DB = 72.0
"""How far under the loudest moment a loudness is drawn."""

DIFFERENCE_LIMIT_DB = 24.0
FULL_16_BIT = 32768.0
LEAST_DEPTH = {"loudness": 0.5, "brightness": 0.05, "pitch": 2.0}
"""Smallest span of a modulation's axis, in dB, octaves and cents."""


def title(role: str, *, edited: bool) -> str:
    """What a sound is called: a note without edits has no before."""
    return "Decoded" if role == "before" and not edited else ROLE_TITLES[role]


def wav_uri(audio: np.ndarray, *, sample_rate_hz: int) -> str:
    """A sound at its own level as a data URI: 16-bit WAV, or 32-bit float where it goes beyond full scale."""
    file = io.BytesIO()
    if np.abs(audio).max(initial=0.0) * FULL_16_BIT > FULL_16_BIT - 1:
        from scipy.io import wavfile

        wavfile.write(file, sample_rate_hz, np.asarray(audio, dtype=np.float32))
    else:
        with wave.open(file, "wb") as writer:
            writer.setparams((1, 2, sample_rate_hz, 0, "NONE", ""))
            writer.writeframes(np.rint(np.asarray(audio) * FULL_16_BIT).astype("<i2").tobytes())
    return "data:audio/wav;base64," + base64.b64encode(file.getvalue()).decode("ascii")


def players(sounds: Mapping[str, Heard], *, sample_rate_hz: int, edited: bool) -> str:
    """A player for each sound, with its level and peak."""
    shown = []
    for role, heard in sounds.items():
        peak = "silent" if math.isinf(heard.peak_db) else f"peak {heard.peak_db:+.1f} dBFS"
        over = " (above full scale: a player clips it)" if heard.peak_db > 0 else ""
        level = f"level {heard.rms_db:.1f} dB, {peak}{over}".replace("-", "−")
        uri = wav_uri(heard.audio, sample_rate_hz=sample_rate_hz)
        name = title(role, edited=edited)
        shown.append(
            f'<div class="player"><h3><b class="key {role}"></b>{name}</h3>'
            f'<audio controls preload="metadata" aria-label="{name}" src="{uri}"></audio><p>{level}</p></div>'
        )
    return f'<div class="row">{"".join(shown)}</div>'


def spectrograms(sounds: Mapping[str, Heard], *, sample_rate_hz: int, edited: bool) -> str:
    """Log-mel spectrograms, and what the edits changed in them."""
    levels = {role: plots.spectrogram_db(heard.audio, sample_rate_hz=sample_rate_hz) for role, heard in sounds.items()}
    hertz = [hz for hz in (100, 250, 500, 1000, 2000, 4000, 8000, 16000) if hz <= sample_rate_hz / 2]
    at = [plots.frequency_position(hz, sample_rate_hz=sample_rate_hz) for hz in hertz]
    y = plots.Scale("Hz", 0.0, 1.0, tuple(zip(at, map(_hertz, hertz), strict=True)))
    x, size = _time(sounds), "tall"
    figures = [
        plots.image_chart(
            title(role, edited=edited),
            plots.spectrogram_png(heard.audio, sample_rate_hz=sample_rate_hz, compress_level=9),
            x=x,
            y=y,
            size=size,
            role="dark",
            end=levels[role].shape[1] * HOP_S,
        )
        for role, heard in sounds.items()
    ]
    if {"before", "after"} <= set(levels):
        frames = min(levels[role].shape[1] for role in ("before", "after"))
        before, after = (np.maximum(levels[role][:, :frames], plots.FLOOR_DB) for role in ("before", "after"))
        png = plots.heat_map_png((after - before)[::-1].T, limit=DIFFERENCE_LIMIT_DB)
        name = f"Difference, up to ±{DIFFERENCE_LIMIT_DB:g} dB"
        figures.append(plots.image_chart(name, png, x=x, y=y, size=size, end=frames * HOP_S))
    return _row(figures)


def rainbowgrams(sounds: Mapping[str, Heard], *, sample_rate_hz: int, edited: bool) -> str:
    """Constant-Q levels, coloured by how far from the nearest semitone the frequency lies."""
    x, figures = _time(sounds), []
    bins_hz = constant_q(np.zeros(1), sample_rate_hz=sample_rate_hz).bins_hz
    octaves = math.log2(bins_hz[-1] / LOWEST_HZ)
    ticks = tuple((float(index), f"C{index + 1}") for index in range(math.floor(octaves) + 1))
    y = plots.Scale("note", 0.0, octaves, ticks)
    for role, heard in sounds.items():
        png = plots.rainbowgram_png(heard.audio, sample_rate_hz=sample_rate_hz)
        end = -(-heard.audio.size // round(HOP_S * sample_rate_hz)) * HOP_S
        figures.append(plots.image_chart(title(role, edited=edited), png, x=x, y=y, size="tall", role="dark", end=end))
    return _row(figures)


def tracks(sounds: Mapping[str, Heard], latents: Mapping[str, Latents]) -> str:
    """Loudness, brightness and pitch of every sound over time."""
    x = _time(sounds)
    loud = [heard.loudness for heard in sounds.values()]
    top = max(float(track.max(initial=-np.inf)) for track in loud)
    top = top if math.isfinite(top) else 0.0
    bottom = max(min(float(track.min(initial=np.inf)) for track in loud), top - RANGE_DB)
    loudness = plots.scale(np.array([bottom, top]), label="dB", least=6.0)
    brightness = brightness_scale(*(heard.brightness for heard in sounds.values()))
    written = {role: 69.0 + 12.0 * np.log2(score.pitch_hz / 440.0) for role, score in latents.items()}
    shown = [heard.pitch for heard in sounds.values()] + list(written.values())
    pitch = plots.scale(*shown, label="MIDI, 60 = C4; dashed: as the latents have it", least=1.0)
    lines = [
        plots.Line(np.arange(score.frames) / score.frame_rate_hz, written[role], "written", f"{role}, in the latents")
        for role, score in latents.items()
        if score.has_pitch
    ]
    figures = [
        plots.line_chart("Loudness", _lines(sounds, "loudness"), x=x, y=loudness),
        plots.line_chart("Brightness", _lines(sounds, "brightness"), x=x, y=brightness),
    ]
    if any(np.isfinite(track).any() for track in shown):
        figures.append(plots.line_chart("Pitch", lines + _lines(sounds, "pitch"), x=x, y=pitch))
    missing = {role: heard.pitch_missing for role, heard in sounds.items() if heard.pitch_missing}
    notes = "".join(f'<p class="note">No pitch of {role}: {why}.</p>' for role, why in missing.items())
    return _row(figures) + notes


def brightness_scale(*tracks_log2_hz: np.ndarray) -> plots.Scale:
    """An axis of log2 Hz that is labelled in Hz."""
    made = plots.scale(*tracks_log2_hz, label="Hz, spectral centroid", least=1.0)
    for steps in ((1, 2, 5), (1, 1.5, 2, 3, 4, 5, 7)):
        hertz = [part * 10.0**power for power in range(5) for part in steps]
        ticks = tuple((math.log2(hz), _hertz(hz)) for hz in hertz if made.low <= math.log2(hz) <= made.high)
        if len(ticks) >= 3:
            break
    return plots.Scale(made.label, made.low, made.high, ticks)


def modulations(sounds: Mapping[str, Heard], *, comparable: bool) -> str:
    """Modulation spectra of loudness, brightness and pitch.

    `comparable`: whether before and after lie on one time axis, so that their difference means something.
    """
    swings: dict[str, Callable[[str], np.ndarray]] = {role: heard.swing for role, heard in sounds.items()}
    if comparable and {"before", "after"} <= set(sounds):
        swings["difference"] = _difference(sounds["before"], sounds["after"])
    x = plots.scale(label="Hz", low=0.0, high=HIGHEST_RATE_HZ)
    figures = []
    for target in TARGETS:
        unit = UNITS[target]
        spectra = {role: modulation_spectrum(swing(target)) for role, swing in swings.items()}
        known = {role: spectrum for role, spectrum in spectra.items() if spectrum[0].size}
        name = f"Modulation of {target}"
        if not known:
            figures.append(f'<p class="note">{name}: too little of it is heard.</p>')
            continue
        lines = [plots.Line(*spectrum, role, role) for role, spectrum in reversed(known.items())]
        y = plots.scale(*(depth for _, depth in known.values()), label=unit, low=0.0, least=LEAST_DEPTH[target])
        peaks = ", ".join(f"{role} {_peak(*spectrum, unit)}" for role, spectrum in known.items())
        chart = plots.line_chart(name, lines, x=x, y=y)
        figures.append(f'<div>{chart}<p class="note">Strongest: {peaks}.</p></div>')
    return _row(figures)


def _difference(before: Heard, after: Heard) -> Callable[[str], np.ndarray]:
    """target -> what the edits added to the track, where both sounds are heard."""

    def swing(target: str) -> np.ndarray:
        count = min(before.time_s.size, after.time_s.size)
        return after.swing(target)[:count] - before.swing(target)[:count]

    return swing


def _peak(rates_hz: np.ndarray, depths: np.ndarray, unit: str) -> str:
    best = int(np.argmax(depths))
    return f"{rates_hz[best]:.2f} Hz ({depths[best]:.3g} {unit})"


def _lines(sounds: Mapping[str, Heard], track: str) -> list[plots.Line]:
    return [plots.Line(heard.time_s, getattr(heard, track), role, role) for role, heard in reversed([*sounds.items()])]


def _time(sounds: Mapping[str, Heard]) -> plots.Scale:
    """One axis of time for all sounds: the longest."""
    return plots.seconds(max(heard.time_s.size for heard in sounds.values()) / TRACK_RATE_HZ)


def _hertz(hz: float) -> str:
    return f"{hz / 1000:g} k" if hz >= 1000 else f"{hz:g}"


def _row(figures: list[str]) -> str:
    return f'<div class="row">{"".join(figures)}</div>'
