"""What a schedule says, item by item, beside the version signed before it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from protocol.audible_config import DEFAULT_QUIET_HOURS, AudibleConfig, Window, in_any
from protocol.bulletin import BulletinClass, CatchUp, Explicit, MediaRef
from protocol.clock import WallMs
from protocol.schedule import Content, Item, Programme, Schedule
from protocol.stream import StreamRelay
from signer import wording
from signer.i18n import gettext as _
from signer.places import Places, Reach


class Change(StrEnum):
    """How an item differs from the version signed before."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class ItemLine:
    """One item in words.

    Attributes:
        starts: the first few starts within eight days, `more` how many follow them; `later` whether any come after.
        quiet: whether a listed start lies in quiet hours, when the loudspeakers keep silent.
        catch_up: what happens after a power cut; empty where nobody would ask.
        once: whether it has one start only, which `when` already says.
        unsigned: only an address is signed, not what comes from there.
        passed: whether nothing of it is still to come.
    """

    change: Change
    title: str
    priority: bool
    bulletin_class: str
    reach: Reach
    when: str
    starts: tuple[str, ...]
    more: int
    later: bool
    length: str
    source: str
    catch_up: str
    media: MediaRef | None
    quiet: bool
    once: bool
    unsigned: bool

    @property
    def passed(self) -> bool:
        """Whether nothing of it is still to come."""
        return not self.starts and not self.later


@dataclass(frozen=True, slots=True)
class ScheduleSheet:
    """A schedule in words.

    Attributes:
        former: version it is compared with, or None when this is the first signed here.
        order: the commune's own word on colliding priority items, as titles.
        reach: every place any item addresses.
    """

    version: int
    former: int | None
    begins: str
    ends: str
    fresh: tuple[ItemLine, ...]
    kept: tuple[ItemLine, ...]
    removed: tuple[ItemLine, ...]
    order: tuple[str, ...]
    reach: Reach


def schedule_sheet(
    schedule: Schedule, *, former: Schedule | None, config: AudibleConfig | None, places: Places, now: WallMs
) -> ScheduleSheet:
    """Puts a schedule into words."""
    before = {item.id: item for item in former.items} if former else {}
    quiet = config.quiet_hours if config else DEFAULT_QUIET_HOURS
    lines = [
        _line(item, change_of(item, before.get(item.id)), places=places, quiet=quiet, now=now)
        for item in schedule.items
    ]
    present = {item.id for item in schedule.items}
    gone = (item for item in before.values() if item.id not in present)
    return ScheduleSheet(
        version=schedule.version,
        former=former.version if former else None,
        begins=wording.moment(schedule.issued),
        ends=wording.moment(schedule.expires),
        fresh=tuple(line for line in lines if line.change is not Change.SAME),
        kept=tuple(line for line in lines if line.change is Change.SAME),
        removed=tuple(_line(item, Change.REMOVED, places=places, quiet=quiet, now=now) for item in gone),
        order=_order(schedule),
        reach=places.reach(target for item in schedule.items for target in item.targets),
    )


def change_of(item: Item, former: Item | None) -> Change:
    """How an item differs from its former self."""
    if former is None:
        return Change.NEW
    return Change.SAME if item == former else Change.CHANGED


def fresh_media(schedule: Schedule, former: Schedule | None) -> tuple[MediaRef, ...]:
    """Recordings that nobody heard at the last signing: those of new and changed items."""
    known = _media(former.items) if former else set()
    return tuple(media for media in dict.fromkeys(_programmes(schedule.items)) if media not in known)


def _programmes(items: Iterable[Item]) -> list[MediaRef]:
    return [item.content.media for item in items if isinstance(item.content, Programme)]


def _media(items: Iterable[Item]) -> set[MediaRef]:
    return set(_programmes(items))


def _line(item: Item, change: Change, *, places: Places, quiet: tuple[Window, ...], now: WallMs) -> ItemLine:
    starts, more = wording.next_starts(item.when, now)
    return ItemLine(
        change=change,
        title=item.title,
        priority=item.bulletin_class is BulletinClass.PRIORITY,
        bulletin_class=wording.class_words(item.bulletin_class),
        reach=places.reach(item.targets),
        when=wording.when_words(item.when),
        starts=tuple(wording.moment(start) for start in starts),
        more=more,
        later=wording.later_starts(item.when, now),
        length=wording.length(item.content.duration_ms),
        source=_source(item.content),
        catch_up=_catch_up(item),
        unsigned=isinstance(item.content, StreamRelay),
        media=item.content.media if isinstance(item.content, Programme) else None,
        once=isinstance(item.when, Explicit) and len(set(item.when.starts)) == 1,
        quiet=any(in_any(quiet, start) for start in starts),
    )


def _source(content: Content) -> str:
    if isinstance(content, Programme):
        return _("Recorded programme")
    if isinstance(content, StreamRelay):
        return _("Internet relay: %(address)s") % {"address": content.address}
    words = _("Relay of FM %(frequency)s") % {"frequency": wording.frequency(content.frequency_khz)}
    return words + (_(", station identity %(pi)s") % {"pi": content.pi} if content.pi else "")


def _catch_up(item: Item) -> str:
    """A relay that goes on has no place by the clock to go on from; that it begins again or is left out, it obeys."""
    if item.catch_up is CatchUp.RESUME and not isinstance(item.content, Programme):
        return ""
    return wording.catch_up_words(item.catch_up)


def _order(schedule: Schedule) -> tuple[str, ...]:
    titles = {f"{schedule.scope}#{item.id}": item.title for item in schedule.items}
    return tuple(titles.get(name, name) for name in schedule.precedence)
