"""`logs key` and `logs open`: what devices carried out on a stick, for the province's eyes only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from protocol.sealed import LogKey
from provisioning.asking import ask_passphrase, new_passphrase
from provisioning.i18n import gettext as _
from provisioning.log_key import open_log_key, read_log_key, write_log_key
from provisioning.log_open import open_log
from provisioning.terminal import console, explained

app: Final = typer.Typer(no_args_is_help=True, help="Logs that devices carried out on a stick.")

KeyPath = Annotated[Path, typer.Option(help="the province's log key")]


def add_to(whole: typer.Typer) -> None:
    """Adds the group."""
    whole.add_typer(app, name="logs")


@app.command("key")
@explained
def make_key(*, out: KeyPath = Path("log-key.json")) -> None:
    """Makes the province's log key, sealed with a passphrase; prints the public half for the anchor."""
    key = LogKey.generate()
    write_log_key(out, key, new_passphrase(str(out)))
    words = _("Log key written to %(path)s. Its public half belongs into the anchor as log_key:")
    console.print(words % {"path": out}, key.public, soft_wrap=True)


@app.command("open")
@explained
def open_(
    *,
    file: Annotated[Path, typer.Argument(help="a sealed log from a stick")],
    key: KeyPath = Path("log-key.json"),
    out: Annotated[Path, typer.Option(help="new directory for what is inside")],
) -> None:
    """Opens a sealed log into files of JSON lines: device, reports, journal."""
    sealed = read_log_key(key)
    found = open_log(file, open_log_key(sealed, ask_passphrase(key)), out)
    words = _(
        "A log of the device %(device)s, by its own word: %(reports)d reports, %(journal)d lines of its journal."
    )
    counts = {name: found.entries.get(name, 0) for name in ("reports", "journal")}
    console.print(words % {"device": found.device, **counts})
    console.print(_("Written to %(path)s.") % {"path": out})
