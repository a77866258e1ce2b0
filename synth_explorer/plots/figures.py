"""Figures for files and notebooks, drawn by matplotlib without pyplot, so that they may be made in any thread.

Shapes: T samples, F frames, C channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from synth_explorer.plots.colours import GRID, INK, PAPER, palette
from synth_explorer.plots.spectrogram import FLOOR_DB, TOP_DB, frequency_position, spectrogram_db

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure

    from synth_explorer.latents import Latents


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
    places = [-index * spread / 2 for index in range(latents.channels)]
    channels.set_yticks(places, [str(index) for index in range(latents.channels)])
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


def _colour_map(colour: str) -> ListedColormap:
    from matplotlib.colors import ListedColormap

    return ListedColormap(palette(colour) / 255.0)
