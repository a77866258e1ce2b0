"""The command that times this machine."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from synth_explorer.cli import common


class Part(StrEnum):
    """What can be timed."""

    slider = "slider"
    nsynth = "nsynth"
    small = "small"
    startup = "startup"


WAVENETS = {Part.nsynth, Part.small}


def bench(
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="REPORT.json", help="JSON report to write.")
    ] = None,
    checkpoint: common.Checkpoint = "default",
    network: Annotated[
        list[Part] | None,
        typer.Option(
            "--network",
            help="What to time: the slider's steps, NSynth's WaveNet, a small WaveNet, or whole commands and the page "
            "from their start. May be repeated. [default: all]",
        ),
    ] = None,
    batch: Annotated[
        list[int] | None,
        typer.Option("--batch", min=1, help="Notes decoded together. May be repeated. [default: 1, 4, 16, 64]"),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Shorter: the numba engine only, a tenth of the time.")
    ] = False,
    magenta: Annotated[
        bool | None,
        typer.Option("--magenta/--no-magenta", help="Beside magenta's fastgen. [default: where it is installed]"),
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option("--markdown", metavar="TABLE.md", help="The decoding table to write.")
    ] = None,
    compare: Annotated[
        Path | None,
        typer.Option(
            "--compare",
            metavar="OLD.json",
            help="An older report of this machine: says what became slower beyond the noise, and ends with 1 if any.",
        ),
    ] = None,
) -> None:
    """Time a slider move, every WaveNet engine and whole commands on this machine, which should be quiet."""
    parts = network or list(Part)
    if out is not None:
        common.check_suffix(out, common.REPORT_SUFFIXES)
    common.check_outputs(("-o", out), ("--markdown", markdown), inputs=(compare,))
    common.check_inputs(compare)
    older = None if compare is None else _older(compare)
    if markdown is not None and not set(parts) & WAVENETS:
        raise common.wrong_usage("the table is of WaveNet decoding: add --network nsynth or small.", "--markdown")
    report: dict[str, Any] = {"machine": _machine()}
    if Part.startup in parts:
        report |= {"checkpoint": checkpoint, "startup": _startup(checkpoint)}
    if Part.slider in parts:
        report |= _slider(checkpoint)
    wavenets = [part.value for part in parts if part in WAVENETS]
    if wavenets:
        report |= _decoding(wavenets, batch, quick, magenta)
        if markdown is not None:
            from synth_explorer.bench import decoding

            common.write_text(markdown, decoding.markdown(report["decoding"]))
            common.say(markdown)
    report["machine"]["busy_share_after"] = _busy_share()
    if out is not None:
        common.write_json(out, report)
        common.say(out)
    if older is not None and _compared(older, report):
        raise typer.Exit(1)


def _older(path: Path) -> Any:
    """A report that is compared with, before anything is timed."""
    from synth_explorer.bench import compare

    return compare.read(path)


def _compared(older: Any, report: dict[str, Any]) -> bool:
    """Show what changed; whether anything became slower."""
    from synth_explorer.bench import compare

    found = compare.compare(older, report)
    for difference in found.differences:
        typer.echo(f"warning: the older report is of {difference}; what differs may be that.", err=True)
    rows = [
        [one.name, f"{one.old:.3g}", f"{one.new:.3g} {one.unit}", f"{one.ratio:.2f}", f"{one.noise:.0%}", one.verdict]
        for one in found.changes
    ]
    common.print_table("the fastest, before and now", ["", "old", "new", "ratio", "noise", ""], rows)
    if found.missing:
        typer.echo(f"warning: not timed now, but in the older report: {'; '.join(found.missing)}.", err=True)
    for one in found.slower:
        typer.echo(f"slower: {one.name}, {one.ratio:.2f} times as long (noise {one.noise:.0%})", err=True)
    return bool(found.slower)


def _machine() -> dict[str, Any]:
    """Say and return what is timed on."""
    from synth_explorer.bench import machine

    facts = machine.facts()
    common.say(
        f"{facts['processor']} ({', '.join(facts['features']) or 'no features known'}), {facts['cores']} cores, "
        f"{facts['memory_gb']:g} GB, {facts['system']}, Python {facts['python']}"
    )
    _warn(facts["busy_share"])
    return facts


def _busy_share() -> float:
    from synth_explorer.bench import machine

    busy = machine.busy_share()
    _warn(busy)
    return busy


def _warn(busy: float) -> None:
    from synth_explorer.bench import machine

    warning = machine.warning(busy)
    if warning is not None:
        typer.echo(f"warning: {warning}.", err=True)


def _startup(checkpoint: str) -> dict[str, Any]:
    """Time and show whole commands."""
    from synth_explorer.bench import startup

    with common.progress("starting") as progress:
        times = startup.run(checkpoint=checkpoint, progress=progress)
    rows = [
        [name, *(f"{figures[key]:.2f}" for key in ("median_s", "min_s", "max_s"))] for name, figures in times.items()
    ]
    common.print_table("whole commands, on bundled notes", ["", "median s", "min s", "max s"], rows)
    return times


def _slider(checkpoint: str) -> dict[str, Any]:
    """Time and show the steps of a slider move."""
    explorer = common.load_explorer(checkpoint)
    from synth_explorer import bench as benchmark

    report = benchmark.run(explorer)
    rows = [
        [name, *(f"{figures[key]:.1f}" for key in ("median_ms", "min_ms", "max_ms", "times_real_time"))]
        for name, figures in report["steps"].items()
    ]
    title = f"a note of {report['note_s']:g} s"
    common.print_table(title, ["", "median ms", "min ms", "max ms", "x real time"], rows)
    return report


def _decoding(networks: list[str], batches: list[int] | None, quick: bool, magenta: bool | None) -> dict[str, Any]:
    """Time and show the WaveNet engines."""
    from synth_explorer import quiet

    quiet.import_keras()
    from synth_explorer.bench import decoding

    report: dict[str, Any] = {}
    if "nsynth" in networks:
        report["nsynth_encoding"] = decoding.encoding()
    with common.progress("decoding") as progress:
        report["decoding"] = decoding.run(
            networks=networks,
            batches=batches or decoding.BATCHES,
            engines=[pair for pair in decoding.ENGINES if not quick or pair[0] in decoding.PACKED],
            seconds=decoding.MEASURED_S / (10 if quick else 1),
            magenta=magenta,
            progress=progress,
        )
    if "nsynth_encoding" in report:
        figures = report["nsynth_encoding"]
        common.say(f"NSynth encodes a note of {figures['note_s']:g} s in {figures['median_ms']:.0f} ms")
    common.say(decoding.markdown(report["decoding"]).rstrip())
    for row in report["decoding"]:
        if row["engine"] == "auto":
            common.say(f"{row['network']}, {row['batch']} notes: auto took {row['products']} products, {row['why']}")
    return report
