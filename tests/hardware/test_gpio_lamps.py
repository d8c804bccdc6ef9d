"""Lamps that cannot be lit never disturb what sounds."""

from __future__ import annotations

import asyncio

import pytest

from hardware.board_file import LampPins
from hardware.errors import BoardError
from hardware.gpio_lamps import GpioLamps
from hardware.interfaces import Glow, LampStates
from simulators.mock_pins import MockPins, WitnessPin

VIRTUAL_TIME = True


class DeadPin(WitnessPin):
    """A library that lost its chip."""

    def _set_state(self, value: bool) -> None:
        raise OSError("no such device")


async def test_dead_lamp_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    pins = MockPins()
    pins.factory.pin_class = DeadPin
    lamps = GpioLamps(LampPins(fault=17), factory=pins.factory)
    caplog.set_level("WARNING")
    lamps.show(LampStates(fault=Glow.BLINK))
    await asyncio.sleep(3)
    assert caplog.text.count("no such device") == 1


def test_lamps_shine_without_a_loop() -> None:
    pins = MockPins()
    lamps = GpioLamps(LampPins(on_air=17, fault=22), factory=pins.factory)
    lamps.show(LampStates(on_air=Glow.ON, fault=Glow.BLINK))
    assert pins.pin(17).state and pins.pin(22).state
    lamps.close()
    assert not pins.pin(17).state and not pins.pin(22).state


async def test_closed_lamps_blink_no_more() -> None:
    pins = MockPins()
    lamps = GpioLamps(LampPins(link=17), factory=pins.factory)
    lamps.show(LampStates(link=Glow.BLINK))
    lamps.close()
    pins.pin(17).levels.clear()
    await asyncio.sleep(3)
    lamps.show(LampStates(link=Glow.ON))
    assert not pins.pin(17).levels


def test_lamp_wired_to_the_supply_is_dark_at_first() -> None:
    pins = MockPins()
    lamps = GpioLamps(LampPins(link=17, active_high=False), factory=pins.factory)
    assert list(pins.pin(17).levels) == [True]
    lamps.close()


def test_pin_in_use_is_told_and_the_others_are_let_go() -> None:
    pins = MockPins()
    with pytest.raises(BoardError, match="pin 17"):
        GpioLamps(LampPins(on_air=22, link=17, fault=17), factory=pins.factory)
    GpioLamps(LampPins(on_air=22, link=17), factory=pins.factory).close()
