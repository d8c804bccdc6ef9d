"""What each device was given and ought to obey: worked out anew from the bytes it was told and what was truly signed.

Behaviour, section 3 (fresh heads), 5 (nothing is obeyed before the clock is believed), 6 (nothing acknowledged is
lost), and trust.md's order of checks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from edge.core.events import (
    AttestationReceived,
    Booted,
    ClockRead,
    EnvelopeReceived,
    ParcelReceived,
    Route,
    StopPressed,
)
from protocol.alert import Alert, Cancel, Stop
from protocol.assignment import Assignment
from protocol.audible_config import AudibleConfig
from protocol.clock import WallMs
from protocol.denial import Denial
from protocol.document import Kind
from protocol.grants import Grant
from protocol.live import LiveSession
from protocol.schedule import Schedule
from protocol.units import covers
from simulators.world.checkers.authority import Standing, allows, grant_holds, stands, true_keys, version_of
from simulators.world.checkers.holding import PANEL, Accepted, Held, is_addressed
from simulators.world.checkers.truth import Box, Truth
from simulators.world.checkers.wire import Seen, alert_of, envelope_of, holds, parcel_of
from simulators.world.office import Signed
from simulators.world.trace import Record

SKEW_MS: Final = 120_000
LOCAL_STOP_MS: Final = 15 * 60_000
_WAITING_MAX: Final = 64
_MOVED_MS: Final = 20


class Papers:
    """Follows what every device is told.

    Attributes:
        held: by the device's name; `before` as it was before the device's last start.
        believed_since: when the device came to believe its hour as it does now.
        listeners: are told of each document when it ought to be obeyed, and of None when something else changed.
    """

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._signed = truth.world.offices.signed
        self.held = {name: self._fresh(box) for name, box in truth.boxes.items()}
        self._errors: dict[str, int | None] = {}
        self.before: dict[str, Held] = {}
        self.believed_since: dict[str, WallMs] = {}
        self.listeners: list[Callable[[Box, Signed | None], None]] = []
        truth.on(Booted, self._booted)
        truth.on(EnvelopeReceived, self._envelope)
        truth.on(ParcelReceived, self._parcel)
        truth.on(StopPressed, self._stop_pressed)
        truth.on(ClockRead, self._clock)
        truth.on(AttestationReceived, self._clock)

    def _fresh(self, box: Box) -> Held:
        return Held(box.device.identity.place, Standing(box.device.identity.anchor))

    def wall(self, box: Box) -> WallMs | None:
        """The hour the device believes now."""
        error_ms = box.error_ms(self._truth.now)
        return None if error_ms is None else WallMs(self._truth.now + error_ms)

    def _tell(self, box: Box, signed: Signed | None) -> None:
        for listener in self.listeners:
            listener(box, signed)

    # What comes.

    def _envelope(self, box: Box, record: Record) -> None:
        event: EnvelopeReceived = record.thing.event
        seen = (alert_of if event.route is Route.ALERT else envelope_of)(event.data)
        if seen is not None:
            self._take(box, event.data, seen, event.route)

    def _parcel(self, box: Box, record: Record) -> None:
        event: ParcelReceived = record.thing.event
        for data, seen in parcel_of(event.data):
            self._take(box, data, seen, event.route)

    def _clock(self, box: Box, _: Record) -> None:
        error_ms, former_ms = box.error_ms(self._truth.now), self._errors.get(box.name)
        if error_ms == former_ms:
            return
        if error_ms is None or former_ms is None or abs(error_ms - former_ms) > _MOVED_MS:
            self._errors[box.name] = error_ms
            self.believed_since[box.name] = self._truth.now
            held = self.held[box.name]
            if held.waiting and error_ms is not None:
                self._try_again(box, held)
            self._tell(box, None)

    def _try_again(self, box: Box, held: Held) -> None:
        waiting, held.waiting = held.waiting, []
        for data, route in waiting:
            seen = envelope_of(data)
            if seen is not None:
                self._take(box, data, seen, route)

    def _stop_pressed(self, box: Box, record: Record) -> None:
        error_ms = box.error_ms(record.at)
        own = record.at if error_ms is None else record.at + error_ms
        self.held[box.name].stops.append((WallMs(own + LOCAL_STOP_MS), record.at, PANEL))
        self._tell(box, None)

    def _take(self, box: Box, data: bytes, seen: Seen, route: Route) -> None:
        held = self.held[box.name]
        if seen.head is not None:
            self._take_head(box, held, seen)
            return
        signed = self._signed.get(seen.digest)
        if signed is None or seen.digest in held.others:
            return
        if signed.kind is Kind.GRANT:
            self._take_grant(box, held, data, seen, signed, route)
            return
        self._judge(box, held, data, seen, signed, route)

    def _take_head(self, box: Box, held: Held, seen: Seen) -> None:
        head, wall = seen.head, self.wall(box)
        assert head is not None, "asked before"
        keys = held.standing.anchor.freshness_keys
        if head.issued <= held.head or not covers(head.scope, held.place) or not holds(seen, keys):
            return
        if wall is None or head.issued <= wall + SKEW_MS:
            held.head = head.issued
            self._tell(box, None)

    def _take_grant(self, box: Box, held: Held, data: bytes, seen: Seen, signed: Signed, route: Route) -> None:
        grant = signed.document
        assert isinstance(grant, Grant), "dispatched by kind"
        if seen.digest in held.standing.grants or not covers(grant.scope, held.place):
            return
        if not grant_holds(seen, signed, held.standing):
            self._wait(held, data, route)
            return
        held.standing.grants[seen.digest] = signed
        if not stands(signed, held.standing, None):
            del held.standing.grants[seen.digest]
            return
        self._try_again(box, held)

    @staticmethod
    def _wait(held: Held, data: bytes, route: Route) -> None:
        if (data, route) not in held.waiting:
            held.waiting.append((data, route))
            del held.waiting[:-_WAITING_MAX]

    def _judge(self, box: Box, held: Held, data: bytes, seen: Seen, signed: Signed, route: Route) -> None:
        wall, keys = self.wall(box), true_keys(seen, signed)
        if not is_addressed(signed, held, box.name):
            return
        if route is Route.USB and isinstance(signed.document, Alert | LiveSession):
            return
        if not allows(keys, signed, held.standing, wall=wall, past=False) or wall is None:
            self._wait(held, data, route)
            return
        issued: WallMs = getattr(signed.document, "issued", WallMs(0))
        expires: WallMs | None = getattr(signed.document, "expires", None)
        if issued <= wall + SKEW_MS and (expires is None or expires > wall):
            self._obey(box, held, Accepted(signed, keys, self._truth.now))

    # What it changes.

    def _obey(self, box: Box, held: Held, one: Accepted) -> None:
        document, digest = one.signed.document, one.signed.envelope.digest
        if isinstance(document, Schedule | AudibleConfig):
            name = (one.signed.kind, document.scope)
            if version_of(one.signed) <= held.high.get(name, -1):
                return
            held.versioned[name], held.high[name] = one, version_of(one.signed)
        elif isinstance(document, Denial):
            if document.epoch <= held.standing.denied.get(document.grantor, 0):
                return
            held.others[digest] = one
            held.standing.denied[document.grantor] = document.epoch
            self._drop_fallen(held)
        elif isinstance(document, Assignment):
            if not self._move(box, held, document):
                return
            held.others[digest] = one
        elif not self._obey_command(held, one):
            return
        self._tell(box, one.signed)

    def _obey_command(self, held: Held, one: Accepted) -> bool:
        document, digest = one.signed.document, one.signed.envelope.digest
        assert isinstance(document, Alert | Cancel | Stop | LiveSession), "dispatched by type"
        held.others[digest] = one
        if isinstance(document, Cancel):
            mark = (document.scope, document.expires, one.at)
            held.cancelled.setdefault(document.alert_id, []).append(mark)
            return True
        if isinstance(document, Alert) and held.is_cancelled(document) is not None:
            return False
        numbers = {(document.scope, key, document.sequence) for key in one.keys}
        if numbers & held.sequences:
            return False
        held.sequences |= numbers
        if isinstance(document, Stop):
            held.stops.append((document.until, one.at, "signed"))
            del held.stops[:-8]
        elif isinstance(document, Alert):
            held.alerts[digest] = one
        else:
            held.lives = {name: it for name, it in held.lives.items() if it.signed.document.scope != document.scope}
            held.lives[digest] = one  # who speaks anew for a unit takes the place of who spoke before
        return True

    def _drop_fallen(self, held: Held) -> None:
        for digest, grant in tuple(held.standing.grants.items()):
            if not stands(grant, held.standing, None):
                del held.standing.grants[digest]
        held.alerts = {name: one for name, one in held.alerts.items() if _still(one, held)}
        held.lives = {name: one for name, one in held.lives.items() if _still(one, held)}
        for name in [name for name, one in held.versioned.items() if not _still(one, held)]:
            del held.versioned[name]
            held.high.pop(name, None)

    def _move(self, box: Box, held: Held, document: Assignment) -> bool:
        word = document.of(box.name)
        if word is None or document.issued <= held.moved or not covers(document.scope, held.place):
            return False
        held.moved = document.issued
        place = word.place or held.place
        if place != held.place:
            held.place = place
            for name in [one for one in held.versioned if not covers(one[1], place)]:
                held.high[name] = version_of(held.versioned.pop(name).signed) - 1  # who is brought back may hear it
            gone = [one for one, grant in held.standing.grants.items() if not covers(grant.document.scope, place)]
            for digest in gone:
                del held.standing.grants[digest]
            for found in (held.alerts, held.lives):
                for digest in [one for one, it in found.items() if not is_addressed(it.signed, held, box.name)]:
                    del found[digest]
        return True

    def _booted(self, box: Box, record: Record) -> None:
        """What the card gave back; whether it gave all, `durable` judges."""
        event: Booted = record.thing.event
        former, fresh = self.held[box.name], self._fresh(box)
        found = [seen for seen in map(envelope_of, event.envelopes) if seen is not None]
        stored = {seen.digest for seen in found}
        self.before[box.name], self.held[box.name] = former, fresh
        self._errors.pop(box.name, None)
        fresh.place, fresh.moved = former.place, former.moved
        if event.registers is not None and not event.damaged:
            fresh.cancelled, fresh.stops, fresh.high = former.cancelled, former.stops, dict(former.high)
            fresh.sequences, fresh.standing.denied = former.sequences, former.standing.denied
        grants = former.standing.grants
        fresh.standing.grants = {name: one for name, one in grants.items() if name in stored}
        fresh.others = {name: one for name, one in former.others.items() if name in stored}
        fresh.alerts = {name: one for name, one in former.alerts.items() if name in stored}
        fresh.lives = {name: one for name, one in former.lives.items() if name in stored}
        fresh.versioned = {
            name: one for name, one in former.versioned.items() if one.signed.envelope.digest in stored
        }
        for name, one in fresh.versioned.items():  # registers may be lost; what is held is a number, too
            fresh.high[name] = max(fresh.high.get(name, -1), version_of(one.signed))
        for seen in found:
            if seen.head is not None:
                self._take_head(box, fresh, seen)
        self._tell(box, None)


def _still(one: Accepted, held: Held) -> bool:
    """Whether a grant is left that lets its signers say it."""
    return allows(one.keys, one.signed, held.standing, wall=None, past=True)
