"""Live sessions: a signed announcement names a short-lived key; each segment is signed by it, with a counter.

So a stream address cannot be swapped and a segment cannot be replaced in flight (Barix 2016, 2025).
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from typing import Final

from protocol.bulletin import BulletinClass
from protocol.clock import WallMs
from protocol.codec import bounded
from protocol.errors import DocumentError, Refusal
from protocol.keys import public_key
from protocol.limits import LIVE_LIFETIME_MS_MAX, LIVE_SEGMENT_BYTES_MAX, LIVE_SEGMENT_MS_MAX, TARGETS_MAX
from protocol.schedule import check_targets
from protocol.units import UnitPath, unit_path

SESSION_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class LiveSession:
    """Someone will speak live until `ends`.

    Attributes:
        id: 32 hexadecimal digits.
        key: the session's Ed25519 public key, 64 hexadecimal digits.
    """

    scope: UnitPath
    id: str
    sequence: int
    issued: WallMs
    expires: WallMs
    bulletin_class: BulletinClass
    key: str
    targets: tuple[UnitPath, ...] = field(metadata=bounded(count_max=TARGETS_MAX))

    def __post_init__(self) -> None:
        check_targets(self.targets, unit_path(self.scope))
        if not SESSION_ID.fullmatch(self.id):
            raise ValueError("a session id is 32 hexadecimal digits")
        public_key(self.key)
        if not 0 < self.expires - self.issued <= LIVE_LIFETIME_MS_MAX:
            raise ValueError("a live session lives between 1 ms and 4 hours")


_MAGIC: Final = b"LLS1"
_HEAD: Final = struct.Struct(">4s16sIHH")
_SIGNATURE_BYTES: Final = 64


@dataclass(frozen=True, slots=True)
class LiveSegment:
    """At most a second of live sound: raw Opus packets of 20 ms, each behind its length in two bytes.

    Attributes:
        counter: grows by one with every segment.
        signature: Ed25519 by the session's key over everything before it.
    """

    session_id: str
    counter: int
    duration_ms: int
    sound: bytes
    signature: bytes

    def signed_bytes(self) -> bytes:
        """What the signature covers."""
        session = bytes.fromhex(self.session_id)
        return _HEAD.pack(_MAGIC, session, self.counter, self.duration_ms, len(self.sound)) + self.sound

    def pack(self) -> bytes:
        """Wire form: magic, session, counter, milliseconds, length, sound, signature; big-endian."""
        return self.signed_bytes() + self.signature


def unpack_segment(data: bytes) -> LiveSegment:
    """Reads a segment; its signature is not yet checked.

    Raises:
        DocumentError: wrong size, magic or length.
    """
    if len(data) > LIVE_SEGMENT_BYTES_MAX:
        raise DocumentError(Refusal.TOO_LARGE, "live segment")
    if len(data) < _HEAD.size + _SIGNATURE_BYTES:
        raise DocumentError(Refusal.MALFORMED_DOCUMENT, "live segment is cut off")
    magic, session, counter, duration_ms, sound_bytes = _HEAD.unpack_from(data)
    if magic != _MAGIC or len(data) != _HEAD.size + sound_bytes + _SIGNATURE_BYTES:
        raise DocumentError(Refusal.MALFORMED_DOCUMENT, "live segment has another shape")
    if not 0 < duration_ms <= LIVE_SEGMENT_MS_MAX:
        raise DocumentError(Refusal.MALFORMED_DOCUMENT, "live segment is longer than a second")
    sound = data[_HEAD.size : -_SIGNATURE_BYTES]
    return LiveSegment(session.hex(), counter, duration_ms, sound, data[-_SIGNATURE_BYTES:])


def opus_packets(sound: bytes) -> tuple[bytes, ...]:
    """The Opus packets of a segment; a cut-off last one raises DocumentError."""
    packets = []
    at = 0
    while at < len(sound):
        size = int.from_bytes(sound[at : at + 2], "big")
        packet = sound[at + 2 : at + 2 + size]
        if size == 0 or len(packet) != size:
            raise DocumentError(Refusal.MALFORMED_DOCUMENT, "an Opus packet is cut off")
        packets.append(packet)
        at += 2 + size
    return tuple(packets)
