"""The commands a technician types. What they do lies in the other modules; here are only words and options."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape
from rich.table import Table

from protocol import codec, sealed
from protocol.envelope import Envelope, unpack
from protocol.grants import read_anchor
from protocol.keys import SigningKey, key_id
from protocol.units import unit_path
from provisioning import bundle_cli, device_ca_cli, enrol_cli, grant_cli, logs_cli, root_cli
from provisioning.ceremony import make_anchor
from provisioning.checkup import check_device
from provisioning.demo import make_ceremony
from provisioning.errors import ProvisioningError
from provisioning.grant_files import post_grants, read_envelope
from provisioning.i18n import gettext as _
from provisioning.log_check import check_log
from provisioning.new_key import make_on_card, new_passphrase
from provisioning.terminal import console as _console
from provisioning.terminal import explained as _explained
from provisioning.terminal import now as _now
from signer.disk import write_durably
from signer.key_store import KeyStore, seal

app: Final = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
_ABOUT: Final = {
    "keys": "Operators' and anchor holders' keys.",
    "anchor": "The file that devices pin.",
    "log": "What a controller distributed, checked without it.",
    "demo": "The key ceremony of the made-up province.",
}
_groups: Final = {name: typer.Typer(no_args_is_help=True, help=about) for name, about in _ABOUT.items()}
for _name, _group in _groups.items():
    app.add_typer(_group, name=_name)
app.add_typer(bundle_cli.app, name="bundle")
app.add_typer(logs_cli.app, name="logs")
app.add_typer(device_ca_cli.app, name="device-ca")
enrol_cli.add_to(app)
grant_cli.add_to(app)
app.add_typer(root_cli.app, name="root")

SignWith = Annotated[list[Path], typer.Option(help="an anchor holder's key file, once for each")]
AnchorPath = Annotated[Path, typer.Option(help="the pinned anchor file")]


@_groups["keys"].command("make")
@_explained
def keys_make(
    *,
    name: str,
    holder: Annotated[str, typer.Option(help="the person, as the signer shows them")],
    directory: Annotated[Path, typer.Option(help="directory of key files")] = Path("keys"),
    pkcs11: Annotated[str, typer.Option(help="make it on a card instead: path of its PKCS#11 module")] = "",
    token: Annotated[str, typer.Option(help="label of the card")] = "",
) -> None:
    """Makes an operator's key, sealed with a passphrase or on a card; prints its public half."""
    if pkcs11:
        public = make_on_card(pkcs11, token, name=name, holder=holder)
        _console.print(
            _("Key made on the card %(label)s. Its public half:") % {"label": token}, public, soft_wrap=True
        )
        _tell_id(public)
        return
    passphrase = new_passphrase()
    key = SigningKey.generate()
    path = KeyStore(directory).add(seal(key, name=name, holder=holder, passphrase=passphrase))
    _console.print(_("Key written to %(path)s. Its public half:") % {"path": path}, key.public, soft_wrap=True)
    _tell_id(key.public)


def _tell_id(public: str) -> None:
    _console.print(_("Its number, for the paper and to compare when it signs: %(id)s") % {"id": key_id(public)})


@_groups["anchor"].command("make")
@_explained
def anchor_make(
    *,
    scope: str,
    key: Annotated[list[str], typer.Option(help="public key, once for each holder")],
    freshness_key: Annotated[str, typer.Option(help="public key of the controller")],
    threshold: int = 2,
    log_key: Annotated[str, typer.Option(help="public half of the log key; without it logs stay on devices")] = "",
    out: Path = Path("anchor.json"),
) -> None:
    """Writes the anchor file that devices, controller and signers pin."""
    anchor = make_anchor(unit_path(scope), keys=key, threshold=threshold, freshness_keys=[freshness_key])
    if log_key:
        anchor = replace(anchor, log_key=sealed.log_key(log_key))
    write_durably(out, codec.encode(anchor), mode=0o644)
    _console.print(_("Anchor written to %(path)s.") % {"path": out})


@app.command("post")
@_explained
def post(*, files: list[Path], controller: str = "http://127.0.0.1:8080") -> None:
    """Posts grants and other signed files to the controller; the file a signer saved counts as well."""
    envelopes = [one for path in files for one in _envelopes(path)]
    table = Table(_("kind"), _("digest"), _("state"), _("reason"))
    results = asyncio.run(post_grants(controller, envelopes))
    for one in results:
        table.add_row(one.kind, one.digest[:12], one.state, one.refusal or "")
    _console.print(table)
    if any(one.state == "refused" for one in results):
        raise ProvisioningError(_("The controller refused a document."))


def _envelopes(path: Path) -> list[Envelope]:
    saved = json.loads(path.read_bytes())
    if isinstance(saved, dict) and "envelopes" in saved:
        return [unpack(str(one).encode()) for one in saved["envelopes"]]
    return [read_envelope(path)]


@app.command("check")
@_explained
def check(*, device_file: Path) -> None:
    """Tries what a device would do: anchor, data directory, clock, documents, broker."""
    answers = asyncio.run(check_device(device_file, wall=_now))
    table = Table("", _("question"), _("found"))
    for one in answers:
        table.add_row("[green]✓[/green]" if one.ok else "[red]✗[/red]", one.question, escape(one.found))
    _console.print(table)
    if not all(one.ok for one in answers):
        raise ProvisioningError(_("Not everything is well; see the lines marked ✗."))


@_groups["log"].command("check")
@_explained
def log_check(
    *,
    log: Annotated[Path, typer.Argument(help="the log as the controller's page saves it")],
    checkpoint: Annotated[list[Path], typer.Option(help="a checkpoint that was kept, once for each")],
    anchor: AnchorPath = Path("anchor.json"),
) -> None:
    """Checks that a saved log is one chain and still holds what was signed for it before."""
    found = check_log(log, checkpoint, read_anchor(anchor.read_bytes()))
    words = _("The log is whole: %(size)d entries, the first %(signed)d of them signed for.")
    _console.print(words % {"size": found.state.size, "signed": found.signed})


@_groups["demo"].command("make")
@_explained
def demo_make(
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
    _console.print(table)
