"""Sends reports: a status only while the link is up and only the latest, all others from a durable outbox.

A broker that has a report may be killed before it has passed it on, and so may a controller that has not stored it.
So a letter stays in the outbox until the controller says that it is stored (docs/adr/0018). Only a few wait for that
word at a time: with the controller away, a village must not fill the broker's memory. They are sent again when the
link came back, and when the word does not come for a while.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from edge.backoff import Backoff
from edge.disk import Disk
from edge.ports import Link, PortError
from protocol import codec
from protocol.errors import DocumentError
from protocol.limits import CONFIRMATION_BYTES_MAX, CONFIRMED_MAX
from protocol.report import AsRun, Confirmation, Fault, Receipt, Report, Status, report_mark
from protocol.topics import up_topic

_IN_FLIGHT: Final = 8
AWAITED_MAX: Final = 32
AGAIN_S: Final = (30.0, 1800.0)
_MARKS_MAX: Final = 4 * CONFIRMED_MAX
_UNSTORED_MAX: Final = 256
_STATUS_AGAIN_S: Final = 1.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Letter:
    """A report as it will be sent.

    Attributes:
        worth: when there is no room, the lowest goes first: receipts, then faults, then as-run records.
    """

    topic: str
    payload: bytes
    worth: int


@dataclass(frozen=True, slots=True)
class KeptLetter:
    """A letter in the outbox."""

    id: int
    letter: Letter


class Outbox(Protocol):
    """Letters that wait on disk; bounded."""

    def append(self, letters: Sequence[Letter]) -> None:
        """Keeps them. Raises StorageFullError."""
        ...

    def oldest(self, count: int) -> tuple[KeptLetter, ...]:
        """The next to send."""
        ...

    def delete(self, ids: Sequence[int]) -> None:
        """Forgets what is stored elsewhere now."""
        ...


_WORTH: Final[dict[type[Report], int]] = {Receipt: 0, Fault: 1, AsRun: 2}


class Confirmations:
    """What the controller says is stored, on its way from the link to the reporter."""

    def __init__(self) -> None:
        self._marks: set[str] = set()
        self._came = asyncio.Event()

    def tell(self, payload: bytes) -> None:
        """Takes a confirmation as it came; what is none is passed over, for its reports are sent again."""
        try:
            word = codec.decode(Confirmation, payload, bytes_max=CONFIRMATION_BYTES_MAX)
        except DocumentError as error:
            _log.debug("no confirmation: %s", error)
            return
        if len(self._marks) < _MARKS_MAX:
            self._marks.update(word.reports)
            self._came.set()

    async def next(self) -> frozenset[str]:
        """Marks of reports that came since the last call; waits for one."""
        await self._came.wait()
        self._came.clear()
        marks = frozenset(self._marks)
        self._marks.clear()
        return marks


class Reporter:
    """The way up. `run` sends until cancelled; `publish` never waits for the network.

    Args:
        confirmations: which reports the controller has stored; without them the broker's word counts.
        again_s: how long to wait for that word before sending again, at first and at most.
    """

    def __init__(
        self,
        device: str,
        link: Link,
        *,
        outbox: Outbox,
        disk: Disk,
        confirmations: Confirmations | None = None,
        again_s: tuple[float, float] = AGAIN_S,
    ) -> None:
        self._device = device
        self._link = link
        self._outbox = outbox
        self._disk = disk
        self._status: bytes | None = None
        self._unstored: deque[Letter] = deque(maxlen=_UNSTORED_MAX)
        self._up = asyncio.Event()
        self._status_waits = asyncio.Event()
        self._letters_wait = asyncio.Event()
        self._letters_wait.set()
        self._confirmations = confirmations
        self._awaited: dict[int, str] = {}
        self._again = Backoff(low_s=again_s[0], high_s=again_s[1])
        self._waiting, self._heard = asyncio.Event(), asyncio.Event()

    def link_changed(self, up: bool) -> None:
        """Starts and stops sending."""
        if up:
            self._send_again()
            self._again.reset()
            self._up.set()
        else:
            self._up.clear()

    async def publish(self, reports: Sequence[Report]) -> None:
        """Takes reports in; those that must not be lost are on disk when it returns."""
        letters = []
        for report in reports:
            if isinstance(report, Status):
                self._status = codec.encode(report)
                self._status_waits.set()
            else:
                topic = up_topic(self._device, type(report))
                letters.append(Letter(topic, codec.encode(report), _WORTH[type(report)]))
        if letters:
            await self._keep(letters)
            self._letters_wait.set()

    async def _keep(self, letters: list[Letter]) -> None:
        try:
            await self._disk.run(lambda: self._outbox.append(letters))
        except PortError as error:
            _log.warning("%d reports only kept in memory: %s", len(letters), error)
            self._unstored.extend(letters)

    async def run(self) -> None:
        """Sends for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send_statuses())
            group.create_task(self._send_letters())
            if self._confirmations is not None:
                group.create_task(self._forget_stored(self._confirmations))
                group.create_task(self._insist())

    async def _send_statuses(self) -> None:
        topic = up_topic(self._device, Status)
        while True:
            await self._status_waits.wait()
            await self._up.wait()
            self._status_waits.clear()
            payload = self._status
            assert payload is not None, "a status waits"
            try:
                await self._link.publish(topic, payload)
            except PortError as error:
                _log.debug("a status was not sent: %s", error)
                await asyncio.sleep(_STATUS_AGAIN_S)
                self._status_waits.set()

    async def _send_letters(self) -> None:
        backoff = Backoff(low_s=0.5, high_s=5.0)
        while True:
            await self._up.wait()
            await self._letters_wait.wait()
            self._letters_wait.clear()
            try:
                await self._drain()
                backoff.reset()
            except PortError as error:
                _log.debug("the outbox waits: %s", error)
                self._letters_wait.set()
                await asyncio.sleep(backoff.next_s())

    async def _drain(self) -> None:
        while self._unstored:
            await self._link.publish(self._unstored[0].topic, self._unstored[0].payload)
            self._unstored.popleft()
        while kept := await self._next():
            # Before they go: the controller's word may be here before the broker's.
            self._awaited |= {one.id: report_mark(one.letter.payload) for one in kept}
            self._waiting.set()
            results = await asyncio.gather(*(self._send(one) for one in kept), return_exceptions=True)
            for one, result in zip(kept, results, strict=True):
                if result is not None:
                    self._awaited.pop(one.id, None)
            if self._confirmations is None:
                await self._forget([one.id for one in kept if self._awaited.pop(one.id, None)])
            for result in results:
                if isinstance(result, BaseException):
                    raise result

    async def _next(self) -> tuple[KeptLetter, ...]:
        """The oldest letters that wait for nobody's word, as many as may go now."""
        awaited = frozenset(self._awaited)
        room = min(_IN_FLIGHT, AWAITED_MAX - len(awaited))
        if room <= 0:
            return ()
        oldest = await self._disk.run(lambda: self._outbox.oldest(len(awaited) + room))
        return tuple(one for one in oldest if one.id not in awaited)[:room]

    async def _send(self, kept: KeptLetter) -> None:
        await self._link.publish(kept.letter.topic, kept.letter.payload)

    async def _forget(self, ids: list[int]) -> None:
        await self._disk.run(lambda: self._outbox.delete(ids))

    async def _forget_stored(self, confirmations: Confirmations) -> None:
        while True:
            marks = await confirmations.next()
            ids = [number for number, mark in self._awaited.items() if mark in marks]
            if not ids:
                continue
            try:
                await self._forget(ids)
            except PortError as error:
                _log.debug("reports that are stored cannot be forgotten: %s", error)
                continue
            for number in ids:
                self._awaited.pop(number, None)
            self._heard.set()
            self._letters_wait.set()

    async def _insist(self) -> None:
        """Sends again what nobody says is stored, less and less often."""
        while True:
            await self._waiting.wait()
            self._heard.clear()
            try:
                await asyncio.wait_for(self._heard.wait(), self._again.next_s())
                self._again.reset()
            except TimeoutError:
                self._send_again()
            if not self._awaited:
                self._waiting.clear()

    def _send_again(self) -> None:
        if self._awaited:
            self._awaited.clear()
            self._letters_wait.set()
