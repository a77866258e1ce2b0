"""Sizes of the decoders that work on the fast decoder's sound, sample by sample: frozen, saved as JSON."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from synth_explorer.errors import CheckpointError

FORMS = ("autoregressive", "parallel")


@dataclass(frozen=True)
class WaveNetConfig:
    """A gated dilated stack; lengths in samples.

    `form` says what the stack reads and gives: `autoregressive` its own past, a level of the residual at a time
    (`levels` of mu-law); `parallel` noise, the whole residual at once.
    """

    form: str = "autoregressive"
    layers: int = 18
    stages: int = 9  # dilation 2^(layer mod stages)
    width: int = 48
    skip_width: int = 96
    taps: int = 2
    start_taps: int = 16
    levels: int = 256
    condition_width: int = 64
    condition_channels: int = 48
    condition_hop: int = 128
    lookahead: int = 48  # how far ahead of the sample the fast decoder's sound is known to the stack
    whitening: int = 24  # order of the prediction filter; 0: none (the parallel form, which learns from spectra)
    range_rms: float = 24.0  # full scale of the residual, over the local RMS of the fast decoder's (whitened) sound
    scale_window: int = 1024  # of that local RMS
    scale_floor: float = 1e-6

    def __post_init__(self) -> None:
        if self.form not in FORMS:
            raise CheckpointError(f"form={self.form!r} must be one of {', '.join(FORMS)}.")
        for name in ("layers", "stages", "width", "skip_width", "taps", "start_taps", "condition_hop"):
            if getattr(self, name) < 1:
                raise CheckpointError(f"{name}={getattr(self, name)} must be at least 1.")
        if self.whitening < 0 or (self.form == "parallel" and self.whitening):
            raise CheckpointError(f"whitening={self.whitening} must be 0 (parallel), or 0 or more (autoregressive).")
        if self.levels < 2 or self.levels % 2:
            raise CheckpointError(f"levels={self.levels} must be an even number of at least 2.")

    def dilation(self, layer: int) -> int:
        """Dilation of a layer, counted from 0."""
        return 2 ** (layer % self.stages)

    @property
    def receptive_field(self) -> int:
        """Samples of the past that one sample depends on, itself included."""
        reach = (self.taps - 1) * sum(self.dilation(i) for i in range(self.layers))
        return reach + self.start_taps

    def to_dict(self) -> dict[str, Any]:
        """All fields, for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> WaveNetConfig:
        """From JSON. Raises CheckpointError for unknown fields or values that do not fit."""
        known = {f.name for f in dataclasses.fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise CheckpointError(f"The WaveNet's configuration has unknown fields: {', '.join(unknown)}.")
        try:
            return cls(**values)
        except TypeError as error:
            raise CheckpointError(f"The WaveNet's configuration does not fit: {error}.") from None
