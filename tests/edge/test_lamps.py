"""What the three lamps say to whoever stands before the device."""

from __future__ import annotations

import pytest

from edge.core.events import LinkChanged, MessagePressed, ParcelReceived, Route, TalkPressed, TalkReleased
from edge.lamps import lamps_of
from hardware.interfaces import Glow, LampStates
from protocol.clock import local_second
from protocol.document import Kind
from protocol.parcel import pack_parcel
from simulators.desk import Desk
from tests.edge.core.office import COMMUNE, COMMUNE_KEY, IDENTITY, OTHER_KEY, Office, sign_document


@pytest.fixture
def desk() -> Desk:
    made = Desk(IDENTITY)
    made.offset += (10 * 3600 - local_second(made.wall)) * 1000 - made.wall % 1000
    made.boot()
    return made


def stick(office: Office, *, genuine: bool) -> None:
    schedule = office.schedule(office.item("tin", 60_000))
    envelope = sign_document(Kind.SCHEDULE, schedule, COMMUNE_KEY if genuine else OTHER_KEY)
    office.desk.send(ParcelReceived(pack_parcel(COMMUNE, (envelope,)), Route.USB))


def test_device_that_waits_for_its_controller(desk: Desk) -> None:
    assert lamps_of(desk.state) == LampStates(Glow.OFF, Glow.BLINK, Glow.OFF)


def test_device_that_is_linked(desk: Desk) -> None:
    desk.send(LinkChanged(True))
    assert lamps_of(desk.state).link is Glow.ON


def test_lamp_blinks_until_it_sounds(desk: Desk) -> None:
    desk.send(TalkPressed(False))
    assert lamps_of(desk.state).on_air is Glow.BLINK
    desk.advance(100)
    assert lamps_of(desk.state).on_air is Glow.ON
    desk.send(TalkReleased())
    assert lamps_of(desk.state).on_air is Glow.OFF


def test_message_button_in_vain_is_answered(desk: Desk) -> None:
    desk.send(MessagePressed(1))
    assert lamps_of(desk.state).fault is Glow.BLINK
    desk.advance(61_000)
    assert lamps_of(desk.state).fault is Glow.OFF


def test_fault_shines(desk: Desk, office: Office) -> None:
    desk.reachable = frozenset()
    office.publish(office.item("tin", 0))
    assert lamps_of(desk.state).fault is Glow.ON


@pytest.fixture
def office(desk: Desk) -> Office:
    made = Office(desk)
    made.give_grants()
    return made


@pytest.mark.parametrize(("linked", "answer"), [(True, Glow.BLINK), (False, Glow.ON)])
def test_stick_that_is_read_turns_the_link_lamp(desk: Desk, office: Office, linked: bool, answer: Glow) -> None:
    desk.send(LinkChanged(linked))
    before = lamps_of(desk.state)
    stick(office, genuine=True)
    assert lamps_of(desk.state).link is answer
    desk.advance(10_100)
    assert lamps_of(desk.state) == before


def test_stick_put_in_again_is_read_again(desk: Desk, office: Office) -> None:
    envelope = office.publish(office.item("tin", 60_000))
    desk.send(ParcelReceived(pack_parcel(COMMUNE, (envelope,)), Route.USB))
    assert lamps_of(desk.state).link is Glow.ON


@pytest.mark.parametrize("times", [1, 2])
def test_stick_of_somebody_else_blinks_the_fault_lamp(desk: Desk, office: Office, times: int) -> None:
    for _ in range(times):
        stick(office, genuine=False)
        assert lamps_of(desk.state).fault is Glow.BLINK
        desk.advance(10_100)
        assert lamps_of(desk.state).fault is Glow.OFF


def test_stick_with_rubbish_blinks_the_fault_lamp(desk: Desk) -> None:
    desk.send(ParcelReceived(b"rubbish", Route.USB))
    assert lamps_of(desk.state).fault is Glow.BLINK
    desk.send(ParcelReceived(b'{"schema":1}', Route.DOC))


def test_stick_with_a_broken_envelope_blinks_the_fault_lamp(desk: Desk) -> None:
    broken = pack_parcel(COMMUNE, ()).replace(b'"envelopes":[]', b'"envelopes":["{}"]')
    desk.send(ParcelReceived(broken, Route.USB))
    assert lamps_of(desk.state).fault is Glow.BLINK
