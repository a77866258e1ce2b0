"""Directions of latents by three ways to learn them, judged by what is heard when they are decoded.

    python scripts/compare_directions.py data/sfz48 -o report.json

From paired views of notes, latents on one side and what is heard on the other: partial least squares (what
`calibrate` seeks directions by); matrix co-factorisation, non-negative factors of both views with one activation; and a
plain regression of the latents on what is heard. Each way gives a vector for one quality, the others alike. It is
scaled by what it moves on half of the notes of other instruments, and judged on the other half, as `calibrate` judges.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from synth_explorer import measure
from synth_explorer.calibration import answers, directions
from synth_explorer.calibration.hearing import SPAN, describe
from synth_explorer.calibration.response import Probe, along, hear
from synth_explorer.calibration.views import WINDOW_S
from synth_explorer.data.dataset import NotesDataset
from synth_explorer.explorer import Explorer
from synth_explorer.latents import Latents, midi_to_hz
from synth_explorer.pitch import HIGHEST_MIDI, LOWEST_MIDI

QUALITIES = ("noisiness", "spread", "hollowness")  # what no channel of the bundled models is tied to
BESIDE = ("loudness", "brightness")  # what stays alike beside them
MULTIPLES = (-2.0, -1.5, -1.0, -0.5, 0.5, 1.0, 1.5, 2.0)
FACTORS, LATENT_SHARES = (4, 8, 16), (0.3, 1.0, 3.0)  # how much the latents weigh beside what is heard
NOTES, PROBES, VIEWS_EACH, STRETCH_S = 240, 24, 4, 2.0


def main() -> None:
    """Parse, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--checkpoint", default="default")
    parser.add_argument("-o", "--out", type=Path, required=True)
    given = parser.parse_args()
    explorer, dataset = Explorer.load(given.checkpoint), NotesDataset(given.dataset)
    tied = [item.channel for item in (explorer.controls.loudness, explorer.controls.brightness) if item is not None]
    free = [channel for channel in range(explorer.config.channels) if channel not in tied]
    rows = [row for note in _encoded(explorer, dataset, "train", NOTES) for row in _views(explorer, note)]
    z, heard = (np.array(part) for part in zip(*rows, strict=True))
    known = np.isfinite(heard).all(axis=1)
    z, heard = z[known], heard[known]
    probes = [_probe(explorer, note) for note in _encoded(explorer, dataset, "validation", PROBES)]
    ways: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {"least squares": _regressed, "PLS": _pls}
    for factors in FACTORS:
        for share in LATENT_SHARES:
            ways[f"co-factorisation, {factors} factors, latents weigh {share:g}"] = _cofactored(factors, share)
    report: dict[str, object] = {"views": len(z), "probes": len(probes)}
    for name, way in ways.items():
        vectors = np.zeros((len(QUALITIES), explorer.config.channels))
        vectors[:, free] = way(heard, z[:, free])[: len(QUALITIES)]
        report[name] = {
            quality: _judged(explorer, probes, quality, vector)
            for quality, vector in zip(QUALITIES, vectors, strict=True)
        }
    given.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


class Heard(NamedTuple):
    """A note that was encoded, and the sound that its latents stand for [T]."""

    latents: Latents
    sound: np.ndarray


def _encoded(explorer: Explorer, dataset: NotesDataset, split: str, count: int) -> list[Heard]:
    """So many notes of a split, evenly spread."""
    playable = (dataset.column("pitch") >= LOWEST_MIDI) & (dataset.column("pitch") <= HIGHEST_MIDI)
    indices = np.array([i for i in dataset.select(split=split) if playable[i]])
    found = []
    for i in indices[np.linspace(0, len(indices) - 1, min(count, len(indices))).round().astype(int)].tolist():
        latents = explorer.encode(dataset.audio(i), pitch=float(dataset.column("pitch")[i]))
        found.append(Heard(latents, latents.heard_of(dataset.audio(i))))
    return found


def _probe(explorer: Explorer, note: Heard) -> Probe:
    frames = min(round(STRETCH_S * note.latents.frame_rate_hz), note.latents.frames)
    latents = note.latents.first(frames, duration_samples=frames * explorer.hop)
    audio, pitch_hz = explorer.decode(latents, seed=0), midi_to_hz(latents.pitch_midi)
    own = describe(audio, sample_rate_hz=explorer.sample_rate_hz, pitch_hz=pitch_hz)
    return Probe("", latents, audio, pitch_hz, own, explorer.decode(latents, seed=0, temperature=0.0))


def _views(explorer: Explorer, note: Heard) -> list[tuple[np.ndarray, list[float]]]:
    """Mean latents and what is heard, of some stretches of a note."""
    latents, frames = note.latents, max(1, round(WINDOW_S * note.latents.frame_rate_hz))
    found = []
    for first in np.linspace(0, max(0, latents.frames - frames), VIEWS_EACH).astype(int):
        part = note.sound[first * explorer.hop : (first + frames) * explorer.hop]
        if measure.rms_db(part) < measure.rms_db(note.sound) - 30.0:
            continue
        told = describe(part, sample_rate_hz=explorer.sample_rate_hz, pitch_hz=midi_to_hz(latents.pitch_midi))
        found.append((latents.z[first : first + frames].mean(axis=0), [told[name] for name in QUALITIES + BESIDE]))
    return found


def _regressed(heard: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Slopes [D, C] of the latents by what is heard."""
    return np.linalg.lstsq(heard - heard.mean(axis=0), z - z.mean(axis=0), rcond=None)[0]


def _pls(heard: np.ndarray, z: np.ndarray) -> np.ndarray:
    predict, centre = directions._fit(heard, z), heard.mean(axis=0)
    return predict(centre + np.eye(heard.shape[1])) - predict(centre[None])


def _cofactored(factors: int, latent_share: float) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """The way by non-negative factors of both views with one activation: [Z | H] = A [Wz | Wh], all non-negative.

    A quality's vector is the mean change of A Wz that goes with a change of A Wh by 1 in it alone.
    """
    from sklearn.decomposition import NMF

    def way(heard: np.ndarray, z: np.ndarray) -> np.ndarray:
        given = [
            np.clip((part - np.percentile(part, 0.5, axis=0)) / part.std(axis=0), 0.0, None) for part in (z, heard)
        ]
        given[0] *= latent_share * np.sqrt(heard.shape[1] / z.shape[1])
        model = NMF(factors, init="nndsvda", max_iter=2000, tol=1e-5, random_state=0)
        activation = model.fit_transform(np.concatenate(given, axis=1))
        by_z, by_heard = np.split(model.components_, [z.shape[1]], axis=1)
        by_z = by_z / (latent_share * np.sqrt(heard.shape[1] / z.shape[1])) * z.std(axis=0)
        by_heard = by_heard * heard.std(axis=0)
        spread = np.cov(activation.T)
        heard_spread = by_heard.T @ spread @ by_heard
        return np.linalg.pinv(heard_spread, rcond=1e-6) @ by_heard.T @ spread @ by_z

    return way


def _judged(explorer: Explorer, probes: list[Probe], quality: str, vector: np.ndarray) -> dict[str, object]:
    """How a vector answers: made to move its quality by what it says on half of the probes, judged on the others."""
    asks = tuple(multiple * SPAN[quality] for multiple in MULTIPLES)

    def sweeps(vector: np.ndarray, some: list[Probe]) -> list[list[dict[str, float | None]]]:
        swept = along(quality, "", vector, asks)
        return [
            [hear(explorer, probe, swept.apply(probe, ask), decoding={"seed": 0}) for ask in asks] for probe in some
        ]

    one = MULTIPLES.index(1.0)
    moved = answers.medians(
        [answers.slopes(s[MULTIPLES.index(-1.0)], s[one], asks[one]) for s in sweeps(vector, probes[::2])]
    )
    own = moved.get(quality, 0.0)
    if abs(own) < 0.05:
        return {"reason": f"a vector for 1 moves it by {own:.3f}"}
    vector = vector / own
    answer = answers.judge(quality, "", asks, sweeps(vector, probes[::2]), sweeps(vector, probes[1::2]))
    side = {other: figures["median"] * SPAN[quality] / SPAN[other] for other, figures in answer.figures["side"].items()}
    return {name: answer.figures[name] for name in ("spearman", "slope", "r2", "error")} | {
        "gain": own,
        "side": side,
        "most_side": max(map(abs, side.values()), default=None),
        "reason": answer.reason,
    }


if __name__ == "__main__":
    main()
