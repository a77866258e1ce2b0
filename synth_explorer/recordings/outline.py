"""What recurs in a recording, for people and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from synth_explorer.recordings.cutting import RecordedNote
from synth_explorer.recordings.structure import Part, is_highlight

STAR = "*"  # beside the first note of a highlight's kind
WIDTH = 100
PACE = 0.03  # faster or slower by less is not said


def outline(whole: Part, notes: Sequence[RecordedNote]) -> list[str]:
    """The tree in lines: what recurs is told where it is first, and named from then on."""
    return list(_Outline(whole, notes).lines(whole.parts, ""))


class _Outline:
    """What was told already."""

    def __init__(self, whole: Part, notes: Sequence[RecordedNote]) -> None:
        self._notes = notes
        self._counts = Counter(part.kind for part in whole.walk() if part.kind)
        self._told = set[int]()  # kinds of parts
        self._starred = {note.group for note in notes if is_highlight(note)}  # that have yet to be

    def lines(self, parts: Sequence[Part], before: str) -> Iterator[str]:
        """The lines of parts that follow each other, each after the same beginning."""
        runs = [list(run) for _, run in groupby(parts, key=lambda part: (part.kind, part.differs) if part.kind else 0)]
        for place, run in enumerate(runs):
            is_last = place == len(runs) - 1
            first, inside = run[0], before + ("   " if is_last else "|  ")
            head = f"{before}{'`- ' if is_last else '|- '}{clock(self._notes[first.first].onset_s)}  "
            if not first.kind:
                yield head + _shortened([self._name(part.first) for part in run], WIDTH - len(head))
                continue
            is_new = first.kind not in self._told
            yield head + _words(run, self._counts, self._notes, is_new=is_new)
            if is_new:
                self._told.add(first.kind)
                yield from self.lines(first.parts, inside)

    def _name(self, number: int) -> str:
        note = self._notes[number]
        if note.group not in self._starred:
            return note.name
        self._starred.remove(note.group)
        return note.name + STAR


def _words(run: Sequence[Part], counts: Counter[int], notes: Sequence[RecordedNote], *, is_new: bool) -> str:
    """What there is to say of a part and of those like it that follow at once."""
    first = run[0]
    said = [first.name + (f" x{len(run)}" if len(run) > 1 else "")]
    if is_new:
        last = notes[first.end - 1]
        lasts_s = last.onset_s + last.duration_s - notes[first.first].onset_s
        said.append(f"{first.end - first.first} notes, {lasts_s:.1f} s, {counts[first.kind]} times")
    if first.differs:
        said.append(f"{first.differs:g} of {first.end - first.first} notes differ")
    if len(run) == 1 and abs(first.pace - 1.0) > PACE:
        said.append(f"{abs(first.pace - 1.0):.0%} {'slower' if first.pace > 1 else 'faster'}")
    return "  ".join(said)


def _shortened(names: Sequence[str], width: int) -> str:
    """Names of notes, as many as there is room for, and those with a star."""
    text = " ".join(names)
    if len(text) <= width:
        return text
    shown = max(1, width // (len(text) // len(names) + 1) - 3)
    left = names[shown:]
    starred = "".join(f"{name} " for name in left if name.endswith(STAR))
    return f"{' '.join(names[:shown])} ... {starred}({len(left)} more)"


def clock(seconds: float) -> str:
    """A moment: 1:02.5."""
    tenths = round(10 * seconds)
    return f"{tenths // 600}:{tenths % 600 / 10:04.1f}"


def facts(whole: Part, notes: Sequence[RecordedNote], paths: Sequence[str | None]) -> dict[str, Any]:
    """The notes, those that are highlights and the tree, as JSON has it: parts name notes by their numbers from 1.

    `paths`: where each note was written, None where it was not.
    """
    counts = Counter(part.kind for part in whole.walk() if part.kind)
    kinds = {part.kind: part for part in reversed(list(whole.walk())) if part.kind}
    highlights = sorted((note.rank, number) for number, note in enumerate(notes, start=1) if is_highlight(note))
    return {
        "notes": [
            {
                "number": number,
                "name": note.name,
                "onset_s": round(note.onset_s, 3),
                "duration_s": round(note.duration_s, 3),
                "group": note.group,
                "path": path,
            }
            for number, (note, path) in enumerate(zip(notes, paths, strict=True), start=1)
        ],
        "highlights": [number for _, number in highlights],
        "recurring": [
            {"name": kinds[kind].name, "count": counts[kind], "notes": kinds[kind].end - kinds[kind].first}
            for kind in sorted(kinds)
        ],
        "tree": _tree(whole, notes),
    }


def _tree(part: Part, notes: Sequence[RecordedNote]) -> dict[str, Any]:
    last = notes[part.end - 1]
    found: dict[str, Any] = {
        "first": part.first + 1,
        "last": part.end,
        "begins_s": round(notes[part.first].onset_s, 3),
        "ends_s": round(last.onset_s + last.duration_s, 3),
    }
    if part.kind:
        found |= {"name": part.name, "differs": part.differs, "pace": round(part.pace, 3)}
    if part.parts:
        found["parts"] = [_tree(inside, notes) for inside in part.parts]
    return found
