"""Emergencies in the database, limited by the scopes of whoever asks."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.alerts.domain import AlertKind, AlertState, is_active, kind_of_document
from controller.store.schema import accounts, alerts, documents
from controller.store.scope import within
from protocol import codec
from protocol.alert import Alert
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.envelope import Envelope, payload_type
from protocol.limits import ALERT_ENVELOPE_BYTES_MAX, ALERT_LIFETIME_MS_MAX
from protocol.units import UnitPath, ancestors

LIST_MAX: Final = 50


@dataclass(frozen=True, slots=True)
class StoredAlert:
    """An emergency as the controller knows it.

    Attributes:
        alert: the document, read from exactly the bytes that are signed.
        author: name of whoever composed it; None when it was signed elsewhere.
        published: when the broker took it; None while it waits.
    """

    id: str
    kind: AlertKind
    alert: Alert
    digest: str
    cancel_digest: str | None
    state: AlertState
    author: str | None
    sent: WallMs | None
    cancelled: WallMs | None
    canceller: str | None
    published: WallMs | None

    @property
    def scope(self) -> UnitPath:
        """The unit that speaks."""
        return self.alert.scope

    @property
    def payload(self) -> bytes:
        """The bytes that are signed."""
        return codec.encode(self.alert)

    def active(self, now: WallMs) -> bool:
        """Whether it may be sounding somewhere."""
        return is_active(self.state, expires=self.alert.expires, now=now)

    def shown_state(self, now: WallMs) -> AlertState:
        """The state with the clock taken into account."""
        over = self.state in (AlertState.SENT, AlertState.PARTIAL, AlertState.DRAFTED) and now >= self.alert.expires
        return AlertState.ENDED if over else self.state


def digest_of(kind: AlertKind, alert: Alert) -> str:
    """The name of a document under which the signed envelope will come back."""
    return Envelope(payload_type(kind.document_kind), codec.encode(alert), ()).digest


async def add_alert(
    connection: AsyncConnection,
    kind: AlertKind,
    alert: Alert,
    *,
    digest: str,
    state: AlertState,
    author: int | None,
    now: WallMs,
) -> None:
    """Stores an emergency."""
    values = {
        "id": alert.id,
        "scope": alert.scope,
        "kind": kind.document_kind.value,
        "digest": digest,
        "targets_json": json.dumps(alert.targets),
        "parts_json": codec.encode(alert).decode(),
        "severity": alert.severity,
        "state": state.value,
        "created_by": author,
        "created_ms": now,
        "sent_ms": now if state is AlertState.SENT else None,
    }
    await connection.execute(insert(alerts).values(**values))


_author, _canceller = accounts.alias("author"), accounts.alias("canceller")


def _asked() -> Select[Any]:
    joined = (
        alerts.outerjoin(_author, _author.c.id == alerts.c.created_by)
        .outerjoin(_canceller, _canceller.c.id == alerts.c.cancelled_by)
        .outerjoin(documents, documents.c.digest == alerts.c.digest)
    )
    names = (_author.c.name.label("author"), _canceller.c.name.label("canceller"))
    return select(alerts, *names, documents.c.published_ms).select_from(joined)


def visible(scopes: Iterable[UnitPath]) -> ColumnElement[bool]:
    """Emergencies within the scopes, and those from above that sound there too."""
    held = tuple(scopes)
    above = {unit for scope in held for unit in ancestors(scope)}
    return or_(within(alerts.c.scope, held), alerts.c.scope.in_(sorted(above)))


async def load_alert(connection: AsyncConnection, id: str, scopes: Iterable[UnitPath]) -> StoredAlert | None:
    """One emergency, if whoever asks may see it."""
    row = (await connection.execute(_asked().where(alerts.c.id == id, visible(scopes)))).one_or_none()
    found = None if row is None else _stored(row)
    return found if found is not None and _concerns(found, tuple(scopes)) else None


async def recent_alerts(connection: AsyncConnection, scopes: Iterable[UnitPath]) -> tuple[StoredAlert, ...]:
    """The newest emergencies."""
    held = tuple(scopes)
    rows = await connection.execute(
        _asked().where(visible(held)).order_by(alerts.c.created_ms.desc()).limit(LIST_MAX)
    )
    found = (_stored(row) for row in rows)
    return tuple(one for one in found if _concerns(one, held))


async def active_alerts(
    connection: AsyncConnection, scopes: Iterable[UnitPath], *, now: WallMs
) -> tuple[StoredAlert, ...]:
    """What may be sounding now, and what waits for a second signature."""
    held = tuple(scopes)
    open_states = [AlertState.SENT.value, AlertState.PARTIAL.value]
    fresh = alerts.c.created_ms > now - 2 * ALERT_LIFETIME_MS_MAX
    asked = _asked().where(visible(held), alerts.c.state.in_(open_states), fresh).order_by(alerts.c.created_ms.desc())
    found = [_stored(row) for row in await connection.execute(asked)]
    return tuple(one for one in found if one.alert.expires > now and _concerns(one, held))


def _concerns(alert: StoredAlert, scopes: tuple[UnitPath, ...]) -> bool:
    """Upper levels see everything below; a commune sees from above what sounds in it."""
    return any(
        scope in ancestors(alert.scope)
        or any(scope in ancestors(target) or target in ancestors(scope) for target in alert.alert.targets)
        for scope in scopes
    )


async def note_signed(connection: AsyncConnection, digest: str, *, state: AlertState, now: WallMs) -> bool:
    """The emergency was signed, partly or wholly; False when nobody composed it here.

    A draft that somebody put aside and somebody else then signed does sound: it is shown as sent, with its cancel.
    """
    values: dict[str, Any] = {"state": state.value}
    if state is AlertState.SENT:
        values |= {"sent_ms": now, "cancelled_ms": None, "cancelled_by": None}
    unsent = alerts.c.sent_ms.is_(None)
    changed = await connection.execute(update(alerts).where(alerts.c.digest == digest, unsent).values(**values))
    return changed.rowcount > 0


async def is_known(connection: AsyncConnection, id: str) -> bool:
    """Whether there is an emergency of this id."""
    return await connection.scalar(select(alerts.c.id).where(alerts.c.id == id)) is not None


async def note_cancel_signed(connection: AsyncConnection, id: str, *, digest: str) -> None:
    """The prepared cancel has come."""
    await connection.execute(update(alerts).where(alerts.c.id == id).values(cancel_digest=digest))


async def note_cancelled(connection: AsyncConnection, id: str, *, by: int | None, now: WallMs) -> bool:
    """The emergency was taken back; False when it had been before."""
    changed = await connection.execute(
        update(alerts)
        .where(alerts.c.id == id, alerts.c.state != AlertState.CANCELLED.value)
        .values(state=AlertState.CANCELLED.value, cancelled_ms=now, cancelled_by=by)
    )
    return changed.rowcount > 0


def _stored(row: Row[Any]) -> StoredAlert:
    kind = kind_of_document(Kind(row.kind))
    return StoredAlert(
        id=row.id,
        kind=kind,
        alert=codec.decode(Alert, row.parts_json.encode(), bytes_max=ALERT_ENVELOPE_BYTES_MAX),
        digest=row.digest,
        cancel_digest=row.cancel_digest,
        state=AlertState(row.state),
        author=row.author,
        sent=row.sent_ms,
        cancelled=row.cancelled_ms,
        canceller=row.canceller,
        published=row.published_ms,
    )
