"""The command that shows a finished batch on one page, and says which of its sounds to keep."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synth_explorer.cli import common, inputs
from synth_explorer.errors import SpecError

if TYPE_CHECKING:
    from synth_explorer.sheet import Heard


def sheet(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", exists=True, file_okay=False, help="A folder that `render` wrote.")
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="OUT.html", help="The page to write. [default: DIR/sheet.html]"),
    ] = None,
    like: Annotated[
        Path | None,
        typer.Option(
            "--like", metavar="NOTE", callback=inputs.note, help="A sound: those that are most like it come first."
        ),
    ] = None,
    keep: Annotated[
        int | None,
        typer.Option("--keep", min=1, metavar="N", help="Mark and print the first N that are no near-duplicates."),
    ] = None,
    copy_to: Annotated[
        Path | None, typer.Option("--copy-to", metavar="DIR", callback=common.a_folder, help="Copy those there.")
    ] = None,
) -> None:
    """A batch on one page of HTML: players, spectrograms, descriptors; sorted by a click, without a server.

    The sounds come in the order in which they differ most, so that the first N are a good choice of N, for every N.
    Those that a listener would hardly tell from one that comes before them are marked as near-duplicates.
    """
    page = folder / "sheet.html" if out is None else out
    common.check_suffix(page, (".html", ".htm"))
    common.check_outputs(("-o", page), inputs=(like,))
    common.check_inputs(like)
    if copy_to is not None and keep is None:
        raise common.wrong_usage("say how many, by --keep.", "--copy-to")
    if copy_to is not None and copy_to.resolve() == folder.resolve():
        raise common.wrong_usage(f"{copy_to} is where the sounds lie; give another folder.", "--copy-to")
    records, sounds, failures = _heard(folder)
    from synth_explorer import sheet as sheets

    space = sheets.Space(sounds)
    rank = [int(i) for i in sheets.farthest_first(space.points)]
    order, likeness = rank, None
    if like is not None:
        likeness = space.distances(sheets.hear_note(like, sample_rate_hz=records[0]["sample_rate_hz"]))
        order = sorted(range(len(records)), key=likeness.__getitem__)
    twins = sheets.near_duplicates(sounds, order)
    kept = [i for i in order if i not in twins][: keep or 0]
    text = sheets.html(
        records,
        sounds,
        folder=folder,
        page=page,
        order=order,
        rank=rank,
        twins=twins,
        kept=kept,
        likeness=likeness,
        like=like.stem if like else "",
    )
    common.write_text(page, text)
    common.say(page)
    for i in kept:
        common.say(_copied(folder, records[i]["file"], copy_to))
    if keep is not None and len(kept) < keep:
        typer.echo(f"note: only {len(kept):,} of {len(records):,} sounds are no near-duplicates", err=True)
    failures.end()


def _heard(folder: Path) -> tuple[list[dict[str, Any]], list[Heard], common.Failures]:
    """Every sound of a folder that can be heard, and what is heard of it."""
    from synth_explorer.batch import manifest
    from synth_explorer.runtime import cores
    from synth_explorer.sheet import hear

    try:
        records = list(manifest.read(folder))
    except FileNotFoundError as error:
        raise SpecError(
            f"{folder} has no {manifest.MANIFEST}: give a folder that `render SPEC -o DIR` wrote."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise SpecError(f"{folder / manifest.MANIFEST} is damaged; `render` again, which mends it.") from error
    found: list[tuple[dict[str, Any], Heard]] = []
    failures = common.Failures()
    with common.progress("listening", unit="sounds", rate=True) as tell, ThreadPoolExecutor(cores()) as pool:
        sounds = [pool.submit(hear, folder, record) for record in records]
        try:
            for done, (record, sound) in enumerate(zip(records, sounds, strict=True), 1):
                with failures.going_on(folder / record["file"]):
                    found.append((record, sound.result()))
                tell(done, len(records))
        finally:
            pool.shutdown(cancel_futures=True)  # where a person stops it
    if not found:
        failures.end()
        raise SpecError(f"{folder / manifest.MANIFEST} names no sound.")
    return [record for record, _ in found], [sound for _, sound in found], failures


def _copied(folder: Path, file: str, to: Path | None) -> Path:
    """Where a sound lies that is kept: in another folder, if there is to be one."""
    from synth_explorer.files import atomic_path

    if to is None:
        return folder / file
    target = to / file
    target.parent.mkdir(parents=True, exist_ok=True)
    with common.replacing(target), atomic_path(target) as temporary:
        shutil.copyfile(folder / file, temporary)
    return target
