"""What the pages of emergencies show, put together from memory and database."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.alerts.domain import SIGN_WITHIN_MS, AlertKind, AlertState, Progress, Tally, progress, tally
from controller.alerts.queries import StoredAlert
from controller.devices.history import StandingSeen, standings_for
from controller.devices.keys import ROSTER
from controller.devices.live import DeviceNow
from controller.devices.view import DeviceRow, row_of, visible
from controller.keys import CLOCK, CONFIG
from controller.people.access import viewer_of
from controller.people.domain import Role
from controller.signing.authority import AnchorMissingError
from controller.signing.keys import AUTHORITY
from controller.signing.queries import StoredDocument, load_document
from controller.web.i18n import N_, gettext
from protocol import codec
from protocol.alert import Cancel
from protocol.document import Kind, required_verb
from protocol.units import UnitPath, addresses, covers

KIND_WORDS = {
    AlertKind.ACTUAL: N_("ACTUAL EMERGENCY"),
    AlertKind.DRILL: N_("DRILL"),
    AlertKind.TEST: N_("TEST"),
}
STATE_WORDS = {
    AlertState.DRAFTED: N_("Not signed yet"),
    AlertState.PARTIAL: N_("Waits for a second person"),
    AlertState.SENT: N_("Sounding"),
    AlertState.CANCELLED: N_("Cancelled"),
    AlertState.ENDED: N_("Over"),
}
STATE_BADGES = {
    AlertState.DRAFTED: "wait",
    AlertState.PARTIAL: "wait",
    AlertState.SENT: "bad",
    AlertState.CANCELLED: "idle",
    AlertState.ENDED: "idle",
}
PROGRESS_WORDS = {
    Progress.NO_WORD: N_("No word yet"),
    Progress.SILENT: N_("Received, silent"),
    Progress.SOUNDING: N_("Sounding"),
    Progress.HEARD: N_("Heard"),
    Progress.REFUSED: N_("Refused"),
    Progress.CANCELLED: N_("Cancelled"),
}
PROGRESS_BADGES = {
    Progress.NO_WORD: "wait",
    Progress.SILENT: "bad",
    Progress.SOUNDING: "good",
    Progress.HEARD: "good",
    Progress.REFUSED: "bad",
    Progress.CANCELLED: "idle",
}
_ORDER = (
    Progress.REFUSED,
    Progress.SILENT,
    Progress.NO_WORD,
    Progress.SOUNDING,
    Progress.HEARD,
    Progress.CANCELLED,
)


@dataclass(frozen=True, slots=True)
class HandOver:
    """Hidden fields of the form that leads to the signer."""

    url: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AlertDevice:
    """One loudspeaker that was addressed."""

    row: DeviceRow
    progress: Progress
    refusal: str | None

    @property
    def word(self) -> str:
        """What became of it there."""
        return gettext(PROGRESS_WORDS[self.progress])

    @property
    def badge(self) -> str:
        """Class of its badge."""
        return PROGRESS_BADGES[self.progress]


@dataclass(frozen=True, slots=True)
class AlertView:
    """An emergency with everything that is known of it now."""

    stored: StoredAlert
    state: AlertState
    active: bool
    tally: Tally
    devices: tuple[AlertDevice, ...]
    signed_by: int
    needed: int
    may_act: bool
    left_ms: int
    cancel_ready: bool
    stale: bool

    @property
    def kind_word(self) -> str:
        """ACTUAL, DRILL or TEST, in words."""
        return gettext(KIND_WORDS[self.stored.kind])

    @property
    def state_word(self) -> str:
        """Where it stands."""
        return gettext(STATE_WORDS[self.state])

    @property
    def state_badge(self) -> str:
        """Class of the state's badge."""
        return STATE_BADGES[self.state]

    @property
    def missing(self) -> int:
        """How many more people have to sign."""
        return max(0, self.needed - self.signed_by)


async def view_alert(request: web.Request, connection: AsyncConnection, stored: StoredAlert) -> AlertView:
    """Everything about one emergency that the viewer may know: only their own units' loudspeakers are named."""
    viewer, now = viewer_of(request), request.app[CLOCK]()
    roster = request.app[ROSTER]
    meant = [one for one in visible(roster, viewer) if addresses(stored.alert.targets, one.enrolled.place)]
    told = {one.device: one for one in await standings_for(connection, stored.digest, viewer.scopes())}
    found = _devices(request, stored, meant, told)
    document = await load_document(connection, stored.digest)
    state = stored.shown_state(now)
    return AlertView(
        stored=stored,
        state=state,
        active=stored.active(now),
        tally=tally((one.progress for one in found), refusals=(one.refusal for one in found)),
        devices=found,
        signed_by=len(document.signers) if document else 0,
        needed=await signatures_needed(request, connection, stored),
        may_act=viewer.may(Role.OPERATOR, stored.scope),
        left_ms=max(0, stored.alert.expires - now),
        cancel_ready=await _cancel_ready(connection, stored),
        stale=state in (AlertState.DRAFTED, AlertState.PARTIAL) and now - stored.alert.issued > SIGN_WITHIN_MS,
    )


def _devices(
    request: web.Request, stored: StoredAlert, meant: Iterable[DeviceNow], told: Mapping[str, StandingSeen]
) -> tuple[AlertDevice, ...]:
    now, roster, made = request.app[CLOCK](), request.app[ROSTER], []
    for device in meant:
        seen = told.get(device.enrolled.id)
        sounds = device.status is not None and device.status.sounding == stored.id
        come = progress(seen.standing if seen else None, sounds=sounds)
        made.append(AlertDevice(row_of(roster, device, now), come, seen.refusal if seen else None))
    return tuple(sorted(made, key=lambda one: (_ORDER.index(one.progress), one.row.device.enrolled.place)))


async def signatures_needed(request: web.Request, connection: AsyncConnection, stored: StoredAlert) -> int:
    """The fewest people who can sign this together; 1 while nothing is known."""
    try:
        authority = await request.app[AUTHORITY].load(connection)
    except AnchorMissingError:
        return 1
    verb = required_verb(Kind(stored.kind.document_kind), stored.alert)
    able = [
        held.grant.threshold
        for held in authority.grants.values()
        if verb in held.grant.verbs and covers(held.grant.scope, stored.scope)
    ]
    return min(able, default=authority.anchor.threshold)


async def _cancel_ready(connection: AsyncConnection, stored: StoredAlert) -> bool:
    document = await _document(connection, stored.cancel_digest)
    return document is not None and document.state.value in ("prepared", "in_force")


async def _document(connection: AsyncConnection, digest: str | None) -> StoredDocument | None:
    return await load_document(connection, digest) if digest else None


async def hand_over(request: web.Request, connection: AsyncConnection, stored: StoredAlert) -> HandOver:
    """The form for whoever signs next: the exact bytes, and the signatures that are there already."""
    document = await load_document(connection, stored.digest)
    begun_cancel = await _document(connection, stored.cancel_digest)
    fields = _fields(request, stored, stored.kind.document_kind, stored.payload)
    if document is not None:
        fields["envelope"] = _base64(document.envelope.pack())
    if begun_cancel is not None:
        fields["cancel"] = _base64(begun_cancel.envelope.pack())
    return HandOver(f"{request.app[CONFIG].signer_url}/review", fields)


async def hand_over_cancel(request: web.Request, connection: AsyncConnection, stored: StoredAlert) -> HandOver:
    """The form for signing a cancel anew, when the prepared one is missing or lacks a signature."""
    alert = stored.alert
    cancel = Cancel(alert.scope, alert.id, issued=alert.issued, expires=alert.expires, targets=alert.targets)
    begun = await _document(connection, stored.cancel_digest)
    fields = _fields(request, stored, Kind.CANCEL, codec.encode(cancel))
    if begun is not None:
        fields["envelope"] = _base64(begun.envelope.pack())
    return HandOver(f"{request.app[CONFIG].signer_url}/review", fields)


def _fields(request: web.Request, stored: StoredAlert, kind: Kind, payload: bytes) -> dict[str, str]:
    origin = request.app[CONFIG].origin
    return {
        "controller": origin,
        "kind": kind.value,
        "payload": _base64(payload),
        "return_url": f"{origin}/alerts/{stored.id}",
    }


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def target_names(stored: StoredAlert, names: Mapping[UnitPath, str]) -> list[str]:
    """The places by name."""
    return [names.get(target, target) for target in stored.alert.targets]
