"""The decoders by name: what each is, whether it answers at once, which engines compute it, what it reads.

The one place that knows their names. A checkpoint's are `explorer.decoders`, the default first; whoever wants to know
something of one asks it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from synth_explorer.errors import CheckpointError

AT_ONCE_ENGINES = ("auto", "numba", "keras")
SAMPLED_ENGINES = (*AT_ONCE_ENGINES, "numba-int16", "numba-int8")


@dataclass(frozen=True)
class Decoder:
    """A way from latents to sound.

    `answers_at_once`: whether a note takes a fraction of the time that it sounds, so that a slider can wait for it;
    otherwise it is made on demand, in chunks. `reads_enhancement`: whether it puts a note's enhancement back; a note
    without one sounds as by the default.
    """

    name: str  # what `--decoder` and files call it
    words: str  # what it is, for people
    answers_at_once: bool
    engines: tuple[str, ...]  # what can compute it, see `Explorer.decode`
    reads_enhancement: bool = False
    formerly: tuple[str, ...] = ()  # names that it had before; they are still understood

    def __str__(self) -> str:
        return self.name

    def check_engine(self, engine: str) -> None:
        """Raises CheckpointError naming the engines that there are."""
        if engine not in self.engines:
            raise CheckpointError(f"engine={engine!r} must be one of {', '.join(self.engines)}.")


FAST = Decoder("fast", "harmonics and filtered noise, for the hand", True, AT_ONCE_ENGINES)
FINAL = Decoder(
    "final",
    "the same with what a fitted note had beyond it, for what is kept",
    True,
    AT_ONCE_ENGINES,
    reads_enhancement=True,
    formerly=("wavenet", "wavenet-autoregressive"),
)
WAVENET = Decoder("wavenet", "sample by sample, on demand", False, SAMPLED_ENGINES)
WHOLE = Decoder("wavenet", "the whole signal, sample by sample, on demand", False, ("auto", "numba"))
KNOWN = (FAST, FINAL, WAVENET)
OF_FAMILY: dict[str, tuple[Decoder, ...]] = {
    "default": (FAST, FINAL),
    "nsynth": (WAVENET,),
    "wavenet": (WHOLE,),
}
"""The decoders of each family of checkpoints, its default first."""


def choose(given: str | Decoder | None, decoders: Sequence[Decoder], *, checkpoint: str) -> Decoder:
    """One of a checkpoint's decoders by its name, or one it had before; None: the first.

    Raises CheckpointError: the checkpoint has none of this name; the sentence names those that it has.
    """
    if given is None:
        return decoders[0]
    found = [one for one in decoders if given in (one, one.name)]
    found = found or [one for one in decoders if given in one.formerly]
    if not found:
        names = ", ".join(one.name for one in decoders)
        raise CheckpointError(f"decoder={str(given)!r} must be one that the checkpoint {checkpoint} has: {names}.")
    return found[0]
