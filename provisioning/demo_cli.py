"""`demo make`: the key ceremony of the made-up province."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.table import Table

from provisioning.demo import make_ceremony
from provisioning.i18n import gettext as _
from provisioning.terminal import console, explained

app: Final = typer.Typer(no_args_is_help=True, help="The key ceremony of the made-up province.")


def add_to(whole: typer.Typer) -> None:
    """Adds the group."""
    whole.add_typer(app, name="demo")


@app.command("make")
@explained
def make(
    *,
    data: Annotated[Path, typer.Option(help="the demo's data directory")] = Path("data"),
    places: Annotated[Path, typer.Option(help="JSON: unit path to name, loudspeakers and people")],
    freshness_key: Annotated[str, typer.Option(help="public key of the controller")],
) -> None:
    """Holds the demo's key ceremony and prints its passphrases."""
    made = make_ceremony(data, freshness_key=freshness_key, places=json.loads(places.read_bytes()))
    table = Table(_("key"), _("person"), _("place"), _("passphrase"))
    for one in made.people:
        table.add_row(one.key, one.holder, one.scope, one.passphrase)
    console.print(table)
