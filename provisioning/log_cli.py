"""`log check`: what a controller distributed, checked without it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from protocol.grants import read_anchor
from provisioning.i18n import gettext as _
from provisioning.log_check import check_log
from provisioning.terminal import console, explained

app: Final = typer.Typer(no_args_is_help=True, help="What a controller distributed, checked without it.")


def add_to(whole: typer.Typer) -> None:
    """Adds the group."""
    whole.add_typer(app, name="log")


@app.command("check")
@explained
def check(
    *,
    log: Annotated[Path, typer.Argument(help="the log as the controller's page saves it")],
    checkpoint: Annotated[list[Path], typer.Option(help="a checkpoint that was kept, once for each")],
    anchor: Annotated[Path, typer.Option(help="the pinned anchor file")] = Path("anchor.json"),
) -> None:
    """Checks that a saved log is one chain and still holds what was signed for it before."""
    found = check_log(log, checkpoint, read_anchor(anchor.read_bytes()))
    words = _("The log is whole: %(size)d entries, the first %(signed)d of them signed for.")
    console.print(words % {"size": found.state.size, "signed": found.signed})
