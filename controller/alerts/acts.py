"""What people do with emergencies: compose, cancel, renew."""

from __future__ import annotations

import secrets

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.alerts.domain import (
    DURATION_MS_MAX,
    DURATION_MS_MIN,
    AlertKind,
    AlertState,
    Wanted,
    common_scope,
    inside,
    make_alert,
    outermost,
    wanted_again,
)
from controller.alerts.events import tell_pages
from controller.alerts.queries import StoredAlert, add_alert, digest_of, load_alert, note_cancelled
from controller.audit.log import note
from controller.keys import CLOCK, ENGINE
from controller.library.domain import check_speech
from controller.library.refusal import SoundRefusedError
from controller.library.wording import explained
from controller.people.access import require, viewer_of
from controller.people.domain import Role, Viewer
from controller.schedules.queries import load_tree
from controller.signing.counters import next_sequence
from controller.signing.domain import DocumentState
from controller.signing.keys import DISTRIBUTION
from controller.signing.queries import load_document, set_state
from controller.store.engine import reading, writing
from controller.web.explained import N_, Explained, not_found
from protocol import codec
from protocol.alert import Alert
from protocol.clock import WallMs
from protocol.envelope import Envelope, Signature, payload_type
from protocol.errors import DocumentError
from protocol.limits import ALERT_ENVELOPE_BYTES_MAX, ALERT_TEXT_CHARS_MAX, ENVELOPE_BYTES_MAX, TARGETS_MAX
from protocol.units import UnitPath

SIGNATURES_LIKELY = 2


async def compose(request: web.Request, wanted: Wanted) -> StoredAlert:
    """Makes the document that is to be signed.

    Raises:
        Explained: it cannot be made as asked, or not by this person.
    """
    app, viewer = request.app, viewer_of(request)
    targets = _checked_targets(viewer, wanted)
    _check_words(wanted)
    scope = common_scope(targets)
    if scope is None:
        raise Explained(N_("These places have no unit in common. Send one for each."), code="no_common_unit")
    now: WallMs = app[CLOCK]()
    async with writing(app[ENGINE]) as connection:
        tree = await load_tree(connection, now)
        if not all(target in tree.names for target in targets):
            raise Explained(N_("One of these places does not exist any more. Choose again."), code="no_unit")
        alert = await _made(connection, wanted, scope, now)
        digest = digest_of(wanted.kind, alert)
        await add_alert(
            connection, wanted.kind, alert, digest=digest, state=AlertState.DRAFTED, author=viewer.account, now=now
        )
        subject = f"{scope}#{alert.id}"
        await note(
            connection, "alert.draft", at=now, account=viewer.account, subject=subject, detail=wanted.kind.value
        )
    return await the_alert(request, alert.id)


async def _made(connection: AsyncConnection, wanted: Wanted, scope: UnitPath, now: WallMs) -> Alert:
    sequence = await next_sequence(connection, scope, now=now)
    try:
        alert = make_alert(wanted, id=secrets.token_hex(16), sequence=sequence, now=now)
        codec.decode(Alert, codec.encode(alert), bytes_max=ENVELOPE_BYTES_MAX)  # as a device will read it
    except (ValueError, DocumentError) as error:
        text = N_("The emergency breaks a rule (%(detail)s). Correct it and try again.")
        raise Explained(text, status=422, code="wrong_value", detail=str(error)) from error
    if _largest(wanted.kind, alert) > ALERT_ENVELOPE_BYTES_MAX:
        raise Explained(
            N_(
                "This is too much for one emergency. "
                "Choose a larger unit instead of many places, or shorten the text."
            ),
            status=422,
            code="too_large",
        )
    return alert


def _largest(kind: AlertKind, alert: Alert) -> int:
    """Size with the signatures it will get."""
    signatures = tuple(Signature(f"{number:016x}", bytes(64)) for number in range(SIGNATURES_LIKELY))
    return len(Envelope(payload_type(kind.document_kind), codec.encode(alert), signatures).pack())


def _checked_targets(viewer: Viewer, wanted: Wanted) -> tuple[UnitPath, ...]:
    targets = outermost(wanted.targets)
    if not targets:
        raise Explained(N_("Choose at least one place where it shall sound."), status=422, code="no_target")
    if len(targets) > TARGETS_MAX:
        raise Explained(N_("These are too many places. Choose the unit above them instead."), code="too_many")
    scopes = viewer.scopes(Role.OPERATOR)
    if not inside(scopes, targets):
        raise Explained(
            N_("You may send emergencies only within your own units, and only as an operator."),
            status=403,
            code="not_allowed",
        )
    return targets


def _check_words(wanted: Wanted) -> None:
    if len(wanted.text) > ALERT_TEXT_CHARS_MAX:
        raise Explained(
            N_(
                "The text has %(chars)d characters; an emergency has at most %(most)d. "
                "Say it shorter: people listen better."
            ),
            status=422,
            code="text_too_long",
            chars=len(wanted.text),
            most=ALERT_TEXT_CHARS_MAX,
        )
    try:
        check_speech(wanted.text, wanted.language)
    except SoundRefusedError as error:
        raise explained(error) from error
    if not DURATION_MS_MIN <= wanted.duration_ms <= DURATION_MS_MAX:
        raise Explained(
            N_("An emergency lasts from half a minute to 30 minutes. Afterwards it can be renewed."),
            status=422,
            code="bad_duration",
        )


async def the_alert(request: web.Request, id: str | None = None) -> StoredAlert:
    """The emergency named in the address. Raises Explained when it is not there, or not for these eyes."""
    async with reading(request.app[ENGINE]) as connection:
        found = await load_alert(connection, id or request.match_info["alert"], viewer_of(request).scopes())
    if found is None:
        raise not_found(N_("There is no such emergency in your units."))
    return found


async def cancel(request: web.Request, stored: StoredAlert) -> bool:
    """Takes it back: releases the cancel that was signed together with it, ahead of everything else.

    Returns:
        Whether the devices are told now; False when no signed cancel is there and one has to be signed.

    Raises:
        Explained: the viewer may not.
    """
    viewer, app = require(request, Role.OPERATOR, stored.scope), request.app
    now: WallMs = app[CLOCK]()
    async with writing(app[ENGINE]) as connection:
        ready = await _prepared(connection, stored)
        unsent = stored.state in (AlertState.DRAFTED, AlertState.PARTIAL)
        if not ready and not unsent:
            return False
        if ready and stored.cancel_digest is not None:
            await set_state(connection, [stored.cancel_digest], DocumentState.IN_FORCE)
        if unsent:
            await set_state(connection, [stored.digest], DocumentState.ENDED)
        if await note_cancelled(connection, stored.id, by=viewer.account, now=now):
            subject = f"{stored.scope}#{stored.id}"
            await note(connection, "alert.cancel", at=now, account=viewer.account, subject=subject)
    if ready:
        await app[DISTRIBUTION].publish_waiting()
    tell_pages(app, stored.scope, stored.id, AlertState.CANCELLED)
    return True


async def _prepared(connection: AsyncConnection, stored: StoredAlert) -> bool:
    if stored.cancel_digest is None:
        return False
    document = await load_document(connection, stored.cancel_digest)
    return document is not None and document.state in (DocumentState.PREPARED, DocumentState.IN_FORCE)


async def renew(request: web.Request, stored: StoredAlert) -> StoredAlert:
    """The same text for the same places once more, as a new emergency that has to be signed."""
    return await compose(request, wanted_again(stored.alert, stored.kind))
