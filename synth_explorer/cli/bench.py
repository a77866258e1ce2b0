"""The command that times this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from synth_explorer.cli import common


def bench(
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="REPORT.json", help="JSON report to write.")
    ] = None,
    checkpoint: common.Checkpoint = "default",
) -> None:
    """Time encoding, decoding and a slider move on this machine."""
    explorer = common.load_explorer(checkpoint)
    from synth_explorer import bench as benchmark

    report = benchmark.run(explorer)
    rows = [
        [name, *(f"{figures[key]:.1f}" for key in ("median_ms", "min_ms", "max_ms", "times_real_time"))]
        for name, figures in report["steps"].items()
    ]
    title = f"a note of {report['note_s']:g} s on {report['machine']['cores']} cores"
    common.print_table(title, ["", "median ms", "min ms", "max ms", "x real time"], rows)
    if out is not None:
        common.write_json(out, report)
        common.say(out)
