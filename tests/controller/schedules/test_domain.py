"""Occurrences and collisions, against a plain reading of the rules."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from controller.schedules.domain import (
    RUNG_ORDINARY,
    RUNG_PRIORITY,
    RUNG_RELAY,
    Airing,
    Outcome,
    collisions,
    count_beyond,
    occurrences,
    overlaps_itself,
)
from protocol.bulletin import Explicit, Weekly
from protocol.clock import DAY_MS, WallMs, wall_at
from protocol.units import UnitPath, covers

MONDAY = wall_at(date(2026, 11, 23), 0)
HOUR = 3_600_000
PROVINCE, COMMUNE, CLUSTER = UnitPath("vn/92"), UnitPath("vn/92/31498"), UnitPath("vn/92/31498/c07")
NEIGHBOUR = UnitPath("vn/92/31500")


def airing(
    name: str = "a",
    *,
    at: int = 0,
    minutes: int = 10,
    unit: UnitPath = COMMUNE,
    rung: int = RUNG_ORDINARY,
    targets: tuple[UnitPath, ...] = (COMMUNE,),
) -> Airing:
    when = Explicit((WallMs(MONDAY + at * 60_000),))
    return Airing(name, unit, name.upper(), rung, when, minutes * 60_000, targets)


def meet(one: Airing, other: Airing, **precedence: tuple[str, ...]) -> list[Outcome]:
    said = {UnitPath(unit): order for unit, order in precedence.items()}
    end = WallMs(MONDAY + DAY_MS)
    return [found.outcome for found in collisions(one, [other], begin=MONDAY, end=end, precedence=said)]


def test_ordinary_over_ordinary_refused() -> None:
    assert meet(airing(), airing("b", at=9)) == [Outcome.REFUSED]


def test_neighbours_in_time_do_not_collide() -> None:
    assert meet(airing(), airing("b", at=10)) == []


def test_neighbours_in_place_do_not_collide() -> None:
    assert meet(airing(), airing("b", unit=NEIGHBOUR, targets=(NEIGHBOUR,))) == []


def test_cluster_within_commune_collides() -> None:
    assert meet(airing(), airing("b", targets=(CLUSTER,))) == [Outcome.REFUSED]


def test_priority_goes_before_ordinary() -> None:
    from_above = airing("b", unit=PROVINCE, rung=RUNG_PRIORITY, targets=(PROVINCE,))
    assert meet(airing(), from_above) == [Outcome.AFTER]
    assert meet(from_above, airing()) == [Outcome.FIRST]


def test_programme_goes_before_relay() -> None:
    assert meet(airing("relay", rung=RUNG_RELAY), airing("b", at=3)) == [Outcome.AFTER]


def test_priority_from_above_goes_first() -> None:
    mine = airing(rung=RUNG_PRIORITY)
    above = airing("b", unit=PROVINCE, rung=RUNG_PRIORITY, targets=(PROVINCE,))
    assert meet(mine, above) == [Outcome.AFTER]


def test_commune_orders_priority_items() -> None:
    mine = airing(rung=RUNG_PRIORITY)
    above = airing("b", unit=PROVINCE, rung=RUNG_PRIORITY, targets=(PROVINCE,))
    assert meet(mine, above, **{COMMUNE: (mine.name, above.name)}) == [Outcome.FIRST]
    assert meet(mine, above, **{NEIGHBOUR: (mine.name, above.name)}) == [Outcome.AFTER]


def test_daily_item_longer_than_a_day_overlaps_itself() -> None:
    daily = Weekly((1, 2, 3, 4, 5, 6, 7), 0, "2026-11-23", "2026-11-30")
    end = WallMs(MONDAY + 8 * DAY_MS)
    assert overlaps_itself(daily, DAY_MS + 1, begin=MONDAY, end=end) == MONDAY + DAY_MS
    assert overlaps_itself(daily, DAY_MS, begin=MONDAY, end=end) is None


def test_starts_beyond_the_horizon_are_counted() -> None:
    daily = Weekly((1, 2, 3, 4, 5, 6, 7), 0, "2026-11-23", "2026-12-22", ("2026-12-02",))
    end = WallMs(MONDAY + 60 * DAY_MS)
    assert count_beyond(daily, begin=WallMs(MONDAY + 8 * DAY_MS), end=end) == 21


minutes = st.integers(0, 3 * 24 * 60)
places = st.sampled_from([PROVINCE, COMMUNE, CLUSTER, NEIGHBOUR])


@st.composite
def airings(draw: st.DrawFn, name: str) -> Airing:
    unit = draw(st.sampled_from([PROVINCE, COMMUNE]))
    target = draw(places.filter(lambda place: covers(unit, place)))
    starts = tuple(WallMs(MONDAY + at * 60_000) for at in draw(st.lists(minutes, min_size=1, max_size=6)))
    rung = draw(st.sampled_from([RUNG_PRIORITY, RUNG_ORDINARY, RUNG_RELAY]))
    length = draw(st.integers(1, 300)) * 60_000
    return Airing(name, unit, name, rung, Explicit(starts), length, (target,))


@given(airings("a"), airings("b"))
def test_collisions_are_those_a_plain_reading_finds(one: Airing, other: Airing) -> None:
    begin, end = MONDAY, WallMs(MONDAY + 4 * DAY_MS)
    found = {(c.mine.start, c.other.start) for c in collisions(one, [other], begin=begin, end=end, precedence={})}
    near = covers(one.targets[0], other.targets[0]) or covers(other.targets[0], one.targets[0])
    expected = {
        (mine, theirs)
        for mine in one.when.between(begin, end)
        for theirs in other.when.between(WallMs(0), end)
        if mine < theirs + other.duration_ms and theirs < mine + one.duration_ms
    }
    assert found == (expected if near and one.name != other.name else set())


@given(airings("a"), airings("b"))
def test_two_sides_never_both_go_first(one: Airing, other: Airing) -> None:
    outcomes = meet(one, other)[:1] + meet(other, one)[:1]
    if len(outcomes) == 2:
        assert sorted(outcomes) in (
            [Outcome.AFTER, Outcome.FIRST],
            [Outcome.REFUSED, Outcome.REFUSED],
        )


@given(st.lists(airings("a"), max_size=4), st.integers(0, 100))
def test_occurrences_come_in_order_and_touch_the_span(many: list[Airing], hours: int) -> None:
    begin, end = WallMs(MONDAY + hours * HOUR), WallMs(MONDAY + hours * HOUR + 5 * HOUR)
    found = occurrences(many, begin=begin, end=end)
    assert [one.start for one in found] == sorted(one.start for one in found)
    assert all(one.start < end and one.end > begin for one in found)
