"""How the shell fails: one line on stderr, exit code 1, or 2 and its usage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from synth_explorer.errors import SynthExplorerError, sentence

# How Typer ends a command by itself: an exit, an abort, a usage error (the base of BadParameter), a broken pipe.
_TYPERS_OWN = (typer.Exit, typer.Abort, typer.BadParameter.__bases__[0], BrokenPipeError)


class Shell(TyperGroup):
    """The root command: turns errors into one line on stderr and exit code 1."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; with --debug errors pass through with their traceback."""
        Failures.debug = bool(ctx.params.get("debug"))
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            raise _said(error) from error.__cause__
        except Exception as error:
            if ctx.params.get("debug") or isinstance(error, _TYPERS_OWN):
                raise
            say_error(error)
            raise typer.Exit(1) from error


def _said(error: typer.BadParameter) -> typer.BadParameter:
    """What Typer finds wrong with an option, with what was given for it."""
    from synth_explorer.schema import why

    told = why(error.__cause__)
    if told:
        error.message = told
    return error


def say_error(error: Exception, *, of: str = "") -> None:
    """An error in one line on stderr, with the name of what it is of unless it says that itself."""
    message = " ".join(_message(error).split())
    typer.echo("error: " + (f"{of}: {message}" if of and of not in message else message), err=True)


class Failures:
    """What could not be done of many things: each is said at once, the others go on, and the command ends with 1."""

    debug = False

    def __init__(self) -> None:
        self.count = 0

    @contextmanager
    def going_on(self, of: Path | str = "") -> Iterator[None]:
        """Do one of many things in this block."""
        try:
            yield
        except (SynthExplorerError, OSError) as error:
            if self.debug or isinstance(error, _TYPERS_OWN):
                raise
            self.add(error, of=of)

    def add(self, error: Exception, *, of: Path | str = "") -> None:
        """Say what could not be done, and remember that something could not."""
        say_error(error, of=str(of))
        self.count += 1

    def end(self) -> None:
        """Leave with exit code 1 if anything failed."""
        if self.count:
            raise typer.Exit(1)


def _message(error: Exception) -> str:
    """What a person is told of an error."""
    return sentence(error) or f"{type(error).__name__}: {error} (unexpected; `synth-explorer --debug ...` shows where)"
