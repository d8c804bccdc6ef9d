"""Ed25519 through `cryptography`, with the key checks that OpenSSL leaves out.

OpenSSL accepts a signature under a small-order key for any message, so such keys, and encodings that are not
canonical, are refused when a key is read (trust.md). The curve's constants are from RFC 8032, section 5.1.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from protocol.errors import DocumentError, Refusal

_P: Final = 2**255 - 19
_D: Final = -121665 * pow(121666, -1, _P) % _P
_SQRT_MINUS_1: Final = pow(2, (_P - 1) // 4, _P)
KEY_BYTES: Final = 32
_KEYS_REMEMBERED: Final = 1024
"""A device meets some dozens of keys, a controller some thousands; what was found of a key never changes."""

Point = tuple[int, int]


@lru_cache(_KEYS_REMEMBERED)
def public_key(text: str) -> str:
    """Checks a public key from outside: 64 lower-case hexadecimal digits of a canonical point of full order.

    Raises:
        DocumentError: anything else.
    """
    try:
        raw = bytes.fromhex(text)
    except ValueError as error:
        raise _bad("is not hexadecimal") from error
    if len(raw) != KEY_BYTES or raw.hex() != text:
        raise _bad("is not 64 lower-case hexadecimal digits")
    point = _decompress(raw)
    if _times_eight(point) == (0, 1):
        raise _bad("has small order")
    return text


def _bad(what: str) -> DocumentError:
    return DocumentError(Refusal.MALFORMED_DOCUMENT, f"public key {what}")


def _decompress(raw: bytes) -> Point:
    """RFC 8032, 5.1.3; refuses y >= p and points off the curve."""
    number = int.from_bytes(raw, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= _P:
        raise _bad("is not canonical")
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _SQRT_MINUS_1 % _P
    if (x * x - square) % _P or (x == 0 and sign):
        raise _bad("is not a point of the curve")
    return (x if x & 1 == sign else _P - x, y)


def _times_eight(point: Point) -> Point:
    for _ in range(3):
        point = _double(point)
    return point


def _double(point: Point) -> Point:
    x, y = point
    cross = _D * x * x * y * y % _P
    return (2 * x * y * pow(1 + cross, -1, _P) % _P, (y * y + x * x) * pow(1 - cross, -1, _P) % _P)


@lru_cache(_KEYS_REMEMBERED)
def key_id(key: str) -> str:
    """First 16 digits of the SHA-256 of the key's bytes: a name for people and for looking up, not a proof."""
    return hashlib.sha256(bytes.fromhex(key)).hexdigest()[:16]


def verify(key: str, signature: bytes, message: bytes) -> bool:
    """Whether the signature is this key's over the message. The key has passed `public_key`."""
    try:
        _loaded(key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


@lru_cache(_KEYS_REMEMBERED)
def _loaded(key: str) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))


class SigningKey:
    """A private key. Its text form never prints the secret."""

    __slots__ = ("_private", "public")

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = private.public_key().public_bytes_raw().hex()

    @classmethod
    def generate(cls) -> SigningKey:
        """A new random key."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_seed(cls, seed: bytes) -> SigningKey:
        """The key of 32 secret bytes."""
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    def seed(self) -> bytes:
        """The 32 secret bytes, to be sealed before they touch a disk."""
        return self._private.private_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """64 bytes of signature."""
        return self._private.sign(message)

    def __repr__(self) -> str:
        return f"SigningKey({key_id(self.public)})"
