"""Operators' keys as files, each sealed with its owner's passphrase.

A key file says whose key it is and its public half in the clear, and holds the private half under AES-256-GCM with a
key that scrypt makes from the passphrase (RFC 7914). The clear part is bound to the sealed one, so a file whose name
or public key was changed no longer opens.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from protocol import codec
from protocol.errors import DocumentError
from protocol.keys import SigningKey, key_id, public_key
from signer.disk import write_durably
from signer.errors import KeyStoreError, WrongPassphraseError
from signer.i18n import gettext as _

SCHEMA: Final = 1
_NAME: Final = re.compile(r"[a-z0-9-]{1,32}")
_FILE_BYTES_MAX: Final = 8 * 1024
_SALT_BYTES: Final = 16
_NONCE_BYTES: Final = 12
COST: Final = 2**15
"""scrypt's n: 32 MiB and about a tenth of a second on an office machine."""
_COST_MAX: Final = 2**20


@dataclass(frozen=True, slots=True)
class SealedKey:
    """A key file. Sealed bytes, salt and nonce are hexadecimal.

    Attributes:
        holder: the person, as shown when someone chooses who signs.
        cost: scrypt's n; r is 8 and p is 1.
    """

    name: str
    holder: str
    public: str
    salt: str
    nonce: str
    sealed: str
    cost: int = field(default=COST, metadata=codec.bounded(low=2, high=_COST_MAX))
    schema: int = field(default=SCHEMA, metadata=codec.bounded(low=SCHEMA, high=SCHEMA))

    def __post_init__(self) -> None:
        check_name(self.name)
        public_key(self.public)

    @property
    def key_id(self) -> str:
        """The name that signatures carry."""
        return key_id(self.public)


def check_name(name: str) -> str:
    """Checks the name of a key file; raises ValueError."""
    if not _NAME.fullmatch(name):
        raise ValueError("a key's name is 1 to 32 of a-z, 0-9 and -")
    return name


def seal(key: SigningKey, *, name: str, holder: str, passphrase: str, cost: int = COST) -> SealedKey:
    """Seals a private key."""
    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    made = SealedKey(name, holder, key.public, salt.hex(), nonce.hex(), "", cost)
    secret = AESGCM(stretch(passphrase, salt, cost)).encrypt(nonce, key.seed(), _bound(made))
    return SealedKey(name, holder, key.public, salt.hex(), nonce.hex(), secret.hex(), cost)


def unseal(sealed: SealedKey, passphrase: str) -> SigningKey:
    """Opens a private key; takes about a tenth of a second on purpose.

    Raises:
        WrongPassphraseError: it does not open.
        KeyStoreError: the file was changed.
    """
    try:
        salt, nonce, secret = (bytes.fromhex(part) for part in (sealed.salt, sealed.nonce, sealed.sealed))
        seed = AESGCM(stretch(passphrase, salt, sealed.cost)).decrypt(nonce, secret, _bound(sealed))
        key = SigningKey.from_seed(seed)
    except InvalidTag as error:
        raise WrongPassphraseError(_("The passphrase is not right. Please type it again.")) from error
    except ValueError as error:
        raise KeyStoreError(_("The key file is damaged. Please restore it from its backup.")) from error
    if key.public != sealed.public:
        raise KeyStoreError(_("The key file is damaged. Please restore it from its backup."))
    return key


def _bound(sealed: SealedKey) -> bytes:
    return "\n".join((str(sealed.schema), sealed.name, sealed.holder, sealed.public)).encode()


def stretch(passphrase: str, salt: bytes, cost: int) -> bytes:
    """The key of 32 bytes that a passphrase opens; slow on purpose."""
    # Vietnamese letters have a composed and a decomposed form; keyboards differ in which one they send.
    secret = unicodedata.normalize("NFC", passphrase.strip()).encode("utf-8", "surrogatepass")
    return Scrypt(salt=salt, length=32, n=cost, r=8, p=1).derive(secret)


class KeyStore:
    """The directory of key files."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def add(self, sealed: SealedKey) -> Path:
        """Writes a new key file, readable by its owner only.

        Raises:
            KeyStoreError: a key of that name is there already.
        """
        if (self._directory / f"{sealed.name}.json").exists():
            raise KeyStoreError(_("There is already a key with this name: %(name)s") % {"name": sealed.name})
        return self.put(sealed)

    def put(self, sealed: SealedKey) -> Path:
        """Writes a key file over whatever stood there; only a ceremony that begins anew does that."""
        path = self._directory / f"{sealed.name}.json"
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_durably(path, codec.encode(sealed), mode=0o600)
        return path

    def all(self) -> tuple[SealedKey, ...]:
        """Every readable key, by name; a damaged file is left out, so the others still sign."""
        return tuple(self._readable())

    def get(self, name: str) -> SealedKey:
        """The key of a name.

        Raises:
            KeyStoreError: it is not there or not readable.
        """
        for sealed in self._readable():
            if sealed.name == name:
                return sealed
        raise KeyStoreError(_("There is no key with this name here: %(name)s") % {"name": name[:32]})

    def _readable(self) -> Iterator[SealedKey]:
        for path in sorted(self._directory.glob("*.json")):
            try:
                yield read_sealed(path)
            except KeyStoreError:
                continue


def read_sealed(path: Path) -> SealedKey:
    """Reads a key file.

    Raises:
        KeyStoreError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_FILE_BYTES_MAX + 1)
        return codec.decode(SealedKey, data, bytes_max=_FILE_BYTES_MAX)
    except (OSError, DocumentError) as error:
        raise KeyStoreError(_("The key file is damaged. Please restore it from its backup.")) from error
