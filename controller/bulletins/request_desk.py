"""A desk for one request: whoever asks, in one transaction; what the rules refuse comes out explained."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from controller.bulletins.acts import ChangedError, Desk, ProblemsError, open_desk
from controller.bulletins.domain import Bulletin, BulletinError
from controller.bulletins.queries import load_bulletin, names_of
from controller.bulletins.wording import explain
from controller.keys import CLOCK, ENGINE, EVENTS
from controller.people.access import viewer_of
from controller.store.engine import reading, writing
from controller.web.explained import Explained


async def do_act(request: web.Request, act: Callable[[Desk, str], Awaitable[Bulletin]]) -> Bulletin:
    """Does the act in one transaction and tells open pages. Raises Explained or ProblemsError."""
    name = request.match_info["bulletin"]
    try:
        async with desk_of(request) as desk:
            made = await act(desk, name)
    except ChangedError as error:
        raise explain(error) from error
    request.app[EVENTS].publish("schedule", made.unit, bulletin=made.id, state=made.state.value)
    return made


@asynccontextmanager
async def desk_of(request: web.Request, *, write: bool = True) -> AsyncIterator[Desk]:
    """A desk in a transaction; what the rules refuse comes out explained."""
    engine, viewer, now = request.app[ENGINE], viewer_of(request), request.app[CLOCK]()
    try:
        async with (writing if write else reading)(engine) as connection:
            yield await open_desk(connection, viewer, now)
    except (ChangedError, ProblemsError):
        raise
    except BulletinError as error:
        raise await explained(request, error) from error


async def explained(request: web.Request, error: BulletinError) -> Explained:
    """The refusal with the names of those who acted before."""
    name = request.match_info.get("bulletin", "")
    async with reading(request.app[ENGINE]) as connection:
        bulletin = await load_bulletin(connection, name)
        names = await names_of(connection, [bulletin.approved_by] if bulletin else [])
    return explain(error, bulletin=bulletin, names=names)
