"""Commands of the library: what is kept of own sounds, and how they are found again."""

from __future__ import annotations

import filecmp
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synth_explorer.cli import common, inputs
from synth_explorer.cli.cluster import Workers
from synth_explorer.errors import LibraryError

if TYPE_CHECKING:
    from synth_explorer.library.entry import Entry
    from synth_explorer.library.library import Library

app = typer.Typer(help="Keep own sounds in one place, and find them again.", no_args_is_help=True)

At = Annotated[
    Path | None,
    typer.Option("--library", metavar="DIR", file_okay=False, help="A library's folder; else the user's own."),
]
Named = Annotated[list[str], typer.Argument(metavar="ID...", help="Ids, the beginnings of such, or names.")]
KINDS = ("note", "upload", "render", "latents")


def _open(folder: Path | None, *, anew: bool = False) -> Library:
    """A library; one that is named and not there is made where `anew` says so, else refused."""
    from synth_explorer.library.library import Library
    from synth_explorer.library.store import INDEX

    if folder is not None and not anew and not (folder / INDEX).is_file():
        raise LibraryError(f"There is no library in {folder}: give its folder, or make one with `library add`.")
    return Library(folder)


@app.command("add")
def add(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH...", callback=inputs.notes, help="Sounds, latents, and folders of such, to any depth."
        ),
    ],
    library: At = None,
    tags: Annotated[
        list[str] | None, typer.Option("--tag", metavar="TAG", help="A tag for all of them, those that were there too.")
    ] = None,
    patch: Annotated[
        Path | None, typer.Option("--patch", metavar="PATCH", help="The patch that the one sound was rendered from.")
    ] = None,
    workers: Workers = None,
) -> None:
    """Take files in: copied, measured, listened to; goes on where it stopped.

    Equal contents are one entry. The folder of a batch brings its sounds' patches along. Prints the ids of what is new.
    """
    common.check_inputs(*paths, patch)
    if patch is not None and (len(paths) != 1 or paths[0].is_dir()):
        raise common.wrong_usage("it is of one sound; give that one.", "--patch")
    from synth_explorer.library import importing
    from synth_explorer.rendering import load_patch

    found = importing.tasks_of(paths, (*common.SOUND_SUFFIXES, ".npz"))
    tasks = [replace(task, tags=tuple(tags or ())) for task in found]
    if not tasks:
        raise LibraryError(f"No sound lies in {', '.join(map(str, paths))}: give files, or folders that have some.")
    failures = common.Failures()
    with _open(library, anew=True) as kept:
        if patch is not None:
            common.say(kept.add(paths[0], kind="render", patch=load_patch(patch), tags=tags or ()).id)
            return
        with common.progress("listening", unit="files", rate=True) as tell:
            summary = importing.import_all(kept, tasks, workers=workers, progress=tell)
        kept.sweep()
    for file, notice in summary.notices:
        common.say_notice(file, notice)
    for file, reason in summary.failures:
        failures.add(LibraryError(reason), of=file)
    for entry in summary.entries:
        common.say(entry.id)
    if summary.kept:
        typer.echo(f"note: {summary.kept:,} of {len(tasks):,} were there, or equal others of these", err=True)
    failures.end()


@app.command("hear")
def hear(library: At = None, workers: Workers = None) -> None:
    """Hear again what earlier ears heard, or nothing has: likeness and families are this program's then."""
    from synth_explorer.library.importing import import_all

    failures = common.Failures()
    with _open(library) as kept, common.progress("listening", unit="files", rate=True) as tell:
        for file, reason in import_all(kept, kept.unheard(), workers=workers, progress=tell).failures:
            failures.add(LibraryError(reason), of=file)
    failures.end()


@app.command("find")
def find(
    words: Annotated[list[str] | None, typer.Argument(metavar="WORD...", help="Words, or how words begin.")] = None,
    library: At = None,
    tags: Annotated[list[str] | None, typer.Option("--tag", metavar="TAG", help="A tag that it has.")] = None,
    kind: Annotated[str | None, typer.Option("--kind", metavar="|".join(KINDS), help="What it is.")] = None,
    favourites: Annotated[bool, typer.Option("--favourites", help="Only those that are marked.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")] = 20,
) -> None:
    """Find entries by words of their names, notes, tags and paths, newest first: id, kind, seconds, name."""
    if kind is not None and kind not in KINDS:
        raise common.wrong_usage(f"{kind!r} is none of {', '.join(KINDS)}.", "--kind")
    with _open(library) as kept:
        numbers = kept.find(" ".join(words or ()), tags=tags or (), kind=kind, favourites=favourites)
        for entry in kept.entries(numbers[:limit]):
            common.say(_line(entry))
    if len(numbers) > limit:
        typer.echo(f"note: {limit:,} of {len(numbers):,}; --limit shows more", err=True)


@app.command("search")
def search(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="WORD...", help="Such as: like Cello, but darker, slower attack. Or: hollow, not noisy."
        ),
    ] = None,
    library: At = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="NOTE|ID", help="What to compare with: a sound file, or an entry.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")] = 10,
    spread: Annotated[
        float, typer.Option("--spread", min=0.0, max=1.0, help="0: the nearest; up to 1: near, and unlike each other.")
    ] = 0.0,
    without: Annotated[
        list[str] | None, typer.Option("--without", metavar="ID", help="An entry that is left out; may be repeated.")
    ] = None,
) -> None:
    """Search by likeness and by what is heard, nearest first: id, likeness, seconds, name. Says what it understood.

    Comparisons are of measures (brighter, darker, noisier, purer, slower or faster attack or decay (of the attack
    where neither is said), louder, softer, higher, lower, longer, shorter, hollower, fuller), with much or slightly
    before them. Tags are families of instruments, measured qualities, your own, and favourite.
    """
    from synth_explorer.library.search import Search, reference_of

    with _open(library) as kept:
        found = Search(kept)
        this = None
        if to is not None:
            path = inputs.note(Path(to)) or Path(to)
            this = reference_of(path) if path.is_file() else found.reference(to)
        gone = [kept.entry(one).number for one in without or ()]
        results = found.find(" ".join(words or ()), this=this, limit=limit, spread=spread, without=gone)
    typer.echo(f"understood: {results.understood or 'everything'}; {results.count:,} fit", err=True)
    for entry, likeness in zip(results.entries, results.likeness, strict=True):
        seconds = "-" if entry.duration_s is None else f"{entry.duration_s:.2f}"
        common.say("\t".join((entry.id, f"{likeness:.2f}", seconds, entry.name)))


def _line(entry: Entry) -> str:
    seconds = "-" if entry.duration_s is None else f"{entry.duration_s:.2f}"
    return "\t".join((entry.id, entry.kind, seconds, f"{'* ' if entry.is_favourite else ''}{entry.name}"))


@app.command("show")
def show(named: Named, library: At = None) -> None:
    """All that is known of entries: file, measures, tags, the patch they were rendered from, parents and children."""
    with _open(library) as kept:
        for entry in [kept.entry(one) for one in named]:
            for name, value in _told(kept, entry).items():
                if value not in (None, "", []):
                    common.say(f"{name}: {value}")


def _told(kept: Library, entry: Entry) -> dict[str, Any]:
    parents = [f"{one.name} ({one.entry.id if one.entry else 'not in the library'})" for one in kept.parents(entry)]
    tags = [
        f"{tag} ({who})" if who == "person" else f"{tag} ({who}, {likely:.0%})" for tag, who, likely in kept.tags(entry)
    ]
    patch = entry.patch
    verdicts = [f"{tag} ({'right' if is_right else 'wrong'})" for tag, is_right in kept.verdicts(entry).items()]
    return {
        "id": entry.sha256,
        "name": entry.name,
        "kind": entry.kind,
        "favourite": "yes" if entry.is_favourite else "",
        "note": entry.note,
        "file": entry.path,
        "from": entry.origin,
        "seconds": entry.duration_s,
        "rate": entry.sample_rate_hz,
        **entry.qualities,
        "instrument": entry.instrument,
        "tags": ", ".join(tags),
        "judged": ", ".join(verdicts),
        "patch": patch.id if patch else None,
        "parents": ", ".join(parents),
        "children": ", ".join(f"{child.name} ({child.id})" for child in kept.children(entry)),
    }


@app.command("export")
def export(named: Named, out: common.Folder, library: At = None) -> None:
    """Copy entries' files into a folder under their names, and their patches beside them; prints the paths."""
    from synth_explorer.files import atomic_path

    with _open(library) as kept:
        for entry in [kept.entry(one) for one in named]:
            target = out / f"{_file_name(entry.name)}{entry.path.suffix}"
            if _is_taken(target, entry):
                target = target.with_stem(f"{target.stem}-{entry.id}")
            with common.replacing(target), atomic_path(target) as temporary:
                shutil.copyfile(entry.path, temporary)
            common.say(target)
            if entry.patch_json is not None:
                common.write_text(target.with_suffix(".json"), entry.patch_json)
                common.say(target.with_suffix(".json"))


def _is_taken(target: Path, entry: Entry) -> bool:
    """Whether something else than this entry lies there already."""
    patch = target.with_suffix(".json")
    if target.exists() and not (target.is_file() and filecmp.cmp(target, entry.path, shallow=False)):
        return True
    return patch.exists() and (entry.patch_json is None or patch.read_bytes() != entry.patch_json.encode())


def _file_name(name: str) -> str:
    return "".join(c if c.isalnum() or c in " ._-#+," else "_" for c in name).strip(". ") or "sound"


@app.command("rm")
def remove(named: Named, library: At = None) -> None:
    """Forget entries and delete their files in the library; those they were copied from, and their children, stay."""
    with _open(library) as kept:
        kept.remove([kept.entry(one) for one in named])
        kept.sweep()


@app.command("trim")
def trim(
    library: At = None,
    most_gb: Annotated[
        float,
        typer.Option("--most-gb", min=0.0, callback=common.a_number, help="Gigabytes of them that may stay."),
    ] = 4.0,
) -> None:
    """Forget uploads and renders that nobody marked, those used longest ago first, as far as there are too many.

    What is a favourite, has a note, a tag of yours or children stays. Prints what went.
    """
    with _open(library) as kept:
        for entry in kept.trim(round(most_gb * 1e9)):
            common.say(_line(entry))
        kept.sweep()


@app.command("tag")
def tag(
    named: Named,
    library: At = None,
    add: Annotated[list[str] | None, typer.Option("--add", metavar="TAG", help="A tag to give.")] = None,
    remove: Annotated[list[str] | None, typer.Option("--remove", metavar="TAG", help="A tag to take away.")] = None,
    favourite: Annotated[
        bool | None, typer.Option("--favourite/--no-favourite", help="Mark it as one.", show_default=False)
    ] = None,
    note: Annotated[str | None, typer.Option("--note", metavar="TEXT", help="What there is to say of it.")] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="What to call it.")] = None,
) -> None:
    """Tag entries, mark them as favourites, note something, name one."""
    if name is not None and len(named) != 1:
        raise common.wrong_usage("it is for one entry.", "--name")
    with _open(library) as kept:
        entries = [kept.entry(one) for one in named]
        kept.change(entries, add=add or (), remove=remove or (), favourite=favourite, note=note, name=name)


@app.command("suspects")
def suspects(
    library: At = None,
    tag: Annotated[str | None, typer.Option("--tag", metavar="TAG", help="Only labels of this tag.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")] = 20,
) -> None:
    """List labels that are probably wrong, the least likely first: id, tag, who gave it, what is measured, name.

    A label is a tag of yours or of a data set; it is suspected where a measure contradicts it. `judge` tells which are
    wrong.
    """
    from synth_explorer.library import labels
    from synth_explorer.library.tags import RULES

    if tag is not None and tag not in RULES:
        raise common.wrong_usage(f"{tag!r} is none that is measured: {', '.join(RULES)}.", "--tag")
    with _open(library) as kept:
        found = labels.suspects(kept, tag=tag)
    for one in found[:limit]:
        common.say("\t".join((one.entry.id, one.tag, one.who, one.reason, one.entry.name)))
    if len(found) > limit:
        typer.echo(f"note: {limit:,} of {len(found):,}; --limit shows more", err=True)


@app.command("judge")
def judge(
    named: Named,
    tag: Annotated[str, typer.Option("--tag", metavar="TAG", help="The tag that is judged.")],
    right: Annotated[
        bool | None, typer.Option("--right/--wrong", help="Whether it applies.", show_default=False)
    ] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Take back what was said of it.")] = False,
    library: At = None,
) -> None:
    """Say of entries whether a tag of theirs is right; what is wrong is found by it no more, nor counted."""
    if (right is None) != forget:
        raise common.wrong_usage("say one of --right, --wrong and --forget.", "--right")
    with _open(library) as kept:
        for entry in [kept.entry(one) for one in named]:
            kept.judge(entry, tag, right=right)


@app.command("labels")
def labels(library: At = None) -> None:
    """How labels agree with what is measured, per tag: precision and recall with intervals of 95 % over instruments.

    Best is the F1 of the best limit on the measured axis. Wrong and right are labels that you judged; ceiling is with
    how many of the labels somebody would agree who is never wrong: expected, and between which bounds.
    """
    from synth_explorer.cli.tables import print_table
    from synth_explorer.library.labels import Share, agreements

    def told(share: Share | None) -> str | None:
        return None if share is None else f"{share.value:.2f} ({share.low:.2f} to {share.high:.2f})"

    with _open(library) as kept:
        found = agreements(kept)
    columns = ["tag", "labels", "instruments", "precision", "recall", "best"]
    rows: list[list[Any]] = []
    for one in found:
        best = None if one.best is None else f"{one.best:.2f}"
        judged = [one.suspected, one.rejected, one.confirmed, told(one.ceiling)]
        rows.append([one.tag, one.labels, one.instruments, told(one.precision), told(one.recall), best, *judged])
    print_table("", [*columns, "suspected", "wrong", "right", "ceiling"], rows)
