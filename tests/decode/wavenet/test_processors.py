"""Tiles for every kind of processor draw what the plain loop draws: each in a process that compiles for that kind.

This processor's own tiles are those of all other tests. What another has not is left out of what LLVM may use, and the
tiles of AVX-512 are compiled for what is here: LLVM splits their vectors.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import llvmlite.binding as llvm
import pytest

KINDS = {
    "no AVX": ("-avx,-avx2,-fma,-avx512f", ""),
    "AVX2": ("+avx,+avx2,+fma,-avx512f", ""),
    "wide": (None, "lanes.WIDE = True"),
}
DRAW = """
from synth_explorer.decode.wavenet import lanes

{change}
import numpy as np

from synth_explorer.decode.wavenet import tiles
from synth_explorer.decode.wavenet.decoder import WaveNetDecoder
from tests.decode.wavenet.stacks import assert_same_draws, distance, inputs_for, random_stack

print(tiles.COLUMNS, lanes.MADD)
stack = random_stack(width=64, skip=64, taps=3, dilations=(1, 2, 4), gain=3.0)
for notes in (1, 33):
    given, uniforms = inputs_for(stack, notes=notes, samples=60), np.random.default_rng(0).random((notes, 60))
    plain = WaveNetDecoder(stack, engine="reference").generate(**given, uniforms=uniforms, samples=60)
    made = WaveNetDecoder(stack, engine="numba", threads=1).generate(**given, uniforms=uniforms, samples=60)
    assert_same_draws(stack, given, uniforms, plain, made)
audio = plain[:17]
given = dict(given, conditioning=given["conditioning"][:17])
exact = WaveNetDecoder(stack, engine="reference").probabilities(**given, audio=audio)
for precision, bound in (("int16", 3e-4), ("int8", 1e-2)):
    decoder = WaveNetDecoder(stack, engine="numba", precision=precision, threads=1)
    assert 0.0 < distance(exact, decoder.probabilities(**given, audio=audio)).mean() < bound, precision
"""


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_tiles_of_a_kind_draw_what_the_reference_draws(kind: str, repository: Path, tmp_path: Path) -> None:
    features, change = KINDS[kind]
    x86 = platform.machine().lower() in ("x86_64", "amd64")
    if features is not None and not (x86 and llvm.get_host_cpu_features().get("avx2")):
        pytest.skip("this processor lacks what the test compiles for")
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), "SYNTH_EXPLORER_CACHE": str(tmp_path)}
    if features is not None:
        environment |= {"NUMBA_CPU_NAME": "x86-64", "NUMBA_CPU_FEATURES": features}
    done = subprocess.run(
        [sys.executable, "-c", DRAW.format(change=change)],
        cwd=repository,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    columns, madd = done.stdout.split()
    assert columns == ("8" if kind == "wide" else "6") and (features is None or madd == str(kind == "AVX2"))
