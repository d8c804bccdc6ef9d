"""Pages for work without a network: sign a file, learn who may sign, and read what was signed here."""

from __future__ import annotations

import hmac
from typing import Any, Final

import aiohttp_jinja2
from aiohttp import web

from signer import wording
from signer.check import check_acceptable
from signer.errors import ForbiddenError, RequestRefusedError
from signer.guard import check_own_page
from signer.hand_back import ControllerAwayError
from signer.i18n import gettext as _
from signer.keys import CONFIG, DESK, FORM_TOKEN, PEN, PLACES, SESSION, WALL
from signer.learning import LEARNER
from signer.loudspeakers import Loudspeakers
from signer.request_file import read_request_file
from signer.review import FORM_BYTES_MAX
from signer.signed_log import Entry
from signer.word_file import read_words
from signer.word_store import Taken

_SHOWN_MAX: Final = 200
_FILES_MAX: Final = 64


def setup(app: web.Application) -> None:
    """Adds the pages."""
    app.router.add_get("/file", show)
    app.router.add_post("/file/sign", open_file)
    app.router.add_post("/file/take", take_files)
    app.router.add_post("/file/ask", ask)
    for name in ("sign", "take", "ask"):
        app.router.add_get(f"/file/{name}", show_again)
    app.router.add_get("/log", show_log)
    app.router.add_get("/log.jsonl", save_log)


async def show(request: web.Request) -> web.Response:
    """The forms."""
    return _page(request)


async def show_again(_request: web.Request) -> web.Response:
    """A form's address opened as a page: a reload, or the other language."""
    raise web.HTTPSeeOther("/file")


def _page(
    request: web.Request, *, taken: tuple[Taken, ...] | None = None, problem: str = "", status: int = 200
) -> web.Response:
    known = request.app[PEN].store.known()
    newest = Loudspeakers(known.assignments).newest
    shown: dict[str, Any] = {
        "token": request.app[FORM_TOKEN],
        "known": known,
        "newest": wording.day_of(newest) if newest else "",
        "taken": taken,
        "problem": problem,
    }
    return aiohttp_jinja2.render_template("file.html", request, shown, status=status)


async def open_file(request: web.Request) -> web.Response:
    """Shows what the request in a file says; from there on it is like any other."""
    files = await _files(request)
    review = read_request_file(files[0], config=request.app[CONFIG])
    pen = request.app[PEN]
    check_acceptable(review, log=pen.log, known=pen.store.known(), wall=request.app[WALL]())
    found = request.app[DESK].lay(review)
    raise web.HTTPSeeOther(f"/review/{found.id}")


async def take_files(request: web.Request) -> web.Response:
    """Learns from files."""
    envelopes = [one for data in await _files(request) for one in read_words(data)]
    return _page(request, taken=await request.app[LEARNER].take(envelopes))


async def ask(request: web.Request) -> web.Response:
    """Learns from the controller, which is believed no more than a file."""
    _check(request, (await request.post()).get("token"))
    try:
        taken = await request.app[LEARNER].ask(request.app[SESSION])
    except ControllerAwayError:
        problem = _("The controller cannot be reached now, or does not know this question. What was known stays.")
        return _page(request, problem=problem, status=502)
    return _page(request, taken=taken)


async def _files(request: web.Request) -> list[bytes]:
    form = await request.post()
    _check(request, form.get("token"))
    given = [one for one in form.getall("file", []) if isinstance(one, web.FileField)][:_FILES_MAX]
    if not given:
        raise RequestRefusedError(_("Please choose a file."))
    return [one.file.read(FORM_BYTES_MAX + 1) for one in given]


def _check(request: web.Request, token: object) -> None:
    check_own_page(request)
    own = request.app[FORM_TOKEN]
    if not isinstance(token, str) or not hmac.compare_digest(token.encode(), own.encode()):
        raise ForbiddenError(_("This form did not come from the signer's own page. Nothing was signed."))


async def show_log(request: web.Request) -> web.Response:
    """What was signed here, newest first."""
    log, query = request.app[PEN].log, request.query.get("q", "")[:100]
    rows = [_row(entry, request) for entry in reversed(log.entries())]
    found = [row for row in rows if query.casefold() in " ".join(str(value) for value in row.values()).casefold()]
    shown = {
        "rows": found[:_SHOWN_MAX],
        "found": len(found),
        "total": len(rows),
        "query": query,
        "broken": log.broken_line(),
    }
    return aiohttp_jinja2.render_template("log.html", request, shown)


def _row(entry: Entry, request: web.Request) -> dict[str, Any]:
    return {
        "kind": wording.kind_words(entry.kind),
        "number": entry.number,
        "unit": request.app[PLACES].name(entry.scope),
        "subject": entry.subject,
        "when": wording.moment(entry.wall),
        "holder": entry.holder,
        "digest": entry.digest,
        "key": entry.key,
    }


async def save_log(request: web.Request) -> web.Response:
    """The log as it lies on the disk, with its chain."""
    headers = {"Content-Disposition": 'attachment; filename="loalang-signed.jsonl"'}
    return web.Response(body=request.app[PEN].log.content(), content_type="application/jsonl", headers=headers)
