"""Frames on the UART between computer and guardian, for both ends.

A frame is COBS-stuffed between two zero bytes, so whoever lost the thread finds it again at the next zero. Inside:

    kind (1) | counter (4, big-endian) | body (0..1000) | mac (16)

The mac is the first 16 bytes of HMAC-SHA256 (RFC 2104 allows half; guessing one at 115,200 baud takes for ever, and
a beat stays at 33 bytes). Its key belongs to the session: both ends give a fresh nonce, so a frame recorded
yesterday, or before a reset, has another key. Within a session each end's counter only grows. Kinds below 0x80 come
from the computer, the others from the guardian, so a frame thrown back at its sender is none.
"""

import hashlib
import hmac
import struct

MAC_BYTES = 16
NONCE_BYTES = 16
KEY_BYTES = 32
BODY_BYTES_MAX = 1000
HEADER_BYTES = 5
FRAME_BYTES_MAX = HEADER_BYTES + BODY_BYTES_MAX + MAC_BYTES
STUFFED_BYTES_MAX = FRAME_BYTES_MAX + FRAME_BYTES_MAX // 254 + 1
COUNTER_AHEAD_MAX = 1000
"""So many frames may be lost in a row; rubbish is mostly refused by its counter, before a digest is computed."""
COUNTER_MAX = 0xFFFFFFFF
FRAMES_WAITING_MAX = 64

FROM_GUARDIAN = 0x80


def mac(key: bytes, data: bytes) -> bytes:
    """The signature of some bytes."""
    return hmac.new(key, data, hashlib.sha256).digest()[:MAC_BYTES]


def same(one: bytes, other: bytes) -> bool:
    """Whether two signatures are equal, in a time that does not tell where they differ."""
    if len(one) != len(other):
        return False
    difference = 0
    for index in range(len(one)):
        difference |= one[index] ^ other[index]
    return difference == 0


def stuffed(data: bytes) -> bytes:
    """Consistent overhead byte stuffing: the same bytes without a zero (Cheshire and Baker, 1999)."""
    out = bytearray()
    block = bytearray()
    for byte in data:
        if byte:
            block.append(byte)
        if byte == 0 or len(block) == 254:
            out.append(len(block) + 1)
            out.extend(block)
            block = bytearray()
            if byte:
                continue
    out.append(len(block) + 1)
    out.extend(block)
    return bytes(out)


def unstuffed(data: bytes) -> bytes | None:
    """What was stuffed; None when it was not."""
    out = bytearray()
    at = 0
    while at < len(data):
        code = data[at]
        if code == 0 or at + code > len(data):
            return None
        out.extend(data[at + 1 : at + code])
        at += code
        if code < 255 and at < len(data):
            out.append(0)
    return bytes(out)


def framed(data: bytes) -> bytes:
    """A frame as it goes over the wire. The leading zero ends whatever rubbish came before."""
    return b"\x00" + stuffed(data) + b"\x00"


class FrameReader:
    """Cuts a stream of bytes into frames; what is too long, empty or no frame is dropped without a word."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._lost = False

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that are complete now, at most FRAMES_WAITING_MAX."""
        frames: list[bytes] = []
        pieces = bytes(data).split(b"\x00")
        for index, piece in enumerate(pieces):
            if len(self._held) + len(piece) > STUFFED_BYTES_MAX:
                self._lost = True
                self._held = bytearray()
            if not self._lost:
                self._held.extend(piece)
            if index < len(pieces) - 1:
                frame = unstuffed(bytes(self._held)) if self._held else None
                if frame and len(frames) < FRAMES_WAITING_MAX:
                    frames.append(frame)
                self._held = bytearray()
                self._lost = False
        return frames


class Session:
    """Seals what one end sends and opens what the other end sent.

    Args:
        key: of this session.
        guardian: whether this is the guardian's end.
    """

    def __init__(self, key: bytes, *, guardian: bool) -> None:
        self._key = key
        self._sends = FROM_GUARDIAN if guardian else 0
        self._sent = 0
        self._seen = 0

    def seal(self, kind: int, body: bytes) -> tuple[bytes, int]:
        """A frame for the wire, and its counter."""
        assert kind & FROM_GUARDIAN == self._sends, "a kind belongs to one end"
        assert len(body) <= BODY_BYTES_MAX, "a body is bounded"
        self._sent += 1
        data = struct.pack(">BI", kind, self._sent) + body
        return framed(data + mac(self._key, data)), self._sent

    def opened(self, frame: bytes) -> tuple[int, int, bytes] | None:
        """Kind, counter and body; None for everything that this session's other end did not send just now."""
        if not self.plausible(frame):
            return None
        data = frame[:-MAC_BYTES]
        if not same(mac(self._key, data), frame[-MAC_BYTES:]):
            return None
        kind, counter = struct.unpack(">BI", data[:HEADER_BYTES])
        self._seen = counter
        return kind, counter, data[HEADER_BYTES:]

    def plausible(self, frame: bytes) -> bool:
        """Whether it is worth a digest."""
        if not HEADER_BYTES + MAC_BYTES <= len(frame) <= FRAME_BYTES_MAX:
            return False
        kind, counter = struct.unpack(">BI", frame[:HEADER_BYTES])
        if kind & FROM_GUARDIAN == self._sends:
            return False
        return bool(self._seen < counter <= self._seen + COUNTER_AHEAD_MAX)


def session_key(key: bytes, computer_nonce: bytes, guardian_nonce: bytes) -> bytes:
    """The key of a session: as long as a digest, so nothing of the pair's key is in it."""
    return hmac.new(key, b"loalang guardian session 1" + computer_nonce + guardian_nonce, hashlib.sha256).digest()


def greeting(kind: int, key: bytes, content: bytes) -> bytes:
    """A frame outside a session, signed with the pair's own key: hello, welcome, paired."""
    data = bytes([kind]) + content
    return framed(data + mac(key, b"loalang guardian greeting 1" + data))


def greeted(frame: bytes, kind: int, key: bytes) -> bytes | None:
    """The content of such a frame, or None."""
    if len(frame) < 1 + MAC_BYTES or frame[0] != kind:
        return None
    data = frame[:-MAC_BYTES]
    signed = same(mac(key, b"loalang guardian greeting 1" + data), frame[-MAC_BYTES:])
    return data[1:] if signed else None
