"""What a signer asks for its own copy: every grant, denial and assignment in force.

It needs no sign-in. The same envelopes lie retained at the broker and travel on sticks; they carry names of offices
and operators, public keys and device ids, which every loudspeaker of the unit has, and no secret. A signer believes
nothing in them that it cannot verify from its own anchor. What the door must bear is load: the answer is bounded, who
has it already is only told so, and one address may ask sixty times a minute.
"""

from __future__ import annotations

import hashlib
from typing import Final

from aiohttp import web

from controller.authority.queries import envelopes_in_force
from controller.keys import CLOCK, ENGINE
from controller.openapi import TEXT, ApiRoute, add_api, listing, record
from controller.signing.authority import AnchorMissingError
from controller.signing.keys import AUTHORITY
from controller.signing.rate import RateLimit
from controller.store.engine import reading
from controller.web.explained import N_, Explained

ASKED_MAX: Final = 60
ASKED_WITHIN_MS: Final = 60_000
_RATE: web.AppKey[RateLimit] = web.AppKey("authority_rate")


def add_routes(app: web.Application) -> None:
    """Adds and describes the route."""
    app[_RATE] = RateLimit(burst=ASKED_MAX, refill_ms=ASKED_WITHIN_MS)
    add_api(
        app,
        ApiRoute(
            "GET",
            "/authority",
            list_authority,
            "Grants, denials and assignments in force, as packed envelopes, parents before children",
            response=record(envelopes=listing(TEXT)),
            open=True,
        ),
    )


async def list_authority(request: web.Request) -> web.StreamResponse:
    """All of it, or 304 when whoever asks has it."""
    app = request.app
    if not app[_RATE].take(request.remote or "", app[CLOCK]()):
        raise Explained(N_("Too many questions at once. Please wait a minute."), status=429, code="too_often")
    try:
        async with reading(app[ENGINE]) as connection:
            found = await envelopes_in_force(connection, app[AUTHORITY], app[CLOCK]())
    except AnchorMissingError:
        found = ()
    packed = [one.envelope.pack().decode() for one in found]
    name = hashlib.sha256("\n".join(packed).encode()).hexdigest()[:32]
    answer = web.json_response({"envelopes": packed})
    answer.etag = name
    if any(tag.value == name for tag in request.if_none_match or ()):
        return web.Response(status=304, headers={"ETag": f'"{name}"'})
    return answer
