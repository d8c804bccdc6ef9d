"""Reads the as-run log, limited by the scopes of whoever asks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, Select, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.as_run.domain import Device, Heard
from controller.store.schema import as_run, bulletins, devices
from controller.store.scope import within
from protocol.clock import WallMs
from protocol.units import UnitPath

PAGE_MAX: Final = 200
EXPORT_MAX: Final = 200_000

KINDS: Final = {
    "emergency": (1, 2),
    "microphone": (3,),
    "live": (4,),
    "priority": (5,),
    "ordinary": (6,),
    "radio": (7, 8),
}
"""What people filter by, as rungs of the ladder."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What is asked for."""

    scopes: Sequence[UnitPath]
    begin: int = 0
    end: int | None = None
    kind: str | None = None
    device: str | None = None
    limit: int = PAGE_MAX
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """One record, with the device's name and place, and the title of its bulletin."""

    id: str
    device: str
    name: str
    place: UnitPath
    rung: int
    source: str
    began: WallMs
    ended: WallMs
    end_reason: str
    level_cdb: int
    output_level_cdb: int | None
    document: str | None
    item: str | None
    start: WallMs | None
    lost_ms: int
    stopped_by: str | None
    title: str | None

    @property
    def duration_ms(self) -> int:
        """How long it sounded."""
        return self.ended - self.began

    @property
    def silent(self) -> bool:
        """Whether something was played and nothing could be measured."""
        measured = self.level_cdb if self.output_level_cdb is None else self.output_level_cdb
        return measured <= SILENT_CDB


SILENT_CDB: Final = -6000
"""Below this nobody hears anything: the quietest levelled speech is 40 dB louder."""


def _asked(wanted: Filter) -> Select[Any]:
    columns = as_run.c
    asked = (
        select(
            columns.id,
            columns.device,
            devices.c.name,
            devices.c.place,
            columns.rung,
            columns.source,
            columns.began_ms,
            columns.ended_ms,
            columns.end_reason,
            columns.level_cdb,
            columns.output_level_cdb,
            columns.document,
            columns.item,
            columns.start_ms,
            columns.lost_ms,
            columns.stopped_by,
            bulletins.c.title,
        )
        .join(devices, devices.c.id == columns.device)
        .outerjoin(bulletins, bulletins.c.id == columns.item)
        .where(within(devices.c.place, wanted.scopes), columns.began_ms >= wanted.begin)
        .order_by(columns.began_ms.desc(), columns.id)
    )
    if wanted.end is not None:
        asked = asked.where(columns.began_ms < wanted.end)
    if wanted.kind in KINDS:
        asked = asked.where(columns.rung.in_(KINDS[wanted.kind]))
    if wanted.device is not None:
        asked = asked.where(columns.device == wanted.device)
    return asked


async def runs_within(connection: AsyncConnection, wanted: Filter) -> tuple[Run, ...]:
    """Records, newest first."""
    rows = await connection.execute(_asked(wanted).limit(wanted.limit).offset(wanted.offset))
    return tuple(_run(row) for row in rows)


async def stream_runs(connection: AsyncConnection, wanted: Filter) -> AsyncIterator[Run]:
    """All records of a filter, a few at a time, for an export."""
    result = await connection.stream(_asked(wanted).limit(EXPORT_MAX))
    async for row in result:
        yield _run(row)


async def heard_between(
    connection: AsyncConnection, scopes: Sequence[UnitPath], *, begin: WallMs, end: WallMs
) -> Heard:
    """Which device's log names which item's starts."""
    columns = as_run.c
    asked = (
        select(columns.device, columns.item, columns.start_ms, columns.began_ms)
        .join(devices, devices.c.id == columns.device)
        .where(within(devices.c.place, scopes), columns.item.is_not(None))
        .where(or_(columns.start_ms >= begin, columns.began_ms >= begin), columns.began_ms < end)
    )
    found: dict[tuple[str, str], list[WallMs]] = defaultdict(list)
    for device, item, start, began in await connection.execute(asked):
        found[device, item].append(WallMs(began if start is None else start))
    return found


async def devices_for(connection: AsyncConnection, scopes: Sequence[UnitPath]) -> tuple[Device, ...]:
    """Devices in the scopes."""
    asked = select(devices.c.id, devices.c.place, devices.c.name).where(within(devices.c.place, scopes))
    rows = await connection.execute(asked.order_by(devices.c.place))
    return tuple(Device(*row) for row in rows)


def _run(row: Row[Any]) -> Run:
    return Run(*tuple(row))
