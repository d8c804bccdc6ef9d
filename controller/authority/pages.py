"""The page "Who may speak", and the forms that make, renew and end an authority."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from controller.authority import wording
from controller.authority.domain import current, ending_of, grantor_of, grow, running_out, warn_level
from controller.authority.form import read_office, usual_form
from controller.authority.queries import whole_authority
from controller.authority.requests import denial, new_grant, renewal
from controller.authority.root_expiry import read_root_files
from controller.authority.view import Eyes, rows
from controller.keys import CLOCK, CONFIG, ENGINE
from controller.people.access import require, viewer_of
from controller.people.domain import Role, Viewer
from controller.schedules.queries import Tree, load_tree
from controller.signing.authority import AnchorMissingError
from controller.signing.judging import Authority
from controller.signing.keys import AUTHORITY
from controller.signing.pages import hand_over
from controller.signing.queries import partial_documents
from controller.store.engine import reading
from controller.units.queries import names_of
from controller.web.explained import N_, Explained, not_found
from controller.web.home import HomePanel, add_panel
from controller.web.page import page
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.grants import ANCHOR_ID, HeldGrant
from protocol.units import UnitPath, covers
from protocol.verbs import Verb

HERE = "/authority"
_WATCH = (Role.OPERATOR, Role.TECHNICIAN, Role.AUDITOR)


def add_routes(app: web.Application) -> None:
    """Adds the pages."""
    app.router.add_get(HERE, show_authority)
    app.router.add_post(f"{HERE}/renew", hand_over_renewal)
    app.router.add_get(f"{HERE}/new", show_new)
    app.router.add_post(f"{HERE}/new", hand_over_new)
    app.router.add_get(f"{HERE}/end", show_end)
    app.router.add_post(f"{HERE}/end", hand_over_denial)
    add_panel(app, HomePanel(18, "authority/_home.html", load_home))


@dataclass(frozen=True, slots=True)
class _Known:
    authority: Authority
    tree: Tree
    names: Mapping[UnitPath, str]
    now: WallMs

    def name(self, scope: UnitPath) -> str:
        """Of a unit, also of one that is no more."""
        return self.names.get(scope, scope)

    def eyes(self, viewer: Viewer) -> Eyes:
        """What this person sees of it."""
        return Eyes(viewer, self.authority, self.now, self.name, frozenset(self.tree.names))

    def grant(self, request: web.Request, digest: str) -> HeldGrant:
        """The grant of a form, when the viewer sees its unit."""
        held = self.authority.grants.get(digest)
        if held is None or not viewer_of(request).sees(held.grant.scope):
            raise not_found()
        return held


async def _known(request: web.Request) -> _Known:
    app = request.app
    now = app[CLOCK]()
    try:
        async with reading(app[ENGINE]) as connection:
            authority = await whole_authority(connection, app[AUTHORITY])
            scopes = {authority.anchor.scope, *(one.grant.scope for one in authority.grants.values())}
            names = await names_of(connection, scopes)
            return _Known(authority, await load_tree(connection, now), names, now)
    except AnchorMissingError as error:
        text = N_("This controller has no anchor file yet, so it cannot verify anything. Tell the technician.")
        raise Explained(text, status=503, code="anchor_missing") from error


async def show_authority(request: web.Request) -> web.Response:
    """The tree of offices, what runs out, and what waits for a second signature."""
    known, viewer = await _known(request), viewer_of(request)
    nodes = grow(known.authority, known.now)
    eyes = known.eyes(viewer)
    found, said = rows(nodes, eyes), request.app[AUTHORITY].published()
    due = {one.held.digest for one in running_out(nodes) if one.grant.scope in eyes.there}
    async with reading(request.app[ENGINE]) as connection:
        partial = await partial_documents(connection, viewer.scopes())
    values = {
        "rows": found,
        "due": [one for one in found if one.node.held.digest in due],
        "anchor": known.authority.anchor,
        "anchor_unit": known.name(known.authority.anchor.scope),
        "anchor_people": wording.people(known.authority.anchor.threshold, len(known.authority.anchor.keys)),
        "partial": sum(one.kind in (Kind.GRANT, Kind.DENIAL) for one in partial),
        "root": _root_rows(request, known.now) if viewer.sees(known.authority.anchor.scope) else [],
        "denied_by_root": [(one, known.name(one.scope)) for one in said.denied if eyes.sees(one.scope)],
        "other_anchor": said.anchor_digest if _differs(request, known) else "",
    }
    return page(request, "authority/authority.html", values)


def _differs(request: web.Request, known: _Known) -> bool:
    """Whether the root publishes another anchor than the one that is pinned here, and the viewer may know."""
    published, pinned = request.app[AUTHORITY].published().anchor, known.authority.anchor
    return published is not None and published != pinned and viewer_of(request).sees(pinned.scope)


def _root_rows(request: web.Request, now: WallMs) -> list[dict[str, Any]]:
    """Files of the root that run out or cannot be read."""
    found = []
    for one in read_root_files(request.app[CONFIG].data / "root"):
        warn = 0 if one.expires is None else warn_level(one.expires, now)
        if warn is not None:
            left = wording.left(one.expires, now) if one.expires is not None else ""
            found.append({"role": wording.ROOT_ROLES[one.role], "expires": one.expires, "warn": warn, "left": left})
    for name in request.app[AUTHORITY].published().damaged:
        found.append({"role": wording.ROOT_ROLES[name], "expires": None, "warn": 0, "left": ""})
    return found


async def hand_over_renewal(request: web.Request) -> web.Response:
    """The same office for another term, to be signed by whoever gave it."""
    form, known = await request.post(), await _known(request)
    held = known.grant(request, str(form.get("digest", "")))
    require(request, Role.OPERATOR, grantor_of(held, known.authority).grant.scope)
    made = renewal(held, known.authority, known.now, epoch=_next_epoch(form, held, known))
    ending = str(form.get("ending", ""))
    back = f"{HERE}/end?digest={ending}" if ending in known.authority.grants else HERE
    return hand_over(request, made, back=back)


def _next_epoch(form: Mapping[str, Any], held: HeldGrant, known: _Known) -> int:
    """While an authority is being ended, those that stay are given with the epoch that will count then."""
    meant = known.authority.grants.get(str(form.get("ending", "")))
    if meant is None or meant.grantor != held.grantor:
        return 0
    return ending_of(meant, known.authority, known.now).epoch


async def show_new(request: web.Request) -> web.Response:
    """The form for a new authority below another one."""
    known = await _known(request)
    above = _above(request, known, request.query.get("parent", ""))
    return _new_page(request, known, above, usual_form(above.grant, known.now))


def _above(request: web.Request, known: _Known, digest: str) -> HeldGrant:
    above = known.grant(request, digest)
    require(request, Role.OPERATOR, above.grant.scope)
    newest = current(known.authority, known.now).get(above.office)
    if newest is None or Verb.GRANT not in newest.grant.verbs or newest.grant.depth == 0:
        text = N_("This authority cannot be given on. Ask the one above it.")
        raise Explained(text, status=409, code="not_granting", back=HERE)
    return newest


def _new_page(
    request: web.Request, known: _Known, above: HeldGrant, form: Mapping[str, Any], problem: Explained | None = None
) -> web.Response:
    grant, devices = above.grant, frozenset(known.tree.devices)
    places = [(path, name) for path, name in known.tree.names.items() if path not in devices]
    values = {
        "above": above,
        "above_unit": known.name(grant.scope),
        "units": [(path, name) for path, name in places if covers(grant.scope, path)],
        "verbs": [(verb, wording.VERBS[verb]) for verb in grant.verbs],
        "form": form,
        "left": wording.left(grant.expires, known.now),
        "problem": problem.told() if problem else "",
    }
    return page(request, "authority/new.html", values, status=422 if problem else 200)


async def hand_over_new(request: web.Request) -> web.Response:
    """Checks the form against the authority above and hands the new one to the signer."""
    form, known = await request.post(), await _known(request)
    above = _above(request, known, str(form.get("parent", "")))
    try:
        made = new_grant(read_office(form), above, known.authority, known.now)
    except Explained as problem:
        given = {name: form.get(name, "") for name in ("holder", "scope", "keys", "threshold", "depth", "days")}
        return _new_page(request, known, above, {**given, "verbs": form.getall("verb", [])}, problem)
    return hand_over(request, made, back=HERE)


async def show_end(request: web.Request) -> web.Response:
    """What ending an authority does, what has to be made anew first, and the denial itself."""
    known = await _known(request)
    held = known.grant(request, request.query.get("digest", ""))
    above = grantor_of(held, known.authority)
    require(request, Role.OPERATOR, above.grant.scope)
    ending = ending_of(held, known.authority, known.now)
    viewer = viewer_of(request)
    again = [
        {
            "one": one,
            "unit": known.name(one.held.grant.scope),
            "may": viewer.may(Role.OPERATOR, grantor_of(one.held, known.authority).grant.scope),
        }
        for one in ending.again
    ]
    values = {
        "held": held,
        "unit": known.name(held.grant.scope),
        "above": above,
        "by_anchor": above.digest == ANCHOR_ID,
        "ending": ending,
        "ends": [(one, known.name(one.grant.scope)) for one in ending.ends],
        "again": again,
        "fallen": not ending.ends,
    }
    return page(request, "authority/end.html", values)


async def hand_over_denial(request: web.Request) -> web.Response:
    """Hands the denial to the signer."""
    form, known = await request.post(), await _known(request)
    held = known.grant(request, str(form.get("digest", "")))
    require(request, Role.OPERATOR, grantor_of(held, known.authority).grant.scope)
    return hand_over(request, denial(held, known.authority, known.now), back=HERE)


async def load_home(request: web.Request, viewer: Viewer) -> Mapping[str, Any] | None:
    """Authorities of the viewer's units that run out within a month, and files of the root that do."""
    if not any(viewer.holds(role) for role in _WATCH):
        return None
    try:
        known = await _known(request)
    except Explained:
        return None  # the page of signing says that the anchor is missing
    eyes, nodes = known.eyes(viewer), grow(known.authority, known.now)
    due = {
        one.held.digest
        for one in running_out(nodes)
        if one.grant.scope in eyes.there and _concerns(viewer, one.grant.scope)
    }
    found = [one for one in rows(nodes, eyes) if one.node.held.digest in due]
    over = _concerns(viewer, known.authority.anchor.scope)
    root = _root_rows(request, known.now) if over else []
    differs = over and _differs(request, known)
    return {"due": found, "root": root, "other_anchor": differs} if found or root or differs else None


def _concerns(viewer: Viewer, scope: UnitPath) -> bool:
    return any(viewer.may(role, scope) for role in _WATCH)
