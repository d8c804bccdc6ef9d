"""The offices' desks: what each unit wants to have sounded, and how it comes to the controller.

A commune's day is that of domain.md: blocks at 5, 11 and 17 o'clock, a relay of the province's station, a priority
bulletin now and then, quiet hours at night; about three quarters of an hour of sound, a few communes much more. What
people do to it later is in `faults/people.py` and its neighbours. Stands for the controller's composing pages and
for the signer.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from protocol.audible_config import AudibleConfig, Fallback, Station, StoredMessage, Window
from protocol.bulletin import BulletinClass, CatchUp, MediaRef, Weekly
from protocol.clock import DAY_MS, WallMs
from protocol.document import Kind, OperatorDocument
from protocol.schedule import Item, Programme, Relay, Schedule
from protocol.stream import StreamRelay
from protocol.units import UnitPath
from simulators.world.clock import DAWN
from simulators.world.office import OPERATOR, PROVINCE, Signed

if TYPE_CHECKING:
    from simulators.world.world import World

T = TypeVar("T")

HOUR_S: Final = 3600
MINUTE_MS: Final = 60_000
PROVINCE_FM: Final = Station(97_300, "Đài tỉnh", "D973")
VOICE_FM: Final = Station(102_700, "VOV1", None)
STATIONS: Final = (PROVINCE_FM, VOICE_FM)
"""What is on the air around here; the second tells no name."""
STREAM: Final = "https://radio.example.vn/vov1"
_NIGHT: Final = Window(22 * HOUR_S, 4 * HOUR_S + 1800)
_DAYTIME: Final = Window(4 * HOUR_S + 1800, 22 * HOUR_S)
_SCHEDULE_LIFE_MS: Final = 60 * DAY_MS
_SOUND_BYTES: Final = 120_000
_BUSY_PART: Final = 6
_EXTRAS_MAX: Final = 24
_ISSUED_KEPT: Final = 8


@dataclass(slots=True)
class Desk:
    """What one unit's people want: the next version of its documents is made from this.

    Attributes:
        extras: ids of items that were added by hand, oldest first.
        issued: what was signed here last, newest last; a few.
        newest: its schedule and its rules as they were signed last.
        speech: segments of the live session that was begun last.
    """

    unit: UnitPath
    rules: AudibleConfig
    items: dict[str, Item] = field(default_factory=dict)
    extras: list[str] = field(default_factory=list)
    precedence: tuple[str, ...] = ()
    issued: list[Signed] = field(default_factory=list)
    newest: dict[Kind, Signed] = field(default_factory=dict)
    speech: list[bytes] = field(default_factory=list)

    def add(self, item: Item) -> None:
        """One more, for a while: of many the oldest goes."""
        if item.id not in self.items:
            self.extras.append(item.id)
        self.items[item.id] = item
        while len(self.extras) > _EXTRAS_MAX:
            self.items.pop(self.extras.pop(0), None)

    def pick(self, number: int) -> Item | None:
        """One of the items, by any number."""
        return chosen(number, self.items.values(), name=lambda one: one.id)


class People:
    """All desks of the province.

    Attributes:
        desks: the province's and each commune's.
        cancels: by the alert's id: signed together with it, one touch away.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.desks: dict[UnitPath, Desk] = {}
        self.cancels: dict[str, Signed] = {}

    @property
    def wall(self) -> WallMs:
        """True time."""
        return self._world.trace_wall()

    def furnish(self) -> None:
        """Grants, rules and a weekly schedule for each commune; one bulletin of the province."""
        world = self._world
        for grant in world.offices.establish(world.communes):
            self.hand_in(grant)
        for unit in (PROVINCE, *world.communes):
            dice = world.chance.stream(f"{unit}/desk")
            desk = self.desks[unit] = Desk(unit, self._first_rules(unit, dice))
            made = self._province_day() if unit == PROVINCE else self._commune_day(unit, dice)
            desk.items = {one.id: one for one in made}
            if unit != PROVINCE:
                self.hand_in(self.rules(unit))
            self.hand_in(self.schedule(unit))

    # Documents.

    def schedule(self, unit: UnitPath, *, issued: WallMs | None = None) -> Signed:
        """The desk's schedule as it is now, as the next version."""
        desk, at = self.desks[unit], self.wall if issued is None else issued
        version = self._world.offices.next(f"version {unit}/schedule")
        items = tuple(desk.items[name] for name in sorted(desk.items))
        made = Schedule(unit, version, at, WallMs(at + _SCHEDULE_LIFE_MS), items, desk.precedence)
        return self.issue(Kind.SCHEDULE, made)

    def rules(self, unit: UnitPath, **changes: Any) -> Signed:
        """The unit's rules of the horn with some changes, as the next version."""
        desk = self.desks[unit]
        version = self._world.offices.next(f"version {unit}/rules")
        desk.rules = replace(desk.rules, version=version, **{"issued": self.wall} | changes)
        return self.issue(Kind.AUDIBLE_CONFIG, desk.rules)

    def issue(self, kind: Kind, document: OperatorDocument, *, holder: str = OPERATOR) -> Signed:
        """Signed at the desk of the document's unit."""
        made = self._world.offices.issue(kind, document, at=self.wall, holder=holder)
        desk = self.desks[document.scope]
        desk.issued.append(made)
        del desk.issued[:-_ISSUED_KEPT]
        if kind in (Kind.SCHEDULE, Kind.AUDIBLE_CONFIG):
            desk.newest[kind] = made
        return made

    def hand_in(self, signed: Signed, *, late_ms: int = 0) -> None:
        """Brings it to the controller, now or when whoever carries it arrives."""
        if late_ms:
            self._world.later(late_ms, lambda: self.hand_in(signed))
            return
        words = f"{signed.kind} {signed.document.scope} {signed.envelope.digest[:16]}"
        self._world.trace.tell("office", "handed_in", words, signed)
        self._world.controller.accept(signed)

    def sound(self, name: str, duration_ms: int) -> MediaRef:
        """A recording: put into the library under its digest."""
        seed = f"{self._world.chance.seed}/{name}/{duration_ms} ".encode()
        data = seed * (_SOUND_BYTES // len(seed))
        digest = hashlib.sha256(data).hexdigest()
        self._world.controller.files[digest] = data
        return MediaRef(digest, len(data), duration_ms)

    # The first day.

    def _first_rules(self, unit: UnitPath, dice: random.Random) -> AudibleConfig:
        message = StoredMessage(1, "Mời họp thôn", self.sound(f"{unit}/message", dice.randrange(20, 60) * 1000))
        return AudibleConfig(
            unit,
            0,
            DAWN,
            quiet_hours=(_NIGHT,),
            microphone_in_quiet_hours=dice.random() < 0.7,
            fm_stations=STATIONS,
            fm_windows=(_DAYTIME,),
            fallback=dice.choice((Fallback.SILENCE, Fallback.FM)),
            on_computer_dead=dice.choice((Fallback.SILENCE, Fallback.FM)),
            ordinary_attenuation_cdb=dice.choice((0, 300, 600)),
            amplifier_lead_in_ms=dice.choice((700, 700, 1500)),
            messages=(message,),
        )

    def _programme(
        self, unit: UnitPath, name: str, at_s: int, minutes: float, *, priority: bool = False, dice: random.Random
    ) -> Item:
        media = self.sound(f"{unit}/{name}", round(minutes * MINUTE_MS))
        kind = BulletinClass.PRIORITY if priority else BulletinClass.ORDINARY
        return Item(name, name, kind, Programme(media), every_day(at_s), (unit,), dice.choice(tuple(CatchUp)))

    def _province_day(self) -> list[Item]:
        media = self.sound("province", 4 * MINUTE_MS)
        when = every_day(18 * HOUR_S)
        return [Item("tinh", "Bản tin tỉnh", BulletinClass.PRIORITY, Programme(media), when, (PROVINCE,))]

    def _commune_day(self, unit: UnitPath, dice: random.Random) -> list[Item]:
        """The three blocks of domain.md; one commune in six fills its whole day."""
        made = [
            self._programme(unit, "sang", 5 * HOUR_S, dice.randrange(6, 13), dice=dice),
            _relay(unit, "dai-tinh", 5 * HOUR_S + 900, dice.randrange(6, 13), PROVINCE_FM),
            self._programme(unit, "trua", 11 * HOUR_S, dice.randrange(4, 8), dice=dice),
            self._programme(unit, "chieu", 17 * HOUR_S, dice.randrange(6, 13), dice=dice),
        ]
        if dice.random() < 0.5:
            made.append(self._programme(unit, "gap", 17 * HOUR_S + 1800, 3, priority=True, dice=dice))
        if dice.random() < 0.3:
            made.append(_relay(unit, "vov", 17 * HOUR_S + 1200, 5, VOICE_FM))
        if dice.random() < 0.3:
            content = StreamRelay(STREAM, 4 * MINUTE_MS)
            when = every_day(11 * HOUR_S + 600)
            made.append(Item("song", "Tiếp sóng", BulletinClass.ORDINARY, content, when, (unit,)))
        if dice.randrange(_BUSY_PART) == 0:
            hours = range(6, 17)
            made += [self._programme(unit, f"gio-{one}", one * HOUR_S, 6, dice=dice) for one in hours if one != 11]
        return made


def _relay(unit: UnitPath, name: str, at_s: int, minutes: int, station: Station) -> Item:
    content = Relay(station.frequency_khz, minutes * MINUTE_MS, station.pi)
    return Item(name, f"Tiếp âm {station.name}", BulletinClass.ORDINARY, content, every_day(at_s), (unit,))


def chosen(number: int, things: Iterable[T], *, name: Callable[[T], str]) -> T | None:
    """One of them, by any number; the same one when others are not there, so that a story can be made shorter."""
    return min(things, key=lambda one: hashlib.blake2b(f"{number}/{name(one)}".encode()).digest(), default=None)


def every_day(at_s: int) -> Weekly:
    """At a second of each local day of the world's months."""
    return Weekly((1, 2, 3, 4, 5, 6, 7), at_s, "2026-11-01", "2027-02-01")


def words_of(words: str) -> dict[str, str]:
    """The parameters of a happening: `item=x3 minutes=8` by name."""
    return dict(one.partition("=")[::2] for one in words.split())


def in_words(**fields: object) -> str:
    """Parameters as text for a happening, in the order in which they are named."""
    return " ".join(f"{name}={value}" for name, value in fields.items())
