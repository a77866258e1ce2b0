"""From a run of the WaveNet to a checkpoint: the best weights, and how much of the residual to add.

Shapes: B notes, T samples.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from synth_explorer import checkpoints, measure
from synth_explorer.decode.final import FinalRender
from synth_explorer.errors import DataError
from synth_explorer.model.guide import Guide
from synth_explorer.model.wavenet import WaveNet
from synth_explorer.model.wavenet_config import WaveNetConfig
from synth_explorer.train.guided import GuidedNotes

if TYPE_CHECKING:
    from synth_explorer.train.wavenet import WaveNetTraining

GAINS = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0)
TAILS = (0.0, 0.1, 0.25, 0.4)
NOTES = 16


def export(
    run: str | Path, out: str | Path, *, config: WaveNetTraining, final: bool = True, notes: int = NOTES, report=print
) -> checkpoints.CheckpointInfo:
    """Write the checkpoint that a run began from, with the run's best WaveNet beside its other files.

    Args:
        run: folder of the run.
        out: folder of the checkpoint; replaced if it is there.
        config: of the run.
        final: whether this form is the final render from now on.
        notes: how many validation crops the gain of the residual is chosen by.
        report: told what each gain comes to.

    Raises:
        DataError: a folder that holds no validated run.
    """
    run, out = Path(run), Path(out)
    if not (run / "best.npz").is_file():
        raise DataError(f"{run} holds no validated run (best.npz); train first.")
    source = checkpoints.verify(config.checkpoint)
    network = load(run, config, checkpoints.load_model(source).config)
    unseen, figures = GuidedNotes(config.validation), {}
    for tails in TAILS if network.config.form == "autoregressive" else (0.0,):
        for gain, distance in gains(network, unseen, tails=tails, count=notes).items():
            figures[gain, tails] = distance
            report(f"gain {gain:g}, tails {tails:g}: {distance:.3f} dB")
    gain, tails = fullest(figures)
    named = {f"gain {g:g}, tails {t:g}": round(distance, 4) for (g, t), distance in figures.items()}
    about = {"steps": config.steps, "validation_log_mel_db": named}
    told = {"gain": gain, "tails": tails, "final": final, "about": about}
    if out.resolve() == source.path.resolve():
        return checkpoints.add_wavenet(source, network, **told)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as temporary:
        new, old = Path(temporary) / out.name, Path(temporary) / "old"
        shutil.copytree(source.path, new)
        checkpoints.add_wavenet(checkpoints.verify(new), network, **told)
        if out.exists():
            out.rename(old)
        new.rename(out)
    return checkpoints.verify(out)


def fullest(figures: dict[tuple[float, float], float]) -> tuple[float, float]:
    """The largest gain that brings notes no farther than none does, with its nearest tails; if there is none, the
    gain of the smallest distance. `figures` are distances by (gain, tails), gain 0 among them."""
    alone = min(distance for (gain, _), distance in figures.items() if gain == 0.0)
    heard = {pair: distance for pair, distance in figures.items() if pair[0] > 0.0}  # at 0 it would add nothing
    worth = [pair for pair, distance in heard.items() if distance <= alone]
    return max(worth, key=lambda pair: (pair[0], -heard[pair])) if worth else min(heard, key=heard.__getitem__)


def load(run: Path, config: WaveNetTraining, sizes) -> WaveNet:
    """The network of a run with its best weights."""
    network = WaveNet(WaveNetConfig.from_dict(config.model), sizes, name="wavenet")
    network.build()
    with np.load(run / "best.npz", allow_pickle=False) as file:
        network.set_weights([file[name] for name in sorted(file.files)])
    return network


def gains(network: WaveNet, notes: GuidedNotes, *, tails: float = 0.0, count: int | None = None) -> dict[float, float]:
    """Mean log-mel distance in dB of free-running renders of prepared notes, by the gain of the residual.

    A gain of 0 is the fast decoder.

    Args:
        network: either form.
        notes: prepared notes that training never saw.
        tails: see `FinalRender`.
        count: how many of them; None: all.
    """
    chosen = np.unique(np.linspace(0, len(notes) - 1, min(count or len(notes), len(notes))).astype(int))
    found: dict[float, list[float]] = {gain: [] for gain in (0.0, *GAINS)}
    for note in chosen:
        original, fast, whole = rendered(network, notes, int(note), tails=tails)
        for gain, distances in found.items():
            sound = fast + gain * (whole - fast)
            rate = {"sample_rate_hz": network.sizes.sample_rate_hz}
            distances.append(measure.log_mel_distance_db(original, sound, **rate))
    return {gain: float(np.mean(distances)) for gain, distances in found.items()}


def rendered(
    network: WaveNet, notes: GuidedNotes, note: int, *, temperature: float = 1.0, tails: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One prepared note: the original, the fast decoder's sound and the free-running render of full gain, [T] each."""
    tones, noise, original = (notes.sounds(note, name) for name in ("tones", "noise", "original"))
    guide = Guide.of(tones[None], noise[None], network.config, network.sizes)
    z, pitch_hz = notes.arrays["z"][note], notes.arrays["pitch_hz"][note]
    how = {"samples": len(tones), "seed": note, "temperature": temperature, "engine": "auto"}
    chunks = FinalRender(network, tails=tails).stream(z, pitch_hz, guide, **how)
    return original, guide.sound[0], np.concatenate(list(chunks))
