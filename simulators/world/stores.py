"""The agent's stores on a card: what each of the real ones promises, and not a bit more.

State (`edge/adapters/state_store.py`, `document_mirror.py`): a save is all or nothing, and durable when it returns. A
database that is not whole is rebuilt from the mirrored documents without registers, and told as damaged; one that is
older than its mirror keeps its registers and takes the documents that it forgot, and is told as damaged, too. A full
card costs the ballast first.
Outbox (`edge/adapters/outbox.py`): a power cut may cost the last moments, in both directions; rotten letters are
forgotten; bounded, the least worthy go first.
Media (`edge/adapters/media_store.py`): what is shown was whole once. A bit that falls later is found by the player or
by the check, two minutes after a start and once a day.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

from edge.core.effects import StoredDocument
from edge.core.events import Event, MediaLost
from edge.ports import FetchError, MediaSink, StorageFullError, Stored
from edge.reporter import KeptLetter, Letter
from protocol.bulletin import MediaRef
from simulators.world.disk import LETTERS_MAX, Card

_SPARE: Final = 100
_CHECK_AFTER_S: Final = 120.0
_CHECK_EVERY_S: Final = 86_400.0


class WorldStateStore:
    """Implements `edge.ports.StateStore`."""

    def __init__(self, card: Card) -> None:
        self._card, self._loop = card, asyncio.get_running_loop()

    def load(self) -> Stored:
        """See `edge.ports.StateStore`."""
        card = self._card
        if card.broken:
            card.spoil()  # the agent goes on with nothing, and what it saves when the card is well replaces the rest
        card.touch()
        card.undone = False
        damaged, card.damaged = card.damaged, ""
        card.spoiled_for = max(0, card.spoiled_for - 1)
        if damaged == "registers":
            card.registers = None
        without = card.registers is None and bool(card.documents)
        return Stored(card.registers, tuple(card.documents.values()), bool(damaged) or without)

    def save(self, registers: bytes, put: tuple[StoredDocument, ...], drop: tuple[str, ...]) -> None:
        """See `edge.ports.StateStore`."""
        card = self._card
        card.write(len(registers) + 2 * sum(len(one.envelope) for one in put), ballast=True)
        card.note_save(self._loop.time())
        card.registers = registers
        for key in drop:
            card.documents.pop(key, None)
        for one in put:
            card.documents.pop(one.key, None)
            card.documents[one.key] = one.envelope


class WorldOutbox:
    """Implements `edge.reporter.Outbox`."""

    def __init__(self, card: Card) -> None:
        self._card, self._loop = card, asyncio.get_running_loop()

    def append(self, letters: Sequence[Letter]) -> None:
        """See `edge.reporter.Outbox`."""
        card = self._card
        card.write(sum(len(one.payload) for one in letters))
        for letter in letters:
            card.letter_count += 1
            card.letters[card.letter_count] = letter
            card.note_letter(self._loop.time(), card.letter_count, None)
        excess = len(card.letters) - LETTERS_MAX
        if excess > 0:
            worst = sorted(card.letters, key=lambda number: (card.letters[number].worth, number))
            for number in worst[: excess + _SPARE]:
                del card.letters[number]

    def oldest(self, count: int) -> tuple[KeptLetter, ...]:
        """See `edge.reporter.Outbox`."""
        self._card.touch()
        found = []
        for number, letter in self._card.letters.items():
            found.append(KeptLetter(number, letter))
            if len(found) == count:
                break
        return tuple(found)

    def delete(self, ids: Sequence[int]) -> None:
        """See `edge.reporter.Outbox`."""
        self._card.write(len(ids), ballast=True)
        for number in ids:
            gone = self._card.letters.pop(number, None)
            if gone is not None:
                self._card.note_letter(self._loop.time(), number, gone)


class WorldMedia:
    """Implements `edge.ports.MediaStore`: a medium is its digest and size, its bytes are checked as they come."""

    def __init__(self, card: Card) -> None:
        self._card, self._loop = card, asyncio.get_running_loop()

    def digests(self) -> frozenset[str]:
        """See `edge.ports.MediaStore`."""
        return frozenset(self._card.media)

    def free_bytes(self) -> int:
        """See `edge.ports.MediaStore`."""
        return 0 if self._card.full else 10**9

    def sink(self, media: MediaRef) -> MediaSink:
        """See `edge.ports.MediaStore`."""
        self._card.touch()
        if self._card.full:
            raise StorageFullError("No space left on device")
        return _Sink(self._card, media, self._loop)

    def path(self, digest: str) -> Path | None:
        """See `edge.ports.MediaStore`."""
        return Path(digest) if digest in self._card.media else None

    def delete(self, digest: str) -> None:
        """See `edge.ports.MediaStore`."""
        self._card.touch()
        self._card.media.pop(digest, None)
        self._card.rotten.discard(digest)
        self._card.parts.pop(digest, None)

    async def check(self) -> AsyncIterator[Event]:
        """What rotted is found, removed and told."""
        await asyncio.sleep(_CHECK_AFTER_S)
        while True:
            for digest in sorted(self._card.rotten):
                if digest in self._card.media and not self._card.broken:
                    self.delete(digest)
                    yield MediaLost(digest)
            await asyncio.sleep(_CHECK_EVERY_S)


class _Sink:
    def __init__(self, card: Card, media: MediaRef, loop: asyncio.AbstractEventLoop) -> None:
        self._card, self._media, self._loop = card, media, loop

    @property
    def offset_bytes(self) -> int:
        return len(self._card.parts.get(self._media.digest, b""))

    async def write(self, data: bytes) -> None:
        self._card.write(len(data))
        self._card.parts[self._media.digest] = self._card.parts.get(self._media.digest, b"") + data

    async def finish(self) -> None:
        digest, size = self._media.digest, self._media.size_bytes
        data = self._card.parts.get(digest, b"")
        if len(data) != size:
            raise FetchError(f"{len(data)} of {size} bytes")
        self._card.write(0)
        del self._card.parts[digest]
        if hashlib.sha256(data).hexdigest() != digest:
            raise FetchError("another digest", damaged=True)
        self._card.media[digest] = size
        self._card.stored.append((self._loop.time(), digest))
        while len(self._card.stored) > 100:
            self._card.stored.popleft()

    async def close(self) -> None:
        pass
