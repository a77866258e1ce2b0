"""From a patch to the samples of an instrument, each rendered when it is asked for, once.

Shapes: T samples.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from synth_explorer.edits import Brightness, EditChain, Gain, SetPitch
from synth_explorer.errors import SpecError
from synth_explorer.instruments import sample, sustain
from synth_explorer.instruments.sample import Sample, Slot
from synth_explorer.instruments.zones import OCTAVES_PER_DB, layers
from synth_explorer.rendering import Mix, Patch, Renderer

MOST_STEPS = 32
LOUDEST = layers(1)[0]
PROBE_KEY = 60
COHERENT = 0.5
COMPARED_S = 1.0
SILENT = 1e-5  # a peak below it is no sound


class Probe(NamedTuple):
    """What all samples of a step of the morph share."""

    cents: float  # by which a render lies above the key that it was asked for
    begin: int  # sample at which it is first heard


class Maker:
    """Makes the samples of one patch.

    `morph_steps`: sounds from the first of its notes to the last, in straight lines, for the mod wheel; 1 takes the
    patch where it lies. `release_s`: of every sample; None: each note's own.

    Raises SpecError: a morph of one note, or a checkpoint that plays no keys.
    """

    def __init__(
        self, renderer: Renderer, patch: Patch, *, morph_steps: int = 1, release_s: float | None = None
    ) -> None:
        if not 1 <= morph_steps <= MOST_STEPS:
            raise SpecError(f"There can be 1 to {MOST_STEPS} steps of a morph; received {morph_steps}.")
        if morph_steps > 1 and len(patch.sources) == 1:
            raise SpecError("A morph on the mod wheel needs two to four notes; this patch has one.")
        if morph_steps > 1 and patch.mix.by_pitch:
            raise SpecError("The patch's notes go by pitch, so nothing else moves between them; leave the steps out.")
        if not renderer.explorer.has_pitch:
            name = renderer.explorer.checkpoint_name
            raise SpecError(f"Checkpoint {name!r} keeps pitch inside its latents: it plays no keys. Take another.")
        self.renderer, self.patch, self.morph_steps, self.release_s = renderer, patch, morph_steps, release_s
        self.sample_rate_hz = renderer.explorer.sample_rate_hz
        self._samples: dict[Slot, Sample] = {}
        self._loops: dict[tuple[int, int, int], Sample] = {}  # of the first layer of each key, step and robin

    @property
    def places(self) -> tuple[float, ...]:
        """Where each step lies between the first note (0) and the last (1)."""
        return (0.0,) if self.morph_steps == 1 else tuple(np.linspace(0.0, 1.0, self.morph_steps).tolist())

    def patch_of(self, slot: Slot, *, cents: float = 0.0) -> Patch:
        """The patch of a sample: at its key, so many cents lower, with its layer's brightness and level.

        The key is set as an edit, since the brightness then goes with it as it does in real instruments. Recordings by
        pitch that were struck as softly as the layer is are as dark as they are.
        """
        changes: dict[str, Any] = {"seed": self.patch.seed + slot.robin}
        if self.patch.mix.by_pitch:
            changes["mix"] = Mix(by_pitch=True, touch_db=(self.patch.mix.touch_db or 0.0) + slot.layer.level_db)
            changes["pitch_midi"] = float(slot.root)
        elif self.morph_steps > 1:
            changes["mix"] = Mix.of(weights_at(self.places[slot.step], len(self.patch.sources)))
        patch = self.patch.but(**changes)
        told_db = 0.0
        if patch.mix.by_pitch:
            as_it_is = patch.but(mix=Mix(by_pitch=True, touch_db=self.patch.mix.touch_db))
            told_db = self.renderer.told_db(patch) - self.renderer.told_db(as_it_is)
        darker = slot.layer.brightness_octaves - OCTAVES_PER_DB * told_db
        edits = (
            SetPitch(midi=slot.root - cents / 100.0),
            Brightness(octaves=round(darker, 6)),
            Gain(db=slot.layer.level_db),
        )
        return patch.but(edits=EditChain((*self.patch.edits, *edits)).at_work())

    def sample(self, slot: Slot) -> Sample:
        """One sample, corrected by the pitch that was heard of its step's probe.

        Raises SynthExplorerError: as `Renderer.render`.
        """
        if slot not in self._samples:
            beside = slot.root, slot.step, slot.robin
            patch = self.patch_of(slot, cents=self._probes[slot.step].cents)
            made = sample.make(
                slot,
                self.renderer.render(patch).audio,
                lead_samples=min(probe.begin for probe in self._probes),
                sample_rate_hz=self.sample_rate_hz,
                release_s=self.release_s,
                loop_of=self._loops.get(beside),
                patch_id=patch.id,
            )
            self.keep(made)
        return self._samples[slot]

    def keep(self, made: Sample) -> None:
        """Remember a sample, which another maker of the same patch may have made."""
        slot = made.slot
        self._samples[slot] = made
        self._loops.setdefault((slot.root, slot.step, slot.robin), made)

    @cached_property
    def _probes(self) -> tuple[Probe, ...]:
        return tuple(self._probe(step) for step in range(self.morph_steps))

    def _probe(self, step: int) -> Probe:
        slot = Slot(PROBE_KEY, LOUDEST, step)
        audio = self.renderer.render(self.patch_of(slot)).audio
        if np.abs(audio).max() < SILENT:
            raise SpecError("The patch makes no sound; there is nothing to play.")
        cents = sample.cents_above(audio, PROBE_KEY, sample_rate_hz=self.sample_rate_hz)
        begin = sustain.begin(audio, sample_rate_hz=self.sample_rate_hz)
        return Probe(0.0 if np.isnan(cents) else cents, begin)

    def coherence(self, slot: Slot) -> float:
        """How alike the waves of neighbouring steps of the morph run at a key: the mean of their correlations."""
        played = [
            self.sample(replace(slot, step=step)).played(round(COMPARED_S * self.sample_rate_hz))
            for step in range(self.morph_steps)
        ]
        return float(np.mean([np.corrcoef(a, b)[0, 1] for a, b in itertools.pairwise(played)]))

    def is_coherent(self, slot: Slot) -> bool:
        """Whether they run alike enough to be faded linearly into one another, not with equal power."""
        return self.coherence(slot) >= COHERENT


def weights_at(place: float, count: int) -> tuple[float, ...]:
    """Weights of notes at a place 0..1 on the way from the first over the others to the last, in straight lines."""
    at = np.clip(place, 0.0, 1.0) * (count - 1)
    return tuple(float(max(0.0, 1.0 - abs(at - index))) for index in range(count))


def crossfade(place: float, steps: int, *, is_coherent: bool) -> np.ndarray:
    """Gains [steps] of the sounds of a morph at a place 0..1: two neighbours sound at a time.

    Linear where their waves run alike, else of equal power.
    """
    part = np.array(weights_at(place, steps)) if steps > 1 else np.ones(1)
    return part if is_coherent else np.sqrt(part)
