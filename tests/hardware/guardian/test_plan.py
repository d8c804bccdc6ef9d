"""Plans: what is kept, what is refused, how they lie in flash."""

from __future__ import annotations

import pytest

from hardware.guardian.plan import SPAN_MS_MAX, Plan, packed, plan_of, sealed, too_far, unsealed
from hardware.guardian_plan import guarded
from hardware.interfaces import GuardPlan, GuardStation, GuardWindow

HOUR = 3_600_000
DAY = 24 * HOUR
KEY = b"k" * 32


def plan(*windows: tuple[int, int], version: int = 3) -> Plan:
    return Plan(version, list(windows), [(99_900, 0xA201), (103_500, None)], rssi_floor_dbuv=28)


def test_plan_comes_back_as_it_was() -> None:
    before = plan((HOUR, 2 * HOUR), (3 * HOUR, 4 * HOUR), version=1 << 42)
    after = plan_of(packed(before))
    assert after is not None
    assert vars(after) == vars(before)


@pytest.mark.parametrize(
    "windows",
    [
        ((2 * HOUR, HOUR),),
        ((HOUR, HOUR),),
        ((HOUR, 3 * HOUR), (2 * HOUR, 4 * HOUR)),
        ((3 * HOUR, 4 * HOUR), (HOUR, 2 * HOUR)),
        ((HOUR, 2 * HOUR), (HOUR + SPAN_MS_MAX, 2 * HOUR + SPAN_MS_MAX)),
        ((1 << 60, (1 << 60) + 1),),
    ],
)
def test_windows_that_make_no_sense(windows: tuple[tuple[int, int], ...]) -> None:
    data = packed(Plan(3, [(begin, max(begin, end)) for begin, end in windows], []))
    assert plan_of(data) is None


def test_plan_without_a_version() -> None:
    assert plan_of(packed(plan(version=0))) is None


def test_window_holds_to_its_end_excluded() -> None:
    one = plan((HOUR, 2 * HOUR), (3 * HOUR, 4 * HOUR))
    assert [one.window_at(at) is not None for at in (HOUR - 1, HOUR, 2 * HOUR - 1, 2 * HOUR)] == [
        False,
        True,
        True,
        False,
    ]
    assert one.next_begin(HOUR) == 3 * HOUR
    assert one.next_begin(3 * HOUR) is None


def test_plan_reaches_eight_days_from_now() -> None:
    one = plan((9 * DAY, 9 * DAY + HOUR))
    assert too_far(one, 0)
    assert not too_far(one, 2 * DAY)
    assert not too_far(one, None)


def test_sealed_plan_is_whole_or_nothing() -> None:
    data = sealed(plan((HOUR, 2 * HOUR)), KEY, 5 * DAY)
    read = unsealed(data, KEY)
    assert read is not None and read[0].version == 3 and read[1] == 5 * DAY
    assert unsealed(data, b"x" * 32) is None
    for at in range(len(data)):
        assert unsealed(data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :], KEY) is None
        assert unsealed(data[:at], KEY) is None


def test_agents_plan_is_cut_to_what_fits() -> None:
    windows = tuple(GuardWindow(DAY + at * HOUR, DAY + at * HOUR + HOUR // 2) for at in range(300))
    stations = tuple(GuardStation(88_000 + at * 100, "a201" if at else None) for at in range(20))
    fitting = guarded(GuardPlan(4, windows, stations, 28, 30 * DAY))
    assert len(fitting.windows) == 64 and len(fitting.stations) == 8
    assert fitting.stations[:2] == [(88_000, None), (88_100, 0xA201)]
    assert plan_of(packed(fitting)) is not None


def test_window_that_leaves_the_eight_days_is_cut() -> None:
    windows = (GuardWindow(0, HOUR), GuardWindow(8 * DAY - HOUR, 8 * DAY + HOUR), GuardWindow(9 * DAY, 10 * DAY))
    fitting = guarded(GuardPlan(4, windows))
    assert fitting.windows == [(0, HOUR), (8 * DAY - HOUR, 8 * DAY)]
    assert plan_of(packed(fitting)) is not None
