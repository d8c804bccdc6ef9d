"""Who may connect to the embedded broker: enrolled devices by certificate, the controller by a secret of the day.

On this machine only, and only while no device CA is set up, a device may come with its token instead.
"""

from __future__ import annotations

import hmac
import logging
import secrets

from sqlalchemy.ext.asyncio import AsyncEngine

from controller.broker.rights import ControllerRights, DeviceRights, Offer, Rights
from controller.devices.queries import Enrolled
from controller.devices.recognised import recognised_by_certificate, recognised_by_id, recognised_by_token

logger = logging.getLogger(__name__)

CONTROLLER = "loalang.controller"
"""Not a device id: those have no full stop."""


class DeviceGate:
    """Implements `controller.broker.rights.Gate` on the table of devices."""

    def __init__(self, engine: AsyncEngine, *, tokens: bool = True) -> None:
        """
        Args:
            tokens: whether a device may come without a certificate.
        """
        self._engine = engine
        self._tokens = tokens
        self._told: set[str] = set()
        self.secret = secrets.token_urlsafe(32)
        """The controller's own password, new with each start and never stored."""

    async def admit(self, offer: Offer) -> Rights | None:
        """See `Gate`."""
        if offer.username == CONTROLLER and offer.client.startswith(CONTROLLER):
            known = hmac.compare_digest((offer.password or "").encode(), self.secret.encode())
            rights: Rights | None = ControllerRights() if known else None
        else:
            rights = await self._device(offer)
        if rights is None:
            self._tell_refused(offer.client)
        return rights

    async def _device(self, offer: Offer) -> DeviceRights | None:
        if offer.username is None or offer.username != offer.client:
            return None
        found = None
        if offer.certificate is not None:
            found = await recognised_by_certificate(self._engine, offer.certificate)
        elif self._tokens and offer.password:
            found = await recognised_by_token(self._engine, offer.password)
        return _rights_of(found) if found is not None and found.id == offer.client else None

    async def renew(self, rights: Rights) -> Rights:
        """See `Gate`."""
        if not isinstance(rights, DeviceRights):
            return rights
        found = await recognised_by_id(self._engine, rights.device)
        return _rights_of(found) if found is not None else rights

    def _tell_refused(self, client: str) -> None:
        # A misconfigured device tries for ever: the first time is worth a line, the thousandth is not.
        level = logging.DEBUG if client in self._told else logging.WARNING
        if len(self._told) < 1000:
            self._told.add(client)
        logger.log(level, "the broker refused %r: unknown device, or another certificate or token", client[:64])


def _rights_of(device: Enrolled) -> DeviceRights:
    return DeviceRights(device.id, device.place, device.former)
