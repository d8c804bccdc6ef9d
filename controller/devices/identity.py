"""By what a device is known when it connects: the fingerprint of its certificate, or on this machine its token."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.audit.log import note
from controller.devices.clone import CloneSign
from controller.devices.token import token_hash
from controller.store.schema import devices
from protocol.clock import WallMs
from protocol.units import parent, unit_path


@dataclass(frozen=True, slots=True)
class Identity:
    """What the device's page shows of it.

    Attributes:
        token: whether a token opens anything.
        clone_sign: why a second box is thought to use it; see `controller.devices.clone`.
    """

    certificate: str | None
    certified: WallMs | None
    token: bool
    revoked: WallMs | None
    clone_sign: str | None
    clone_seen: WallMs | None


async def identity_of(connection: AsyncConnection, device: str) -> Identity:
    """Of an enrolled device."""
    columns = devices.c
    asked = select(
        columns.certificate,
        columns.certified_ms,
        columns.token_hash != "",
        columns.revoked_ms,
        columns.clone_sign,
        columns.clone_ms,
    )
    return Identity(*(await connection.execute(asked.where(columns.id == device))).one())


async def register_certificate(connection: AsyncConnection, device: str, fingerprint: str, *, now: WallMs) -> bool:
    """The device connects with this certificate from now on, and nothing else; False when another device does."""
    changed = update(devices).where(devices.c.id == device)
    values = {"certificate": fingerprint, "certified_ms": now, "token_hash": ""} | _NOTHING_WRONG
    try:
        await connection.execute(changed.values(values))
    except IntegrityError:
        return False
    return True


async def give_token(connection: AsyncConnection, device: str, token: str) -> None:
    """The device connects with this token from now on, and with nothing else."""
    values = {"certificate": None, "certified_ms": None, "token_hash": token_hash(token)} | _NOTHING_WRONG
    await connection.execute(update(devices).where(devices.c.id == device).values(values))


async def revoke(connection: AsyncConnection, device: str, *, now: WallMs) -> None:
    """Nothing opens for this device any more."""
    values = {"certificate": None, "certified_ms": None, "token_hash": "", "revoked_ms": now}
    await connection.execute(update(devices).where(devices.c.id == device).values(values))


async def suspect(connection: AsyncConnection, device: str, sign: CloneSign, *, now: WallMs) -> None:
    """A second box seems to use the identity; the first time is an entry of the log that no person made."""
    known = devices.c.id == device
    former = (await connection.execute(select(devices.c.place, devices.c.clone_sign).where(known))).first()
    if former is None:
        return
    await connection.execute(update(devices).where(known).values(clone_sign=sign.value, clone_ms=now))
    if former.clone_sign != sign.value:
        home = parent(unit_path(former.place)) or former.place
        await note(connection, f"device.{sign.value}", at=now, account=None, subject=f"{home}#{device}")


_NOTHING_WRONG = {"revoked_ms": None, "clone_sign": None, "clone_ms": None}
