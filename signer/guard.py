"""What stands between the outside and every page: host, origin, language, headers, and errors as pages."""

from __future__ import annotations

import logging
import traceback
from typing import Final

import aiohttp_jinja2
from aiohttp import web
from aiohttp.typedefs import Handler

from signer import i18n
from signer.errors import ForbiddenError, RequestRefusedError, SignerError
from signer.i18n import gettext as _
from signer.keys import CONFIG

_logger = logging.getLogger(__name__)
LANGUAGE_COOKIE: Final = "signer_lang"
"""Cookies ignore ports, so its name must differ from those of programs beside us."""


@web.middleware
async def speak(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Chooses the language; `?lang=` is remembered, also by an answer that leads on to another page."""
    asked = request.query.get("lang")
    i18n.use_language(asked or request.cookies.get(LANGUAGE_COOKIE, ""))
    try:
        answer = await handler(request)
    except web.HTTPRedirection as leads_on:
        _remember(leads_on, asked)
        raise
    _remember(answer, asked)
    return answer


def _remember(answer: web.StreamResponse, asked: str | None) -> None:
    if asked in i18n.LANGUAGES and not answer.prepared:
        answer.set_cookie(LANGUAGE_COOKIE, asked, max_age=31_536_000, httponly=True, samesite="Lax")


@web.middleware
async def explain(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Errors become pages that say what to do; nothing of a request is written to the log."""
    try:
        _check_shape(request)
        return await handler(request)
    except SignerError as error:
        return _page(request, str(error), error.status)
    except (ValueError, web.RequestPayloadError) as error:
        if not _is_readers(error):
            raise
        return _page(request, _("The controller handed over something this program cannot read."), 400)
    except web.HTTPRequestEntityTooLarge:
        return _page(request, _("The document is larger than the loudspeakers accept."), 413)
    except web.HTTPNotFound:
        return _page(request, _("There is no such page here."), 404)
    except web.HTTPMethodNotAllowed:
        return _page(request, _("This page cannot be opened that way."), 405)


def _check_shape(request: web.Request) -> None:
    """Browsers send text in UTF-8, not packed; a packed body would be unpacked before its size is known.

    Raises:
        RequestRefusedError: anything else.
    """
    try:
        "".join((request.path_qs, request.path, *request.headers.values(), *request.query.values())).encode()
        plain = (request.charset or "utf-8").lower() in ("utf-8", "utf8", "us-ascii")
    except ValueError:
        plain = False
    if not plain or request.headers.get("Content-Encoding", "identity") != "identity":
        raise RequestRefusedError(_("The controller handed over something this program cannot read."))


def _is_readers(error: Exception) -> bool:
    """Whether it arose where a request is taken apart: such as a form without its boundary."""
    frames = [frame for frame, _line in traceback.walk_tb(error.__traceback__)]
    return bool(frames) and str(frames[-1].f_globals.get("__name__", "")).startswith(("aiohttp.", "urllib."))


def _page(request: web.Request, message: str, status: int) -> web.Response:
    return aiohttp_jinja2.render_template("error.html", request, {"message": message}, status=status)


@web.middleware
async def stay_home(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answers only under our own name: a foreign name that leads here is a rebound one."""
    if request.host not in own_hosts(request):
        raise ForbiddenError(_("This program answers only under its own address on this machine."))
    return await handler(request)


def own_hosts(request: web.Request) -> frozenset[str]:
    """The names we may be called by: the port is that of the connection, whatever the configuration says."""
    assert request.transport is not None
    port = request.transport.get_extra_info("sockname")[1]
    names = {"127.0.0.1", "localhost", "[::1]", request.app[CONFIG].host}
    bare = names if port == 80 else set()
    return frozenset({f"{name}:{port}" for name in names} | bare)


def check_own_page(request: web.Request) -> None:
    """Refuses a form that another origin sent, where the browser says so.

    Raises:
        ForbiddenError: it did.
    """
    sent_from = request.headers.get("Origin")
    own = {f"http://{host}" for host in own_hosts(request)}
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    if (sent_from is not None and sent_from not in own) or site not in ("same-origin", "none"):
        raise ForbiddenError(_("This form did not come from the signer's own page. Nothing was signed."))


def check_handed_over(request: web.Request) -> None:
    """Lets only the controller's pages hand over; browsers send `null` where a page hides its origin.

    Raises:
        ForbiddenError: another site did.
    """
    sent_from = request.headers.get("Origin", "null")
    if sent_from != "null" and sent_from not in request.app[CONFIG].controller_origins:
        raise ForbiddenError(_("This page may not hand over documents to the signer."))


async def set_headers(request: web.Request, answer: web.StreamResponse) -> None:
    """Headers of every answer. A form may lead back to the controller, which browsers check on the redirect too."""
    back = " ".join(sorted(request.app[CONFIG].controller_origins))
    answer.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; script-src 'self'; media-src 'self'; img-src 'self' data:; "
        f"connect-src 'self'; form-action 'self' {back}; base-uri 'none'; frame-ancestors 'none'"
    )
    answer.headers["X-Frame-Options"] = "DENY"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Referrer-Policy"] = "same-origin"
    answer.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    answer.headers.setdefault("Cache-Control", "no-store")
    answer.headers.setdefault("Vary", "Origin, Cookie")
