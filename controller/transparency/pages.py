"""Pages: obeyed but never logged, the log itself, its download, and the warning on the home page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from aiohttp import web

from controller.keys import ENGINE
from controller.people.access import viewer_of
from controller.people.domain import Role, Viewer
from controller.signing.authority import AnchorMissingError
from controller.signing.keys import AUTHORITY
from controller.store.engine import reading
from controller.transparency.domain import Soundness, is_digest
from controller.transparency.keys import NOTARY
from controller.transparency.queries import PAGE_MAX, chunks, entries_about, entries_named, newest_state
from controller.transparency.sightings import (
    SHOWN_MAX,
    Sighting,
    count_open,
    offices_over,
    sightings_within,
    technicians_over,
)
from controller.transparency.wording import finding_words, kind_name
from controller.units.queries import names_of
from controller.web.page import page
from protocol import codec
from protocol.units import UnitPath

INSPECTED_MS: Final = 10_000
FIND_CHARS_MIN: Final = 4
_DIGITS: Final = frozenset("0123456789abcdef")


async def show_unlogged(request: web.Request) -> web.Response:
    """Documents that some device obeyed and this controller never distributed."""
    viewer = viewer_of(request)
    async with reading(request.app[ENGINE]) as connection:
        found = await sightings_within(connection, viewer.scopes())
        names = await names_of(connection, {_unit(one) for one in found})
        places = sorted({one.place for one in found if one.open})
        technicians = {name: None for place in places[:20] for name in await technicians_over(connection, place)}
        offices = {name: None for place in places[:20] for name in await offices_over(connection, place)}
    values = {
        "open": _by_document([one for one in found if one.open]),
        "settled": _by_document([one for one in found if not one.open]),
        "more": len(found) == SHOWN_MAX,
        "unit_name": lambda one: names.get(_unit(one), _unit(one)),
        "technicians": list(technicians),
        "offices": list(offices),
        "may_close": viewer.holds(Role.TECHNICIAN),
        "restored": request.app[NOTARY].finding.soundness is Soundness.SHORTER,
    }
    return page(request, "transparency/unlogged.html", _common(request, viewer, "unlogged") | values)


def _unit(sighting: Sighting) -> UnitPath:
    return UnitPath(sighting.place.rpartition("/")[0])


def _by_document(found: Sequence[Sighting]) -> list[tuple[str, str, list[Sighting]]]:
    """Digest, kind and the devices: the newest document first, as they came from the database."""
    order = {one.document: number for number, one in reversed(list(enumerate(found)))}
    ordered = sorted(found, key=lambda one: order[one.document])
    grouped = [(digest, list(group)) for digest, group in groupby(ordered, key=lambda one: one.document)]
    return [(digest, next((one.kind for one in group if one.kind), ""), group) for digest, group in grouped]


async def show_log(request: web.Request) -> web.Response:
    """What was distributed, newest first; or what has a digest."""
    viewer, find = viewer_of(request), _asked_digest(request)
    before = request.query.get("before", "")
    older = int(before) if before.isdecimal() and len(before) < 16 else None
    notary = request.app[NOTARY]
    async with reading(request.app[ENGINE]) as connection:
        size = (await newest_state(connection)).size
    grown = notary.finding.sound and size != notary.finding.state.size
    finding = await notary.inspect(older_than_ms=0 if grown else INSPECTED_MS)
    async with reading(request.app[ENGINE]) as connection:
        if find:
            entries = await entries_named(connection, find)
        else:
            entries = await entries_about(connection, viewer.scopes(), before=older)
        names = await names_of(connection, {one.scope for one in entries})
    values = {
        "entries": entries,
        "unit_name": lambda scope: names.get(scope, scope),
        "find": find,
        "unreadable": not find and bool(request.query.get("find", "").strip()),
        "whole_digest": is_digest(find),
        "more": entries[-1].index if len(entries) == PAGE_MAX and not find else None,
        "checkpoint": notary.checkpoint,
        "size": finding.state.size,
    }
    return page(request, "transparency/log.html", _common(request, viewer, "log") | values)


def _asked_digest(request: web.Request) -> str:
    """The beginning of a digest; anything else that was typed finds nothing."""
    typed = "".join(request.query.get("find", "").lower().split())[:64]
    return typed if len(typed) >= FIND_CHARS_MIN and set(typed) <= _DIGITS else ""


def _common(request: web.Request, viewer: Viewer, tab: str) -> dict[str, Any]:
    finding = request.app[NOTARY].finding
    return {
        "tab": tab,
        "finding": finding,
        "finding_words": "" if finding.sound else finding_words(finding),
        "may_begin_again": not finding.sound and finding.whole and _over_the_province(request, viewer),
        "kind_name": kind_name,
    }


def _over_the_province(request: web.Request, viewer: Viewer) -> bool:
    try:
        return viewer.may(Role.TECHNICIAN, request.app[AUTHORITY].anchor().scope)
    except AnchorMissingError:
        return False


async def download_log(request: web.Request) -> web.StreamResponse:
    """The whole log, an entry on each line: a part of it could not be checked."""
    headers = {
        "Content-Type": "application/jsonl; charset=utf-8",
        "Content-Disposition": 'attachment; filename="so-minh-bach.jsonl"',
    }
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    async with reading(request.app[ENGINE]) as connection:
        async for entries in chunks(connection):
            await response.write(b"".join(codec.encode(one) + b"\n" for one in entries))
    return response


async def download_checkpoint(request: web.Request) -> web.Response:
    """The last checkpoint, to be kept where the controller cannot reach it."""
    envelope = request.app[NOTARY].envelope
    if envelope is None:
        raise web.HTTPNotFound
    headers = {"Content-Disposition": 'attachment; filename="checkpoint.json"'}
    return web.Response(body=envelope.pack(), content_type="application/json", headers=headers)


async def load_home(request: web.Request, viewer: Viewer) -> Mapping[str, Any] | None:
    """The warning, while there is something to warn of."""
    async with reading(request.app[ENGINE]) as connection:
        documents, devices = await count_open(connection, viewer.scopes())
    finding = request.app[NOTARY].finding
    if not documents and finding.sound:
        return None
    words = "" if finding.sound else finding_words(finding)
    return {"documents": documents, "devices": devices, "finding_words": words}
