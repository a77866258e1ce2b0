"""Training of the network that finds onsets: melodies made of the notes of datasets, so that every beginning is known.

Shapes: T samples, J frames of 10 ms, C channels, B melodies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator

from synth_explorer.data.dataset import NotesDataset
from synth_explorer.files import atomic_path
from synth_explorer.recordings import onsets

MELODY_S = 8.0
FOLLOWED_DB = 20.0  # under a note's first half second at its loudest: it has begun for a listener
VALIDATION_MELODIES = 96
NEAR_S = 0.05
LEAST_NOTES = 6  # of an instrument that plays melodies
BATCH, RATE = 16, 2e-3

Melody = tuple[np.ndarray, np.ndarray]


class Melodies:
    """Makes melodies of the notes of one split: audio [T] and the samples at which its notes begin."""

    def __init__(self, datasets: Sequence[NotesDataset], *, split: str, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._players = []
        for data in datasets:
            for name in data.instruments(split=split):
                notes = data.select(instrument=name, split=split)
                if len(notes) >= LEAST_NOTES:
                    self._players.append((data, notes))

    def __iter__(self) -> Iterator[Melody]:
        while True:
            yield self._melody()

    def _melody(self) -> Melody:
        rng, rate = self._rng, onsets.SAMPLE_RATE_HZ
        audio, begins = np.zeros(int(MELODY_S * rate), np.float32), []
        for _ in range(1 if rng.random() < 0.8 else 2):
            self._play(audio, begins, *self._players[rng.integers(len(self._players))])
        audio = _room(_swaying(audio, rng), rng) * np.float32(10 ** rng.uniform(-2.0, 0.0))
        noise = rng.standard_normal(len(audio)) if rng.random() < 0.5 else _hum(len(audio), rng)
        level = np.sqrt(np.mean(np.square(audio))) * 10 ** rng.uniform(-4.0, -1.5)
        return (audio + level * noise).astype(np.float32), np.array(sorted(begins), int)

    def _play(self, audio: np.ndarray, begins: list[int], data: NotesDataset, notes: np.ndarray) -> None:
        """Lay one instrument's notes into the audio."""
        rng, rate = self._rng, onsets.SAMPLE_RATE_HZ
        at, before = int(rng.uniform(0.02, 1.0) * rate), int(rng.choice(notes))
        release_s, rings = 10 ** rng.uniform(-1.9, -0.5), rng.random() < 0.25
        gap_s, pace_s = (0.0 if rng.random() < 0.5 else rng.uniform(0.02, 0.8)), 10 ** rng.uniform(-0.9, 0.2)
        while at < len(audio) - rate // 10:
            lasts_s = pace_s * 2 ** rng.uniform(-1.0, 1.0)
            now = before if rng.random() < 0.25 else int(rng.choice(notes))
            begin = 0
            for note in {now, *([int(rng.choice(notes))] if rng.random() < 0.1 else [])}:
                sound, begin = _cut(data, note, lasts_s=4.0 if rings else lasts_s, release_s=release_s)
                sound = sound[: len(audio) - at] * np.float32(10 ** rng.uniform(-0.4, 0.0))
                audio[at : at + len(sound)] += sound
            begins.append(at + begin)
            before = now
            at += int((lasts_s + gap_s * rng.uniform(0.5, 1.5)) * rate)


def _cut(data: NotesDataset, note: int, *, lasts_s: float, release_s: float) -> tuple[np.ndarray, int]:
    """A note from its onset on, let go after `lasts_s`, at a peak of 0.3; and the sample at which it is heard."""
    rate = onsets.SAMPLE_RATE_HZ
    sound = data.audio(note)[data.rows[note].onset_samples :]
    sound = sound * np.float32(0.3 / max(float(np.abs(sound).max()), 1e-6))
    hold = min(int(lasts_s * rate), len(sound))
    tail = np.exp(-np.arange(len(sound) - hold) / (0.25 * release_s * rate))
    sound[hold:] *= tail.astype(np.float32)
    sound = sound[: hold + int(1.5 * release_s * rate)]
    start = np.sqrt(np.convolve(np.square(sound[: rate // 2]), np.full(80, 1 / 80), "full"))
    return sound, int(np.argmax(start >= start.max() * 10 ** (-FOLLOWED_DB / 20)))


def _swaying(audio: np.ndarray, rng: Generator) -> np.ndarray:
    """Some melodies with a vibrato or a tremolo laid over them."""
    times_s = np.arange(len(audio)) / onsets.SAMPLE_RATE_HZ
    turn = 2 * np.pi * rng.uniform(3.5, 7.5)
    if rng.random() < 0.25:
        depth_s = (2 ** (rng.uniform(10, 70) / 1200) - 1) / turn
        away = depth_s * np.sin(turn * times_s + rng.uniform(0, 6))
        audio = np.interp(times_s + away, times_s, audio).astype(np.float32)
    if rng.random() < 0.15:
        audio = audio * (1 - rng.uniform(0.1, 0.5) * (0.5 + 0.5 * np.sin(turn * times_s))).astype(np.float32)
    return audio


def _room(audio: np.ndarray, rng: Generator) -> np.ndarray:
    """Some melodies in a room: noise that dies away."""
    if rng.random() < 0.7:
        return audio
    times_s = np.arange(int(0.6 * onsets.SAMPLE_RATE_HZ)) / onsets.SAMPLE_RATE_HZ
    echo = rng.standard_normal(len(times_s)) * np.exp(-times_s / rng.uniform(0.03, 0.15))
    echo *= rng.uniform(0.1, 0.7) / np.sqrt(np.sum(echo**2))
    echo[0] = 1.0
    size = len(audio) + len(echo)
    return np.fft.irfft(np.fft.rfft(audio, size) * np.fft.rfft(echo, size))[: len(audio)].astype(np.float32)


def _hum(samples: int, rng: Generator) -> np.ndarray:
    times_s = np.arange(samples) / onsets.SAMPLE_RATE_HZ
    base_hz = rng.choice([50.0, 60.0])
    return np.sum([np.sin(2 * np.pi * k * base_hz * times_s) * rng.uniform(0, 1.5 / k) for k in range(1, 8)], axis=0)


def targets(begins: np.ndarray, frames: int) -> np.ndarray:
    """[J]: 1 at the frame where a note begins, less beside it."""
    found = np.zeros(frames, np.float32)
    at = np.minimum(np.round(begins / onsets.HOP).astype(int), frames - 1)
    for away, value in ((2, 0.1), (1, 0.5), (0, 1.0)):
        for near in (np.maximum(at - away, 0), np.minimum(at + away, frames - 1)):
            found[near] = np.maximum(found[near], value)
    return found


def network() -> Any:
    """The network in Keras: bands [B, J, C] -> logits [B, J]."""
    import keras

    from synth_explorer.model.blocks import ResidualBlock

    inputs = keras.Input((None, len(onsets.WINDOWS) * onsets.BANDS))
    x = keras.layers.Dense(onsets.WIDTH, name="first")(inputs)
    for i, dilation in enumerate(onsets.DILATIONS):
        x = ResidualBlock(onsets.WIDTH, kernel_size=onsets.TAPS, dilation=dilation, name=f"block_{i}")(x)
    return keras.Model(inputs, keras.layers.Dense(1, name="last")(x)[..., 0])


def weights_of(model: Any) -> dict[str, np.ndarray]:
    """The weights of the Keras network by the names that `recordings.onsets` reads."""
    found = {}
    for name in ("first", "last"):
        layer = model.get_layer(name)
        found |= {f"{name}/kernel": layer.kernel, f"{name}/bias": layer.bias}
    for i in range(len(onsets.DILATIONS)):
        block = model.get_layer(f"block_{i}")
        found |= {f"block_{i}/norm/gamma": block.norm.gamma, f"block_{i}/norm/beta": block.norm.beta}
        for part, layer in (("conv", block.conv), ("dense", block.dense)):
            found |= {f"block_{i}/{part}/kernel": layer.kernel, f"block_{i}/{part}/bias": layer.bias}
    return {name: np.asarray(value, np.float32) for name, value in found.items()}


def scores(found: Sequence[np.ndarray], true: Sequence[np.ndarray]) -> tuple[float, float]:
    """Recall and precision of onsets in samples, each used once, within 50 ms."""
    near, hits = NEAR_S * onsets.SAMPLE_RATE_HZ, 0
    for mine, theirs in zip(found, true, strict=True):
        free = sorted(mine)
        for begin in sorted(theirs):
            close = [at for at in free if abs(at - begin) <= near]
            if close:
                free.remove(min(close, key=lambda at: abs(at - begin)))
                hits += 1
    return hits / max(1, sum(map(len, true))), hits / max(1, sum(map(len, found)))


def train(
    datasets: Sequence[NotesDataset], out: Path, *, rounds: int, seed: int = 0, say: Callable[[str], None] = print
) -> None:
    """Train for so many rounds of fresh melodies; after each, the averages of the last steps' weights are kept.

    `say`: called with a line a round: loss, and recall and precision on melodies of validation instruments.
    """
    import keras

    model = network()
    model.compile(keras.optimizers.AdamW(RATE, weight_decay=1e-2, use_ema=True, ema_momentum=0.99), _loss)
    heard = [
        melody
        for melody, _ in zip(Melodies(datasets, split="validation", seed=7), range(VALIDATION_MELODIES), strict=False)
    ]
    seen = [onsets.bands(audio) for audio, _ in heard]
    melodies, heap = iter(Melodies(datasets, split="train", seed=seed)), []
    for number in range(rounds):
        model.optimizer.learning_rate = RATE * max(0.02, min(1.0, 2 * (1 - number / rounds)))
        fresh = [next(melodies) for _ in range(6 * BATCH)]
        heap = [*heap, *((onsets.bands(audio), begins) for audio, begins in fresh)][-2000:]
        chosen = [heap[i] for i in np.random.default_rng(len(heap)).permutation(len(heap))[: 64 * BATCH]]
        x = np.stack([bands for bands, _ in chosen])
        y = np.stack([targets(begins, len(bands)) for bands, begins in chosen])
        loss = model.fit(x, y, batch_size=BATCH, verbose=0).history["loss"][-1]
        model.optimizer.finalize_variable_values(model.trainable_variables)
        weights = weights_of(model)
        plain = onsets.OnsetNetwork(weights)
        found = [onsets.HOP * onsets.peaks(plain(bands)) for bands in seen]
        recall, precision = scores(found, [begins for _, begins in heard])
        say(f"loss {loss:.4f}, recall {recall:.3f}, precision {precision:.3f}")
        with atomic_path(out) as temporary:
            kept: dict[str, Any] = {name: value.astype(np.float16) for name, value in weights.items()}
            np.savez(temporary, **kept)


def _loss(true: Any, logits: Any) -> Any:
    """Cross-entropy; what is no onset is far commoner."""
    from keras import ops

    each = ops.maximum(logits, 0.0) - logits * true + ops.log1p(ops.exp(-ops.abs(logits)))
    return ops.mean(each * (1.0 + 4.0 * true))
