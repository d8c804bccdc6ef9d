"""Routes of the transparency log, and the work in the background that signs and compares."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.audit.log import note
from controller.audit.wording import name_acts
from controller.devices.keys import INGEST
from controller.keys import CLOCK, CONFIG, ENGINE, ENVELOPE_HOOKS, EVENTS
from controller.ports import Clock, EnvelopeHook, StoredEnvelope
from controller.signing.authority import AnchorMissingError
from controller.signing.keys import AUTHORITY, FRESHNESS
from controller.store.engine import writing
from controller.transparency import acts, api, pages
from controller.transparency.checkpoint_file import CheckpointFile
from controller.transparency.domain import Finding
from controller.transparency.keys import NOTARY, WATCH
from controller.transparency.notary import Alarm, Notary
from controller.transparency.queries import append
from controller.transparency.watch import Watch
from controller.transparency.wording import AREA, DONE
from controller.web.home import HomePanel, add_panel
from protocol.units import UnitPath

_STATIC = Path(__file__).parent / "static"


def setup(app: web.Application) -> None:
    """Adds pages, API and background work."""
    engine, clock, key = app[ENGINE], app[CLOCK], app[FRESHNESS]
    kept = CheckpointFile(app[CONFIG].data, key=key.public)
    app[NOTARY] = Notary(engine, clock, key, kept=kept, alarm=_alarm(app))
    app[WATCH] = Watch(engine, clock, app[EVENTS])
    app.setdefault(ENVELOPE_HOOKS, []).append(log_complete(clock))
    if INGEST in app:
        app[INGEST].listeners.append(app[WATCH].hear)
    app.cleanup_ctx.append(_keeping)
    app.router.add_static("/static/transparency/", _STATIC)
    app.router.add_get("/transparency", pages.show_unlogged)
    app.router.add_get("/transparency/log", pages.show_log)
    app.router.add_get("/transparency/log.jsonl", pages.download_log)
    app.router.add_get("/transparency/checkpoint.json", pages.download_checkpoint)
    app.router.add_post("/transparency/close", acts.close_report)
    app.router.add_post("/transparency/begin-again", acts.begin_again)
    add_panel(app, HomePanel(5, "transparency/_home.html", pages.load_home))
    api.add_routes(app)
    name_acts("transparency.", AREA, DONE)


def log_complete(clock: Clock) -> EnvelopeHook:
    """The hook that enters a document in the transaction that stores it as complete."""

    async def hook(connection: AsyncConnection, stored: StoredEnvelope) -> None:
        if stored.state != "partial":
            scope, kind = stored.document.scope, stored.kind.value
            await append(connection, digest=stored.digest, kind=kind, scope=scope, stored=clock())

    return hook


def _alarm(app: web.Application) -> Alarm:
    async def told(finding: Finding) -> None:
        try:
            scope = app[AUTHORITY].anchor().scope
        except AnchorMissingError:
            scope = UnitPath("vn")
        detail = f"{finding.soundness} · {finding.state.size} / {finding.promised}"
        async with writing(app[ENGINE]) as connection:
            await note(
                connection, "transparency.unsound", at=app[CLOCK](), account=None, subject=scope, detail=detail
            )
        app[EVENTS].publish("unlogged", scope, log=finding.soundness.value)

    return told


async def _keeping(app: web.Application) -> AsyncIterator[None]:
    await app[NOTARY].open()
    tasks = [asyncio.create_task(one) for one in (app[NOTARY].run(), app[WATCH].run())]
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
