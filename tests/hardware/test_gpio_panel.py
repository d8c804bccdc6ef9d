"""What contacts really do: bounce, spike, get missed, pick up a radio; and libraries that tell no edges."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from hardware.board_file import PanelPins
from hardware.errors import BoardError
from hardware.gpio_panel import GpioPanel
from hardware.interfaces import Button, Pressed
from simulators.mock_pins import MockPins, WitnessPin
from simulators.virtual_loop import VirtualLoop
from tests.contracts.panel.button_panel_contract import Looks

VIRTUAL_TIME = True

TALK, STOP = 5, 6
DOWN, UP = Pressed(Button.TALK, True), Pressed(Button.TALK, False)


@pytest.fixture
def pins() -> MockPins:
    return MockPins()


@pytest.fixture
def panel(pins: MockPins) -> Iterator[GpioPanel]:
    panel = GpioPanel(PanelPins(talk=TALK, stop=STOP), factory=pins.factory)
    yield panel
    panel.close()


@pytest.fixture
async def looks(panel: GpioPanel) -> AsyncIterator[Looks]:
    looks = Looks(panel)
    await asyncio.sleep(0.06)
    yield looks
    await looks.end()


async def test_bouncing_contact_is_pressed_once(pins: MockPins, looks: Looks) -> None:
    for closed in [True, False] * 10 + [True]:
        pins.close_contact(TALK, closed)
        await asyncio.sleep(0.002)
    assert await looks.told(1) == [DOWN]
    for closed in [False, True] * 10 + [False]:
        pins.close_contact(TALK, closed)
        await asyncio.sleep(0.002)
    assert await looks.told(1) == [UP]


async def test_spike_is_not_seen(pins: MockPins, looks: Looks) -> None:
    pins.close_contact(STOP, True)
    await asyncio.sleep(0.01)
    pins.close_contact(STOP, False)
    assert await looks.told(0) == []


async def test_bounce_between_two_looks_is_no_standing(pins: MockPins, looks: Looks) -> None:
    pins.close_contact(TALK, True)
    await asyncio.sleep(0.028)
    pins.close_contact(TALK, False)
    pins.close_contact(TALK, True)
    await asyncio.sleep(0.02)
    assert looks.idle()
    assert await looks.told(1) == [DOWN]


async def test_missed_edge_is_made_good(pins: MockPins, looks: Looks) -> None:
    pins.pin(TALK)._state = False
    assert await looks.told(1) == [DOWN]
    pins.pin(TALK)._state = True
    assert await looks.told(1) == [UP]


async def test_radio_on_the_pin_costs_little_and_says_nothing(pins: MockPins, looks: Looks) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    turns = loop.turns
    for _ in range(1000):
        pins.close_contact(STOP, True)
        pins.close_contact(STOP, False)
        await asyncio.sleep(0.001)
    assert loop.turns - turns < 3000
    assert await looks.told(0) == []


async def test_idle_panel_looks_seldom(looks: Looks) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    turns = loop.turns
    await asyncio.sleep(60)
    assert loop.turns - turns < 60 * 10


async def test_edges_come_from_another_thread(pins: MockPins, looks: Looks) -> None:
    thread = threading.Thread(target=pins.close_contact, args=(TALK, True))
    thread.start()
    thread.join()
    assert await looks.told(1) == [DOWN]


class EdgelessPin(WitnessPin):
    """RPi.GPIO on a kernel of 6.6 or later."""

    def _enable_event_detect(self) -> None:
        raise RuntimeError("Failed to add edge detection")


async def test_library_without_edges_is_read_again_and_again(pins: MockPins) -> None:
    pins.factory.pin_class = EdgelessPin
    panel = GpioPanel(PanelPins(talk=TALK), factory=pins.factory)
    looks = Looks(panel)
    await asyncio.sleep(0.06)
    pins.close_contact(TALK, True)
    await asyncio.sleep(0.05)
    assert await asyncio.wait_for(looks.told(1), 0.1) == [DOWN]
    await looks.end()
    panel.close()


class DeadPin(WitnessPin):
    """A library that lost its chip."""

    def _get_state(self) -> Any:
        raise OSError("no such device")


async def test_pin_that_cannot_be_read_is_open(pins: MockPins, caplog: pytest.LogCaptureFixture) -> None:
    pins.factory.pin_class = DeadPin
    panel = GpioPanel(PanelPins(talk=TALK), factory=pins.factory)
    looks = Looks(panel)
    await asyncio.sleep(1)
    assert await looks.told(0) == []
    await looks.end()
    panel.close()
    assert caplog.text.count("no such device") == 1


async def test_pin_in_use_is_told_and_the_others_are_let_go(pins: MockPins) -> None:
    with pytest.raises(BoardError, match="pin 5"):
        GpioPanel(PanelPins(key=STOP, talk=TALK, stop=TALK), factory=pins.factory)
    GpioPanel(PanelPins(key=STOP, talk=TALK), factory=pins.factory).close()


async def test_edge_after_the_end_disturbs_nobody(pins: MockPins, panel: GpioPanel) -> None:
    looks = Looks(panel)
    await asyncio.sleep(0.06)
    await looks.end()
    panel.close()
    panel.close()
    pins.close_contact(TALK, True)
