"""Logs sealed to the province's key: whoever finds the stick reads nothing, and a log that was cut off is noticed.

An X25519 key made for this one log agrees with the province's; HKDF-SHA256 makes the key of ChaCha20-Poly1305 of it.
One log may be larger than a device's memory, so it is sealed in pieces as in STREAM (Hoang, Reyhanitabar, Rogaway and
Vizár, 2015): the nonce of a piece is its number and whether it is the last. HPKE (RFC 9180) would be the standard's
way; the oldest `cryptography` that we allow has none, and its one-shot form wants the whole log in memory.

    magic, 17 bytes | length of the label, 2 bytes | label | ephemeral key, 32 bytes | pieces
    a piece is 65,536 sealed bytes and a tag of 16; the last one may be shorter

The label is clear text, such as the device's name; it is bound to the key, so another label no longer opens. A sealed
log proves nothing about who wrote it: anybody can seal to a public key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from protocol.errors import DocumentError, Refusal

MAGIC: Final = b"loalang-sealed-1\n"
PIECE_BYTES: Final = 64 * 1024
LABEL_BYTES_MAX: Final = 1024
_TAG_BYTES: Final = 16
_KEY_BYTES: Final = 32
_PRIME: Final = 2**255 - 19

Read = Callable[[int], bytes]
"""Gives as many bytes as it was asked for, fewer only at the end."""


class LogKey:
    """The private half, kept by the province. Its text form never prints the secret."""

    __slots__ = ("_private", "public")

    def __init__(self, private: X25519PrivateKey) -> None:
        self._private = private
        self.public = private.public_key().public_bytes_raw().hex()

    @classmethod
    def generate(cls) -> LogKey:
        """A new random key."""
        return cls(X25519PrivateKey.generate())

    @classmethod
    def from_secret(cls, secret: bytes) -> LogKey:
        """The key of 32 secret bytes."""
        return cls(X25519PrivateKey.from_private_bytes(secret))

    def secret(self) -> bytes:
        """The 32 secret bytes, to be sealed before they touch a disk."""
        return self._private.private_bytes_raw()

    def agree(self, other: bytes) -> bytes:
        """What this key and another one share.

        Raises:
            ValueError: the other one has small order, so everybody would know what they share.
        """
        return self._private.exchange(X25519PublicKey.from_public_bytes(other))

    def __repr__(self) -> str:
        return f"LogKey({self.public[:16]})"


_PROBE: Final = LogKey.from_secret(bytes(_KEY_BYTES))


def log_key(text: str) -> str:
    """Checks a public log key from outside: 64 lower-case hexadecimal digits, canonical and not of small order.

    Raises:
        DocumentError: anything else.
    """
    try:
        raw = bytes.fromhex(text)
        if raw.hex() != text or int.from_bytes(raw, "little") >= _PRIME:
            raise ValueError("not canonical")
        _PROBE.agree(raw)
    except ValueError as error:
        raise DocumentError(Refusal.MALFORMED_DOCUMENT, f"log key: {error}"[:200]) from error
    return text


def seal(pieces: Iterable[bytes], *, recipient: str, label: bytes) -> Iterator[bytes]:
    """Seals bytes as they come, whatever their portions; holds no more than a piece and a portion.

    Args:
        recipient: the province's public key, checked by `log_key`.
        label: clear text that is bound to the rest.
    """
    if len(label) > LABEL_BYTES_MAX:
        raise ValueError(f"a label has at most {LABEL_BYTES_MAX} bytes")
    ephemeral, to = LogKey.generate(), bytes.fromhex(recipient)
    header = MAGIC + len(label).to_bytes(2, "big") + label + bytes.fromhex(ephemeral.public)
    cipher = _cipher(ephemeral.agree(to), header=header, recipient=to)
    yield header
    number, waiting = 0, bytearray()
    for piece in pieces:
        waiting += piece
        # The last piece is known only when nothing follows, so a full one waits.
        while len(waiting) > PIECE_BYTES:
            yield cipher.encrypt(_nonce(number, last=False), bytes(waiting[:PIECE_BYTES]), None)
            del waiting[:PIECE_BYTES]
            number += 1
    yield cipher.encrypt(_nonce(number, last=True), bytes(waiting), None)


def read_label(read: Read) -> bytes:
    """The label at the beginning of a sealed log, not yet proven to belong to the rest.

    Raises:
        DocumentError: it is no sealed log.
    """
    return _read_header(read)[0]


def unseal(read: Read, key: LogKey) -> Iterator[bytes]:
    """Opens a sealed log piece by piece; each piece that is given was proven before.

    Raises:
        DocumentError: it is no sealed log, is sealed to another key, was changed, or was cut off.
    """
    _, ephemeral, header = _read_header(read)
    try:
        cipher = _cipher(key.agree(ephemeral), header=header, recipient=bytes.fromhex(key.public))
    except ValueError as error:
        raise DocumentError(Refusal.MALFORMED_DOCUMENT, "a sealed log's key has small order") from error
    number, piece = 0, read(PIECE_BYTES + _TAG_BYTES)
    last = False
    while not last:
        following = read(PIECE_BYTES + _TAG_BYTES) if len(piece) == PIECE_BYTES + _TAG_BYTES else b""
        last = not following
        yield _opened(cipher, _nonce(number, last=last), piece)
        number, piece = number + 1, following


def _opened(cipher: ChaCha20Poly1305, nonce: bytes, piece: bytes) -> bytes:
    try:
        return cipher.decrypt(nonce, piece, None)
    except InvalidTag as error:
        detail = "sealed to another key, changed, or cut off"
        raise DocumentError(Refusal.MALFORMED_DOCUMENT, detail) from error


def _read_header(read: Read) -> tuple[bytes, bytes, bytes]:
    magic, length = read(len(MAGIC)), read(2)
    size = int.from_bytes(length, "big")
    if magic != MAGIC or size > LABEL_BYTES_MAX:
        raise DocumentError(Refusal.MALFORMED_DOCUMENT, "not a sealed log")
    label, ephemeral = read(size), read(_KEY_BYTES)
    if len(label) != size or len(ephemeral) != _KEY_BYTES:
        raise DocumentError(Refusal.MALFORMED_DOCUMENT, "a sealed log was cut off")
    return label, ephemeral, magic + length + label + ephemeral


def _cipher(shared: bytes, *, header: bytes, recipient: bytes) -> ChaCha20Poly1305:
    kdf = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=header + recipient)
    return ChaCha20Poly1305(kdf.derive(shared))


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])
