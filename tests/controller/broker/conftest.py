"""A real embedded broker and real clients."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiomqtt
import pytest

from controller.broker.embedded import EmbeddedBroker
from controller.broker.rights import ControllerRights, DeviceRights, Offer, Rights
from protocol.units import UnitPath


@dataclass
class ListGate:
    """Admits whoever is listed."""

    passwords: dict[str, str] = field(default_factory=lambda: {"c1": "one", "c2": "two", "controller.": "secret"})

    async def renew(self, rights: Rights) -> Rights:
        return rights

    async def admit(self, offer: Offer) -> Rights | None:
        client, username, password = offer.client, offer.username, offer.password
        if username not in self.passwords or self.passwords[username] != password or client != username:
            return None
        return (
            ControllerRights() if username == "controller." else DeviceRights(client, UnitPath(f"vn/92/1/{client}"))
        )


@pytest.fixture
async def broker() -> AsyncIterator[EmbeddedBroker]:
    """Listens on a free port."""
    broker = EmbeddedBroker(host="127.0.0.1", port=0, gate=ListGate())
    await broker.start()
    yield broker
    await broker.shutdown()


def client_of(
    broker: EmbeddedBroker, name: str, *, password: str | None = None, clean: bool = False, keepalive: int = 60
) -> aiomqtt.Client:
    """A client as a device has one."""
    known = ListGate().passwords
    return aiomqtt.Client(
        "127.0.0.1",
        broker.port,
        identifier=name,
        username=name,
        password=password or known.get(name, ""),
        clean_session=clean,
        keepalive=keepalive,
        timeout=2,
    )
