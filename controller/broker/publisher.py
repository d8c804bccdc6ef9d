"""What the controller sends and hears over the broker: urgent things on a connection of their own.

A parcel may be a megabyte; an alert behind it on the same connection would wait for it (pain 15).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from controller.broker.address import BrokerAddress
from controller.broker.link import MqttLink, Received
from controller.broker.report_link import ReportLink
from controller.ports import BrokerAwayError
from protocol import codec
from protocol.limits import CONFIRMED_MAX
from protocol.report import Confirmation
from protocol.topics import ALERT, LIVE, ROOT, stored_topic, unit_of_topic

logger = logging.getLogger(__name__)

UP_TOPICS: Final = (f"{ROOT}/d/+/up/#",)
BULK_AT_ONCE: Final = 8


class MqttPublisher:
    """Implements `controller.ports.Publisher` and hands reports to whoever listens.

    Args:
        link: makes each connection; a made-up world has its own.

    Attributes:
        address: where the broker is; known while the service runs.
    """

    def __init__(self, identifier: str, *, received: Received, link: Callable[..., MqttLink] | None = None) -> None:
        make = link or MqttLink
        self._urgent = make(f"{identifier}.urgent", connected=self._tell_connected)
        self._bulk = make(f"{identifier}.bulk", connected=self._tell_connected)
        self._reports = (link or ReportLink)(identifier, topics=UP_TOPICS, received=received)
        self.address: BrokerAddress | None = None
        self._told = (0, 0)
        self._listeners: list[Callable[[], Awaitable[None]]] = []
        self._at_once = asyncio.Semaphore(BULK_AT_ONCE)

    @property
    def connected(self) -> bool:
        """Whether documents and alerts can be published now."""
        return self._urgent.up and self._bulk.up

    @property
    def listening(self) -> bool:
        """Whether reports of devices reach us now."""
        return self._reports.up

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Returns when the broker has taken the message. Raises BrokerAwayError."""
        unit = unit_of_topic(topic)
        if unit is not None and unit[1] in (ALERT, LIVE):
            await self._urgent.publish(topic, payload)
            return
        async with self._at_once:
            await self._bulk.publish(topic, payload, retain=retain)

    async def confirm(self, device: str, reports: Sequence[str]) -> None:
        """Tells a device that its reports are stored. It may get lost: the device then sends them again.

        Args:
            reports: marks of any number of reports.
        """
        for begin in range(0, len(reports), CONFIRMED_MAX):
            word = codec.encode(Confirmation(tuple(reports[begin : begin + CONFIRMED_MAX])))
            try:
                await self._reports.publish(stored_topic(device), word, qos=0)
            except BrokerAwayError as error:
                logger.debug("%s was not told what is stored: %s", device, error)

    def when_connected(self, told: Callable[[], Awaitable[None]]) -> None:
        """Registers what is called each time documents can be published (again)."""
        self._listeners.append(told)

    async def _tell_connected(self) -> None:
        standing = (self._urgent.connections, self._bulk.connections)
        if not self.connected or standing == self._told:
            return
        self._told = standing
        for told in self._listeners:
            try:
                await told()
            except Exception:  # one capability's failure must not keep the others' documents back
                logger.exception("publishing again after the broker came back failed")

    async def run(self, address: BrokerAddress) -> None:
        """Keeps all connections until it is cancelled."""
        self.address = address
        async with asyncio.TaskGroup() as group:
            for link in (self._urgent, self._bulk, self._reports):
                group.create_task(link.run(address))
