"""How a pin becomes an output: its level and its direction in one act, with every library behind gpiozero."""

from __future__ import annotations

from typing import Any

import pytest
from gpiozero import Device, DigitalOutputDevice
from gpiozero.pins.mock import MockFactory

from hardware.errors import BoardError
from hardware.gpio_line import OutputLine, pin_factory, steady
from simulators.mock_pins import MockPins


def test_witness_sees_what_two_acts_do() -> None:
    pins = MockPins()
    careless = DigitalOutputDevice(17, active_high=False, initial_value=None, pin_factory=pins.factory)
    careless.off()
    assert list(pins.pin(17).levels) == [False, True]
    careless.close()


@pytest.mark.parametrize("level", [True, False])
def test_lgpio_claims_a_line_with_its_level(level: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    import lgpio
    from gpiozero.pins.lgpio import LGPIOFactory

    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr(LGPIOFactory, "_get_revision", lambda _: 0xC03111)
    monkeypatch.setattr(lgpio, "gpiochip_open", lambda _: 1)
    monkeypatch.setattr(lgpio, "gpiochip_close", lambda _: 0)
    monkeypatch.setattr(lgpio, "gpio_get_mode", lambda *_: 1 << 1)
    monkeypatch.setattr(lgpio, "gpio_claim_input", lambda *_: 0)
    for act in ("gpio_claim_output", "gpio_write"):
        monkeypatch.setattr(lgpio, act, lambda *given, act=act: asked.append((act, *given)))
    factory = steady(LGPIOFactory())
    OutputLine(17, active_high=not level, factory=factory)
    assert asked == [("gpio_claim_output", 1, 17, int(level))]
    factory.close()


def test_machine_without_pins_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Device, "pin_factory", None)
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "lgpio")
    with pytest.raises(BoardError, match="no pins to be had"):
        OutputLine(17)


def test_named_factory_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Device, "pin_factory", None)
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
    assert isinstance(pin_factory(), MockFactory)
