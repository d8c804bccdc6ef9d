"""The complete list of what a unit wants to have sounded: one signed document, replaced as a whole.

A new version replaces the old one, so an item that was deleted is silent as soon as the new version is accepted,
and the version in force says everything (pain 14).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from protocol.bulletin import BulletinClass, CatchUp, MediaRef, When
from protocol.clock import WallMs
from protocol.codec import bounded
from protocol.limits import ITEMS_MAX, MEDIA_DURATION_MS_MAX, SCHEDULE_LIFETIME_MS_MAX, TARGETS_MAX
from protocol.stream import StreamRelay
from protocol.units import UnitPath, covers, unit_path

FM_KHZ_BANDS = ((54_000, 68_000), (87_000, 108_000))
"""Commune FM and national broadcasting in Viet Nam (domain.md)."""


def check_frequency(frequency_khz: int) -> None:
    """Raises ValueError outside the two bands or off the 100 kHz grid."""
    if not any(low <= frequency_khz <= high for low, high in FM_KHZ_BANDS) or frequency_khz % 100:
        raise ValueError(f"{frequency_khz} kHz is not an FM frequency of Viet Nam")


def check_targets(targets: tuple[UnitPath, ...], scope: UnitPath) -> None:
    """Raises ValueError unless every target is a unit path within the scope, and there is one."""
    if not targets:
        raise ValueError("a document addresses at least one unit")
    for target in targets:
        if not covers(scope, unit_path(target)):
            raise ValueError(f"{target} is not within {scope}")


@dataclass(frozen=True, slots=True)
class Programme:
    """A stored programme: sound that is fetched ahead and verified by its digest."""

    KIND: ClassVar[str] = "programme"
    media: MediaRef

    @property
    def duration_ms(self) -> int:
        """Length of the sound."""
        return self.media.duration_ms


@dataclass(frozen=True, slots=True)
class Relay:
    """A relay of an FM station for a fixed time (tiếp âm).

    Attributes:
        pi: RDS programme identity that must match, four hexadecimal digits, or None when the station sends none.
    """

    KIND: ClassVar[str] = "relay"
    frequency_khz: int
    duration_ms: int = field(metadata=bounded(low=1000, high=MEDIA_DURATION_MS_MAX))
    pi: str | None = None

    def __post_init__(self) -> None:
        check_frequency(self.frequency_khz)
        check_pi(self.pi)


def check_pi(pi: str | None) -> None:
    """Raises ValueError unless it is None or four upper-case hexadecimal digits."""
    if pi is not None and (len(pi) != 4 or set(pi) - set("0123456789ABCDEF")):
        raise ValueError("an RDS programme identity is four upper-case hexadecimal digits")


Content = Programme | Relay | StreamRelay


@dataclass(frozen=True, slots=True)
class Item:
    """One place in the schedule.

    Attributes:
        id: unique within the schedule; with a start it names an occurrence.
    """

    id: str
    title: str
    bulletin_class: BulletinClass
    content: Content
    when: When
    targets: tuple[UnitPath, ...] = field(metadata=bounded(count_max=TARGETS_MAX))
    catch_up: CatchUp = CatchUp.RESUME


@dataclass(frozen=True, slots=True)
class Schedule:
    """All items of one unit.

    Attributes:
        scope: the unit that speaks.
        version: grows by at least one with every signature.
        precedence: the commune's own word on priority items that collide, its own and those from above: the
            first named goes first. An item is named `scope#id`. What is not named goes after, from above first.
    """

    scope: UnitPath
    version: int
    issued: WallMs
    expires: WallMs
    items: tuple[Item, ...] = field(metadata=bounded(count_max=ITEMS_MAX))
    precedence: tuple[str, ...] = field(default=(), metadata=bounded(count_max=ITEMS_MAX))

    def __post_init__(self) -> None:
        unit_path(self.scope)
        if not 0 < self.expires - self.issued <= SCHEDULE_LIFETIME_MS_MAX:
            raise ValueError("a schedule lives between 1 ms and 92 days")
        if len({item.id for item in self.items}) != len(self.items):
            raise ValueError("two items have the same id")
        for item in self.items:
            check_targets(item.targets, self.scope)
