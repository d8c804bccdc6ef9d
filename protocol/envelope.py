"""DSSE envelopes: the payload's type is signed together with the payload.

See https://github.com/secure-systems-lab/dsse/blob/master/protocol.md; the bytes that are signed are
`DSSEv1 SP LEN(type) SP type SP LEN(payload) SP payload`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from protocol import codec
from protocol.errors import DocumentError, Refusal
from protocol.keys import SigningKey, key_id, verify
from protocol.limits import ALERT_ENVELOPE_BYTES_MAX, ENVELOPE_BYTES_MAX, SIGNATURES_MAX

_PREFIX: Final = "application/vnd.loalang."
_SUFFIX: Final = ".v1+json"
SIGNATURE_BYTES: Final = 64


def payload_type(kind: str) -> str:
    """The payload type of a document kind, such as `schedule`."""
    return f"{_PREFIX}{kind}{_SUFFIX}"


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature and the id of the key that made it."""

    key_id: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A signed document, still as bytes: verify first, read the payload after."""

    payload_type: str
    payload: bytes
    signatures: tuple[Signature, ...]

    @property
    def kind(self) -> str:
        """Document kind inside the payload type; the whole type when it is not one of ours."""
        return self.payload_type.removeprefix(_PREFIX).removesuffix(_SUFFIX)

    @property
    def digest(self) -> str:
        """SHA-256 over what is signed: the document's name in logs, whoever signed it."""
        return hashlib.sha256(self.signed_bytes()).hexdigest()

    def signed_bytes(self) -> bytes:
        """DSSE pre-authentication encoding."""
        return pre_authentication_encoding(self.payload_type, self.payload)

    def signers(self, keys: Iterable[str]) -> frozenset[str]:
        """Those of the given public keys that really signed; each counts once, however often it is listed."""
        by_id = {key_id(key): key for key in keys}
        message = self.signed_bytes()
        named = {one.key_id: one.signature for one in self.signatures if one.key_id in by_id}
        return frozenset(by_id[name] for name, value in named.items() if verify(by_id[name], value, message))

    def pack(self) -> bytes:
        """JSON form, as in the DSSE specification."""
        signatures = tuple(_WireSignature(one.key_id, _to_base64(one.signature)) for one in self.signatures)
        return codec.encode(_Wire(_to_base64(self.payload), self.payload_type, signatures))


@dataclass(frozen=True, slots=True)
class _WireSignature:
    keyid: str
    sig: str


@dataclass(frozen=True, slots=True)
class _Wire:
    payload: str = field(metadata=codec.bounded(chars_max=ENVELOPE_BYTES_MAX))
    payloadType: str
    signatures: tuple[_WireSignature, ...] = field(metadata=codec.bounded(count_max=SIGNATURES_MAX))


def pre_authentication_encoding(type_name: str, payload: bytes) -> bytes:
    """What DSSE signs."""
    name = type_name.encode()
    return b"DSSEv1 %d %s %d %s" % (len(name), name, len(payload), payload)


def _to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _from_base64(text: str, what: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise DocumentError(Refusal.MALFORMED_ENVELOPE, f"{what} is not base64") from error
    if _to_base64(data) != text:
        raise DocumentError(Refusal.MALFORMED_ENVELOPE, f"{what} is not canonical base64")
    return data


def sign(kind: str, payload: bytes, keys: Iterable[SigningKey]) -> Envelope:
    """Signs a payload with each of the keys."""
    message = pre_authentication_encoding(payload_type(kind), payload)
    signatures = tuple(Signature(key_id(key.public), key.sign(message)) for key in keys)
    return Envelope(payload_type(kind), payload, signatures)


def countersign(envelope: Envelope, key: SigningKey) -> Envelope:
    """Adds one more signature; a former one of the same key is replaced."""
    name = key_id(key.public)
    others = tuple(one for one in envelope.signatures if one.key_id != name)
    added = Signature(name, key.sign(envelope.signed_bytes()))
    return Envelope(envelope.payload_type, envelope.payload, (*others, added))


def unpack(data: bytes) -> Envelope:
    """Reads an envelope; nothing in it is verified yet.

    Raises:
        DocumentError: too large, or not an envelope.
    """
    try:
        wire = codec.decode(_Wire, data, bytes_max=ENVELOPE_BYTES_MAX)
    except DocumentError as error:
        if error.refusal is Refusal.TOO_LARGE:
            raise
        raise DocumentError(Refusal.MALFORMED_ENVELOPE, error.detail) from error
    signatures = []
    for one in wire.signatures:
        value = _from_base64(one.sig, "a signature")
        if len(value) != SIGNATURE_BYTES:
            raise DocumentError(Refusal.MALFORMED_ENVELOPE, "a signature has another length than 64 bytes")
        signatures.append(Signature(one.keyid, value))
    return Envelope(wire.payloadType, _from_base64(wire.payload, "the payload"), tuple(signatures))


def unpack_alert(data: bytes) -> Envelope:
    """Reads an envelope from the alert topic, whose size limit is far smaller."""
    if len(data) > ALERT_ENVELOPE_BYTES_MAX:
        raise DocumentError(Refusal.TOO_LARGE, f"{len(data)} bytes, at most {ALERT_ENVELOPE_BYTES_MAX}")
    return unpack(data)
