"""What is in the bytes that a device was given, read once for all devices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from protocol import codec
from protocol.document import Kind, kind_of
from protocol.envelope import Envelope, unpack, unpack_alert
from protocol.errors import DocumentError
from protocol.freshness import Head
from protocol.limits import ALERT_ENVELOPE_BYTES_MAX
from protocol.parcel import unpack_parcel


@dataclass(frozen=True, slots=True)
class Seen:
    """An envelope.

    Attributes:
        digest: its name.
        keys: ids of the keys whose signatures it carries; whether they hold is not asked here.
        head: what it says if it is a head; its signature is not looked at either.
    """

    digest: str
    keys: frozenset[str]
    envelope: Envelope
    head: Head | None = None


@lru_cache(maxsize=1024)
def envelope_of(data: bytes) -> Seen | None:
    """The envelope in some bytes; None when there is none."""
    try:
        envelope = unpack(data)
    except DocumentError:
        return None
    return Seen(envelope.digest, frozenset(one.key_id for one in envelope.signatures), envelope, _head_of(envelope))


@lru_cache(maxsize=1024)
def alert_of(data: bytes) -> Seen | None:
    """The same for what comes over the topic of alerts, where envelopes are small."""
    try:
        unpack_alert(data)
    except DocumentError:
        return None
    return envelope_of(data)


@lru_cache(maxsize=256)
def parcel_of(data: bytes) -> tuple[tuple[bytes, Seen], ...]:
    """The envelopes of a parcel, in their order."""
    try:
        found = [(one, envelope_of(one)) for one in unpack_parcel(data)]
    except DocumentError:
        return ()
    return tuple((one, seen) for one, seen in found if seen is not None)


def _head_of(envelope: Envelope) -> Head | None:
    try:
        if kind_of(envelope) is Kind.HEAD:
            return codec.decode(Head, envelope.payload, bytes_max=ALERT_ENVELOPE_BYTES_MAX)
    except DocumentError:
        pass
    return None


@lru_cache(maxsize=4096)
def holds(envelope: Seen, keys: tuple[str, ...]) -> bool:
    """Whether one of the keys really signed it."""
    return bool(envelope.envelope.signers(keys))
