"""What the documents in force come to: sorted out when a document changes, not at every step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from protocol.alert import Alert
from protocol.audible_config import DEFAULT_QUIET_HOURS, AudibleConfig
from protocol.bulletin import BulletinClass, MediaRef
from protocol.clock import WallMs
from protocol.document import Document, Kind
from protocol.freshness import Head
from protocol.schedule import Item, Programme, Schedule
from protocol.units import UnitPath, addresses, covers, depth

NEVER: Final = WallMs(2**53)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A document in force.

    Attributes:
        holder, grant: whose grant authorised it, and that grant's digest; `anchor` when no grant was needed.
        keys: ids of the keys that signed it under that grant.
    """

    kind: Kind
    digest: str
    document: Document
    holder: str = ""
    grant: str = ""
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HeardItem:
    """An item of a schedule in force that this device may play."""

    held: Accepted
    scope: UnitPath
    item: Item


@dataclass(frozen=True, slots=True)
class InForce:
    """Documents by what they are for.

    Attributes:
        config: the nearest ancestor's audible configuration.
        schedules: widest unit first.
        head_issued: date of the newest head.
        items: of all schedules: ordinary ones of the home unit or the place itself, priority ones of any ancestor.
        alert_media: recordings of alerts: urgent.
        message_media: what the message buttons play, wanted whatever the hour.
        programmes, media: digests that the items name, and that any document names.
        ends: from when on a unit's schedule may not play any more: past its end, or no fresh head for too long.
        first_end: the earliest of them.
    """

    config: AudibleConfig | None = None
    schedules: tuple[tuple[Accepted, Schedule], ...] = ()
    head_issued: WallMs = WallMs(0)
    items: tuple[HeardItem, ...] = field(default=(), repr=False)
    alert_media: tuple[MediaRef, ...] = ()
    message_media: tuple[MediaRef, ...] = ()
    programmes: frozenset[str] = frozenset()
    media: frozenset[str] = frozenset()
    ends: tuple[tuple[UnitPath, WallMs], ...] = ()
    first_end: WallMs = NEVER


def sort_out(documents: Mapping[str, Accepted], former: InForce, *, home: UnitPath, place: UnitPath) -> InForce:
    """The documents sorted; items are gone through only when a schedule is another one."""
    held = [(one, one.document) for one in documents.values() if isinstance(one.document, Schedule)]
    schedules = tuple(sorted(held, key=lambda pair: pair[1].scope))
    items, programmes = former.items, former.programmes
    if [one.digest for one, _ in schedules] != [one.digest for one, _ in former.schedules]:
        items = tuple(_heard(schedules, home=home, place=place))
        programmes = _programmes(items)
    configs = [one.document for one in documents.values() if isinstance(one.document, AudibleConfig)]
    heads = [one.document.issued for one in documents.values() if isinstance(one.document, Head)]
    alerts = [one.document for one in documents.values() if isinstance(one.document, Alert)]
    urgent = tuple(part.media for alert in alerts for part in alert.parts if part.media is not None)
    config = max(configs, key=lambda config: depth(config.scope), default=None)
    messages = tuple(one.media for one in config.messages) if config is not None else ()
    newest = max(heads, default=WallMs(0))
    age_ms_max = (config or safe_config(home)).head_age_ms_max
    ends = tuple((one.scope, _end(one, newest, age_ms_max)) for _, one in schedules)
    return InForce(
        config=config,
        schedules=schedules,
        head_issued=newest,
        items=items,
        alert_media=urgent,
        message_media=messages,
        programmes=programmes,
        media=programmes | {media.digest for media in (*urgent, *messages)},
        ends=ends,
        first_end=min((end for _, end in ends), default=NEVER),
    )


def _end(schedule: Schedule, head_issued: WallMs, age_ms_max: int) -> WallMs:
    return min(schedule.expires, WallMs(max(schedule.issued, head_issued) + age_ms_max + 1))


def _heard(
    schedules: tuple[tuple[Accepted, Schedule], ...], *, home: UnitPath, place: UnitPath
) -> Iterator[HeardItem]:
    for held, schedule in schedules:
        own = covers(home, schedule.scope)
        for item in schedule.items:
            obeyed = own or item.bulletin_class is BulletinClass.PRIORITY
            if obeyed and addresses(item.targets, place):
                yield HeardItem(held, schedule.scope, item)


def _programmes(items: tuple[HeardItem, ...]) -> frozenset[str]:
    contents = (one.item.content for one in items)
    return frozenset(content.media.digest for content in contents if isinstance(content, Programme))


@lru_cache(maxsize=8)
def safe_config(home: UnitPath) -> AudibleConfig:
    """The product's safe values, until a signed document says otherwise."""
    return AudibleConfig(home, version=0, issued=WallMs(0), quiet_hours=DEFAULT_QUIET_HOURS)
