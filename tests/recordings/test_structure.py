"""What recurs in a recording: the search against a plain one, forms that are known, the tree of a synthesised song."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from synth_explorer.audio import save
from synth_explorer.pitch import HeardPitch
from synth_explorer.recordings import Part, RecordedNote, cut, facts, outline, structure
from synth_explorer.recordings.cutting import ranked
from synth_explorer.recordings.onsets import SAMPLE_RATE_HZ
from synth_explorer.recordings.repeats import DIFFERS, SHORTEST, best_repeat, occurrences
from tests.cli.shell import ok

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def plain_distance(a: list[int], b: list[int], costs: np.ndarray) -> float:
    """The edit distance of two lists, by recursion over their ends."""
    table = {(i, 0): float(i) for i in range(len(a) + 1)} | {(0, j): float(j) for j in range(len(b) + 1)}
    for i, one in enumerate(a, start=1):
        for j, other in enumerate(b, start=1):
            table[i, j] = min(table[i - 1, j - 1] + costs[one, other], table[i - 1, j] + 1, table[i, j - 1] + 1)
    return table[len(a), len(b)]


def song(line: str, *, apart_s: float = 0.5) -> list[RecordedNote]:
    """A note for each letter; a capital is the small letter's pitch with another sound."""
    groups = {letter: number for number, letter in enumerate(dict.fromkeys(line), start=1)}
    return ranked(
        [
            RecordedNote(
                apart_s * i, 0.4, HeardPitch(50.0 + ord(c.lower()) - 97, 1.0, "note"), -20, 0, np.zeros(80), groups[c]
            )
            for i, c in enumerate(line)
        ]
    )


def spelled(part: Part, line: str) -> str:
    """A tree in one line: A(abcd) f A."""
    if not part.parts:
        return line[part.first : part.end]
    inside = "".join(spelled(one, line) for one in part.parts)
    return f"{part.name}({inside})" if part.kind else inside


def test_occurrences_are_those_of_a_plain_search() -> None:
    """Whatever is chosen is as near as it says, and nothing nearer that is left was free."""
    rng, costs = np.random.default_rng(0), 1.0 - np.eye(5)
    costs[0, 1] = costs[1, 0] = 0.5
    for _ in range(40):
        line = rng.integers(0, 5, 18)
        stretch = line[3 : 3 + rng.integers(2, 7)]
        found = occurrences(stretch, line, costs)
        taken = {place for one in found for place in range(one.first, one.end)}
        assert len(taken) == sum(one.end - one.first for one in found)
        for one in found:
            exact = plain_distance(stretch.tolist(), line[one.first : one.end].tolist(), costs)
            assert one.cost == pytest.approx(exact) and exact <= DIFFERS * len(stretch)
        for first in range(len(line)):
            for end in range(first + SHORTEST, len(line) + 1):
                if not taken & set(range(first, end)):
                    assert plain_distance(stretch.tolist(), line[first:end].tolist(), costs) > DIFFERS * len(stretch)


def test_the_best_exact_repeat_saves_as_much_as_a_plain_search_finds() -> None:
    rng = np.random.default_rng(1)
    for _ in range(30):
        line = rng.integers(0, 4, 14)
        costs = np.full((4, 4), 9.0) * (1 - np.eye(4))  # nothing that differs counts
        best = 0
        for first in range(len(line)):
            for end in range(first + SHORTEST, len(line) + 1):
                count, at, size = 0, 0, end - first
                while at + size <= len(line):
                    is_there = line[at : at + size].tolist() == line[first:end].tolist()
                    count, at = count + is_there, at + (size if is_there else 1)
                if count > 1:
                    best = max(best, count * (size - 1) - size)
        found = best_repeat(line, costs)
        assert (found.gain if found else 0) >= best - 1  # the candidates are not all stretches that there are
        if found:
            assert all(line[o.first : o.end].tolist() == line[found.first : found.end].tolist() for o in found.found)


@pytest.mark.parametrize(
    ("line", "tree"),
    [
        ("abcdabcdefghabcd", "A(abcd)A(abcd)efghA(abcd)"),
        ("abcdabcdefghabcd" * 2, "A(B(abcd)B(abcd)efghB(abcd))A(B(abcd)B(abcd)efghB(abcd))"),
        ("abcdefghabxdefghijklmnopabcdefyh", "A(abcdefgh)A(abxdefgh)ijklmnopA(abcdefyh)"),
        ("abcdefghabcdxefghijabdefgh", "A(abcdefgh)A(abcdxefgh)ijA(abdefgh)"),  # one more, one fewer
        ("abcdxyabcDzabcd", "A(abcd)xyA(abcD)zA(abcd)"),  # one note with another sound
        ("abcdeWvutsabcdeWvutsxyzabcde", "A(B(abcde)Wvuts)A(B(abcde)Wvuts)xyzB(abcde)"),  # larger first, then inside
        ("abcdefg", "abcdefg"),
    ],
)
def test_forms_that_are_known(line: str, tree: str) -> None:
    assert spelled(structure(song(line)), line) == tree


def test_pace_and_what_differs_are_told_and_silence_before_or_level_say_nothing() -> None:
    notes = song("abcdefghabxdefgh")
    slow = [
        note if i < 8 else RecordedNote(1.25 * note.onset_s, *list(vars(note).values())[1:])
        for i, note in enumerate(notes)
    ]
    whole = structure(slow)
    assert [(p.differs, round(p.pace, 3)) for p in whole.parts] == [(0.0, 1.0), (1.0, 1.25)]
    said = outline(whole, slow)
    assert "8 notes, 3.9 s, 2 times" in said[0] and "1 of 8 notes differ" in said[-1] and "25% slower" in said[-1]
    assert [part.name for part in structure(song("ab" * 3, apart_s=9.0)).walk() if part.kind] == ["A"] * 3
    told = facts(whole, slow, [f"{i}.wav" for i in range(16)])
    assert told["recurring"] == [{"name": "A", "count": 2, "notes": 8}] and len(told["highlights"]) == 4
    assert told["notes"][0]["path"] == "0.wav" and told["tree"]["parts"][1]["first"] == 9


def test_a_long_line_of_many_parts_is_short_when_it_is_told() -> None:
    rng = np.random.default_rng(2)
    phrases = ["".join(rng.choice(list(LETTERS), 6)) for _ in range(5)]
    line = "".join(phrases[i] for i in rng.integers(0, 5, 60))
    notes = song(line)
    said = outline(structure(notes), notes)
    assert len(said) < 70 and all(len(one) <= 120 for one in said)


# --- Heard ----------------------------------------------------------------------------------------------------------

A = [(60, 1.0), (64, 1.0), (67, 1.0), (72, 1.0)]  # MIDI pitch, slope of the partials
B = [(65, 2.0), (69, 2.0), (62, 2.0), (57, 2.0)]
A_VARIED = [A[0], (74, 1.0), *A[2:]]


def played(form: list[list[tuple[int, float]]], *, apart_s: float = 0.45) -> np.ndarray:
    """Notes of ten harmonics that begin at once and die away, in faint noise."""
    rng, size = np.random.default_rng(0), int(0.42 * SAMPLE_RATE_HZ)
    notes = [note for phrase in form for note in phrase]
    sound = 1e-4 * rng.standard_normal(int((1.0 + apart_s * len(notes)) * SAMPLE_RATE_HZ))
    times_s = np.arange(size) / SAMPLE_RATE_HZ
    for number, (midi, slope) in enumerate(notes):
        hz = 440.0 * 2 ** ((midi - 69) / 12)
        note = sum(np.sin(2 * np.pi * k * hz * times_s) / k**slope for k in range(1, 11))
        note *= 0.1 * np.exp(-times_s / 0.3) * (1 + 0.05 * rng.standard_normal()) * np.minimum(1, times_s / 0.004)
        note[-400:] *= np.linspace(1, 0, 400)
        at = int((0.3 + number * apart_s) * SAMPLE_RATE_HZ)
        sound[at : at + size] += note
    return sound.astype(np.float32)


@pytest.fixture(scope="module")
def aaba() -> np.ndarray:
    return played([A, A, B, A])


@pytest.mark.slow
def test_a_song_is_heard_as_the_form_that_it_has_whatever_its_level_and_when_it_begins(aaba, explorer) -> None:
    forms = []
    silence = np.zeros(SAMPLE_RATE_HZ, np.float32)
    for heard in (aaba, 0.05 * aaba, np.concatenate([silence, aaba])):
        notes = cut(heard, explorer, sample_rate_hz=SAMPLE_RATE_HZ)
        assert len(notes) == 16
        forms.append([(part.first, part.end, part.name) for part in structure(notes).parts])
    inside = [(i, i + 1, "") for i in range(8, 12)]
    assert forms == [[(0, 4, "A"), (4, 8, "A"), *inside, (12, 16, "A")]] * 3


def test_a_varied_repeat_is_one_too(explorer) -> None:
    notes = cut(played([A, A, B, A_VARIED]), explorer, sample_rate_hz=SAMPLE_RATE_HZ)
    kinds = [(part.first, part.end, part.differs) for part in structure(notes).walk() if part.kind]
    assert kinds == [(0, 4, 0.0), (4, 8, 0.0), (12, 16, 1.0)]


def test_command_shows_the_tree_and_writes_it(aaba, tmp_path: Path) -> None:
    path, out = save(tmp_path / "song.wav", aaba, sample_rate_hz=SAMPLE_RATE_HZ), tmp_path / "notes"
    result = ok("notes", path, "-o", out)
    assert "A x2  4 notes" in result.stderr and result.stdout.splitlines()[-1] == str(out / "structure.json")
    told = json.loads((out / "structure.json").read_text(encoding="utf-8"))
    assert told["recurring"] == [{"name": "A", "count": 3, "notes": 4}]
    assert all((out / note["path"]).is_file() for note in told["notes"])
    rows = list(csv.DictReader((out / "index.csv").open()))
    assert [row["parts"] for row in rows] == ["A"] * 8 + [""] * 4 + ["A"] * 4
    ranks = {row["path"]: row["rank"] for row in rows}
    assert [ranks[told["notes"][number - 1]["path"]] for number in told["highlights"]] == ["1", "2", "3", "4"]
