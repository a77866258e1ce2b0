"""Render synthetic instruments into a dataset: electronic sounds, of which General MIDI SoundFonts have few."""

from __future__ import annotations

import functools
import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synth_explorer.data.dataset import DatasetWriter
from synth_explorer.data.patches import KINDS, Patch, random_patch
from synth_explorer.data.soundfont import HELD_S, run_jobs
from synth_explorer.data.voices import play
from synth_explorer.errors import DataError

SOURCE = "synthetic"
LICENCE = "CC0: computed by this program, no recordings"


@dataclass(frozen=True)
class Job:
    """One instrument to render."""

    number: int
    kind: str
    seed: int
    pitches: int
    lowest: float
    highest: float
    velocities: tuple[int, ...]
    sample_rate_hz: int
    samples: int
    pre_roll_samples: int

    @property
    def instrument(self) -> str:
        return f"{SOURCE}_{self.kind}_{self.number:04d}"


def render_synthetic(
    out: Path | str,
    *,
    instruments: int = 312,
    pitches: int = 12,
    lowest: float = 21.0,
    highest: float = 108.0,
    velocities: Sequence[int] = (30, 80, 120),
    seed: int = 0,
    workers: int | None = None,
    sample_rate_hz: int = 16_000,
    samples: int = 64_000,
    pre_roll_samples: int = 512,
    progress: bool = True,
) -> Path:
    """Render random instruments: each a patch, played over its range; 3 s held, then the release.

    Finished instruments are kept: the same command run again goes on where it stopped.

    Args:
        instruments: how many; the kinds of patches take turns.
        pitches: notes over the range, each at a random pitch within its share of it.
        lowest, highest: MIDI range.
        velocities: MIDI velocities, each played at every pitch.

    Returns the dataset's folder. Raises DataError: for arguments out of range.
    """
    _check_arguments(instruments, pitches, lowest, highest, velocities)
    kinds = list(KINDS)
    common = {
        "seed": seed,
        "pitches": pitches,
        "lowest": lowest,
        "highest": highest,
        "velocities": tuple(velocities),
        "sample_rate_hz": sample_rate_hz,
        "samples": samples,
        "pre_roll_samples": pre_roll_samples,
    }
    jobs = [Job(number=number, kind=kinds[number % len(kinds)], **common) for number in range(instruments)]
    writer = DatasetWriter(
        out,
        sample_rate_hz=sample_rate_hz,
        samples=samples,
        pre_roll_samples=pre_roll_samples,
        sources={SOURCE: {"licence": LICENCE}},
        settings={
            "kind": SOURCE,
            "pitches": pitches,
            "lowest": lowest,
            "highest": highest,
            "velocities": list(velocities),
            "seed": seed,
            "held_s": HELD_S,
        },
    )
    todo = [job for job in jobs if not writer.finished(job.instrument)]
    run_jobs(
        functools.partial(_render_job, writer=writer), todo, workers=workers, progress=progress, title="Synthesising"
    )
    return writer.finish()


def _check_arguments(instruments: int, pitches: int, lowest: float, highest: float, velocities: Sequence[int]) -> None:
    if instruments < 1 or pitches < 1:
        raise DataError(f"instruments={instruments} and pitches={pitches} must be at least 1.")
    if not 0 <= lowest < highest <= 120:
        raise DataError(f"lowest={lowest} and highest={highest} must be MIDI notes, 0 <= lowest < highest <= 120.")
    if not velocities or not all(1 <= v <= 127 for v in velocities):
        raise DataError(f"velocities={tuple(velocities)} must be MIDI velocities from 1 to 127.")


def patch_of(job: Job) -> Patch:
    """The job's patch: the same for the same seed, number and kind."""
    return random_patch(_generator(job.seed, job.instrument), kind=job.kind)


def _render_job(job: Job, *, writer: DatasetWriter) -> int:
    """Render one instrument into its shard; returns the number of notes."""
    patch = patch_of(job)
    borders = np.linspace(job.lowest, job.highest, job.pitches + 1)
    rng = _generator(job.seed, job.instrument + "/pitches")
    sounding = job.samples - job.pre_roll_samples
    notes, signals = [], []
    for low, high in itertools.pairwise(borders):
        for velocity in job.velocities:
            midi = round(float(rng.uniform(low, high)), 2)
            note_id = f"{job.instrument}-{midi:06.2f}-{velocity:03d}"
            sound = play(
                patch,
                midi=midi,
                velocity=velocity,
                rng=_generator(job.seed, note_id),
                sample_rate_hz=job.sample_rate_hz,
                total_samples=sounding,
                held_s=HELD_S,
            )
            signals.append(np.pad(sound, (job.pre_roll_samples, 0)).astype(np.float32))
            notes.append(
                {
                    "id": note_id,
                    "family": patch.family,
                    "source": SOURCE,
                    "group": job.instrument,
                    "pitch": midi,
                    "key": round(midi),
                    "velocity": velocity,
                }
            )
    return writer.write_shard(job.instrument, np.stack(signals), notes)


def _generator(seed: int, name: str) -> np.random.Generator:
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))
