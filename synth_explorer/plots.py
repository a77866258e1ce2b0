"""Pictures of sounds: a quick spectrogram image for the page, and figures for files and reports.

Nothing here touches pyplot, so that it may run in any thread.

Shapes: T samples, F frames, B mel bands, C channels.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from synth_explorer.mel import hz_to_mel, mel_filters

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from synth_explorer.latents import Latents

LOW_HZ = 30.0
TOP_DB, FLOOR_DB = -12.0, -84.0
"""Levels of the brightest and of the darkest colour, in dB of a full-scale sine. They are fixed: gain can be seen."""

WINDOW_S, HOP_S = 0.128, 0.016
PAPER, INK, GRID = "#15171b", "#e9e4d8", "#34383f"


def spectrogram_db(audio: np.ndarray, *, sample_rate_hz: int, bands: int = 128) -> np.ndarray:
    """Log-mel spectrogram of a sound, for the eye.

    Args:
        audio: [T], full scale 1.0.
        sample_rate_hz: its rate.
        bands: mel bands from 30 Hz to half the sample rate.

    Returns:
        float32 [B, F] in dB of a full-scale sine, low bands first, one frame each 16 ms.
    """
    window = 2 ** round(math.log2(WINDOW_S * sample_rate_hz))
    hop = round(HOP_S * sample_rate_hz)
    taper, filters = _analysis(window, sample_rate_hz, bands)
    padded = np.pad(np.asarray(audio, dtype=np.float32), (window // 2, window // 2))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    power = np.abs(np.fft.rfft(frames * taper, axis=1)) ** 2
    return (10.0 * np.log10(power.astype(np.float32) @ filters + 1e-12)).T


@lru_cache(maxsize=4)
def _analysis(window: int, sample_rate_hz: int, bands: int) -> tuple[np.ndarray, np.ndarray]:
    """Window [N] scaled so that a full-scale sine has magnitude 1, and mel filters [N / 2 + 1, B]."""
    taper = np.hanning(window + 1)[:-1]
    filters = mel_filters(bands, n_fft=window, sample_rate_hz=sample_rate_hz, low_hz=LOW_HZ, high_hz=sample_rate_hz / 2)
    return (taper * (2.0 / taper.sum())).astype(np.float32), filters


def spectrogram_png(audio: np.ndarray, *, sample_rate_hz: int, colour: str = "#e8a33d", bands: int = 128) -> bytes:
    """Spectrogram as a PNG with a palette, one pixel a band and frame: a few milliseconds for a note of four seconds.

    Args:
        audio: [T].
        sample_rate_hz: its rate.
        colour: "#rrggbb" in the middle of the palette, which runs from near black to near white.
        bands: height of the picture.

    Returns:
        The bytes of a PNG of F x `bands` pixels, high frequencies on top.
    """
    from PIL import Image

    level_db = spectrogram_db(audio, sample_rate_hz=sample_rate_hz, bands=bands)
    index = np.clip((level_db - FLOOR_DB) * (255.0 / (TOP_DB - FLOOR_DB)), 0, 255).astype(np.uint8)[::-1]
    image = Image.frombytes("P", index.shape[::-1], index.tobytes())
    image.putpalette(palette(colour).tobytes())
    png = io.BytesIO()
    image.save(png, format="PNG", compress_level=1)
    return png.getvalue()


@lru_cache(maxsize=64)
def palette(colour: str) -> np.ndarray:
    """uint8 [256, 3]: from the page's paper over a deep shade and `colour` itself to a near white."""
    paper, middle = (np.array(rgb(value), dtype=np.float64) for value in (PAPER, colour))
    deep = paper * 0.55 + middle * 0.30
    pale = middle * 0.25 + 255.0 * 0.75
    stops = np.stack([paper, deep, middle, pale])
    at = np.linspace(0.0, 1.0, 256)
    return np.stack([np.interp(at, [0.0, 0.4, 0.75, 1.0], stops[:, part]) for part in range(3)], axis=1).astype(
        np.uint8
    )


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue 0..255 of "#rrggbb"."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def mix_colour(colours: list[str], weights: list[float]) -> str:
    """Colour "#rrggbb" of a mix; weights below zero count as zero."""
    parts = np.maximum(np.asarray(weights, dtype=np.float64), 0.0)
    mixed = (parts / parts.sum()) @ np.array([rgb(colour) for colour in colours], dtype=np.float64)
    return "#" + "".join(f"{round(value):02x}" for value in mixed)


def frequency_position(frequency_hz: float, *, sample_rate_hz: int) -> float:
    """Height 0..1 of a frequency in the spectrogram picture, 0 at its bottom."""
    low, high = hz_to_mel(LOW_HZ), hz_to_mel(sample_rate_hz / 2)
    return float((hz_to_mel(frequency_hz) - low) / (high - low))


def spectrogram_figure(sounds: Mapping[str, np.ndarray], *, sample_rate_hz: int, colour: str = "#e8a33d") -> Figure:
    """Spectrograms of one or more sounds above each other, on one scale of time, mel frequency and level.

    Args:
        sounds: title -> audio [T].
        sample_rate_hz: rate of all of them.
        colour: middle of the palette.
    """
    figure, axes = _figure(len(sounds), height=2.4)
    longest_s = max(audio.size for audio in sounds.values()) / sample_rate_hz
    for axis, (title, audio) in zip(axes, sounds.items(), strict=True):
        level_db = spectrogram_db(audio, sample_rate_hz=sample_rate_hz)
        bands = level_db.shape[0]
        axis.imshow(
            level_db,
            origin="lower",
            aspect="auto",
            cmap=_colour_map(colour),
            vmin=FLOOR_DB,
            vmax=TOP_DB,
            extent=(0.0, audio.size / sample_rate_hz, 0.0, bands),
        )
        ticks_hz = [hz for hz in (125, 500, 1000, 2000, 4000, 8000, 16000) if hz <= sample_rate_hz / 2]
        axis.set_yticks(
            [bands * frequency_position(hz, sample_rate_hz=sample_rate_hz) for hz in ticks_hz],
            [f"{hz / 1000:g} k" if hz >= 1000 else f"{hz}" for hz in ticks_hz],
        )
        axis.set(title=title, ylabel="Hz", xlim=(0.0, longest_s))
    axes[-1].set_xlabel("seconds")
    return figure


def latents_figure(latents: Latents, *, before: Latents | None = None) -> Figure:
    """Every latent channel and the pitch over time; with `before`, what was there is drawn behind in grey.

    Args:
        latents: the note, or the note after an edit.
        before: the same note before it.
    """
    figure, (channels, pitch) = _figure(2, height=2.8)
    spread = max(1.0, float(np.ptp(latents.z)))
    for note, colours in ((before, None), (latents, [f"C{index % 10}" for index in range(latents.channels)])):
        if note is None:
            continue
        time_s = np.arange(note.frames) / note.frame_rate_hz
        for index in range(note.channels):
            style = {"color": colours[index], "linewidth": 1.1} if colours else {"color": "#6b6f76", "linewidth": 2.2}
            channels.plot(time_s, note.z[:, index] - index * spread / 2, **style)
        style = {"color": "#e8a33d", "linewidth": 1.2} if colours else {"color": "#6b6f76", "linewidth": 2.4}
        pitch.plot(time_s, 69.0 + 12.0 * np.log2(note.pitch_hz / 440.0), **style)
    channels.set_yticks([-index * spread / 2 for index in range(latents.channels)], range(latents.channels))
    channels.set(title=latents.meta.source or "latents", ylabel="channel")
    pitch.set(xlabel="seconds", ylabel="pitch (MIDI)")
    return figure


def _figure(rows: int, *, height: float) -> tuple[Figure, list[Axes]]:
    """A dark figure of `rows` plots above each other, `height` inches each."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, height * rows), dpi=110, facecolor=PAPER, layout="constrained")
    axes = [figure.add_subplot(rows, 1, row + 1) for row in range(rows)]
    for axis in axes:
        axis.set_facecolor(PAPER)
        axis.tick_params(colors=INK, labelsize=8)
        axis.grid(color=GRID, linewidth=0.5)
        for spine in axis.spines.values():
            spine.set_color(GRID)
        for text in (axis.title, axis.xaxis.label, axis.yaxis.label):
            text.set(color=INK, fontsize=9)
    return figure, axes


def _colour_map(colour: str) -> object:
    from matplotlib.colors import ListedColormap

    return ListedColormap(palette(colour) / 255.0)


__all__ = [
    "frequency_position",
    "latents_figure",
    "mix_colour",
    "palette",
    "rgb",
    "spectrogram_db",
    "spectrogram_figure",
    "spectrogram_png",
]
