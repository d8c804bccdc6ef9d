"""What people do here: close a report, and let the log go on after a backup was put back."""

from __future__ import annotations

from aiohttp import web

from controller.audit.log import note
from controller.keys import CLOCK, ENGINE
from controller.people.access import require, viewer_of
from controller.people.domain import Role
from controller.signing.keys import AUTHORITY
from controller.store.engine import writing
from controller.transparency.domain import is_digest
from controller.transparency.keys import NOTARY
from controller.transparency.sightings import close
from controller.web.explained import N_, Explained, not_found
from controller.web.i18n import gettext, ngettext
from controller.web.once import Done, once
from controller.web.page import Told

REASON_CHARS_MIN = 10
REASON_CHARS_MAX = 500


async def close_report(request: web.Request) -> web.Response:
    """Writes down what a document that was never logged turned out to be."""
    form = await request.post()
    document, reason = str(form.get("document", "")), _reason(str(form.get("reason", "")))
    if document and not is_digest(document):
        raise not_found()

    async def work() -> Done:
        count = await _close(request, document or None, reason)
        text = ngettext("%(num)d report was closed.", "%(num)d reports were closed.", count) % {"num": count}
        return Done("/transparency", Told(text))

    return await once(request, str(form.get("once", "")), work)


def _reason(text: str) -> str:
    reason = " ".join(text.split())[:REASON_CHARS_MAX]
    if len(reason) < REASON_CHARS_MIN:
        raise Explained(N_("Please write in a sentence what it was: whoever asks later reads it."), code="no_reason")
    return reason


async def _close(request: web.Request, document: str | None, reason: str) -> int:
    viewer, now = viewer_of(request), request.app[CLOCK]()
    scopes = viewer.scopes(Role.TECHNICIAN)
    if not scopes:
        raise Explained(
            N_("Only a technician may close a report. Ask the technician of your unit."),
            status=403,
            code="not_allowed",
        )
    async with writing(request.app[ENGINE]) as connection:
        closed = await close(connection, scopes, document, account=viewer.account, reason=reason, now=now)
        for digest, place in dict(closed).items():
            subject = f"{place}#{digest}"
            await note(
                connection, "transparency.close", at=now, account=viewer.account, subject=subject, detail=reason
            )
    return len(closed)


async def begin_again(request: web.Request) -> web.Response:
    """A technician of the province knows why the log is not what was signed."""
    scope = request.app[AUTHORITY].anchor().scope
    viewer = require(request, Role.TECHNICIAN, scope)
    form = await request.post()
    reason = _reason(str(form.get("reason", "")))

    async def work() -> Done:
        notary, now = request.app[NOTARY], request.app[CLOCK]()
        before = await notary.inspect()
        if before.sound or not before.whole:
            return Done("/transparency/log")
        async with writing(request.app[ENGINE]) as connection:
            detail = f"{before.promised} → {before.state.size} · {reason}"
            await note(
                connection,
                "transparency.begin_again",
                at=now,
                account=viewer.account,
                subject=scope,
                detail=detail,
            )
        await notary.begin_again()
        return Done("/transparency/log", Told(gettext("The log goes on from what is there.")))

    return await once(request, str(form.get("once", "")), work)
