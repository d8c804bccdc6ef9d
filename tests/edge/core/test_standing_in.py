"""FM that stands in for a web radio goes on until that is there, and only behind its own gate."""

from __future__ import annotations

import pytest

from edge.core import relays
from edge.core.output import FmOutput, Silence, StreamOutput
from protocol.audible_config import Fallback, Window
from protocol.clock import local_second
from simulators.desk import Desk
from tests.edge.core.office import Office
from tests.edge.core.test_relays import ADDRESS, STATION, relay, spans, stand_in


def test_fm_that_stands_in_goes_on_until_the_web_radio_is_there(desk: Desk, office: Office) -> None:
    """It was cut when the rest was over: over a half-open line the horn was silent half of the time."""
    stand_in(office)
    relay(office)
    desk.advance(40_000)
    desk.slow_streams[ADDRESS] = 5000
    desk.fall_silent()
    failed = desk.wall
    desk.advance(50_000)
    assert [kind for kind, begin, _ in spans(desk) if begin >= failed] == []
    assert isinstance(desk.sound.output, FmOutput) and desk.sound.began - failed < 1000
    assert isinstance(desk.state.sound.output, FmOutput), "what is told to sound is what sounds"
    desk.slow_streams.clear()
    desk.advance(20_000)
    assert isinstance(desk.sound.output, StreamOutput)
    assert [kind for kind, _, _ in spans(desk)] == ["St", "Fm"]


@pytest.mark.parametrize("why", ["weak", "window", "stop", "cap"])
def test_fm_that_waits_for_a_web_radio_goes_on_only_behind_its_gate(desk: Desk, office: Office, why: str) -> None:
    stand_in(office, fm_session_ms_max=20_000 if why == "cap" else 3_600_000)
    relay(office)
    desk.advance(40_000)
    desk.slow_streams[ADDRESS] = 60_000
    desk.fall_silent()
    desk.advance(relays.REST_MS + 1000)
    assert isinstance(desk.sound.output, FmOutput)
    if why == "weak":
        desk.signals[97_100] = (5, "A1B2")
    elif why == "window":
        second = local_second(desk.wall)
        office.configure(fm_stations=(STATION,), fm_windows=(Window(second - 100, second + 2),), fallback=Fallback.FM)
    elif why == "stop":
        office.stop(600_000)
    desk.advance(10_000)
    assert isinstance(desk.sound.output, Silence)
    assert [kind for kind, _, _ in spans(desk)] == ["St", "Fm"]


def test_web_radio_that_is_signed_while_fm_stands_in_is_opened_beside_it(desk: Desk, office: Office) -> None:
    stand_in(office)
    desk.reachable = frozenset()
    office.publish(office.item("tin", 5000))
    desk.advance(20_000)
    assert isinstance(desk.sound.output, FmOutput)
    desk.slow_streams[ADDRESS] = 3000
    relay(office, in_ms=-1000)
    desk.advance(2000)
    assert isinstance(desk.sound.output, FmOutput)
    desk.slow_streams.clear()
    desk.advance(20_000)
    assert isinstance(desk.sound.output, StreamOutput)
