"""What a decoder's figures stand beside: an untrained network, the other decoders, the ceiling, another seed.

Each baseline is a function from a note and its latents to a sound on the note's time axis.

Shapes: T samples.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from synth_explorer.explorer import Explorer
    from synth_explorer.explorer.decoders import Decoder
    from synth_explorer.latents import Latents

Baseline = Callable[[np.ndarray, "Latents"], np.ndarray]
MU_LAW_LEVELS = 256
OTHER_SEED = 1
UNTRAINED_SEED = 0


def baselines(explorer: Explorer, decoder: Decoder) -> dict[str, Baseline]:
    """By name: `mu_law_256` (the original through NSynth's quantiser: the ceiling of a network that is bound to it),
    `other_seed` (against the same decoder with seed 0, so noise alone), the checkpoint's other decoders, `untrained`.
    """
    found: dict[str, Baseline] = {"mu_law_256": lambda audio, latents: quantised(audio)}
    found |= {one.name: _decoded(explorer, one) for one in explorer.decoders if one != decoder}
    untrained = _untrained(explorer)
    if untrained is not None:
        found["untrained"] = _decoded(untrained, decoder)
    return found


def quantised(audio: np.ndarray) -> np.ndarray:
    """Audio [T] through 256-level mu-law and back; what lies beyond full scale is cut."""
    from synth_explorer.decode.wavenet.levels import audio_table, inputs_of, levels_of

    levels = levels_of(inputs_of(np.clip(audio, -1.0, 1.0), levels=MU_LAW_LEVELS), levels=MU_LAW_LEVELS)
    return audio_table(MU_LAW_LEVELS)[levels]


def restored(explorer: Explorer, latents: Latents, total_samples: int, decoder: Decoder, **options: Any) -> np.ndarray:
    """Decoded latents on the original's time axis, [T]."""
    from synth_explorer.audio import restore

    rendered = explorer.decode(latents, decoder=decoder, **options)
    return restore(rendered, lead_in_samples=latents.meta.lead_in_samples, total_samples=total_samples)


def _decoded(explorer: Explorer, decoder: Decoder) -> Baseline:
    return lambda audio, latents: restored(explorer, latents, len(audio), decoder)


def _untrained(explorer: Explorer) -> Explorer | None:
    """The same checkpoint with the decoder's network as it was before training; None for NSynth's."""
    from synth_explorer.explorer.default_family import DefaultFamily
    from synth_explorer.model.autoencoder import untrained

    family = explorer.family
    if not isinstance(family, DefaultFamily):
        return None
    model = untrained(family.config, seed=UNTRAINED_SEED)
    return type(explorer)(explorer.info, DefaultFamily.of(model, family.head), explorer.controls)
