"""Emergencies for programs."""

from __future__ import annotations

import base64
from typing import Any

from aiohttp import web

from controller.alerts import acts
from controller.alerts.domain import AlertKind, Progress, Wanted
from controller.alerts.pages import media_of
from controller.alerts.queries import StoredAlert
from controller.alerts.view import AlertView, view_alert
from controller.keys import ENGINE
from controller.openapi import BOOLEAN, INTEGER, TEXT, WALL_MS, ApiRoute, add_api, listing, nullable, record
from controller.store.engine import reading
from controller.web.explained import N_, Explained
from controller.web.strict_json import loads
from protocol.alert import Tone
from protocol.units import unit_path

_KIND = {"type": "string", "enum": [one.value for one in AlertKind]}
_COUNTS = record(sent=INTEGER, received=INTEGER, **{one.value: INTEGER for one in Progress})
ALERT = record(
    id=TEXT,
    kind=_KIND,
    state={"type": "string", "enum": ["drafted", "partial", "sent", "cancelled", "ended"]},
    scope=TEXT,
    targets=listing(TEXT),
    severity=INTEGER,
    text=TEXT,
    digest=TEXT,
    issued_ms=WALL_MS,
    expires_ms=WALL_MS,
    sent_ms=nullable(WALL_MS),
    published_ms=nullable(WALL_MS),
    cancelled_ms=nullable(WALL_MS),
    signatures=INTEGER,
    signatures_needed=INTEGER,
    cancel_ready=BOOLEAN,
    counts=_COUNTS,
    refusals={"type": "object", "additionalProperties": INTEGER},
)


def add_alert_api(app: web.Application) -> None:
    """Adds the routes."""
    add_api(
        app,
        ApiRoute(
            "POST",
            "/alerts",
            make_alert,
            summary="Compose an emergency; sign the payload as a document of this kind and post it to /envelopes",
            request=record(
                kind=_KIND,
                targets=listing(TEXT),
                text=TEXT,
                optional={
                    "language": TEXT,
                    "media_digest": TEXT,
                    "severity": INTEGER,
                    "tone": {"type": "string", "enum": [one.value for one in Tone]},
                    "duration_s": INTEGER,
                },
            ),
            response=record(id=TEXT, kind=TEXT, payload={**TEXT, "contentEncoding": "base64"}, digest=TEXT),
            status=201,
        ),
        ApiRoute("GET", "/alerts/{alert}", get_alert, summary="How far an emergency has come", response=ALERT),
        ApiRoute(
            "POST",
            "/alerts/{alert}/cancel",
            cancel_alert,
            summary="Take an emergency back by its prepared, signed cancel; repeating it is harmless",
            response=ALERT,
        ),
    )


async def make_alert(request: web.Request) -> web.Response:
    """Composes."""
    stored = await acts.compose(request, await _wanted(request))
    body = {
        "id": stored.id,
        "kind": stored.kind.document_kind.value,
        "payload": base64.b64encode(stored.payload).decode(),
        "digest": stored.digest,
    }
    return web.json_response(body, status=201)


async def _wanted(request: web.Request) -> Wanted:
    try:
        body = await request.json(loads=loads)
        return Wanted(
            AlertKind(body["kind"]),
            tuple(unit_path(str(one)) for one in body["targets"]),
            " ".join(str(body["text"]).split()),
            str(body.get("language", "vi")),
            await media_of(request, str(body.get("media_digest") or "")),
            severity=int(body.get("severity", 3)),
            tone=Tone(body.get("tone", "two_tone")),
            duration_ms=int(body.get("duration_s", 600)) * 1000,
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        text = N_("The request is JSON with the fields kind, targets and text.")
        raise Explained(text, code="bad_request") from None


async def get_alert(request: web.Request) -> web.Response:
    """One emergency."""
    return await _answer(request, await acts.the_alert(request))


async def cancel_alert(request: web.Request) -> web.Response:
    """Takes it back."""
    stored = await acts.the_alert(request)
    if not await acts.cancel(request, stored):
        text = N_("The cancellation is not signed yet. Sign a document of the kind cancel first.")
        raise Explained(text, status=409, code="cancel_not_signed")
    return await _answer(request, await acts.the_alert(request))


async def _answer(request: web.Request, stored: StoredAlert) -> web.Response:
    async with reading(request.app[ENGINE]) as connection:
        view = await view_alert(request, connection, stored)
    return web.json_response(_described(view))


def _described(view: AlertView) -> dict[str, Any]:
    stored, alert = view.stored, view.stored.alert
    counts = {"sent": view.tally.sent, "received": view.tally.received}
    return {
        "id": stored.id,
        "kind": stored.kind.value,
        "state": view.state.value,
        "scope": alert.scope,
        "targets": alert.targets,
        "severity": alert.severity,
        "text": alert.parts[-1].text,
        "digest": stored.digest,
        "issued_ms": alert.issued,
        "expires_ms": alert.expires,
        "sent_ms": stored.sent,
        "published_ms": stored.published,
        "cancelled_ms": stored.cancelled,
        "signatures": view.signed_by,
        "signatures_needed": view.needed,
        "cancel_ready": view.cancel_ready,
        "counts": counts | {one.value: view.tally.count(one) for one in Progress},
        "refusals": dict(view.tally.reasons),
    }
