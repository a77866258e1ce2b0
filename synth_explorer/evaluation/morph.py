"""Whether a morph keeps its pitch and lies between its two notes.

Shapes: T samples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from synth_explorer.batch.errands import Site
from synth_explorer.errors import DataError
from synth_explorer.evaluation.index import How, Setup, each
from synth_explorer.index import IndexRow, read_index
from synth_explorer.latents import Latents

if TYPE_CHECKING:
    from synth_explorer.explorer import Explorer

MIXES = (0.25, 0.5, 0.75)
_Found = dict[float, tuple[np.ndarray, float, dict[str, float]]]


def evaluate_morph(explorer: Explorer, notes_folder: str | Path, **options: Any) -> dict[str, Any]:
    """Morph each note with the next one of its pitch at 0.25, 0.5 and 0.75; measure pitch and place between the two.

    The notes that can be read are paired along the index within each (rounded) pitch: first with second, second with
    third, and so on. `options`: of `index.Setup`; renders are called after both notes and the mix.
    Per render: pitch_cents from the asked pitch (by `measure.pitch_cents_difference` against the nearer source), and
    log-mel distance to both sources.
    """
    setup = Setup(explorer=explorer, **options)
    notes = [note for note in read_index(Path(notes_folder), IndexRow) if note.pitch is not None]
    stems, alike = setup.stems(notes), Counter(_key(note) for note in notes)
    paired = [note for note in notes if alike[_key(note)] > 1]
    if not paired:
        raise DataError(f"{notes_folder} has no two notes of one pitch to morph.")
    latents: dict[int, Latents] = {}
    pairs: list[_Pair] = []
    rows: dict[int, list[dict[str, Any]]] = {}

    def take(number: int, found: _Found) -> None:
        first, second = pairs[number].notes
        names = {"a": first.path.name, "b": second.path.name, "pitch": first.pitch}
        rows[number] = [names | {"mix": mix} | figures for mix, (_, _, figures) in found.items()]
        for mix, (rendered, midi, _) in found.items() if stems else ():
            setup.keep(f"{stems[first.path]}__{stems[second.path]}__{round(100 * mix):03d}", rendered, midi)

    with setup.at_work(partial(_done, setup.how), len(paired)) as at_work:
        each(at_work, paired, latents.__setitem__, failed=setup.failed, progress=setup.progress)
        by_pitch: dict[int, list[int]] = {}
        for number in sorted(latents):
            by_pitch.setdefault(_key(paired[number]), []).append(number)
        for a, b in (pair for group in by_pitch.values() for pair in pairwise(group)):
            pairs.append(_Pair((paired[a], paired[b]), (latents[a], latents[b])))
        if by_pitch and not pairs:
            why = "; ".join(f"{one['path']}: {one['error']}" for one in setup.failed)
            raise DataError(f"{notes_folder} has no two notes of one pitch that can be used. {why}")
        each(at_work, pairs, take, of=_first, failed=setup.failed, progress=setup.progress)
    report = setup.report([row for number in sorted(rows) for row in rows[number]])
    cents = np.abs([row["pitch_cents"] for row in report["per_note"]])
    report["summary"]["pitch_within_half_semitone"] = float(np.mean(cents <= 50.0))
    return report


class _Pair(NamedTuple):
    """Two notes of one pitch."""

    notes: tuple[IndexRow, IndexRow]
    latents: tuple[Latents, Latents]


def _first(pair: _Pair) -> Path:
    return pair.notes[0].path


def _done(how: How, site: Site, task: IndexRow | _Pair) -> Latents | _Found:
    """A note's latents, or the morphs of two."""
    if isinstance(task, IndexRow):
        return how.encode(site.explorer, site.path(task.path), task)
    midi = task.notes[0].pitch
    assert midi is not None
    return _morphs(site.explorer, task.latents, midi, **how.decoding(site.explorer))


def _key(note: IndexRow) -> int:
    """The rounded pitch of a note that has one."""
    assert note.pitch is not None
    return round(note.pitch)


def _morphs(explorer: Explorer, ends: Sequence[Latents], midi: float, **decoding: Any) -> _Found:
    """Two notes' morphs by their mixes: audio [T], MIDI pitch (NaN: unknown), figures."""
    sounds = [explorer.decode(end, **decoding) for end in ends]
    found = {}
    for mix in MIXES:
        mixed = explorer.morph(ends, (1.0 - mix, mix))
        rendered = explorer.decode(mixed, **decoding)
        found[mix] = rendered, mixed.pitch_midi, _morph_distances(explorer, rendered, sounds, midi)
    return found


def _morph_distances(explorer: Explorer, rendered: np.ndarray, sounds: list[np.ndarray], midi: float) -> dict[str, Any]:
    """Pitch and distance to both ends of one morph."""
    from synth_explorer import measure
    from synth_explorer.latents import midi_to_hz

    near = explorer.estimate_pitch(rendered)[0] if explorer.has_pitch else midi  # partials lie around other pitches too
    heard_hz = measure.pitch_hz(rendered, sample_rate_hz=explorer.sample_rate_hz, around_hz=midi_to_hz(near))
    to_a, to_b = (measure.log_mel_distance_db(s, rendered, sample_rate_hz=explorer.sample_rate_hz) for s in sounds)
    cents = 1200.0 * float(np.log2(heard_hz / midi_to_hz(midi)))
    return {"pitch_cents": cents, "log_mel_to_a_db": to_a, "log_mel_to_b_db": to_b}
