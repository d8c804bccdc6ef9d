"""The card in the device: what was made durable, what was not, and a card that lies about it.

Each store remembers what a power cut would leave. The real stores are tried on real files elsewhere; here is what
they promise, and how a card breaks it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from edge.core.effects import StoredDocument
from edge.ports import FetchError, MediaSink, PortError, StorageFullError, Stored
from edge.reporter import KeptLetter, Letter
from protocol.bulletin import MediaRef

LETTERS_MAX: Final = 20_000


@dataclass(slots=True)
class Card:
    """The card's own state.

    Attributes:
        full: nothing more can be written.
        broken: every access fails.
        powered: a computer is using it; after a power cut nothing reaches it any more.
        bytes_written: since the world began.
    """

    full: bool = False
    broken: bool = False
    powered: bool = False
    bytes_written: int = 0
    registers: bytes | None = None
    documents: dict[str, bytes] = field(default_factory=dict)
    state_damaged: bool = False
    letters: dict[int, Letter] = field(default_factory=dict)
    letter_count: int = 0
    media: dict[str, int] = field(default_factory=dict)
    parts: dict[str, bytes] = field(default_factory=dict)

    def write(self, size_bytes: int) -> None:
        """Raises what the system would say."""
        if not self.powered:
            raise PortError("the power is gone")
        if self.broken:
            raise PortError("Input/output error")
        if self.full:
            raise StorageFullError("No space left on device")
        self.bytes_written += size_bytes


class WorldStateStore:
    """Implements `edge.ports.StateStore`."""

    def __init__(self, card: Card) -> None:
        self._card = card

    def load(self) -> Stored:
        """See `edge.ports.StateStore`."""
        card = self._card
        envelopes = tuple(card.documents[one] for one in sorted(card.documents))
        damaged, card.state_damaged = card.state_damaged, False
        return Stored(card.registers, envelopes, damaged)

    def save(self, registers: bytes, put: tuple[StoredDocument, ...], drop: tuple[str, ...]) -> None:
        """See `edge.ports.StateStore`."""
        card = self._card
        card.write(len(registers) + sum(len(one.envelope) for one in put))
        card.registers = registers
        card.documents.update((one.key, one.envelope) for one in put)
        for key in drop:
            card.documents.pop(key, None)


class WorldOutbox:
    """Implements `edge.reporter.Outbox`."""

    def __init__(self, card: Card) -> None:
        self._card = card

    def append(self, letters: Sequence[Letter]) -> None:
        """See `edge.reporter.Outbox`."""
        card = self._card
        card.write(sum(len(one.payload) for one in letters))
        for letter in letters:
            card.letter_count += 1
            card.letters[card.letter_count] = letter
        while len(card.letters) > LETTERS_MAX:
            del card.letters[min(card.letters, key=lambda number: (card.letters[number].worth, number))]

    def oldest(self, count: int) -> tuple[KeptLetter, ...]:
        """See `edge.reporter.Outbox`."""
        found = []
        for number, letter in self._card.letters.items():
            found.append(KeptLetter(number, letter))
            if len(found) == count:
                break
        return tuple(found)

    def delete(self, ids: Sequence[int]) -> None:
        """See `edge.reporter.Outbox`."""
        if not self._card.powered:
            raise PortError("the power is gone")
        for number in ids:
            self._card.letters.pop(number, None)


class WorldMedia:
    """Implements `edge.ports.MediaStore`: a medium is its digest and size, its bytes are checked as they come."""

    def __init__(self, card: Card) -> None:
        self._card = card

    def digests(self) -> frozenset[str]:
        """See `edge.ports.MediaStore`."""
        return frozenset(self._card.media)

    def free_bytes(self) -> int:
        """See `edge.ports.MediaStore`."""
        return 0 if self._card.full else 10**9

    def sink(self, media: MediaRef) -> MediaSink:
        """See `edge.ports.MediaStore`."""
        if self._card.full:
            raise StorageFullError("No space left on device")
        return _Sink(self._card, media)

    def path(self, digest: str) -> Path | None:
        """See `edge.ports.MediaStore`."""
        return Path(digest) if digest in self._card.media else None

    def delete(self, digest: str) -> None:
        """See `edge.ports.MediaStore`."""
        self._card.media.pop(digest, None)
        self._card.parts.pop(digest, None)


class _Sink:
    def __init__(self, card: Card, media: MediaRef) -> None:
        self._card, self._media = card, media

    @property
    def offset_bytes(self) -> int:
        return len(self._card.parts.get(self._media.digest, b""))

    async def write(self, data: bytes) -> None:
        self._card.write(len(data))
        self._card.parts[self._media.digest] = self._card.parts.get(self._media.digest, b"") + data

    async def finish(self) -> None:
        digest, size = self._media.digest, self._media.size_bytes
        data = self._card.parts.get(digest, b"")
        if len(data) < size:
            raise FetchError("incomplete")
        del self._card.parts[digest]
        if hashlib.sha256(data).hexdigest() != digest:
            raise FetchError("another digest", damaged=True)
        self._card.write(0)
        self._card.media[digest] = size

    async def close(self) -> None:
        pass
