"""Who may connect to the embedded broker: enrolled devices by their token, the controller by a secret of the day."""

from __future__ import annotations

import hmac
import logging
import secrets

from sqlalchemy.ext.asyncio import AsyncEngine

from controller.broker.rights import ControllerRights, DeviceRights, Rights
from controller.devices.queries import place_of
from controller.devices.token import token_hash
from controller.store.engine import reading

logger = logging.getLogger(__name__)

CONTROLLER = "loalang.controller"
"""Not a device id: those have no full stop."""


class DeviceGate:
    """Implements `controller.broker.rights.Gate` on the table of devices."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._told: set[str] = set()
        self.secret = secrets.token_urlsafe(32)
        """The controller's own password, new with each start and never stored."""

    async def admit(self, client: str, username: str | None, password: str | None) -> Rights | None:
        """The rights of whoever offers this name and password, or None: refused."""
        if username == CONTROLLER and client.startswith(CONTROLLER):
            known = hmac.compare_digest((password or "").encode(), self.secret.encode())
            rights: Rights | None = ControllerRights() if known else None
        else:
            rights = await self._device(client, username, password)
        if rights is None:
            self._tell_refused(client)
        return rights

    async def _device(self, client: str, username: str | None, password: str | None) -> DeviceRights | None:
        if username is None or username != client or not password:
            return None
        async with reading(self._engine) as connection:
            place = await place_of(connection, device=username, token_hash=token_hash(password))
        return DeviceRights(username, place) if place else None

    def _tell_refused(self, client: str) -> None:
        # A misconfigured device tries for ever: the first time is worth a line, the thousandth is not.
        level = logging.DEBUG if client in self._told else logging.WARNING
        if len(self._told) < 1000:
            self._told.add(client)
        logger.log(level, "the broker refused %r: unknown device, or another token", client[:64])
