"""What C code says on stderr is held back, and shown when the block fails."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from synth_explorer.quiet import held_back, interrupted


@pytest.mark.parametrize(("error", "said"), [(ImportError, "banner"), (KeyboardInterrupt, ""), (None, "")])
def test_only_an_error_shows_what_was_held_back(
    capfd: pytest.CaptureFixture[str], error: type[BaseException] | None, said: str
) -> None:
    try:
        with held_back():
            os.write(2, b"banner")
            if error is not None:
                raise error
    except (ImportError, KeyboardInterrupt):
        pass
    os.write(2, b".")
    assert capfd.readouterr().err == said + "."


def test_an_import_that_was_interrupted_is_told_from_one_that_fails() -> None:
    failed = ImportError("initialization failed")
    assert not interrupted(failed)
    failed.__cause__ = KeyboardInterrupt()
    assert interrupted(failed)


def test_other_threads_keep_their_lines(capfd: pytest.CaptureFixture[str]) -> None:
    def read(number: int) -> None:
        for _ in range(20):
            with held_back(rb"(?m)^noise.*\n?"):
                os.write(2, b"noise of a decoder\n")
                os.write(2, b"line %d\n" % number)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(read, range(4)))
    os.write(2, b"line 4\n")
    lines = capfd.readouterr().err.splitlines()
    assert sorted(lines) == sorted([f"line {number}" for number in range(4)] * 20 + ["line 4"])
