"""Render the notes of SoundFonts with FluidSynth into a dataset.

FluidSynth runs at 44.1 kHz, its native habitat, and soxr brings the result to the dataset's rate: rendering at
16 kHz directly aliases (a trumpet at MIDI 96: -17 dB off the harmonics against -45). Reverb and chorus are off.

Shapes: N notes, T samples.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from synth_explorer.audio.bandwidth import bandwidth_hz, common_bandwidths_hz, top_hz
from synth_explorer.batch.errands import Errand, Progress, Site, answers, executor_for, nothing
from synth_explorer.batch.executors import Executor
from synth_explorer.batch.worker import Failed
from synth_explorer.data.cleaning import octave_shift, remove_rumble
from synth_explorer.data.dataset import SIZES, DatasetWriter, Shard, Sizes, shard_of
from synth_explorer.data.general_midi import LEFT_OUT, PERCUSSION_BANK, family_of, group_of
from synth_explorer.data.sf2 import Preset, read_presets
from synth_explorer.errors import DataError
from synth_explorer.runtime import cores

SYNTH_RATE_HZ = 44_100
BLOCK_SAMPLES = 64  # FluidSynth starts and stops notes on multiples of this
BEND_PER_CENT = 8192 / 200  # the default bend range is 2 semitones
SYNTH_GAIN = 1.6  # notes of velocity 100 peak near -10 dBFS
SILENT_DB = -60.0
HELD_S = 3.0
LOWEST_KEY, HIGHEST_KEY = 21, 108

LICENCES = {
    "FluidR3_GM": "MIT, (c) 2000-2002, 2008 Frank Wen",
    "MuseScore_General_Full": "MIT, parts CC0 or public domain, (c) 2018-2021 S. Christian Collins, "
    "2014-2017 Michael Cowgill, 2000-2002, 2008 Frank Wen",
}


@dataclass(frozen=True)
class Job:
    """One instrument to render, small enough to travel to a worker process."""

    soundfont: str
    name: str  # of the instrument
    bank: int
    program: int
    keys: tuple[int, ...]
    velocities: tuple[int, ...]
    detune_cents: float
    seed: int


class Player:
    """A FluidSynth without audio driver that plays single notes of one SoundFont.

    `gain`: FluidSynth's output gain. Raises DataError: when FluidSynth is not installed or refuses the file.
    """

    def __init__(self, soundfont: str | Path, *, gain: float = SYNTH_GAIN) -> None:
        fluidsynth = _import_fluidsynth()
        self._synth = fluidsynth.Synth(
            gain=gain,
            samplerate=float(SYNTH_RATE_HZ),
            channels=16,
            **{"synth.reverb.active": 0, "synth.chorus.active": 0, "synth.dynamic-sample-loading": 1},
        )
        self._write = fluidsynth._fl.fluid_synth_write_float
        self._font = self._synth.sfload(str(soundfont))
        if self._font < 0:
            raise DataError(f"FluidSynth cannot read {soundfont}: give an .sf2 file.")

    def close(self) -> None:
        """Free the synthesiser and its samples."""
        self._synth.delete()

    def select(self, bank: int, program: int) -> None:
        """Choose the preset that the next notes play."""
        if self._synth.program_select(0, self._font, bank, program) != 0:
            raise DataError(f"The SoundFont has no preset at bank {bank}, program {program}.")
        self.note(60, 1, held_s=0.01, total_s=0.02)  # a fresh synthesiser's first note differs a little from the rest

    def note(self, key: int, velocity: int, *, held_s: float, total_s: float, bend_cents: float = 0.0) -> np.ndarray:
        """Play one note.

        Args:
            held_s: time from note-on to note-off.
            total_s: time from note-on to the end.
            bend_cents: pitch bend within +-200 cents; FluidSynth keeps whole cents.

        Returns float32 [T] at 44.1 kHz, mono (mean of the two channels).
        """
        held = round(held_s * SYNTH_RATE_HZ / BLOCK_SAMPLES) * BLOCK_SAMPLES
        total = -int(-total_s * SYNTH_RATE_HZ // BLOCK_SAMPLES) * BLOCK_SAMPLES
        self._synth.pitch_bend(0, round(bend_cents * BEND_PER_CENT))
        self._synth.noteon(0, key, velocity)
        sounding = self._samples(held)
        self._synth.noteoff(0, key)
        release = self._samples(total - held)
        self._synth.all_sounds_off(0)
        self._samples(BLOCK_SAMPLES)
        return np.concatenate([sounding, release])[: round(total_s * SYNTH_RATE_HZ)]

    def _samples(self, count: int) -> np.ndarray:
        """The next `count` samples: like pyfluidsynth's `get_samples`, in float, so that loud notes do not clip."""
        stereo = np.zeros((count, 2), np.float32)
        pointer = stereo.ctypes.data_as(ctypes.c_void_p)
        self._write(self._synth_pointer, count, pointer, 0, 2, pointer, 1, 2)
        return stereo.mean(axis=1)

    @property
    def _synth_pointer(self) -> ctypes.c_void_p:
        return ctypes.c_void_p(self._synth.synth)


def render(
    soundfonts: Sequence[Path | str],
    out: Path | str,
    *,
    pitch_step: int = 1,
    velocities: Sequence[int] = (25, 50, 75, 100, 127),
    detune_cents: float = 0.0,
    workers: int | None = None,
    limit_instruments: int | None = None,
    seed: int = 0,
    presets: Callable[[Preset], bool] | None = None,
    sizes: Sizes = SIZES,
    executor: Callable[[Errand[Any, Any], int], Executor] = executor_for,
    progress: Progress | None = None,
) -> Path:
    """Render every pitched preset of the SoundFonts: 3 s held, then the release, 4 s in all.

    Finished instruments are kept: the same command run again goes on where it stopped.

    Args:
        pitch_step: semitones between rendered keys.
        detune_cents: each note is detuned by a whole number of cents drawn from +- this; its label says so.
        presets: keeps the presets for which it is true.

    Returns the dataset's folder. Raises DataError: for missing or damaged files, missing FluidSynth, or arguments out
    of range.
    """
    _check_arguments(soundfonts, pitch_step, velocities, detune_cents, workers)
    common = {
        "velocities": tuple(int(v) for v in velocities),
        "detune_cents": float(detune_cents),
        "seed": seed,
    }
    jobs = [job for path in soundfonts for job in _plan(Path(path), pitch_step, presets, common)]
    jobs = jobs[:limit_instruments]
    _import_fluidsynth()
    writer = DatasetWriter(
        out,
        sizes,
        sources={source_name(path): describe(Path(path)) for path in soundfonts},
        settings={
            "kind": "soundfont",
            "pitch_step": pitch_step,
            "velocities": list(velocities),
            "detune_cents": detune_cents,
            "seed": seed,
            "gain": SYNTH_GAIN,
            "held_s": HELD_S,
        },
    )
    do = functools.partial(_render_job, sizes)
    return render_all(do, jobs, writer, workers=workers, executor=executor, progress=progress, reads=_fonts)


def render_all(
    do: Callable[[Site, Any], Shard],
    jobs: Sequence[Any],
    writer: DatasetWriter,
    *,
    workers: int | None,
    executor: Callable[[Errand[Any, Any], int], Executor],
    progress: Progress | None,
    reads: Callable[[Any], Sequence[Path]] = nothing,
) -> Path:
    """Render the jobs that are not finished, each by its `name`, and return the folder.

    `do`: can be pickled. `reads`: the files that a job needs. `workers`: None: one a core. Raises DataError: a job that
    cannot be rendered, after the others.
    """
    todo = [job for job in jobs if not writer.finished(job.name)]
    lost: list[Failed] = []
    if todo:
        with executor(Errand(do, reads), min(workers or cores(), len(todo))) as at_work:
            for _, answer in answers(at_work, todo, progress):
                lost.append(answer) if isinstance(answer, Failed) else writer.keep(answer)
    if lost:
        raise DataError(f"{len(lost)} of {len(todo)} instruments could not be rendered: {lost[0].reason}")
    return writer.finish()


def source_name(soundfont: Path | str) -> str:
    """Name of a SoundFont in datasets: its file name without suffix, in small letters."""
    return _slug(Path(soundfont).stem)


def detune_of(note_id: str, *, detune_cents: float, seed: int) -> int:
    """Whole cents within +-detune_cents, the same for the same note and seed."""
    digest = hashlib.sha256(f"{seed}/{note_id}".encode()).digest()
    share = int.from_bytes(digest[:8], "big") / 2**64
    return round((2 * share - 1) * detune_cents)


def _plan(path: Path, pitch_step: int, keep: Callable[[Preset], bool] | None, common: dict[str, Any]) -> list[Job]:
    jobs = []
    for preset in read_presets(path):
        expressive = preset.name.endswith("Expr.")  # plays by controller, not by velocity; its twin is rendered
        if preset.bank == PERCUSSION_BANK or preset.program in LEFT_OUT or expressive:
            continue
        keys = tuple(preset.keys(lowest=LOWEST_KEY, highest=HIGHEST_KEY))[::pitch_step]
        if not keys or (keep is not None and not keep(preset)):
            continue
        instrument = f"{source_name(path)}_{preset.bank:03d}_{preset.program:03d}_{_slug(preset.name)}"
        jobs.append(
            Job(
                soundfont=str(path),
                name=instrument,
                bank=preset.bank,
                program=preset.program,
                keys=keys,
                **common,
            )
        )
    return jobs


def _fonts(job: Job) -> tuple[Path, ...]:
    return (Path(job.soundfont),)


def _render_job(sizes: Sizes, site: Site, job: Job) -> Shard:
    """Render one instrument."""
    import soxr

    player = player_of(str(site.path(Path(job.soundfont))))
    player.select(job.bank, job.program)
    sounding = sizes.sounding
    notes, signals = [], []
    for key in job.keys:
        for velocity in job.velocities:
            note_id = f"{job.name}-{key:03d}-{velocity:03d}"
            detune = detune_of(note_id, detune_cents=job.detune_cents, seed=job.seed)
            total_s = sounding / sizes.sample_rate_hz
            raw = player.note(key, velocity, held_s=held_s(total_s), total_s=total_s, bend_cents=detune)
            signal = soxr.resample(raw, SYNTH_RATE_HZ, sizes.sample_rate_hz)[:sounding]
            signal = remove_rumble(signal, sample_rate_hz=sizes.sample_rate_hz)
            if np.max(np.abs(signal), initial=0.0) < 10 ** (SILENT_DB / 20):
                continue
            signals.append(np.pad(signal, (sizes.pre_roll_samples, sounding - len(signal))))
            notes.append(
                {
                    "id": note_id,
                    "family": family_of(job.program),
                    "source": source_name(job.soundfont),
                    "group": group_of(job.program),
                    "pitch": key + detune / 100,
                    "key": key,
                    "velocity": velocity,
                }
            )
    audio = np.stack(signals).astype(np.float32) if signals else np.zeros((0, sizes.samples), np.float32)
    notes = octaves_heard(notes, audio, sizes)
    kept = [i for i, note in enumerate(notes) if LOWEST_KEY - 0.5 <= note["pitch"] <= HIGHEST_KEY + 0.5]
    audio, notes = audio[kept], with_bandwidths([notes[i] for i in kept], audio[kept], sizes.sample_rate_hz)
    return shard_of(job.name, audio, notes, sizes)


def held_s(total_s: float) -> float:
    """How long a key is held in a note of `total_s`: 3 s of 4, and no more than three quarters of a shorter one."""
    return min(HELD_S, 0.75 * total_s) if total_s < HELD_S + 0.9 else HELD_S


def with_bandwidths(notes: list[dict[str, Any]], audio: np.ndarray, sample_rate_hz: int) -> list[dict[str, Any]]:
    """An instrument's notes with the bandwidth of their recordings, 0 where no end was found."""
    own = [
        bandwidth_hz(sound, f0_hz=440.0 * 2.0 ** ((note["pitch"] - 69.0) / 12.0), sample_rate_hz=sample_rate_hz)
        for note, sound in zip(notes, audio, strict=True)
    ]
    ends = [0.0 if hz >= top_hz(sample_rate_hz) else round(float(hz)) for hz in common_bandwidths_hz(own)]
    return [{**note, "bandwidth_hz": end} for note, end in zip(notes, ends, strict=True)]


def octaves_heard(notes: list[dict[str, Any]], audio: np.ndarray, sizes: Sizes) -> list[dict[str, Any]]:
    """The notes, labelled with the octave that the instrument sounds in, judged on a dozen of them."""
    if not notes:
        return notes
    velocities = sorted({note["velocity"] for note in notes})
    middle = velocities[len(velocities) // 2]
    sample = [i for i, note in enumerate(notes) if note["velocity"] == middle] or list(range(len(notes)))
    sample = sample[:: -(-len(sample) // 12)]
    shift = octave_shift(
        [audio[i, sizes.pre_roll_samples :] for i in sample],
        [notes[i]["pitch"] for i in sample],
        sample_rate_hz=sizes.sample_rate_hz,
    )
    return [{**note, "pitch": note["pitch"] + shift} for note in notes]


@functools.lru_cache(maxsize=4)
def player_of(soundfont: str) -> Player:
    """This process's player of a SoundFont, opened once."""
    return Player(soundfont)


def describe(path: Path) -> dict[str, Any]:
    return {
        "file": path.name,
        "bytes": path.stat().st_size,
        "licence": LICENCES.get(path.stem, "unknown: see the SoundFont's own documentation"),
    }


def _check_arguments(
    soundfonts: Sequence[Path | str],
    pitch_step: int,
    velocities: Sequence[int],
    detune_cents: float,
    workers: int | None,
) -> None:
    if isinstance(soundfonts, (str, Path)) or not soundfonts:
        raise DataError(f"soundfonts={soundfonts!r} must be a list of at least one .sf2 file.")
    if pitch_step < 1:
        raise DataError(f"pitch_step={pitch_step} must be at least 1 semitone.")
    if not velocities or not all(1 <= v <= 127 for v in velocities):
        raise DataError(f"velocities={tuple(velocities)} must be MIDI velocities from 1 to 127.")
    if not 0 <= detune_cents <= 200:
        raise DataError(f"detune_cents={detune_cents} must lie between 0 and 200.")
    if workers is not None and workers < 1:
        raise DataError(f"workers={workers} must be at least 1.")


def _import_fluidsynth() -> Any:
    try:
        import fluidsynth
    except (ImportError, OSError) as error:
        raise DataError(
            f"FluidSynth is not installed ({error}): install the library (Debian: libfluidsynth3; macOS: "
            "brew install fluid-synth) and `pip install pyfluidsynth`."
        ) from error
    return fluidsynth


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
