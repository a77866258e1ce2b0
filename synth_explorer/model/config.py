"""Sizes of the default model: one frozen dataclass, saved as JSON beside the weights."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

import numpy as np

from synth_explorer.errors import CheckpointError
from synth_explorer.mel import mel_centres_hz
from synth_explorer.schema import Count, Depth, Field, NotZero, RateHz, Samples, Seconds, Width, Window, declared

MOST_PRODUCTS = 2**24  # of inputs and outputs of layers; each is some ten weights
PITCH_FEATURES = 25  # of `blocks.pitch_features`
REFERENCE_RATE_HZ = 16_000  # at which the windows of the losses and of the enhancement are stated


def check_weights(*layers: tuple[int, int, int]) -> None:
    """Refuse a network that takes more memory than a machine has. Each of `layers`: how many, inputs, outputs.

    Raises CheckpointError.
    """
    count = sum(number * inputs * outputs for number, inputs, outputs in layers)
    if count > MOST_PRODUCTS:
        raise CheckpointError(f"These sizes make a network of some {10 * count:,} weights; choose smaller ones.")


@declared(what="The model configuration", error=CheckpointError)
class ModelConfig:
    """Sample rate, latents and layer sizes. Every length is in samples, every frequency in Hz.

    Channel 0 of the latents is loudness, channel 1 brightness (see `frontend.Attributes`); the others are learned.
    """

    sample_rate_hz: RateHz = 16000
    hop: Window = 512
    channels: Annotated[Width, Field(ge=3)] = 16  # loudness, brightness, timbre
    pre_roll_samples: Samples = 512
    max_s: Seconds = 16.0
    subframes: Depth = 4  # frames of the decoder's spectra in one hop
    fine_steps: Depth = 2  # points of the level envelope in one subframe
    # front end
    n_fft: Window = 1024
    mel_bands: Width = 128
    short_n_fft: Window = 256
    short_mel_bands: Width = 32
    harmonic_n_fft: Window = 2048
    harmonic_features: Width = 64
    # encoder
    encoder_width: Width = 224
    encoder_blocks: Depth = 2
    latent_noise: float = 0.04
    # fast decoder
    decoder_width: Width = 288
    decoder_blocks: Depth = 4
    fine_width: Width = 192
    fine_blocks: Depth = 2
    harmonics: Width = 128
    harmonic_offsets: Width = 64
    half_partials: Count = 0  # at (k - 1/2) times the pitch: sub-octaves, and what lies between the harmonics
    envelope_bands: Width = 64
    noise_bands: Width = 96
    short_noise_bands: Width = 40
    # attributes
    loudness_offset_db: float = -40.0
    loudness_units_per_db: NotZero = 0.05
    brightness_reference_hz: Annotated[float, Field(gt=0.0)] = 1000.0
    attribute_floor: float = 0.1  # summed STFT magnitude at which the centroid leans half-way to its reference
    tilt_limit_db: float = 24.0  # per octave
    tilt_ridge: float = 0.005  # octaves of centroid given up per dB/octave of tilt
    # other rates than the first model's
    band_hz: float = 0.0  # top of everything that is heard and made; 0: half the rate
    magnitude_scale: float = 1.0  # of the features' magnitudes: longer windows, in samples, sum up more
    distance_bands: Width = 80  # mel bands of the loss

    def __post_init__(self) -> None:
        for size in (self.n_fft, self.short_n_fft, self.harmonic_n_fft):
            if size % self.subframe:
                raise CheckpointError(f"n_fft={size} must be a multiple of hop/subframes={self.subframe}.")
        check_weights(
            (self.encoder_blocks, self.encoder_width, self.encoder_width),
            (self.decoder_blocks, self.decoder_width, self.decoder_width),
            (self.fine_blocks, self.fine_width, self.fine_width),
        )
        if self.hop % (self.subframes * self.fine_steps):
            raise CheckpointError(f"hop={self.hop} must be a multiple of {self.subframes * self.fine_steps}.")
        if not 0.0 <= self.band_hz <= self.sample_rate_hz / 2:
            raise CheckpointError(f"band_hz={self.band_hz:g} must lie between 0 and half the rate.")

    @property
    def subframe(self) -> int:
        """Samples between two spectra of the decoder."""
        return self.hop // self.subframes

    @property
    def level_points(self) -> int:
        """Points of the level in a frame, P."""
        return self.subframes * self.fine_steps

    @property
    def frame_rate_hz(self) -> float:
        """Latent frames a second."""
        return self.sample_rate_hz / self.hop

    @property
    def top_hz(self) -> float:
        """Top of the band that is heard and made, at most half the rate."""
        return self.band_hz or self.sample_rate_hz / 2

    @property
    def widening(self) -> int:
        """By how much windows that are stated in samples at `REFERENCE_RATE_HZ` grow, so as to last as long."""
        return max(1, round(self.sample_rate_hz / REFERENCE_RATE_HZ))

    @property
    def multiples(self) -> np.ndarray:
        """Frequencies of all partials over the pitch, [K + H] float32: 1..K, then 1/2, 3/2, ..."""
        half = np.arange(1, self.half_partials + 1) - 0.5
        return np.concatenate([np.arange(1, self.harmonics + 1), half]).astype(np.float32)

    @property
    def envelope_hz(self) -> np.ndarray:
        """Centres of the bands of the partials' envelope, [M]."""
        return mel_centres_hz(self.envelope_bands, low_hz=20.0, high_hz=self.top_hz)

    @property
    def noise_hz(self) -> np.ndarray:
        """Centres of the bands of the noise, [M]."""
        return mel_centres_hz(self.noise_bands, low_hz=10.0, high_hz=self.top_hz)

    @property
    def short_noise_hz(self) -> np.ndarray:
        """Centres of the bands of the short noise, [M_short]."""
        return mel_centres_hz(self.short_noise_bands, low_hz=30.0, high_hz=self.top_hz)

    @property
    def detail_sizes(self) -> tuple[int, ...]:
        """Of a note's detail: bands of the envelope, harmonic offsets, short noise, half partials, noise bands."""
        fine = (self.envelope_bands, self.harmonic_offsets, self.short_noise_bands, self.half_partials)
        return (*fine, self.noise_bands)

    @property
    def detail_places(self) -> dict[str, np.ndarray]:
        """Where each number of a note's detail stands, in their order: part -> Hz, or multiples of the pitch."""
        return {
            "envelope of the partials, Hz": self.envelope_hz,
            "single partials, times the pitch": np.arange(1.0, self.harmonic_offsets + 1.0),
            "short noise, Hz": self.short_noise_hz,
            "partials between, times the pitch": self.multiples[self.harmonics :],
            "noise, Hz": self.noise_hz,
        }

    @property
    def detail_hz(self) -> np.ndarray:
        """Where each number of a note's detail stands in Hz, [D]; NaN for those at multiples of the pitch."""
        fixed = (self.envelope_hz, np.full(self.harmonic_offsets, np.nan), self.short_noise_hz)
        return np.concatenate([*fixed, np.full(self.half_partials, np.nan), self.noise_hz])

    @property
    def details(self) -> int:
        """Numbers of a note's detail, D."""
        return sum(self.detail_sizes)

    @property
    def learned(self) -> int:
        """Number of learned latent channels."""
        return self.channels - 2

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready dictionary."""
        return dataclasses.asdict(self)
