"""What a checkpoint can do, as far as the page shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from synth_explorer.explorer.decoders import FINAL
from synth_explorer.ui.request.knobs import DIRECTIONS

if TYPE_CHECKING:
    from synth_explorer.explorer import Explorer


@dataclass(frozen=True)
class Abilities:
    """Which knobs a checkpoint obeys. `has_loudness`, `has_brightness`: whether these were calibrated."""

    has_loudness: bool
    has_brightness: bool
    has_noise: bool  # whether its decoder has noise apart from the partials
    has_spread: bool  # whether a direction for the width of the spectrum was calibrated, and for odd against even
    has_hollowness: bool
    has_pitch: bool  # whether pitch goes beside its latents
    is_slow: bool  # whether a sound is made on demand
    has_final: bool  # whether a final render can be made beside what is heard at once
    channels: int  # how many latent channels there are
    directions: tuple[str, ...]  # what its principal directions move, in words, as far as the page has knobs for them
    missing: str  # a sentence about what is not there; empty when everything is

    @classmethod
    def none(cls) -> Abilities:
        """Those of a checkpoint that cannot be loaded."""
        return cls(False, False, False, False, False, False, False, False, 16, (), "")

    @classmethod
    def of(cls, explorer: Explorer) -> Abilities:
        """Those of a loaded checkpoint."""
        loudness = explorer.controls.answers("loudness")
        brightness = explorer.controls.answers("brightness")
        lacks = [name for name, there in (("loudness", loudness), ("brightness", brightness)) if not there]
        sentences = []
        if lacks:
            sentences.append(
                f"{explorer.checkpoint_name} has no calibrated {' and '.join(lacks)}: their knobs are off, and its "
                "latent channels can be moved as they are."
            )
        if not explorer.has_pitch:
            sentences.append("Pitch lies inside its latents, where it can be neither set nor transposed.")
        is_slow = not explorer.decoders[0].answers_at_once
        return cls(
            has_loudness=loudness,
            has_brightness=brightness,
            has_noise=explorer.has_pitch and not is_slow,
            has_spread=explorer.controls.answers("spread"),
            has_hollowness=explorer.controls.answers("hollowness"),
            has_pitch=explorer.has_pitch,
            is_slow=is_slow,
            has_final=FINAL in explorer.decoders,
            channels=explorer.config.channels,
            directions=tuple(axis.name for axis in explorer.controls.principal[:DIRECTIONS]),
            missing=" ".join(sentences),
        )

    def obeys(self, need: str) -> bool:
        """Whether there is what an edit `needs`."""
        return getattr(self, f"has_{need}")

    @property
    def targets(self) -> list[str]:
        """What can oscillate and be drawn over time."""
        there = {"loudness": self.has_loudness, "brightness": self.has_brightness, "pitch": self.has_pitch}
        return [name for name, is_there in there.items() if is_there]
