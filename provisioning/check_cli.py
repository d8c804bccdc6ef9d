"""`check`: whether a device would find everything it needs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import typer
from rich.markup import escape
from rich.table import Table

from provisioning.checkup import check_device
from provisioning.errors import ProvisioningError
from provisioning.i18n import gettext as _
from provisioning.terminal import console, explained, now


def add_to(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("check")(explained(check))


def check(*, device_file: Path) -> None:
    """Tries what a device would do: anchor, data directory, clock, documents, broker."""
    answers = asyncio.run(check_device(device_file, wall=now))
    table = Table("", _("question"), _("found"))
    for one in answers:
        table.add_row("[green]✓[/green]" if one.ok else "[red]✗[/red]", one.question, escape(one.found))
    console.print(table)
    if not all(one.ok for one in answers):
        raise ProvisioningError(_("Not everything is well; see the lines marked ✗."))
