"""Notes for training the WaveNet: latents, the fast decoder's sound in its two parts, and the target on its phases.

Each crop is encoded, bettered by `model.fit`, decoded by the fast decoder and given its enhancement; its target is
locked to that sound's phases (`locked`). That takes longer than a training step, so crops are prepared once, in shards
that several processes may write, and training draws from what is there.

Shapes: B notes, T = F * hop samples, F frames, C channels.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from synth_explorer.errors import DataError
from synth_explorer.files import atomic_path
from synth_explorer.model import enhancement
from synth_explorer.model.autoencoder import Autoencoder
from synth_explorer.train.batches import Batches
from synth_explorer.train.locked import lock

VERSION = 3  # of what is prepared: 1 had channels alone, 2 the detail too, 3 has the enhancement
SOUNDS = ("tones", "noise", "target")
AUDIO_UNIT = 1.0 / 16.0  # half-precision floats have no place for the quietest samples otherwise


class Preparer:
    """Makes shards from training batches; shard n is a function of (seed, n) alone."""

    def __init__(self, model: Autoencoder, batches: Batches, folder: Path, *, fit_steps: int) -> None:
        from keras import ops

        from synth_explorer import runtime
        from synth_explorer.model import synthesis
        from synth_explorer.model.fit import Fit

        self.batches, self.folder, self.fit_steps = batches, folder, fit_steps
        self.fit = Fit(model)
        self._encode = runtime.compiled(lambda audio, pitch_hz: model.encoder(audio, pitch_hz), ranks=(2, 2))

        def parts(z, pitch_hz, detail, long, short):
            controls = model.decoder(z, pitch_hz, detail + ops.zeros_like(z[..., :1]))
            whole = synthesis.render(controls, pitch_hz, long, short, model.decoder)
            calm = controls | {name: 0.0 * controls[name] for name in ("noise", "short_noise")}
            return whole, synthesis.render(calm, pitch_hz, long, short, model.decoder)

        self._parts = runtime.compiled(parts, ranks=(3, 2, 3, 3, 3))

    def path(self, shard: int) -> Path:
        """The file of a shard."""
        return self.folder / f"guided-{shard:05d}.npz"

    def prepare(self, shard: int) -> Path:
        """Write a shard unless it is there; returns its file."""
        path = self.path(shard)
        if path.exists():  # of this version, or GuidedNotes says so
            return path
        batch = self.batches.batch(shard)
        audio, pitch_hz = batch["target"], batch["target_pitch_hz"]
        z, detail = self.fit(self._encode(audio, pitch_hz), pitch_hz, audio, steps=self.fit_steps)
        phases = batch["noise_phase"], batch["short_noise_phase"]
        tones, noise = self._render(z, pitch_hz, detail, *phases)
        others = self._render(z, pitch_hz, detail, *(np.roll(phase, 1, axis=0) for phase in phases))  # another draw
        sizes = {"hop": self.batches.config.hop, "sample_rate_hz": self.batches.config.sample_rate_hz}
        missing = enhancement.hear(audio, *others, **sizes)
        tones, noise = (enhancement.apply(part, missing, **sizes) for part in (tones, noise))
        whole = tones + noise
        sounds = {"tones": tones, "noise": noise, "target": lock(audio, whole)}
        kept = np.isfinite(whole).all(axis=1) & (np.max(np.abs(audio), axis=1) > 1e-4)
        arrays = {name: (sound[kept] / AUDIO_UNIT).astype(np.float16) for name, sound in sounds.items()}
        arrays["original"] = (audio[kept] / AUDIO_UNIT).astype(np.float16)
        with atomic_path(path) as temporary:
            about = {"z": z[kept].astype(np.float32), "pitch_hz": pitch_hz[kept], "version": np.int64(VERSION)}
            np.savez(temporary, **about, **arrays)
        return path

    def _render(self, z, pitch_hz, detail, long, short) -> tuple[np.ndarray, np.ndarray]:
        """Tones and noise."""
        whole, tones = self._parts(z, pitch_hz, detail[:, None], long, short)
        return tones, whole - tones

    def run(self, shards: range, report: Callable[[str], None] = print) -> None:
        """Write many shards, those that are missing."""
        for shard in shards:
            self.prepare(shard)
            report(f"shard {shard} of {shards[0]} to {shards[-1]}")


class GuidedNotes:
    """Prepared crops, in memory as half-precision floats.

    Args:
        folder: where the shards lie.
        most: no more shards than this, the first ones.

    Raises:
        DataError: no shards there, or shards that another version of this program prepared.
    """

    def __init__(self, folder: str | Path, *, most: int | None = None) -> None:
        paths = sorted(Path(folder).glob("guided-*.npz"))[:most]
        if not paths:
            raise DataError(f"{folder} holds no prepared notes (guided-*.npz); prepare them first.")
        shards = [np.load(path, allow_pickle=False) for path in paths]
        for path, shard in zip(paths, shards, strict=True):
            if "version" not in shard.files or int(shard["version"]) != VERSION:
                raise DataError(f"{path} was prepared by another version of this program; prepare into a new folder.")
        names = [name for name in shards[0].files if name != "version"]
        self.arrays = {name: np.concatenate([shard[name] for shard in shards]) for name in names}

    def __len__(self) -> int:
        return len(self.arrays["z"])

    @property
    def hop(self) -> int:
        """Samples a frame."""
        return self.arrays["target"].shape[1] // self.arrays["z"].shape[1]

    def sounds(self, note: int | slice | np.ndarray, name: str) -> np.ndarray:
        """Tones, noise, target or original of some notes, float32 [..., T]."""
        return self.arrays[name][note].astype(np.float32) * AUDIO_UNIT
