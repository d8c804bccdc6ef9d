"""What waits for an operator's signature, and the hand-over to the signer."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from controller.bulletins.queries import units_with_due
from controller.devices.queries import waiting_documents
from controller.devices.wording import REFUSALS
from controller.keys import CLOCK, CONFIG, ENGINE, PUBLISHER
from controller.people.access import require, viewer_of
from controller.people.domain import Role, Viewer
from controller.schedules.queries import Tree, load_tree
from controller.signing.api import Asked, ask
from controller.signing.authority import AnchorMissingError
from controller.signing.domain import VERSIONED
from controller.signing.keys import ACCEPTANCE, AUTHORITY
from controller.signing.next_schedule import NextSchedule, next_schedule
from controller.signing.queries import (
    StoredDocument,
    documents_in_force,
    load_document,
    partial_documents,
    units_with_schedules,
)
from controller.signing.request import SigningRequest
from controller.signing.told import told_versions
from controller.signing.wording import KINDS
from controller.store.engine import reading
from controller.web.explained import N_, Explained, not_found
from controller.web.home import HomePanel, add_panel
from controller.web.i18n import gettext
from controller.web.page import page
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.units import UnitPath

REFUSED_SHOWN: Final = 10


def add_routes(app: web.Application) -> None:
    """Adds the pages."""
    app.router.add_get("/signing", show_waiting)
    app.router.add_post("/signing/schedule", hand_over_schedule)
    app.router.add_post("/signing/countersign", hand_over_partial)
    add_panel(app, HomePanel(20, "signing/_home.html", load_home))
    add_panel(app, HomePanel(15, "signing/_broker.html", load_broker))


async def show_waiting(request: web.Request) -> web.Response:
    """Everything that waits for a signature in the viewer's units, and what is in force."""
    viewer, now, told = viewer_of(request), request.app[CLOCK](), told_versions(request.app)
    async with reading(request.app[ENGINE]) as connection:
        tree = await load_tree(connection, now)
        units = sorted({*await units_with_due(connection, viewer.scopes())})
        units += [one for one in await units_with_schedules(connection, viewer.scopes()) if one not in units]
        made = [await next_schedule(connection, unit, now=now, tree=tree, told=told) for unit in sorted(units)]
        partial = await partial_documents(connection, viewer.scopes())
        in_force = await documents_in_force(connection, viewer.scopes())
    values = {
        "waiting": [_waiting(one, viewer, tree, now) for one in made if one.waits(now)],
        "partial": [_stored(one, tree) for one in partial],
        "documents": [_stored(one, tree) for one in in_force],
        "unsent": [_stored(one, tree) for one in in_force if one.published is None],
        "broker_away": not request.app[PUBLISHER].connected,
        "refused": _refused(request, viewer),
        "anchor_missing": _anchor_missing(request),
        "signs": viewer.holds(Role.OPERATOR),
        "own_units": [(unit, tree.name(unit)) for unit in viewer.scopes(Role.OPERATOR)],
    }
    return page(request, "signing/waiting.html", values)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A unit's next schedule, as the page shows it."""

    unit: UnitPath
    name: str
    next: NextSchedule
    ends_soon: bool
    may_sign: bool


def _waiting(made: NextSchedule, viewer: Viewer, tree: Tree, now: WallMs) -> Waiting:
    may_sign = viewer.may(Role.OPERATOR, made.unit)
    return Waiting(made.unit, tree.name(made.unit), made, made.ends_soon(now), may_sign)


def _stored(document: StoredDocument, tree: Tree) -> dict[str, Any]:
    return {
        "document": document,
        "kind": gettext(KINDS.get(document.kind, document.kind.value)),
        "unit": tree.name(document.scope),
        "versioned": document.kind in VERSIONED,
    }


def _refused(request: web.Request, viewer: Viewer) -> list[dict[str, Any]]:
    """Refused envelopes, for those who sign or watch; whoever sent them may be nobody of ours."""
    if not (viewer.holds(Role.OPERATOR) or viewer.holds(Role.AUDITOR)):
        return []
    newest = list(request.app[ACCEPTANCE].refused)[-REFUSED_SHOWN:]
    return [
        {
            "at": one.at,
            "kind": one.kind,
            "digest": one.digest,
            "sentence": gettext(REFUSALS[one.refusal]) if one.refusal else "",
            "detail": one.detail,
        }
        for one in reversed(newest)
    ]


def _anchor_missing(request: web.Request) -> bool:
    try:
        request.app[AUTHORITY].anchor()
    except AnchorMissingError:
        return True
    return False


async def hand_over_schedule(request: web.Request) -> web.Response:
    """Makes a unit's next schedule and hands it to the signer."""
    form = await request.post()
    unit = UnitPath(str(form.get("unit", "")))
    require(request, Role.OPERATOR, unit)
    made = await ask(request, unit, Asked(Kind.SCHEDULE, {}))
    return hand_over(request, made)


async def hand_over_partial(request: web.Request) -> web.Response:
    """Hands a partly signed document to the next person's signer."""
    viewer, form = viewer_of(request), await request.post()
    async with reading(request.app[ENGINE]) as connection:
        stored = await load_document(connection, str(form.get("digest", "")))
    if stored is None or not viewer.sees(stored.scope):
        raise not_found()
    if stored.state != "partial":
        text = N_("Enough people have signed this document already. Nothing more is needed.")
        raise Explained(text, status=409, code="complete", back="/signing")
    require(request, Role.OPERATOR, stored.scope)
    made = SigningRequest(stored.kind, stored.scope, stored.envelope.payload, {})
    return hand_over(request, made, envelope=stored.envelope.pack())


def hand_over(
    request: web.Request, made: SigningRequest, *, envelope: bytes = b"", back: str = "/signing"
) -> web.Response:
    """The page that leads to the operator's own signer with a form of that program's fields."""
    config = request.app[CONFIG]
    fields = {
        "kind": made.kind.value,
        "payload": base64.b64encode(made.payload).decode(),
        "envelope": base64.b64encode(envelope).decode(),
        "return_url": f"{config.origin}{back}",
        "back": back,
    }
    values = {
        "review_url": f"{config.signer_url}/review",
        "origin": config.origin,
        "kind_name": gettext(KINDS.get(made.kind, made.kind.value)),
        "summary": made.summary,
        "request_file": _as_file({"controller": config.origin, **fields}),
        "request_name": f"loalang-{made.kind}-{made.unit.replace('/', '-')}.json",
        **fields,
    }
    return page(request, "signing/hand_over.html", values)


def _as_file(fields: Mapping[str, str]) -> str:
    """The same fields as a file that the signer opens when no network leads to it."""
    return f"data:application/json;base64,{base64.b64encode(json.dumps(fields).encode()).decode()}"


async def load_broker(request: web.Request, viewer: Viewer) -> Mapping[str, Any] | None:
    """That nothing reaches the loudspeakers just now, and what waits for it."""
    if request.app[PUBLISHER].connected:
        return None
    async with reading(request.app[ENGINE]) as connection:
        return {"waiting": await waiting_documents(connection, viewer.scopes(), now=request.app[CLOCK]())}


async def load_home(request: web.Request, viewer: Viewer) -> Mapping[str, Any] | None:
    """Units whose schedule waits for this operator, and documents that wait for the broker."""
    scopes = viewer.scopes(Role.OPERATOR)
    if not scopes:
        return None
    now = request.app[CLOCK]()
    async with reading(request.app[ENGINE]) as connection:
        tree = await load_tree(connection, now)
        units = sorted({*await units_with_due(connection, scopes), *await units_with_schedules(connection, scopes)})
        made = [await next_schedule(connection, unit, now=now, tree=tree) for unit in units]
        partial = await partial_documents(connection, scopes)
    waiting = [_waiting(one, viewer, tree, now) for one in made if one.waits(now)]
    return {"waiting": waiting, "partial": len(partial)} if waiting or partial else None
