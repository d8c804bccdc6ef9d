"""What was meant to sound against what the logs say."""

from __future__ import annotations

from datetime import date

from controller.as_run.domain import GRACE_MS, Device, missed, occurrences
from protocol.bulletin import BulletinClass, Explicit, MediaRef, Weekly
from protocol.clock import DAY_MS, WallMs, wall_at
from protocol.schedule import Item, Programme, Schedule
from protocol.units import UnitPath

UNIT = UnitPath("vn/92/1")
DAY = wall_at(date(2026, 11, 23), 0)
END = WallMs(DAY + DAY_MS)
FIVE = WallMs(DAY + 17 * 3_600_000)
ONE = Device("c1", UnitPath("vn/92/1/c1"), "Ấp 1")
TWO = Device("c2", UnitPath("vn/92/1/c2"), "Ấp 2")
ELSEWHERE = Device("c3", UnitPath("vn/92/2/c3"), "Ấp 3")


def schedule(*items: Item, scope: UnitPath = UNIT, issued: int = DAY) -> Schedule:
    return Schedule(scope, 1, WallMs(issued), WallMs(issued + DAY_MS * 30), items)


def item(name: str = "news", bulletin_class: BulletinClass = BulletinClass.ORDINARY, **fields: object) -> Item:
    when = fields.get("when", Explicit((FIVE,)))
    targets = fields.get("targets", (UNIT,))
    media = MediaRef("a" * 64, 1000, 60_000)
    return Item(name, "Bản tin", bulletin_class, Programme(media), when, targets)  # type: ignore[arg-type]


def planned(*schedules: Schedule) -> list[tuple[str, WallMs, list[str]]]:
    found = occurrences(schedules, (ONE, TWO, ELSEWHERE), begin=DAY, end=END)
    return [(one.item.id, one.start, [device.id for device in one.devices]) for one in found]


def test_addressed_devices_are_expected() -> None:
    assert planned(schedule(item())) == [("news", FIVE, ["c1", "c2"])]
    assert planned(schedule(item(targets=(TWO.place,)))) == [("news", FIVE, ["c2"])]


def test_offer_from_above_is_not_expected() -> None:
    above = UnitPath("vn/92")
    assert planned(schedule(item(targets=(above,)), scope=above)) == []
    urgent = item(bulletin_class=BulletinClass.PRIORITY, targets=(above,))
    assert planned(schedule(urgent, scope=above)) == [("news", FIVE, ["c1", "c2", "c3"])]


def test_nothing_expected_before_signature() -> None:
    assert planned(schedule(item(), issued=FIVE + 1)) == []


def test_weekly_item_expected_on_its_day() -> None:
    monday = Weekly((1,), 6 * 3600, "2026-11-01", "2026-12-31")
    tuesday = Weekly((2,), 6 * 3600, "2026-11-01", "2026-12-31")
    assert [one[1] for one in planned(schedule(item(when=monday)))] == [WallMs(DAY + 6 * 3_600_000)]
    assert planned(schedule(item(when=tuesday))) == []


def test_silent_device_is_missed_after_grace() -> None:
    expected = list(occurrences([schedule(item())], (ONE, TWO), begin=DAY, end=END))
    over = WallMs(FIVE + 60_000 + GRACE_MS)
    heard = {("c1", "news"): (FIVE,)}
    [found] = missed(expected, heard, now=over)
    assert [device.id for device in found.devices] == ["c2"]
    assert missed(expected, heard, now=WallMs(over - 1)) == ()
    assert missed(expected, heard | {("c2", "news"): (FIVE,)}, now=over) == ()


def test_yesterdays_sound_does_not_count() -> None:
    expected = list(occurrences([schedule(item())], (ONE,), begin=DAY, end=END))
    heard = {("c1", "news"): (WallMs(FIVE - DAY_MS),)}
    assert len(missed(expected, heard, now=END)) == 1
