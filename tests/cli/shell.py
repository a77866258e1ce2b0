"""The shell in this process: run it, and what is expected of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from synth_explorer.cli import app


def run(*words: Any) -> Result:
    """Run the shell in this process."""
    return CliRunner().invoke(app, [str(word) for word in words])


def ok(*words: Any) -> Result:
    """Run the shell and expect exit code 0."""
    result = run(*words)
    assert result.exit_code == 0, result.output
    return result


def refused(*words: Any, code: int = 1) -> str:
    """Run the shell, expect an error in one line on stderr and nothing on stdout; the line."""
    result = run(*words)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    assert result.stdout == ""
    if code == 1:
        assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1, result.stderr
    return result.stderr


def failing(*words: Any) -> tuple[list[str], list[str]]:
    """Run the shell, expect exit code 1 after part of the work; the lines of stdout and of stderr."""
    result = run(*words)
    assert result.exit_code == 1, result.output
    assert "Traceback" not in result.output
    return result.stdout.splitlines(), result.stderr.splitlines()


def leftovers(folder: Path) -> list[Path]:
    """Files that a failed command left."""
    return [path for path in folder.rglob("*") if path.is_file()]
