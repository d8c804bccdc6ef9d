"""Signing over REST: what to sign, and the door for what was signed."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from controller.keys import CLOCK, ENGINE, EVENTS
from controller.openapi import INTEGER, TEXT, WALL_MS, ApiRoute, add_api, listing, nullable, record
from controller.people.access import require, viewer_of
from controller.people.domain import Role
from controller.signing.acceptance import Outcome, Result
from controller.signing.authority import AnchorMissingError
from controller.signing.domain import Urgent
from controller.signing.keys import ACCEPTANCE, DISTRIBUTION
from controller.signing.queries import load_document
from controller.signing.rate import RateLimit
from controller.signing.request import SigningRequest, make_request
from controller.signing.told import told_versions
from controller.store.engine import reading, writing
from controller.web.explained import N_, Explained, not_found
from controller.web.strict_json import loads
from protocol.document import Kind
from protocol.units import UnitPath

logger = logging.getLogger(__name__)

ENVELOPES_MAX: Final = 16
_RATE: web.AppKey[RateLimit] = web.AppKey("envelope_rate")
_RESULT: Final = record(
    digest=TEXT, kind=TEXT, state=TEXT, refusal=nullable(TEXT), detail=TEXT, optional={"scope": nullable(TEXT)}
)
_REQUEST: Final = record(kind=TEXT, payload={**TEXT, "description": "base64 of the bytes to be signed"})
_ASKED: Final = record(
    optional={
        "kind": {"type": "string", "enum": ["schedule", "audible-config", "stop"]},
        "lead_s": {**INTEGER, "description": "for items that start now; 5 to 600, usually 60"},
        "config": {"type": "object", "description": "for audible-config: its fields without scope, version, issued"},
        "until_ms": WALL_MS,
        "targets": listing(TEXT),
    }
)
_DOCUMENT: Final = record(
    digest=TEXT,
    kind=TEXT,
    state=TEXT,
    refusal=nullable(TEXT),
    detail=TEXT,
    optional={
        "scope": TEXT,
        "version": nullable(INTEGER),
        "signers": listing(TEXT),
        "published_ms": nullable(WALL_MS),
    },
)


def add_routes(app: web.Application) -> None:
    """Adds and describes the routes."""
    app[_RATE] = RateLimit(burst=240, refill_ms=60_000)
    packed = record(envelopes=listing(TEXT))
    results = record(results=listing(_RESULT))
    take = ApiRoute(
        "POST", "/envelopes", take_envelopes, "Signed documents", request=packed, response=results, open=True
    )
    add_api(
        app,
        take,
        ApiRoute("GET", "/envelopes/{digest}", show_envelope, "What became of a document", response=_DOCUMENT),
        ApiRoute(
            "POST",
            "/units/{unit}/signing-request",
            ask_signature,
            "The exact bytes an operator of the unit would sign now; slashes of the unit as %2F",
            request=_ASKED,
            response=_REQUEST,
        ),
    )


async def take_envelopes(request: web.Request) -> web.Response:
    """Verifies, stores and distributes. Nobody signs in here: an envelope authorises itself."""
    packed = await _packed(request)
    if not request.app[_RATE].take(request.remote or "", request.app[CLOCK](), count=len(packed)):
        raise Explained(N_("Too many documents at once. Please wait a minute."), status=429, code="too_often")
    acceptance = request.app[ACCEPTANCE]
    try:
        results = await acceptance.take_all(packed)
    except AnchorMissingError as error:
        text = N_("This controller has no anchor file yet, so it cannot verify anything. Tell the technician.")
        raise Explained(text, status=503, code="anchor_missing") from error
    if any(one.fresh and one.outcome is Outcome.ACCEPTED for one in results):
        await _distribute(request.app, [one.urgent for one in results if one.urgent is not None])
    for result in results:
        _tell_pages(request.app, result)
    return web.json_response({"results": [_result_json(one) for one in results]})


async def _distribute(app: web.Application, urgent: Sequence[Urgent]) -> None:
    try:
        await app[DISTRIBUTION].publish_at_once(urgent)
        await app[DISTRIBUTION].publish_waiting()
    except Exception:
        logger.exception("publishing failed; it is tried again")
        app[DISTRIBUTION].poke()


def _tell_pages(app: web.Application, result: Result) -> None:
    if result.scope is not None and result.fresh:
        app[EVENTS].publish("schedule", result.scope, document=result.digest, state=result.outcome.value)


async def _packed(request: web.Request) -> list[bytes]:
    try:
        body = await request.json(loads=loads)
        packed = [str(one).encode() for one in body["envelopes"]]
    except (json.JSONDecodeError, UnicodeError, KeyError, TypeError) as error:
        text = N_("Send a JSON object with a list of envelopes.")
        raise Explained(text, status=400, code="malformed") from error
    if not 0 < len(packed) <= ENVELOPES_MAX:
        text = N_("Send between 1 and %(most)d envelopes at once.")
        raise Explained(text, status=400, code="too_many", most=ENVELOPES_MAX)
    return packed


def _result_json(result: Result) -> dict[str, Any]:
    return {
        "digest": result.digest,
        "kind": result.kind,
        "state": result.outcome.value,
        "refusal": result.refusal.value if result.refusal else None,
        "detail": result.detail,
        "scope": result.scope,
    }


async def show_envelope(request: web.Request) -> web.Response:
    """Where a document stands, or why it was refused."""
    viewer, digest = viewer_of(request), request.match_info["digest"]
    async with reading(request.app[ENGINE]) as connection:
        found = await load_document(connection, digest)
    if found is not None and viewer.sees(found.scope):
        body = {
            "digest": digest,
            "kind": found.kind.value,
            "state": found.state.value,
            "refusal": None,
            "detail": "",
            "scope": found.scope,
            "version": found.version,
            "signers": list(found.signers),
            "published_ms": found.published,
        }
        return web.json_response(body)
    refused = [one for one in request.app[ACCEPTANCE].refused if one.digest == digest]
    if not refused or not (viewer.holds(Role.OPERATOR) or viewer.holds(Role.AUDITOR)):
        raise not_found()
    return web.json_response(_result_json(refused[-1]))


async def ask_signature(request: web.Request) -> web.Response:
    """Makes the bytes that an operator's signer shows and signs."""
    unit = UnitPath(request.match_info["unit"])
    require(request, Role.OPERATOR, unit)
    made = await ask(request, unit, await _asked(request))
    body = {
        "kind": made.kind.value,
        "payload": base64.b64encode(made.payload).decode(),
        "summary": made.summary,
    }
    return web.json_response(body)


@dataclass(frozen=True, slots=True)
class Asked:
    """What should be signed."""

    kind: Kind
    fields: Mapping[str, Any]


async def ask(request: web.Request, unit: UnitPath, asked: Asked) -> SigningRequest:
    """Makes a signing request in its own transaction: a stop takes its number from the counter."""
    app = request.app
    async with writing(app[ENGINE]) as connection:
        return await make_request(
            connection, unit, kind=asked.kind, fields=asked.fields, now=app[CLOCK](), told=told_versions(app)
        )


async def _asked(request: web.Request) -> Asked:
    try:
        body = await request.json(loads=loads) if request.can_read_body else {}
        return Asked(Kind(body.get("kind", "schedule")), body)
    except (json.JSONDecodeError, UnicodeError, ValueError, AttributeError) as error:
        text = N_("Say what should be signed: schedule, audible-config or stop.")
        raise Explained(text, status=400, code="malformed") from error
