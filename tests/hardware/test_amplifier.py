"""The amplifier's pin over its whole life: on only when it was switched on."""

from __future__ import annotations

import pytest

from hardware.amplifier import GpioAmplifier
from simulators.mock_pins import MockPins, WitnessPin


@pytest.mark.parametrize("active_high", [True, False])
async def test_relay_never_blips(active_high: bool) -> None:
    pins = MockPins()
    amplifier = GpioAmplifier(17, active_high=active_high, factory=pins.factory)
    for on in (False, True, True, False, True):
        await amplifier.switch(on)
    amplifier.close()
    seen = [level is active_high for level in pins.pin(17).levels]
    begin, switching, end = seen[:1], seen[1:6], seen[6:]
    assert begin == [False]
    assert switching == [False, True, True, False, True]
    assert end and not any(end)


@pytest.mark.parametrize("active_high", [True, False])
async def test_closed_amplifier_rests_pulled_to_the_safe_side(active_high: bool) -> None:
    pins = MockPins()
    amplifier = GpioAmplifier(17, active_high=active_high, factory=pins.factory)
    await amplifier.switch(True)
    amplifier.close()
    amplifier.close()
    pin = pins.pin(17)
    assert (pin.function, pin.pull) == ("input", "down" if active_high else "up")
    assert bool(pin.state) is not active_high


class DeadPin(WitnessPin):
    """A library that lost its chip."""

    def _set_state(self, value: bool) -> None:
        raise OSError("no such device")


async def test_amplifier_that_does_not_obey_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    pins = MockPins()
    pins.factory.pin_class = DeadPin
    amplifier = GpioAmplifier(17, factory=pins.factory)
    caplog.set_level("WARNING")
    for on in (True, False):
        await amplifier.switch(on)
    assert caplog.text.count("does not obey") == 1
    amplifier.close()
