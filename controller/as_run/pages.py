"""Pages of the log: what sounded, what was not heard, what was refused; and the export."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.as_run.domain import Missed, missed, occurrences
from controller.as_run.queries import (
    KINDS,
    PAGE_MAX,
    Filter,
    Run,
    devices_for,
    heard_between,
    runs_within,
    stream_runs,
)
from controller.devices import wording
from controller.devices.history import item_titles, refusals_within
from controller.keys import CLOCK, ENGINE
from controller.people.access import viewer_of
from controller.signing.queries import schedules_in_force
from controller.store.engine import reading
from controller.units.queries import names_of, today, units_within
from controller.web.explained import not_found
from controller.web.i18n import N_, gettext
from controller.web.page import page
from protocol.clock import DAY_MS, WallMs, local_datetime, wall_at
from protocol.units import UnitPath, unit_path

KIND_NAMES: Final = {
    "emergency": N_("Emergency"),
    "microphone": N_("Microphone"),
    "live": N_("Live, priority"),
    "priority": N_("Priority programme"),
    "ordinary": N_("Ordinary programme"),
    "radio": N_("Radio"),
}
UNITS_MAX: Final = 400
MISSED_DAYS_MAX: Final = 7


@dataclass(frozen=True, slots=True)
class Asked:
    """The filter of the page's address."""

    scopes: tuple[UnitPath, ...]
    unit: UnitPath | None
    first: date
    last: date
    kind: str | None
    page: int

    @property
    def begin(self) -> WallMs:
        """The first millisecond."""
        return wall_at(self.first, 0)

    @property
    def end(self) -> WallMs:
        """The first millisecond after."""
        return wall_at(self.last + timedelta(days=1), 0)

    def runs(self, *, limit: int = PAGE_MAX) -> Filter:
        """As a filter of records."""
        offset = (self.page - 1) * PAGE_MAX
        return Filter(self.scopes, self.begin, self.end, self.kind, limit=limit, offset=offset)


def read_asked(request: web.Request) -> Asked:
    """Reads the filter; what cannot be read is as if it were not there, except a unit of someone else."""
    viewer, query = viewer_of(request), request.query
    now = local_datetime(request.app[CLOCK]()).date()
    first = _day(query.get("from"), now)
    last = max(first, _day(query.get("to"), first if "from" in query else now))
    unit = _unit(query.get("unit", ""))
    if unit is not None and not viewer.sees(unit):
        raise not_found()
    kind = query.get("kind")
    number = query.get("page", "1")
    return Asked(
        scopes=(unit,) if unit else viewer.scopes(),
        unit=unit,
        first=first,
        last=last,
        kind=kind if kind in KINDS else None,
        page=min(int(number), 1000) if number.isdecimal() and int(number) > 0 else 1,
    )


def _day(text: str | None, default: date) -> date:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return default


def _unit(text: str) -> UnitPath | None:
    try:
        return unit_path(text) if text else None
    except ValueError:
        raise not_found() from None


async def show_log(request: web.Request) -> web.Response:
    """What sounded, newest first."""
    asked = read_asked(request)
    async with reading(request.app[ENGINE]) as connection:
        runs = await runs_within(connection, asked.runs())
        common = await _common(request, connection, asked)
        titles = await item_titles(connection, [run.item for run in runs])
    values = {"runs": runs, "titles": titles, "more": len(runs) == PAGE_MAX, "tab": "log"}
    return page(request, "as_run/log.html", common | values)


async def show_missed(request: web.Request) -> web.Response:
    """What should have sounded and is on no log."""
    asked = read_asked(request)
    begin = WallMs(max(asked.begin, asked.end - MISSED_DAYS_MAX * DAY_MS))
    now: WallMs = request.app[CLOCK]()
    async with reading(request.app[ENGINE]) as connection:
        found = await find_missed(connection, asked.scopes, begin=begin, end=WallMs(min(asked.end, now)), now=now)
        common = await _common(request, connection, asked)
    return page(request, "as_run/missed.html", common | {"missed": found, "tab": "missed"})


async def find_missed(
    connection: AsyncConnection, scopes: Sequence[UnitPath], *, begin: WallMs, end: WallMs, now: WallMs
) -> tuple[Missed, ...]:
    """Occurrences of the schedules in force that some device did not play, newest first."""
    schedules = await schedules_in_force(connection, scopes, above=True)
    devices = await devices_for(connection, scopes)
    heard = await heard_between(connection, scopes, begin=begin, end=now)
    found = missed(occurrences(schedules, devices, begin=begin, end=end), heard, now=now)
    return tuple(sorted(found, key=lambda one: one.occurrence.start, reverse=True))


async def show_refusals(request: web.Request) -> web.Response:
    """What devices refused, and why."""
    asked = read_asked(request)
    async with reading(request.app[ENGINE]) as connection:
        found = await refusals_within(connection, asked.scopes, since=asked.begin, until=asked.end)
        common = await _common(request, connection, asked, {one.scope for one in found if one.scope})
    return page(request, "as_run/refusals.html", common | {"refusals": found, "tab": "refusals"})


async def _common(
    request: web.Request, connection: AsyncConnection, asked: Asked, more: set[UnitPath] | None = None
) -> dict[str, Any]:
    viewer = viewer_of(request)
    units = await units_within(connection, viewer.scopes(), day=today(request.app[CLOCK]()))
    own = {unit.path for unit in units}
    names = {unit.path: unit.name for unit in units} | await names_of(connection, (more or set()) - own)
    return {
        "asked": asked,
        "units": units[:UNITS_MAX],
        "names": names,
        "unit_name": _namer(names),
        "kinds": {name: gettext(text) for name, text in KIND_NAMES.items()},
        "wording": wording,
        "query": request.query_string,
    }


def _namer(names: Mapping[UnitPath, str]) -> Any:
    def name(place: UnitPath) -> str:
        """The unit of a device's place."""
        unit = UnitPath(place.rpartition("/")[0])
        return names.get(unit, unit)

    return name


async def export_log(request: web.Request) -> web.StreamResponse:
    """The same filter as a table for a spreadsheet."""
    asked = read_asked(request)
    name = f"nhat-ky-{asked.first}-{asked.last}.csv"
    headers = {"Content-Type": "text/csv; charset=utf-8", "Content-Disposition": f'attachment; filename="{name}"'}
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    await response.write("\ufeff".encode())  # spreadsheets read UTF-8 only with this mark
    await response.write(_line(gettext(text) for text in _HEADINGS))
    async with reading(request.app[ENGINE]) as connection:
        async for run in stream_runs(connection, asked.runs()):
            await response.write(_line(_fields(run)))
    return response


_HEADINGS: Final = (
    N_("Unit"),
    N_("Device"),
    N_("Name"),
    N_("What"),
    N_("Item"),
    N_("Began"),
    N_("Ended"),
    N_("Seconds"),
    N_("How it ended"),
    N_("Level (dBFS)"),
    N_("Level at the amplifier (dBFS)"),
    N_("Seconds lost"),
    N_("Document"),
    N_("Stopped by"),
)


def _fields(run: Run) -> tuple[object, ...]:
    output = "" if run.output_level_cdb is None else f"{run.output_level_cdb / 100:.1f}"
    return (
        run.place.rpartition("/")[0],
        run.device,
        run.name,
        wording.rung(run.rung),
        run.title or run.item or run.source,
        _stamp(run.began),
        _stamp(run.ended),
        f"{run.duration_ms / 1000:.1f}",
        wording.end_reason(run.end_reason),
        f"{run.level_cdb / 100:.1f}",
        output,
        f"{run.lost_ms / 1000:.1f}",
        run.document or "",
        run.stopped_by or "",
    )


def _stamp(wall: WallMs) -> str:
    return f"{local_datetime(wall):%Y-%m-%d %H:%M:%S}"


def _line(fields: Any) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow([_harmless(str(field)) for field in fields])
    return text.getvalue().encode()


def _harmless(field: str) -> str:
    """A spreadsheet runs what begins like a formula; a device's name must not."""
    return f"'{field}" if field[:1] in "=+-@\t\r" and not _is_number(field) else field


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True
