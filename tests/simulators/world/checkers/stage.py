"""A made-up device on paper: what happened to it is written down record by record, and rules judge it.

Nothing runs here. The offices and their signatures are real; the device's belief is only its clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, cast

from edge.core.events import Booted, ClockRead, ClockSource, Event, ParcelReceived, Route
from edge.core.output import Output, ProgrammeOutput, Rung
from edge.core.state import AgentState, ClockState, Identity
from protocol.alert import Alert, Part
from protocol.audible_config import AudibleConfig, Window
from protocol.bulletin import BulletinClass, CatchUp, Explicit, MediaRef
from protocol.clock import DAY_MS, ClockTrust, MonoMs, Now, WallMs
from protocol.document import Kind, OperatorDocument
from protocol.parcel import pack_parcel
from protocol.report import EndReason, FaultCode, InForce, Status
from protocol.schedule import Content, Item, Programme, Schedule
from protocol.units import UnitPath
from simulators.world.chance import Chance
from simulators.world.checkers.court import Court, MakeRule
from simulators.world.clock import DAWN
from simulators.world.device import Told
from simulators.world.hindrance import Hindrances
from simulators.world.horn import Heard
from simulators.world.office import OPERATOR, Offices, Signed
from simulators.world.plan import Shape
from simulators.world.trace import Record
from simulators.world.world import World

HOME = UnitPath("vn/92/31000")
NAME = "d00000"
PLACE = UnitPath(f"{HOME}/{NAME}")
HOUR_MS = 3_600_000
MEDIA = MediaRef("ab" * 32, 1000, 600_000)
NIGHT = Window(22 * 3600, 4 * 3600 + 1800)


@dataclass
class Stage:
    """Attributes: now: true time. told: rules that were found broken, and how. stored, shown: its log, its faults."""

    rules: tuple[MakeRule, ...]
    now: WallMs = DAWN
    told: list[tuple[str, str]] = field(default_factory=list)
    stored: list[dict[str, Any]] = field(default_factory=list)
    shown: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.offices = Offices(Chance(1))
        self.grants = self.offices.establish([HOME])
        identity = Identity(NAME, PLACE, self.offices.anchor)
        card = SimpleNamespace(
            media={MEDIA.digest: 1000},
            letters={},
            documents={},
            registers=b"",
            bytes_written=0,
            full=False,
            broken=False,
            spoiled=False,
            slow_ms=0,
            rotten=set(),
        )
        line = SimpleNamespace(passes=lambda: True)
        hindrances = Hindrances(lambda: self.now, lambda *_: None)
        self.device = SimpleNamespace(
            name=NAME, identity=identity, state=None, card=card, line=line, hindrances=hindrances
        )
        self.world = SimpleNamespace(
            devices={NAME: self.device},
            offices=self.offices,
            shape=Shape(1, 1, 1.0),
            front=SimpleNamespace(false_reports=set()),
            controller=SimpleNamespace(lost=[], as_run=lambda: self.stored, faults=lambda: self.shown),
            trace_wall=lambda: self.now,
        )
        self.state = AgentState(identity)
        self.court = Court(cast(World, self.world), self._tell, self.rules)

    def _tell(self, _: str, rule: str, words: str) -> None:
        self.told.append((rule, words))

    @property
    def broken(self) -> set[str]:
        """Names of the rules that were broken."""
        return {rule for rule, _ in self.told}

    # What happens.

    def record(self, what: str, thing: object = None, *, who: str = NAME) -> None:
        """Anything."""
        self.court.take(Record(self.now, who, what, "", thing))

    def event(self, event: Event) -> None:
        """The core is told something, and decides at once."""
        self.record("told", Told(Now(self.mono, self.now, ClockTrust.NONE), event))

    @property
    def mono(self) -> MonoMs:
        """The device's monotonic time."""
        return MonoMs(self.now - DAWN + 1000)

    def wait(self, ms: int) -> None:
        """Time goes by; somebody else is heard of, so what waits is looked at."""
        self.now = WallMs(self.now + ms)
        self.record("nothing", who="somebody")

    def boot(
        self, *stored: Signed, registers: bytes | None = b"{}", media: tuple[str, ...] = (MEDIA.digest,)
    ) -> None:
        """Power on, and four seconds later the agent is up."""
        self.record("power.on")
        self.now = WallMs(self.now + 4000)
        self.device.state = self.state = AgentState(self.device.identity)
        self.event(Booted("boot", registers, tuple(one.envelope.pack() for one in stored), media))

    def cut(self) -> None:
        """The power goes."""
        sounding = [output for output, _ in self.court.truth.boxes[NAME].sounding.values()]
        self.record("power.off")
        for output in sounding:
            self.record("sound.ended", Heard(output, EndReason.INTERRUPTED))

    def believe(self, error_ms: int = 0) -> None:
        """Two sources agree about the hour."""
        offset = self.now + error_ms - self.mono
        for source in (ClockSource.NTP, ClockSource.RTC):
            self.event(ClockRead(source, WallMs(self.now + error_ms)))
        self.device.state = self.state = replace(self.state, clock=ClockState(agreed=offset))
        self.wait(1)

    def give(self, *signed: Signed, route: Route = Route.DOC) -> None:
        """A parcel."""
        self.event(ParcelReceived(pack_parcel(HOME, tuple(one.envelope for one in signed)), route))
        self.wait(1)

    def began(self, output: Output) -> None:
        """Somebody below the horn hears it."""
        self.record("sound.began", Heard(output))

    def ended(self, output: Output, reason: EndReason = EndReason.COMPLETE) -> None:
        """It is over."""
        self.record("sound.ended", Heard(output, reason))

    def status(self, *signed: Signed, faults: tuple[FaultCode, ...] = ()) -> None:
        """The controller hears what is in force on it."""
        held = tuple(
            InForce(one.document.scope, one.kind.value, getattr(one.document, "version", 0), one.envelope.digest)
            for one in signed
        )
        status = Status(NAME, PLACE, self.now, 9, -12_000, "agreed", "1", "boot", 0, 0, in_force=held, faults=faults)
        self.record("report.status", status, who="controller")

    def end(self) -> set[str]:
        """The world is over; which rules were broken."""
        self.court.end()
        return self.broken

    # What is signed.

    def sign(self, kind: Kind, document: OperatorDocument, *, holder: str = OPERATOR) -> Signed:
        """By the unit's own office, now."""
        return self.offices.issue(kind, document, at=self.now, holder=holder)

    def rules_of_the_horn(self, **changes: Any) -> Signed:
        """The commune's."""
        return self.sign(Kind.AUDIBLE_CONFIG, AudibleConfig(HOME, 1, self.now, **{"quiet_hours": (NIGHT,)} | changes))

    def schedule(self, *items: Item, version: int = 1) -> Signed:
        """The commune's."""
        return self.sign(Kind.SCHEDULE, Schedule(HOME, version, self.now, WallMs(self.now + 9 * DAY_MS), items))

    def alert(self, kind: Kind = Kind.ALERT, *, minutes: int = 10, sequence: int = 1, **changes: Any) -> Signed:
        """An emergency, a drill or a test."""
        expires = WallMs(self.now + minutes * 60_000)
        parts = (Part("vi", "nước lên"),)
        alert = Alert(HOME, f"a{sequence}", sequence, self.now, expires, 4, (HOME,), parts)
        return self.sign(kind, replace(alert, **changes))


def item(
    start: WallMs,
    *,
    name: str = "sang",
    content: Content = Programme(MEDIA),  # noqa: B008
    priority: bool = False,
    catch_up: CatchUp = CatchUp.RESUME,
) -> Item:
    """One start of a programme of ten minutes."""
    kind = BulletinClass.PRIORITY if priority else BulletinClass.ORDINARY
    return Item(name, name, kind, content, Explicit((start,)), (HOME,), catch_up)


def programme(
    signed: Signed, start: WallMs, *, name: str = "sang", rung: Rung = Rung.ORDINARY, **changes: Any
) -> ProgrammeOutput:
    """What sounds of it."""
    output = ProgrammeOutput(rung, signed.envelope.digest, name, start, start, MEDIA, scope=HOME)
    return replace(output, **changes)


def day(*rules: MakeRule, hour: int = 8) -> Stage:
    """A device that is up, believes its hour and holds its grants, at that hour."""
    stage = Stage(rules)
    stage.now = WallMs(DAWN + hour * HOUR_MS - 5000)
    stage.boot()
    stage.believe()
    stage.give(*stage.grants)
    stage.now = WallMs(DAWN + hour * HOUR_MS)
    return stage
