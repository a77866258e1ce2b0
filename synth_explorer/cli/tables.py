"""Tables for people."""

from __future__ import annotations

from typing import Any


def print_table(title: str, columns: list[str], rows: list[list[Any]], *, err: bool = False) -> None:
    """A table for people; as wide as it needs to be when it goes into a pipe."""
    from rich.console import Console
    from rich.table import Table

    console = Console(stderr=err)
    if not console.is_terminal:
        console = Console(stderr=err, width=240)
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    console.print(table)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
