"""Render what `soundfont.render` leaves out, drum kits, noises, fifths, kettledrums, to learn doubt about pitch from.

The family of a note is what kind of sound it is: "unpitched", "chord" or "note". Drums whose pitch many hear (toms,
bongos, bells, blocks) are left out: they are neither. Shapes: T samples.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from synth_explorer.batch.errands import Errand, Progress, Site, executor_for
from synth_explorer.batch.executors import Executor
from synth_explorer.data import soundfont
from synth_explorer.data.dataset import SIZES, DatasetWriter, Shard, Sizes, shard_of
from synth_explorer.data.general_midi import PERCUSSION_BANK
from synth_explorer.data.sf2 import Preset, read_presets

DRUM_KEYS = (35, 36, 37, 38, 39, 40, 42, 44, 46, 49, 51, 52, 54, 55, 57, 58, 59, 69, 70, 73, 74)
"""Keys of a General MIDI kit without a pitch: bass and snare drums, clap, hi-hats, cymbals, shakers, scrapers."""

_EFFECTS = {119: "unpitched", 120: "unpitched", 121: "unpitched", 122: "unpitched", 125: "unpitched"}
_EFFECTS |= {126: "unpitched", 127: "unpitched", 86: "chord", 47: "note"}
_SYNTHETIC_KITS = (24, 25)  # their bass drums are tones
_VELOCITIES = (60, 110)


@dataclass(frozen=True)
class _Job:
    """One preset to render, small enough to travel to a worker process."""

    font: str
    name: str  # of its shard
    preset: tuple[int, int]
    kinds: tuple[tuple[int, str], ...]  # keys, and the kind of each


def render(
    soundfonts: Sequence[Path | str],
    out: Path | str,
    *,
    workers: int | None = None,
    sizes: Sizes = SIZES,
    executor: Callable[[Errand[Any, Any], int], Executor] = executor_for,
    progress: Progress | None = None,
) -> Path:
    """Render kits and effects of SoundFonts into a dataset; goes on where it stopped. Raises DataError."""
    jobs = [
        _Job(
            font=str(path),
            name=f"{soundfont.source_name(path)}_{preset.bank:03d}_{preset.program:03d}",
            preset=(preset.bank, preset.program),
            kinds=kinds,
        )
        for path in soundfonts
        for preset in read_presets(path)
        if (kinds := _kinds(preset))
    ]
    writer = DatasetWriter(
        out,
        sizes,
        sources={soundfont.source_name(path): soundfont.describe(Path(path)) for path in soundfonts},
        settings={"kind": "percussion", "gain": soundfont.SYNTH_GAIN},
    )
    do = partial(_render_job, sizes)
    return soundfont.render_all(do, jobs, writer, workers=workers, executor=executor, progress=progress, reads=_fonts)


def _kinds(preset: Preset) -> tuple[tuple[int, str], ...]:
    """Keys to play of a preset, and what kind of sound each is."""
    if preset.bank == PERCUSSION_BANK:
        tonal = (35, 36) if preset.program in _SYNTHETIC_KITS else ()
        return tuple((key, "unpitched") for key in DRUM_KEYS if key not in tonal and preset.shift_semitones[key] < 99)
    kind = _EFFECTS.get(preset.program)
    if kind is None or preset.name.endswith("Expr."):
        return ()
    return tuple((key, kind) for key in preset.keys(lowest=38, highest=86)[:: 7 if kind == "unpitched" else 3])


def _fonts(job: _Job) -> tuple[Path, ...]:
    return (Path(job.font),)


def _render_job(sizes: Sizes, site: Site, job: _Job) -> Shard:
    """Render one preset. A drum is held out in all kits of its font."""
    import soxr

    player = soundfont.player_of(str(site.path(Path(job.font))))
    player.select(*job.preset)
    sounding, source = sizes.sounding, soundfont.source_name(job.font)
    notes, signals = [], []
    for key, kind in job.kinds:
        for velocity in _VELOCITIES:
            raw = player.note(key, velocity, held_s=soundfont.HELD_S, total_s=sounding / sizes.sample_rate_hz)
            signal = soxr.resample(raw, soundfont.SYNTH_RATE_HZ, sizes.sample_rate_hz)[:sounding]
            if np.max(np.abs(signal), initial=0.0) < 10 ** (soundfont.SILENT_DB / 20):
                continue
            drum = job.preset[0] == PERCUSSION_BANK
            signals.append(np.pad(signal, (sizes.pre_roll_samples, sounding - len(signal))))
            notes.append(
                {
                    "id": f"{job.name}-{key:03d}-{velocity:03d}",
                    "family": kind,
                    "source": source,
                    "group": f"{source}_drum_{key:03d}" if drum else f"gm_{job.preset[1]:03d}",
                    "pitch": float(key),
                    "key": key,
                    "velocity": velocity,
                }
            )
    audio = np.stack(signals).astype(np.float32) if signals else np.zeros((0, sizes.samples), np.float32)
    return shard_of(job.name, audio, notes, sizes)
