"""Drivers at pins keep the contracts: in gpiozero's mock factory, and on real wires where there are any."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from edge.ports import Amplifier
from hardware.amplifier import GpioAmplifier
from hardware.board_file import LampPins, PanelPins
from hardware.gpio_lamps import GpioLamps
from hardware.gpio_panel import GpioPanel
from hardware.interfaces import Button, ButtonPanel, Lamps
from tests.contracts.panel.button_panel_contract import ButtonPanelContract, Hands
from tests.contracts.panel.lamps_contract import LampsContract
from tests.contracts.panel.wires import COUNT, REAL, Wires
from tests.contracts.sound.amplifier_contract import AmplifierContract

BUTTONS = (Button.KEY, Button.TALK, Button.STOP, Button.MESSAGE_1, Button.MESSAGE_2, Button.MESSAGE_3)[:COUNT]


@pytest.fixture
def wires() -> Iterator[Wires]:
    wires = Wires()
    yield wires
    wires.close()


class WiredHands:
    """Hands at the far ends of the wires."""

    def __init__(self, wires: Wires) -> None:
        self._wires = wires
        self.pins = PanelPins(**{button.value: wires.input(wire) for wire, button in enumerate(BUTTONS)})

    def hold(self, button: Button, down: bool) -> None:
        self._wires.hold(BUTTONS.index(button), down)


class TestGpioPanel(ButtonPanelContract):
    real_time = REAL
    buttons = BUTTONS

    @pytest.fixture
    def hands(self, wires: Wires) -> Hands:
        return WiredHands(wires)

    @pytest.fixture
    def panel(self, wires: Wires, hands: Hands) -> Iterator[ButtonPanel]:
        assert isinstance(hands, WiredHands)
        panel = GpioPanel(hands.pins, factory=wires.factory)
        yield panel
        panel.close()


class TestGpioLamps(LampsContract):
    real_time = REAL

    @pytest.fixture
    def lamps(self, wires: Wires) -> Iterator[Lamps]:
        self._wires = wires
        pins = LampPins(wires.output(0), wires.output(1), wires.output(2))
        lamps = GpioLamps(pins, factory=wires.factory)
        yield lamps
        lamps.close()

    def lit(self, lamps: Lamps, name: str) -> bool:
        return self._wires.high(self.fitted.index(name))


class TestGpioAmplifier(AmplifierContract):
    real_time = REAL
    active_high = True

    @pytest.fixture
    def amplifier(self, wires: Wires) -> Iterator[Amplifier]:
        self._wires = wires
        amplifier = GpioAmplifier(wires.output(3), active_high=self.active_high, factory=wires.factory)
        yield amplifier
        amplifier.close()

    def line(self, amplifier: Amplifier) -> bool:
        return self._wires.high(3) is self.active_high


class TestGpioAmplifierSwitchedByLow(TestGpioAmplifier):
    active_high = False
