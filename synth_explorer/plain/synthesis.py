"""The fast decoder's sound of one note, and the way from slopes by it back to the controls.

The signal is that of `model.synthesis.render`; `decode.synthesis` makes the same for a listener.

Shapes: T samples, F frames, J subframes, L samples of a subframe, S level points, K harmonics, H partials between them,
M bands, N bins.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft

from synth_explorer.decode.sines import amplitude_slopes, cycles_of, sum_of_sines
from synth_explorer.decode.synthesis import turns, window
from synth_explorer.model.config import ModelConfig
from synth_explorer.plain.controls import Controls, Slopes
from synth_explorer.plain.curves import upsample, upsample_back
from synth_explorer.runtime import Helpers

Back = Callable[[np.ndarray], np.ndarray]
_POOL = Helpers(1, thread_name_prefix="noise")


class Synthesis:
    """Controls of a note whose pitch [F] in Hz is known -> its sound."""

    def __init__(self, config: ModelConfig, pitch_hz: np.ndarray, controls: Controls) -> None:
        self._config, self._noise_matrix, self._short_matrix = config, controls.noise_matrix, controls.short_matrix
        sizes = {"subframes": config.subframes, "subframe": config.subframe, "sample_rate_hz": config.sample_rate_hz}
        pitch_hz = np.asarray(pitch_hz, np.float64)
        self._cycles, self._half_cycles = (cycles_of(part * pitch_hz, **sizes) for part in (1.0, 0.5))

    def traced(
        self, controls: dict[str, np.ndarray], phase: np.ndarray, short_phase: np.ndarray
    ) -> tuple[np.ndarray, Callable[[np.ndarray], Slopes]]:
        """The sound [T], and the way back. Phases of the noises in cycles: [F, hop + 1] and [J, L + 1]."""
        config = self._config
        hissing = _POOL.submit(_noise, controls["noise"], self._noise_matrix, phase, hop=config.hop)
        click, click_back = _noise(controls["short_noise"], self._short_matrix, short_phase, hop=config.subframe)
        tones = self._tones(controls["harmonic"])
        hiss, hiss_back = hissing.result()
        step = config.subframe // config.fine_steps
        level, shape = upsample(controls["level"], step), tones + hiss + click

        def back(slope: np.ndarray) -> Slopes:
            by_level = upsample_back(slope * shape, step)
            slope = slope * level
            by_hiss = _POOL.submit(hiss_back, slope)
            by_click, by_tones = click_back(slope), self._tones_back(slope, controls["harmonic"].shape)
            return {"harmonic": by_tones, "noise": by_hiss.result(), "short_noise": by_click, "level": by_level}

        return shape * level, back

    def _tones(self, amplitude: np.ndarray) -> np.ndarray:
        """Partials [J, K + H] -> [T]."""
        tones = np.zeros(self._cycles.shape, np.float32)
        for part, start in self._series(amplitude.shape[1]):
            tones += sum_of_sines(amplitude[:, part], self._cycles, start=start)
        return tones.reshape(-1)

    def _tones_back(self, slope: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        out, slope = np.empty(shape, np.float32), slope.reshape(self._cycles.shape)
        for part, start in self._series(shape[1]):
            count = part.stop - part.start
            out[:, part] = amplitude_slopes(slope, self._cycles, count=count, start=start)
        return out

    def _series(self, partials: int) -> list[tuple[slice, np.ndarray | None]]:
        """Harmonics, and partials between, each with where it starts."""
        first = partials - self._config.half_partials
        return [(slice(0, first), None), (slice(first, partials), self._half_cycles)]


def _noise(bands: np.ndarray, matrix: np.ndarray, phase_cycles: np.ndarray, *, hop: int) -> tuple[np.ndarray, Back]:
    """Noise of bands [F, M] by a matrix [M, N], phases [F, N] given -> [F * hop], and the way back to the bands."""
    turned, sines = turns(phase_cycles, hop=hop), window(hop)
    frames = irfft(turned * (bands @ matrix), axis=-1)
    frames *= sines
    out = frames[:, hop:]
    out[:-1] += frames[1:, :hop]

    def back(slope: np.ndarray) -> np.ndarray:
        slope = slope.reshape(-1, hop)
        seen = np.zeros((len(slope), 2 * hop), np.float32)
        seen[1:, :hop], seen[:, hop:] = slope[:-1], slope
        seen *= sines * np.float32(1.0 / (2 * hop))
        bins: NDArray[np.complex64] = rfft(seen)
        bins[:, 1:-1] *= np.float32(2.0)
        return (bins.real * turned.real + bins.imag * turned.imag) @ matrix.T

    return out.reshape(-1), back
