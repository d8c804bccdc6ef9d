"""Media in the database, always within the scopes of whoever asks."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Row, Select, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.library.domain import Media, Origin, matches
from controller.store.schema import accounts, media, units
from controller.store.scope import within
from protocol.units import UnitPath

PAGE_SIZE: Final = 30
_SEARCHED_MAX: Final = 5_000


def _select() -> Select[Any]:
    joined = media.join(accounts, accounts.c.id == media.c.created_by).outerjoin(units, units.c.path == media.c.unit)
    return select(media, accounts.c.name.label("creator"), units.c.name.label("unit_name")).select_from(joined)


async def find_media(connection: AsyncConnection, digest: str, *, scopes: Iterable[UnitPath]) -> Media | None:
    """One media, when it lies within the scopes."""
    query = _select().where(media.c.digest == digest, within(media.c.unit, scopes))
    row = (await connection.execute(query)).one_or_none()
    return _media(row) if row is not None else None


async def list_media(
    connection: AsyncConnection,
    *,
    scopes: Iterable[UnitPath],
    search: str = "",
    unit: UnitPath | None = None,
    origin: Origin | None = None,
    before_ms: int | None = None,
    count_max: int = PAGE_SIZE,
) -> list[Media]:
    """Newest first. The search knows no diacritics, so it is done here and not by the database."""
    query = _select().where(within(media.c.unit, scopes)).order_by(media.c.created_ms.desc(), media.c.digest)
    if unit is not None:
        query = query.where(within(media.c.unit, (unit,)))
    if origin is not None:
        query = query.where(media.c.origin == origin.value)
    if before_ms is not None:
        query = query.where(media.c.created_ms < before_ms)
    found: list[Media] = []
    for row in await connection.execute(query.limit(_SEARCHED_MAX if search else count_max)):
        one = _media(row)
        if not search or matches(one, search):
            found.append(one)
        if len(found) == count_max:
            break
    return found


async def add_media(connection: AsyncConnection, new: Media) -> bool:
    """Stores a media; False when it is there already, and then nothing changes."""
    if await connection.scalar(select(media.c.digest).where(media.c.digest == new.digest)) is not None:
        return False
    await connection.execute(
        insert(media).values(
            digest=new.digest,
            unit=new.unit,
            title=new.title,
            origin=new.origin.value,
            text=new.text,
            language=new.language,
            size_bytes=new.size_bytes,
            duration_ms=new.duration_ms,
            loudness_in_cdb=new.loudness_in_cdb,
            loudness_out_cdb=new.loudness_out_cdb,
            peak_out_cdb=new.peak_out_cdb,
            waveform=json.dumps(new.waveform).encode(),
            source_name=new.source_name,
            created_by=new.created_by,
            created_ms=new.created_ms,
        )
    )
    return True


def _media(row: Row[Any]) -> Media:
    values = dict(row._mapping)
    waveform = tuple(json.loads(values.pop("waveform") or b"[]"))
    named = {"creator": values.pop("creator") or "", "unit_name": values.pop("unit_name") or values["unit"]}
    return Media(**values | named | {"waveform": waveform, "origin": Origin(values["origin"])})
