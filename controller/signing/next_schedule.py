"""The schedule that an operator of a unit would sign now, and what it changes."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from controller.bulletins.domain import Bulletin, is_offered
from controller.bulletins.queries import due_bulletins
from controller.bulletins.timing import LEAD_MS, fixed, is_over
from controller.schedules.queries import Tree, load_tree, precedence_around
from controller.signing.counters import counter
from controller.signing.domain import Changes, changes
from controller.signing.queries import StoredDocument, config_in_force, schedule_in_force
from controller.signing.told import ToldVersions, following
from protocol import codec
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.limits import ENVELOPE_BYTES_MAX, ITEMS_MAX, SCHEDULE_LIFETIME_MS_MAX
from protocol.schedule import Item, Relay, Schedule
from protocol.units import UnitPath

PAYLOAD_BYTES_MAX: Final = ENVELOPE_BYTES_MAX * 3 // 4 - 4096
"""The payload travels as base64 beside its signatures."""

RENEW_BEFORE_MS: Final = 14 * 86_400_000
"""A schedule that ends this soon is shown as waiting for a signature, although nothing in it changed."""


class ScheduleTooLargeError(Exception):
    """The unit has more bulletins than one schedule carries."""


@dataclass(frozen=True, slots=True)
class NextSchedule:
    """What waits for an operator of a unit.

    Attributes:
        former: the schedule in force, if there is one.
    """

    unit: UnitPath
    schedule: Schedule
    changes: Changes
    former: Schedule | None
    former_document: StoredDocument | None

    @property
    def payload(self) -> bytes:
        """The exact bytes to be signed.

        Raises:
            ScheduleTooLargeError: no envelope carries them.
        """
        payload = codec.encode(self.schedule)
        if len(payload) > PAYLOAD_BYTES_MAX or len(self.schedule.items) > ITEMS_MAX:
            raise ScheduleTooLargeError(self.unit)
        return payload

    def ends_soon(self, now: WallMs) -> bool:
        """Whether loudspeakers fall silent unless it is signed anew."""
        return self.former is not None and self.former.expires - now < RENEW_BEFORE_MS and bool(self.former.items)

    def waits(self, now: WallMs) -> bool:
        """Whether an operator is needed."""
        return self.changes.any or self.ends_soon(now)


async def next_schedule(
    connection: AsyncConnection,
    unit: UnitPath,
    *,
    now: WallMs,
    lead_ms: int = LEAD_MS,
    tree: Tree | None = None,
    told: ToldVersions = MappingProxyType({}),
) -> NextSchedule:
    """Makes the unit's next schedule of all its approved bulletins that are not over.

    Args:
        told: what devices say they obey.
    """
    tree = tree or await load_tree(connection, now)
    found = await schedule_in_force(connection, unit)
    document, former = found or (None, None)
    due = [one for one in await due_bulletins(connection, unit) if not is_offered(one, home=tree.is_home(unit))]
    config = await config_in_force(connection, unit)
    identities = {one.frequency_khz: one.pi for one in config.fm_stations} if config else {}
    items = tuple(item for one in due if (item := _item(one, now, lead_ms, identities)) is not None)
    precedence = (await precedence_around(connection, [unit])).get(unit, ())
    stored = max(await counter(connection, unit, Kind.SCHEDULE), former.version if former else 0)
    schedule = Schedule(
        scope=unit,
        version=following(stored, told.get((unit, Kind.SCHEDULE), 0)),
        issued=now,
        expires=WallMs(now + SCHEDULE_LIFETIME_MS_MAX),
        items=items,
        precedence=precedence,
    )
    return NextSchedule(unit, schedule, _changes(former, items, precedence, now), former, document)


def _item(bulletin: Bulletin, now: WallMs, lead_ms: int, identities: dict[int, str | None]) -> Item | None:
    if bulletin.content is None or bulletin.timing is None or not bulletin.targets:
        return None
    when = fixed(bulletin.timing, now, lead_ms)
    if is_over(when, bulletin.content.duration_ms, now):
        return None
    content = bulletin.content
    if isinstance(content, Relay):
        content = Relay(content.frequency_khz, content.duration_ms, identities.get(content.frequency_khz))
    return Item(
        id=bulletin.id,
        title=bulletin.title,
        bulletin_class=bulletin.bulletin_class,
        content=content,
        when=when,
        targets=bulletin.targets,
        catch_up=bulletin.catch_up,
    )


def _changes(former: Schedule | None, items: tuple[Item, ...], precedence: tuple[str, ...], now: WallMs) -> Changes:
    """What people would call a change: an item that has sounded for the last time leaves without a word."""
    if former is None:
        return changes(None, items, precedence)
    alive = tuple(one for one in former.items if not is_over(one.when, one.content.duration_ms, now))
    kept = Schedule(former.scope, former.version, former.issued, former.expires, alive, former.precedence)
    return changes(kept, items, precedence)
