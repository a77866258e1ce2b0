"""An instrument: the samples of a patch over keys, velocities, a morph and a round robin, and what is said of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from synth_explorer import measure
from synth_explorer.errors import SpecError
from synth_explorer.instruments import workers
from synth_explorer.instruments.maker import COHERENT, Maker
from synth_explorer.instruments.sample import Sample, Slot
from synth_explorer.instruments.zones import Layer, Zone, layers, zones
from synth_explorer.pitch import note_name
from synth_explorer.rendering import Patch, Renderer

MOST_ROBINS = 16
MOST_SAMPLES = 20_000
CEILING_DB = -1.0

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Plan:
    """What an instrument holds: keys, velocity layers, sounds of a round robin, steps of a morph."""

    low: int = 36
    high: int = 84
    key_step: int = 3
    velocity_layers: int = 3
    round_robin: int = 1
    morph_steps: int = 1
    release_s: float | None = None  # of every sample; None: each note's own

    def __post_init__(self) -> None:
        if not 1 <= self.round_robin <= MOST_ROBINS:
            raise SpecError(f"A round robin has 1 to {MOST_ROBINS} sounds; received {self.round_robin}.")
        if self.release_s is not None and not 0.0 < self.release_s <= 30.0:
            raise SpecError(f"A release lasts more than 0 and at most 30 s; received {self.release_s:g}.")
        count = len(self.zones) * len(self.layers) * self.round_robin * self.morph_steps
        if count > MOST_SAMPLES:
            raise SpecError(f"That would be {count} samples, the most is {MOST_SAMPLES}: take fewer of each.")

    @property
    def zones(self) -> tuple[Zone, ...]:
        return zones(self.low, self.high, step=self.key_step)

    @property
    def layers(self) -> tuple[Layer, ...]:
        return layers(self.velocity_layers)

    @property
    def slots(self) -> list[Slot]:
        """Every sample, the loudest layer of a key first."""
        return [
            Slot(zone.root, layer, step, robin)
            for step in range(self.morph_steps)
            for zone in self.zones
            for robin in range(self.round_robin)
            for layer in reversed(self.layers)
        ]


@dataclass(frozen=True, eq=False)
class Instrument:
    """Samples with all that a player needs to know of them."""

    name: str
    patch: Patch
    plan: Plan
    samples: tuple[Sample, ...]  # in the order of `Plan.slots`
    sample_rate_hz: int
    gain_db: float  # by which all were turned down so that none clips; at most 0
    coherence: float | None  # of neighbouring steps of the morph; None without one
    differences_db: tuple[float, ...]  # see `differences_db`, of the loudest layer, first step, first robin

    @property
    def is_coherent(self) -> bool:
        """Whether steps of the morph are faded linearly into one another, not with equal power."""
        return self.coherence is not None and self.coherence >= COHERENT

    def zone(self, sample: Sample) -> Zone:
        return next(zone for zone in self.plan.zones if zone.root == sample.slot.root)

    @property
    def consistency(self) -> str:
        """How alike neighbouring keys sound, in a line."""
        if not self.differences_db:
            return f"{self.name}: one key, nothing to compare"
        worst = int(np.argmax(self.differences_db))
        keys = "-".join(note_name(zone.root) for zone in self.plan.zones[worst : worst + 2])
        mean, most = np.mean(self.differences_db), self.differences_db[worst]
        return f"timbre of neighbouring keys, at one pitch: {mean:.2f} dB apart on average, {most:.2f} at most ({keys})"

    @property
    def notes(self) -> list[str]:
        """What a player of the instrument should know, in sentences."""
        said, of = [], self.samples
        keys = sorted({one.slot.root for one in of if one.loop is None})
        if keys:
            which = "no key" if len(keys) == len(self.plan.zones) else "not " + ", ".join(map(note_name, keys))
            said.append(f"{which} is looped: the note decays by itself, or is held too short")
        heard = [one.slot for one in of if one.loop is not None and not one.loop.is_clean]
        if heard:
            keys = ", ".join(dict.fromkeys(note_name(slot.root) for slot in heard))
            said.append(f"{len(heard)} loops do more at their seam than the note by itself: {keys}")
        if unpitched := [one.slot for one in of if not one.is_pitched]:
            said.append(f"no pitch is heard in {len(unpitched)} samples; they are not tuned")
        if self.gain_db < 0:
            said.append(f"all samples are {-self.gain_db:.1f} dB softer than the patch, so that none clips")
        return said


def make(
    renderer: Renderer,
    patch: Patch,
    plan: Plan,
    *,
    name: str,
    processes: int | None = 1,
    progress: Progress | None = None,
) -> Instrument:
    """Render every sample of a plan.

    `processes`: that it is shared out to; None: as many as are worth it. `progress`: called with (done, total). Raises
    SynthExplorerError: what the plan or the patch says cannot be.
    """
    maker = Maker(renderer, patch, morph_steps=plan.morph_steps, release_s=plan.release_s)
    slots = plan.slots
    for count, _ in enumerate(workers.made(maker, slots, workers=processes), 1):
        if progress:
            progress(count, len(slots))
    samples = [maker.sample(slot) for slot in slots]
    peak_db = 20.0 * np.log10(max(float(np.abs(one.audio).max()) for one in samples))
    middle = slots[0] if plan.morph_steps == 1 else Slot(plan.zones[len(plan.zones) // 2].root, plan.layers[-1])
    return Instrument(
        name,
        patch,
        plan,
        tuple(samples),
        maker.sample_rate_hz,
        min(0.0, CEILING_DB - float(peak_db)),
        maker.coherence(middle) if plan.morph_steps > 1 else None,
        differences_db(
            [(one.slot.root, one.played(2 * maker.sample_rate_hz)) for one in samples if _is_first(one.slot, plan)],
            sample_rate_hz=maker.sample_rate_hz,
        ),
    )


def _is_first(slot: Slot, plan: Plan) -> bool:
    return slot.layer == plan.layers[-1] and slot.step == slot.robin == 0


def differences_db(notes: list[tuple[float, np.ndarray]], *, sample_rate_hz: int) -> tuple[float, ...]:
    """How far neighbouring notes of an instrument lie apart in timbre: what is heard where one sample ends and the next
    begins.

    Both are played at the pitch half-way between them, as a sampler would, by reading them faster or slower; their mean
    spectra (`measure.mean_spectrum_db`: timbre without loudness) are compared, mean of the absolute differences over
    the bands.

    `notes`: (MIDI key, audio [T]) in rising order.
    """
    found: list[float] = []
    for (low, below), (high, above) in itertools.pairwise(notes):
        half = (high - low) / 2.0
        spectra = [
            measure.mean_spectrum_db(audio, sample_rate_hz=round(sample_rate_hz * 2.0 ** (semitones / 12.0)))
            for audio, semitones in ((below, half), (above, -half))
        ]
        found.append(float(np.mean(np.abs(spectra[0] - spectra[1]))))
    return tuple(found)


def report(instrument: Instrument, *, files: dict[Slot, str]) -> dict[str, Any]:
    """What the file `instrument.json` says: how it was made, each sample, how well it loops and is tuned."""
    plan, differences = instrument.plan, instrument.differences_db
    looped = [one for one in instrument.samples if one.loop is not None]
    return {
        "name": instrument.name,
        "patch": instrument.patch.model_dump(mode="json"),
        "patch_id": instrument.patch.id,
        "sample_rate_hz": instrument.sample_rate_hz,
        "gain_db": instrument.gain_db,
        "velocity": {
            "curve": "level 40 log10(velocity / 127) dB, brightness 0.02 octaves per dB of level",
            "layers": [
                {
                    "low": layer.low,
                    "high": layer.high,
                    "level_db": layer.level_db,
                    "brightness_octaves": layer.brightness_octaves,
                }
                for layer in plan.layers
            ],
        },
        "morph": None
        if plan.morph_steps == 1
        else {
            "controller": 1,
            "steps": plan.morph_steps,
            "coherence": instrument.coherence,
            "fade": "linear" if instrument.is_coherent else "equal power",
        },
        "consistency": {
            "mean_db": float(np.mean(differences)) if differences else None,
            "largest_db": max(differences, default=None),
            "between_keys_db": list(differences),
        },
        "summary": {
            "samples": len(instrument.samples),
            "looped": len(looped),
            "clean_loops": sum(one.loop.is_clean for one in looped if one.loop),
            "largest_cents": max(abs(one.cents) for one in instrument.samples),
        },
        "notes": instrument.notes,
        "samples": [_told(instrument, one, files[one.slot]) for one in instrument.samples],
    }


def _told(instrument: Instrument, one: Sample, file: str) -> dict[str, Any]:
    zone, loop = instrument.zone(one), one.loop
    return {
        "file": file,
        "patch_id": one.patch_id,
        "key": one.slot.root,
        "keys": [zone.low, zone.high],
        "velocities": [one.slot.layer.low, one.slot.layer.high],
        "morph_step": one.slot.step,
        "round_robin": one.slot.robin,
        "cents": round(one.cents, 3) if one.is_pitched else None,
        "level_db": round(one.level_db + instrument.gain_db, 2),
        "release_s": round(one.release_s, 3),
        "loop": loop
        and {
            "start": loop.start,
            "end": loop.end - 1,
            "fade": loop.fade,
            "correlation": round(loop.correlation, 4),
            "step": round(loop.step, 3),
            "spectrum": round(loop.spectrum, 3),
        },
    }
