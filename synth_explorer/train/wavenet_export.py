"""From a run of the WaveNet to a checkpoint: the best weights, and the temperature at which they sound best.

Shapes: B notes, T samples.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np

from synth_explorer import checkpoints, measure
from synth_explorer.decode.final import FinalRender
from synth_explorer.errors import DataError
from synth_explorer.model.guide import Guide
from synth_explorer.model.wavenet import WaveNet
from synth_explorer.model.wavenet_config import WaveNetConfig
from synth_explorer.train.guided import GuidedNotes
from synth_explorer.train.wavenet import WaveNetTraining

TEMPERATURES = (0.0, 0.25, 0.5, 0.75, 1.0)
NOTES = 12


def export(
    run: str | Path, out: str | Path, *, final: bool = True, notes: int = NOTES, report=print
) -> checkpoints.CheckpointInfo:
    """Write the checkpoint that a run began from, with the run's best WaveNet beside its other files.

    Args:
        run: folder of the run.
        out: folder of the checkpoint; replaced if it is there.
        final: whether this form is the final render from now on.
        notes: how many validation crops the temperature is chosen by.
        report: told of each temperature.

    Raises:
        DataError: a folder that holds no validated run.
    """
    run, out = Path(run), Path(out)
    if not (run / "best.npz").is_file() or not (run / "config.json").is_file():
        raise DataError(f"{run} holds no validated run (best.npz and config.json); train first.")
    config = WaveNetTraining(**json.loads((run / "config.json").read_text(encoding="utf-8")))
    source = checkpoints.verify(config.checkpoint)
    network = load(run, config, checkpoints.load_model(source).config)
    figures = temperatures(network, GuidedNotes(config.validation), count=notes)
    named = {"fast" if t is None else f"temperature {t:g}": round(d, 4) for t, d in figures.items()}
    for name, distance in named.items():
        report(f"{name}: {distance:.3f} dB")
    best = min((t for t in figures if t is not None), key=lambda t: figures[t])
    if out.resolve() != source.path.resolve():
        if out.exists():
            shutil.rmtree(out)
        shutil.copytree(source.path, out)
    about = {
        "steps": config.steps,
        "validation_log_mel_db": {
            "fast" if t is None else f"temperature {t:g}": round(d, 4) for t, d in figures.items()
        },
    }
    return checkpoints.add_wavenet(checkpoints.verify(out), network, temperature=best, final=final, about=about)


def load(run: Path, config: WaveNetTraining, sizes) -> WaveNet:
    """The network of a run with its best weights."""
    network = WaveNet(WaveNetConfig.from_dict(config.model), sizes, name="wavenet")
    network.build()
    with np.load(run / "best.npz", allow_pickle=False) as file:
        network.set_weights([file[name] for name in sorted(file.files)])
    return network


def temperatures(network: WaveNet, notes: GuidedNotes, *, count: int | None = None) -> dict[float | None, float]:
    """Mean log-mel distance in dB of free-running renders of prepared notes, by temperature; None is the fast decoder.

    Args:
        network: either form.
        notes: prepared notes that training never saw.
        count: how many of them; None: all.
    """
    chosen = np.unique(np.linspace(0, len(notes) - 1, min(count or len(notes), len(notes))).astype(int))
    rate = {"sample_rate_hz": network.sizes.sample_rate_hz}
    found: dict[float | None, list[float]] = {t: [] for t in (None, *TEMPERATURES)}
    render = FinalRender(network)
    for note in chosen:
        tones, noise, original = (notes.sounds(note, name) for name in ("tones", "noise", "original"))
        guide = Guide.of(tones[None], noise[None], network.config, network.sizes)
        z, pitch_hz = notes.arrays["z"][note], notes.arrays["pitch_hz"][note]
        found[None].append(measure.log_mel_distance_db(original, guide.sound[0], **rate))
        for temperature in TEMPERATURES:
            how = {"samples": len(tones), "seed": int(note), "temperature": temperature, "engine": "auto"}
            sound = np.concatenate(list(render.stream(z, pitch_hz, guide, **how)))
            found[temperature].append(measure.log_mel_distance_db(original, sound, **rate))
    return {temperature: float(np.mean(values)) for temperature, values in found.items()}
