"""`anchor make`: the file that devices pin."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import typer

from protocol import codec
from protocol.keys import key_id
from protocol.units import unit_path
from provisioning.ceremony import make_anchor
from provisioning.errors import ProvisioningError
from provisioning.i18n import gettext as _
from provisioning.public_half import log_half, signing_half
from provisioning.terminal import console, explained
from signer.disk import write_durably

app: Final = typer.Typer(no_args_is_help=True, help="The file that devices pin.")


def add_to(whole: typer.Typer) -> None:
    """Adds the group."""
    whole.add_typer(app, name="anchor")


@app.command("make")
@explained
def make(
    *,
    scope: str,
    key: Annotated[list[str], typer.Option(help="key file, or public key of 64 digits, once for each holder")],
    freshness_key: Annotated[list[str], typer.Option(help="the same of a controller, once for each controller")],
    threshold: int = 2,
    log_key: Annotated[str, typer.Option(help="the same of the log key; without it logs stay on devices")] = "",
    out: Path = Path("anchor.json"),
    force: Annotated[bool, typer.Option("--force", help="write over the file that is there")] = False,
) -> None:
    """Writes the anchor file that devices, controller and signers pin."""
    if out.exists() and not force:
        words = _("%(path)s is there already. Name another file with --out, or write over it with --force.")
        raise ProvisioningError(words % {"path": out})
    keys, fresh = [signing_half(one) for one in key], [signing_half(one) for one in freshness_key]
    anchor = make_anchor(unit_path(scope), keys=keys, threshold=threshold, freshness_keys=fresh)
    if log_key:
        anchor = replace(anchor, log_key=log_half(log_key))
    write_durably(out, codec.encode(anchor), mode=0o644)
    console.print(_("Anchor written to %(path)s.") % {"path": out})
    for one in keys:
        console.print(_("For the key with the number %(id)s.") % {"id": key_id(one)})
    for one in fresh:
        console.print(_("For the controller with the freshness key %(key)s.") % {"key": one}, soft_wrap=True)
