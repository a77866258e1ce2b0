"""What recurs in a recording, as a tree: notes, phrases of notes, larger parts of phrases.

Aligned hierarchies (Kinnaird, 2016, ISMIR: repeats of all lengths over one axis of time) as a grammar: what recurs and
says most of the recording becomes a part, which counts as one note from then on, also inside of what was a part before,
until nothing recurs that is left (offline grammars: Nevill-Manning and Witten, 2000). An occurrence may differ in a
quarter of its notes; a note of the same pitch with another sound differs by half. How fast it goes says nothing:
occurrences are aligned by their onsets, which tells how much faster or slower each is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, count

import numpy as np

from synth_explorer.recordings.cutting import ALIKE_SEMITONES, RecordedNote
from synth_explorer.recordings.repeats import best_repeat, occurrences

HIGHLIGHTS = 4  # the most characteristic notes: as many as a morph has sources
OTHER_SOUND = 0.5  # by how much notes of one pitch differ that sound otherwise
BORDER = 1e3  # by how much anything differs from what lies between two lines


@dataclass(frozen=True)
class Part:
    """A stretch of a recording's notes."""

    first: int  # its first note
    end: int  # the note after its last
    parts: tuple[Part, ...] = ()  # that it is made of; none: it is a note
    kind: int = 0  # those that recur have the same number, from 1; 0: it does not, or is a note
    differs: float = 0.0  # in how many notes from its first occurrence
    pace: float = 1.0  # how much longer it takes from onset to onset than its first occurrence

    @property
    def name(self) -> str:
        """A, B, ..., Z, AA, ... of what recurs; "" of what does not."""
        letters, left = "", self.kind
        while left:
            left, letter = divmod(left - 1, 26)
            letters = chr(65 + letter) + letters
        return letters

    def walk(self) -> Iterator[Part]:
        """Itself and all that it is made of, the larger before the smaller."""
        yield self
        for part in self.parts:
            yield from part.walk()


def is_highlight(note: RecordedNote) -> bool:
    """Whether a note is among the most characteristic ones: each of its kind, of the kinds that last longest."""
    return 0 < note.rank <= HIGHLIGHTS


def structure(notes: Sequence[RecordedNote]) -> Part:
    """What notes that are grouped make up, in time's order: the whole of them, with its parts. Parts that recur are
    numbered as they first appear, the larger before what they are made of."""
    costs = _costs(notes)
    whole = [_Piece(note.group - 1, number, number + 1) for number, note in enumerate(notes)]
    bodies, told = [whole], [whole]
    border = len(costs)
    costs = np.pad(costs, (0, 1), constant_values=BORDER)
    for symbol in count(border + 1):
        costs = np.pad(costs, (0, 1), constant_values=1.0)
        costs[border], costs[:, border], costs[symbol, symbol] = BORDER, BORDER, 0.0
        line = np.array([border, *chain(*([*(piece.symbol for piece in body), border] for body in told))])
        found = best_repeat(line, costs)
        if found is None:
            return _named(Part(0, len(notes), _parts(whole, border)), notes, costs)
        made = [new for body in bodies for new in _joined(body, line[found.first : found.end], costs, symbol)]
        bodies += made
        told.append(min(made, key=lambda body: body[0].first))
    raise AssertionError


@dataclass
class _Piece:
    """A note, or what recurs, as a symbol of a line."""

    symbol: int
    first: int
    end: int
    body: list[_Piece] = field(default_factory=list["_Piece"])


def _joined(body: list[_Piece], stretch: np.ndarray, costs: np.ndarray, symbol: int) -> list[list[_Piece]]:
    """Make each occurrence of a stretch in a line one piece, in place. Returns what these are made of."""
    line = np.array([piece.symbol for piece in body])
    made = list[list[_Piece]]()
    for one in reversed(occurrences(stretch, line, costs)):
        if one.end - one.first == len(body):
            break  # it is all that there is
        inside = body[one.first : one.end]
        body[one.first : one.end] = [_Piece(symbol, inside[0].first, inside[-1].end, inside)]
        made.append(inside)
    return made


def _parts(pieces: Sequence[_Piece], border: int) -> tuple[Part, ...]:
    """Pieces and what they are made of."""
    return tuple(Part(one.first, one.end, _parts(one.body, border), kind=max(0, one.symbol - border)) for one in pieces)


def _costs(notes: Sequence[RecordedNote]) -> np.ndarray:
    """[S, S]: by how much the groups of notes differ."""
    first = {note.group: note for note in reversed(notes)}
    costs = 1.0 - np.eye(len(first))
    for one, a in first.items():
        for other, b in first.items():
            if a.pitch_midi is None or b.pitch_midi is None or one == other:
                continue
            if abs(a.pitch_midi - b.pitch_midi) <= ALIKE_SEMITONES:
                costs[one - 1, other - 1] = OTHER_SOUND
    return costs


def _named(whole: Part, notes: Sequence[RecordedNote], costs: np.ndarray) -> Part:
    """Kinds are counted as they appear, and each occurrence is compared with the first of its kind."""
    kinds, firsts = dict[int, int](), dict[int, Part]()

    def named(part: Part) -> Part:
        if part.kind:
            kinds.setdefault(part.kind, len(kinds) + 1)
            of = notes[part.first : part.end]
            first = firsts.setdefault(part.kind, part)
            other = notes[first.first : first.end]
            part = replace(part, kind=kinds[part.kind], differs=_differs(of, other, costs), pace=_pace(of, other))
        return replace(part, parts=tuple(map(named, part.parts)))

    return named(whole)


def _differs(notes: Sequence[RecordedNote], others: Sequence[RecordedNote], costs: np.ndarray) -> float:
    """In how many notes two stretches differ: their edit distance."""
    row = np.arange(len(others) + 1.0)
    for note in notes:
        before, row = row, np.empty_like(row)
        row[0] = before[0] + 1.0
        for place, other in enumerate(others, start=1):
            met = before[place - 1] + costs[note.group - 1, other.group - 1]
            row[place] = min(met, before[place] + 1.0, row[place - 1] + 1.0)
    return float(row[-1])


def _pace(notes: Sequence[RecordedNote], others: Sequence[RecordedNote]) -> float:
    """How much longer a stretch takes than another, by the line through its onsets against those of the other; 1 where
    they have not as many notes."""
    if len(notes) != len(others):
        return 1.0
    these_s, those_s = (np.array([note.onset_s for note in some]) for some in (notes, others))
    those_s -= those_s.mean()
    spread = float(those_s @ those_s)
    return float(those_s @ these_s) / spread if spread > 0 else 1.0
