"""Render synthetic instruments into a dataset: electronic sounds, of which General MIDI SoundFonts have few."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from synth_explorer.batch.errands import Errand, Progress, Site, executor_for
from synth_explorer.batch.executors import Executor
from synth_explorer.data.dataset import SIZES, DatasetWriter, Shard, Sizes, shard_of
from synth_explorer.data.patches import KINDS, Patch, random_patch
from synth_explorer.data.soundfont import HELD_S, render_all
from synth_explorer.data.voices import play
from synth_explorer.errors import DataError

SOURCE = "synthetic"
RANGE_MIDI = (21.0, 108.0)
LICENCE = "CC0: computed by this program, no recordings"


@dataclass(frozen=True)
class Job:
    """One instrument to render."""

    number: int
    kind: str
    seed: int
    pitches: int
    velocities: tuple[int, ...]

    @property
    def name(self) -> str:
        return f"{SOURCE}_{self.kind}_{self.number:04d}"


def render_synthetic(
    out: Path | str,
    *,
    instruments: int = 312,
    pitches: int = 12,
    velocities: Sequence[int] = (30, 80, 120),
    seed: int = 0,
    workers: int | None = None,
    sizes: Sizes = SIZES,
    executor: Callable[[Errand[Any, Any], int], Executor] = executor_for,
    progress: Progress | None = None,
) -> Path:
    """Render random instruments: each a patch, played over its range; 3 s held, then the release.

    Finished instruments are kept: the same command run again goes on where it stopped.

    Args:
        instruments: how many; the kinds of patches take turns.
        pitches: notes over `RANGE_MIDI`, each at a random pitch within its share of it.
        velocities: MIDI velocities, each played at every pitch.

    Returns the dataset's folder. Raises DataError: for arguments out of range.
    """
    _check_arguments(instruments, pitches, velocities)
    kinds = list(KINDS)
    jobs = [Job(i, kinds[i % len(kinds)], seed, pitches, tuple(velocities)) for i in range(instruments)]
    writer = DatasetWriter(
        out,
        sizes,
        sources={SOURCE: {"licence": LICENCE}},
        settings={
            "kind": SOURCE,
            "pitches": pitches,
            "lowest": RANGE_MIDI[0],
            "highest": RANGE_MIDI[1],
            "velocities": list(velocities),
            "seed": seed,
            "held_s": HELD_S,
        },
    )
    do = partial(_render_job, sizes)
    return render_all(do, jobs, writer, workers=workers, executor=executor, progress=progress)


def _check_arguments(instruments: int, pitches: int, velocities: Sequence[int]) -> None:
    if instruments < 1 or pitches < 1:
        raise DataError(f"instruments={instruments} and pitches={pitches} must be at least 1.")
    if not velocities or not all(1 <= v <= 127 for v in velocities):
        raise DataError(f"velocities={tuple(velocities)} must be MIDI velocities from 1 to 127.")


def patch_of(job: Job) -> Patch:
    """The job's patch: the same for the same seed, number and kind."""
    return random_patch(_generator(job.seed, job.name), kind=job.kind)


def _render_job(sizes: Sizes, site: Site, job: Job) -> Shard:
    """Render one instrument."""
    patch = patch_of(job)
    borders = np.linspace(*RANGE_MIDI, job.pitches + 1)
    rng = _generator(job.seed, job.name + "/pitches")
    notes, signals = [], []
    for low, high in itertools.pairwise(borders):
        for velocity in job.velocities:
            midi = round(float(rng.uniform(low, high)), 2)
            note_id = f"{job.name}-{midi:06.2f}-{velocity:03d}"
            sound = play(
                patch,
                midi=midi,
                velocity=velocity,
                rng=_generator(job.seed, note_id),
                sample_rate_hz=sizes.sample_rate_hz,
                total_samples=sizes.sounding,
                held_s=HELD_S,
            )
            signals.append(np.pad(sound, (sizes.pre_roll_samples, 0)).astype(np.float32))
            notes.append(
                {
                    "id": note_id,
                    "family": patch.family,
                    "source": SOURCE,
                    "group": job.name,
                    "pitch": midi,
                    "key": round(midi),
                    "velocity": velocity,
                }
            )
    return shard_of(job.name, np.stack(signals), notes, sizes)


def _generator(seed: int, name: str) -> np.random.Generator:
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))
