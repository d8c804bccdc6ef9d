"""Time alone: one leap over a quarter of an hour and many small ticks give the same sound (deadlines.py)."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from edge.core.events import Ticked
from protocol.audible_config import Fallback, Station, Window
from protocol.bulletin import BulletinClass, CatchUp
from protocol.clock import local_second
from protocol.schedule import Item, Relay
from simulators.desk import Desk
from tests.edge.core.office import IDENTITY, PROVINCE, Office

LENGTH_MS = 900_000
LENGTHS_MS = st.sampled_from([1, 20_000, 60_000, 300_000])


@dataclass(frozen=True)
class Pick:
    """An item of a drawn day."""

    in_s: int
    duration_ms: int
    bulletin_class: BulletinClass
    catch_up: CatchUp
    above: bool


PICKS = st.lists(st.builds(Pick, st.integers(10, 610), LENGTHS_MS), max_size=6)


def a_day(picks: list[Pick], quiet_in_s: int) -> Desk:
    """A device whose office has published the picks, a relay and two minutes of quiet."""
    desk = Desk(IDENTITY)
    desk.offset += (10 * 3600 - local_second(desk.wall)) * 1000 - desk.wall % 1000
    desk.boot()
    office = Office(desk)
    office.give_grants()
    desk.signals[97_100] = (50, None)
    quiet = Window(36_000 + quiet_in_s, 36_000 + quiet_in_s + 120)
    stations, windows = (Station(97_100, "Một"),), (Window(0, 86_400),)
    office.configure(quiet_hours=(quiet,), fm_stations=stations, fm_windows=windows, fallback=Fallback.FM)
    relay = office.item("tiep-am", 300_000, content=Relay(97_100, 200_000))
    office.publish(relay, *(_item(office, number, one) for number, one in enumerate(picks) if not one.above))
    office.publish(*(_item(office, number, one) for number, one in enumerate(picks) if one.above), scope=PROVINCE)
    return desk


def _item(office: Office, number: int, pick: Pick) -> Item:
    return office.item(
        f"tin-{number}",
        pick.in_s * 1000,
        duration_ms=pick.duration_ms,
        bulletin_class=BulletinClass.PRIORITY if pick.above else pick.bulletin_class,
        catch_up=pick.catch_up,
    )


@pytest.mark.slow
@example(picks=[], quiet_in_s=375)  # the relay's last five seconds come after the quiet hours
@example(
    picks=[Pick(295, 1, BulletinClass.ORDINARY, CatchUp.RESUME, above=False)], quiet_in_s=1
)  # relay five s later
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(picks=PICKS, quiet_in_s=st.integers(1, 700))
def test_one_leap_sounds_like_small_ticks(picks: list[Pick], quiet_in_s: int) -> None:
    leap, walk = a_day(picks, quiet_in_s), a_day(picks, quiet_in_s)
    leap.advance(LENGTH_MS)
    for _ in range(LENGTH_MS // 500):
        walk.advance(500)
        walk.send(Ticked())  # the desk looks at everything beside it
    assert leap.sound.spans == walk.sound.spans
