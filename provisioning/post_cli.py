"""`post`: signed files on their way to the controller."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import typer
from rich.table import Table

from protocol.envelope import Envelope, unpack
from provisioning.errors import ProvisioningError
from provisioning.grant_files import read_envelope
from provisioning.i18n import gettext as _
from provisioning.posting import post_envelopes
from provisioning.terminal import console, explained


def add_to(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("post")(explained(post))


def post(*, files: list[Path], controller: str = "http://127.0.0.1:8080") -> None:
    """Posts grants and other signed files to the controller; the file a signer saved counts as well."""
    envelopes = [one for path in files for one in _envelopes(path)]
    table = Table(_("kind"), _("digest"), _("state"), _("reason"))
    results = asyncio.run(post_envelopes(controller, envelopes))
    for one in results:
        table.add_row(one.kind, one.digest[:12], one.state, one.refusal or "")
    console.print(table)
    if any(one.state == "refused" for one in results):
        raise ProvisioningError(_("The controller refused a document."))


def _envelopes(path: Path) -> list[Envelope]:
    saved = json.loads(path.read_bytes())
    if isinstance(saved, dict) and "envelopes" in saved:
        return [unpack(str(one).encode()) for one in saved["envelopes"]]
    return [read_envelope(path)]
