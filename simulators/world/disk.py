"""The card in the device: what was made durable, what was not, and all the ways in which a card breaks its promise.

Stands for an SD card below SQLite and ext4. What it may do: be full, fail, be slow, hang, rot, and say that it has
stored what it has not. `stores` are the real stores' promises on top of it; what a power cut leaves is decided here.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from edge.disk import Disk
from edge.ports import PortError, StorageFullError
from edge.reporter import Letter

T = TypeVar("T")
LETTERS_MAX: Final = 20_000
BALLAST_BYTES: Final = 1024 * 1024
"""The room that the state store gives up when the card is full."""
_UNSYNCED_S: Final = 30.0
"""Linux writes back by then what nobody asked it to write at once."""
_LIES_KEPT: Final = 400
_STARTS: Final = 3
_HUNG_S: Final = 22.0
"""Ten seconds until core or disk count as hung (`edge.vital`), then the watchdog's patience."""


@dataclass(frozen=True, slots=True)
class Saved:
    """The state as one save left it."""

    at_s: float
    registers: bytes | None
    documents: dict[str, bytes]


@dataclass(slots=True)
class Card:
    """The card's own state; it outlives every computer.

    Attributes:
        full: nothing more can be written, but for the ballast; `room_bytes` is what is left of that.
        broken: every access fails.
        slow_ms: so long each piece of work takes; 0 for a good card.
        stuck: no piece of work comes back.
        lies_s: so many seconds of what was said to be stored are gone after a power cut; 0 for an honest card.
        cut: pulls the plug in the middle of the next piece of work, which is done all the same if `cut_after`.
        undone: that piece of work was not done, and nobody is left who knows what it was for.
        powered: a computer is using it; after a power cut nothing reaches it any more.
        spoiled_for: it has lost or damaged what was durable; so many starts may still show that.
        damaged: the next start finds the database not whole: `registers` are lost, or `old` ones are all there is.
        rotten: media whose bytes are not what they were.
        bytes_written: since the world began.
    """

    full: bool = False
    broken: bool = False
    slow_ms: int = 0
    stuck: bool = False
    lies_s: float = 0.0
    cut: Callable[[], None] | None = None
    cut_after: bool = False
    undone: bool = False
    powered: bool = False
    spoiled_for: int = 0
    damaged: str = ""
    bytes_written: int = 0
    room_bytes: int = 0
    registers: bytes | None = None
    documents: dict[str, bytes] = field(default_factory=dict)
    letters: dict[int, Letter] = field(default_factory=dict)
    letter_count: int = 0
    media: dict[str, int] = field(default_factory=dict)
    rotten: set[str] = field(default_factory=set)
    parts: dict[str, bytes] = field(default_factory=dict)
    saves: deque[Saved] = field(default_factory=deque)
    unsynced: deque[tuple[float, int, Letter | None]] = field(default_factory=deque)
    stored: deque[tuple[float, str]] = field(default_factory=deque)

    @property
    def spoiled(self) -> bool:
        """Whether what was durable may be gone."""
        return self.spoiled_for > 0

    # While it is used.

    def touch(self) -> None:
        """Reads. Raises what the system would say."""
        if not self.powered:
            raise PortError("the power is gone")
        if self.broken:
            raise PortError("Input/output error")

    def write(self, size_bytes: int, *, ballast: bool = False) -> None:
        """Raises what the system would say.

        Args:
            ballast: may use the room that was kept for when there is none.
        """
        self.touch()
        if self.full:
            if not ballast or size_bytes > self.room_bytes:
                raise StorageFullError("No space left on device")
            self.room_bytes -= size_bytes
        self.bytes_written += size_bytes

    def become_full(self, full: bool) -> None:
        """Somebody fills it, or makes room again."""
        self.full, self.room_bytes = full, BALLAST_BYTES

    def note_save(self, now_s: float) -> None:
        """A save is about to replace what is there: a card that lies will have to remember."""
        if self.lies_s:
            self.saves.append(Saved(now_s, self.registers, dict(self.documents)))
            while len(self.saves) > _LIES_KEPT or self.saves[0].at_s < now_s - self.lies_s:
                self.saves.popleft()

    def note_letter(self, now_s: float, number: int, deleted: Letter | None) -> None:
        """A letter came or went, and nobody waits until that is durable (`synchronous=NORMAL`)."""
        self.unsynced.append((now_s, number, deleted))
        while self.unsynced[0][0] < now_s - max(_UNSYNCED_S, self.lies_s):
            self.unsynced.popleft()

    # What a power cut leaves.

    def lose_power(self, now_s: float, dice: random.Random) -> tuple[Letter, ...]:
        """Whatever was not durable is gone; gives the letters that are."""
        self.powered, self.cut = False, None
        since_s = now_s - dice.uniform(0.0, max(_UNSYNCED_S, self.lies_s))
        lost = self._forget_letters(since_s)
        if self.lies_s:
            self._forget_saves(now_s - self.lies_s * dice.random(), dice)
            self._forget_media(now_s - self.lies_s)
        self.saves.clear()
        self.unsynced.clear()
        self.stored.clear()
        return lost

    def _forget_letters(self, since_s: float) -> tuple[Letter, ...]:
        lost = []
        while self.unsynced and self.unsynced[-1][0] > since_s:
            _, number, deleted = self.unsynced.pop()
            if deleted is not None:
                self.letters[number] = deleted
            elif number in self.letters:
                lost.append(self.letters.pop(number))
        self.letters = dict(sorted(self.letters.items()))
        return tuple(lost)

    def _forget_saves(self, since_s: float, dice: random.Random) -> None:
        """The database is whole and older, with its mirror or without; or a mixture of two saves."""
        older = next((one for one in self.saves if one.at_s > since_s), None)
        if older is None:
            return
        self.spoiled_for = _STARTS
        kind = dice.choice(("older", "old", "registers"))
        if kind == "older":
            self.registers, self.documents = older.registers, dict(older.documents)
        else:
            self.registers, self.damaged = older.registers, kind

    def _forget_media(self, since_s: float) -> None:
        for at_s, digest in self.stored:
            if at_s > since_s and self.media.pop(digest, None) is not None:
                self.spoiled_for = _STARTS

    # What time does to it.

    def spoil(self) -> None:
        """What was durable may be gone, or may not be found."""
        self.spoiled_for = _STARTS

    def damage_state(self) -> None:
        """The database is not whole any more; the mirror of the documents is."""
        self.damaged = "registers"
        self.spoil()

    def rot_media(self, number: int) -> str:
        """A bit of one medium falls; gives its digest, or nothing when there is none."""
        names = sorted(self.media)
        if not names:
            return ""
        self.rotten.add(names[number % len(names)])
        self.spoil()
        return names[number % len(names)]

    def rot_letters(self, number: int) -> tuple[Letter, ...]:
        """Some letters rot, which are then forgotten; or the whole outbox, which is begun anew."""
        names = [one for one in self.letters if number % 3 == 0 or one % 3 == number % 3]
        self.unsynced.clear()
        return tuple(self.letters.pop(one) for one in names)


class WorldDisk(Disk):
    """Does work in its order, as one thread would; a good card takes no time at all.

    Args:
        given_up: called when a piece of work has hung for so long that the watchdog ends the process.
    """

    def __init__(self, card: Card, given_up: Callable[[], None]) -> None:
        super().__init__(None)
        self._card, self._given_up = card, given_up
        self._loop = asyncio.get_running_loop()
        self._lock = asyncio.Lock()
        self._waiting = 0
        self._over = False
        self._moves = asyncio.Event()
        self._patience: asyncio.TimerHandle | None = None

    async def run(self, work: Callable[[], T]) -> T:
        """What the work returns or raises."""
        card = self._card
        if not (card.slow_ms or card.stuck or card.cut or self._waiting or self._over):
            return work()
        self._waiting += 1
        try:
            async with self._lock:
                return await self._slowly(work)
        finally:
            self._waiting -= 1

    async def _slowly(self, work: Callable[[], T]) -> T:
        card = self._card
        while card.stuck and not self._over:
            self._lose_patience()
            self._moves.clear()
            await self._moves.wait()
        if card.slow_ms:
            await asyncio.sleep(card.slow_ms / 1000)
        if card.cut is not None and not self._over:
            self._be_cut(work, card.cut)
        if self._over or not card.powered:
            await asyncio.Event().wait()
        return work()

    def _lose_patience(self) -> None:
        if self._patience is None:
            self._patience = self._loop.call_later(_HUNG_S, self._look)

    def _look(self) -> None:
        self._patience = None
        if self._card.stuck and self._waiting and not self._over:
            self._given_up()

    def end(self) -> None:
        """The process is gone: nothing that it began is done any more."""
        self._over = True
        self.move()

    def move(self) -> None:
        """The card answers again."""
        self._moves.set()
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _be_cut(self, work: Callable[[], object], cut: Callable[[], None]) -> None:
        """The power goes in the middle of it: it is done or not done, never half, and nobody is told."""
        if self._card.cut_after:
            try:
                work()
            except PortError:
                pass
        self._card.undone = not self._card.cut_after
        self._over = True
        self._loop.call_soon(cut)
