"""Sends reports: a status only while the link is up and only the latest, all others once, from a durable outbox."""

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
from protocol.report import AsRun, Fault, Receipt, Report, Status
from protocol.topics import up_topic

_IN_FLIGHT: Final = 8
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
        """Forgets what was acknowledged."""
        ...


_WORTH: Final[dict[type[Report], int]] = {Receipt: 0, Fault: 1, AsRun: 2}


class Reporter:
    """The way up. `run` sends until cancelled; `publish` never waits for the network."""

    def __init__(self, device: str, link: Link, *, outbox: Outbox, disk: Disk) -> None:
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

    def link_changed(self, up: bool) -> None:
        """Starts and stops sending."""
        if up:
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
        while kept := await self._disk.run(lambda: self._outbox.oldest(_IN_FLIGHT)):
            results = await asyncio.gather(*(self._send(one) for one in kept), return_exceptions=True)
            sent = [one.id for one, result in zip(kept, results, strict=True) if result is None]
            await self._disk.run(lambda ids=sent: self._outbox.delete(ids))  # type: ignore[misc]
            for result in results:
                if isinstance(result, BaseException):
                    raise result

    async def _send(self, kept: KeptLetter) -> None:
        await self._link.publish(kept.letter.topic, kept.letter.payload)
