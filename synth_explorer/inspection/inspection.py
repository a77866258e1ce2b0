"""One note under the glass: its latents and sounds before and after edits, measured.

Shapes: T samples, F frames, C channels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from synth_explorer import measure
from synth_explorer.edits import EditChain
from synth_explorer.errors import AudioError, LatentsError
from synth_explorer.inspection.channels import ChannelUse, channel_names, channel_use
from synth_explorer.inspection.examples import Examples
from synth_explorer.inspection.hearing import Heard, hear
from synth_explorer.inspection.verdicts import Verdict, source_verdict, verdicts
from synth_explorer.latents import Latents, midi_to_hz

if TYPE_CHECKING:
    from synth_explorer.explorer import Explorer


@dataclass(frozen=True, eq=False)
class Inspection:
    """Everything that the report shows, as numbers.

    `sounds`: role -> what is heard: "original" where there is a recording, the others where they were decoded.
    `detail_places`: where the numbers of a detail stand (`ModelConfig.detail_places`); empty where there is none.
    """

    explorer_name: str  # of the checkpoint, with `checkpoint_hash` and `decoder`
    checkpoint_hash: str
    decoder: str
    seed: int  # of the decoder
    latents: dict[str, Latents]  # role -> latents: "before" always, "after" where there are edits
    sounds: dict[str, Heard]
    chain: EditChain  # the edits; empty where there are none
    outcomes: tuple[str, ...]  # what the closed loop said of each edit, as sentences
    verdicts: tuple[Verdict, ...]  # requested against measured; empty where there are no edits or nothing was decoded
    names: tuple[str, ...]  # of the channels
    examples: Examples  # the notes that this one is compared with
    use: dict[str, ChannelUse]  # role -> what the channels do
    means: dict[str, np.ndarray]  # role -> mean sound, float64 [C]
    remarks: tuple[str, ...]  # what is missing, and why, in sentences
    detail_places: dict[str, np.ndarray]

    @property
    def sample_rate_hz(self) -> int:
        return self.latents["before"].meta.sample_rate_hz

    @property
    def title(self) -> str:
        """What the note is called."""
        return self.latents["before"].meta.source or "A note"

    @property
    def edited(self) -> bool:
        return "after" in self.latents


def inspect(
    explorer: Explorer,
    latents: Latents,
    examples: Examples,
    *,
    edited: Latents | None = None,
    chain: EditChain | None = None,
    outcomes: Sequence[str] = (),
    original: np.ndarray | None = None,
    seed: int = 0,
    decode_s: float | None = None,
    decode: Callable[..., np.ndarray] | None = None,
) -> Inspection:
    """Look at a note, and at what edits did to it.

    Args:
        latents: the note before its edits.
        examples: see `examples.examples`.
        edited: the note after them; None: `chain` is applied to it by its formulas.
        chain: the edits; None or empty: there are none.
        outcomes: what the closed loop said of them.
        original: [T], the recording on the latents' time axis (`aligned`), if there is one.
        seed: of the decoder.
        decode_s: decode so many seconds from the start; None: all with the fast decoder, nothing without it.
        decode: (latents, seed=...) -> audio [T], which may show its progress; None: the explorer's.

    Raises EditError, LatentsError: as `Explorer.edit` and `Explorer.decode`; or decode_s is not positive.
    """
    if decode_s is not None and not (np.isfinite(decode_s) and decode_s > 0):
        raise LatentsError(f"decode_s={decode_s} must be a positive number of seconds.")
    chain = EditChain() if chain is None else chain
    scores = {"before": latents}
    if len(chain):
        scores["after"] = explorer.edit(latents, chain) if edited is None else edited
    remarks: list[str] = []
    sounds = _sounds(
        explorer, scores, original, remarks, seed=seed, decode_s=decode_s, decode=decode or explorer.decode
    )
    if not latents.has_pitch:
        remarks.append("This checkpoint keeps pitch inside its latents: pitch is estimated from the sounds.")
    judged = _judged(chain, scores, sounds, explorer.sample_rate_hz, remarks)
    controls = explorer.controls
    has_detail = any(score.details for score in scores.values())
    places = {"centre": examples.centre, "spread": examples.spread}
    return Inspection(
        explorer_name=explorer.checkpoint_name,
        checkpoint_hash=explorer.checkpoint_hash,
        decoder=explorer.decoders[0].name,
        seed=seed,
        latents=scores,
        sounds=sounds,
        chain=chain,
        outcomes=tuple(outcomes),
        verdicts=tuple(judged),
        names=tuple(channel_names(latents.channels, controls)),
        examples=examples,
        use={role: channel_use(score, controls, **places) for role, score in scores.items()},
        means={role: controls.time_mean(score) for role, score in scores.items()},
        remarks=tuple(remarks),
        detail_places=getattr(explorer.config, "detail_places", {}) if has_detail else {},
    )


def shortened(latents: Latents, seconds: float) -> Latents:
    """The first so many seconds of latents, all of them where they are shorter."""
    samples = min(latents.duration_samples, max(1, round(seconds * latents.meta.sample_rate_hz)))
    frames = min(latents.frames, -(-samples // latents.meta.hop))
    return latents.first(frames, duration_samples=samples)


def _sounds(
    explorer: Explorer,
    scores: dict[str, Latents],
    original: np.ndarray | None,
    remarks: list[str],
    *,
    seed: int,
    decode_s: float | None,
    decode: Callable[..., np.ndarray],
) -> dict[str, Heard]:
    """The sounds that there are, by role; `remarks` get what is missing."""
    audio: dict[str, np.ndarray] = {}
    if original is not None:
        audio["original"] = original
    else:
        remarks.append("The note is latents: there is no recording to compare with.")
    if decode_s is None and not explorer.decoders[0].answers_at_once:
        remarks.append(
            f"Nothing was decoded: {explorer.checkpoint_name} has no fast decoder, and its {explorer.decoders[0]} "
            "makes one sample after another. Ask for a stretch with --decode-s SECONDS."
        )
    else:
        for role, score in scores.items():
            audio[role] = decode(score if decode_s is None else shortened(score, decode_s), seed=seed)
        if decode_s is not None and decode_s < max(score.duration_s for score in scores.values()):
            remarks.append(f"Decoded were the first {decode_s:g} s, as was asked: the figures of sounds are of those.")
    rate_hz = explorer.sample_rate_hz
    return {
        role: hear(sound, sample_rate_hz=rate_hz, around_hz=_pitch_hz(scores.get(role, scores["before"])))
        for role, sound in audio.items()
    }


def _pitch_hz(latents: Latents) -> float | None:
    """The middle of a pitch track; None where there is none."""
    return midi_to_hz(latents.pitch_midi) if latents.has_pitch else None


def _source(sounds: dict[str, Heard]) -> np.ndarray | None:
    """The recording, as far as it was decoded; None where there is none, or nothing was decoded of any length."""
    if not {"original", "before"} <= set(sounds) or any(
        sounds[role].time_s.size == 0 for role in ("original", "before")
    ):
        return None
    return sounds["original"].audio[: sounds["before"].audio.size]


def _judged(
    chain: EditChain, scores: dict[str, Latents], sounds: dict[str, Heard], sample_rate_hz: int, remarks: list[str]
) -> list[Verdict]:
    """Requested against measured, where there are edits and both sounds; the sound without edits against its source."""
    source = _source(sounds)
    before_hz = _pitch_hz(scores["before"])
    if not len(chain):
        if source is None or before_hz is None:
            return []
        pair = source, sounds["before"].audio
        return [source_verdict(measure.against_source(*pair, sample_rate_hz=sample_rate_hz, around_hz=before_hz))]
    if not {"before", "after"} <= set(sounds):
        remarks.append("Requested is not set against measured: the edits were not decoded.")
        return []
    if any(sounds[role].time_s.size == 0 for role in ("before", "after")):
        remarks.append("Requested is not set against measured: the sounds last less than 8 ms.")
        return []
    pitches: Any = tuple(_pitch_hz(scores[role]) for role in ("before", "after"))
    known_hz = None if None in pitches else pitches
    pair = (sounds["before"].audio, sounds["after"].audio)
    try:
        report = measure.report(chain, *pair, sample_rate_hz=sample_rate_hz, pitch_hz=known_hz, source=source)
    except AudioError as error:
        remarks.append(f"Requested is not set against measured: {error}")
        return []
    return verdicts(report, chain)
