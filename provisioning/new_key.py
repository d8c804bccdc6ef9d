"""Asks for the secret of a new key: a passphrase for a file, or the PIN of the card that makes it."""

from __future__ import annotations

import os
from typing import Final

import typer

from provisioning.errors import ProvisioningError
from provisioning.i18n import gettext as _
from signer.card import CardSlot
from signer.key_store import check_name

_PASSPHRASE_CHARS_MIN: Final = 10


def new_passphrase() -> str:
    """Typed twice, or from `LOALANG_PASSPHRASE`.

    Raises:
        ProvisioningError: it is too short.
    """
    given = os.environ.get("LOALANG_PASSPHRASE")
    typed: str = given or typer.prompt("Passphrase", hide_input=True, confirmation_prompt=True)
    if len(typed.strip()) < _PASSPHRASE_CHARS_MIN:
        raise ProvisioningError(_("A passphrase has at least ten characters."))
    return typed


def make_on_card(module: str, token: str, *, name: str, holder: str) -> str:
    """Makes a key that never leaves its card; gives the public half.

    Raises:
        ProvisioningError: this installation cannot drive cards.
        KeyStoreError: wrong PIN, no such card, or the name is taken there.
    """
    try:
        from signer.card_keys import make_card_key
    except ImportError as error:
        words = _("Cards need the package python-pkcs11. Install the extra “signer” and try again.")
        raise ProvisioningError(words) from error
    check_name(name)
    pin: str = os.environ.get("LOALANG_PIN") or typer.prompt("PIN", hide_input=True)
    return make_card_key(CardSlot(module, token), pin=pin, name=name, holder=holder)
