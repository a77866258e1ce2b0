"""The command that opens the page."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated

import typer

from synth_explorer.cli import common
from synth_explorer.errors import SpecError


def page(
    port: Annotated[
        int | None,
        typer.Option("--port", min=1, max=65535, help="Port to serve at; else the first free one from 7860."),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option("--host", help="Address to serve at; 0.0.0.0: to other machines too. Else this machine alone."),
    ] = None,
    auth: Annotated[
        str | None,
        typer.Option(
            "--auth",
            metavar="USER:PASSWORD",
            envvar="SYNTH_EXPLORER_AUTH",
            show_envvar=True,
            help="Ask for this login. Other users of this machine can read options; the environment is private.",
        ),
    ] = None,
    mcp: Annotated[
        bool, typer.Option("--mcp", help="Offer its endpoints to language models by MCP too (package mcp).")
    ] = False,
    checkpoint: Annotated[
        str,
        typer.Option(
            "--checkpoint",
            metavar="NAME|DIR",
            envvar="SYNTH_EXPLORER_CHECKPOINT",
            help="The checkpoint that it begins with.",
        ),
    ] = "default",
) -> None:
    """Open the page and print its address; Ctrl-C ends it.

    GRADIO_SERVER_NAME and GRADIO_SERVER_PORT say what --host and --port do not.
    """
    user, colon, password = (auth or "").partition(":")
    if auth is not None and not (user and colon and password):
        raise common.wrong_usage("give a user and a password with a colon between them.", "--auth")
    if mcp and find_spec("mcp") is None:
        raise SpecError("MCP is not installed here: pip install 'gradio[mcp]'.")
    from synth_explorer import checkpoints

    checkpoints.find(checkpoint)
    from synth_explorer.ui.page import launch

    login = None if auth is None else (user, password)
    launch(checkpoint, server_name=host, server_port=port, auth=login, mcp_server=mcp)
