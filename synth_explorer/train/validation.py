"""The figure of training: how near notes of unseen instruments come back.

Shapes: B notes, T samples, F frames.
"""

from __future__ import annotations

import numpy as np

from synth_explorer.errors import DataError


def validation_distance_db(model, sources, *, notes: int, batch: int = 8, split: str = "validation") -> float:
    """Mean log-mel distance in dB over a fixed choice of whole notes of unseen instruments, by the training graph."""
    from synth_explorer import pitch as pitch_tracks

    config = model.config
    picked = [pick(source.notes, split, max(1, notes // len(sources))) for source in sources]
    pairs = [(source, i) for source, chosen in zip(sources, picked, strict=True) for i in chosen]
    batch = min(batch, len(pairs))
    pairs = pairs[: len(pairs) // batch * batch]
    rng, figures = np.random.default_rng(0), []
    for first in range(0, len(pairs), batch):
        group = pairs[first : first + batch]
        frames = group[0][0].notes.samples // config.hop
        audio = np.stack([s.notes.audio(i)[: frames * config.hop] for s, i in group])
        cents = np.stack([s.cents[i][:frames] for s, i in group]).astype(np.float64)
        midi = np.array([s.pitch[i] for s, i in group])
        track = (pitch_tracks.midi_to_hz(midi)[:, None] * 2.0 ** (cents / 1200.0)).astype(np.float32)
        inputs = {
            "source": audio,
            "target": audio,
            "source_pitch_hz": track,
            "target_pitch_hz": track,
            "weight": np.ones(batch, np.float32),
            "latent_noise": np.zeros((batch, frames, config.learned), np.float32),
            "noise_phase": rng.random((batch, frames, config.hop + 1), dtype=np.float32),
            "short_noise_phase": rng.random((batch, frames * config.subframes, config.subframe + 1), dtype=np.float32),
        }
        if config.band_hz:
            inputs["bandwidth_hz"] = np.array([s.ends_hz(i, config) for s, i in group], np.float32)
        output = model.predict_on_batch(inputs)["audio"]
        distance = model.spectral.log_mel(audio, output, inputs.get("bandwidth_hz"))
        figures.append(np.asarray(distance) * (20.0 / np.log(10.0)))
    return float(np.mean(np.concatenate(figures)))


def crops(sources, notes: int, *, frames: int, hop: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Sounds [T] and pitches [F] in Hz of crops of unseen instruments' notes: by turns the beginning and the middle."""
    from synth_explorer.pitch import midi_to_hz

    found = []
    for source in sources:
        later = max(0, min(frames, source.notes.samples // hop - frames))
        for number, note in enumerate(pick(source.notes, "validation", max(1, notes // len(sources)))):
            start = (number % 2) * later
            cents = source.cents[note][start : start + frames].astype(np.float64)
            sound = source.notes.audio(note)[start * hop : (start + frames) * hop]
            found.append((sound, (midi_to_hz(source.pitch[note]) * 2.0 ** (cents / 1200.0)).astype(np.float32)))
    return found


def pick(dataset, split: str, count: int) -> list[int]:
    """A fixed, evenly spread choice of `count` notes of a split. Raises DataError: it has none."""
    chosen = np.flatnonzero(np.asarray(dataset.column("split")) == split)
    if not len(chosen):
        raise DataError(f"{dataset.folder} has no notes in the split {split!r}; give a dataset of more instruments.")
    return [int(chosen[i]) for i in np.linspace(0, len(chosen) - 1, count).astype(int)]
