"""Relays of web radios: they break off, are replaced, and come back without flapping."""

from __future__ import annotations

from typing import Any

import pytest

from edge.core import fm_gate, relays
from edge.core.effects import SwitchOutput
from edge.core.events import LinkChanged, SoundFailing, SoundRecovered
from edge.core.output import FmOutput, ProgrammeOutput, Rung, Silence, StreamOutput
from protocol.audible_config import Fallback, Station, Window
from protocol.bulletin import BulletinClass
from protocol.clock import WallMs, local_second
from protocol.report import AsRun, EndReason, Fault, FaultCode, Receipt, Standing, Status
from protocol.schedule import Relay
from protocol.stream import StreamRelay
from simulators.desk import Desk
from tests.edge.core.office import PROVINCE, Office

ADDRESS = "https://radio.vn/vov1.m3u8"
OTHER = "http://radio.vn/vov2"
ALL_DAY = Window(0, 86_400)
STATION = Station(97_100, "Một", "A1B2")


def relay(office: Office, in_ms: int = 10_000, address: str = ADDRESS, **fields: Any) -> None:
    office.publish(office.item("tiep-song", in_ms, content=StreamRelay(address, 120_000), **fields))


def stand_in(office: Office, **config: Any) -> None:
    office.desk.signals[97_100] = (50, "A1B2")
    office.configure(fm_stations=(STATION,), fm_windows=(ALL_DAY,), fallback=Fallback.FM, **config)


def spans(desk: Desk) -> list[tuple[str, int, int]]:
    return [(type(out).__name__[:2], begin, end) for begin, end, out in desk.sound.spans]


def lost(desk: Desk) -> list[bool]:
    return [one.ended is not None for one in desk.reports(Fault) if one.code is FaultCode.STREAM_LOST]


def test_stream_begins_and_ends_at_its_seconds(desk: Desk, office: Office) -> None:
    start = desk.wall + 10_000
    desk.send(LinkChanged(True))
    relay(office)
    desk.advance(30_000)
    assert isinstance(desk.sound.output, StreamOutput) and desk.sound.output.rung is Rung.FM_SLOT
    assert desk.reports(Status)[-1].sounding == "tiep-song"
    desk.advance(170_000)
    assert spans(desk) == [("St", start, start + 120_000)]
    (told,) = desk.reports(AsRun)
    assert (told.source, told.item, told.end_reason) == (ADDRESS, "tiep-song", EndReason.WINDOW_CLOSED)
    standings = [one.standing for one in desk.reports(Receipt) if one.item == "tiep-song"]
    assert standings == [Standing.READY, Standing.SOUNDING, Standing.HEARD]


def test_stream_is_opened_ahead_of_its_second(desk: Desk, office: Office) -> None:
    relay(office, in_ms=30_000)
    desk.advance(30_000 - relays.OPEN_AHEAD_MS)
    told = [one for one in desk.effects if isinstance(one, SwitchOutput)]
    assert [(type(one.output), one.at) for one in told] == [(StreamOutput, desk.mono + relays.OPEN_AHEAD_MS)]


@pytest.mark.parametrize("clock", [True, False])
def test_stream_needs_an_hour(desk: Desk, office: Office, clock: bool) -> None:
    relay(office, in_ms=0)
    desk.cut_power(off_ms=1000)
    desk.boot(clock=clock)
    desk.advance(1000)
    assert isinstance(desk.sound.output, StreamOutput if clock else Silence)


def test_stream_is_silent_in_quiet_hours(desk: Desk, office: Office) -> None:
    office.configure(quiet_hours=(ALL_DAY,))
    relay(office, in_ms=0)
    desk.advance(5000)
    assert isinstance(desk.sound.output, Silence)


def test_what_is_held_sounds_to_its_end_where_nothing_follows(desk: Desk, office: Office) -> None:
    start = desk.wall + 10_000
    relay(office)
    desk.advance(40_000)
    desk.fall_silent()
    assert isinstance(desk.state.sound.output, StreamOutput)
    assert lost(desk) == [False]
    desk.advance(5000)
    assert isinstance(desk.sound.output, Silence)
    assert spans(desk) == [("St", start, start + 30_600)]
    assert [one.end_reason for one in desk.reports(AsRun)] == [EndReason.SOURCE_FAILED]
    assert not any(one.code is FaultCode.PLAYER_FAILED for one in desk.reports(Fault))


def test_stream_comes_back_when_it_has_rested(desk: Desk, office: Office) -> None:
    relay(office)
    desk.advance(40_000)
    desk.fall_silent()
    failed = desk.wall
    desk.advance(15_000)
    assert isinstance(desk.sound.output, StreamOutput)
    assert desk.sound.began == pytest.approx(failed + relays.REST_MS, abs=700)
    assert lost(desk)[-1]


def test_gap_that_is_over_before_anything_followed_did_not_happen(desk: Desk, office: Office) -> None:
    relay(office)
    desk.advance(40_000)
    began = desk.sound.began
    desk.fall_silent()
    desk.advance(300)
    desk.go_on()
    desk.advance(30_000)
    assert (desk.sound.began, spans(desk), lost(desk)) == (began, [], [False, True])


def test_fm_stands_in_at_once_where_policy_and_window_allow(desk: Desk, office: Office) -> None:
    stand_in(office)
    relay(office)
    desk.advance(40_000)
    assert desk.monitored == 97_100, "the gate is held ready while a network brings the sound"
    desk.fall_silent()
    assert isinstance(desk.state.sound.output, FmOutput) and desk.state.sound.output.rung is Rung.FM_FALLBACK
    desk.advance(100)
    assert isinstance(desk.sound.output, FmOutput)
    assert [one.end_reason for one in desk.reports(AsRun)] == [EndReason.SOURCE_FAILED]
    desk.advance(20_000)
    assert isinstance(desk.sound.output, StreamOutput)


def test_station_held_ready_does_not_use_its_cap_up(desk: Desk, office: Office) -> None:
    stand_in(office, fm_session_ms_max=20_000)
    relay(office)
    desk.advance(60_000)
    desk.fall_silent()
    desk.advance(5000)
    assert isinstance(desk.sound.output, FmOutput)


@pytest.mark.parametrize("bar", ["quiet", "window", "policy"])
def test_nothing_is_held_ready_where_fm_may_not_stand_in(desk: Desk, office: Office, bar: str) -> None:
    desk.signals[97_100] = (50, "A1B2")
    second = local_second(desk.wall)
    config: dict[str, Any] = {"fm_windows": (ALL_DAY,), "fallback": Fallback.FM}
    bars: dict[str, dict[str, Any]] = {
        "quiet": {"quiet_hours": (Window(second + 20, second + 30),)},
        "window": {"fm_windows": (Window(second - 20, second - 10),)},
        "policy": {"fallback": Fallback.SILENCE},
    }
    config |= bars[bar]
    office.configure(fm_stations=(STATION,), **config)
    relay(office)
    desk.advance(25_000 if bar == "quiet" else 15_000)
    assert desk.monitored is None


def test_stop_ends_it_at_once_and_keeps_nothing_ready(desk: Desk, office: Office) -> None:
    stand_in(office)
    relay(office)
    desk.advance(40_000)
    office.stop(600_000)
    desk.advance(100)
    assert isinstance(desk.sound.output, Silence) and desk.monitored is None
    assert [one.end_reason for one in desk.reports(AsRun)] == [EndReason.STOPPED]


def test_stop_cuts_also_what_is_held(desk: Desk, office: Office) -> None:
    relay(office)
    desk.advance(40_000)
    desk.fall_silent()
    office.stop(600_000)
    desk.advance(50)
    assert isinstance(desk.sound.output, Silence)


def test_clock_that_is_lost_keeps_nothing_ready(desk: Desk, office: Office) -> None:
    stand_in(office)
    relay(office)
    desk.advance(40_000)
    desk.cut_power(off_ms=1000)
    desk.boot(clock=False)
    desk.sound.spans.clear()
    desk.advance(60_000)
    assert fm_gate.wish(desk.state, desk.now()) is None
    assert isinstance(desk.sound.output, Silence) and desk.sound.spans == []


def test_station_where_nobody_answers(desk: Desk, office: Office) -> None:
    desk.dead_streams.add(ADDRESS)
    relay(office)
    desk.advance(70_000)
    assert isinstance(desk.sound.output, Silence) and lost(desk)[0] is False
    assert desk.reports(AsRun) == []
    tries = [one for one in desk.effects if isinstance(one, SwitchOutput) and isinstance(one.output, StreamOutput)]
    assert 4 <= len(tries) <= 20
    desk.dead_streams.clear()
    desk.advance(20_000)
    assert isinstance(desk.sound.output, StreamOutput)
    desk.advance(100_000)
    assert [one.end_reason for one in desk.reports(AsRun)] == [EndReason.WINDOW_CLOSED]


def test_station_that_sounded_and_cannot_be_opened_again_is_logged_once(desk: Desk, office: Office) -> None:
    relay(office)
    desk.advance(40_000)
    desk.dead_streams.add(ADDRESS)
    desk.fall_silent()
    desk.advance(60_000)
    told = [(one.began, one.ended, one.end_reason) for one in desk.reports(AsRun)]
    assert told == [(*spans(desk)[0][1:], EndReason.SOURCE_FAILED)]


def test_station_that_cannot_be_opened_ahead_is_known_before_its_second(desk: Desk, office: Office) -> None:
    desk.dead_streams.add(ADDRESS)
    stand_in(office)
    start = desk.wall + 30_000
    relay(office, in_ms=30_000)
    desk.advance_to(start + 200)
    assert isinstance(desk.sound.output, FmOutput) and desk.sound.began == start


def test_next_relay_follows_one_that_broke_off(desk: Desk, office: Office) -> None:
    desk.signals[97_100] = (50, "A1B2")
    office.publish(
        office.item("a", 10_000, content=StreamRelay(ADDRESS, 60_000), bulletin_class=BulletinClass.PRIORITY),
        scope=PROVINCE,
    )
    office.publish(office.item("b", 10_000, content=Relay(97_100, 60_000)))
    desk.advance(20_000)
    assert isinstance(output := desk.sound.output, StreamOutput) and output.item == "a"
    desk.fall_silent()
    desk.advance(5000)
    assert isinstance(following := desk.sound.output, FmOutput) and following.item == "b"


def test_fm_relay_and_stream_at_once_is_one_of_them(desk: Desk, office: Office) -> None:
    desk.signals[97_100] = (50, "A1B2")
    office.publish(
        office.item("a", 10_000, content=Relay(97_100, 60_000)),
        office.item("b", 10_000, content=StreamRelay(ADDRESS, 60_000)),
    )
    desk.advance(20_000)
    assert isinstance(desk.sound.output, FmOutput)


def test_programme_comes_in_between(desk: Desk, office: Office) -> None:
    office.publish(
        office.item("a", 10_000, content=StreamRelay(ADDRESS, 120_000)),
        office.item("tin", 30_000, duration_ms=20_000),
    )
    desk.advance(40_000)
    assert isinstance(desk.sound.output, ProgrammeOutput)
    desk.advance(15_000)
    assert isinstance(desk.sound.output, StreamOutput)


def test_programme_begins_while_a_station_rests(desk: Desk, office: Office) -> None:
    office.publish(
        office.item("a", 10_000, content=StreamRelay(ADDRESS, 120_000)),
        office.item("tin", 50_000, duration_ms=20_000),
    )
    desk.advance(46_000)
    desk.fall_silent()
    desk.advance(5000)
    assert isinstance(desk.sound.output, ProgrammeOutput)
    assert desk.sound.began == desk.sound.output.start
    desk.advance(30_000)
    assert isinstance(desk.sound.output, StreamOutput)


def test_news_of_what_does_not_sound_changes_nothing(desk: Desk, office: Office) -> None:
    relay(office)
    desk.advance(40_000)
    before = desk.state.sound
    desk.send(SoundFailing("stream/other"))
    desk.send(SoundRecovered("stream/other"))
    assert desk.state.sound.resting == before.resting == {}


def test_news_of_a_sound_without_a_network_changes_nothing(desk: Desk, office: Office) -> None:
    office.publish(office.item("tin", 0))
    desk.advance(5000)
    before = desk.state.sound.output
    desk.send(SoundFailing(before.key))
    desk.send(SoundRecovered(before.key))
    assert desk.state.sound.output == before


def test_rest_of_a_stream_ends_with_its_slot(desk: Desk, office: Office) -> None:
    end = desk.wall + 130_000
    relay(office)
    desk.advance_to(end - 300)
    desk.fall_silent()
    desk.advance_to(end + 100)
    assert isinstance(desk.sound.output, Silence)
    assert desk.sound.spans[-1][1] == end


def test_sound_path_that_never_tells_the_end_is_not_believed_for_ever(desk: Desk, office: Office) -> None:
    relay(office)
    desk.advance(40_000)
    key = desk.sound.output.key
    desk.send(SoundFailing(key))
    desk.advance(relays.HELD_MS_MAX + 100)
    assert isinstance(desk.state.sound.output, Silence)


def test_schedule_that_takes_the_stream_away_ends_it(desk: Desk, office: Office) -> None:
    relay(office)
    desk.advance(40_000)
    relay(office, in_ms=-30_000, address=OTHER)
    desk.advance(5000)
    assert isinstance(output := desk.sound.output, StreamOutput) and output.address == OTHER
    assert WallMs(0) < desk.sound.began
