"""Notices that a device follows its word: its own status names the new place. Then nothing keeps the old one open."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from controller.devices.words import arrived, on_the_way
from controller.store.engine import reading, writing
from controller.waiting import Trouble, wait_a_while
from protocol import codec
from protocol.errors import DocumentError
from protocol.limits import REPORT_BYTES_MAX
from protocol.report import Status
from protocol.topics import up_of_topic
from protocol.units import UnitPath

logger = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 5.0
Told = Callable[[tuple[UnitPath, ...]], Awaitable[None]]


class Arrivals:
    """Watches the devices that are on their way; everybody else's reports cost a lookup.

    Args:
        told: called with the places that devices have left, once nothing refers to them any more.
        look_every_s: how long it takes at most until somebody who was sent on the way is watched.
    """

    def __init__(self, engine: AsyncEngine, *, told: Told, look_every_s: float = LOOK_EVERY_S) -> None:
        self._engine = engine
        self._told = told
        self._look_every_s = look_every_s
        self._expected: dict[str, UnitPath] = {}
        self._there: dict[str, UnitPath] = {}
        self._wanted = asyncio.Event()

    def receive(self, topic: str, payload: bytes, retained: bool) -> None:
        """Looks at one message; quick, never raises."""
        named = up_of_topic(topic)
        if retained or named is None or named[1] is not Status or named[0] not in self._expected:
            return
        try:
            status = codec.decode(Status, payload, bytes_max=REPORT_BYTES_MAX)
        except DocumentError:
            return  # the ingest counts it
        if status.device == named[0] and status.unit == self._expected[named[0]]:
            self._there[status.device] = status.unit
            self._wanted.set()

    def poke(self) -> None:
        """Somebody was sent on the way: look now."""
        self._wanted.set()

    async def run(self) -> None:
        """Writes arrivals and looks who else is on the way, until it is cancelled."""
        trouble = Trouble(logger, "arrivals could not be stored")
        while True:
            try:
                await self._settle()
                async with reading(self._engine) as connection:
                    self._expected = await on_the_way(connection)
                trouble.over()
            except Exception:
                trouble.happened()
            await wait_a_while(self._wanted, seconds=self._look_every_s)

    async def _settle(self) -> None:
        self._wanted.clear()
        if not self._there:
            return
        there, left = dict(self._there), []
        async with writing(self._engine) as connection:
            for device, place in there.items():
                former = await arrived(connection, device, place)
                left += [former] if former is not None else []
        self._there = {name: place for name, place in self._there.items() if name not in there}
        if left:
            await self._told(tuple(left))
