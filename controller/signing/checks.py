"""What a judged document must still pass before it is stored, and what follows when it came into force."""

from __future__ import annotations

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from controller.devices.words import apply_word, forgotten_words
from controller.signing.counters import raise_counter
from controller.signing.domain import VERSIONED, DocumentState, version_of
from controller.signing.judging import Authority, Judgement, living, newest_of_office
from controller.signing.outgoing import mark_published
from controller.signing.parcels import DENIALS_IN_UNIT_MAX, GRANTS_IN_UNIT_MAX
from controller.signing.queries import count_partial, denials_in_force, in_force, set_state, supersede
from protocol.assignment import Assignment
from protocol.clock import WallMs
from protocol.denial import Denial
from protocol.errors import DocumentError, Refusal
from protocol.grants import Grant

PARTIAL_MAX: Final = 50
"""Partly signed documents kept for each unit: one signature of two is cheap to make."""


async def check_newer(connection: AsyncConnection, judgement: Judgement, authority: Authority) -> None:
    version = version_of(judgement.document)
    former = await _former_version(connection, judgement, authority)
    if former is not None and version is not None and version <= former:
        raise DocumentError(Refusal.OLDER_VERSION, f"{version}, have {former}")


async def _former_version(connection: AsyncConnection, judgement: Judgement, authority: Authority) -> int | None:
    document = judgement.document
    if isinstance(document, Grant):
        newest = newest_of_office(authority, judgement.office)
        return None if newest is None else newest.grant.serial
    if isinstance(document, Denial):
        return authority.denied.get(document.grantor)
    if judgement.kind not in VERSIONED:
        return None
    former = await in_force(connection, document.scope, judgement.kind)
    return None if former is None else former.version


async def check_room(connection: AsyncConnection, judgement: Judgement, authority: Authority, now: WallMs) -> None:
    """Bounds what strangers can fill, and what a parcel and a device must hold."""
    document = judgement.document
    if not judgement.complete and await count_partial(connection, document.scope) >= PARTIAL_MAX:
        raise DocumentError(Refusal.TOO_MANY, "partly signed documents")
    if isinstance(document, Grant):
        there = [one for one in living(authority, now).values() if one.grant.scope == document.scope]
        if len(there) >= GRANTS_IN_UNIT_MAX and all(one.office != judgement.office for one in there):
            raise DocumentError(Refusal.TOO_MANY, f"more than {GRANTS_IN_UNIT_MAX} authorities of one unit")
    if isinstance(document, Denial):
        found = [one for _, one in await denials_in_force(connection) if one.scope == document.scope]
        if len(found) >= DENIALS_IN_UNIT_MAX and all(one.grantor != document.grantor for one in found):
            raise DocumentError(Refusal.TOO_MANY, "denials of one unit")


async def put_in_force(connection: AsyncConnection, judgement: Judgement) -> None:
    version = version_of(judgement.document)
    if version is None:
        return
    await supersede(connection, judgement)
    if judgement.kind in VERSIONED:
        await raise_counter(connection, judgement.document.scope, judgement.kind, value=version)


async def place_devices(connection: AsyncConnection, judgement: Judgement, now: WallMs) -> None:
    """Devices belong where the word says; a word about strangers only waits for nobody."""
    if not isinstance(judgement.document, Assignment):
        return
    placed = await apply_word(connection, judgement.document, digest=judgement.digest)
    if not placed:
        await mark_published(connection, [judgement.digest], now)
    await set_state(connection, await forgotten_words(connection), DocumentState.SUPERSEDED)
