"""The benchmark runs every step and reports consistent figures; how fast is not a test's business."""

from __future__ import annotations

import pytest


def test_bench_reports_every_step(explorer) -> None:
    from synth_explorer import bench

    report = bench.run(explorer, note_s=0.5, repeats=2)
    assert {"encode", "decode, numba", "encode and decode", "morph, edit and decode"} <= set(report["steps"])
    for figures in report["steps"].values():
        assert 0.0 < figures["min_ms"] <= figures["median_ms"] <= figures["max_ms"]
        assert figures["times_real_time"] == pytest.approx(500.0 / figures["median_ms"])
