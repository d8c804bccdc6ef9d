"""Gives a sealed file a new passphrase: the same key, sealed anew and written over the file as a whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

from protocol import codec
from provisioning.errors import ProvisioningError
from provisioning.i18n import gettext as _
from provisioning.log_key import open_log_key, read_log_key, seal_log_key
from signer.disk import write_durably
from signer.key_store import read_sealed, seal, unseal

Ask = Callable[[], str]
_FILE_BYTES_MAX: Final = 64 * 1024


def reseal(file: Path, *, passphrase: Ask, renewed: Ask) -> None:
    """Opens a file and seals it anew; whoever cannot open it is not asked for the new passphrase.

    Args:
        passphrase, renewed: ask for the one that opens it now, and for the new one.

    Raises:
        ProvisioningError, KeyStoreError: no key file, or the passphrase is not right; the file stays as it was.
    """
    fields = _fields(file)
    if "public" in fields:
        _reseal_key(file, passphrase, renewed)
    elif "log_key" in fields:
        log = open_log_key(read_log_key(file), passphrase())
        write_durably(file, codec.encode(seal_log_key(log, renewed())))
    elif "sealed" in fields:
        _reseal_ca(file, passphrase, renewed)
    else:
        raise ProvisioningError(_("%(path)s is no key file.") % {"path": file})


def _fields(file: Path) -> frozenset[str]:
    with file.open("rb") as opened:
        data = opened.read(_FILE_BYTES_MAX)
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return frozenset()
    return frozenset(found) if isinstance(found, dict) else frozenset()


def _reseal_key(file: Path, passphrase: Ask, renewed: Ask) -> None:
    former = read_sealed(file)
    key = unseal(former, passphrase())
    made = seal(key, name=former.name, holder=former.holder, passphrase=renewed())
    write_durably(file, codec.encode(made))


def _reseal_ca(file: Path, passphrase: Ask, renewed: Ask) -> None:
    from provisioning.device_ca import open_ca, seal_ca_key  # certificates are of no use to the other keys

    ca = open_ca(file.parent, passphrase())
    write_durably(file, seal_ca_key(ca.key, renewed()))
