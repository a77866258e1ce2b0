"""Licences of all that is installed for the requirements, and of the data that the program comes with.

`make licences` prints names by licence; it ends with 1 where one is not known to be free for any use.
Not looked at: what GPUs need, which is NVIDIA's and not free, and magenta, for tests alone (see `constraints.KINDS`).
"""

from __future__ import annotations

import importlib.metadata as metadata
import re
import sys
from collections import defaultdict

from constraints import found

from synth_explorer.assets import example_notes

FREE = re.compile(
    r"(?i)(?!.*(?<!l)gpl)(?!.*(?<!lesser )general public)"
    r".*(apache|bsd|mit\b|\bisc\b|psf|python software|mpl|mozilla|zlib|unlicense|cc0|hpnd|lgpl|lesser|public domain)"
)

UNTOLD = {"axe-playwright-python": "MIT", "namex": "Apache-2.0"}
"""By their texts and repositories; what describes their wheels says nothing."""


def licence_of(name: str) -> str:
    """What a distribution says of itself, in a line."""
    if name in UNTOLD:
        return UNTOLD[name]
    about = metadata.metadata(name)
    told = about.get("License-Expression") or ""
    kinds = [line.rpartition(":: ")[2] for line in about.get_all("Classifier") or () if line.startswith("License")]
    told = told or "; ".join(kind for kind in kinds if kind != "OSI Approved")
    return (told or (about.get("License") or "unknown")).strip().splitlines()[0][:80]


def main() -> int:
    """Print both tables."""
    by_licence: dict[str, list[str]] = defaultdict(list)
    for name in found():
        by_licence[licence_of(name)].append(name)
    for licence, names in sorted(by_licence.items(), key=lambda item: -len(item[1])):
        print(f"{licence}{'' if FREE.match(licence) else '  <- look at it'}: {', '.join(sorted(names))}")
    notes: dict[str, int] = defaultdict(int)
    for note in example_notes():
        notes[note.licence] += 1
    for licence, count in notes.items():
        print(f"{count} bundled notes: {licence}")
    print("checkpoints: Apache-2.0; the data that they learned from: `synth-explorer checkpoint show default`")
    return int(any(not FREE.match(licence) for licence in by_licence))


if __name__ == "__main__":
    sys.exit(main())
