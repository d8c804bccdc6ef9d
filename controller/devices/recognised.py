"""Who a device is that knocks: by its certificate, its token or its id, as the database has it at this moment."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncEngine

from controller.broker.tls import PeerCertificate
from controller.devices.queries import Enrolled, enrolled_of
from controller.devices.token import token_hash
from controller.store.glance import glance
from controller.store.schema import devices

_COLUMNS: Final = (
    devices.c.id,
    devices.c.place,
    devices.c.former_place,
    devices.c.name,
    devices.c.lat,
    devices.c.lon,
    devices.c.clone_sign,
    devices.c.clone_ms,
)
_BY_ID: Final = select(*_COLUMNS).where(devices.c.id == bindparam("device"))
_BY_TOKEN: Final = select(*_COLUMNS).where(devices.c.token_hash == bindparam("token"))
_BY_CERTIFICATE: Final = _BY_ID.where(devices.c.certificate == bindparam("fingerprint"))


async def recognised_by_token(engine: AsyncEngine, token: str) -> Enrolled | None:
    """Whoever comes with this token."""
    row = await glance(engine, _BY_TOKEN, token=token_hash(token))
    return None if row is None else enrolled_of(row)


async def recognised_by_certificate(engine: AsyncEngine, shown: PeerCertificate) -> Enrolled | None:
    """The device for which exactly this certificate is registered."""
    row = await glance(engine, _BY_CERTIFICATE, device=shown.name, fingerprint=shown.fingerprint)
    return None if row is None else enrolled_of(row)


async def recognised_by_id(engine: AsyncEngine, device: str) -> Enrolled | None:
    """The device of an id, for those who know already who it is."""
    row = await glance(engine, _BY_ID, device=device)
    return None if row is None else enrolled_of(row)
