"""`keys`: operators' and holders' keys, as sealed files or on cards."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from protocol.keys import SigningKey, key_id
from provisioning.asking import NEW_PASSPHRASE, ask_passphrase, new_passphrase
from provisioning.i18n import gettext as _
from provisioning.new_key import make_on_card
from provisioning.resealing import reseal
from provisioning.terminal import console, explained
from signer.key_store import KeyStore, seal

app: Final = typer.Typer(no_args_is_help=True, help="Operators' and anchor holders' keys.")


def add_to(whole: typer.Typer) -> None:
    """Adds the group."""
    whole.add_typer(app, name="keys")


@app.command("make")
@explained
def make(
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
        said = _("Key made on the card %(label)s. Its public half:") % {"label": token}
    else:
        key = SigningKey.generate()
        made = seal(key, name=name, holder=holder, passphrase=new_passphrase(name))
        public, path = key.public, KeyStore(directory).add(made)
        said = _("Key written to %(path)s. Its public half:") % {"path": path}
    console.print(said, public, soft_wrap=True)
    console.print(_("Its number, for the paper and to compare when it signs: %(id)s") % {"id": key_id(public)})


@app.command("passphrase")
@explained
def passphrase(*, file: Annotated[Path, typer.Argument(help="key file, log key, or ca-key.json")]) -> None:
    """Gives a key file a new passphrase. Copies made before still open with the old one."""
    reseal(
        file,
        passphrase=lambda: ask_passphrase(file),
        renewed=lambda: new_passphrase(str(file), variable=NEW_PASSPHRASE),
    )
    console.print(_("%(path)s opens with the new passphrase only.") % {"path": file}, soft_wrap=True)
    words = _("Copies made before still open with the old one: replace each of them, and destroy what you replace.")
    console.print(words)
