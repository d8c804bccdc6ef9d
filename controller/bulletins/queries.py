"""Bulletins in the database."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, Select, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.bulletins.domain import MISSED, WAITING_OR_SOUNDING, Bulletin, State
from controller.bulletins.draft import PROGRAMME, RELAY, STREAM, Draft
from controller.bulletins.timing import is_over, last_instant, load_timing, write_timing
from controller.people.domain import Viewer
from controller.store.schema import accounts, bulletins, media
from controller.store.scope import within
from protocol.bulletin import BulletinClass, CatchUp, Explicit, MediaRef, Weekly
from protocol.clock import DAY_MS, WallMs
from protocol.schedule import Content, Programme, Relay
from protocol.stream import StreamRelay
from protocol.units import UnitPath, ancestors

OFFER_LIFE_MS: Final = 7 * DAY_MS
"""An offer stays in the inbox this long after the time that was proposed."""


class StaleRevisionError(Exception):
    """Someone else has stored a newer revision in the meantime."""


_JOINED = bulletins.outerjoin(media, bulletins.c.media_digest == media.c.digest)


def _query() -> Select[Any]:
    return select(bulletins, media.c.size_bytes, media.c.duration_ms).select_from(_JOINED)


def _bulletin(row: Row[Any]) -> Bulletin:
    return Bulletin(
        id=row.id,
        unit=UnitPath(row.unit),
        title=row.title,
        bulletin_class=BulletinClass(row.bulletin_class),
        content=_content(row),
        timing=load_timing(row.when_json),
        targets=tuple(UnitPath(target) for target in json.loads(row.targets_json)),
        catch_up=CatchUp(row.catch_up),
        state=State(row.state),
        revision=row.revision,
        author_id=row.author_id,
        created=WallMs(row.created_ms),
        updated=WallMs(row.updated_ms),
        approved_by=row.approved_by,
        reason=row.reason,
        offered_from=row.offered_from,
        submitted=_wall(row.submitted_ms),
        approved=_wall(row.approved_ms),
        withdrawn=_wall(row.withdrawn_ms),
    )


def _wall(value: int | None) -> WallMs | None:
    return None if value is None else WallMs(value)


def _content(row: Row[Any]) -> Content | None:
    if row.content_kind == RELAY and row.frequency_khz is not None:
        return Relay(row.frequency_khz, row.relay_ms)
    if row.content_kind == STREAM and row.stream_address is not None:
        return StreamRelay(row.stream_address, row.relay_ms)
    if row.media_digest is None:
        return None
    return Programme(MediaRef(row.media_digest, row.size_bytes, row.duration_ms))


async def load_bulletin(connection: AsyncConnection, bulletin: str) -> Bulletin | None:
    """One bulletin; whether the viewer may see it is the caller's question."""
    row = (await connection.execute(_query().where(bulletins.c.id == bulletin))).one_or_none()
    return None if row is None else _bulletin(row)


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list shows. Empty fields do not limit."""

    states: tuple[State, ...] = ()
    unit: str = ""
    words: str = ""
    limit: int = 50
    offset: int = 0


async def load_media(
    connection: AsyncConnection, digest: str, viewer: Viewer, keeps: Bulletin | None
) -> MediaRef | None:
    """A sound of the library of the viewer's units or of those above; what the bulletin had already stays its own."""
    row = (await connection.execute(select(media).where(media.c.digest == digest))).one_or_none()
    if row is None:
        return None
    own = keeps is not None and isinstance(keeps.content, Programme) and keeps.content.media.digest == digest
    above = any(row.unit in ancestors(scope) for scope in viewer.scopes())
    return MediaRef(digest, row.size_bytes, row.duration_ms) if own or above or viewer.sees(row.unit) else None


async def list_bulletins(
    connection: AsyncConnection, scopes: Iterable[UnitPath], wanted: Filter
) -> tuple[tuple[Bulletin, ...], int]:
    """Newest first, and how many there are in all. Offers are in the inbox, not here, until they are placed."""
    states = wanted.states or tuple(state for state in State if state not in (State.OFFERED, State.DECLINED))
    where = [within(bulletins.c.unit, scopes), bulletins.c.state.in_([state.value for state in states])]
    if wanted.unit:
        where.append(within(bulletins.c.unit, [UnitPath(wanted.unit)]))
    if wanted.words:
        where.append(bulletins.c.title.icontains(wanted.words, autoescape=True))
    order = (bulletins.c.updated_ms.desc(), bulletins.c.id)
    rows = await connection.execute(_query().where(*where).order_by(*order).limit(wanted.limit).offset(wanted.offset))
    total = (await connection.execute(select(func.count()).select_from(bulletins).where(*where))).scalar_one()
    return tuple(_bulletin(row) for row in rows), total


async def bulletins_around(
    connection: AsyncConnection, places: Iterable[UnitPath], states: Iterable[State]
) -> tuple[Bulletin, ...]:
    """Bulletins of the places, of units below and of units above."""
    places = tuple(places)
    over = sorted({unit for place in places for unit in ancestors(place)})
    near = or_(within(bulletins.c.unit, places), bulletins.c.unit.in_(over))
    wanted = bulletins.c.state.in_([state.value for state in states])
    rows = await connection.execute(_query().where(near, wanted).order_by(bulletins.c.created_ms, bulletins.c.id))
    return tuple(_bulletin(row) for row in rows)


async def due_bulletins(connection: AsyncConnection, unit: UnitPath) -> tuple[Bulletin, ...]:
    """Approved bulletins of exactly this unit that belong into its next schedule."""
    wanted = bulletins.c.state.in_([state.value for state in WAITING_OR_SOUNDING])
    rows = await connection.execute(
        _query().where(bulletins.c.unit == unit, wanted).order_by(bulletins.c.created_ms, bulletins.c.id)
    )
    return tuple(_bulletin(row) for row in rows)


async def units_with_due(connection: AsyncConnection, scopes: Iterable[UnitPath]) -> tuple[UnitPath, ...]:
    """Units within the scopes that have approved bulletins."""
    wanted = bulletins.c.state.in_([state.value for state in WAITING_OR_SOUNDING])
    query = select(bulletins.c.unit).distinct().where(within(bulletins.c.unit, scopes), wanted)
    return tuple(UnitPath(unit) for unit in await connection.scalars(query.order_by(bulletins.c.unit)))


async def offers_for(connection: AsyncConnection, scopes: Iterable[UnitPath]) -> tuple[Bulletin, ...]:
    """Offers that wait for the communes in the scopes."""
    wanted = bulletins.c.state == State.OFFERED.value
    rows = await connection.execute(
        _query().where(within(bulletins.c.unit, scopes), wanted).order_by(bulletins.c.created_ms, bulletins.c.id)
    )
    return tuple(_bulletin(row) for row in rows)


async def copies_of(connection: AsyncConnection, name: str) -> tuple[Bulletin, ...]:
    """What became of an offer in each commune."""
    rows = await connection.execute(_query().where(bulletins.c.offered_from == name).order_by(bulletins.c.unit))
    return tuple(_bulletin(row) for row in rows)


async def count_states(connection: AsyncConnection, scopes: Iterable[UnitPath], states: Iterable[State]) -> int:
    """How many bulletins stand there."""
    wanted = bulletins.c.state.in_([state.value for state in states])
    query = select(func.count()).select_from(bulletins).where(within(bulletins.c.unit, scopes), wanted)
    return (await connection.execute(query)).scalar_one()


def _values(draft: Draft) -> dict[str, Any]:
    content = draft.content
    relay = content if isinstance(content, Relay) else None
    return {
        "unit": draft.unit,
        "title": draft.title,
        "bulletin_class": draft.bulletin_class.value,
        "content_kind": content.KIND if content else PROGRAMME,
        "media_digest": content.media.digest if isinstance(content, Programme) else None,
        "frequency_khz": relay.frequency_khz if relay else None,
        "relay_ms": content.duration_ms if isinstance(content, Relay | StreamRelay) else None,
        "stream_address": content.address if isinstance(content, StreamRelay) else None,
        "when_json": write_timing(draft.timing),
        "targets_json": json.dumps(draft.targets),
        "catch_up": draft.catch_up.value,
    }


async def insert_bulletin(
    connection: AsyncConnection,
    draft: Draft,
    *,
    name: str,
    author: int,
    now: WallMs,
    state: State = State.DRAFT,
    offered_from: str | None = None,
) -> None:
    """Writes a new bulletin."""
    values = _values(draft) | {"state": state.value, "author_id": author, "offered_from": offered_from}
    await connection.execute(insert(bulletins).values(id=name, revision=1, created_ms=now, updated_ms=now, **values))


async def update_bulletin(
    connection: AsyncConnection, name: str, draft: Draft, *, revision: int, state: State, author: int, now: WallMs
) -> None:
    """Writes an edit.

    Raises:
        StaleRevisionError: the edit began from an older revision.
    """
    changed = await connection.execute(
        update(bulletins)
        .where(bulletins.c.id == name, bulletins.c.revision == revision)
        .values(**_values(draft), state=state.value, author_id=author, revision=revision + 1, updated_ms=now)
    )
    if changed.rowcount != 1:
        raise StaleRevisionError(name)


async def move(connection: AsyncConnection, bulletin: Bulletin, state: State, *, now: WallMs, **columns: Any) -> None:
    """Writes a new state.

    Raises:
        StaleRevisionError: somebody else moved or edited it in the meantime.
    """
    changed = await connection.execute(
        update(bulletins)
        .where(
            bulletins.c.id == bulletin.id,
            bulletins.c.revision == bulletin.revision,
            bulletins.c.state == bulletin.state.value,
        )
        .values(state=state.value, updated_ms=now, **columns)
    )
    if changed.rowcount != 1:
        raise StaleRevisionError(bulletin.id)


async def pin_time(connection: AsyncConnection, name: str, when: Explicit | Weekly) -> None:
    """The second that was signed replaces "now"."""
    await connection.execute(update(bulletins).where(bulletins.c.id == name).values(when_json=write_timing(when)))


async def end_over(connection: AsyncConnection, now: WallMs) -> tuple[Bulletin, ...]:
    """Ends what has sounded for the last time, and offers nobody took; gives what ended."""
    states = (*WAITING_OR_SOUNDING, State.OFFERED)
    rows = await connection.execute(_query().where(bulletins.c.state.in_([state.value for state in states])))
    over = [one for one in (_bulletin(row) for row in rows) if _is_over(one, now)]
    for bulletin in over:
        reason = {"reason": MISSED} if bulletin.state is State.APPROVED else {}
        await move(connection, bulletin, State.ENDED, now=now, **reason)
    return tuple(over)


def _is_over(bulletin: Bulletin, now: WallMs) -> bool:
    if bulletin.state is State.OFFERED:
        proposed = bulletin.timing
        last = last_instant(proposed) if isinstance(proposed, Explicit | Weekly) else bulletin.created
        return last + OFFER_LIFE_MS <= now
    if bulletin.content is None or not isinstance(bulletin.timing, Explicit | Weekly):
        return False
    return is_over(bulletin.timing, bulletin.content.duration_ms, now)


async def names_of(connection: AsyncConnection, people: Iterable[int | None]) -> dict[int, str]:
    """Names of accounts."""
    wanted = sorted({one for one in people if one is not None})
    rows = await connection.execute(select(accounts.c.id, accounts.c.name).where(accounts.c.id.in_(wanted)))
    return {row.id: row.name for row in rows}
