"""Benchmarks: a slider move, and WaveNet decoding by every engine. Run on a quiet machine; no test asserts a time."""

from __future__ import annotations

from synth_explorer.bench.slider import run
