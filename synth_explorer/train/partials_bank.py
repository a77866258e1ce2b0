"""The bank of partials while training on a CPU with JAX: that of `decode.sines`, five times as quick as `keras.ops`."""

from __future__ import annotations

from typing import Any

import numpy as np

from synth_explorer.decode import sines


def bank() -> Any:
    """A function like `model.synthesis.sum_of_sines` that JAX can take slopes through. Needs the backend JAX."""
    import jax

    def like(array: Any) -> Any:
        return jax.ShapeDtypeStruct(array.shape, np.float32)

    @jax.custom_vjp
    def sum_of_sines(amplitude: Any, cycles: Any, ramp: Any) -> Any:
        return jax.pure_callback(sines.sum_of_sines, like(cycles), amplitude, cycles)

    def forward(amplitude: Any, cycles: Any, ramp: Any) -> Any:
        return sum_of_sines(amplitude, cycles, ramp), (amplitude, cycles)

    def backward(kept: Any, slope: Any) -> Any:
        amplitude, cycles = kept
        by_amplitude = jax.pure_callback(
            lambda *given: sines.amplitude_slopes(*given, count=amplitude.shape[-1]), like(amplitude), slope, cycles
        )
        return by_amplitude, None, None

    sum_of_sines.defvjp(forward, backward)
    return sum_of_sines
