"""The FM gate: foreign stations, fades, steps and caps (behaviour.md, section 4)."""

from __future__ import annotations

from typing import Any

import pytest

from edge.core.effects import MonitorFm
from edge.core.events import FmSignalMeasured
from edge.core.output import FmOutput, Rung, Silence
from protocol.audible_config import Fallback, Station, Window
from protocol.clock import WallMs, local_second
from protocol.report import AsRun, EndReason, Fault, FaultCode, Receipt, Standing
from protocol.schedule import Relay
from simulators.desk import Desk
from tests.edge.core.office import Office

ALL_DAY = Window(0, 86_400)
FIRST = Station(97_100, "Một", "A1B2")
SECOND = Station(102_300, "Hai")


def relay(office: Office, in_ms: int = 10_000, pi: str | None = "A1B2", **fields: Any) -> None:
    office.publish(office.item("tiep-am", in_ms, content=Relay(97_100, 120_000, pi), **fields))


def fallback(office: Office, *stations: Station, **config: Any) -> None:
    office.desk.reachable = frozenset()
    office.configure(fm_stations=stations, fm_windows=(ALL_DAY,), fallback=Fallback.FM, **config)
    office.publish(office.item("mat", 0, duration_ms=1_200_000))


def fm_spans(desk: Desk) -> list[tuple[int, int, int]]:
    return [(begin, end, out.frequency_khz) for begin, end, out in desk.sound.spans if isinstance(out, FmOutput)]


def fm_fault(desk: Desk) -> str:
    return next(one.detail for one in desk.reports(Fault) if one.code is FaultCode.FM_REFUSED)


def test_relay_opens_at_its_second(desk: Desk, office: Office) -> None:
    desk.signals[97_100] = (50, "A1B2")
    start = desk.wall + 10_000
    relay(office)
    desk.advance(200_000)
    assert fm_spans(desk) == [(start, start + 120_000, 97_100)]
    assert desk.monitored is None
    assert desk.reports(AsRun)[0].end_reason is EndReason.WINDOW_CLOSED
    standings = [one.standing for one in desk.reports(Receipt) if one.item == "tiep-am"]
    assert standings == [Standing.READY, Standing.SOUNDING, Standing.HEARD]


def test_end_of_a_relay_is_heard_after_quiet_hours(desk: Desk, office: Office) -> None:
    desk.signals[97_100] = (50, "A1B2")
    start = desk.wall + 10_000
    quiet_ends = start + 117_000
    second = local_second(WallMs(quiet_ends))
    office.configure(quiet_hours=(Window((second - 100) % 86_400, second),))
    relay(office)
    desk.advance(200_000)
    begin, end, _ = fm_spans(desk)[-1]
    assert begin - quiet_ends <= 1000 and end == start + 120_000


def test_relay_of_foreign_identity_is_refused(desk: Desk, office: Office) -> None:
    desk.signals[97_100] = (70, "C0DE")
    relay(office)
    desk.advance(100_000)
    assert fm_spans(desk) == []
    assert fm_fault(desk) == "97.1 MHz identity_wrong"


def test_relay_without_identity_is_refused(desk: Desk, office: Office) -> None:
    desk.signals[97_100] = (50, None)
    relay(office)
    desk.advance(60_000)
    assert fm_spans(desk) == []
    assert fm_fault(desk) == "97.1 MHz identity_missing"


def test_relay_where_plan_names_no_identity(desk: Desk, office: Office) -> None:
    desk.signals[97_100] = (50, None)
    relay(office, pi=None)
    desk.advance(60_000)
    assert desk.sound.output.rung is Rung.FM_SLOT


def test_weak_station_is_refused_and_tried_again(desk: Desk, office: Office) -> None:
    relay(office)
    desk.advance(30_000)
    assert fm_fault(desk) == "97.1 MHz signal_weak"
    desk.signals[97_100] = (50, "A1B2")
    desk.advance(60_000)
    assert desk.sound.output.rung is Rung.FM_SLOT


@pytest.mark.parametrize(
    ("reading", "reason"),
    [((75, "A1B2"), "signal_step"), ((50, "C0DE"), "identity_wrong"), ((20, "A1B2"), "signal_weak")],
)
def test_open_gate_shuts_on(desk: Desk, office: Office, reading: tuple[int, str], reason: str) -> None:
    desk.signals[97_100] = (50, "A1B2")
    relay(office)
    desk.advance(30_000)
    assert desk.sound.output.rung is Rung.FM_SLOT
    desk.signals[97_100] = reading
    desk.advance(1600)
    assert isinstance(desk.sound.output, Silence)
    assert fm_fault(desk) == f"97.1 MHz {reason}"


def test_identity_that_appears_then_changes(desk: Desk, office: Office) -> None:
    desk.signals[97_100] = (50, "1111")
    relay(office, pi=None)
    desk.advance(20_000)
    assert desk.sound.output.rung is Rung.FM_SLOT
    desk.signals[97_100] = (52, "2222")
    desk.advance(2000)
    assert isinstance(desk.sound.output, Silence)


def test_slow_fade_keeps_gate_open(desk: Desk, office: Office) -> None:
    desk.signals[97_100] = (50, "A1B2")
    relay(office)
    desk.advance(20_000)
    for rssi in (42, 34, 28):
        desk.signals[97_100] = (rssi, None)
        desk.advance(2000)
    assert desk.sound.output.rung is Rung.FM_SLOT


def test_station_that_tells_its_name_no_more_is_shut(desk: Desk, office: Office) -> None:
    desk.signals[97_100] = (50, "A1B2")
    relay(office)
    desk.advance(20_000)
    assert desk.sound.output.rung is Rung.FM_SLOT
    desk.signals[97_100] = (50, None)
    desk.advance(13_000)
    assert desk.sound.output.rung is Rung.FM_SLOT, "fading takes a name away for seconds"
    desk.advance(4000)
    assert isinstance(desk.sound.output, Silence)
    assert fm_fault(desk) == "97.1 MHz identity_missing"
    desk.signals[97_100] = (50, "A1B2")
    desk.advance(70_000)
    assert desk.sound.output.rung is Rung.FM_SLOT


def test_fallback_whose_station_tells_its_name_no_more_goes_to_the_next(desk: Desk, office: Office) -> None:
    desk.signals = {97_100: (60, "A1B2"), 102_300: (45, None)}
    fallback(office, FIRST, SECOND)
    desk.advance(10_000)
    desk.signals[97_100] = (60, None)
    desk.advance(25_000)
    assert desk.sound.output == FmOutput(Rung.FM_FALLBACK, 102_300)


def test_open_station_is_not_left_for_a_better_one(desk: Desk, office: Office) -> None:
    desk.signals[102_300] = (45, None)
    fallback(office, FIRST, SECOND)
    desk.advance(20_000)
    desk.signals[97_100] = (60, "A1B2")
    desk.advance(300_000)
    assert [khz for _, _, khz in fm_spans(desk)] == [], "what sounds has not ended once"
    assert desk.sound.output == FmOutput(Rung.FM_FALLBACK, 102_300)


def test_fallback_goes_to_next_station(desk: Desk, office: Office) -> None:
    desk.signals = {97_100: (60, "C0DE"), 102_300: (45, None)}
    fallback(office, FIRST, SECOND)
    desk.advance(10_000)
    output = desk.sound.output
    assert isinstance(output, FmOutput)
    assert output.frequency_khz == 102_300
    assert not any(one.code is FaultCode.FM_REFUSED for one in desk.reports(Fault))


def test_fallback_with_all_stations_refused_is_silence(desk: Desk, office: Office) -> None:
    desk.signals = {97_100: (60, "C0DE")}
    fallback(office, FIRST, SECOND)
    desk.advance(20_000)
    assert isinstance(desk.sound.output, Silence)
    assert fm_fault(desk) == "97.1 MHz identity_wrong, 102.3 MHz signal_weak"
    assert desk.monitored is None


def test_fallback_without_any_station(desk: Desk, office: Office) -> None:
    fallback(office)
    desk.advance(5000)
    assert fm_fault(desk) == "no_station"


def test_fallback_only_inside_its_window(desk: Desk, office: Office) -> None:
    desk.signals[97_100] = (60, "A1B2")
    fallback(office, FIRST)
    desk.advance(5000)
    assert desk.sound.output.rung is Rung.FM_FALLBACK
    office.configure(fm_stations=(FIRST,), fallback=Fallback.FM)
    desk.advance(100)
    assert isinstance(desk.sound.output, Silence)


def test_fallback_needs_the_signed_policy(desk: Desk, office: Office) -> None:
    desk.signals[97_100] = (60, "A1B2")
    desk.reachable = frozenset()
    office.configure(fm_stations=(FIRST,), fm_windows=(ALL_DAY,))
    office.publish(office.item("mat", 0, duration_ms=1_200_000))
    desk.advance(10_000)
    assert isinstance(desk.sound.output, Silence)


def test_gate_shuts_at_its_cap(desk: Desk, office: Office) -> None:
    desk.signals[97_100] = (60, "A1B2")
    fallback(office, FIRST, fm_session_ms_max=20_000)
    desk.advance(30_000)
    assert isinstance(desk.sound.output, Silence)
    assert fm_fault(desk) == "97.1 MHz open_too_long"


def test_reading_nobody_asked_for_is_ignored(desk: Desk, office: Office) -> None:
    desk.send(FmSignalMeasured(99_900, 80, "A1B2"))
    assert isinstance(desk.state.sound.output, Silence)
    assert not any(isinstance(one, MonitorFm) for one in desk.effects)


def test_barred_station_is_not_measured(desk: Desk, office: Office) -> None:
    desk.signals = {97_100: (60, "C0DE"), 102_300: (45, None)}
    fallback(office, FIRST, SECOND)
    desk.advance(120_000)
    measured = [one.frequency_khz for one in desk.effects if isinstance(one, MonitorFm)]
    assert measured == [97_100, 102_300]


def test_two_relays_at_once_widest_goes(desk: Desk, office: Office) -> None:
    desk.signals = {97_100: (50, "A1B2"), 102_300: (50, None)}
    office.publish(
        office.item("a", 10_000, content=Relay(97_100, 60_000)),
        office.item("b", 10_000, content=Relay(102_300, 60_000)),
    )
    desk.advance(20_000)
    assert isinstance(desk.sound.output, FmOutput)
    assert desk.sound.output.item == "a"
