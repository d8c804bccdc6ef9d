"""Makes a key on a card, with the PIN of whoever holds it."""

from __future__ import annotations

import os

from provisioning.asking import ask_secret
from provisioning.errors import ProvisioningError
from provisioning.i18n import gettext as _
from signer.card import CardSlot
from signer.key_store import check_name


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
    pin = os.environ.get("LOALANG_PIN") or ask_secret(_("PIN of the card"))
    return make_card_key(CardSlot(module, token), pin=pin, name=name, holder=holder)
