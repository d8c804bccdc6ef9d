"""Keys of the root: Ed25519, the same sealed files as operators' keys, in the form that TUF names them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from securesystemslib.signer import CryptoSigner, SSlibKey
from tuf.api.metadata import Root, Snapshot, Targets, Timestamp

from protocol.keys import SigningKey, public_key

ROLES: Final = (Root.type, Targets.type, Snapshot.type, Timestamp.type)
"""In the order in which they are published: who reads between two of them sees the old state."""


@dataclass(frozen=True, slots=True)
class RoleKeys:
    """Who holds a role: public keys as in key files, and how many must sign."""

    keys: tuple[str, ...]
    threshold: int = 1

    def __post_init__(self) -> None:
        for key in self.keys:
            public_key(key)
        if len(set(self.keys)) != len(self.keys) or not 1 <= self.threshold <= len(self.keys):
            raise ValueError("the threshold is between 1 and the number of different keys")


def tuf_key(public: str) -> SSlibKey:
    """A public key as TUF writes it."""
    made = SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key(public))))
    assert isinstance(made, SSlibKey)
    return made


def tuf_signer(key: SigningKey) -> CryptoSigner:
    """Signs metadata with an opened key."""
    return CryptoSigner(Ed25519PrivateKey.from_private_bytes(key.seed()), tuf_key(key.public))


def put_keys(root: Root, role: str, held: RoleKeys) -> None:
    """Gives a role to new holders; keys that nobody uses any more go."""
    for key_id in list(root.roles[role].keyids):
        root.revoke_key(key_id, role)
    for key in held.keys:
        root.add_key(tuf_key(key), role)
    root.roles[role].threshold = held.threshold
