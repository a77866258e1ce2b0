"""The Gaussian error linear unit x P(X < x), X of the normal distribution, and its slope, compiled by Numba."""

from __future__ import annotations

import numpy as np
from numba import njit

_LOWEST, _HALF, _ONE = np.float32(-126.0), np.float32(0.5), np.float32(1.0)
_LOG2_E, _BELL = np.float32(1.0 / np.log(2.0)), np.float32(1.0 / np.sqrt(2.0 * np.pi))
# erfc(x) = (a1 t + .. + a5 t^5) exp(-x^2), t = 1 / (1 + p x), to 1.5e-7 (Abramowitz and Stegun, 7.1.26)
_P_ROOT = np.float32(0.3275911 * np.sqrt(0.5))
_A = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)
_A1, _A2, _A3, _A4, _A5 = (np.float32(a) for a in _A)
# 2^x = 1 + b1 x + .. + b5 x^5 on [-0.5, 0.5], to 2e-7: the best polynomial that is 1 at 0
_B = (0.6931470036506653, 0.24022242426872253, 0.05550733581185341, 0.009671512991189957, 0.001326472731307149)
_B1, _B2, _B3, _B4, _B5 = (np.float32(b) for b in _B)
_BIAS, _MANTISSA = np.int32(127), np.int32(23)  # of a float32's exponent, and its place


def gelu(x: np.ndarray) -> np.ndarray:
    """Of every number of x, float32 of any shape."""
    out = np.empty(x.shape, np.float32)
    _gelu(np.ascontiguousarray(x).reshape(-1), out.reshape(-1))
    return out


def gelu_and_slope(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`gelu`, and its derivative."""
    out, slope = np.empty(x.shape, np.float32), np.empty(x.shape, np.float32)
    _gelu_and_slope(np.ascontiguousarray(x).reshape(-1), out.reshape(-1), slope.reshape(-1))
    return out, slope


@njit(nogil=True, fastmath=True, error_model="numpy", cache=True)
def _normal_below(x):
    """The normal distribution function at x, and exp(-x^2 / 2)."""
    power = -_HALF * _LOG2_E * x * x
    power = _LOWEST if power < _LOWEST else power
    whole = np.rint(power)
    part = power - whole
    bell = _ONE + part * (_B1 + part * (_B2 + part * (_B3 + part * (_B4 + part * _B5))))
    bell *= np.int32((np.int32(whole) + _BIAS) << _MANTISSA).view(np.float32)
    t = _ONE / (_ONE + _P_ROOT * abs(x))
    beyond = _HALF * bell * t * (_A1 + t * (_A2 + t * (_A3 + t * (_A4 + t * _A5))))
    return (beyond if x < 0 else _ONE - beyond), bell


@njit(nogil=True, fastmath=True, error_model="numpy", cache=True)
def _gelu(x, out):
    for i in range(x.size):
        out[i] = x[i] * _normal_below(x[i])[0]


@njit(nogil=True, fastmath=True, error_model="numpy", cache=True)
def _gelu_and_slope(x, out, slope):
    for i in range(x.size):
        below, bell = _normal_below(x[i])
        out[i] = x[i] * below
        slope[i] = below + x[i] * bell * _BELL
