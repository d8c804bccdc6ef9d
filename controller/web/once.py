"""Makes a double click harmless: a form's one-time key does its work once, and every repeat gets the first result.

Used by any form that carries `form_keys()`:

    async def work() -> Done:
        ...
        return Done("/bulletins/7", Told(gettext("The bulletin was submitted.")))

    return await once(request, str(form.get("once", "")), work)
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web
from sqlalchemy import delete, insert, select

from controller.keys import CLOCK, ENGINE
from controller.people.access import viewer_of
from controller.store.engine import reading, writing
from controller.store.schema import once_keys
from controller.web.page import Told, see_other

KEPT_MS = 2 * 86_400_000
_RUNNING: web.AppKey[dict[str, asyncio.Future[Done]]] = web.AppKey("once_running")


@dataclass(frozen=True, slots=True)
class Done:
    """Where a finished form leads, and what is told there.

    Attributes:
        secret: what is told must not be stored, such as a new password: a late repeat leads on without it.
    """

    location: str
    told: Told | None = None
    secret: bool = False


def set_up_once(app: web.Application) -> None:
    """Makes room for the forms that are being worked on."""
    app[_RUNNING] = {}


async def once(request: web.Request, key: str, work: Callable[[], Awaitable[Done]]) -> web.Response:
    """Runs the work, or waits for or remembers its first run. A run that fails may be tried again."""
    account = viewer_of(request).account
    if not key:
        return _answer(await work())
    key = f"{account}:{request.path}:{key}"[:200]
    done = await _remembered(request.app, key)
    if done is None:
        done = await _run(request.app, key, account, work)
    return _answer(done)


def _answer(done: Done) -> web.Response:
    return see_other(done.location, done.told)


async def _run(app: web.Application, key: str, account: int, work: Callable[[], Awaitable[Done]]) -> Done:
    running = app[_RUNNING]
    if key in running:
        return await asyncio.shield(running[key])
    task = asyncio.ensure_future(_work(app, key, account, work))
    running[key] = task
    task.add_done_callback(lambda _: running.pop(key, None))
    return await asyncio.shield(task)  # a browser that leaves does not stop what it began


async def _work(app: web.Application, key: str, account: int, work: Callable[[], Awaitable[Done]]) -> Done:
    done = await work()
    kept = None if done.secret else done.told
    result = json.dumps([done.location, kept and [kept.text, kept.kind]])
    at = app[CLOCK]()
    async with writing(app[ENGINE]) as connection:
        await connection.execute(delete(once_keys).where(once_keys.c.at_ms < at - KEPT_MS))
        await connection.execute(insert(once_keys).values(key=key, account_id=account, at_ms=at, result=result))
    return done


async def _remembered(app: web.Application, key: str) -> Done | None:
    async with reading(app[ENGINE]) as connection:
        result = await connection.scalar(select(once_keys.c.result).where(once_keys.c.key == key))
    if result is None:
        return None
    location, told = json.loads(result)
    return Done(location, Told(*told) if told else None)
