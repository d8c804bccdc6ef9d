"""Turns every failure into a page, or JSON below `/api`, that says what happened and what to do next."""

from __future__ import annotations

import logging
import sqlite3

from aiohttp import web
from sqlalchemy.exc import OperationalError

from controller.web.explained import N_, Explained, not_found
from controller.web.guard import Handler
from controller.web.intake import is_unreadable
from controller.web.page import page

logger = logging.getLogger(__name__)


@web.middleware
async def answer_failures(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The outermost layer: nothing technical reaches a reader."""
    try:
        return await handler(request)
    except Explained as error:
        return _tell(request, error)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _tell(request, _explain_http(error))
    except (OperationalError, OSError) as error:
        logger.warning("%s %s failed", request.method, request.path, exc_info=True)
        return _tell(request, _explain_disk(error))
    except Exception as error:
        if is_unreadable(error):
            return _tell(request, _explain_http(web.HTTPBadRequest()))
        logger.exception("%s %s failed", request.method, request.path)
        return _tell(request, _UNEXPECTED)


_UNEXPECTED = Explained(
    N_("Something went wrong on our side. Nothing was sent to the loudspeakers. Please try again in a minute."),
    status=500,
    code="unexpected",
)


def _explain_http(error: web.HTTPException) -> Explained:
    if error.status == 404:
        return not_found()
    if error.status == 413:
        return Explained(
            N_("What you sent is too large. Go back, shorten it or divide it, and send it again."),
            status=413,
            code="too_large",
        )
    if error.status == 405:
        return Explained(N_("This address does not take such a request."), status=405, code="wrong_method")
    return Explained(N_("The request could not be understood. Go back and try again."), status=error.status)


def _explain_disk(error: Exception) -> Explained:
    cause = getattr(error, "orig", error)
    full = getattr(cause, "errno", None) == 28 or "full" in str(cause)
    busy = isinstance(cause, sqlite3.OperationalError) and "locked" in str(cause)
    if full:
        text = N_("The server's disk is full, so nothing was saved. Tell the technician; what was on air goes on.")
        return Explained(text, status=507, code="disk_full")
    if busy:
        return Explained(
            N_("The server is busy. Nothing was lost; press again in a moment."), status=503, code="busy"
        )
    return _UNEXPECTED


def _tell(request: web.Request, error: Explained) -> web.Response:
    if request.path.startswith(("/api/", "/device/", "/media/", "/events")):
        body = {"error": {"code": error.code, "message": error.told()}}
        return web.json_response(body, status=error.status)
    return page(request, "web/explained.html", {"error": error}, status=error.status)
