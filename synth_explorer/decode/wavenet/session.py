"""What engines and the decoder agree on: a session that is advanced by blocks of samples.

Shapes: B notes, T samples, F frames, C conditioning channels, X inputs a sample, Q levels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

Scheme = Literal["plain", "pairs", "seven"]
"""Products of a layer: plain sums, minimal filtering, or that and Strassen's scheme; see `transforms`."""


@dataclass(frozen=True)
class Way:
    """Which products a group of notes takes, and why, in words."""

    scheme: Scheme
    why: str


PLAIN = Way("plain", "it knows no other")


@dataclass(frozen=True)
class Block:
    """The next samples of a batch: what goes in, and room for what comes out.

    `forced` holds network inputs that replace what was drawn, NaN where the drawn sample goes on. `levels` receives
    what was drawn (or would have been), `logits` the logits before each sample if wanted.
    """

    uniforms: np.ndarray  # [B, T] float64 in [0, 1)
    extra: np.ndarray  # [B, T, X - 1] float32
    forced: np.ndarray  # [B, T] float32
    levels: np.ndarray  # [B, T] int32, written
    logits: np.ndarray | None = None  # [B, T, Q] float32, written

    def part(self, begin: int, end: int) -> Block:
        """Some of its samples; writes go to the same arrays."""
        cut = slice(begin, end)
        logits = None if self.logits is None else self.logits[:, cut]
        return Block(self.uniforms[:, cut], self.extra[:, cut], self.forced[:, cut], self.levels[:, cut], logits)

    @property
    def samples(self) -> int:
        """T."""
        return self.uniforms.shape[1]


class Session(Protocol):
    """The state of a batch of notes in an engine; starts at time 0 with silence behind it."""

    def advance(self, block: Block) -> None:
        """Go on by the block's samples."""
        ...


class Engine(Protocol):
    """Weights as an engine wants them."""

    name: str
    precision: str

    def way(self, notes: int) -> Way:
        """Which products a batch takes, and why."""
        ...

    def open(self, conditioning: np.ndarray, *, temperature: float) -> Session:
        """A session for conditioning [B, F, C] float32."""
        ...
