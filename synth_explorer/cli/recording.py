"""The command that cuts a recording into notes."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synth_explorer.cli import common, sound

if TYPE_CHECKING:
    from synth_explorer.recordings import Part, RecordedNote


def notes(
    recording: Annotated[
        Path, typer.Argument(metavar="RECORDING", help="A sound file of many notes, up to 20 minutes.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Folder for the notes and their index.csv.")],
    checkpoint: common.Checkpoint = "default",
    proposed: Annotated[
        int | None,
        typer.Option("--proposed", metavar="N", min=1, help="Write only the N most characteristic, each of its kind."),
    ] = None,
    bits: sound.Bits = None,
    format: sound.Format = None,
) -> None:
    """Cut a recording into its notes, at its own rate, and list them in an index.csv.

    Repeated notes are grouped, and one of each group is proposed, in the order of how much of the recording the group
    takes. A chord, a drum or noise is called so and given no pitch. What recurs, phrases of notes and larger parts, is
    shown as a tree in which the most characteristic notes have a star, and written as structure.json.
    """
    folder, suffix = common.a_folder(out), f".{format or 'wav'}"
    how = sound.File(bits=bits).writing(folder / f"note{suffix}")
    index, tree = folder / "index.csv", folder / "structure.json"
    common.check_outputs(("-o", index), ("-o", tree), inputs=[recording])
    common.check_inputs(recording)
    explorer, failures = common.load_explorer(checkpoint), common.Failures()
    from synth_explorer import audio, recordings

    read = audio.record(recording, sample_rate_hz=None, max_s=recordings.LONGEST_S)
    for notice in read.notices:
        typer.echo(f"warning: {recording} {notice}.", err=True)
    rate_hz = read.sample_rate_hz
    with common.progress(f"listening to {recording.name}", unit="notes") as progress:
        found = recordings.cut(read.audio, explorer, sample_rate_hz=rate_hz, name=str(recording), progress=progress)
    paths = {folder / f"{number:03d}_{note.name}{suffix}": note for number, note in enumerate(found, start=1)}
    if proposed is not None:
        paths = {path: note for path, note in paths.items() if 0 < note.rank <= proposed}
    common.check_outputs(*(("-o", path) for path in paths), inputs=[recording])
    whole = recordings.structure(found)
    parts = _names_of_parts(whole, len(found))
    rows: list[dict[str, Any]] = []
    for path, note in paths.items():
        with failures.going_on(path):
            root = None if note.pitch_midi is None else audio.Sampler(note.pitch_midi)
            cut = recordings.sound_of(note, read.audio, sample_rate_hz=rate_hz)
            sound.write(path, cut, sample_rate_hz=rate_hz, sampler=root, how=how)
            rows.append(_row(path, note) | {"parts": parts[found.index(note)]})
            common.say(path)
    if rows:
        written = {id(paths[folder / row["path"]]): row["path"] for row in rows}
        facts = recordings.facts(whole, found, [written.get(id(note)) for note in found])
        common.write_text(index, _csv(rows))
        common.say(index)
        common.write_text(tree, json.dumps(facts, indent=1, ensure_ascii=False) + "\n")
        common.say(tree)
    if any(part.kind for part in whole.walk()):
        for line in recordings.outline(whole, found):
            typer.echo(line, err=True)
    failures.end()


def _names_of_parts(whole: Part, count: int) -> list[str]:
    """Of each note the names of the parts that it lies in, the larger before the smaller."""
    names: list[list[str]] = [[] for _ in range(count)]
    for part in whole.walk():
        for number in range(part.first, part.end) if part.kind else ():
            names[number].append(part.name)
    return [" ".join(one) for one in names]


def _csv(rows: list[dict[str, Any]]) -> str:
    text = StringIO()
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _row(path: Path, note: RecordedNote) -> dict[str, Any]:
    """What the index says of a note."""
    pitch = note.pitch_midi
    return {
        "path": path.name,
        "pitch": "" if pitch is None else f"{pitch:.2f}",
        "kind": note.heard.kind,
        "confidence": f"{note.heard.confidence:.3f}",
        "doubt": note.doubt,
        "onset_s": f"{note.onset_s:.3f}",
        "duration_s": f"{note.duration_s:.3f}",
        "loudness_db": f"{note.loudness_db:.2f}",
        "brightness_octaves": f"{note.brightness_octaves:.3f}",
        "group": note.group,
        "rank": note.rank or "",
    }
