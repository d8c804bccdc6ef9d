"""The province's log key: devices seal their logs to its public half; a passphrase guards the other one.

The file is like a signer's key file: AES-256-GCM under a key that scrypt makes of the passphrase, the public half
bound to the sealed one.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from protocol import codec
from protocol.errors import DocumentError
from protocol.sealed import LogKey, log_key
from provisioning.errors import ProvisioningError
from provisioning.i18n import gettext as _
from signer.disk import write_durably
from signer.key_store import COST, stretch

_FILE_BYTES_MAX: Final = 4 * 1024
_SALT_BYTES: Final = 16
_NONCE_BYTES: Final = 12
_COST_MAX: Final = 2**20


@dataclass(frozen=True, slots=True)
class SealedLogKey:
    """The key file. Sealed bytes, salt and nonce are hexadecimal."""

    log_key: str
    salt: str
    nonce: str
    sealed: str
    cost: int = field(default=COST, metadata=codec.bounded(low=2, high=_COST_MAX))
    schema: int = field(default=1, metadata=codec.bounded(low=1, high=1))

    def __post_init__(self) -> None:
        log_key(self.log_key)


def write_log_key(path: Path, key: LogKey, passphrase: str, *, cost: int = COST) -> None:
    """Writes a new key file, readable by its owner only.

    Raises:
        ProvisioningError: there is a file of that name; a key that opens old logs is never written over.
    """
    if path.exists():
        raise ProvisioningError(_("%(path)s is there already. Choose another name.") % {"path": path})
    write_durably(path, codec.encode(seal_log_key(key, passphrase, cost=cost)), mode=0o600)


def seal_log_key(key: LogKey, passphrase: str, *, cost: int = COST) -> SealedLogKey:
    """Seals the private half."""
    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    secret = AESGCM(stretch(passphrase, salt, cost)).encrypt(nonce, key.secret(), bytes.fromhex(key.public))
    return SealedLogKey(key.public, salt.hex(), nonce.hex(), secret.hex(), cost)


def read_log_key(path: Path) -> SealedLogKey:
    """Reads a key file.

    Raises:
        ProvisioningError: it is none.
    """
    try:
        with path.open("rb") as file:
            return codec.decode(SealedLogKey, file.read(_FILE_BYTES_MAX + 1), bytes_max=_FILE_BYTES_MAX)
    except (OSError, DocumentError) as error:
        words = _("%(path)s is not a log key: %(why)s")
        raise ProvisioningError(words % {"path": path, "why": error}) from error


def open_log_key(sealed: SealedLogKey, passphrase: str) -> LogKey:
    """Opens the private half; takes about a tenth of a second on purpose.

    Raises:
        ProvisioningError: the passphrase is wrong, or the file was changed.
    """
    try:
        salt, nonce, secret = (bytes.fromhex(part) for part in (sealed.salt, sealed.nonce, sealed.sealed))
        cipher = AESGCM(stretch(passphrase, salt, sealed.cost))
        return LogKey.from_secret(cipher.decrypt(nonce, secret, bytes.fromhex(sealed.log_key)))
    except (InvalidTag, ValueError) as error:
        words = _("The passphrase is not right, or the key file was changed.")
        raise ProvisioningError(words) from error
