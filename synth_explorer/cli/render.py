"""The command that renders patches, and specs of many."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synth_explorer.cli import common, inputs, sound
from synth_explorer.cli.cluster import Place
from synth_explorer.errors import LibraryError, SpecError

if TYPE_CHECKING:
    from synth_explorer.audio import Writing
    from synth_explorer.batch.estimate import Estimate
    from synth_explorer.batch.plan import Plan
    from synth_explorer.batch.run import Summary
    from synth_explorer.library.listening import Task

SPEC_SUFFIXES = (".yaml", ".yml")
DOING = {"notes": "listening", "sounds": "rendering"}


@common.grouped
def render(
    what: Annotated[
        list[Path],
        typer.Argument(
            metavar="SPEC.yaml|PATCH...", help="A spec (docs/batch.md), or patches: JSON, or packed with their notes."
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", metavar="DIR|OUT.wav", help="Folder to write; of one patch a sound, .wav or .flac."
        ),
    ],
    *,
    at: Place,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Make nothing; say how many sounds it is, how long, how large, how soon.")
    ] = False,
    engine: common.Engine = "auto",
    file: sound.File,
    format: sound.Format = None,
    library: Annotated[
        Path | None,
        typer.Option(
            "--library", metavar="DIR", file_okay=False, help="Keep the sounds in this library too, with their patches."
        ),
    ] = None,
) -> None:
    """Patches to sound: each says all of it, from its notes to the seed. Or a spec, to many of them.

    Into a folder goes a manifest too, and only what is not there yet is made: a stop, whatever its kind, loses nothing.
    """
    if any(path.suffix.lower() in SPEC_SUFFIXES for path in what):
        _check_spec(what, out, {**file.given, "--format": format is not None})
        from synth_explorer.batch import plan as plans

        plan = plans.of_spec(what[0], engine=engine)
        if dry_run:
            _say_estimate(plan, out, at)
            return
        _carry_out(plan, out, at, names={}, failures=common.Failures(), lists=False, library=library)
        return
    found, failures = inputs.patches(what), common.Failures()
    targets = sound.targets(found, out, format)
    how = file.writing(*targets, out)
    common.check_outputs(*(("-o", target) for target in targets), inputs=found.files)
    found.say(failures)
    if out in targets:
        given = (("--workers", at.workers), ("--ray", at.ray), ("--dry-run", dry_run))
        for option in (name for name, is_given in given if is_given):
            raise common.wrong_usage("is of sounds in a folder.", option)
        _render_one(found.files[0], out, how, engine, failures, library=library)
        return
    names = {target.name: path for path, target in zip(found.files, targets, strict=True)}
    plan = _plan_of(names, how, format or "wav", engine, failures)
    if not plan.jobs:
        failures.end()
    if dry_run:
        _say_estimate(plan, out, at)
        failures.end()
        return
    _carry_out(plan, out, at, names=names, failures=failures, lists=True, library=library)


def _render_one(
    path: Path, out: Path, how: Writing, engine: str, failures: common.Failures, *, library: Path | None
) -> None:
    """One patch to a sound of its own name."""
    from synth_explorer import rendering

    with failures.going_on(path):
        patch = rendering.load_patch(path)
        with common.status(f"loading checkpoint {patch.checkpoint}"):
            renderer = rendering.renderer_of(patch)
        sound.write_patch(renderer, patch, out, how, engine=engine)
        if library is not None:
            from synth_explorer.library.listening import Task

            _keep([Task(out.absolute(), "render", out.stem, patch)], library, failures)
    failures.end()


def _keep(tasks: Sequence[Task], library: Path, failures: common.Failures) -> None:
    """Take what was made into a library."""
    from synth_explorer.library.importing import import_all
    from synth_explorer.library.library import Library

    with Library(library) as kept, common.progress("listening", unit="files", rate=True) as tell:
        for file, reason in import_all(kept, tasks, progress=tell).failures:
            failures.add(LibraryError(reason), of=file)


def _plan_of(names: Mapping[str, Path], how: Writing, format: str, engine: str, failures: common.Failures) -> Plan:
    """The plan of patches by the names of their sounds; one that cannot be read is said and left out."""
    from synth_explorer import rendering
    from synth_explorer.batch import plan as plans
    from synth_explorer.batch.output import Output

    patches = {}
    for name, path in names.items():
        with failures.going_on(path):
            patches[name] = rendering.load_patch(path)
    values = {"format": format, "bits": how.bits, "peak": how.peak, "length_s": how.length_s}
    output = Output.make(what="The output", error=SpecError, **values)
    return plans.of_patches(patches, output, engine=engine)


def _check_spec(what: Sequence[Path], out: Path, given: Mapping[str, bool]) -> None:
    if len(what) > 1:
        raise common.wrong_usage("give one spec alone, or patches.", "SPEC.yaml|PATCH...")
    for option in (name for name, is_given in given.items() if is_given):
        raise common.wrong_usage("stands in the spec, as peak, bits, length_s or format.", option)
    common.a_folder(out)
    if out.exists() and not out.is_dir():
        raise common.wrong_usage(f"{out} is a file; give the name of a folder.", "-o")


def _carry_out(
    plan: Plan,
    out: Path,
    at: Place,
    *,
    names: Mapping[str, Path],
    failures: common.Failures,
    lists: bool,
    library: Path | None,
) -> None:
    """Make what is missing; say what was made: its files, or its manifest."""
    from synth_explorer.batch.run import run

    try:
        with _telling() as tell:
            done = run(plan, out, workers=at.workers, executor=at.executor(), progress=tell)
    except KeyboardInterrupt:
        typer.echo(f"stopped: what is made lies in {out}; the same command goes on from there", err=True)
        raise
    lost = {file for file, _ in done.failures}
    for path in [out / job.file for job in plan.jobs if job.file not in lost] if lists else [done.manifest, done.table]:
        common.say(path)
    for file, reason in done.failures:
        failures.add(SpecError(reason), of=names.get(file, out / file))
    _say_summary(done, len(plan.jobs), out, lists=lists)
    if library is not None:
        from synth_explorer.library.importing import tasks_of

        made = {(out / job.file).absolute() for job in plan.jobs if job.file not in lost}
        _keep([task for task in tasks_of([out], ()) if task.path in made], library, failures)
    failures.end()


def _say_summary(done: Summary, total: int, out: Path, *, lists: bool) -> None:
    if done.too_loud:
        which = "1 sound peaks" if done.too_loud == 1 else f"{done.too_loud:,} sounds peak"
        typer.echo(f"warning: {which} above full scale; players may clip: peak limit or normalise", err=True)
    if done.replaced:
        typer.echo(f"note: replaced {done.replaced:,} older files in {out}", err=True)
    if done.others:
        typer.echo(f"note: {done.others:,} sounds of an earlier run in {out} are not among these, and stay", err=True)
    if not lists or done.kept:
        typer.echo(f"note: {done.made:,} of {total:,} sounds made, {done.kept:,} were there", err=True)


@contextmanager
def _telling() -> Iterator[Callable[[str, int, int], None]]:
    """Progress of one thing after another."""
    with ExitStack() as stack:
        shown: dict[str, Callable[[int, int], None]] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in shown:
                stack.close()
                shown[what] = stack.enter_context(common.progress(DOING[what], unit=what, rate=True))
            shown[what](done, total)

        yield tell


def _say_estimate(plan: Plan, out: Path, at: Place) -> None:
    from synth_explorer.batch.estimate import estimate

    with common.status("timing a few sounds"):
        found = estimate(plan, out, workers=at.workers, executor=at.executor())
    for line in _words(found):
        common.say(line)


def _words(found: Estimate) -> list[str]:
    """An estimate in lines."""
    each = found.audio_s / max(found.sounds, 1)
    lines = [
        f"sounds: {found.sounds:,}, of them {found.sounds - found.missing:,} are there",
        f"notes to listen to: {found.notes:,}",
        f"length: {_long(found.audio_s)} of sound, {each:.2f} s each",
        f"size: {_large(found.bytes)}",
    ]
    if not found.missing:
        return [*lines, "time: nothing is left to do"]
    processes = "1 process" if found.workers == 1 else f"{found.workers} processes"
    pace = f"{found.sounds_per_s:.3g} sounds a second, {found.sounds_per_s * each:.3g} times real time"
    note = f", {found.note_s:.2g} s a note" if found.notes else ""
    return [*lines, f"time: about {_long(found.seconds)} in {processes}, as timed here: {pace}{note}"]


def _long(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 5400 else f"{seconds / 3600:.3g} h"


def _large(count: float) -> str:
    return f"{count / 1e6:.3g} MB" if count < 1e9 else f"{count / 1e9:.3g} GB"
