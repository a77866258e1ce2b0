"""The pitch head: `model.pitch_head` in numpy, from the weights that Keras saved.

Shapes: P frames of one note, N samples of the longest window, G bins of the log-frequency grid, H harmonics,
S classes (one a semitone), C features.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

from synth_explorer import pitch
from synth_explorer.errors import CheckpointError
from synth_explorer.files import UNREADABLE
from synth_explorer.model.pitch_cues import Listening
from synth_explorer.model.pitch_hearing import PRESENCE_DB, SIGHT, PitchHeadConfig, grid_matrix
from synth_explorer.model.pitch_verdict import Part, verdict
from synth_explorer.plain.layers import Dense, Norm, Weights

TINY = np.float32(1e-8)


class Doubt:
    """What kind of sound was listened to, and how likely its pitch is right: `model.pitch_doubt` of one sound."""

    def __init__(self, weights: Weights) -> None:
        self._parts = [
            Part(
                weights[f"doubt/{standard}/mean"],
                weights[f"doubt/{standard}/variance"],
                [(weights[f"doubt/{name}/kernel"], weights[f"doubt/{name}/bias"]) for name in layers],
            )
            for standard, layers in (
                ("standard_kind", ("kind_hidden_0", "kind_hidden_1", "kind")),
                ("standard_pitch", ("right_hidden_0", "right_hidden_1", "right")),
            )
        ]

    def judge(self, kind: np.ndarray, right: np.ndarray, *, needed: float) -> tuple[str, np.ndarray, float]:
        """As of `model.pitch_doubt.PitchDoubt`."""
        return verdict(*(part.logits(cue) for part, cue in zip(self._parts, (kind, right), strict=True)), needed=needed)


class Block:
    """Features [.., S, C] -> [.., S, C]: every class looks at those `SIGHT` away."""

    def __init__(self, weights: Weights, name: str) -> None:
        self._norm = Norm(weights, f"{name}/norm")
        self._tell, self._look, self._back = (Dense(weights, f"{name}/{part}") for part in ("tell", "look", "back"))

    def __call__(self, x: np.ndarray) -> np.ndarray:
        told, classes, far = self._tell(self._norm(x)), x.shape[-2], max(map(abs, SIGHT))
        padded = np.pad(told, [(0, 0)] * (x.ndim - 2) + [(far, far), (0, 0)])
        seen = np.concatenate([padded[..., far + away : far + away + classes, :] for away in SIGHT], axis=-1)
        return x + self._back(np.maximum(self._look(seen), np.float32(0.0)))


class PitchHead:
    """Frames of a note [P, N] and their weights [P] -> all that the network makes of them."""

    def __init__(self, config: PitchHeadConfig, weights: Weights) -> None:
        self.config = config
        self.doubt = Doubt(weights) if config.doubt_width else None
        self._mix, self._attention, self._frame_logits, self._logits = (
            Dense(weights, name) for name in ("mix", "attention", "frame_logits", "logits")
        )
        self._frame_blocks = [Block(weights, f"frame_block_{i}") for i in range(config.frame_blocks)]
        self._note_blocks = [Block(weights, f"note_block_{i}") for i in range(config.note_blocks)]
        self._norm = Norm(weights, "norm")
        edges = np.searchsorted(pitch.midi_to_hz(config.grid_midi()), config.crossovers_hz)
        edges = [0, *edges, len(config.grid_midi())]
        self._parts = [
            (window, *grid_matrix(config, window, low, high))
            for window, low, high in zip(config.windows, edges[:-1], edges[1:], strict=True)
        ]

    def listen(self, frames: np.ndarray, weights: np.ndarray) -> Listening:
        """All that the network makes of a note."""
        spectra = self._spectra(frames)
        presence = self._presence_db(spectra, weights)
        level = np.log(len(frames) * weights + np.float32(1e-9))
        x = np.maximum(self._mix(self._stack(spectra, level)), np.float32(0.0))
        for block in self._frame_blocks:
            x = block(x)
        score = self._attention(x) + level[:, None, None]
        share = np.exp(score - score.max(axis=0))  # of each frame, in each feature of each class
        note = (share * x).sum(axis=0) / share.sum(axis=0)
        for block in self._note_blocks:
            note = block(note)
        features = self._norm(note)
        logits = self._logits(features)[:, 0] + presence / np.float32(PRESENCE_DB)
        return Listening(logits, features, self._frame_logits(x)[..., 0], spectra, presence)

    def _spectra(self, frames: np.ndarray) -> np.ndarray:
        """Frames [P, N] -> log-frequency spectra [P, G], 0 (at `range_db` below the frame's peak) to 1 (peak)."""
        longest, parts = self.config.windows[0], []
        for window, start, matrix in self._parts:
            middle = frames[:, (longest - window) // 2 : (longest + window) // 2]
            hann = (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(window) / window)) * (4.0 / window)
            bins: NDArray[np.complex64] = rfft(middle * hann.astype(np.float32))[:, start : start + len(matrix)]
            parts.append(np.sqrt(np.square(bins.real) + np.square(bins.imag) + np.float32(1e-16)) @ matrix)
        spectra = np.concatenate(parts, axis=1)
        level_db = np.float32(20.0) * np.log10(spectra / (spectra.max(axis=1, keepdims=True) + TINY) + TINY)
        return np.maximum(np.float32(1.0) + level_db / np.float32(self.config.range_db), np.float32(0.0))

    def _presence_db(self, spectra: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Level at each class's own frequency under the loudest bin of the note's mean spectrum: [S], -60 to 0 dB."""
        config = self.config
        mean = weights @ spectra / weights.sum()
        at = config.bins_per_semitone * (12 + np.arange(config.classes))
        near = np.stack([mean[np.clip(at + away, 0, len(mean) - 1)] for away in (-1, 0, 1)])
        return np.maximum((near.max(axis=0) - mean.max()) * np.float32(config.range_db), np.float32(-60.0))

    def _stack(self, spectra: np.ndarray, level: np.ndarray) -> np.ndarray:
        """Spectra [P, G], log weights [P] -> [P, S, C]: bins at each class's harmonics; height, end, weight."""
        config = self.config
        step, classes, bins = config.bins_per_semitone, config.classes, spectra.shape[1]
        reach = step // 2 + 1  # bins seen on either side of a harmonic
        octaves = 1.0 + np.log2(np.asarray(config.harmonics))[:, None]
        near = np.round(12 * step * octaves).astype(int) + np.arange(-reach, reach + 1)  # [H, bins]
        index = step * np.arange(classes)[:, None] + near.reshape(1, -1)
        inside = (index >= 0) & (index < bins)
        seen = spectra[:, np.clip(index, 0, bins - 1)] * inside.astype(np.float32)
        place = np.stack([np.linspace(-1.0, 1.0, classes), 1.0 - inside.mean(axis=1)], axis=-1).astype(np.float32)
        shape = (len(spectra), classes)
        told = np.broadcast_to(np.float32(0.1) * level[:, None, None], (*shape, 1))
        return np.concatenate([seen, np.broadcast_to(place, (*shape, 2)), told], axis=-1)

    @classmethod
    def load(cls, config_path: str | Path, weights_path: str | Path) -> PitchHead:
        """Build from the JSON of a `PitchHeadConfig` and what Keras saved. Raises CheckpointError."""
        try:
            config = PitchHeadConfig(**json.loads(Path(config_path).read_text()))
            return cls(config, _read(Path(weights_path), config))
        except CheckpointError:
            raise
        except (*UNREADABLE, TypeError) as error:
            raise CheckpointError(f"The pitch head {Path(weights_path).name} cannot be loaded: {error}") from error


def _read(path: Path, config: PitchHeadConfig) -> dict[str, np.ndarray]:
    """Weights by the names that layers go by here."""
    import h5py

    with h5py.File(path) as file:
        return {
            f"{name}/{part}": np.asarray(file[f"{kept}/vars/{i}"], np.float32)
            for name, (kept, parts) in _places(config).items()
            for i, part in enumerate(parts)
        }


def _places(config: PitchHeadConfig) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Where Keras keeps each layer in its file, and what it keeps of it: by the attributes of `model.pitch_head`, and
    what lies in `layers` numbered by kind among all layers."""
    dense, norm, standard = ("kernel", "bias"), ("gamma", "beta"), ("mean", "variance")
    frames, notes = config.frame_blocks, config.note_blocks
    blocks = {f"frame_block_{i}": f"frame_blocks/block{_number(i)}" for i in range(frames)}
    blocks |= {f"note_block_{i}": f"layers/block{_number(frames + i)}" for i in range(notes)}
    found = {f"{name}/norm": (f"{kept}/norm", norm) for name, kept in blocks.items()}
    found |= {f"{name}/{part}": (f"{kept}/{part}", dense) for name, kept in blocks.items() for part in _PARTS}
    found |= {name: (kept, dense) for name, kept in _HEAD.items()} | {"norm": ("layers/layer_normalization", norm)}
    if config.doubt_width:
        found |= {f"doubt/{name}": (f"doubt/{kept}", dense) for name, kept in _DOUBT.items()}
        found |= {"doubt/standard_kind": ("doubt/layers/normalization", standard)}
        found |= {"doubt/standard_pitch": ("doubt/layers/normalization_1", standard)}
    return found


_PARTS = ("tell", "look", "back")
_HEAD = {
    "mix": "layers/dense",
    "attention": "attention",
    "frame_logits": "frame_logits",
    "logits": "layers/dense_3",
}
_DOUBT = {
    "kind_hidden_0": "kind_hidden/dense",
    "kind_hidden_1": "kind_hidden/dense_1",
    "kind": "kind",
    "right_hidden_0": "layers/dense_3",
    "right_hidden_1": "layers/dense_4",
    "right": "layers/dense_5",
}


def _number(i: int) -> str:
    """How Keras tells layers of one kind apart."""
    return f"_{i}" if i else ""
