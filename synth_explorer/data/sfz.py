"""Render notes of SFZ instruments, real recordings, with sfizz (through pysfizz) into a dataset.

Which instruments, from which keys and with which licence, is written down here: only what is free for anything
(CC0, public domain, CC BY) is trained on. Their files lie in folders named like their public repositories.

Shapes: N notes, T samples.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from synth_explorer import pitch
from synth_explorer.batch.errands import Progress, Site, executor_for
from synth_explorer.data.cleaning import remove_rumble
from synth_explorer.data.dataset import DatasetWriter, Shard, Sizes, shard_of
from synth_explorer.data.soundfont import SILENT_DB, held_s, octaves_heard, render_all, with_bandwidths
from synth_explorer.errors import DataError

BLOCK_SAMPLES = 64
LEAST_RELIABILITY = 0.5  # of the pitch around the label: what says another pitch than its key, or none, is left out
SIZES = Sizes(48_000, 153_600, 1_536)
WRAPPER = ".synth_explorer.sfz"


@dataclass(frozen=True)
class Instrument:
    """One way to play an SFZ file."""

    name: str  # of the instrument
    repository: str  # folder of the repository, `OWNER.NAME` without the owner that they share
    file: str  # the SFZ file within
    family: str  # as in `general_midi`
    licence: str  # of the recordings
    keys: tuple[int, int] | None = None  # lowest and highest key, None as mapped
    dynamics: tuple[int, ...] = (40, 80, 120)  # MIDI velocities, or values of the controller `dynamic_cc`
    dynamic_cc: int | None = None  # a controller that decides the dynamics, as a breath does; None: the velocity
    controllers: tuple[tuple[int, int], ...] = ()  # set before playing, (number, value)
    sample_dir: str = ""  # what the file's macro `$sample_dir` is to be, where it needs one

    @property
    def group(self) -> str:
        """What the split is drawn by: all instruments of one repository's recordings share it, a bank's do not."""
        return f"sfz_{self.name}" if self.repository == BANK else f"sfz_{self.repository.rsplit('.', 1)[-1].lower()}"


BANK = "Discord-SFZ-GM-Bank"
_CC0, _MELODIC = "CC0, Karoryfer Lecolds", "Discord GM/Melodic/"
_GUITAR = ("karoryfer.shinyguitar", "Programs/main.sfz", "guitar", _CC0)

INSTRUMENTS = (
    Instrument(
        "splendid_grand_piano", "SplendidGrandPiano", "Splendid Grand Piano.sfz", "keyboard",
        "public domain, recorded by AKAI, mapped by kinwie", dynamics=(30, 60, 90, 120),
    ),
    Instrument(
        "headroom_piano", "BengtNilsson.HeadroomPiano", "Headroom Piano (NoFX).sfz", "keyboard",
        "CC BY 4.0, Bengt Nilsson, mapped by kinwie", dynamics=(30, 60, 90, 120),
    ),
    Instrument(
        "weresax", "karoryfer.weresax", "Programs/Sax1.sfz", "reed", _CC0, dynamics=(20, 50, 80, 110, 127),
    ),
    Instrument("saxcordion", "karoryfer.weresax", "Programs/saxcordion.sfz", "reed", _CC0, dynamics=(100,)),
    Instrument(
        "bear_sax", "karoryfer.bear-sax", "Programs/2-solo-poly.sfz", "reed", _CC0,
        dynamics=(10, 40, 70, 100, 127), dynamic_cc=1,
    ),
    Instrument("bearborg", "karoryfer.bear-sax", "Programs/6-bearborg.sfz", "synth_lead", _CC0),
    Instrument(
        "growlybass_clean", "karoryfer.growlybass", "growlybass_clean.sfz", "bass", _CC0, dynamics=(25, 55, 85, 120)
    ),
    Instrument(
        "growlybass_vicious", "karoryfer.growlybass", "growlybass_vicious.sfz", "bass", _CC0, dynamics=(50, 110)
    ),
    Instrument("shinyguitar_electric", *_GUITAR, controllers=((100, 0),), sample_dir="../Samples"),
    Instrument("shinyguitar_acoustic", *_GUITAR, controllers=((100, 127),), sample_dir="../Samples"),
    Instrument(
        "caveman_cosmonaut", "karoryfer.caveman-cosmonaut", "Programs/main.sfz", "organ", _CC0, dynamics=(60, 120)
    ),
    Instrument("blackheart", "karoryfer.string-cyborgs", "Programs/Blackheart.sfz", "string", _CC0, dynamics=(60, 120)),
    Instrument("ironface", "karoryfer.string-cyborgs", "Programs/Ironface.sfz", "string", _CC0, dynamics=(60, 120)),
    Instrument("zinc", "karoryfer.string-cyborgs", "Programs/Zinc.sfz", "string", _CC0, dynamics=(60, 120)),
    Instrument(
        "salamander", BANK, _MELODIC + "001-Acoustic Grand Piano.sfz", "keyboard", "CC BY 3.0, Alexander Holm",
        dynamics=(60, 120),
    ),
    Instrument(
        "bright_piano", BANK, _MELODIC + "002-Bright Acoustic Piano.sfz", "keyboard", "CC0, Versilian Studios",
        keys=(21, 100), dynamics=(60, 120),
    ),
    Instrument(
        "electric_grand", BANK, _MELODIC + "003-Electric Grand Piano.sfz", "keyboard", "CC0, Greg Sullivan",
        dynamics=(60, 120),
    ),
    Instrument(
        "electric_piano", BANK, _MELODIC + "005-Electric Piano 1.sfz", "keyboard", "CC0, Jeff Learman",
        dynamics=(60, 120),
    ),
    Instrument(
        "steel_guitar", BANK, _MELODIC + "026-Acoustic Guitar (steel).sfz", "guitar", "CC0", dynamics=(60, 120)
    ),
    Instrument(
        "finger_bass", BANK, _MELODIC + "034-Electric Bass (finger).sfz", "bass", _CC0, dynamics=(20, 60, 90, 120)
    ),
    Instrument(
        "tremolo_strings", BANK, _MELODIC + "045-Tremolo Strings.sfz", "string", "CC0, Versilian Studios",
        dynamics=(60, 120),
    ),
    Instrument(
        "pizzicato_strings", BANK, _MELODIC + "046-Pizzicato Strings.sfz", "string", "CC0, Versilian Studios",
        dynamics=(60, 120),
    ),
    Instrument(
        "sitar", BANK, _MELODIC + "105-Sitar.sfz", "plucked", "CC0, Narayan Bhagawan Raikar", keys=(36, 84),
        dynamics=(60, 120),
    ),
    Instrument(
        "shanai", BANK, _MELODIC + "112-Shanai.sfz", "reed", "CC0, Narayan Bhagawan Raikar", keys=(48, 84),
        dynamics=(60, 120),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Job:
    """One instrument to render, small enough to travel to a worker process."""

    root: str
    instrument: Instrument
    key_step: int

    @property
    def name(self) -> str:
        """Of its shard."""
        return self.instrument.name


def render(
    root: Path | str,
    out: Path | str,
    *,
    key_step: int = 2,
    workers: int | None = None,
    sizes: Sizes = SIZES,
    progress: Progress | None = None,
) -> Path:
    """Render the notes of every instrument of `INSTRUMENTS` whose repository lies in `root`.

    Finished instruments are kept: the same command run again goes on where it stopped.

    Args:
        root: folder that has the repositories' folders.
        key_step: semitones between rendered keys.
        sizes: of each note; the key is held for three quarters of it.

    Returns the dataset's folder. Raises DataError: no such instrument in `root`, or pysfizz is not installed.
    """
    _import_pysfizz()
    root = Path(root)
    present = [one for one in INSTRUMENTS if (root / one.repository / one.file).is_file()]
    if not present:
        names = ", ".join(dict.fromkeys(one.repository for one in INSTRUMENTS))
        raise DataError(f"{root} has none of the instruments: give the folder that holds at least one of {names}.")
    writer = DatasetWriter(
        out,
        sizes,
        sources={one.name: {"file": f"{one.repository}/{one.file}", "licence": one.licence} for one in present},
        settings={"kind": "sfz", "key_step": key_step},
    )
    jobs = [Job(str(root.resolve()), one, key_step) for one in present]
    do = partial(_render_job, sizes)
    return render_all(do, jobs, writer, workers=workers, executor=executor_for, progress=progress)


def _render_job(sizes: Sizes, site: Site, job: Job) -> Shard:
    """Render one instrument, whose files lie here."""
    one = job.instrument
    synth = _open(Path(job.root) / one.repository / one.file, one.sample_dir)
    low, high = one.keys or (0, 127)
    keys = [key for key in synth.playable_keys if low <= key <= high][:: job.key_step]
    notes, signals = [], []
    for key in keys:
        for dynamic in one.dynamics:
            signal = _note(synth, one, key, dynamic, sizes)
            signal = remove_rumble(signal, sample_rate_hz=sizes.sample_rate_hz)
            if np.max(np.abs(signal), initial=0.0) < 10 ** (SILENT_DB / 20):
                continue
            signals.append(np.pad(signal, (sizes.pre_roll_samples, 0)))
            notes.append(
                {
                    "id": f"{one.name}-{key:03d}-{dynamic:03d}",
                    "family": one.family,
                    "source": one.name,
                    "group": one.group,
                    "pitch": float(key),
                    "key": key,
                    "velocity": dynamic,
                }
            )
    audio = np.stack(signals).astype(np.float32) if signals else np.zeros((0, sizes.samples), np.float32)
    notes, kept = _in_tune(octaves_heard(notes, audio, sizes), audio, sizes)
    audio = audio[kept]
    return shard_of(one.name, audio, with_bandwidths(notes, audio, sizes.sample_rate_hz), sizes)


def _in_tune(notes: list[dict[str, Any]], audio: np.ndarray, sizes: Sizes) -> tuple[list[dict[str, Any]], list[int]]:
    """The notes that sound at their label, with the pitch that they sound at; and which they are."""
    kept, tuned = [], []
    for index, (note, signal) in enumerate(zip(notes, audio, strict=True)):
        heard = pitch.refine(
            signal, midi=note["pitch"], sample_rate_hz=sizes.sample_rate_hz, hop=sizes.pre_roll_samples
        )
        if heard.reliability >= LEAST_RELIABILITY:
            kept.append(index)
            tuned.append({**note, "pitch": round(heard.midi, 2)})
    return tuned, kept


def _note(synth: Any, one: Instrument, key: int, dynamic: int, sizes: Sizes) -> np.ndarray:
    """One note, float [T], mono (mean of the two channels). sfizz runs at its own rate: at a low one it would alias."""
    import soxr

    rate_hz, samples = synth.get_sample_rate(), sizes.sounding
    synth._synth.all_sound_off()
    for number, value in one.controllers:
        synth._synth.cc(0, number, value)
    if one.dynamic_cc is not None:
        synth._synth.cc(0, one.dynamic_cc, dynamic)
    velocity = 100 if one.dynamic_cc is not None else dynamic
    total_s = samples / sizes.sample_rate_hz
    sound = synth.render_note(key, velocity, held_s(total_s), total_s + BLOCK_SAMPLES / rate_hz).mean(axis=0)
    sound = soxr.resample(sound, rate_hz, sizes.sample_rate_hz)[:samples]
    return np.pad(sound, (0, samples - len(sound)))


def _open(path: Path, sample_dir: str) -> Any:
    """A synthesiser with an instrument. Raises DataError when sfizz refuses it."""
    synth = _import_pysfizz().Synth(sample_rate=SIZES.sample_rate_hz, block_size=BLOCK_SAMPLES)
    wrapper = path.with_name(WRAPPER)
    if sample_dir:  # the bank's own file, which names the macro, is in another format
        wrapper.write_text(f'#define $sample_dir {sample_dir}\n#include "{path.name}"\n', encoding="utf-8")
    try:
        loaded = synth.load_sfz_file(wrapper if sample_dir else path, quiet=sys.stderr is sys.__stderr__)
    finally:
        wrapper.unlink(missing_ok=True)
    if not loaded:
        raise DataError(f"sfizz can't read {path}: is its repository complete?")
    return synth


def _import_pysfizz() -> Any:
    try:
        import pysfizz  # pyright: ignore[reportMissingImports]  # nothing requires it
    except ImportError as error:
        raise DataError(f"pysfizz is not installed ({error}): `pip install pysfizz`.") from error
    return pysfizz
