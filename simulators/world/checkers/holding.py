"""What one device ought to hold and obey, as a plain record; `papers` keeps it up to date."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from edge.core.events import Route
from protocol.alert import Alert
from protocol.assignment import Assignment
from protocol.audible_config import DEFAULT_QUIET_HOURS, AudibleConfig
from protocol.bulletin import BulletinClass
from protocol.clock import WallMs
from protocol.denial import Denial
from protocol.document import Kind
from protocol.grants import Grant
from protocol.schedule import Item, Programme, Schedule
from protocol.units import UnitPath, addresses, ancestors, covers, parent
from simulators.world.checkers.authority import Standing
from simulators.world.office import Signed

PANEL: Final = "panel"
LEAD_IN_MS: Final = 700


@dataclass(frozen=True, slots=True)
class Accepted:
    """A document, its true signers as they came, and when it was obeyed (true time)."""

    signed: Signed
    keys: frozenset[str]
    at: WallMs


@dataclass(slots=True)
class Held:
    """What one device ought to hold.

    Attributes:
        versioned: the newest schedule and rules by kind and scope.
        alerts, lives: by digest; those that are over are still here for a while.
        cancelled: by the alert's id: scope, expiry and when it was obeyed.
        stops: until when each stop lasts, and when it was obeyed.
        head: date of the newest head.
        waiting: what could not be judged yet: no clock, or no grant.
    """

    place: UnitPath
    standing: Standing
    versioned: dict[tuple[Kind, UnitPath], Accepted] = field(default_factory=dict)
    alerts: dict[str, Accepted] = field(default_factory=dict)
    lives: dict[str, Accepted] = field(default_factory=dict)
    others: dict[str, Accepted] = field(default_factory=dict)
    cancelled: dict[str, list[tuple[UnitPath, WallMs, WallMs]]] = field(default_factory=dict)
    stops: list[tuple[WallMs, WallMs, str]] = field(default_factory=list)
    high: dict[tuple[Kind, UnitPath], int] = field(default_factory=dict)
    sequences: set[tuple[UnitPath, str, int]] = field(default_factory=set)
    head: WallMs = WallMs(0)
    moved: WallMs = WallMs(0)
    waiting: list[tuple[bytes, Route]] = field(default_factory=list)

    @property
    def config(self) -> AudibleConfig | None:
        """The nearest ancestor's rules; None for the product's safe values."""
        for unit in reversed(ancestors(self.place)):
            found = self.versioned.get((Kind.AUDIBLE_CONFIG, unit))
            if found is not None and isinstance(found.signed.document, AudibleConfig):
                return found.signed.document
        return None

    @property
    def rules(self) -> AudibleConfig:
        """The same, with the safe values."""
        home = parent(self.place) or self.place
        return self.config or AudibleConfig(home, 0, WallMs(0), quiet_hours=DEFAULT_QUIET_HOURS)

    @property
    def lead_in_ms(self) -> int:
        """What the amplifier may take to let sound through, by the rules now or by those it was switched on under."""
        return max(self.rules.amplifier_lead_in_ms, LEAD_IN_MS)

    def schedules(self) -> list[tuple[Accepted, Schedule]]:
        """All in force, dead or alive."""
        found = []
        for (kind, _), one in self.versioned.items():
            if kind is Kind.SCHEDULE and isinstance(one.signed.document, Schedule):
                found.append((one, one.signed.document))
        return found

    def media(self, wall: WallMs) -> frozenset[str]:
        """Digests of all sounds that something in force names for this place."""
        found = {one.media.digest for one in self.config.messages} if self.config is not None else set()
        for _, schedule in self.schedules():
            own = schedule.scope in (self.place, parent(self.place))
            for item in schedule.items:
                heard = (own or item.bulletin_class is BulletinClass.PRIORITY) and addresses(item.targets, self.place)
                if heard and isinstance(item.content, Programme):
                    found.add(item.content.media.digest)
        for one in self.alerts.values():
            alert = one.signed.document
            assert isinstance(alert, Alert), "sorted by type"
            if wall < alert.expires and self.is_cancelled(alert) is None:
                found |= {part.media.digest for part in alert.parts if part.media is not None}
        return frozenset(found)

    def is_cancelled(self, alert: Alert) -> WallMs | None:
        """When a cancel of it was obeyed, if one was."""
        marks = self.cancelled.get(alert.id, ())
        return min((at for scope, _, at in marks if covers(scope, alert.scope)), default=None)

    def is_stopped(self, wall: WallMs) -> bool:
        """Whether a stop is surely in force: a signed one replaces what was, a hand at the device only adds."""
        return self.stopped_until(surely=True) > wall

    def may_be_stopped(self, wall: WallMs) -> bool:
        """Whether any stop lasts."""
        return self.stopped_until(surely=False) > wall

    def stopped_until(self, *, surely: bool) -> WallMs:
        """How long the stops last, at the least or at the most."""
        until = WallMs(0)
        for one, _, by in self.stops:
            until = one if surely and by != PANEL else WallMs(max(until, one))
        return until


def is_addressed(signed: Signed, held: Held, name: str) -> bool:
    """Whether it is about this device: by its place, or by its name."""
    document = signed.document
    if isinstance(document, Assignment):
        return document.of(name) is not None
    if isinstance(document, Schedule | AudibleConfig | Denial | Grant):
        return covers(document.scope, held.place)
    return addresses(document.targets, held.place)


def may_speak(item: Item, scope: UnitPath, place: UnitPath) -> bool:
    """Ordinary items come only from the commune's own schedule, or the place's (section 1)."""
    return item.bulletin_class is BulletinClass.PRIORITY or scope in (place, parent(place))
